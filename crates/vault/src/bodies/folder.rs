//! Packs as files in one folder, for the embedded default.

use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::PutMode;
use object_store::local::LocalFileSystem;

use super::objects::Objects;
use super::{BodyStore, Listing, MARK, failure, from_io};
use crate::error::BodyError;
use crate::files;
use crate::ids::PackId;
use crate::keys::IdentityKey;

/// Packs as files in one folder.
#[derive(Debug)]
pub struct FolderBodies {
    objects: Objects,
    folder: PathBuf,
}

impl FolderBodies {
    /// Makes a folder for the packs of a new vault and marks it.
    pub(crate) fn create(folder: &Path, identity: &IdentityKey) -> Result<Self, BodyError> {
        files::make_private_folder(folder).map_err(from_io("make the folder of packs"))?;
        let bodies = Self::over(folder)?;
        let listing = bodies.objects.listing()?;
        // A mark without packs was left by a creation that broke off.
        if !listing.0.packs.is_empty() {
            return Err(BodyError::NotEmpty);
        }
        bodies.objects.write_mark(identity, PutMode::Overwrite)?;
        Ok(bodies)
    }

    /// Opens the folder of packs that was marked at its creation.
    ///
    /// Unfinished files of a crash are removed, so no other process may have the vault open.
    pub fn open(folder: &Path, identity: &IdentityKey) -> Result<Self, BodyError> {
        if !fs::exists(folder).map_err(from_io("look for the folder of packs"))? {
            return Err(BodyError::Unmarked);
        }
        let bodies = Self::over(folder)?;
        if !bodies.objects.is_marked(identity)? {
            return Err(BodyError::Unmarked);
        }
        bodies.remove_unfinished().map_err(from_io("clear the folder of packs of unfinished files"))?;
        Ok(bodies)
    }

    fn over(folder: &Path) -> Result<Self, BodyError> {
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| failure("open the folder of packs", &error))?
            .with_fsync(true);
        Ok(Self { objects: Objects::over(Arc::new(store))?, folder: folder.to_owned() })
    }

    /// `object_store` writes to `name#number` first and never lists such files.
    fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let unfinished = entry
                .file_name()
                .to_str()
                .and_then(|name| name.split_once('#'))
                .is_some_and(|(name, _)| name == MARK || name.parse::<PackId>().is_ok());
            if unfinished {
                fs::remove_file(entry.path())?;
            }
        }
        files::sync_folder(&self.folder)
    }
}

impl BodyStore for FolderBodies {
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        self.objects.put(pack, content)
    }

    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        self.objects.read(pack, ranges)
    }

    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError> {
        packs.iter().try_for_each(|pack| self.objects.remove(*pack))?;
        // `object_store` makes a write durable but leaves a removal to the system's leisure.
        files::sync_folder(&self.folder).map_err(from_io("make the removal of packs durable"))
    }

    fn exists(&self, pack: PackId) -> Result<bool, BodyError> {
        self.objects.size(pack).map(|size| size.is_some())
    }

    fn list(&self) -> Result<Listing, BodyError> {
        match self.objects.listing()? {
            (listing, true) => Ok(listing),
            (_, false) => Err(BodyError::Unmarked),
        }
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::bodies::{absent, suite};
    use crate::keys::Secret;

    fn identity(byte: u8) -> IdentityKey {
        IdentityKey::new(&Secret::from_slice(&[byte; 32]).unwrap())
    }

    fn new_bodies() -> (TempDir, FolderBodies) {
        let folder = tempfile::tempdir().unwrap();
        let bodies = FolderBodies::create(&folder.path().join("packs"), &identity(5)).unwrap();
        (folder, bodies)
    }

    fn put(bodies: &FolderBodies, content: &'static [u8]) -> PackId {
        let pack = PackId::random().unwrap();
        bodies.put(pack, Bytes::from_static(content)).unwrap();
        pack
    }

    #[test]
    fn a_folder_keeps_the_rules_of_every_store() {
        suite::run(|| {
            let (folder, bodies) = new_bodies();
            (Box::new(bodies), folder)
        });
    }

    #[test]
    fn not_to_find_a_pack_in_a_folder_that_went_away_proves_nothing() {
        let (folder, bodies) = new_bodies();
        let pack = put(&bodies, b"a");
        fs::rename(folder.path().join("packs"), folder.path().join("away")).unwrap();
        assert_eq!(bodies.exists(pack), Ok(false));
        assert_eq!(absent(&bodies, &[pack]), Err(BodyError::Unmarked));
        assert!(bodies.remove(&[pack]).is_err());
        fs::create_dir(folder.path().join("packs")).unwrap();
        assert_eq!(absent(&bodies, &[pack]), Err(BodyError::Unmarked));
    }

    #[test]
    fn packs_of_another_vault_are_refused() {
        let (folder, bodies) = new_bodies();
        put(&bodies, b"a");
        let path = folder.path().join("packs");
        assert_eq!(FolderBodies::open(&path, &identity(6)).unwrap_err(), BodyError::Foreign);
        assert_eq!(FolderBodies::create(&path, &identity(6)).unwrap_err(), BodyError::NotEmpty);
        assert_eq!(FolderBodies::open(folder.path(), &identity(5)).unwrap_err(), BodyError::Unmarked);
    }

    #[test]
    fn unfinished_writes_are_cleared_and_strangers_counted() {
        let (folder, bodies) = new_bodies();
        let pack = put(&bodies, b"a");
        let path = folder.path().join("packs");
        fs::write(path.join(format!("{}#1", PackId::random().unwrap())), b"half").unwrap();
        fs::write(path.join("notes.txt"), b"hello").unwrap();
        drop(bodies);
        let bodies = FolderBodies::open(&path, &identity(5)).unwrap();
        let listing = bodies.list().unwrap();
        assert_eq!((listing.packs[0].pack, listing.packs.len(), listing.strangers), (pack, 1, 1));
        assert_eq!(fs::read_dir(&path).unwrap().count(), 3);
    }

    #[test]
    fn a_failure_tells_no_path() {
        let (folder, bodies) = new_bodies();
        let path = folder.path().join("packs");
        fs::rename(&path, folder.path().join("away")).unwrap();
        fs::write(&path, b"a file where the folder was").unwrap();
        let error = bodies.put(PackId::random().unwrap(), Bytes::from_static(b"a")).unwrap_err();
        assert!(!error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    }
}
