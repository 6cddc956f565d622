//! The tree: made anew from the statements, and compared with all that is stored and published.

use tenure_store::log::Tiles;
use tenure_store::{Digest, ReadTx, Seq, StoreExt as _, TreeHead};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::incremental::TileEdge;
use tenure_tlog::tile::Tile;

use super::{Fault, Found, LedgerCheck, Progress};
use crate::ledger::public;
use crate::{Error, Tenure};

/// How many leaves are read at once.
const SLICE: usize = 8_192;

impl Tenure {
    /// Verifies the tree, and gives the size of the published checkpoint.
    pub(super) fn verify_tree(
        &self,
        head: &TreeHead,
        found: &Found,
        progress: Progress<'_>,
    ) -> Result<Option<u64>, Error> {
        let published = self.store.read(|tx| public::published(tx))?;
        let size = published.as_ref().map(|signed| signed.checkpoint().size());
        let mut tree = Tree { edge: TileEdge::new(), published: size, then: None, found };
        while tree.edge.size() < head.size {
            let left = usize::try_from(head.size - tree.edge.size()).unwrap_or(SLICE);
            let complete = self.store.read(|tx| tree.read(tx, left.min(SLICE)))?;
            progress(LedgerCheck::Tree, tree.edge.size(), head.size);
            if !complete {
                found.add(Fault::StatementMissing { leaf: tree.edge.size() });
                return Ok(size);
            }
        }
        if tree.edge.root() != head.root {
            found.add(Fault::Root { size: head.size });
        }
        self.store.read(|tx| tree.partial(tx))?;
        if let Some(published) = &published {
            self.verify_checkpoint(published, tree.then, head, found);
        }
        Ok(size)
    }

    fn verify_checkpoint(
        &self,
        published: &SignedCheckpoint,
        root_then: Option<Digest>,
        head: &TreeHead,
        found: &Found,
    ) {
        let checkpoint = published.checkpoint();
        if !self.signed_by_log(published) {
            found.add(Fault::CheckpointSignature);
        }
        let size = checkpoint.size();
        if size > head.size {
            found.add(Fault::RolledBack { size });
        } else if size > 0 && root_then != Some(*checkpoint.root()) {
            found.add(Fault::Forked { size });
        }
    }
}

/// The tree as the statements make it.
struct Tree<'f> {
    edge: TileEdge,
    /// The size whose root is wanted, and the root once the tree had it.
    published: Option<u64>,
    then: Option<Digest>,
    found: &'f Found,
}

impl Tree<'_> {
    /// Reads on; `false` if a statement is missing.
    fn read(&mut self, tx: &mut dyn ReadTx, wanted: usize) -> Result<bool, Error> {
        let next = i64::try_from(self.edge.size()).map_err(|_| Error::NotIntegrated)?;
        let commitments = tx.commitments(Seq(next), wanted)?;
        for commitment in &commitments {
            for (tile, hashes) in self.edge.append(tenure_receipts::leaf(commitment)) {
                self.compare(tile, tx.tile(tile.level(), tile.index())?.as_deref(), &hashes);
            }
            if Some(self.edge.size()) == self.published {
                self.then = Some(self.edge.root());
            }
        }
        Ok(commitments.len() == wanted)
    }

    /// The tiles that are not full yet. The lowest one is not stored.
    fn partial(&self, tx: &mut dyn ReadTx) -> Result<(), Error> {
        let tiles = Tiles::new(tx);
        for (tile, hashes) in self.edge.partial_tiles().filter(|(tile, _)| tile.level() > 0) {
            self.compare(tile, tiles.tile(tile)?.as_deref(), hashes);
        }
        Ok(())
    }

    fn compare(&self, tile: Tile, stored: Option<&[u8]>, expected: &[u8]) {
        if stored != Some(expected) {
            self.found.add(Fault::Tile { tile: tile.to_string() });
        }
    }
}
