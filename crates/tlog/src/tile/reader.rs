//! Hashes of a tree out of its tiles.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Tile;
use crate::merkle::{Hash, HashReader, Node, root};

/// Stored tiles.
pub trait TileReader {
    /// Why tiles could not be read.
    type Error: std::error::Error + 'static;

    /// The bytes of these tiles, in this order.
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Self::Error>;
}

/// Why no hash could be read from tiles.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TileError<E: std::error::Error + 'static> {
    /// The tree has no such whole subtree.
    #[error("a tree of {size} leaves has no node {index} on level {level}")]
    OutsideTree {
        /// The node's level.
        level: u32,
        /// The node's index.
        index: u64,
        /// The size of the tree.
        size: u64,
    },
    /// A tile is not as long as it should be, or is missing from what the reader gave.
    #[error("`{tile}` should be {expected} bytes long and is {found}", expected = tile.byte_len())]
    Length {
        /// The tile.
        tile: Tile,
        /// How long it is.
        found: usize,
    },
    /// The reader failed.
    #[error("the tiles could not be read")]
    Read(#[source] E),
}

/// Reads the hashes of a tree of a given size from its tiles, each tile once for all that is asked.
///
/// It takes the tiles as they come: a proof made from wrong tiles does not verify against a signed root, and
/// that check is the one to rely on.
#[derive(Debug)]
pub struct TileHashReader<'r, R> {
    size: u64,
    tiles: &'r R,
}

impl<'r, R: TileReader> TileHashReader<'r, R> {
    /// Reads from the tiles of a tree of `size` leaves.
    pub fn new(size: u64, tiles: &'r R) -> Self {
        Self { size, tiles }
    }
}

impl<R: TileReader> HashReader for TileHashReader<'_, R> {
    type Error = TileError<R::Error>;

    fn read_hashes(&self, nodes: &[Node]) -> Result<Vec<Hash>, Self::Error> {
        let places = nodes
            .iter()
            .map(|node| {
                let Node { level, index } = *node;
                Tile::of_node(*node, self.size).ok_or(TileError::OutsideTree {
                    level,
                    index,
                    size: self.size,
                })
            })
            .collect::<Result<Vec<_>, _>>()?;
        let mut tiles: Vec<Tile> = places.iter().map(|(tile, _)| *tile).collect();
        tiles.sort_unstable();
        tiles.dedup();
        let read = read(self.tiles, &tiles)?;
        let hashes = places.into_iter().map(|(tile, range)| {
            let stored = read.get(&tile).and_then(|hashes| hashes.get(range));
            stored.map(root).ok_or(TileError::Length { tile, found: 0 })
        });
        hashes.collect()
    }
}

/// The hashes of tiles, each checked for its length.
pub(crate) fn read<R: TileReader>(
    reader: &R,
    tiles: &[Tile],
) -> Result<BTreeMap<Tile, Vec<Hash>>, TileError<R::Error>> {
    let mut bytes = reader.read_tiles(tiles).map_err(TileError::Read)?.into_iter();
    let mut read = BTreeMap::new();
    for tile in tiles {
        let bytes = bytes.next().unwrap_or_default();
        if bytes.len() != tile.byte_len() {
            return Err(TileError::Length { tile: *tile, found: bytes.len() });
        }
        let (hashes, _) = bytes.as_chunks();
        read.insert(*tile, hashes.to_vec());
    }
    Ok(read)
}

/// The whole subtrees that the first hashes of a row make up, widest first.
pub(crate) fn whole_subtrees(width: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let end = start + (1 << (width - start).checked_ilog2()?);
        Some(std::mem::replace(&mut start, end)..end)
    })
}
