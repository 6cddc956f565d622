//! Figures: how many copies there are, what keeps them, and whether each went in time.
//!
//! Nothing here changes anything. Counts cost a scan; an inventory judges every record.

use tenure_model::{Day, Instant, Kind, Mode};
use tenure_policy::{Facts, FiledUnder};
use tenure_store::{
    AccountKey, BatchId, ClassId, CopyKey, CopyRow, CopyStage, CopyState, ReadTx, RecordId, RecordRow,
    StoreExt as _,
};

use crate::filing::{SHARD, class_name};
use crate::person::Person;
use crate::record::{Holds, Loaded, Reader, With};
use crate::{Error, Tenure};

/// How many rows are read at once.
const SLICE: usize = 1_000;

/// How many copies of a class there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClassCount {
    /// The class.
    pub class: String,
    /// Copies that exist.
    pub live: u64,
    /// Those of them that nothing but a hold keeps, as of the last sweep.
    pub held: u64,
    /// Those of them that nothing but the grace of a released hold keeps.
    pub in_grace: u64,
    /// Copies whose key is destroyed.
    pub destroyed: u64,
}

/// How much there is of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figures {
    /// Accounts, the house's own left out.
    pub accounts: u64,
    /// Conversations.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// Messages.
    pub messages: u64,
    /// Statements in the ledger.
    pub statements: u64,
    /// Copies, by class.
    pub copies: Vec<ClassCount>,
}

/// One copy, and what the terms say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFigure {
    /// Whose it is.
    pub account: String,
    /// Of which record.
    pub record: RecordId,
    /// The record's surface.
    pub surface: String,
    /// Chat or code.
    pub kind: Kind,
    /// Normal or incognito.
    pub mode: Mode,
    /// When the record was created.
    pub began_at: Instant,
    /// The class.
    pub class: String,
    /// When its key was destroyed, if it was.
    pub destroyed_at: Option<Instant>,
    /// By when it must be gone; nothing while a hold or a term without an end keeps it.
    pub due_at: Option<Instant>,
    /// Whether a hold covers it now.
    pub held: bool,
}

/// A copy that was destroyed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destruction {
    /// The record's surface.
    pub surface: String,
    /// The class.
    pub class: String,
    /// By when it had to be gone.
    pub due_at: Instant,
    /// When its key was destroyed.
    pub destroyed_at: Instant,
}

/// How far [`Tenure::destructions`] has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DestructionCursor(Option<BatchId>);

impl Tenure {
    /// Counts everything.
    pub fn figures(&self) -> Result<Figures, Error> {
        self.store.read(|tx| {
            let totals = tx.totals()?;
            let mut copies: Vec<ClassCount> = Vec::new();
            for (id, class) in tx.classes()? {
                let held = filed_under(tx, id, FiledUnder::HELD)?;
                let in_grace = filed_under(tx, id, FiledUnder::RELEASED)?;
                copies.push(ClassCount { class, live: 0, held, in_grace, destroyed: 0 });
                let Some(count) = copies.last_mut() else { continue };
                for stage in tx.stage_counts()?.into_iter().filter(|stage| stage.class == id) {
                    match stage.stage {
                        CopyStage::Live => count.live += stage.copies,
                        CopyStage::Sealed | CopyStage::Shredding => {}
                        CopyStage::Shredded | CopyStage::Removed | CopyStage::Verified => {
                            count.destroyed += stage.copies;
                        }
                    }
                }
            }
            Ok(Figures {
                accounts: totals.accounts.saturating_sub(1),
                conversations: totals.conversations,
                records: totals.records,
                messages: totals.messages,
                statements: totals.statements,
                copies,
            })
        })
    }

    /// The records of an account.
    pub fn records_of(&self, account: &str) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let row = tx.account_by_id(None, account)?.ok_or(Error::UnknownAccount)?;
            all_records(tx, row.key)
        })
    }

    /// Every copy that there is or was, judged at an instant.
    pub fn inventory(&self, now: Instant) -> Result<Vec<CopyFigure>, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (holds, classes) = (Holds::load(tx)?, tx.classes()?);
            let holds = holds.as_facts();
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let accounts = tx.accounts(after, SLICE)?;
                let Some(last) = accounts.last() else { return Ok(found) };
                after = Some(last.key);
                for row in accounts {
                    let person = self.person(tx, row)?;
                    let mut reader = Reader::new(&policies, &person);
                    for record in all_records(tx, person.row.key)? {
                        let copies = tx.copies_of_record(record.account, record.id)?;
                        let loaded = reader.load(tx, record, With::Nothing)?;
                        let facts = loaded.facts(&person, &[], &holds, now);
                        let of_record = copies.iter().map(|copy| {
                            copy_figure(&person, &loaded, &facts, copy, class_name(&classes, copy.key.class))
                        });
                        found.extend(of_record);
                    }
                }
            }
        })
    }

    /// The copies destroyed since a cursor, each with the instant by which it had to be gone.
    ///
    /// `checked` is an instant at which none of them was overdue, such as that of the sweep before: the
    /// first instant after it at which nothing kept a copy any more is the copy's deadline.
    pub fn destructions(
        &self,
        cursor: &mut DestructionCursor,
        checked: Instant,
    ) -> Result<Vec<Destruction>, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (holds, classes) = (Holds::load(tx)?, tx.classes()?);
            let holds = holds.as_facts();
            let mut found = Vec::new();
            loop {
                let batches = tx.batches(cursor.0, SLICE)?;
                let Some(last) = batches.last() else { return Ok(found) };
                cursor.0 = Some(last.id);
                let mut copies = Vec::new();
                for batch in batches {
                    copies.extend(copies_of(tx, batch.id)?);
                }
                for copy in copies {
                    let Some(destroyed_at) = destroyed_at(&copy) else { continue };
                    let class = class_name(&classes, copy.key.class);
                    let person = self.person_of(tx, copy.key.account)?;
                    let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;
                    let loaded = Reader::new(&policies, &person).load(tx, record, With::Nothing)?;
                    let due = |at| due_at(&loaded, &loaded.facts(&person, &[], &holds, at), class).0;
                    let due_at = deadline(due, checked.max(copy.created_at), destroyed_at);
                    let surface = loaded.row.surface.clone();
                    found.push(Destruction { surface, class: class.to_owned(), due_at, destroyed_at });
                }
            }
        })
    }
}

/// By when a copy had to be gone that was destroyed at an instant.
///
/// Where something would have kept it longer, that is the end of it; otherwise the first instant at which
/// nothing did, which is looked for between an instant at which it was not overdue and its destruction.
fn deadline(due: impl Fn(Instant) -> Option<Instant>, checked: Instant, destroyed: Instant) -> Instant {
    let unkept = |at: Instant| due(at).is_some_and(|due| due <= at);
    if !unkept(destroyed) {
        return due(destroyed).unwrap_or(Instant::MAX);
    }
    if unkept(checked) {
        return checked;
    }
    let (mut kept, mut gone) = (checked.micros(), destroyed.micros());
    while gone - kept > 1 {
        let middle = kept + (gone - kept) / 2;
        if unkept(Instant::saturating_from_micros(middle)) {
            gone = middle;
        } else {
            kept = middle;
        }
    }
    Instant::saturating_from_micros(gone)
}

fn due_at(loaded: &Loaded, facts: &Facts<'_>, class: &str) -> (Option<Instant>, bool) {
    let verdict = loaded.lineage.judge(facts);
    let class = loaded.lineage.class(facts, &verdict, class);
    (class.destroy, class.held)
}

fn copy_figure(
    person: &Person,
    loaded: &Loaded,
    facts: &Facts<'_>,
    copy: &CopyRow,
    class: &str,
) -> CopyFigure {
    let (due_at, held) = due_at(loaded, facts, class);
    CopyFigure {
        account: person.row.id.clone(),
        record: loaded.row.id,
        surface: loaded.row.surface.clone(),
        kind: loaded.row.kind,
        mode: loaded.row.mode,
        began_at: loaded.row.created_at,
        class: class.to_owned(),
        destroyed_at: destroyed_at(copy),
        due_at,
        held,
    }
}

const fn destroyed_at(copy: &CopyRow) -> Option<Instant> {
    match copy.state {
        CopyState::Live { .. } | CopyState::Sealed { .. } | CopyState::Shredding { .. } => None,
        CopyState::Shredded { shredded_at, .. }
        | CopyState::Removed { shredded_at, .. }
        | CopyState::Verified { shredded_at, .. } => Some(shredded_at),
    }
}

/// Live copies of a class that are filed under what keeps them when everything else has let go.
fn filed_under(tx: &mut dyn ReadTx, class: ClassId, filed: FiledUnder) -> Result<u64, Error> {
    let mut copies = 0;
    for group in tx.groups(SHARD)? {
        if group.class == class && FiledUnder::from_number(group.anchor) == filed {
            let days = tx.count_due(SHARD, group, Day(i32::MIN), Day(i32::MAX))?;
            copies += days.iter().map(|day| day.copies).sum::<u64>();
        }
    }
    Ok(copies)
}

fn all_records(tx: &mut dyn ReadTx, account: AccountKey) -> Result<Vec<RecordRow>, Error> {
    let (mut records, mut after) = (Vec::new(), None);
    loop {
        let slice = tx.records_of(account, after, SLICE)?;
        let Some(last) = slice.last() else { return Ok(records) };
        after = Some(last.id);
        records.extend(slice);
    }
}

fn copies_of(tx: &mut dyn ReadTx, batch: BatchId) -> Result<Vec<CopyRow>, Error> {
    let (mut copies, mut after): (Vec<CopyRow>, Option<CopyKey>) = (Vec::new(), None);
    loop {
        let slice = tx.copies_of_batch(batch, after, SLICE)?;
        let Some(last) = slice.last() else { return Ok(copies) };
        after = Some(last.key);
        copies.extend(slice);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Instant {
        Instant::saturating_from_micros(micros)
    }

    #[test]
    fn a_deadline_is_the_end_of_a_term_or_the_instant_at_which_the_last_basis_went() {
        let until = |end: i64| move |now: Instant| Some(now.max(at(end)));
        assert_eq!(deadline(until(500), at(100), at(450)), at(500), "destroyed ahead of its term");
        assert_eq!(deadline(until(500), at(100), at(900)), at(500), "destroyed after its term");
        assert_eq!(deadline(until(50), at(100), at(900)), at(100), "never kept since it was made");
        let deleted = |now: Instant| (now >= at(700)).then_some(now);
        assert_eq!(deadline(deleted, at(100), at(700)), at(700));
    }
}
