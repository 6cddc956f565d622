//! Someone who keeps every receipt and every signed checkpoint that was ever given out, and holds the log to
//! all of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tenure_app::{Entropy, Error, PublicLog, Tenure};
use tenure_model::Instant;
use tenure_receipts::{Receipt, commit, leaf};
use tenure_store::{Seq, Store, StoreExt as _};
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::merkle::{prove_consistency, prove_inclusion};
use tenure_tlog::note::Verifier;
use tenure_tlog::tile::{Resource, Tile, TileHashReader, TileReader};
use tenure_tlog::{Hash, verify_consistency, verify_inclusion};
use tenure_vault::{LogKeys, Vault};

use crate::world::World;

/// Random enough, for many threads, and another sequence for each process that opens a folder.
pub(crate) struct Drawn(AtomicU64);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            let mut drawn = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(drawn ^ (drawn >> 31)).to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// What lies in a folder, opened with this store and this vault.
pub(crate) fn opened(folder: &Path, store: Arc<dyn Store>, vault: Vault, seed: u64) -> Tenure {
    let keys = LogKeys::open(&folder.join("keys")).unwrap();
    let drawn = Arc::new(Drawn(seed.wrapping_mul(0x1_0000_0001).into()));
    let tenure = Tenure::new(store, Arc::new(vault), keys, drawn);
    tenure.alone().unwrap();
    tenure
}

/// The tiles that the log serves.
struct Served(PublicLog);

impl TileReader for Served {
    type Error = Error;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Error> {
        tiles.iter().map(|tile| Ok(self.0.resource(Resource::Tile(*tile))?.unwrap_or_default())).collect()
    }
}

#[derive(Clone, Default)]
pub(crate) struct Auditor {
    pub(crate) receipts: Vec<Receipt>,
    checkpoints: Vec<SignedCheckpoint>,
}

impl Auditor {
    pub(crate) fn hear(&mut self, receipts: impl IntoIterator<Item = Receipt>) {
        self.receipts.extend(receipts);
    }

    pub(crate) fn see(&mut self, checkpoint: SignedCheckpoint) {
        self.checkpoints.push(checkpoint);
    }

    /// Holds a log to all that was ever given out of it.
    pub(crate) fn audit(&mut self, world: &World, now: Instant) {
        let log = PublicLog::of(Arc::clone(&world.store)).unwrap();
        self.checkpoints.extend(log.checkpoint().unwrap());
        let newest = (*world.tenure.publish_checkpoint(now).unwrap()).clone();
        assert_eq!(log.checkpoint().unwrap().as_ref(), Some(&newest));
        self.see(newest.clone());
        // Also those that were retired since something was given out.
        let keys = world.tenure.log_keys();
        let verifiers: Vec<_> =
            keys.iter().map(|known| tenure_tlog::crypto::verifier(&known.key).unwrap()).collect();
        let verifiers: Vec<&dyn Verifier> = verifiers.iter().map(|known| &**known as _).collect();
        for receipt in &self.receipts {
            receipt.verify(log.origin(), &verifiers).unwrap();
        }
        let given = self.receipts.iter().map(|receipt| &receipt.proof().checkpoint);
        let given: Vec<&Checkpoint> =
            given.chain(&self.checkpoints).map(SignedCheckpoint::checkpoint).collect();
        for seen in &self.checkpoints {
            seen.verify(log.origin(), &verifiers).unwrap();
        }
        let tiles = Served(log);
        roots_are_of_one_log(&given, newest.checkpoint(), &tiles);
        self.leaves_are_there(world, newest.checkpoint(), &tiles);
        let verified = world.tenure.verify_ledger(2, &|_, _, _| {}).unwrap();
        assert_eq!(verified.faults, []);
        assert_eq!(verified.checkpoint, Some(newest.checkpoint().size()));
        world.integrity();
    }

    /// Whether what was acknowledged is in the log as it is now, and in the store.
    fn leaves_are_there(&self, world: &World, newest: &Checkpoint, tiles: &Served) {
        let hashes = TileHashReader::new(newest.size(), tiles);
        for receipt in &self.receipts {
            let commitment =
                commit(receipt.opening(), receipt.subject(), receipt.link(), receipt.statement());
            let (index, leaf) = (receipt.proof().index, leaf(&commitment));
            let path = prove_inclusion(index, newest.size(), &hashes).unwrap();
            assert!(verify_inclusion(index, newest.size(), &leaf, &path, newest.root()), "leaf {index}");
            let row = world.store.read(|tx| tx.statement(Seq(i64::try_from(index).unwrap()))).unwrap();
            let statement = row.unwrap().statement;
            assert_eq!((statement.commitment, statement.version), (commitment, receipt.link().version));
        }
    }
}

/// Whether all that was signed is of one log that only grew.
fn roots_are_of_one_log(given: &[&Checkpoint], newest: &Checkpoint, tiles: &Served) {
    let mut roots: BTreeMap<u64, Hash> = BTreeMap::new();
    for checkpoint in given {
        let root = *roots.entry(checkpoint.size()).or_insert(*checkpoint.root());
        assert_eq!(&root, checkpoint.root(), "two roots of {} leaves were signed", checkpoint.size());
    }
    for (old, root) in roots {
        let hashes = TileHashReader::new(newest.size(), tiles);
        let proof = prove_consistency(old, newest.size(), &hashes).unwrap();
        let holds = verify_consistency(old, newest.size(), &proof, &root, newest.root());
        assert!(holds, "what was signed of {old} leaves is no beginning of the log");
    }
}
