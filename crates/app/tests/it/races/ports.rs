//! The ports of Tenure, at which threads stop, and at which it is watched what they do.

use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tenure_store::{Abort, Digest, Finding, ReadTx, Seq, Store, StoreError, Ticket, TreeHead, WriteJob};
use tenure_vault::{
    AgeingOut, BodyError, BodyStore, FileKeyStore, FolderBodies, KeyError, KeyStore, Listing, PackId,
    PageFound, PageId, PageKey, RootInForce, Tree, Vault,
};

use super::turns::stop;

/// Looks at what a job has made of the store, inside its transaction, and says what must not be.
pub(crate) type Look = Box<dyn FnMut(&mut dyn ReadTx) -> Result<Vec<String>, StoreError> + Send>;

/// What is seen of all that threads do, in the order in which it took effect.
#[derive(Default)]
pub(crate) struct Watch {
    looks: Mutex<Vec<Look>>,
    wrong: Mutex<Vec<String>>,
    /// Whether nothing may be destroyed outside the store any more.
    pub(crate) quiet: AtomicBool,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Watch {
    pub(crate) fn add(&self, look: Look) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).push(look);
    }

    /// Has nothing looked at any more but by the first look.
    pub(crate) fn relax(&self) {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner).truncate(1);
    }

    pub(crate) fn blame(&self, what: String) {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    pub(crate) fn wrong(&self) -> Vec<String> {
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn look(&self, tx: &mut dyn ReadTx) {
        for look in &mut *self.looks.lock().unwrap_or_else(PoisonError::into_inner) {
            match look(tx) {
                Ok(found) => found.into_iter().for_each(|found| self.blame(found)),
                Err(error) => self.blame(error.to_string()),
            }
        }
    }

    fn destroyed(&self) {
        if self.quiet.load(Ordering::SeqCst) {
            self.blame("something was destroyed outside the store when nothing might be".to_owned());
        }
    }
}

/// A store before each call of which threads stop.
pub(crate) struct StoppingStore {
    pub(crate) inner: Arc<dyn Store>,
    pub(crate) watch: Arc<Watch>,
}

impl Store for StoppingStore {
    fn submit(&self, mut job: WriteJob) -> Result<Ticket, StoreError> {
        stop("submit");
        let watch = Arc::clone(&self.watch);
        self.inner.submit(Box::new(move |tx| -> Result<(), Abort> {
            job(tx)?;
            watch.look(tx);
            Ok(())
        }))
    }

    fn snapshot(&self, job: &mut dyn FnMut(&mut dyn ReadTx)) -> Result<(), StoreError> {
        stop("snapshot");
        self.inner.snapshot(job)
    }

    fn head(&self) -> TreeHead {
        stop("head");
        self.inner.head()
    }

    fn prove_inclusion(&self, leaf: Seq, size: u64) -> Result<Vec<Digest>, StoreError> {
        self.inner.prove_inclusion(leaf, size)
    }

    fn copy_to(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        stop("copy");
        self.inner.copy_to(file, progress)
    }

    fn scrub(&self) -> Result<bool, StoreError> {
        self.inner.scrub()
    }

    fn integrity(&self) -> Result<Vec<Finding>, StoreError> {
        self.inner.integrity()
    }
}

#[derive(Debug)]
struct StoppingKeys {
    inner: FileKeyStore,
    watch: Arc<Watch>,
}

impl KeyStore for StoppingKeys {
    fn create(&self, tree: Tree, count: usize) -> Result<Vec<PageId>, KeyError> {
        stop("make keys");
        self.inner.create(tree, count)
    }

    fn key(&self, page: PageId) -> Result<PageKey, KeyError> {
        stop("read key");
        self.inner.key(page)
    }

    fn destroy(&self, pages: &[PageId]) -> Result<(), KeyError> {
        stop("destroy keys");
        self.inner.destroy(pages)?;
        self.watch.destroyed();
        Ok(())
    }

    fn pages(&self) -> Result<Vec<PageFound>, KeyError> {
        stop("list keys");
        self.inner.pages()
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

#[derive(Debug)]
struct StoppingBodies {
    inner: FolderBodies,
    watch: Arc<Watch>,
}

impl BodyStore for StoppingBodies {
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        stop("put pack");
        self.inner.put(pack, content)
    }

    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        stop("read pack");
        self.inner.read(pack, ranges)
    }

    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError> {
        stop("remove packs");
        self.inner.remove(packs)?;
        self.watch.destroyed();
        Ok(())
    }

    fn exists(&self, pack: PackId) -> Result<bool, BodyError> {
        self.inner.exists(pack)
    }

    fn list(&self) -> Result<Listing, BodyError> {
        stop("list packs");
        self.inner.list()
    }
}

/// A vault on disk before each call of which threads stop.
pub(crate) fn stopping_vault(data: &Path, keys: &Path, watch: &Arc<Watch>) -> Vault {
    let keys = FileKeyStore::open(keys).unwrap();
    let identity = keys.identity().unwrap();
    let bodies = FolderBodies::open(&data.join("packs"), &identity).unwrap();
    Vault::from_parts(
        Box::new(StoppingKeys { inner: keys, watch: Arc::clone(watch) }),
        Box::new(StoppingBodies { inner: bodies, watch: Arc::clone(watch) }),
        identity,
    )
}
