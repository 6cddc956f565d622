//! Tiles, as c2sp.org/tlog-tiles describes them: a tree in files that never change.
//!
//! A tile is 256 hashes wide and 8 levels high; only its lowest level is stored. The rightmost tile of a level
//! may be partial. Everything that a log serves is at `checkpoint`, `tile/<L>/<N>[.p/<W>]` or
//! `tile/entries/<N>[.p/<W>]` ([`Resource`]).

mod entries;
mod growth;
mod path;
mod reader;

pub use entries::{Bundle, BundleError, EntryTooLong, push_entry};
pub use growth::{full_bundles, full_tiles, new_tiles, partial_bundle, partial_tiles};
pub use path::{PathError, Resource};
pub use reader::{TileError, TileHashReader, TileReader};
pub(crate) use reader::{read, whole_subtrees};

use std::ops::Range;

use crate::merkle::{Hash, Node};

/// How many hashes a full tile holds, and how many entries a full bundle.
pub const FULL_WIDTH: u16 = 256;
/// The highest level that a path can name.
pub const MAX_LEVEL: u8 = 63;
/// How many levels of the tree one tile covers.
const HEIGHT: u32 = 8;
/// The levels that a tree of up to 2^64 leaves has tiles on.
pub(crate) const LEVELS: Range<u8> = 0..8;

/// Which tile: its level, its place on the level, and how many hashes wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    level: u8,
    index: u64,
    width: u16,
}

impl Tile {
    /// A tile, unless its level is over 63 or its width is not 1 to 256.
    pub fn new(level: u8, index: u64, width: u16) -> Option<Self> {
        (level <= MAX_LEVEL && (1..=FULL_WIDTH).contains(&width)).then_some(Self { level, index, width })
    }

    /// The tile at this place as wide as a tree of `size` leaves makes it; none if it would be empty.
    pub fn in_tree(level: u8, index: u64, size: u64) -> Option<Self> {
        Self::new(level, index, width_within(hashes_on(level, size), index)?)
    }

    /// The tile of a tree of `size` leaves that a node is read from, and which of the tile's hashes lie below
    /// the node (one, if it is stored as it is); none if the node is not whole in that tree.
    pub fn of_node(node: Node, size: u64) -> Option<(Self, Range<usize>)> {
        let level = u8::try_from(node.level / HEIGHT).ok()?;
        let below = node.level % HEIGHT;
        let first = node.index.checked_mul(1 << below)?;
        let tile = Self::in_tree(level, first / u64::from(FULL_WIDTH), size)?;
        let start = usize::try_from(first % u64::from(FULL_WIDTH)).ok()?;
        let end = start + (1 << below);
        (end <= usize::from(tile.width)).then_some((tile, start..end))
    }

    /// The tile whose last hash a node is; none if the node is of a level that no tile stores.
    pub(crate) fn ending_with(node: Node) -> Option<Self> {
        let level = u8::try_from(node.level / HEIGHT).ok().filter(|_| node.level.is_multiple_of(HEIGHT))?;
        let width = u16::try_from(node.index % u64::from(FULL_WIDTH)).ok()? + 1;
        Self::new(level, node.index / u64::from(FULL_WIDTH), width)
    }

    /// The level: the hashes of level L are of 256^L leaves each.
    pub fn level(self) -> u8 {
        self.level
    }

    /// The place on the level, from the left.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many hashes it holds.
    pub fn width(self) -> u16 {
        self.width
    }

    /// Whether it is full: partial tiles are replaced, full ones never change.
    pub fn is_full(self) -> bool {
        self.width == FULL_WIDTH
    }

    /// How many bytes it takes.
    pub fn byte_len(self) -> usize {
        usize::from(self.width) * size_of::<Hash>()
    }

    /// The full tile at the same place, which a log may serve instead of this one.
    #[must_use]
    pub fn to_full(self) -> Self {
        Self { width: FULL_WIDTH, ..self }
    }
}

/// How many hashes a tree of `size` leaves has on a level of tiles.
fn hashes_on(level: u8, size: u64) -> u64 {
    size.checked_shr(HEIGHT * u32::from(level)).unwrap_or(0)
}

/// How much of `total` falls to the part at `index`; none if nothing does.
fn width_within(total: u64, index: u64) -> Option<u16> {
    let start = index.checked_mul(u64::from(FULL_WIDTH))?;
    let left = total.checked_sub(start).filter(|left| *left > 0)?;
    Some(u16::try_from(left).map_or(FULL_WIDTH, |left| left.min(FULL_WIDTH)))
}
