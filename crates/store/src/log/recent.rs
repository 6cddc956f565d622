//! The nodes that the newest leaves completed, kept at hand: receipts are asked for right after a commit.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{PoisonError, RwLock};

use tenure_tlog::incremental::Frontier;
use tenure_tlog::merkle::{HashReader, Node, prove_inclusion};

use super::Growth;
use crate::{Digest, TreeHead};

/// After this many nodes a new window begins; the one before it is kept for those who come late.
const WINDOW_NODES: usize = 1 << 14;

/// The newest leaves of the log, with all that their proofs need.
#[derive(Debug)]
pub(crate) struct Recent(RwLock<Windows>);

/// Nodes never change, so what is found in a window is right; what is not found is read from the store.
type Window = HashMap<Node, Digest>;

#[derive(Debug)]
struct Windows {
    head: TreeHead,
    /// The nodes that leaves completed since the window began, and the whole subtrees to their left.
    now: Window,
    before: Window,
}

impl Recent {
    pub(crate) fn new(frontier: &Frontier) -> Self {
        let head = TreeHead { size: frontier.size(), root: frontier.root() };
        let windows = Windows { head, now: frontier.nodes().collect(), before: Window::new() };
        Self(RwLock::new(windows))
    }

    pub(crate) fn head(&self) -> TreeHead {
        self.0.read().unwrap_or_else(PoisonError::into_inner).head
    }

    /// Takes over what a commit has made durable.
    pub(crate) fn grow(&self, growth: Growth) {
        let mut windows = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Another process may have added leaves in between, whose nodes are not known here.
        if windows.head.size != growth.before.size() || windows.now.len() > WINDOW_NODES {
            let fresh = growth.before.nodes().collect();
            windows.before = std::mem::replace(&mut windows.now, fresh);
        }
        windows.head = growth.head;
        windows.now.extend(growth.nodes);
    }

    /// The path of a leaf in the tree of `size` leaves; `None` unless it is among the newest.
    ///
    /// The path of a leaf in a window leads past whole subtrees that leaves of the window completed, and past
    /// those that stood to the left when it began: all of them are here.
    pub(crate) fn prove_inclusion(&self, leaf: u64, size: u64) -> Option<Vec<Digest>> {
        let windows = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if size > windows.head.size {
            return None;
        }
        prove_inclusion(leaf, size, &*windows).ok()
    }
}

impl HashReader for Windows {
    type Error = Infallible;

    fn read_hashes(&self, nodes: &[Node]) -> Result<Vec<Digest>, Infallible> {
        let find = |node: &Node| self.now.get(node).or_else(|| self.before.get(node)).copied();
        // Where one is missing, fewer come back than were asked for, which the caller takes for a failure.
        Ok(nodes.iter().map_while(find).collect())
    }
}
