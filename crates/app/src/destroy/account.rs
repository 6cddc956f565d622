//! A person leaves: where nothing keeps a copy of theirs, all of them go at once with the key of the account.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, TryLockError};

use tenure_model::Instant;
use tenure_policy::Due;
use tenure_receipts::{Digest, Statement};
use tenure_store::{
    AccountKeys, AccountRow, BatchId, BatchStage, CopyKey, CopyRow, CopyStage, PageId, PageState, RecordId,
    RecordRow, StoreExt as _, Tx, Wrap,
};
use tenure_vault::{AccountName, Tree};

use super::refuse_if_needed;
use crate::filing::class_name;
use crate::marks::Deletion;
use crate::pages::{in_vault, shelf};
use crate::record::Holds;
use crate::sweep::{Judge, Judged, Sweep, Swept, sealing};
use crate::{Error, Policies, Tenure};

/// How many copies are read at once.
const SLICE: usize = 1_000;

/// What became of everything that an account had.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Erased {
    /// How many records were deleted.
    pub records: u64,
    /// How many copies were destroyed at once, by class.
    pub destroyed: BTreeMap<String, u64>,
    /// How many copies are left for the sweep, or for as long as something keeps them.
    pub left: u64,
}

/// What one transaction made of an account.
struct Taken {
    /// How many records were deleted.
    records: u64,
    /// How many copies are left.
    left: u64,
    /// The batch that goes.
    batch: Option<BatchId>,
    /// The root over its copies, if they are all that there were, and no way back is left.
    settled: Option<Digest>,
}

/// What one transaction found of an account's copies.
#[derive(Default)]
struct Verdicts {
    due: Vec<(CopyKey, Due)>,
    kept: u64,
}

impl Tenure {
    /// Deletes everything of an account and closes it. Where nothing keeps any copy of it, all of them are
    /// destroyed before the answer, by the key of the account; otherwise the sweep destroys what is due.
    pub fn erase_account(&self, account: &str, now: Instant) -> Result<Erased, Error> {
        // One at a time; a sweep, which may take long, is not waited for.
        let _turn = self.erasing.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = match self.sweeping.try_lock() {
            Ok(alone) => Some(alone),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        };
        if alone.is_some() {
            match self.erase_at_once(account, now) {
                // Where destruction is stopped or somebody else destroys, the deletion is recorded all the same.
                Err(Error::Paused(_) | Error::Observes | Error::SweptElsewhere(_)) => {}
                answered => return answered,
            }
        }
        let records = self.delete(Deletion::Account(account.to_owned()), now)?;
        let row = self.account(account)?;
        let left = self.store.read(|tx| count_openable(tx, &row))?;
        Ok(Erased { records, left, ..Erased::default() })
    }

    fn erase_at_once(&self, account: &str, now: Instant) -> Result<Erased, Error> {
        let mut sweep = Sweep::at_once(self, now)?;
        let erased = sweep.erase(account);
        if erased.is_err() {
            // A lease that can't be given back lapses by itself.
            drop(sweep.end());
        }
        erased
    }

    /// Takes the key of an account away, moves those of others off its page, and gives the page.
    fn take_key(&self, tx: &mut dyn Tx, row: &AccountRow) -> Result<Option<PageId>, Error> {
        let Some(Wrap { page, .. }) = row.keys.account else { return Ok(None) };
        // Nothing new may come onto a page whose key is about to go.
        tx.set_page_state(page, PageState::Full)?;
        tx.set_account_keys(row.key, &AccountKeys { account: None, ..row.keys.clone() })?;
        for account in tx.accounts_of_page(page)? {
            let row = tx.account(account)?.ok_or(Error::UnknownAccount)?;
            let key = self.account_key(&row)?;
            let name = AccountName { organisation: row.organisation.as_deref(), account: &row.id };
            let page = self.pages.slot(tx, Tree::Account, &shelf(Tree::Account))?;
            let sealed = self.vault.wrap_account(&name, in_vault(page), &key)?.as_bytes().to_vec();
            let keys = AccountKeys { account: Some(Wrap { page, sealed }), ..row.keys.clone() };
            tx.set_account_keys(row.key, &keys)?;
        }
        Ok(Some(page))
    }
}

impl Sweep<'_> {
    /// Erases an account, after what an earlier call left half destroyed: whoever asks again is told of its end.
    fn erase(&mut self, account: &str) -> Result<Erased, Error> {
        let unfinished = self.tenure.unfinished_batches()?;
        if !unfinished.is_empty() {
            // Their next step may be one outside the store, for which the lease must be had.
            self.write(|_| Ok(()))?;
        }
        for batch in unfinished {
            self.destroy_batch(batch)?;
        }
        self.swept = Swept::default();
        let Taken { records, left, batch, settled } = self.take_account(account)?;
        self.last = settled.is_some();
        self.settled = batch.zip(settled);
        if let Some(batch) = batch {
            self.destroy_batch(batch)?;
        }
        if !self.last {
            self.end()?;
        }
        Ok(Erased { records, destroyed: std::mem::take(&mut self.swept.destroyed), left })
    }

    /// Records the deletion, judges every copy of the account, and takes its key away if all are due.
    fn take_account(&self, account: &str) -> Result<Taken, Error> {
        let (tenure, policies) = (self.tenure.clone(), Arc::clone(&self.policies));
        let (account, now) = (account.to_owned(), self.now);
        self.write(move |tx| {
            let policies = Policies::current(tx, &policies)?;
            let deleted = tenure.delete_in(tx, &Deletion::Account(account), now)?;
            let (row, records) = (&deleted.person.row, deleted.count);
            let holds = Holds::load(tx)?;
            let copies = openable(tx, row)?;
            let found = tenure.judge_account(tx, &policies, &holds, &deleted.records, &copies, now)?;
            if found.due.is_empty() {
                return Ok(Taken { records, left: found.kept, batch: None, settled: None });
            }
            let (batch, classes) = (tx.open_batch(now, holds.epoch)?, tx.classes()?);
            let mut ended = Vec::with_capacity(found.due.len());
            for (key, due) in found.due {
                ended.push((key, sealing(&due, key, class_name(&classes, key.class), batch, now)?));
            }
            if found.kept > 0 {
                tx.seal_copies(&ended)?;
                return Ok(Taken { records, left: found.kept, batch: Some(batch), settled: None });
            }
            // Everything goes, and the check was made in this same transaction: no stage lies between that in which
            // the copies live and that without a way back.
            let keys: Vec<CopyKey> = ended.iter().map(|(key, _)| *key).collect();
            let root = tenure.root_of(&classes, batch, &keys);
            let statement = Statement::CopiesSealed { count: keys.len() as u64, root };
            let seq = tenure.state_by_house(tx, statement, now)?;
            tx.set_batch_statement(batch, seq)?;
            tx.shred_copies(&ended)?;
            let row = tx.account(row.key)?.ok_or(Error::UnknownAccount)?;
            let pages: Vec<PageId> = tenure.take_key(tx, &row)?.into_iter().collect();
            refuse_if_needed(tx, &pages)?;
            tx.set_batch_pages(batch, holds.epoch, &pages)?;
            tx.set_batch_stage(batch, BatchStage::Shredding { sealed_at: now })?;
            Ok(Taken { records, left: 0, batch: Some(batch), settled: Some(root) })
        })
    }
}

impl Tenure {
    /// Judges copies of one account, each record once. What a batch has sealed already goes its own way, and needs
    /// the account's key if it returns.
    fn judge_account(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        holds: &Holds,
        records: &[RecordRow],
        copies: &[CopyRow],
        now: Instant,
    ) -> Result<Verdicts, Error> {
        let classes = tx.classes()?;
        let mut judge = Judge::new(self, policies, holds, now, now);
        judge.know(records);
        let mut found = Verdicts::default();
        let by_id: HashMap<RecordId, &RecordRow> = records.iter().map(|record| (record.id, record)).collect();
        for of_record in copies.chunk_by(|one, next| one.key.record == next.key.record) {
            let Some(first) = of_record.first() else { continue };
            let record = by_id.get(&first.key.record).copied().ok_or(Error::UnknownRecord)?;
            let names = of_record.iter().map(|copy| class_name(&classes, copy.key.class));
            let mut verdicts = Vec::with_capacity(of_record.len());
            judge.judge_each(tx, record.clone(), names, |_, judged| verdicts.push(judged))?;
            for (copy, judged) in of_record.iter().zip(verdicts) {
                match judged {
                    Judged::Due(due) if copy.state.stage() == CopyStage::Live => {
                        found.due.push((copy.key, due));
                    }
                    _ => found.kept += 1,
                }
            }
        }
        Ok(found)
    }
}

/// The copies of an account that are not destroyed, by record.
fn openable(tx: &mut dyn tenure_store::ReadTx, row: &AccountRow) -> Result<Vec<CopyRow>, Error> {
    let (mut copies, mut after): (Vec<CopyRow>, Option<CopyKey>) = (Vec::new(), None);
    loop {
        let slice = tx.copies_of(row.key, after, SLICE)?;
        let Some(last) = slice.last() else { return Ok(copies) };
        after = Some(last.key);
        let there = |copy: &CopyRow| matches!(copy.state.stage(), CopyStage::Live | CopyStage::Sealed);
        copies.extend(slice.into_iter().filter(there));
    }
}

fn count_openable(tx: &mut dyn tenure_store::ReadTx, row: &AccountRow) -> Result<u64, Error> {
    Ok(openable(tx, row)?.len() as u64)
}
