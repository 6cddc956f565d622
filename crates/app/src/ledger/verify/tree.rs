//! The tree: made anew from the statements, and compared with all that is stored and published.

use std::collections::BTreeMap;

use tenure_store::log::Tiles;
use tenure_store::{Digest, ReadTx, Seq, StoreExt as _, TreeHead};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::incremental::TileEdge;
use tenure_tlog::tile::Tile;

use super::{Fault, Found, LedgerCheck, Progress};
use crate::{Error, Tenure};

/// How many leaves are read at once.
const SLICE: usize = 8_192;

impl Tenure {
    /// Verifies the tree, and that it continues every checkpoint that was shown of it.
    pub(super) fn verify_tree(
        &self,
        head: &TreeHead,
        shown: &[SignedCheckpoint],
        found: &Found,
        progress: Progress<'_>,
    ) -> Result<(), Error> {
        let roots = shown.iter().map(|signed| (signed.checkpoint().size(), None)).collect();
        let mut tree = Tree { edge: TileEdge::new(), roots, found };
        tree.note_root();
        while tree.edge.size() < head.size {
            let left = usize::try_from(head.size - tree.edge.size()).unwrap_or(SLICE);
            let complete = self.store.read(|tx| tree.read(tx, left.min(SLICE)))?;
            progress(LedgerCheck::Tree, tree.edge.size(), head.size);
            if !complete {
                found.add(Fault::StatementMissing { leaf: tree.edge.size() });
                return Ok(());
            }
        }
        if tree.edge.root() != head.root {
            found.add(Fault::Root { size: head.size });
        }
        self.store.read(|tx| tree.partial(tx))?;
        for signed in shown {
            self.verify_checkpoint(signed, &tree, head);
        }
        Ok(())
    }

    fn verify_checkpoint(&self, signed: &SignedCheckpoint, tree: &Tree<'_>, head: &TreeHead) {
        if !self.signed_by_log(signed) {
            tree.found.add(Fault::CheckpointSignature);
        }
        let (size, root) = (signed.checkpoint().size(), *signed.checkpoint().root());
        if size > head.size {
            tree.found.add(Fault::RolledBack { size });
        } else if tree.roots.get(&size) != Some(&Some(root)) {
            tree.found.add(Fault::Forked { size });
        }
    }
}

/// The tree as the statements make it.
struct Tree<'f> {
    edge: TileEdge,
    /// The sizes whose roots are wanted, and each root once the tree had that size.
    roots: BTreeMap<u64, Option<Digest>>,
    found: &'f Found,
}

impl Tree<'_> {
    fn note_root(&mut self) {
        if let Some(root) = self.roots.get_mut(&self.edge.size()) {
            *root = Some(self.edge.root());
        }
    }

    /// Reads on; `false` if a statement is missing.
    fn read(&mut self, tx: &mut dyn ReadTx, wanted: usize) -> Result<bool, Error> {
        let next = i64::try_from(self.edge.size()).map_err(|_| Error::NotIntegrated)?;
        let commitments = tx.commitments(Seq(next), wanted)?;
        for commitment in &commitments {
            for (tile, hashes) in self.edge.append(tenure_receipts::leaf(commitment)) {
                self.compare(tile, tx.tile(tile.level(), tile.index())?.as_deref(), &hashes);
            }
            self.note_root();
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
