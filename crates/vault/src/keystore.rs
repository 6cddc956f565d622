//! The key store of the embedded default: a folder of encrypted bundles beside the data folder.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use zeroize::Zeroizing;

use crate::bundle::{BUNDLE_PAGES_MAX, Bundle, Root};
use crate::error::KeyError;
use crate::files::{self, Change};
use crate::ids::PageId;
use crate::keys::{IdentityKey, Secret};
use crate::page::{KeyStore, PageFound, PageKey, Tree};

const LOCK_FILE: &str = "lock";
const ROOT_FILE: &str = "root.key";
const IDENTITY_FILE: &str = "identity.key";
const BUNDLE_ENDING: &str = ".bundle";

/// A key folder that no other process has open.
#[derive(Debug)]
pub(crate) struct KeyFolder {
    path: PathBuf,
    /// Held for as long as the folder is in use; the system releases it when a process dies.
    _lock: File,
}

impl KeyFolder {
    /// Makes and locks a folder for a new vault.
    ///
    /// The root key is written last of all, so a creation that broke off may be begun again; but page
    /// keys without a root key are somebody's loss, and are never built upon.
    pub(crate) fn claim_new(path: &Path) -> Result<Self, KeyError> {
        files::make_private_folder(path).map_err(KeyError::from_io("make the key folder"))?;
        let folder = Self::lock(path)?;
        let root_there =
            fs::exists(folder.path.join(ROOT_FILE)).map_err(KeyError::from_io("look for the root key"))?;
        if root_there || !folder.bundle_numbers()?.is_empty() {
            return Err(KeyError::AlreadyThere);
        }
        Ok(folder)
    }

    /// Locks the folder of an existing vault, and refuses it if others can read it.
    pub(crate) fn claim(path: &Path) -> Result<Self, KeyError> {
        let missing = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => KeyError::Missing(ROOT_FILE),
            kind => KeyError::Unreachable { operation: "look into the key folder", kind },
        };
        if !files::is_private(path).map_err(missing)? {
            return Err(KeyError::TooOpen("."));
        }
        // Checked before the lock file is made, so that opening a wrong folder leaves nothing in it.
        fs::metadata(path.join(ROOT_FILE)).map_err(missing)?;
        Self::lock(path)
    }

    fn lock(path: &Path) -> Result<Self, KeyError> {
        let lock = files::open_private(&path.join(LOCK_FILE))
            .map_err(KeyError::from_io("make the key folder's lock file"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => KeyError::Locked,
            TryLockError::Error(error) => KeyError::from_io("lock the key folder")(error),
        })?;
        files::remove_temporaries(path)
            .map_err(KeyError::from_io("clear the key folder of unfinished files"))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    pub(crate) fn create_identity(&self) -> Result<IdentityKey, KeyError> {
        self.create_secret(IDENTITY_FILE).map(|secret| IdentityKey::new(&secret))
    }

    pub(crate) fn identity(&self) -> Result<IdentityKey, KeyError> {
        self.read_secret(IDENTITY_FILE).map(|secret| IdentityKey::new(&secret))
    }

    fn create_secret(&self, name: &str) -> Result<Secret, KeyError> {
        let secret = Secret::random()?;
        let content = Zeroizing::new(secret.as_bytes().to_vec());
        self.apply(&[Change::Write { name: name.to_owned(), content }])?;
        Ok(secret)
    }

    fn read_secret(&self, name: &'static str) -> Result<Secret, KeyError> {
        let place = self.path.join(name);
        let unreadable = |error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => KeyError::Missing(name),
            kind => KeyError::Unreachable { operation: "read the key folder", kind },
        };
        if !files::is_private(&place).map_err(unreadable)? {
            return Err(KeyError::TooOpen(name));
        }
        let bytes = Zeroizing::new(fs::read(&place).map_err(unreadable)?);
        Secret::from_slice(&bytes).ok_or(KeyError::Missing(name))
    }

    /// Fails unless the folder is still where it was: an empty one in its place, as after an unmount,
    /// holds no page either, and that would be taken for destruction.
    fn check_in_place(&self) -> Result<(), KeyError> {
        match fs::exists(self.path.join(ROOT_FILE)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(KeyError::Missing(ROOT_FILE)),
            Err(error) => Err(KeyError::from_io("look for the root key")(error)),
        }
    }

    fn apply(&self, changes: &[Change]) -> Result<(), KeyError> {
        files::apply(&self.path, changes).map_err(KeyError::from_io("write to the key folder"))
    }

    fn bundle_numbers(&self) -> Result<Vec<u64>, KeyError> {
        let read = || {
            let mut numbers = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                numbers.extend(entry?.file_name().to_str().and_then(bundle_number));
            }
            Ok(numbers)
        };
        read().map_err(KeyError::from_io("list the key folder"))
    }

    fn read_bundles(&self, root: &Root) -> Result<BTreeMap<u64, Bundle>, KeyError> {
        let mut bundles = BTreeMap::new();
        for number in self.bundle_numbers()? {
            let file = fs::read(self.path.join(bundle_name(number)))
                .map_err(KeyError::from_io("read a key bundle"))?;
            bundles.insert(number, root.open(number, &file)?);
        }
        Ok(bundles)
    }
}

fn bundle_name(number: u64) -> String {
    format!("{number:016x}{BUNDLE_ENDING}")
}

fn bundle_number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_suffix(BUNDLE_ENDING)?, 16).ok()?;
    (bundle_name(number) == name).then_some(number)
}

/// What the folder holds, kept in memory.
#[derive(Debug, Default)]
struct Cache {
    bundles: BTreeMap<u64, Bundle>,
    index: HashMap<PageId, u64>,
}

impl Cache {
    fn new(bundles: BTreeMap<u64, Bundle>) -> Self {
        let index = bundles
            .iter()
            .flat_map(|(number, bundle)| bundle.keys.keys().map(|page| (*page, *number)))
            .collect();
        Self { bundles, index }
    }

    fn key(&self, page: PageId) -> Option<&PageKey> {
        self.bundles.get(self.index.get(&page)?)?.keys.get(&page)
    }

    /// Bundles as they are to be with these new keys: the newest of the tree is filled up first.
    fn with_added(&self, tree: Tree, keys: Vec<(PageId, PageKey)>) -> BTreeMap<u64, Bundle> {
        let mut keys = keys.into_iter().peekable();
        let mut changed = BTreeMap::new();
        let newest = self.bundles.iter().rev().find(|(_, bundle)| bundle.tree == tree);
        if let Some((number, bundle)) = newest
            && bundle.keys.len() < BUNDLE_PAGES_MAX
        {
            let mut bundle = bundle.clone();
            let room = BUNDLE_PAGES_MAX - bundle.keys.len();
            bundle.keys.extend(keys.by_ref().take(room));
            changed.insert(*number, bundle);
        }
        let mut next = self.bundles.last_key_value().map_or(0, |(number, _)| number + 1);
        while keys.peek().is_some() {
            let keys = keys.by_ref().take(BUNDLE_PAGES_MAX).collect();
            changed.insert(next, Bundle { tree, keys });
            next += 1;
        }
        changed
    }

    /// Bundles as they are to be without these pages, each of them once.
    fn without(&self, pages: &[PageId]) -> BTreeMap<u64, Bundle> {
        let mut changed: BTreeMap<u64, Bundle> = BTreeMap::new();
        for page in pages {
            let Some(number) = self.index.get(page) else { continue };
            let Some(bundle) = self.bundles.get(number) else { continue };
            changed.entry(*number).or_insert_with(|| bundle.clone()).keys.remove(page);
        }
        changed
    }

    fn replace(&mut self, changed: BTreeMap<u64, Bundle>) {
        for (number, bundle) in changed {
            if let Some(earlier) = self.bundles.remove(&number) {
                for page in earlier.keys.keys() {
                    self.index.remove(page);
                }
            }
            self.index.extend(bundle.keys.keys().map(|page| (*page, number)));
            if !bundle.keys.is_empty() {
                self.bundles.insert(number, bundle);
            }
        }
    }
}

/// Page keys in a folder of their own, up to 1024 to a file, each file encrypted under `root.key`.
///
/// To destroy pages is to rewrite their bundles without them. The earlier file is overwritten as far
/// as the disk allows; whoever has its blocks all the same needs the root key as well, which is why
/// the root is to be rotated and its earlier versions destroyed.
#[derive(Debug)]
pub struct FileKeyStore {
    folder: KeyFolder,
    root: Root,
    cache: RwLock<Cache>,
}

impl FileKeyStore {
    /// Writes a new root key into a claimed folder. From here on the folder holds a vault.
    pub(crate) fn create(folder: KeyFolder) -> Result<Self, KeyError> {
        let root = Root::new(&folder.create_secret(ROOT_FILE)?)?;
        Ok(Self { folder, root, cache: RwLock::default() })
    }

    /// Opens the folder of an existing vault and reads its page keys.
    pub fn open(folder: &Path) -> Result<Self, KeyError> {
        let folder = KeyFolder::claim(folder)?;
        let root = Root::new(&folder.read_secret(ROOT_FILE)?)?;
        let cache = RwLock::new(Cache::new(folder.read_bundles(&root)?));
        Ok(Self { folder, root, cache })
    }

    /// The key by which content is recognised, which lies in the same folder.
    pub fn identity(&self) -> Result<IdentityKey, KeyError> {
        self.folder.identity()
    }

    /// Writes the bundles, and only then takes them over: after a failure memory still has what was
    /// there before, so that the same call, repeated, does all of its work again.
    fn commit(&self, cache: &mut Cache, changed: BTreeMap<u64, Bundle>) -> Result<(), KeyError> {
        self.folder.check_in_place()?;
        if changed.is_empty() {
            return Ok(());
        }
        let mut writes = Vec::with_capacity(changed.len());
        for (number, bundle) in &changed {
            let name = bundle_name(*number);
            writes.push(if bundle.keys.is_empty() {
                Change::Remove { name }
            } else {
                Change::Write { name, content: self.root.seal(*number, bundle)?.into() }
            });
        }
        self.folder.apply(&writes)?;
        cache.replace(changed);
        Ok(())
    }

    // A panic elsewhere leaves the cache as it was or as the folder is, never between the two.
    fn read(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cache> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for FileKeyStore {
    fn create(&self, tree: Tree, count: usize) -> Result<Vec<PageId>, KeyError> {
        let mut pages = Vec::with_capacity(count);
        let mut keys = Vec::with_capacity(count);
        for _ in 0..count {
            let page = PageId::random()?;
            keys.push((page, PageKey::new(tree, Secret::random()?)));
            pages.push(page);
        }
        if !pages.is_empty() {
            let mut cache = self.write();
            let changed = cache.with_added(tree, keys);
            self.commit(&mut cache, changed)?;
        }
        Ok(pages)
    }

    fn key(&self, page: PageId) -> Result<PageKey, KeyError> {
        self.read().key(page).cloned().ok_or(KeyError::Unknown(page))
    }

    fn destroy(&self, pages: &[PageId]) -> Result<(), KeyError> {
        let mut cache = self.write();
        let changed = cache.without(pages);
        self.commit(&mut cache, changed)
    }

    fn pages(&self) -> Result<Vec<PageFound>, KeyError> {
        // The guard keeps another thread from changing the folder while it is read.
        let cache = self.read();
        self.folder.check_in_place()?;
        let bundles = self.folder.read_bundles(&self.root)?;
        drop(cache);
        let found = |bundle: &Bundle| {
            let tree = bundle.tree;
            bundle.keys.keys().map(|page| PageFound { page: *page, tree }).collect::<Vec<_>>()
        };
        Ok(bundles.values().flat_map(found).collect())
    }
}

#[cfg(test)]
#[path = "keystore_tests.rs"]
mod tests;
