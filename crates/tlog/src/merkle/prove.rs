//! Roots and proofs made from stored hashes.

use super::{Hash, node_hash, root};

/// A whole subtree: the hash of the leaves `index << level` up to `(index + 1) << level`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Node {
    /// How high it stands above the leaves, which are on level 0.
    pub level: u32,
    /// Its place among the nodes of its level.
    pub index: u64,
}

/// Stored hashes of whole subtrees.
pub trait HashReader {
    /// Why hashes could not be read.
    type Error: std::error::Error + 'static;

    /// The hashes of these nodes, in this order.
    ///
    /// All that a proof needs is asked for at once, so that a reader may fetch it in parallel.
    fn read_hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Self::Error>;
}

/// Why a proof could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError<E: std::error::Error + 'static> {
    /// The leaf, or the older tree, is not within the tree.
    #[error("a tree of {size} leaves has nothing at {position}")]
    OutOfRange {
        /// What was asked for: the leaf's index, or the older tree's size.
        position: u64,
        /// The size of the tree.
        size: u64,
    },
    /// The reader gave more or fewer hashes than it was asked for.
    #[error("{asked} stored hashes were asked for and {found} came back")]
    Count {
        /// How many were asked for.
        asked: usize,
        /// How many came.
        found: usize,
    },
    /// The reader failed.
    #[error("the stored hashes could not be read")]
    Read(#[source] E),
}

/// The root of the tree of the first `size` leaves.
pub fn tree_root<R: HashReader>(size: u64, reader: &R) -> Result<Hash, ProveError<R::Error>> {
    if size == 0 {
        return Ok(root(&[]));
    }
    let hashes = read_spans(&[Span { start: 0, end: size }], reader)?;
    Ok(hashes.first().copied().unwrap_or_else(|| root(&[])))
}

/// The path from a leaf to the root of the tree of `size` leaves (RFC 6962 section 2.1.1), the leaf's sibling
/// first.
pub fn prove_inclusion<R: HashReader>(
    index: u64,
    size: u64,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if index >= size {
        return Err(ProveError::OutOfRange { position: index, size });
    }
    let mut tree = Span { start: 0, end: size };
    let mut path = Vec::new();
    while tree.len() > 1 {
        let (left, right) = tree.split();
        let (inside, sibling) = if index < left.end { (left, right) } else { (right, left) };
        path.push(sibling);
        tree = inside;
    }
    path.reverse();
    read_spans(&path, reader)
}

/// The proof that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 6962 section 2.1.2).
///
/// From the empty tree, and between equal trees, the proof is empty.
pub fn prove_consistency<R: HashReader>(
    old: u64,
    new: u64,
    reader: &R,
) -> Result<Vec<Hash>, ProveError<R::Error>> {
    if old > new {
        return Err(ProveError::OutOfRange { position: old, size: new });
    }
    if old == 0 {
        return Ok(Vec::new());
    }
    let mut tree = Span { start: 0, end: new };
    let mut path = Vec::new();
    while tree.end > old {
        let (left, right) = tree.split();
        let (inside, sibling) = if old <= left.end { (left, right) } else { (right, left) };
        path.push(sibling);
        tree = inside;
    }
    // What is left ends where the old tree ends. If it is the old tree, its root is known already.
    if tree.start > 0 {
        path.push(tree);
    }
    path.reverse();
    read_spans(&path, reader)
}

/// The leaves of a subtree as RFC 6962 splits trees: whole, or the right edge of the tree.
#[derive(Clone, Copy)]
struct Span {
    start: u64,
    end: u64,
}

impl Span {
    fn len(self) -> u64 {
        self.end - self.start
    }

    /// The two children; the left one is the largest whole subtree that is smaller than this one.
    fn split(self) -> (Self, Self) {
        let middle = self.start + (1 << (self.len() - 1).ilog2());
        (Self { end: middle, ..self }, Self { start: middle, ..self })
    }

    /// The whole subtrees that it consists of, widest first.
    fn nodes(self) -> impl Iterator<Item = Node> {
        let mut start = self.start;
        std::iter::from_fn(move || {
            let level = (self.end - start).checked_ilog2()?;
            let node = Node { level, index: start >> level };
            start += 1 << level;
            Some(node)
        })
    }
}

/// The hash of each span, from one read.
fn read_spans<R: HashReader>(spans: &[Span], reader: &R) -> Result<Vec<Hash>, ProveError<R::Error>> {
    let nodes: Vec<Node> = spans.iter().flat_map(|span| span.nodes()).collect();
    let hashes = reader.read_hashes(&nodes).map_err(ProveError::Read)?;
    if hashes.len() != nodes.len() {
        return Err(ProveError::Count { asked: nodes.len(), found: hashes.len() });
    }
    let mut rest = hashes.as_slice();
    let mut joined = Vec::with_capacity(spans.len());
    for span in spans {
        let (own, others) = rest.split_at_checked(span.nodes().count()).unwrap_or((rest, &[]));
        joined.extend(join(own));
        rest = others;
    }
    Ok(joined)
}

/// The hash over adjacent whole subtrees, widest first; none of no subtrees.
pub(crate) fn join(subtrees: &[Hash]) -> Option<Hash> {
    subtrees.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}
