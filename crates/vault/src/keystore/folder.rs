//! The key folder: who may use it, and the files in it.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::root::{Custody, FIRST_VERSION, NewRoot, Root, RootFile, Roots};
use super::sealed::{self, STANDING};
use crate::bundle::{self, Bundle};
use crate::error::KeyError;
use crate::files::{self, Change};
use crate::keylog::Kind;
use crate::keys::{IdentityKey, Secret};

const LOCK_FILE: &str = "lock";
pub(crate) const ROOT_FILE: &str = "root.key";
pub(crate) const NEXT_FILE: &str = "root.next";
pub(crate) const IDENTITY_FILE: &str = "identity.key";
/// Says under which root a page was last destroyed.
const AGEING_FILE: &str = "ageing";
const BUNDLE_ENDING: &str = ".bundle";

/// A key folder that no other process has open.
#[derive(Debug)]
pub(crate) struct KeyFolder {
    pub(super) path: PathBuf,
    /// Held for as long as the folder is in use; the system releases it when a process dies.
    _lock: File,
}

/// A folder that becomes that of a new vault.
#[derive(Debug)]
pub(crate) struct NewKeyFolder {
    pub(super) folder: KeyFolder,
    pub(super) custody: Box<dyn Custody>,
    pub(super) root: Root,
    pub(super) file: RootFile,
}

impl NewKeyFolder {
    /// Makes the key by which content is recognised. Beside a root that lies in the folder it gains nothing
    /// by being sealed, and beside one that lies elsewhere it is.
    pub(crate) fn create_identity(&self) -> Result<IdentityKey, KeyError> {
        let secret = Secret::random(Kind::Standing)?;
        let content = match &self.file {
            RootFile::Plain { .. } => Zeroizing::new(secret.as_bytes().to_vec()),
            RootFile::Wrapped { .. } => STANDING.seal(&self.root, IDENTITY_FILE, secret.as_bytes())?.into(),
        };
        self.folder.apply(&[Change::Write { name: IDENTITY_FILE.to_owned(), content }])?;
        Ok(IdentityKey::new(&secret))
    }
}

impl KeyFolder {
    /// Makes and locks a folder for a new vault, and makes its root key.
    ///
    /// The root key is written last of all, so a creation that broke off may be begun again; but page
    /// keys without a root key are somebody's loss, and are never built upon.
    pub(crate) fn claim_new(path: &Path, root: &NewRoot) -> Result<NewKeyFolder, KeyError> {
        files::make_private_folder(path).map_err(KeyError::from_io("make the key folder"))?;
        let folder = Self::lock(path)?;
        let root_there =
            fs::exists(folder.path.join(ROOT_FILE)).map_err(KeyError::from_io("look for the root key"))?;
        if root_there || !folder.bundle_numbers()?.is_empty() {
            return Err(KeyError::AlreadyThere);
        }
        let custody = root.custody()?;
        let (root, file) = custody.make(FIRST_VERSION)?;
        Ok(NewKeyFolder { folder, custody, root, file })
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

    pub(crate) fn identity(&self, roots: &Roots) -> Result<IdentityKey, KeyError> {
        let file = read_private(&self.path, IDENTITY_FILE)?.ok_or(KeyError::Missing(IDENTITY_FILE))?;
        if let Some(secret) = Secret::from_slice(&file) {
            return Ok(IdentityKey::new(&secret));
        }
        let opened = STANDING.open(roots, IDENTITY_FILE, &file)?;
        let secret = Secret::from_slice(&opened).ok_or(KeyError::RootDamaged(IDENTITY_FILE))?;
        Ok(IdentityKey::new(&secret))
    }

    /// Fails unless the folder is still where it was: an empty one in its place, as after an unmount,
    /// holds no page either, and that would be taken for destruction.
    pub(super) fn check_in_place(&self) -> Result<(), KeyError> {
        match fs::exists(self.path.join(ROOT_FILE)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(KeyError::Missing(ROOT_FILE)),
            Err(error) => Err(KeyError::from_io("look for the root key")(error)),
        }
    }

    pub(super) fn apply(&self, changes: &[Change]) -> Result<(), KeyError> {
        files::apply(&self.path, changes).map_err(KeyError::from_io("write to the key folder"))
    }

    /// Puts a root key in the place of another, whose bytes are overwritten even if a crash comes between.
    pub(super) fn supersede(&self, name: &str, content: &[u8]) -> Result<(), KeyError> {
        files::supersede(&self.path, name, content).map_err(KeyError::from_io("replace the root key"))
    }

    /// The names of all files. What lies in folders below has keys of its own.
    pub(super) fn names(&self) -> Result<Vec<String>, KeyError> {
        let read = || {
            let mut names = Vec::new();
            for entry in fs::read_dir(&self.path)? {
                let entry = entry?;
                if entry.file_type()?.is_file() {
                    names.extend(entry.file_name().into_string());
                }
            }
            Ok(names)
        };
        read().map_err(KeyError::from_io("list the key folder"))
    }

    /// A file's content, if it is there.
    pub(super) fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
        match fs::read(self.path.join(name)) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(KeyError::from_io("read the key folder")(error)),
        }
    }

    pub(super) fn bundle_numbers(&self) -> Result<Vec<u64>, KeyError> {
        Ok(self.names()?.iter().filter_map(|name| bundle_number(name)).collect())
    }

    pub(super) fn read_bundles(&self, roots: &Roots) -> Result<BTreeMap<u64, Bundle>, KeyError> {
        let mut bundles = BTreeMap::new();
        for number in self.bundle_numbers()? {
            let file = fs::read(self.path.join(bundle_name(number)))
                .map_err(KeyError::from_io("read a key bundle"))?;
            bundles.insert(number, bundle::open(roots, number, &file)?);
        }
        Ok(bundles)
    }

    /// Under which root pages were last destroyed, if a copy of what they lay in may still be opened.
    pub(super) fn ageing(&self) -> Result<Option<u32>, KeyError> {
        let file = self.read(AGEING_FILE)?;
        let version = |bytes: Zeroizing<Vec<u8>>| str::from_utf8(&bytes).ok()?.trim().parse().ok();
        file.map(|bytes| version(bytes).ok_or(KeyError::RootDamaged(AGEING_FILE))).transpose()
    }
}

/// Says that pages are destroyed under this root.
pub(super) fn ageing_since(version: u32) -> Change {
    Change::Write { name: AGEING_FILE.to_owned(), content: format!("{version}\n").into_bytes().into() }
}

pub(super) fn nothing_ages() -> Change {
    Change::Remove { name: AGEING_FILE.to_owned() }
}

/// A file of the folder, sealed anew under the newest root; none if it is so already, or is not sealed.
pub(super) fn resealed(
    roots: &Roots,
    name: &str,
    file: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    if let Some(number) = bundle_number(name) {
        if bundle::version(file) == Some(roots.newest().version()) {
            return Ok(None);
        }
        let opened = bundle::open(roots, number, file)?;
        return Ok(Some(bundle::seal(roots.newest(), number, &opened)?.into()));
    }
    let Some(form) = sealed::form_of(name, file) else { return Ok(None) };
    if form.version(file) == Some(roots.newest().version()) {
        return Ok(None);
    }
    let opened = form.open(roots, name, file)?;
    Ok(Some(form.seal(roots.newest(), name, &opened)?.into()))
}

/// Fails unless a file, if it is a sealed one, opens under the newest root.
pub(super) fn check_sealed(roots: &Roots, name: &str, file: &[u8]) -> Result<(), KeyError> {
    let newest = roots.newest().version();
    if let Some(number) = bundle_number(name) {
        bundle::open(roots, number, file)?;
        return if bundle::version(file) == Some(newest) { Ok(()) } else { Err(KeyError::Damaged(number)) };
    }
    let Some(form) = sealed::form_of(name, file) else { return Ok(()) };
    form.open(roots, name, file)?;
    if form.version(file) == Some(newest) { Ok(()) } else { Err(KeyError::RootRemains) }
}

pub(super) fn bundle_name(number: u64) -> String {
    format!("{number:016x}{BUNDLE_ENDING}")
}

fn bundle_number(name: &str) -> Option<u64> {
    let number = u64::from_str_radix(name.strip_suffix(BUNDLE_ENDING)?, 16).ok()?;
    (bundle_name(number) == name).then_some(number)
}

/// A file that nobody else may read, if it is there.
pub(crate) fn read_private(
    folder: &Path,
    name: &'static str,
) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let place = folder.join(name);
    let private = match files::is_private(&place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(KeyError::from_io("read the key folder"))?,
    };
    if !private {
        return Err(KeyError::TooOpen(name));
    }
    match fs::read(&place) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        // It went between the two looks.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(KeyError::from_io("read the key folder")(error)),
    }
}
