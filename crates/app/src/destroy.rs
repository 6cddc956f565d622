//! The one door: sealed in the ledger, keys destroyed, bytes removed, verified absent; each step safe to repeat.
//!
//! A batch of copies goes through it together:
//!
//! 1. *Gathering*: copies are sealed into the batch, so nothing uses them any more.
//! 2. *Sealed*: one statement over the root of their blinded items is in the ledger.
//! 3. Pages that also hold keys of others are emptied of those, by wrapping them anew elsewhere.
//! 4. *Shredding*: everything is read and judged again, a few copies at a time; what is kept after all goes back. The
//!    rest is gone as far as anyone may know, and the pages' keys are about to be destroyed.
//! 5. *Shredded*: the keys are destroyed, a statement over the root of what is gone says so, and which copies
//!    it names is kept for good.
//! 6. *Removed* and *verified*: bodies that no copy can open any more are let go of, and the packs in which they lay
//!    are gone ([`bytes`]).
//!
//! What was sealed is an announcement, over the copies of the batch at that time. Only what is stated from
//! *shredded* on is evidence: it names none that went back, and still names a fact that returns later.
//!
//! A crash between two steps leaves the batch in the stage before, and the next sweep goes on from there.

mod account;
mod bytes;
mod items;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{
    BatchId, BatchRow, BatchStage, ClassId, CopyKey, CopyRow, CopyStage, CopyState, PageId, PageState,
    StoreExt as _, Tx, Wrap,
};
use tenure_vault::CopyName;

use crate::filing::{Filed, class_name, file};
use crate::pages::{in_vault, tree_word};
use crate::person::{Person, wrap_of};
use crate::policies::Policies;
use crate::record::Holds;
use crate::sweep::{Judge, Judged, Sweep, sealing};
use crate::{Error, Tenure};

pub use account::Erased;
pub(crate) use items::{copies_of, destroyed_of, items_of};

/// How many pages one transaction empties.
const PAGES_A_SLICE: usize = 16;
/// How many copies one transaction judges again. Others who write wait for no more than that.
const CHECKED: usize = 32;

impl Tenure {
    /// Batches whose keys are not destroyed yet.
    pub(crate) fn unfinished_batches(&self) -> Result<Vec<BatchId>, Error> {
        self.store.read(|tx| {
            let batches = tx.unfinished_batches()?.into_iter();
            Ok(batches.filter(|batch| !has_shredded(batch.stage)).map(|batch| batch.id).collect())
        })
    }

    /// States something of all copies of a batch, if there are any, and keeps where the ledger says it.
    fn state_of_batch(
        &self,
        tx: &mut dyn Tx,
        batch: BatchId,
        copies: &[CopyKey],
        statement: Statement,
        now: Instant,
    ) -> Result<(), Error> {
        if !copies.is_empty() {
            let seq = self.state_by_house(tx, statement, now)?;
            tx.set_batch_statement(batch, seq)?;
        }
        Ok(())
    }

    /// Destroys page keys and proves them absent.
    pub(crate) fn destroy_keys(&self, pages: &[PageId]) -> Result<(), Error> {
        let keys: Vec<_> = pages.iter().copied().map(in_vault).collect();
        self.vault.pages().destroy(&keys)?;
        if self.vault.verify_pages_absent(&keys)?.iter().all(|absent| *absent) {
            return Ok(());
        }
        Err(Error::Refused(
            "a page's key is still there after it was destroyed: nothing was recorded".to_owned(),
        ))
    }
}

/// Whether the keys of a batch in this stage are destroyed.
pub(crate) const fn has_shredded(stage: BatchStage) -> bool {
    matches!(stage, BatchStage::Shredded { .. } | BatchStage::Removed { .. } | BatchStage::Verified { .. })
}

impl Sweep<'_> {
    /// Takes a batch through the door, from whatever stage it is in, until its keys are destroyed.
    pub(crate) fn destroy_batch(&mut self, id: BatchId) -> Result<(), Error> {
        loop {
            let batch = self
                .tenure
                .store
                .read(|tx| tx.batch(id)?.ok_or(Error::Refused("the batch is gone".to_owned())))?;
            match batch.stage {
                BatchStage::Gathering => self.seal_batch(id)?,
                BatchStage::Sealed { sealed_at } => {
                    self.swept.rewrapped += self.empty_pages(id)?;
                    self.check_again(id, sealed_at)?;
                }
                BatchStage::Shredding { sealed_at } => self.shred(&batch, sealed_at)?,
                BatchStage::Shredded { .. } | BatchStage::Removed { .. } | BatchStage::Verified { .. } => {
                    return Ok(());
                }
            }
        }
    }

    /// States in the ledger what is about to go.
    fn seal_batch(&self, id: BatchId) -> Result<(), Error> {
        let (tenure, now) = (self.tenure.clone(), self.now);
        self.write(move |tx| {
            let copies = copies_of(tx, id)?;
            let keys = keys_of(&copies);
            let root = tenure.root_of(&tx.classes()?, id, &keys);
            let statement = Statement::CopiesSealed { count: keys.len() as u64, root };
            tenure.state_of_batch(tx, id, &keys, statement, now)?;
            tx.set_batch_stage(id, BatchStage::Sealed { sealed_at: now })?;
            Ok(())
        })
    }

    /// Wraps anew, on other pages, the keys that live on pages of the batch, and says how many.
    fn empty_pages(&self, id: BatchId) -> Result<u64, Error> {
        let pages: Vec<PageId> = self.tenure.store.read(|tx| {
            let known = tx.batch(id)?.map(|batch| batch.old_pages).unwrap_or_default();
            let mut shared = Vec::new();
            for page in with_pages_of(known, &copies_of(tx, id)?) {
                // Nothing comes onto a full page any more, so that one of this batch alone goes as it is.
                let lies_alone = tx.page(page)?.is_some_and(|row| row.state != PageState::Open)
                    && tx.copies_of_page(page)?.iter().all(|copy| copy.state.batch() == Some(id));
                if !lies_alone {
                    shared.push(page);
                }
            }
            Ok::<_, Error>(shared)
        })?;
        let mut moved = 0;
        for slice in pages.chunks(PAGES_A_SLICE) {
            let (tenure, policies, slice) = (self.tenure.clone(), Arc::clone(&self.policies), slice.to_vec());
            let (now, by) = (self.now, self.by);
            moved += self.write(move |tx| {
                let policies = Policies::current(tx, &policies)?;
                let holds = Holds::load(tx)?;
                let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
                let mut hand = Hand::new(&tenure, tx)?;
                let mut moved = 0;
                for page in slice {
                    moved += hand.empty_page(tx, &mut judge, page, id)?;
                }
                Ok(moved)
            })?;
        }
        Ok(moved)
    }

    /// Reads holds, decisions and flags again, and judges every copy again. What is kept after all goes
    /// back into use; for the rest there is no way back after the transaction that judged it.
    fn check_again(&self, id: BatchId, sealed_at: Instant) -> Result<(), Error> {
        let mut after = None;
        while let Some(last) = self.check_slice(id, sealed_at, after)? {
            after = Some(last);
            self.rest(CHECKED)?;
        }
        Ok(())
    }

    /// The same for some of the copies, from after one on: the last of them, or nothing once all were judged.
    fn check_slice(
        &self,
        id: BatchId,
        sealed_at: Instant,
        after: Option<CopyKey>,
    ) -> Result<Option<CopyKey>, Error> {
        let (tenure, policies) = (self.tenure.clone(), Arc::clone(&self.policies));
        let (now, by) = (self.now, self.by);
        self.write(move |tx| {
            let policies = Policies::current(tx, &policies)?;
            let holds = Holds::load(tx)?;
            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
            let mut hand = Hand::new(&tenure, tx)?;
            let copies = tx.copies_of_batch(id, after, CHECKED)?;
            let last = copies.get(CHECKED - 1).map(|copy| copy.key);
            let known = tx.batch(id)?.map(|batch| batch.old_pages).unwrap_or_default();
            let pages = with_pages_of(known, &copies);
            let mut ended = Vec::new();
            for copy in copies {
                let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;
                let class = class_name(&hand.classes, copy.key.class).to_owned();
                let CopyState::Sealed { wrap, .. } = &copy.state else { continue };
                match judge.judge(tx, record, &class)? {
                    Judged::Due(due) => {
                        ended.push((copy.key, sealing(due, copy.key, &class, id, sealed_at)?));
                    }
                    Judged::Kept { filed, .. } => {
                        let state = CopyState::Live { wrap: wrap.clone() };
                        tx.move_copy(copy.key, CopyStage::Sealed, &state)?;
                        hand.rewrap(tx, &judge, &CopyRow { state, ..copy.clone() }, &filed)?;
                        file(tx, copy.key, &filed)?;
                    }
                }
            }
            // The point of no return: what is ended here was judged inside this transaction.
            tx.shred_copies(&ended)?;
            tx.set_batch_pages(id, holds.epoch, &pages)?;
            if last.is_none() {
                refuse_if_needed(tx, &pages)?;
                tx.set_batch_stage(id, BatchStage::Shredding { sealed_at })?;
            }
            Ok(last)
        })
    }

    /// Destroys the keys, and states what went with them. None of the batch's copies goes back any more, so what is
    /// said of them is made ready beside those who write.
    fn shred(&mut self, batch: &BatchRow, sealed_at: Instant) -> Result<(), Error> {
        self.irrevocably(|| self.tenure.destroy_keys(&batch.old_pages))?;
        let (tenure, pages, now, id) = (self.tenure.clone(), batch.old_pages.clone(), self.now, batch.id);
        let (copies, classes) =
            self.tenure.store.read(|tx| Ok::<_, Error>((copies_of(tx, id)?, tx.classes()?)))?;
        let mut destroyed: BTreeMap<(String, String), u64> = BTreeMap::new();
        for copy in &copies {
            let Some(sealing) = copy.state.sealing() else { continue };
            let kind = (class_name(&classes, copy.key.class).to_owned(), sealing.cause.clone());
            *destroyed.entry(kind).or_default() += 1;
        }
        let keys = keys_of(&copies);
        let settled = self.settled.filter(|(of, _)| *of == id).map(|(_, root)| root);
        let root = settled.unwrap_or_else(|| tenure.root_of(&classes, id, &keys));
        self.write(move |tx| {
            for page in &pages {
                tx.set_page_state(*page, PageState::Destroyed)?;
            }
            let statement = Statement::CopiesShredded { count: keys.len() as u64, root };
            tenure.state_of_batch(tx, id, &keys, statement, now)?;
            tx.insert_destroyed(id, &keys)?;
            tx.set_batch_stage(id, BatchStage::Shredded { sealed_at, shredded_at: now })?;
            Ok(())
        })?;
        self.swept.pages += batch.old_pages.len() as u64;
        self.rest(copies.len())?;
        for ((class, cause), count) in destroyed {
            *self.swept.destroyed.entry(class).or_default() += count;
            *self.swept.causes.entry(cause).or_default() += count;
        }
        Ok(())
    }
}

/// The keys of these pages are about to go, so nothing that is to live on may lie there.
fn refuse_if_needed(tx: &mut dyn Tx, pages: &[PageId]) -> Result<(), Error> {
    for page in pages {
        if !tx.copies_of_page(*page)?.is_empty() || !tx.accounts_of_page(*page)?.is_empty() {
            return Err(Error::Refused(
                "a page whose key was about to be destroyed holds a key that is still needed: nothing was destroyed, run \
                 `tenure doctor`"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

fn keys_of(copies: &[CopyRow]) -> Vec<CopyKey> {
    copies.iter().map(|copy| copy.key).collect()
}

/// These pages, and those on which the keys of copies lie.
fn with_pages_of(known: Vec<PageId>, copies: &[CopyRow]) -> Vec<PageId> {
    let mut pages: BTreeSet<PageId> = known.into_iter().collect();
    pages.extend(copies.iter().filter_map(|copy| copy.state.wrap()).map(|wrap| wrap.page));
    pages.into_iter().collect()
}

/// Moves the keys of copies between pages, and reads each account's key once.
struct Hand<'t> {
    tenure: &'t Tenure,
    classes: Vec<(ClassId, String)>,
    account: Option<(tenure_store::AccountKey, tenure_vault::AccountKey)>,
}

impl<'t> Hand<'t> {
    fn new(tenure: &'t Tenure, tx: &mut dyn Tx) -> Result<Self, Error> {
        Ok(Self { tenure, classes: tx.classes()?, account: None })
    }

    /// Moves what lives on a page elsewhere, and says how many keys: each is judged, so that what only a hold keeps,
    /// or a flag, comes to hang in a tree of its own. What another batch has sealed moves too: it goes with the page
    /// that it lies on when its own turn comes.
    fn empty_page(
        &mut self,
        tx: &mut dyn Tx,
        judge: &mut Judge<'_>,
        page: PageId,
        batch: BatchId,
    ) -> Result<u64, Error> {
        let Some(row) = tx.page(page)? else { return Ok(0) };
        if row.state == PageState::Destroyed {
            return Ok(0);
        }
        // Nothing new may come onto a page whose key is about to go.
        tx.set_page_state(page, PageState::Full)?;
        let stays = |copy: &CopyRow| copy.state.batch() != Some(batch);
        let survivors: Vec<_> = tx.copies_of_page(page)?.into_iter().filter(stays).collect();
        for copy in &survivors {
            let class = class_name(&self.classes, copy.key.class).to_owned();
            let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;
            let filed = judge.file(tx, record, &class)?;
            self.rewrap(tx, judge, copy, &filed)?;
        }
        Ok(survivors.len() as u64)
    }

    /// Moves a copy's key to a page of where it is filed now. The body is not touched.
    fn rewrap(
        &mut self,
        tx: &mut dyn Tx,
        judge: &Judge<'_>,
        copy: &CopyRow,
        filed: &Filed,
    ) -> Result<(), Error> {
        let Some(wrap) = copy.state.wrap() else { return Ok(()) };
        let person = judge.person().filter(|person| person.row.key == copy.key.account);
        let person = person.ok_or(Error::UnknownAccount)?;
        let class = class_name(&self.classes, copy.key.class).to_owned();
        let record = copy.key.record.to_string();
        let name = CopyName {
            organisation: person.row.organisation.as_deref(),
            account: &person.row.id,
            record: &record,
            class: &class,
        };
        let key = self.account_key(person)?;
        let body = key.0.vault.unwrap(&name, key.1, in_vault(wrap.page), &wrap_of(wrap)?)?;
        let shelf = tenure_store::Shelf {
            tree: tree_word(filed.tree).to_owned(),
            class: Some(copy.key.class),
            day: filed.expires,
        };
        let page = key.0.pages.slot(tx, filed.tree, &shelf)?;
        let sealed = key.0.vault.wrap(&name, key.1, in_vault(page), &body)?;
        tx.rewrap_copy(copy.key, &Wrap { page, sealed: sealed.as_bytes().to_vec() })?;
        Ok(())
    }

    fn account_key(&mut self, person: &Person) -> Result<(&'t Tenure, &tenure_vault::AccountKey), Error> {
        let account = person.row.key;
        if self.account.as_ref().is_none_or(|(known, _)| *known != account) {
            self.account = Some((account, self.tenure.account_key(&person.row)?));
        }
        let (_, key) = self.account.as_ref().ok_or(Error::UnknownAccount)?;
        Ok((self.tenure, key))
    }
}
