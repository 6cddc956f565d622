//! The vault from outside: what opens, what can never open again, and what lies on the disk.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails should fail its test")]

mod chunked;
mod copies;
mod folders;
mod journal;
mod logkeys;
mod packs;
mod rotation;
#[cfg(all(feature = "s3", feature = "transit", feature = "faults"))]
mod servers;

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;
use tenure_vault::{
    AccountKey, BodyPlace, KeyAccess, NewRoot, PackId, PageId, S3Credentials, Tree, Vault, VaultError,
};

#[test]
fn a_vault_and_its_parts_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Vault>();
    shared::<tenure_vault::PackWriter>();
    shared::<tenure_vault::Wrapper>();
    shared::<tenure_vault::BodyKey>();
}

/// Where the vaults of a test lie.
pub(crate) trait Home {
    fn root(&self) -> NewRoot;
    fn access(&self) -> KeyAccess;
    fn credentials(&self) -> S3Credentials;
    /// A place for the packs of one vault.
    fn bodies(&self) -> BodyPlace;
    /// What lies there under the name of a pack, in a vault of this folder.
    fn pack(&self, at: (&TempDir, &BodyPlace), pack: PackId) -> Vec<u8>;
    /// Writes over it.
    fn alter(&self, at: (&TempDir, &BodyPlace), pack: PackId, content: Vec<u8>);
}

/// In a folder, with nothing outside it.
struct Folders;

impl Folders {
    fn file(at: (&TempDir, &BodyPlace), pack: PackId) -> PathBuf {
        at.0.path().join("data").join("packs").join(pack.to_string())
    }
}

impl Home for Folders {
    fn root(&self) -> NewRoot {
        NewRoot::InFolder
    }

    fn access(&self) -> KeyAccess {
        KeyAccess::default()
    }

    fn credentials(&self) -> S3Credentials {
        S3Credentials::default()
    }

    fn bodies(&self) -> BodyPlace {
        BodyPlace::Folder
    }

    fn pack(&self, at: (&TempDir, &BodyPlace), pack: PackId) -> Vec<u8> {
        fs::read(Self::file(at, pack)).unwrap()
    }

    fn alter(&self, at: (&TempDir, &BodyPlace), pack: PackId, content: Vec<u8>) {
        fs::write(Self::file(at, pack), content).unwrap();
    }
}

thread_local! {
    /// Where the vaults of this thread's test lie. The tests over servers run all the others with another one.
    static HOME: RefCell<Rc<dyn Home>> = RefCell::new(Rc::new(Folders));
}

/// A vault in a folder that goes with it, and wherever else it lies.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    home: Rc<dyn Home>,
    bodies: BodyPlace,
    vault: Option<Vault>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let home = HOME.with_borrow(Rc::clone);
        let folder = tempfile::tempdir().unwrap();
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        fs::create_dir(&data).unwrap();
        let bodies = home.bodies();
        let vault = Vault::create_at(&data, &keys, &home.root(), &bodies, &home.credentials()).unwrap();
        Self { folder, home, bodies, vault: Some(vault) }
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    pub(crate) fn close(&mut self) {
        drop(self.vault.take());
    }

    pub(crate) fn reopen(&mut self) {
        self.close();
        self.vault = Some(self.open(&self.data(), &self.keys()).unwrap());
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    pub(crate) fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    /// Opens the vault of two folders, with what lies outside them.
    pub(crate) fn open(&self, data: &Path, keys: &Path) -> Result<Vault, VaultError> {
        Vault::open_at(data, keys, &self.home.access(), &self.home.credentials())
    }

    pub(crate) fn page(&self, tree: Tree) -> PageId {
        self.vault().pages().create(tree, 1).unwrap()[0]
    }

    pub(crate) fn account(&self) -> AccountKey {
        self.vault().account_key().unwrap()
    }

    /// What lies under the name of a pack, as it is stored.
    pub(crate) fn pack(&self, pack: PackId) -> Vec<u8> {
        self.home.pack((&self.folder, &self.bodies), pack)
    }

    /// Lets somebody else write over a pack.
    pub(crate) fn alter(&self, pack: PackId, content: Vec<u8>) {
        self.home.alter((&self.folder, &self.bodies), pack, content);
    }
}
