//! Training copies: what a sealed run has written is a copy of its own, and is judged as one.

use tenure_model::Instant;
use tenure_policy::language::Version;
use tenure_store::{
    AccountKey, CopyRow, ReadTx, RecordRow, RunId, RunRecordRow, RunRow, RunState, StoreExt as _, Tx,
};

use crate::filing::{class_name, filed};
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Holds, Reader, With};
use crate::{Error, Tenure};

/// The class of what was written into runs.
const TRAINING_COPY: &str = "training_copy";
/// That a run's copies are still to be made.
pub(super) const COPIES_DUE: &str = "due";
const COPIES_MADE: &str = "made";
/// How many records one transaction makes copies of.
const SLICE: usize = 64;

/// Where the store says whether a run's copies are made.
pub(super) fn copies_key(run: RunId) -> String {
    format!("copies-of-{run}")
}

/// Whether a run is sealed and its copies are still to be made.
pub(super) fn copies_due(tx: &mut dyn ReadTx, run: &RunRow) -> Result<bool, Error> {
    let is_sealed = matches!(run.state, RunState::Sealed { .. });
    Ok(is_sealed && tx.meta(&copies_key(run.id))?.as_deref() == Some(COPIES_DUE))
}

impl Tenure {
    /// Finishes runs that were sealed before a crash: makes the training copies that they lack. Gives how
    /// many copies were made; safe to repeat.
    pub fn finish_runs(&self, now: Instant) -> Result<u64, Error> {
        let due = self.store.read(|tx| {
            let mut due = Vec::new();
            for run in tx.runs()? {
                if copies_due(tx, &run)? {
                    due.push(run);
                }
            }
            Ok::<_, Error>(due)
        })?;
        let mut made = 0;
        for run in due {
            made += self.make_copies(&run, now)?;
        }
        Ok(made)
    }

    fn make_copies(&self, run: &RunRow, now: Instant) -> Result<u64, Error> {
        let policies = self.policies()?;
        let (mut made, mut from_row) = (0, 0);
        loop {
            let (tenure, policies) = (self.clone(), std::sync::Arc::clone(&policies));
            let (id, purpose) = (run.id, run.purpose.clone());
            let (last, count) = self.store.write(move |tx| {
                let rows = tx.records_of_run(id, from_row, SLICE)?;
                let Some(last) = rows.last().map(|row| row.first_row) else {
                    tx.set_meta(&copies_key(id), COPIES_MADE)?;
                    return Ok::<_, Error>((None, 0));
                };
                let count = tenure.copy_slice(tx, &policies, &purpose, &rows, now)?;
                Ok((Some(last), count))
            })?;
            made += count;
            match last {
                Some(last) => from_row = last.saturating_add(1),
                None => return Ok(made),
            }
        }
    }

    fn copy_slice(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        purpose: &str,
        rows: &[RunRecordRow],
        now: Instant,
    ) -> Result<u64, Error> {
        let copier = Copier { tenure: self, policies, purpose, holds: Holds::load(tx)?, now };
        let mut person: Option<(AccountKey, Person)> = None;
        let mut made = 0;
        for row in rows {
            if person.as_ref().is_none_or(|(key, _)| *key != row.account) {
                person = Some((row.account, self.person_of(tx, row.account)?));
            }
            let Some((_, person)) = &person else { continue };
            made += u64::from(copier.copy(tx, person, row)?);
        }
        Ok(made)
    }
}

/// What the copies of one slice are made with.
struct Copier<'a> {
    tenure: &'a Tenure,
    policies: &'a Policies,
    purpose: &'a str,
    holds: Holds,
    now: Instant,
}

impl Copier<'_> {
    /// Makes the training copy of a record, if it has none, the terms keep one, and the class that the run
    /// read is there still.
    fn copy(&self, tx: &mut dyn Tx, person: &Person, row: &RunRecordRow) -> Result<bool, Error> {
        let classes = tx.classes()?;
        let copies = tx.copies_of_record(row.account, row.record)?;
        if copies.iter().any(|copy| class_name(&classes, copy.key.class) == TRAINING_COPY) {
            return Ok(false);
        }
        let known = |record: &RecordRow| self.policies.of_surface(&record.surface).is_some();
        let Some(record) = tx.record(row.record)?.filter(known) else { return Ok(false) };
        let loaded = Reader::new(self.policies, person).load(tx, record, With::Nothing)?;
        let parsed = self.holds.as_facts();
        let facts = loaded.facts(person, &[], &parsed, self.now);
        let verdict = loaded.lineage.judge(&facts);
        let tree = loaded.lineage.tree(verdict.judged);
        let place = tree.bodies.iter().position(|class| class == TRAINING_COPY);
        let class = place.and_then(|place| verdict.classes.get(place));
        if class.is_none_or(|class| class.until.is_none()) {
            return Ok(false);
        }
        // A copy of a class that the run may not read would give the key just as well, but it is not to.
        let is_read = |copy: &&CopyRow| is_read(tree, self.purpose, class_name(&classes, copy.key.class));
        let read: Vec<CopyRow> = copies.iter().filter(is_read).cloned().collect();
        let Some(body) = self.tenure.body_key(person, row.record, &read, tx)? else { return Ok(false) };
        let account = self.tenure.account_key(&person.row)?;
        let filed = filed(&loaded.lineage, &facts, &verdict, TRAINING_COPY)?;
        let keys = Some((&account, &body));
        self.tenure.insert_copy(tx, &person.row, keys, row.record, TRAINING_COPY, &filed, self.now)?;
        Ok(true)
    }
}

/// Whether a use rule for the purpose names the class.
fn is_read(tree: &Version, purpose: &str, class: &str) -> bool {
    tree.uses.iter().any(|rule| rule.purpose == purpose && rule.class == class)
}
