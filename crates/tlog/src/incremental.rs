//! Appending to a tree with no more than its right edge in memory.

use crate::merkle::{Hash, Node, join, node_hash, root};
use crate::tile::{LEVELS, Tile, TileError, TileReader, partial_tiles, read, whole_subtrees};

/// The right edge of a tree: the roots of the whole subtrees that it consists of, at most one on each level.
///
/// It is all that is needed to append and to know the root, in at most 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// One hash for each bit of the size, widest subtree first.
    edge: Vec<Hash>,
}

impl Frontier {
    /// The edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` leaves from its hashes, widest subtree first; none if there are not as
    /// many as such a tree has.
    pub fn from_edge(size: u64, edge: Vec<Hash>) -> Option<Self> {
        (u32::try_from(edge.len()) == Ok(size.count_ones())).then_some(Self { size, edge })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the whole subtrees, widest first.
    pub fn edge(&self) -> &[Hash] {
        &self.edge
    }

    /// The whole subtrees with their places, widest first.
    pub fn nodes(&self) -> impl Iterator<Item = (Node, Hash)> {
        let mut start = 0;
        self.edge.iter().map_while(move |hash| {
            let level = (self.size - start).checked_ilog2()?;
            let node = Node { level, index: start >> level };
            start += 1 << level;
            Some((node, *hash))
        })
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        join(&self.edge).unwrap_or_else(|| root(&[]))
    }

    /// Appends a leaf by its hash and tells every node that it completes, the leaf itself first.
    pub fn append(&mut self, leaf: Hash, mut completed: impl FnMut(Node, &Hash)) {
        let mut node = Node { level: 0, index: self.size };
        let mut hash = leaf;
        completed(node, &hash);
        // A node at an odd place has its sibling at the end of the edge, and the two make the node above.
        while node.index & 1 == 1
            && let Some(left) = self.edge.pop()
        {
            hash = node_hash(&left, &hash);
            node = Node { level: node.level + 1, index: node.index >> 1 };
            completed(node, &hash);
        }
        self.edge.push(hash);
        self.size += 1;
    }
}

/// The right edge of a tree in tiles: its [`Frontier`] and its partial tiles, at most one on each level.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TileEdge {
    frontier: Frontier,
    /// The bytes of the partial tile of each level; those of a level without one are empty.
    partial: [Vec<u8>; LEVELS.end as usize],
}

impl TileEdge {
    /// The edge of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The edge of a tree of `size` leaves, read from its partial tiles.
    ///
    /// Whether they are the right ones shows when [`TileEdge::root`] is the root of a checkpoint of that size.
    pub fn load<R: TileReader>(size: u64, reader: &R) -> Result<Self, TileError<R::Error>> {
        let tiles: Vec<Tile> = partial_tiles(size).collect();
        let hashes = read(reader, &tiles)?;
        let mut frontier = Frontier { size, edge: Vec::new() };
        let mut partial = <[Vec<u8>; _]>::default();
        // Sorted by level: the highest tile holds the widest subtrees.
        for (tile, hashes) in hashes.iter().rev() {
            let subtrees = whole_subtrees(hashes.len()).filter_map(|range| hashes.get(range));
            frontier.edge.extend(subtrees.map(root));
            if let Some(bytes) = partial.get_mut(usize::from(tile.level())) {
                *bytes = hashes.concat();
            }
        }
        Ok(Self { frontier, partial })
    }

    /// How many leaves the tree has.
    pub fn size(&self) -> u64 {
        self.frontier.size()
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        self.frontier.root()
    }

    /// The roots of the whole subtrees at the edge.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Appends a leaf by its hash and gives the tiles that it makes full, lowest level first: none for most
    /// leaves.
    pub fn append(&mut self, leaf: Hash) -> Vec<(Tile, Vec<u8>)> {
        self.append_telling(leaf, |_, _| {})
    }

    /// Like [`TileEdge::append`], and tells every node that the leaf completes, the leaf itself first.
    pub fn append_telling(
        &mut self,
        leaf: Hash,
        mut completed: impl FnMut(Node, &Hash),
    ) -> Vec<(Tile, Vec<u8>)> {
        let Self { frontier, partial } = self;
        let mut full = Vec::new();
        frontier.append(leaf, |node, hash| {
            completed(node, hash);
            // Only the lowest level of each tile is stored.
            let Some(tile) = Tile::ending_with(node) else { return };
            let Some(bytes) = partial.get_mut(usize::from(tile.level())) else { return };
            bytes.extend_from_slice(hash);
            if tile.is_full() {
                full.push((tile, std::mem::take(bytes)));
            }
        });
        full
    }

    /// The partial tiles as the tree is now, with their bytes, lowest level first.
    pub fn partial_tiles(&self) -> impl Iterator<Item = (Tile, &[u8])> {
        partial_tiles(self.size())
            .filter_map(|tile| Some((tile, self.partial.get(usize::from(tile.level()))?.as_slice())))
    }
}
