//! Someone who keeps every wrapped key that the store ever held, and knows what was said: whether each copy is
//! wholly there or wholly gone.

use std::collections::{BTreeMap, HashMap};
use std::slice::from_ref;

use tenure_store::{
    AccountKey, AccountRow, BatchId, CopyKey, CopyRow, CopyStage, CopyState, ReadTx, RecordId, SegmentRow,
    StoreError, StoreExt as _, Wrap,
};
use tenure_vault::{AccountName, BodyKey, CopyName, PackId, PageId, Place, SegmentName, Vault};

use crate::world::World;

/// How far the destruction of each copy has come, why it had to go and since when.
pub(super) type Stages = BTreeMap<CopyKey, (CopyStage, Option<String>)>;

/// Whether what was begun must be finished.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    Finished,
    MayBeUnderWay,
}

/// What a store says of accounts, copies and bodies.
struct Seen {
    accounts: Vec<AccountRow>,
    classes: Vec<String>,
    copies: Vec<CopyRow>,
    segments: BTreeMap<(AccountKey, RecordId), Vec<SegmentRow>>,
    /// Batches that have not let go of their bodies yet.
    unreleased: Vec<BatchId>,
}

impl Seen {
    fn of(world: &World) -> Self {
        let read = |tx: &mut dyn ReadTx| {
            let accounts = tx.accounts(None, 1_000)?;
            let names = tx.classes()?;
            let (mut copies, mut classes, mut segments) = (Vec::new(), Vec::new(), BTreeMap::new());
            for account in &accounts {
                for copy in tx.copies_of(account.key, None, 10_000)? {
                    let name = names.iter().find(|(known, _)| *known == copy.key.class).unwrap();
                    classes.push(name.1.clone());
                    let of_record = tx.segments(account.key, copy.key.record)?;
                    segments.insert((account.key, copy.key.record), of_record);
                    copies.push(copy);
                }
            }
            let unreleased = tx.unreleased_batches()?;
            Ok::<_, StoreError>(Self { accounts, classes, copies, segments, unreleased })
        };
        world.store.read(read).unwrap()
    }

    fn account(&self, key: AccountKey) -> &AccountRow {
        self.accounts.iter().find(|row| row.key == key).unwrap()
    }
}

#[derive(Clone, Default)]
pub(super) struct Witness {
    /// Each body in the clear, as it was before anything was destroyed.
    said: BTreeMap<(AccountKey, RecordId), Vec<Vec<u8>>>,
    accounts: HashMap<AccountKey, Vec<Wrap>>,
    copies: HashMap<CopyKey, Vec<Wrap>>,
}

fn keep(kept: &mut Vec<Wrap>, wrap: &Wrap) {
    if !kept.contains(wrap) {
        kept.push(wrap.clone());
    }
}

impl Witness {
    /// Remembers every wrapped key that is there, and the bodies of records that it did not know.
    pub(super) fn look(&mut self, world: &World, vault: &Vault) {
        let seen = Seen::of(world);
        for account in &seen.accounts {
            if let Some(wrap) = &account.keys.account {
                keep(self.accounts.entry(account.key).or_default(), wrap);
            }
        }
        for (copy, class) in seen.copies.iter().zip(&seen.classes) {
            let Some(wrap) = copy.state.wrap() else { continue };
            keep(self.copies.entry(copy.key).or_default(), wrap);
            let key = (copy.key.account, copy.key.record);
            if !self.said.contains_key(&key) {
                let account = seen.account(copy.key.account);
                let body =
                    opened(vault, account, &self.accounts[&account.key], copy.key, class, from_ref(wrap));
                self.said
                    .insert(key, read(vault, account, copy.key.record, &seen.segments[&key], &body.unwrap()));
            }
        }
    }

    /// Holds each copy to what the store says of it: it opens and reads as it was said, or no key that can still be
    /// had opens any wrap that it ever had.
    pub(super) fn assert_whole(&self, world: &World, vault: &Vault, work: Work) {
        let seen = Seen::of(world);
        for (copy, class) in seen.copies.iter().zip(&seen.classes) {
            let account = seen.account(copy.key.account);
            let wraps = self.copies.get(&copy.key).map_or(&[][..], Vec::as_slice);
            let of_account = self.accounts.get(&account.key).map_or(&[][..], Vec::as_slice);
            let stage = copy.state.stage();
            assert!(
                work == Work::MayBeUnderWay || stage == CopyStage::Live || stage >= CopyStage::Shredded,
                "{copy:?}"
            );
            match &copy.state {
                CopyState::Live { wrap: Some(wrap) } | CopyState::Sealed { wrap: Some(wrap), .. } => {
                    let current = account.keys.account.clone().expect("what lives needs the account's key");
                    let body = opened(vault, account, &[current], copy.key, class, from_ref(wrap));
                    let key = (copy.key.account, copy.key.record);
                    let body = body.unwrap_or_else(|| panic!("{copy:?} does not open"));
                    let reads = read(vault, account, copy.key.record, &seen.segments[&key], &body);
                    assert!(reads == self.said[&key], "{copy:?} does not read as it was said");
                }
                // Its key is being destroyed, or was, and nobody uses it any more; a fact has none.
                CopyState::Shredding { .. }
                | CopyState::Live { wrap: None }
                | CopyState::Sealed { wrap: None, .. } => {}
                _ => {
                    let open = opened(vault, account, of_account, copy.key, class, wraps);
                    assert!(open.is_none(), "{copy:?} is said to be gone and opens");
                }
            }
        }
        for ((account, record), segments) in &seen.segments {
            let of_record = |copy: &&CopyRow| (copy.key.account, copy.key.record) == (*account, *record);
            let mut copies = seen.copies.iter().filter(of_record);
            let gone = copies.all(|copy| {
                let waits = copy.state.batch().is_some_and(|batch| seen.unreleased.contains(&batch));
                copy.state.stage() >= CopyStage::Shredded && !waits
            });
            assert!(!gone || segments.is_empty(), "a body lies where nothing opens it any more");
        }
    }

    /// What became of every copy.
    pub(super) fn stages(world: &World) -> Stages {
        let of = |copy: CopyRow| {
            let why = copy.state.sealing().map(|end| format!("{} at {}", end.cause, end.due_at.micros()));
            (copy.key, (copy.state.stage(), why))
        };
        Seen::of(world).copies.into_iter().map(of).collect()
    }
}

/// The key of a body, if any of these wraps opens under any of these keys of its account.
fn opened(
    vault: &Vault,
    account: &AccountRow,
    of_account: &[Wrap],
    copy: CopyKey,
    class: &str,
    wraps: &[Wrap],
) -> Option<BodyKey> {
    let organisation = account.organisation.as_deref();
    let (person, record) = (AccountName { organisation, account: &account.id }, copy.record.to_string());
    let name = CopyName { organisation, account: &account.id, record: &record, class };
    let sealed = |wrap: &Wrap| tenure_vault::Wrap::try_from(wrap.sealed.as_slice()).unwrap();
    let page = |wrap: &Wrap| PageId::from_bytes(wrap.page.0);
    let keys =
        of_account.iter().filter_map(|wrap| vault.unwrap_account(&person, page(wrap), &sealed(wrap)).ok());
    let keys: Vec<_> = keys.collect();
    let mut pairs = wraps.iter().flat_map(|wrap| keys.iter().map(move |key| (wrap, key)));
    pairs.find_map(|(wrap, key)| vault.unwrap(&name, key, page(wrap), &sealed(wrap)).ok())
}

/// A body in the clear, part by part.
fn read(
    vault: &Vault,
    account: &AccountRow,
    record: RecordId,
    segments: &[SegmentRow],
    key: &BodyKey,
) -> Vec<Vec<u8>> {
    let record = record.to_string();
    let reading = |row: &SegmentRow| {
        let place = Place {
            pack: PackId::from_bytes(row.pack.0),
            offset: row.offset,
            length: u32::try_from(row.length).unwrap(),
        };
        let name = SegmentName {
            organisation: account.organisation.as_deref(),
            account: &account.id,
            record: &record,
            number: u64::from(row.segment),
        };
        vault.read(&place, key, &name).unwrap()
    };
    segments.iter().map(reading).collect()
}
