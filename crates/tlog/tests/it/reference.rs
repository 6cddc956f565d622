//! The tree as RFC 6962 section 2.1 writes it down: recursive, slow and obvious. And trees kept in memory.

use std::collections::HashMap;
use std::convert::Infallible;

use tenure_tlog::merkle::{HashReader, Node};
use tenure_tlog::tile::{Tile, TileReader};
use tenure_tlog::{Hash, leaf_hash, node_hash, root};

/// Leaves that differ from each other.
pub(crate) fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|index| leaf_hash(&index.to_be_bytes())).collect()
}

/// The largest power of two smaller than a number of leaves.
fn split(count: usize) -> usize {
    let mut half = 1;
    while half * 2 < count {
        half *= 2;
    }
    half
}

pub(crate) fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => root(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&mth(left), &mth(right))
        }
    }
}

pub(crate) fn path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() <= 1 {
        return Vec::new();
    }
    let half = split(leaves.len());
    let (left, right) = leaves.split_at(half);
    let (mut hashes, sibling) =
        if index < half { (path(index, left), mth(right)) } else { (path(index - half, right), mth(left)) };
    hashes.push(sibling);
    hashes
}

pub(crate) fn consistency(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    if old == 0 { Vec::new() } else { subproof(old, leaves, true) }
}

fn subproof(old: usize, leaves: &[Hash], whole: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![mth(leaves)] };
    }
    let half = split(leaves.len());
    let (left, right) = leaves.split_at(half);
    let (mut hashes, sibling) = if old <= half {
        (subproof(old, left, whole), mth(right))
    } else {
        (subproof(old - half, right, false), mth(left))
    };
    hashes.push(sibling);
    hashes
}

/// Any node, computed from all leaves each time.
pub(crate) struct Leaves(pub(crate) Vec<Hash>);

impl HashReader for Leaves {
    type Error = Infallible;

    fn read_hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Infallible> {
        let at = |index: u64, level: u32| usize::try_from(index << level).unwrap();
        Ok(nodes
            .iter()
            .map(|node| mth(&self.0[at(node.index, node.level)..at(node.index + 1, node.level)]))
            .collect())
    }
}

/// Every node once, for large trees.
#[derive(Default)]
pub(crate) struct Nodes(pub(crate) HashMap<Node, Hash>);

impl HashReader for Nodes {
    type Error = Infallible;

    fn read_hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Infallible> {
        Ok(nodes.iter().map(|node| self.0[node]).collect())
    }
}

/// Tiles as a log would serve them.
#[derive(Default)]
pub(crate) struct Tiles(pub(crate) HashMap<Tile, Vec<u8>>);

impl TileReader for Tiles {
    type Error = Infallible;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Infallible> {
        Ok(tiles.iter().map(|tile| self.0.get(tile).cloned().unwrap_or_default()).collect())
    }
}
