//! What happens to records: flagged, scanned, given feedback, deleted by their person.

use tenure_model::Instant;
use tenure_policy::language::Version;
use tenure_receipts::Statement;
use tenure_store::{
    CopyRow, CopyStage, CopyState, RecordFacts, RecordId, RecordRow, StoreExt as _, Tx, Unflagged,
};

use crate::filing::{file, filed};
use crate::person::Person;
use crate::record::{Holds, Reader, With};
use crate::{Error, Policies, Tenure};

/// What a classifier found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scan {
    /// The record violates the usage policy.
    Flagged,
    /// It was looked at and does not; an earlier flag is cleared.
    Clear,
}

/// What a person asks to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deletion {
    /// The conversation that a record is part of.
    ConversationOf(RecordId),
    /// Every conversation of an account, which is closed.
    Account(String),
}

/// What a deletion reached.
pub(crate) struct Deleted {
    /// The account, as it was before.
    pub(crate) person: Person,
    /// Every record that it was about, as it is now.
    pub(crate) records: Vec<RecordRow>,
    /// How many of them were not deleted before.
    pub(crate) count: u64,
}

impl Tenure {
    /// Records what a classifier found about a record.
    ///
    /// A flag makes the copies of the classes of facts that the judging version keeps for flagged records.
    pub fn scan(&self, record: RecordId, scan: Scan, now: Instant) -> Result<(), Error> {
        self.change(record, now, move |facts| match scan {
            Scan::Flagged => {
                RecordFacts { scanned: Some(true), flagged_at: facts.flagged_at.or(Some(now)), ..facts }
            }
            Scan::Clear => RecordFacts {
                scanned: Some(true),
                flagged_at: None,
                unflagged: facts
                    .flagged_at
                    .map(|flagged_at| Unflagged { flagged_at, cleared_at: now })
                    .or(facts.unflagged),
                ..facts
            },
        })
    }

    /// Records that somebody gave feedback on a record, which keeps a copy of its own.
    pub fn feedback(&self, record: RecordId, now: Instant) -> Result<(), Error> {
        self.change(record, now, move |facts| RecordFacts {
            feedback_at: facts.feedback_at.or(Some(now)),
            ..facts
        })
    }

    fn change(
        &self,
        record: RecordId,
        now: Instant,
        change: impl FnOnce(RecordFacts) -> RecordFacts + Clone + Send + 'static,
    ) -> Result<(), Error> {
        let (policies, tenure) = (self.policies()?, self.clone());
        self.store.write(move |tx| {
            let (person, row) = tenure.find_record(tx, record)?;
            let facts = change(row.facts);
            if facts == row.facts {
                return Ok(());
            }
            tx.set_record_facts(row.account, row.id, &facts)?;
            for statement in changes(&row, &facts) {
                let proof = tenure.proof_key(&person.row)?;
                tenure.state(tx, &person.row, &proof, statement, now)?;
            }
            tenure.add_copies(tx, &policies, &person, RecordRow { facts, ..row }, now)?;
            Ok(tx.mark_refile(person.row.key)?)
        })
    }

    /// Makes the copies that what happened to a record calls for: its scores, its feedback.
    fn add_copies(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        person: &Person,
        row: RecordRow,
        now: Instant,
    ) -> Result<(), Error> {
        let holds = Holds::load(tx)?;
        let parsed = holds.as_facts();
        let loaded = Reader::new(policies, person).load(tx, row, With::Nothing)?;
        let facts = loaded.facts(person, &[], &parsed, now);
        let verdict = loaded.lineage.judge(&facts);
        let tree = loaded.lineage.tree(verdict.judged);
        let copies = tx.copies_of_record(loaded.row.account, loaded.row.id)?;
        for (place, class) in called_for(tree, &loaded.row.facts) {
            let has_basis = verdict.classes.get(place).is_some_and(|class| class.until.is_some());
            let class_id = tx.intern_class(class)?;
            let earlier = copies.iter().find(|copy| copy.key.class == class_id);
            let is_fact = tree.facts.iter().any(|fact| fact == class);
            let may_return = |copy: &CopyRow| is_fact && copy.state.stage() >= CopyStage::Shredded;
            if !has_basis || earlier.is_some_and(|copy| !may_return(copy)) {
                continue;
            }
            let filed = filed(&loaded.lineage, &facts, &verdict, class)?;
            if let Some(earlier) = earlier {
                // A fact has no key that was destroyed: what is known of the record now is known anew. That it was
                // destroyed before stays stated.
                tx.move_copy(earlier.key, earlier.state.stage(), &CopyState::Live { wrap: None })?;
                file(tx, earlier.key, &filed)?;
            } else if is_fact {
                self.insert_copy(tx, &person.row, None, loaded.row.id, class, &filed, now)?;
            } else if let Some(body) = self.body_key(person, loaded.row.id, &copies, tx)? {
                let account = self.account_key(&person.row)?;
                self.insert_copy(
                    tx,
                    &person.row,
                    Some((&account, &body)),
                    loaded.row.id,
                    class,
                    &filed,
                    now,
                )?;
            }
        }
        Ok(())
    }

    /// Records that a person asked for deletion, and gives how many records it reaches.
    ///
    /// Nothing is destroyed here: deletion changes what the terms keep, and the sweep destroys what is due.
    pub fn delete(&self, deletion: Deletion, now: Instant) -> Result<u64, Error> {
        let tenure = self.clone();
        self.store.write(move |tx| Ok(tenure.delete_in(tx, &deletion, now)?.count))
    }

    /// The same within a transaction.
    pub(crate) fn delete_in(
        &self,
        tx: &mut dyn Tx,
        deletion: &Deletion,
        now: Instant,
    ) -> Result<Deleted, Error> {
        let (person, mut records) = self.records_to_delete(tx, deletion)?;
        let whole = matches!(deletion, Deletion::Account(_));
        let mut fresh = Vec::new();
        for record in records.iter_mut().filter(|record| record.facts.deleted_at.is_none()) {
            record.facts.deleted_at = Some(now);
            if !whole {
                tx.set_record_facts(record.account, record.id, &record.facts)?;
            }
            fresh.push(record.id.to_string());
        }
        if whole {
            tx.delete_records(person.row.key, now)?;
        }
        let count = fresh.len() as u64;
        let proof = self.proof_key(&person.row)?;
        if !fresh.is_empty() {
            self.state(tx, &person.row, &proof, Statement::DeletionAsked { records: fresh }, now)?;
        }
        if whole && person.row.facts.closed_at.is_none() {
            let facts = tenure_store::AccountFacts { closed_at: Some(now), ..person.row.facts.clone() };
            tx.set_account_facts(person.row.key, &facts)?;
            self.state(tx, &person.row, &proof, Statement::AccountClosed, now)?;
        }
        tx.mark_refile(person.row.key)?;
        Ok(Deleted { person, records, count })
    }

    fn records_to_delete(
        &self,
        tx: &mut dyn Tx,
        deletion: &Deletion,
    ) -> Result<(Person, Vec<RecordRow>), Error> {
        match deletion {
            Deletion::ConversationOf(record) => {
                let (person, row) = self.find_record(tx, *record)?;
                let records = crate::record::records_of_conversation(tx, row.account, row.conversation)?;
                Ok((person, records))
            }
            Deletion::Account(id) => {
                let row = crate::accounts::account_of(tx, id)?;
                let person = self.person(tx, row)?;
                let (mut records, mut after) = (Vec::new(), None);
                loop {
                    let slice = tx.records_of(person.row.key, after, 1_000)?;
                    let Some(last) = slice.last() else { return Ok((person, records)) };
                    after = Some(last.id);
                    records.extend(slice);
                }
            }
        }
    }

    /// The key of a record's body, by any copy that still opens it.
    pub(crate) fn body_key(
        &self,
        person: &Person,
        record: RecordId,
        copies: &[CopyRow],
        tx: &mut dyn tenure_store::ReadTx,
    ) -> Result<Option<tenure_vault::BodyKey>, Error> {
        let live = copies.iter().find_map(|copy| match &copy.state {
            CopyState::Live { wrap: Some(wrap) } => Some((copy.key.class, wrap)),
            _ => None,
        });
        let Some((class, wrap)) = live else { return Ok(None) };
        let classes = tx.classes()?;
        let record = record.to_string();
        let name = tenure_vault::CopyName {
            organisation: person.row.organisation.as_deref(),
            account: &person.row.id,
            record: &record,
            class: crate::filing::class_name(&classes, class),
        };
        let account = self.account_key(&person.row)?;
        let page = crate::pages::in_vault(wrap.page);
        Ok(Some(self.vault.unwrap(&name, &account, page, &crate::person::wrap_of(wrap)?)?))
    }
}

/// What a change of a record's facts states.
fn changes(row: &RecordRow, facts: &RecordFacts) -> Vec<Statement> {
    let record = row.id.to_string();
    let mut statements = Vec::new();
    if facts.flagged_at != row.facts.flagged_at {
        statements.push(Statement::Flagged { record: record.clone(), flagged: facts.flagged_at.is_some() });
    }
    if facts.feedback_at != row.facts.feedback_at {
        statements.push(Statement::Feedback { record });
    }
    statements
}

/// The classes that what happened to a record calls for: facts about flagged records, and the copy that
/// feedback keeps.
fn called_for<'v>(tree: &'v Version, facts: &RecordFacts) -> Vec<(usize, &'v str)> {
    let (flagged, feedback) = (facts.flagged_at.is_some(), facts.feedback_at.is_some());
    let bodies = tree.bodies.len();
    let called =
        move |(place, class): &(usize, &str)| *place >= bodies && flagged || *class == "feedback" && feedback;
    tree.classes().enumerate().filter(called).collect()
}
