//! The log over the statements: its head, its tiles, and its leaves.

use crate::{Digest, Seq, Stored};

/// What a log is at a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeHead {
    /// How many leaves its tree has: the statements below this [`Seq`].
    pub size: u64,
    /// The root of the tree (RFC 6962).
    pub root: Digest,
}

/// Reads the log.
pub trait LogRead {
    /// What the log is in this state of the store.
    fn tree_head(&mut self) -> Stored<Option<TreeHead>>;
    /// The hashes of a stored tile: a full one, or a partial one above the lowest level. It may have grown
    /// wider than any tree that it is read for.
    fn tile(&mut self, level: u8, place: u64) -> Stored<Option<Vec<u8>>>;
    /// The commitments of statements from one on, in order, as far as none is missing.
    fn commitments(&mut self, from: Seq, limit: usize) -> Stored<Vec<Digest>>;
}

/// Writes the log. Only the sequencer does, so this is no part of [`crate::Tx`].
pub(crate) trait LogWrite: LogRead {
    /// Puts a tile that is new or has grown.
    fn put_tile(&mut self, level: u8, place: u64, hashes: &[u8]) -> Stored<()>;
    /// Moves the head from one to another; `false`, and nothing happens, if it is not the first.
    fn move_head(&mut self, from: &TreeHead, to: &TreeHead) -> Stored<bool>;
}
