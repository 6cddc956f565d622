//! Judging copies one after another.

use tenure_model::Instant;
use tenure_policy::Due;
use tenure_policy::case::Hold;
use tenure_store::{ReadTx, RecordRow};

use crate::filing::{Filed, filed};
use crate::person::Person;
use crate::record::{Holds, Loaded, Reader, Seen, With, seen_in};
use crate::{Error, Policies, Tenure};

/// What is to become of a copy.
pub(crate) enum Judged {
    /// It goes.
    Due(Due),
    /// It stays.
    Kept {
        /// Whether a hold covers it.
        held: bool,
        /// Whether it is in quarantine.
        quarantined: bool,
        /// Where it is filed.
        filed: Filed,
    },
}

/// Judges copies, and keeps what the copies of one account share.
pub(crate) struct Judge<'a> {
    tenure: &'a Tenure,
    policies: &'a Policies,
    holds: Vec<Hold<'a>>,
    now: Instant,
    by: Instant,
    person: Option<Person>,
    seen: Seen,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        tenure: &'a Tenure,
        policies: &'a Policies,
        holds: &'a Holds,
        now: Instant,
        by: Instant,
    ) -> Self {
        Self { tenure, policies, holds: holds.as_facts(), now, by, person: None, seen: Seen::new() }
    }

    /// Takes note of records of an account, all of them, so that none has to be read for the sake of another.
    pub(crate) fn know(&mut self, records: &[RecordRow]) {
        self.seen.extend(seen_in(self.policies, records));
    }

    /// The account of the record that was judged last.
    pub(crate) const fn person(&self) -> Option<&Person> {
        self.person.as_ref()
    }

    fn load(&mut self, tx: &mut dyn ReadTx, record: RecordRow) -> Result<Loaded, Error> {
        if self.person.as_ref().is_none_or(|person| person.row.key != record.account) {
            self.person = Some(self.tenure.person_of(tx, record.account)?);
        }
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let mut reader = Reader::new(self.policies, person);
        std::mem::swap(&mut reader.seen, &mut self.seen);
        let loaded = reader.load(tx, record, With::Nothing);
        self.seen = reader.seen;
        loaded
    }

    /// Judges one copy of a record.
    pub(crate) fn judge(
        &mut self,
        tx: &mut dyn ReadTx,
        record: RecordRow,
        class: &str,
    ) -> Result<Judged, Error> {
        let mut judged = None;
        self.judge_each(tx, record, std::iter::once(class), |_, verdict| judged = Some(verdict))?;
        judged.ok_or(Error::UnknownRecord)
    }

    /// Judges copies of a record under several classes, with one verdict.
    pub(crate) fn judge_each<'c>(
        &mut self,
        tx: &mut dyn ReadTx,
        record: RecordRow,
        classes: impl Iterator<Item = &'c str>,
        mut each: impl FnMut(&'c str, Judged),
    ) -> Result<(), Error> {
        let loaded = self.load(tx, record)?;
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let facts = loaded.facts(person, &[], &self.holds, self.now);
        let verdict = loaded.lineage.judge(&facts);
        for class in classes {
            if let Some(due) = loaded.lineage.due(&facts, &verdict, class, self.by) {
                each(class, Judged::Due(due));
                continue;
            }
            let of_class = loaded.lineage.class(&facts, &verdict, class);
            each(
                class,
                Judged::Kept {
                    held: of_class.held,
                    quarantined: of_class.quarantine.is_some(),
                    filed: filed(&loaded.lineage, &facts, &verdict, class)?,
                },
            );
        }
        Ok(())
    }

    /// Where a copy is filed now, whether or not it is due.
    pub(crate) fn file(
        &mut self,
        tx: &mut dyn ReadTx,
        record: RecordRow,
        class: &str,
    ) -> Result<Filed, Error> {
        let loaded = self.load(tx, record)?;
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let facts = loaded.facts(person, &[], &self.holds, self.now);
        let verdict = loaded.lineage.judge(&facts);
        filed(&loaded.lineage, &facts, &verdict, class)
    }
}
