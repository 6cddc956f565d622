//! Stores that fail on command, for tests.
//!
//! A write can fail in two ways that its caller cannot tell apart: it was lost, or it was done and
//! only the answer was lost. What must survive a crash has to survive both, at every write.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::bodies::{BodyStore, Listing};
use crate::error::{BodyError, KeyError, VaultError};
use crate::ids::{PackId, PageId};
use crate::page::{KeyStore, PageFound, PageKey, Tree};
use crate::vault::Vault;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is done, and the failure is reported.
    Lost,
    /// It is done, and a failure is reported all the same.
    DoneButFailed,
}

/// The calls that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// [`KeyStore::create`].
    CreatePages,
    /// [`KeyStore::key`].
    ReadKey,
    /// [`KeyStore::destroy`].
    DestroyPages,
    /// [`KeyStore::pages`].
    ListPages,
    /// [`BodyStore::put`].
    PutPack,
    /// [`BodyStore::read`].
    ReadPack,
    /// [`BodyStore::remove`].
    RemovePacks,
    /// [`BodyStore::exists`].
    FindPack,
    /// [`BodyStore::list`].
    ListPacks,
}

impl Call {
    /// The calls that change something, for tests that break each in turn.
    pub const WRITES: [Self; 4] = [Self::CreatePages, Self::DestroyPages, Self::PutPack, Self::RemovePacks];
}

/// What is to fail, shared between a test and the stores of its vault.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<VecDeque<(Call, Fault)>>>);

impl Faults {
    /// Lets the next such call fail that is not spoken for already. Others go through.
    pub fn arm(&self, call: Call, fault: Fault) {
        self.queue().push_back((call, fault));
    }

    /// Lets everything go through again.
    pub fn disarm(&self) {
        self.queue().clear();
    }

    /// Whether a fault is still waiting for its call, so that a test can see that it was met.
    pub fn is_armed(&self) -> bool {
        !self.queue().is_empty()
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<(Call, Fault)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet<T, E>(
        &self,
        call: Call,
        error: impl FnOnce(&'static str, ErrorKind) -> E,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let fault = {
            let mut queue = self.queue();
            let place = queue.iter().position(|(armed, _)| *armed == call);
            place.and_then(|place| queue.remove(place)).map(|(_, fault)| fault)
        };
        match fault {
            None => act(),
            Some(Fault::Lost) => Err(error("do what a test forbids", ErrorKind::TimedOut)),
            Some(Fault::DoneButFailed) => {
                act()?;
                Err(error("hear the answer that a test withholds", ErrorKind::TimedOut))
            }
        }
    }
}

/// A vault whose stores fail as the handle says.
pub fn wrap(vault: Vault) -> (Vault, Faults) {
    let faults = Faults::default();
    let (keys, bodies, identity) = vault.into_parts();
    let keys = FaultyKeys { inner: keys, faults: faults.clone() };
    let bodies = FaultyBodies { inner: bodies, faults: faults.clone() };
    (Vault::from_parts(Box::new(keys), Box::new(bodies), identity), faults)
}

/// Opens a vault whose stores fail as the handle says.
pub fn open(data_folder: &Path, key_folder: &Path) -> Result<(Vault, Faults), VaultError> {
    Vault::open(data_folder, key_folder).map(wrap)
}

/// A key store that fails on command.
#[derive(Debug)]
pub struct FaultyKeys {
    inner: Box<dyn KeyStore>,
    faults: Faults,
}

impl KeyStore for FaultyKeys {
    fn create(&self, tree: Tree, count: usize) -> Result<Vec<PageId>, KeyError> {
        self.faults.meet(Call::CreatePages, no_keys, || self.inner.create(tree, count))
    }

    fn key(&self, page: PageId) -> Result<PageKey, KeyError> {
        self.faults.meet(Call::ReadKey, no_keys, || self.inner.key(page))
    }

    fn destroy(&self, pages: &[PageId]) -> Result<(), KeyError> {
        self.faults.meet(Call::DestroyPages, no_keys, || self.inner.destroy(pages))
    }

    fn pages(&self) -> Result<Vec<PageFound>, KeyError> {
        self.faults.meet(Call::ListPages, no_keys, || self.inner.pages())
    }
}

/// A store of packs that fails on command.
#[derive(Debug)]
pub struct FaultyBodies {
    inner: Box<dyn BodyStore>,
    faults: Faults,
}

impl BodyStore for FaultyBodies {
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        self.faults.meet(Call::PutPack, no_bodies, || self.inner.put(pack, content))
    }

    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        self.faults.meet(Call::ReadPack, no_bodies, || self.inner.read(pack, ranges))
    }

    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError> {
        self.faults.meet(Call::RemovePacks, no_bodies, || self.inner.remove(packs))
    }

    fn exists(&self, pack: PackId) -> Result<bool, BodyError> {
        self.faults.meet(Call::FindPack, no_bodies, || self.inner.exists(pack))
    }

    fn list(&self) -> Result<Listing, BodyError> {
        self.faults.meet(Call::ListPacks, no_bodies, || self.inner.list())
    }
}

const fn no_keys(operation: &'static str, kind: ErrorKind) -> KeyError {
    KeyError::Unreachable { operation, kind }
}

const fn no_bodies(operation: &'static str, kind: ErrorKind) -> BodyError {
    BodyError::Unreachable { operation, kind }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::error::OpenError;
    use crate::names::SegmentName;

    fn new_vault() -> (TempDir, Vault, Faults) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::create(&folder.path().join("data"), &folder.path().join("keys")).unwrap();
        let (vault, faults) = wrap(vault);
        (folder, vault, faults)
    }

    const NAME: SegmentName<'static> =
        SegmentName { organisation: None, account: "a", record: "r", number: 0 };

    #[test]
    fn a_destruction_that_failed_either_way_can_be_asked_for_again() {
        for fault in [Fault::Lost, Fault::DoneButFailed] {
            let (_folder, vault, faults) = new_vault();
            let pages = vault.pages().create(Tree::Ordinary, 2).unwrap();
            faults.arm(Call::DestroyPages, fault);
            assert!(matches!(vault.pages().destroy(&pages[..1]), Err(KeyError::Unreachable { .. })));
            let before = vault.verify_pages_absent(&pages).unwrap();
            assert_eq!(before, [fault == Fault::DoneButFailed, false]);
            vault.pages().destroy(&pages[..1]).unwrap();
            assert_eq!(vault.verify_pages_absent(&pages).unwrap(), [true, false]);
        }
    }

    #[test]
    fn pages_whose_making_failed_are_found_only_if_they_were_made() {
        for fault in [Fault::Lost, Fault::DoneButFailed] {
            let (_folder, vault, faults) = new_vault();
            faults.arm(Call::CreatePages, fault);
            vault.pages().create(Tree::Ordinary, 3).unwrap_err();
            let left = vault.pages().pages().unwrap().len();
            assert_eq!(left, if fault == Fault::DoneButFailed { 3 } else { 0 });
            assert_eq!(vault.pages().create(Tree::Ordinary, 3).unwrap().len(), 3);
        }
    }

    #[test]
    fn a_pack_whose_write_failed_is_found_only_if_it_was_done() {
        for fault in [Fault::Lost, Fault::DoneButFailed] {
            let (_folder, vault, faults) = new_vault();
            let key = vault.body_key().unwrap();
            let mut writer = vault.pack_writer().unwrap();
            writer.add(&key, &NAME, b"text").unwrap();
            faults.arm(Call::PutPack, fault);
            vault.finish(writer).unwrap_err();
            assert!(!faults.is_armed());
            let left = vault.packs().unwrap().packs;
            assert_eq!(left.len(), usize::from(fault == Fault::DoneButFailed));
        }
    }

    #[test]
    fn not_to_be_able_to_look_is_neither_absence_nor_destruction() {
        let (_folder, vault, faults) = new_vault();
        let page = vault.pages().create(Tree::Ordinary, 1).unwrap()[0];
        let account = vault.account_key().unwrap();
        faults.arm(Call::ReadKey, Fault::Lost);
        assert!(matches!(vault.wrapper(&account, page), Err(OpenError::Keys(_))));
        vault.wrapper(&account, page).unwrap();
        faults.arm(Call::ListPages, Fault::Lost);
        vault.verify_pages_absent(&[page]).unwrap_err();
        for call in [Call::ListPacks, Call::FindPack] {
            faults.arm(call, Fault::Lost);
            vault.verify_packs_absent(&[PackId::from_bytes([1; 16])]).unwrap_err();
        }
    }

    #[test]
    fn a_removal_that_failed_either_way_can_be_asked_for_again() {
        for fault in [Fault::Lost, Fault::DoneButFailed] {
            let (_folder, vault, faults) = new_vault();
            let key = vault.body_key().unwrap();
            let mut writer = vault.pack_writer().unwrap();
            let place = writer.add(&key, &NAME, b"text").unwrap();
            vault.finish(writer).unwrap();
            faults.arm(Call::RemovePacks, fault);
            vault.remove_packs(&[place.pack]).unwrap_err();
            vault.remove_packs(&[place.pack]).unwrap();
            assert_eq!(vault.verify_packs_absent(&[place.pack]).unwrap(), [true]);
        }
    }
}
