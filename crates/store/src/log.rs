//! The log: how statements become leaves of a tree, and how its proofs are read.
//!
//! This is the same for every engine. An engine calls its sequencer before each commit, and keeps the nodes
//! that it completed at hand, since receipts ask for those at once.

mod recent;
mod sequencer;

pub(crate) use recent::Recent;
pub(crate) use sequencer::{Growth, Sequencer};

use std::cell::RefCell;

use tenure_tlog::merkle::{ProveError, prove_inclusion};
use tenure_tlog::tile::{Tile, TileError, TileHashReader, TileReader};

use crate::{Digest, ReadTx, Seq, StoreError, Unsound};

/// The tiles of the log in one state of the store.
pub struct Tiles<'t>(RefCell<&'t mut dyn ReadTx>);

impl std::fmt::Debug for Tiles<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tiles")
    }
}

impl<'t> Tiles<'t> {
    /// Reads them through a transaction.
    pub fn new(tx: &'t mut dyn ReadTx) -> Self {
        Self(RefCell::new(tx))
    }

    /// One tile; `None` where the log has none of this width there.
    pub fn tile(&self, tile: Tile) -> Result<Option<Vec<u8>>, StoreError> {
        let mut tx = self.0.borrow_mut();
        let stored = tx.tile(tile.level(), tile.index())?;
        let mut hashes = match stored {
            None if tile.level() == 0 => lowest(&mut **tx, tile)?,
            stored => stored.unwrap_or_default(),
        };
        // An older, narrower tile is the beginning of what it has become.
        hashes.truncate(tile.byte_len());
        Ok((hashes.len() == tile.byte_len()).then_some(hashes))
    }

    /// The path from a leaf to the root of the tree of `size` leaves.
    pub fn prove_inclusion(&self, leaf: Seq, size: u64) -> Result<Vec<Digest>, StoreError> {
        let leaf = u64::try_from(leaf.0).map_err(|_| StoreError::OutOfRange { column: "seq" })?;
        prove_inclusion(leaf, size, &TileHashReader::new(size, self)).map_err(|error| match error {
            ProveError::Read(TileError::Read(error)) => error,
            ProveError::Read(TileError::Length { tile, .. }) => missing(tile),
            _ => StoreError::Missing { table: "statements" },
        })
    }
}

impl TileReader for Tiles<'_> {
    type Error = StoreError;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, StoreError> {
        let read = |tile: &Tile| self.tile(*tile)?.ok_or_else(|| missing(*tile));
        tiles.iter().map(read).collect()
    }
}

/// A tile of the lowest level, from the statements.
fn lowest(tx: &mut (impl crate::LogRead + ?Sized), tile: Tile) -> Result<Vec<u8>, StoreError> {
    let first = tile.index().checked_mul(u64::from(tenure_tlog::tile::FULL_WIDTH));
    let Some(first) = first.and_then(|first| i64::try_from(first).ok()) else { return Ok(Vec::new()) };
    let commitments = tx.commitments(Seq(first), tile.width().into())?;
    Ok(commitments.iter().flat_map(tenure_receipts::leaf).collect())
}

fn missing(tile: Tile) -> StoreError {
    Unsound::Tile { tile: tile.to_string() }.into()
}
