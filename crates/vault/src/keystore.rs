//! The key store of the embedded default: a folder of encrypted bundles beside the data folder.
//!
//! The bundles are sealed under a root key. It lies in the folder, or in a remote store that wraps it; all
//! else is the same.

mod cache;
mod folder;
#[cfg(all(feature = "transit", any(test, feature = "faults")))]
pub mod openbao;
mod root;
mod rotation;
pub(crate) mod sealed;
mod seen;
#[cfg(feature = "transit")]
mod transit;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use cache::Cache;
use folder::bundle_name;
use seen::Seen;

use crate::bundle::{self, Bundle};
use crate::error::KeyError;
use crate::files::Change;
use crate::ids::PageId;
use crate::keylog::Kind;
use crate::keys::{IdentityKey, Secret};
use crate::page::{Ageing, AgeingOut, KeyStore, PageFound, PageKey, RootHome, RootInForce, Tree};

pub(crate) use folder::{KeyFolder, NewKeyFolder, ROOT_FILE, read_private};
pub(crate) use root::{Custody, Root, RootFile, Roots, fingerprint, read as read_roots};
pub use root::{KeyAccess, NewRoot};
#[cfg(feature = "transit")]
pub use transit::TransitServer;

/// Page keys in a folder of their own, up to 1024 to a file, each file encrypted under the root key.
///
/// To destroy pages is to rewrite their bundles without them. The earlier file is overwritten as far
/// as the disk allows; whoever has its blocks all the same needs the root key as well, which is why
/// the root is to be rotated and its earlier versions destroyed.
#[derive(Debug)]
pub struct FileKeyStore {
    folder: KeyFolder,
    custody: Box<dyn Custody>,
    /// Held while the folder is written or looked through. Keys are read without it.
    writing: Mutex<Writing>,
    /// Held by whoever replaces the root.
    rotating: Mutex<()>,
    cache: RwLock<Cache>,
}

/// What those who write need to know.
#[derive(Debug)]
struct Writing {
    roots: Roots,
    /// Says how the root in force is had.
    file: RootFile,
    /// Under which root the folder says that pages were last destroyed.
    ageing: Option<u32>,
    /// What was read of the folder when absence was last proved.
    seen: Seen,
}

impl FileKeyStore {
    /// Writes the root key into a claimed folder. From here on the folder holds a vault.
    pub(crate) fn create(new: NewKeyFolder) -> Result<Self, KeyError> {
        let NewKeyFolder { folder, custody, root, file } = new;
        let (name, content) = (ROOT_FILE.to_owned(), file.to_bytes());
        folder.apply(&[Change::Write { name, content }])?;
        let writing = Writing { roots: Roots::only(root), file, ageing: None, seen: Seen::default() };
        Ok(Self::of(folder, custody, writing, Cache::default()))
    }

    /// Opens the folder of an existing vault and reads its page keys. A replacement of the root that broke
    /// off is finished.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        Self::open_with(folder, &KeyAccess::default())
    }

    /// The same, with a root key that is reached as said.
    pub fn open_with(folder: &Path, access: &KeyAccess) -> Result<Self, KeyError> {
        let folder = KeyFolder::claim(folder)?;
        let found = root::read(&folder.path, access)?;
        let cache = Cache::new(folder.read_bundles(&found.roots)?);
        let writing =
            Writing { roots: found.roots, file: found.file, ageing: folder.ageing()?, seen: Seen::default() };
        let store = Self::of(folder, found.custody, writing, cache);
        if found.unfinished {
            store.finish_rotation()?;
        }
        Ok(store)
    }

    fn of(folder: KeyFolder, custody: Box<dyn Custody>, writing: Writing, cache: Cache) -> Self {
        let (writing, cache) = (Mutex::new(writing), RwLock::new(cache));
        Self { folder, custody, writing, rotating: Mutex::default(), cache }
    }

    /// The key by which content is recognised, which lies in the same folder.
    pub fn identity(&self) -> Result<IdentityKey, KeyError> {
        self.folder.identity(&self.writing().roots)
    }

    /// Writes the bundles, and only then takes them over: after a failure memory still has what was
    /// there before, so that the same call, repeated, does all of its work again.
    fn commit(
        &self,
        writing: &Writing,
        first: Option<Change>,
        changed: BTreeMap<u64, Bundle>,
    ) -> Result<(), KeyError> {
        self.folder.check_in_place()?;
        if changed.is_empty() {
            return Ok(());
        }
        let mut writes = Vec::with_capacity(changed.len() + 1);
        writes.extend(first);
        for (number, bundle) in &changed {
            let name = bundle_name(*number);
            writes.push(if bundle.keys.is_empty() {
                Change::Remove { name }
            } else {
                let content = bundle::seal(writing.roots.newest(), *number, bundle)?.into();
                Change::Write { name, content }
            });
        }
        self.folder.apply(&writes)?;
        self.cache_mut().replace(changed);
        Ok(())
    }

    // A panic elsewhere leaves what these guard as it was or as the folder is, never between the two.
    fn writing(&self) -> MutexGuard<'_, Writing> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache_mut(&self) -> RwLockWriteGuard<'_, Cache> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for FileKeyStore {
    fn create(&self, tree: Tree, count: usize) -> Result<Vec<PageId>, KeyError> {
        let mut pages = Vec::with_capacity(count);
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            let page = PageId::random()?;
            keys.push((page, PageKey::new(tree, Secret::random(Kind::Page)?)));
            pages.push(page);
        }
        if !pages.is_empty() {
            let writing = self.writing();
            let changed = self.cache().with_added(tree, keys);
            self.commit(&writing, None, changed)?;
        }
        Ok(pages)
    }

    fn key(&self, page: PageId) -> Result<PageKey, KeyError> {
        self.cache().key(page).cloned().ok_or(KeyError::Unknown(page))
    }

    fn destroy(&self, pages: &[PageId]) -> Result<(), KeyError> {
        let mut writing = self.writing();
        let changed = self.cache().without(pages);
        let version = writing.roots.newest().version();
        let ages = (writing.ageing != Some(version)).then(|| folder::ageing_since(version));
        let any = !changed.is_empty();
        self.commit(&writing, ages, changed)?;
        if any {
            writing.ageing = Some(version);
        }
        Ok(())
    }

    fn pages(&self) -> Result<Vec<PageFound>, KeyError> {
        // The guard keeps another thread from changing the folder while it is read.
        let writing = self.writing();
        self.folder.check_in_place()?;
        let bundles = self.folder.read_bundles(&writing.roots)?;
        drop(writing);
        let found = |bundle: &Bundle| {
            let tree = bundle.tree;
            bundle.keys.keys().map(|page| PageFound { page: *page, tree }).collect::<Vec<_>>()
        };
        Ok(bundles.values().flat_map(found).collect())
    }

    fn absent(&self, pages: &[PageId]) -> Result<Vec<bool>, KeyError> {
        let mut writing = self.writing();
        self.folder.check_in_place()?;
        let Writing { roots, seen, .. } = &mut *writing;
        seen.refresh(&self.folder, roots)?;
        Ok(pages.iter().map(|page| !seen.holds(page)).collect())
    }

    fn rotate_root(&self) -> Result<RootInForce, KeyError> {
        self.replace_root()?;
        self.root()
    }

    fn root(&self) -> Result<RootInForce, KeyError> {
        let writing = self.writing();
        let home = match &writing.file {
            RootFile::Plain { .. } => RootHome::Folder,
            RootFile::Wrapped { wrapped, .. } => {
                RootHome::Transit { mount: wrapped.mount.clone(), key: wrapped.key.clone() }
            }
        };
        Ok(RootInForce { version: writing.roots.newest().version(), home })
    }

    fn ageing_out(&self) -> Result<Vec<AgeingOut>, KeyError> {
        let writing = self.writing();
        self.folder.check_in_place()?;
        let mut ageing = Vec::new();
        if self.folder.ageing()?.is_some() {
            ageing.push(AgeingOut { what: Ageing::SavedBundles, until: None });
        }
        if read_private(&self.folder.path, folder::NEXT_FILE)?.is_some() {
            ageing.push(AgeingOut { what: Ageing::EarlierRoot, until: None });
        }
        drop(writing);
        Ok(ageing)
    }
}

#[cfg(test)]
mod tests;
