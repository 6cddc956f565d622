//! Stores that note where time goes: in the jobs of the writer, in reads, in the key store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Clock};

use tenure_store::{Digest, Finding, ReadTx, Seq, Store, StoreError, Ticket, TreeHead, WriteJob};
use tenure_vault::{
    AgeingOut, FileKeyStore, FolderBodies, KeyError, KeyStore, PageFound, PageId, PageKey, RootInForce, Tree,
    Vault,
};

use crate::Outcome;

/// What was noted: how often something was done and how long it took in all.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    jobs: usize,
    times: BTreeMap<String, (u32, Duration)>,
}

impl Watch {
    /// Forgets all, and counts jobs from the first again.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Noted::default();
    }

    /// Counts jobs from the first again.
    pub fn begin(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).jobs = 0;
    }

    /// Everything noted, by what was done.
    pub fn noted(&self) -> Vec<(String, u32, Duration)> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.times.iter().map(|(what, (count, time))| (what.clone(), *count, *time)).collect()
    }

    fn next_job(&self) -> usize {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.jobs += 1;
        noted.jobs
    }

    fn note<T>(&self, what: &str, work: impl FnOnce() -> T) -> T {
        let begun = Clock::now();
        let done = work();
        let elapsed = begun.elapsed();
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, time) = noted.times.entry(what.to_owned()).or_default();
        *count += 1;
        *time += elapsed;
        done
    }
}

/// A store whose jobs and reads are noted.
pub struct WatchedStore {
    inner: Arc<dyn Store>,
    watch: Watch,
}

impl std::fmt::Debug for WatchedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WatchedStore")
    }
}

impl WatchedStore {
    /// Notes what is done with a store.
    pub fn new(inner: Arc<dyn Store>, watch: Watch) -> Self {
        Self { inner, watch }
    }
}

impl Store for WatchedStore {
    fn submit(&self, mut job: WriteJob) -> Result<Ticket, StoreError> {
        let (watch, number) = (self.watch.clone(), self.watch.next_job());
        self.inner.submit(Box::new(move |tx| watch.note(&format!("transaction {number}"), || job(tx))))
    }

    fn snapshot(&self, job: &mut dyn FnMut(&mut dyn ReadTx)) -> Result<(), StoreError> {
        self.watch.note("reads", || self.inner.snapshot(job))
    }

    fn head(&self) -> TreeHead {
        self.inner.head()
    }

    fn prove_inclusion(&self, leaf: Seq, size: u64) -> Result<Vec<Digest>, StoreError> {
        self.inner.prove_inclusion(leaf, size)
    }

    fn copy_to(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        self.inner.copy_to(file, progress)
    }

    fn scrub(&self) -> Result<bool, StoreError> {
        self.watch.note("scrub", || self.inner.scrub())
    }

    fn integrity(&self) -> Result<Vec<Finding>, StoreError> {
        self.inner.integrity()
    }
}

/// A key store whose durable steps are noted.
#[derive(Debug)]
struct WatchedKeys {
    inner: FileKeyStore,
    watch: Watch,
}

impl KeyStore for WatchedKeys {
    fn create(&self, tree: Tree, count: usize) -> Result<Vec<PageId>, KeyError> {
        self.watch.note("keys: made", || self.inner.create(tree, count))
    }

    fn key(&self, page: PageId) -> Result<PageKey, KeyError> {
        self.inner.key(page)
    }

    fn destroy(&self, pages: &[PageId]) -> Result<(), KeyError> {
        self.watch.note("keys: destroyed", || self.inner.destroy(pages))
    }

    fn pages(&self) -> Result<Vec<PageFound>, KeyError> {
        self.inner.pages()
    }

    fn absent(&self, pages: &[PageId]) -> Result<Vec<bool>, KeyError> {
        self.watch.note("keys: proved absent", || self.inner.absent(pages))
    }

    fn rotate_root(&self) -> Result<RootInForce, KeyError> {
        self.inner.rotate_root()
    }

    fn root(&self) -> Result<RootInForce, KeyError> {
        self.inner.root()
    }

    fn ageing_out(&self) -> Result<Vec<AgeingOut>, KeyError> {
        self.inner.ageing_out()
    }
}

/// The vault in two folders, which must be there, with a key store that is noted.
pub fn vault(data: &Path, keys: &Path, watch: &Watch) -> Outcome<Vault> {
    let inner = FileKeyStore::open(keys)?;
    let identity = inner.identity()?;
    let bodies = FolderBodies::open(&data.join("packs"), &identity)?;
    let keys = WatchedKeys { inner, watch: watch.clone() };
    Ok(Vault::from_parts(Box::new(keys), Box::new(bodies), identity))
}
