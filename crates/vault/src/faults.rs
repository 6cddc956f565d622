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
use crate::page::{AgeingOut, KeyStore, PageFound, PageKey, RootInForce, Tree};
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
    /// [`KeyStore::rotate_root`].
    RotateRoot,
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
    pub const WRITES: [Self; 5] =
        [Self::CreatePages, Self::DestroyPages, Self::RotateRoot, Self::PutPack, Self::RemovePacks];

    /// Whether the call changes something.
    pub fn writes(self) -> bool {
        Self::WRITES.contains(&self)
    }
}

/// What is to fail, shared between a test and the stores of its vault.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Armed>>);

#[derive(Debug, Default)]
struct Armed {
    /// Calls of a kind that are to fail, the next one of each first.
    named: VecDeque<(Call, Fault)>,
    /// How many steps go through first, and how the next one fails, whatever it is.
    step: Option<(usize, Fault)>,
    /// The call that was made last.
    last: Option<Call>,
    /// The call that failed because a step of its number was to fail.
    met: Option<Call>,
}

impl Armed {
    /// What is to happen to the call that is about to be made.
    fn meet(&mut self, call: Call) -> Option<Fault> {
        let goes_on = !call.writes() && self.last == Some(call);
        self.last = Some(call);
        match self.step {
            Some((0, fault)) if !goes_on => {
                self.step = None;
                self.met = Some(call);
                return Some(fault);
            }
            Some((after, fault)) if !goes_on => self.step = Some((after - 1, fault)),
            _ => {}
        }
        let place = self.named.iter().position(|(armed, _)| *armed == call);
        place.and_then(|place| self.named.remove(place)).map(|(_, fault)| fault)
    }
}

impl Faults {
    /// Lets the next such call fail that is not spoken for already. Others go through.
    pub fn arm(&self, call: Call, fault: Fault) {
        self.armed().named.push_back((call, fault));
    }

    /// Lets one step fail after so many others, whatever it is. Each call that changes something is a step, and so
    /// are several in a row that read the same: of those the first fails.
    pub fn arm_step(&self, after: usize, fault: Fault) {
        let mut armed = self.armed();
        (armed.step, armed.last, armed.met) = (Some((after, fault)), None, None);
    }

    /// Lets everything go through again.
    pub fn disarm(&self) {
        *self.armed() = Armed::default();
    }

    /// Whether a fault is still waiting for its call, so that a test can see that it was met.
    pub fn is_armed(&self) -> bool {
        let armed = self.armed();
        armed.step.is_some() || !armed.named.is_empty()
    }

    /// The call that failed because a step of its number was to fail.
    pub fn met(&self) -> Option<Call> {
        self.armed().met
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn meet<T, E>(
        &self,
        call: Call,
        error: impl FnOnce(&'static str, ErrorKind) -> E,
        act: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let fault = self.armed().meet(call);
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

    fn rotate_root(&self) -> Result<RootInForce, KeyError> {
        self.faults.meet(Call::RotateRoot, no_keys, || self.inner.rotate_root())
    }

    fn root(&self) -> Result<RootInForce, KeyError> {
        self.inner.root()
    }

    fn ageing_out(&self) -> Result<Vec<AgeingOut>, KeyError> {
        self.inner.ageing_out()
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
    fn a_step_fails_by_its_number_and_reads_in_a_row_are_one() {
        let (_folder, vault, faults) = new_vault();
        let pages = vault.pages().create(Tree::Ordinary, 2).unwrap();
        let steps = |after| {
            faults.arm_step(after, Fault::DoneButFailed);
            let created = vault.pages().create(Tree::Ordinary, 1).is_err();
            let read = pages.iter().map(|page| vault.pages().key(*page).is_err()).collect::<Vec<_>>();
            let rotated = vault.pages().rotate_root().is_err();
            (created, read, rotated, faults.met())
        };
        assert_eq!(steps(0), (true, vec![false, false], false, Some(Call::CreatePages)));
        assert_eq!(steps(1), (false, vec![true, false], false, Some(Call::ReadKey)));
        assert_eq!(steps(2), (false, vec![false, false], true, Some(Call::RotateRoot)));
        assert_eq!(steps(3), (false, vec![false, false], false, None));
        assert!(faults.is_armed());
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
