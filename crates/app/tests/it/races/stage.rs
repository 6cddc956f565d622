//! Where use cases meet: a world that is made once and copied for every schedule.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tempfile::TempDir;
use tenure_app::doctor::Thoroughness;
use tenure_app::{Entropy, Error, HoldScope, OpenedStore, SweepOptions, Swept, Tenure, open_store};
use tenure_model::Instant;
use tenure_store::{
    AccountKey, BatchStage, CopyKey, CopyStage, ReadTx, RecordId, SqliteStore, Store, StoreError,
    StoreExt as _,
};
use tenure_vault::{LogKeys, Vault};

use super::ports::{StoppingStore, Watch, stopping_vault};
use super::turns::drawn;
use crate::world::World;

struct Drawn(AtomicU64);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            let mut state = self.0.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x2545_f491_4f6c_dd1d);
            *byte = drawn(&mut state).to_be_bytes()[0];
        }
        Ok(())
    }
}

/// Random bytes from a seed.
pub(crate) fn entropy(seed: u64) -> Arc<dyn Entropy> {
    Arc::new(Drawn(AtomicU64::new(seed << 40)))
}

/// A folder in memory where there is one: a thousand copies of a world cost a disk too much.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    // A key folder that others can read is refused.
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A world at rest, of which copies are made.
pub(crate) struct Ground {
    folder: TempDir,
    journalled: bool,
}

impl Ground {
    pub(crate) fn of(world: World) -> Self {
        let ground = folder();
        let World { folder, store, tenure } = world;
        drop((store, tenure));
        copy(folder.path(), ground.path());
        Self { folder: ground, journalled: false }
    }

    /// The same of a world whose store has a journal.
    pub(crate) fn journalled(world: World) -> Self {
        Self { journalled: true, ..Self::of(world) }
    }

    pub(crate) fn stage(&self) -> Stage {
        let folder = folder();
        copy(self.folder.path(), folder.path());
        Stage::open(folder, self.journalled)
    }
}

/// One copy of a world, opened.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tenure: Tenure,
    pub(crate) watch: Arc<Watch>,
    /// What the store was opened with, where it has a journal.
    pub(crate) opened: Option<OpenedStore>,
    vault: Arc<Vault>,
}

impl Stage {
    pub(crate) fn open(folder: TempDir, journalled: bool) -> Self {
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        let database = data.join("tenure.db");
        let watch = Arc::new(Watch::default());
        let vault = Arc::new(stopping_vault(&data, &keys, &watch));
        let opened = journalled.then(|| open_store(&database, &keys).unwrap());
        let inner: Arc<dyn Store> = match &opened {
            Some(opened) => Arc::<SqliteStore>::clone(&opened.store),
            None => Arc::new(SqliteStore::open(&database).unwrap()),
        };
        let store: Arc<dyn Store> = Arc::new(StoppingStore { inner, watch: Arc::clone(&watch) });
        let tenure = tenure(&folder, &store, &vault, 1);
        tenure.alone().unwrap();
        watch.add(Box::new(held_copies()));
        Self { folder, store, tenure, watch, opened, vault }
    }

    /// Another process over the same store and vault.
    pub(crate) fn other(&self, seed: u64) -> Tenure {
        tenure(&self.folder, &self.store, &self.vault, seed)
    }

    pub(crate) fn account(&self, account: &str) -> AccountKey {
        self.tenure.account(account).unwrap().key
    }

    pub(crate) fn record(&self, account: &str) -> RecordId {
        let key = self.account(account);
        self.store.read(|tx| tx.records_of(key, None, 1)).unwrap()[0].id
    }

    /// The stage of an account's first copy of a class.
    pub(crate) fn copy(&self, account: &str, class: &str) -> CopyStage {
        let (account, record) = (self.account(account), self.record(account));
        let read = |tx: &mut dyn ReadTx| {
            let classes = tx.classes()?;
            let class = classes.iter().find(|(_, name)| name == class).unwrap().0;
            tx.copy(CopyKey { account, record, class })
        };
        self.store.read(read).unwrap().unwrap().state.stage()
    }

    /// Finishes whatever was left, sweeps until an instant, and holds everything to the rules.
    pub(crate) fn settle(&self, now: Instant, end: Instant) {
        let after = self.other(1_000);
        after.alone().unwrap();
        after.resume().unwrap();
        after.finish_runs(now).unwrap();
        sweep(&after, now).unwrap();
        self.assert_sound();
        // What was to be kept for a while may go by now.
        self.watch.relax();
        // A batch may have to wait for the packs of another.
        for _ in 0..2 {
            sweep(&after, end).unwrap();
        }
        self.assert_sound();
        let left = after.inventory(end).unwrap().into_iter().find(|copy| {
            copy.destroyed_at.is_none() && !copy.held && copy.due_at.is_some_and(|due| due <= end)
        });
        assert!(left.is_none(), "a copy stays that nothing keeps: {left:?}");
    }

    pub(crate) fn assert_sound(&self) {
        let verified = self.tenure.verify_ledger(1, &|_, _, _| {}).unwrap();
        assert!(verified.is_sound(), "{:?}", verified.faults);
        let how = Thoroughness { full: true, repair: false };
        let found = self.tenure.examine(how, &mut |_, _, _| {}).unwrap().findings;
        assert!(found.is_empty(), "{found:?}");
    }
}

fn tenure(folder: &TempDir, store: &Arc<dyn Store>, vault: &Arc<Vault>, seed: u64) -> Tenure {
    let keys = LogKeys::open(&folder.path().join("keys")).unwrap();
    let tenure = Tenure::new(Arc::clone(store), Arc::clone(vault), keys, entropy(seed));
    tenure.policies().unwrap();
    tenure
}

pub(crate) fn sweep(tenure: &Tenure, now: Instant) -> Result<Swept, Error> {
    tenure.sweep(now, SweepOptions::everything(now), &mut |_| {})
}

/// Copies of which the key is about to be destroyed, each told once.
pub(crate) fn condemned() -> impl FnMut(&mut dyn ReadTx) -> Result<Vec<CopyKey>, StoreError> + Send {
    let mut known = std::collections::HashSet::new();
    move |tx| {
        let mut fresh = Vec::new();
        for batch in tx.unfinished_batches()? {
            if matches!(batch.stage, BatchStage::Shredding { .. }) {
                let copies = tx.copies_of_batch(batch.id, None, 1_000)?;
                fresh.extend(copies.iter().map(|copy| copy.key).filter(|key| known.insert(*key)));
            }
        }
        Ok(fresh)
    }
}

/// No copy may pass the point of no return in a transaction that sees a hold which covers it.
fn held_copies() -> impl FnMut(&mut dyn ReadTx) -> Result<Vec<String>, StoreError> + Send {
    let mut condemned = condemned();
    move |tx| {
        let mut wrong = Vec::new();
        for key in condemned(tx)? {
            let account = tx.account(key.account)?.unwrap().id;
            let class = tx.classes()?.into_iter().find(|(id, _)| *id == key.class).unwrap().1;
            for hold in tx.holds()?.into_iter().filter(|hold| hold.released_at.is_none()) {
                let scope: HoldScope = serde_json::from_str(&hold.scope).unwrap();
                let names = scope.accounts.as_ref().is_none_or(|accounts| accounts.contains(&account));
                if names && scope.classes.contains(&class) {
                    wrong.push(format!("{class} of {account} was condemned under hold {}", hold.id));
                }
            }
        }
        Ok(wrong)
    }
}
