//! The one door: sealed in the ledger, keys destroyed, bytes removed, each step safe to repeat.
//!
//! A batch of copies goes through it together:
//!
//! 1. *Gathering*: copies are sealed into the batch, so nothing uses them any more.
//! 2. *Sealed*: one statement over the root of their blinded items is in the ledger.
//! 3. Pages that also hold keys of others are emptied of those, by wrapping them anew elsewhere.
//! 4. *Shredding*: everything is read and judged again; what is kept after all goes back. From here on
//!    the rest is gone as far as anyone may know, and the pages' keys are about to be destroyed.
//! 5. *Shredded*: the keys are destroyed, a statement over the root of what is gone says so, and which copies
//!    it names is kept for good. Bodies that no copy can open any more are let go of, and packs in which
//!    nothing lives are removed.
//!
//! What was sealed is an announcement, over the copies of the batch at that time. Only the last statement is
//! evidence: it names none that went back, and still names a fact that returns later.
//!
//! A crash between two steps leaves the batch in the stage before, and the next sweep goes on from there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tenure_model::Instant;
use tenure_receipts::{Digest, Item, Opening, Statement, root_of};
use tenure_store::{
    AccountKey, BatchId, BatchRow, BatchStage, ClassId, CopyKey, CopyRow, CopyStage, CopyState, PackId,
    PageId, PageState, ReadTx, StoreExt as _, Tx, Wrap,
};
use tenure_vault::CopyName;

use crate::filing::{class_name, tree_of};
use crate::pages::in_vault;
use crate::person::{Person, wrap_of};
use crate::record::Holds;
use crate::sweep::{Judge, Swept};
use crate::{Error, Tenure};

/// How many pages one transaction empties.
const PAGES_A_SLICE: usize = 16;

impl Tenure {
    /// Batches whose keys are not destroyed yet.
    pub(crate) fn unfinished_batches(&self) -> Result<Vec<BatchId>, Error> {
        self.store.read(|tx| {
            let batches = tx.unfinished_batches()?.into_iter();
            Ok(batches
                .filter(|batch| !matches!(batch.stage, BatchStage::Shredded { .. }))
                .map(|batch| batch.id)
                .collect())
        })
    }

    /// Takes a batch through the door, from whatever stage it is in.
    pub(crate) fn destroy_batch(
        &self,
        id: BatchId,
        now: Instant,
        by: Instant,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        loop {
            let batch =
                self.store.read(|tx| tx.batch(id)?.ok_or(Error::Refused("the batch is gone".to_owned())))?;
            match batch.stage {
                BatchStage::Gathering => self.seal_batch(id, now)?,
                BatchStage::Sealed { sealed_at } => {
                    swept.rewrapped += self.empty_pages(id)?;
                    self.check_again(id, sealed_at, now, by)?;
                }
                BatchStage::Shredding { sealed_at } => self.shred(&batch, sealed_at, now, swept)?,
                BatchStage::Shredded { .. } | BatchStage::Removed { .. } | BatchStage::Verified { .. } => {
                    return Ok(());
                }
            }
        }
    }

    /// States in the ledger what is about to go.
    fn seal_batch(&self, id: BatchId, now: Instant) -> Result<(), Error> {
        let tenure = self.clone();
        self.store.write(move |tx| {
            let copies = copies_of(tx, id)?;
            let root = tenure.root_of(&tx.classes()?, id, &keys_of(&copies));
            let statement = Statement::CopiesSealed { count: copies.len() as u64, root };
            tenure.state_of_batch(tx, id, &copies, statement, now)?;
            tx.set_batch_stage(id, BatchStage::Sealed { sealed_at: now })?;
            Ok(())
        })
    }

    /// States something of all copies of a batch, if there are any, and keeps where the ledger says it.
    fn state_of_batch(
        &self,
        tx: &mut dyn Tx,
        batch: BatchId,
        copies: &[CopyRow],
        statement: Statement,
        now: Instant,
    ) -> Result<(), Error> {
        if !copies.is_empty() {
            let seq = self.state_by_house(tx, statement, now)?;
            tx.set_batch_statement(batch, seq)?;
        }
        Ok(())
    }

    /// The root over a batch's items.
    pub(crate) fn root_of(
        &self,
        classes: &[(ClassId, String)],
        batch: BatchId,
        copies: &[CopyKey],
    ) -> Digest {
        let items = items_of(&self.vault, classes, batch, copies);
        Digest(root_of(&items.iter().map(Item::blind).collect::<Vec<_>>()))
    }

    /// Wraps anew, on other pages, the keys that live on pages of the batch, and says how many.
    fn empty_pages(&self, id: BatchId) -> Result<u64, Error> {
        let pages: Vec<PageId> = self.store.read(|tx| Ok::<_, Error>(pages_of(&copies_of(tx, id)?)))?;
        let mut moved = 0;
        for slice in pages.chunks(PAGES_A_SLICE) {
            let (tenure, slice) = (self.clone(), slice.to_vec());
            moved += self.store.write(move |tx| {
                let mut moved = 0;
                for page in slice {
                    moved += tenure.empty_page(tx, page)?;
                }
                Ok::<_, Error>(moved)
            })?;
        }
        Ok(moved)
    }

    fn empty_page(&self, tx: &mut dyn Tx, page: PageId) -> Result<u64, Error> {
        let Some(row) = tx.page(page)? else { return Ok(0) };
        if row.state == PageState::Destroyed {
            return Ok(0);
        }
        // Nothing new may come onto a page whose key is about to go.
        tx.set_page_state(page, PageState::Full)?;
        let lives = |copy: &CopyRow| copy.state.stage() == CopyStage::Live;
        let survivors: Vec<_> = tx.copies_of_page(page)?.into_iter().filter(lives).collect();
        let mut people = People::new(self);
        for copy in &survivors {
            people.rewrap(tx, copy)?;
        }
        Ok(survivors.len() as u64)
    }

    /// Reads holds, decisions and flags again, and judges every copy again. What is kept after all goes
    /// back into use; for the rest there is no way back after this transaction.
    fn check_again(&self, id: BatchId, sealed_at: Instant, now: Instant, by: Instant) -> Result<(), Error> {
        let (tenure, policies) = (self.clone(), self.policies()?);
        self.store.write(move |tx| {
            let holds = Holds::load(tx)?;
            let classes = tx.classes()?;
            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
            let mut people = People::new(&tenure);
            let copies = copies_of(tx, id)?;
            let pages = pages_of(&copies);
            for copy in copies {
                let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;
                let due = judge.due(tx, record, class_name(&classes, copy.key.class))?;
                let CopyState::Sealed { wrap, .. } = &copy.state else { continue };
                match due {
                    Some(due) => shred_copy(tx, copy.key, id, sealed_at, due)?,
                    None => {
                        tx.move_copy(copy.key, CopyStage::Sealed, &CopyState::Live { wrap: wrap.clone() })?;
                        let copy = CopyRow { state: CopyState::Live { wrap: wrap.clone() }, ..copy };
                        people.rewrap(tx, &copy)?;
                        tx.mark_refile(copy.key.account)?;
                    }
                }
            }
            // The keys of these pages are about to go, so nothing that is to live on may lie there.
            for page in &pages {
                if !tx.copies_of_page(*page)?.is_empty() {
                    return Err(Error::Refused(
                        "a page whose key was about to be destroyed holds a key that is still needed: nothing was \
                         destroyed, run `tenure doctor`"
                            .to_owned(),
                    ));
                }
            }
            tx.set_batch_pages(id, holds.epoch, &pages)?;
            tx.set_batch_stage(id, BatchStage::Shredding { sealed_at })?;
            Ok(())
        })
    }

    /// Destroys the keys, and lets go of the bodies that nothing opens any more.
    fn shred(
        &self,
        batch: &BatchRow,
        sealed_at: Instant,
        now: Instant,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        let keys: Vec<_> = batch.old_pages.iter().copied().map(in_vault).collect();
        self.vault.pages().destroy(&keys)?;
        if !self.vault.verify_pages_absent(&keys)?.iter().all(|absent| *absent) {
            return Err(Error::Refused(
                "a page's key is still there after it was destroyed: nothing was recorded".to_owned(),
            ));
        }
        let (tenure, batch, pages) = (self.clone(), batch.id, batch.old_pages.clone());
        let destroyed = self.store.write(move |tx| {
            for page in &pages {
                tx.set_page_state(*page, PageState::Destroyed)?;
            }
            let copies = copies_of(tx, batch)?;
            let classes = tx.classes()?;
            let mut destroyed: BTreeMap<String, u64> = BTreeMap::new();
            for copy in &copies {
                let state = CopyState::Shredded { batch, sealed_at, shredded_at: now };
                if tx.move_copy(copy.key, CopyStage::Shredding, &state)? {
                    *destroyed.entry(class_name(&classes, copy.key.class).to_owned()).or_default() += 1;
                }
            }
            let records: BTreeSet<_> =
                copies.iter().map(|copy| (copy.key.account, copy.key.record)).collect();
            for (account, record) in records {
                let opens = |copy: &CopyRow| copy.state.wrap().is_some();
                if !tx.copies_of_record(account, record)?.iter().any(opens) {
                    tx.remove_segments(account, record)?;
                }
            }
            let keys = keys_of(&copies);
            let root = tenure.root_of(&classes, batch, &keys);
            let statement = Statement::CopiesShredded { count: copies.len() as u64, root };
            tenure.state_of_batch(tx, batch, &copies, statement, now)?;
            tx.insert_destroyed(batch, &keys)?;
            tx.set_batch_stage(batch, BatchStage::Shredded { sealed_at, shredded_at: now })?;
            Ok::<_, Error>(destroyed)
        })?;
        swept.pages += keys.len() as u64;
        for (class, count) in destroyed {
            *swept.destroyed.entry(class).or_default() += count;
        }
        Ok(())
    }

    /// Removes packs in which no body lives any more, and records it once they are verified absent.
    pub(crate) fn remove_idle_packs(&self, now: Instant) -> Result<u64, Error> {
        let mut removed = 0;
        loop {
            let idle: Vec<PackId> = self
                .store
                .read(|tx| Ok::<_, Error>(tx.idle_packs(256)?.iter().map(|pack| pack.id).collect()))?;
            if idle.is_empty() {
                return Ok(removed);
            }
            let packs: Vec<_> = idle.iter().map(|pack| tenure_vault::PackId::from_bytes(pack.0)).collect();
            self.vault.remove_packs(&packs)?;
            if !self.vault.verify_packs_absent(&packs)?.iter().all(|absent| *absent) {
                return Err(Error::Refused(
                    "a pack is still there after it was removed: nothing was recorded".to_owned(),
                ));
            }
            removed += idle.len() as u64;
            self.store.write(move |tx| {
                for pack in idle {
                    tx.set_pack_removed(pack, now)?;
                }
                Ok::<_, Error>(())
            })?;
        }
    }
}

/// The point of no return for one copy. Only the check inside this transaction makes the token.
fn shred_copy(
    tx: &mut dyn Tx,
    key: CopyKey,
    batch: BatchId,
    sealed_at: Instant,
    due: tenure_policy::Due,
) -> Result<(), Error> {
    drop(due);
    tx.move_copy(key, CopyStage::Sealed, &CopyState::Shredding { wrap: None, batch, sealed_at })?;
    Ok(())
}

/// Copies of a batch as items of a statement. What opens an item is a MAC whose key lies in the key folder, so
/// that it need not be stored and nobody else can make it.
pub(crate) fn items_of(
    vault: &tenure_vault::Vault,
    classes: &[(ClassId, String)],
    batch: BatchId,
    copies: &[CopyKey],
) -> Vec<Item> {
    let item = |copy: &CopyKey| {
        let CopyKey { account, record, class } = *copy;
        let parts: [&[u8]; 5] =
            [b"item", &batch.0.to_be_bytes(), &account.0.to_be_bytes(), &record.0, &class.0.to_be_bytes()];
        Item {
            opening: Opening(vault.identify(&parts)),
            record: record.to_string(),
            class: class_name(classes, class).to_owned(),
        }
    };
    copies.iter().map(item).collect()
}

pub(crate) fn copies_of(tx: &mut dyn ReadTx, batch: BatchId) -> Result<Vec<CopyRow>, Error> {
    let (mut copies, mut after) = (Vec::new(), None);
    loop {
        let slice = tx.copies_of_batch(batch, after, 1_000)?;
        let Some(last) = slice.last() else { return Ok(copies) };
        after = Some(last.key);
        copies.extend(slice);
    }
}

/// The copies that a batch's destruction names, in the order of its items.
pub(crate) fn destroyed_of(tx: &mut dyn ReadTx, batch: BatchId) -> Result<Vec<CopyKey>, Error> {
    let (mut copies, mut after) = (Vec::new(), None);
    loop {
        let slice = tx.destroyed_of(batch, after, 1_000)?;
        let Some(last) = slice.last() else { return Ok(copies) };
        after = Some(last.place);
        copies.extend(slice.iter().map(|row| row.key));
    }
}

fn keys_of(copies: &[CopyRow]) -> Vec<CopyKey> {
    copies.iter().map(|copy| copy.key).collect()
}

fn pages_of(copies: &[CopyRow]) -> Vec<PageId> {
    let pages: BTreeSet<PageId> =
        copies.iter().filter_map(|copy| copy.state.wrap()).map(|wrap| wrap.page).collect();
    pages.into_iter().collect()
}

/// Accounts and their keys, each read once while their copies are wrapped anew.
struct People<'t> {
    tenure: &'t Tenure,
    known: HashMap<AccountKey, (Person, tenure_vault::AccountKey)>,
    classes: Option<Vec<(ClassId, String)>>,
}

impl<'t> People<'t> {
    fn new(tenure: &'t Tenure) -> Self {
        Self { tenure, known: HashMap::new(), classes: None }
    }

    /// Moves a copy's key to another page of the same shelf. The body is not touched.
    fn rewrap(&mut self, tx: &mut dyn Tx, copy: &CopyRow) -> Result<(), Error> {
        let Some(wrap) = copy.state.wrap() else { return Ok(()) };
        if self.classes.is_none() {
            self.classes = Some(tx.classes()?);
        }
        if !self.known.contains_key(&copy.key.account) {
            let row = tx.account(copy.key.account)?.ok_or(Error::UnknownAccount)?;
            let key = self.tenure.account_key(&row)?;
            self.known.insert(copy.key.account, (self.tenure.person(tx, row)?, key));
        }
        let (person, key) = self.known.get(&copy.key.account).ok_or(Error::UnknownAccount)?;
        let class = class_name(self.classes.as_deref().unwrap_or_default(), copy.key.class);
        let record = copy.key.record.to_string();
        let name = CopyName {
            organisation: person.row.organisation.as_deref(),
            account: &person.row.id,
            record: &record,
            class,
        };
        let body = self.tenure.vault.unwrap(&name, key, in_vault(wrap.page), &wrap_of(wrap)?)?;
        let shelf = tx.page(wrap.page)?.ok_or(Error::UnknownRecord)?.shelf;
        let page = self.tenure.pages.slot(tx, tree_of(class), &shelf)?;
        let sealed = self.tenure.vault.wrap(&name, key, in_vault(page), &body)?;
        tx.rewrap_copy(copy.key, &Wrap { page, sealed: sealed.as_bytes().to_vec() })?;
        Ok(())
    }
}
