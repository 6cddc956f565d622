//! Where packs lie: the port, and object storage behind it.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Debug;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::runtime::Runtime;

use crate::error::BodyError;
use crate::files;
use crate::ids::PackId;
use crate::keys::IdentityKey;

/// The object that marks the place as this vault's.
const MARK: &str = "vault-mark";

/// A pack that a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackFound {
    /// The pack.
    pub pack: PackId,
    /// Its size in bytes.
    pub size: u64,
}

/// What lies in a store of packs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The packs, in the order of their names.
    pub packs: Vec<PackFound>,
    /// How many other objects and folders lie there, which no vault has made.
    pub strangers: usize,
}

/// Where packs lie. The vault gives only ciphertext to it.
pub trait BodyStore: Debug + Send + Sync {
    /// Stores a new pack, whole or not at all; it survives a crash once this returns.
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError>;

    /// Parts of one pack, in the order asked for and each of its full length.
    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError>;

    /// Removes packs durably. Packs that are gone already are no error, and the call may be repeated.
    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError>;

    /// Whether the store finds the pack when asked for it by name.
    ///
    /// `false` is no proof: an unmounted folder finds nothing either.
    fn exists(&self, pack: PackId) -> Result<bool, BodyError>;

    /// Everything in the store. It is an error if the listing cannot be shown to be of this vault's
    /// own store, so that an empty one is never mistaken for packs that were removed.
    fn list(&self) -> Result<Listing, BodyError>;
}

/// Packs on object storage: for the embedded default, files in one folder.
#[derive(Debug)]
pub struct ObjectBodies {
    store: Arc<dyn ObjectStore>,
    folder: PathBuf,
    runtime: Runtime,
}

impl ObjectBodies {
    /// Makes a folder for the packs of a new vault and marks it.
    pub(crate) fn create(folder: &FilePath, identity: &IdentityKey) -> Result<Self, BodyError> {
        files::make_private_folder(folder).map_err(from_io("make the folder of packs"))?;
        let bodies = Self::over(folder)?;
        let listing = bodies.listing()?;
        // A mark without packs was left by a creation that broke off.
        if !listing.0.packs.is_empty() {
            return Err(BodyError::NotEmpty);
        }
        let payload = PutPayload::from(mark(identity).to_vec());
        bodies
            .runtime
            .block_on(bodies.store.put(&Path::from(MARK), payload))
            .map_err(|error| failure("mark the folder of packs", &error))?;
        Ok(bodies)
    }

    /// Opens the folder of packs that was marked at its creation.
    ///
    /// Unfinished files of a crash are removed, so no other process may have the vault open.
    pub fn open(folder: &FilePath, identity: &IdentityKey) -> Result<Self, BodyError> {
        if !fs::exists(folder).map_err(from_io("look for the folder of packs"))? {
            return Err(BodyError::Unmarked);
        }
        let bodies = Self::over(folder)?;
        let found =
            bodies.runtime.block_on(async { bodies.store.get(&Path::from(MARK)).await?.bytes().await });
        match found {
            Ok(found) if found == mark(identity).as_slice() => {}
            Ok(_) => return Err(BodyError::Foreign),
            Err(object_store::Error::NotFound { .. }) => return Err(BodyError::Unmarked),
            Err(error) => return Err(failure("read the mark of the folder of packs", &error)),
        }
        bodies.remove_unfinished().map_err(from_io("clear the folder of packs of unfinished files"))?;
        Ok(bodies)
    }

    fn over(folder: &FilePath) -> Result<Self, BodyError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .map_err(from_io("start the runtime that drives object storage"))?;
        let store = LocalFileSystem::new_with_prefix(folder)
            .map_err(|error| failure("open the folder of packs", &error))?
            .with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: folder.to_owned(), runtime })
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

    /// What lies in the folder, and whether the mark does.
    fn listing(&self) -> Result<(Listing, bool), BodyError> {
        let found = self
            .runtime
            .block_on(self.store.list_with_delimiter(None))
            .map_err(|error| failure("list the packs", &error))?;
        let mut listing = Listing { packs: Vec::new(), strangers: found.common_prefixes.len() };
        let mut marked = false;
        for object in found.objects {
            match object.location.as_ref().parse() {
                Ok(pack) => listing.packs.push(PackFound { pack, size: object.size }),
                Err(_) if object.location.as_ref() == MARK => marked = true,
                Err(_) => listing.strangers += 1,
            }
        }
        listing.packs.sort_unstable();
        Ok((listing, marked))
    }

    fn size(&self, pack: PackId) -> Result<Option<u64>, BodyError> {
        match self.runtime.block_on(self.store.head(&location(pack))) {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure("look for a pack", &error)),
        }
    }
}

impl BodyStore for ObjectBodies {
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        let payload = PutPayload::from_bytes(content);
        self.runtime
            .block_on(self.store.put_opts(&location(pack), payload, PutMode::Create.into()))
            .map(drop)
            .map_err(|error| match error {
                object_store::Error::AlreadyExists { .. } => BodyError::AlreadyThere(pack),
                error => failure("write a pack", &error),
            })
    }

    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        // Asked first, because a range beyond the end must not decide how much memory is taken.
        let size = self.size(pack)?.ok_or(BodyError::NotFound(pack))?;
        if ranges.iter().any(|range| range.end > size || range.start > range.end) {
            return Err(BodyError::Short(pack));
        }
        let parts = self.runtime.block_on(self.store.get_ranges(&location(pack), ranges)).map_err(
            |error| match error {
                object_store::Error::NotFound { .. } => BodyError::NotFound(pack),
                error => failure("read a pack", &error),
            },
        )?;
        let whole = parts.len() == ranges.len()
            && parts.iter().zip(ranges).all(|(part, range)| part.len() as u64 == range.end - range.start);
        if whole { Ok(parts) } else { Err(BodyError::Short(pack)) }
    }

    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError> {
        for pack in packs {
            match self.runtime.block_on(self.store.delete(&location(*pack))) {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(failure("remove a pack", &error)),
            }
        }
        // `object_store` makes a write durable but leaves a removal to the system's leisure.
        files::sync_folder(&self.folder).map_err(from_io("make the removal of packs durable"))
    }

    fn exists(&self, pack: PackId) -> Result<bool, BodyError> {
        self.size(pack).map(|size| size.is_some())
    }

    fn list(&self) -> Result<Listing, BodyError> {
        match self.listing()? {
            (listing, true) => Ok(listing),
            (_, false) => Err(BodyError::Unmarked),
        }
    }
}

/// Those of the packs that are proved absent: asked for by name and not found, and missing from a
/// listing that is known to be of the right store.
pub(crate) fn absent(store: &dyn BodyStore, packs: &[PackId]) -> Result<Vec<bool>, BodyError> {
    let listed: HashSet<PackId> = store.list()?.packs.into_iter().map(|found| found.pack).collect();
    packs.iter().map(|pack| Ok(!listed.contains(pack) && !store.exists(*pack)?)).collect()
}

/// What marks a folder of packs as belonging to the key folder of this identity.
fn mark(identity: &IdentityKey) -> [u8; 32] {
    identity.identify(&[b"tenure/packs/v1"])
}

fn location(pack: PackId) -> Path {
    Path::from(pack.to_string())
}

fn from_io(operation: &'static str) -> impl Fn(io::Error) -> BodyError {
    move |error| BodyError::Unreachable { operation, kind: error.kind() }
}

/// Keeps only the kind of the failure: the messages of `object_store` name the path.
fn failure(operation: &'static str, error: &object_store::Error) -> BodyError {
    let mut cause: Option<&dyn Error> = Some(error);
    let mut kind = io::ErrorKind::Other;
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            kind = error.kind();
        }
        cause = current.source();
    }
    BodyError::Unreachable { operation, kind }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::keys::Secret;

    fn identity(byte: u8) -> IdentityKey {
        IdentityKey::new(&Secret::from_slice(&[byte; 32]).unwrap())
    }

    fn new_bodies() -> (TempDir, ObjectBodies) {
        let folder = tempfile::tempdir().unwrap();
        let bodies = ObjectBodies::create(&folder.path().join("packs"), &identity(5)).unwrap();
        (folder, bodies)
    }

    fn put(bodies: &ObjectBodies, content: &'static [u8]) -> PackId {
        let pack = PackId::random().unwrap();
        bodies.put(pack, Bytes::from_static(content)).unwrap();
        pack
    }

    fn read_one(bodies: &ObjectBodies, pack: PackId, range: Range<u64>) -> Result<Bytes, BodyError> {
        bodies.read(pack, &[range.clone(), range]).map(|mut parts| parts.remove(1))
    }

    #[test]
    fn parts_are_read_in_the_order_asked_for() {
        let (_folder, bodies) = new_bodies();
        let pack = put(&bodies, b"0123456789");
        let parts = bodies.read(pack, &[5..7, 0..1, 1..3]).unwrap();
        assert_eq!(parts, [&b"56"[..], b"0", b"12"]);
    }

    #[test]
    fn a_pack_that_is_shorter_than_asked_is_an_error() {
        let (_folder, bodies) = new_bodies();
        let pack = put(&bodies, b"0123456789");
        for range in [5..11, 0..u64::MAX, 20..30] {
            assert_eq!(read_one(&bodies, pack, range), Err(BodyError::Short(pack)));
        }
        assert_eq!(bodies.read(pack, &[0..10, 10..11]), Err(BodyError::Short(pack)));
        let other = PackId::random().unwrap();
        assert_eq!(read_one(&bodies, other, 0..1), Err(BodyError::NotFound(other)));
    }

    #[test]
    fn a_pack_is_never_written_over() {
        let (_folder, bodies) = new_bodies();
        let pack = put(&bodies, b"first");
        assert_eq!(bodies.put(pack, Bytes::from_static(b"second")), Err(BodyError::AlreadyThere(pack)));
        assert_eq!(read_one(&bodies, pack, 0..5).unwrap(), &b"first"[..]);
    }

    #[test]
    fn a_removed_pack_is_proved_absent_and_removing_it_again_is_no_error() {
        let (_folder, bodies) = new_bodies();
        let (gone, kept) = (put(&bodies, b"a"), put(&bodies, b"b"));
        bodies.remove(&[gone]).unwrap();
        bodies.remove(&[gone]).unwrap();
        assert_eq!(absent(&bodies, &[gone, kept]), Ok(vec![true, false]));
        assert_eq!(bodies.list().unwrap().packs, [PackFound { pack: kept, size: 1 }]);
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
        assert_eq!(ObjectBodies::open(&path, &identity(6)).unwrap_err(), BodyError::Foreign);
        assert_eq!(ObjectBodies::create(&path, &identity(6)).unwrap_err(), BodyError::NotEmpty);
        assert_eq!(ObjectBodies::open(folder.path(), &identity(5)).unwrap_err(), BodyError::Unmarked);
    }

    #[test]
    fn unfinished_writes_are_cleared_and_strangers_counted() {
        let (folder, bodies) = new_bodies();
        let pack = put(&bodies, b"a");
        let path = folder.path().join("packs");
        fs::write(path.join(format!("{}#1", PackId::random().unwrap())), b"half").unwrap();
        fs::write(path.join("notes.txt"), b"hello").unwrap();
        drop(bodies);
        let bodies = ObjectBodies::open(&path, &identity(5)).unwrap();
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
