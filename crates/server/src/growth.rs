//! What a log adds between two sizes, made anew from its entries.
//!
//! Nothing is taken from the log's tiles beyond the edge of the tree that is known already: the new tiles are
//! computed here, so that they can be compared with what the log serves, or be published.

use std::ops::Range;

use tenure_tlog::checkpoint::Checkpoint;
use tenure_tlog::incremental::TileEdge;
use tenure_tlog::tile::{Bundle, Resource, Tile};
use tenure_tlog::{Hash, leaf_hash};

use crate::source::{LogSource, ReadError, Tree};

/// How many bundles are read side by side, and held in memory.
const BATCH: usize = 32;
/// How many entries, and hashes, a full tile spans.
const WIDTH: u64 = 256;

/// How long every entry of a log of Tenure is: the kind, and a commitment.
pub(crate) const ENTRY_BYTES: usize = 33;
/// The kind of all entries so far.
const ENTRY_KIND: u8 = 1;

/// Why a growth can't be followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GrowthError {
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The tiles are not those of the tree that is known.
    #[error("the tiles of the log do not make the tree that is known")]
    Edge,
    #[error("`{}` is not built like a bundle of entries", Resource::Entries(*bundle))]
    Bundle { bundle: Bundle },
    #[error("entry {index} is not a commitment")]
    Form { index: u64 },
    #[error("entry {index} does not hash to the leaf of the tree")]
    Leaf { index: u64 },
    /// The entries do not make the root that was signed.
    #[error("the entries do not make the root that the log has signed")]
    Root,
}

/// Some bundles, and the tiles that their entries fill.
pub(crate) struct Batch {
    pub(crate) bundles: Vec<(Bundle, Vec<u8>)>,
    pub(crate) tiles: Vec<(Tile, Vec<u8>)>,
}

/// A log on its way from one size to another.
pub(crate) struct Growth<'s> {
    tree: Tree<'s>,
    edge: TileEdge,
    target: Checkpoint,
    left: Range<u64>,
}

impl<'s> Growth<'s> {
    /// Starts at a known tree: its size and root.
    pub(crate) fn from(
        (size, root): (u64, Hash),
        target: &Checkpoint,
        source: &'s dyn LogSource,
    ) -> Result<Self, GrowthError> {
        let tree = Tree::new(source, target.size());
        let edge = TileEdge::load(size, &tree).map_err(ReadError::from)?;
        if edge.root() != root {
            return Err(GrowthError::Edge);
        }
        let left = size / WIDTH..target.size().div_ceil(WIDTH);
        // Where nothing is added, there is nothing to read, not even of a bundle that is begun.
        let left = if size == target.size() { left.end..left.end } else { left };
        Ok(Self { tree, edge, target: target.clone(), left })
    }

    /// The next bundles with all tiles that they fill; none at the end, where the root has been checked.
    pub(crate) fn next(&mut self) -> Result<Option<Batch>, GrowthError> {
        let bundles: Vec<Bundle> = self
            .left
            .by_ref()
            .take(BATCH)
            .filter_map(|index| Bundle::in_log(index, self.target.size()))
            .collect();
        if bundles.is_empty() {
            let reached = self.edge.size() == self.target.size() && self.edge.root() == *self.target.root();
            return if reached { Ok(None) } else { Err(GrowthError::Root) };
        }
        let bytes = self.tree.bundles(&bundles)?;
        let bundles: Vec<(Bundle, Vec<u8>)> = bundles.into_iter().zip(bytes).collect();
        let mut tiles = Vec::new();
        for (bundle, bytes) in &bundles {
            self.append(*bundle, bytes, &mut tiles)?;
        }
        Ok(Some(Batch { bundles, tiles }))
    }

    /// The partial tiles of the tree as far as it has been followed.
    pub(crate) fn partial_tiles(&self) -> impl Iterator<Item = (Tile, &[u8])> {
        self.edge.partial_tiles()
    }

    fn append(
        &mut self,
        bundle: Bundle,
        bytes: &[u8],
        tiles: &mut Vec<(Tile, Vec<u8>)>,
    ) -> Result<(), GrowthError> {
        let start = bundle.index() * WIDTH;
        let entries = bundle.entries(bytes).map_err(|_| GrowthError::Bundle { bundle })?;
        let known = self.known_leaves();
        for (entry, index) in entries.into_iter().zip(start..) {
            if entry.len() != ENTRY_BYTES || entry.first() != Some(&ENTRY_KIND) {
                return Err(GrowthError::Form { index });
            }
            let leaf = leaf_hash(entry);
            // A bundle that had begun is served anew, with the entries that are known.
            match usize::try_from(index - start).ok().and_then(|position| known.get(position)) {
                Some(known) if *known == leaf => {}
                Some(_) => return Err(GrowthError::Leaf { index }),
                None => tiles.extend(self.edge.append(leaf)),
            }
        }
        Ok(())
    }

    /// The leaves of the tile that has begun.
    fn known_leaves(&self) -> Vec<Hash> {
        let begun = self.edge.partial_tiles().find(|(tile, _)| tile.level() == 0);
        begun.map(|(_, bytes)| bytes.as_chunks().0.to_vec()).unwrap_or_default()
    }
}

/// The first place where two tiles differ, as the index of the leaf or subtree.
pub(crate) fn first_difference(made: &[u8], served: &[u8]) -> u64 {
    let (made, _) = made.as_chunks::<32>();
    let (served, _) = served.as_chunks::<32>();
    (0..)
        .zip(made.iter())
        .find(|(place, hash)| usize::try_from(*place).ok().and_then(|place| served.get(place)) != Some(*hash))
        .map_or(0, |(place, _)| place)
}
