//! Judging copies as they are and as they would be.

use tenure_model::Instant;
use tenure_policy::ClassVerdict;
use tenure_policy::case::Hold;
use tenure_store::{AccountKey, ReadTx, RecordId, RecordRow};

use super::{Setup, Tally};
use crate::person::Person;
use crate::record::{Activity, Holds, Reader};
use crate::{Error, Policies, Tenure};

/// Judges copies under the policies without the versions and with them.
pub(super) struct Judges<'a> {
    tenure: &'a Tenure,
    setup: &'a Setup,
    holds: Vec<Hold<'a>>,
    person: Option<Person>,
}

impl<'a> Judges<'a> {
    pub(super) fn new(tenure: &'a Tenure, setup: &'a Setup, holds: &'a Holds) -> Self {
        Self { tenure, setup, holds: holds.as_facts(), person: None }
    }

    /// Counts what would become of a copy.
    pub(super) fn count(
        &mut self,
        tx: &mut dyn ReadTx,
        (account, record): (AccountKey, RecordId),
        class: &str,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        if self.person.as_ref().is_none_or(|person| person.row.key != account) {
            self.person = Some(self.tenure.person_of(tx, account)?);
        }
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let record = tx.record(record)?.ok_or(Error::UnknownRecord)?;
        let siblings = tx.records_of_conversation(account, record.conversation)?;
        let copy = Subject { person, record: &record, siblings: &siblings, class, holds: &self.holds };
        let Setup { before, after, today, now, moments, .. } = self.setup;
        if let Some(today) = today {
            let loses = copy.class(before, *now)?.until.is_some() && copy.class(today, *now)?.until.is_none();
            tally.today += u64::from(loses);
        }
        let mut last = None;
        for at in moments {
            let (was, is) = (copy.class(before, *at)?, copy.class(after, *at)?);
            if was.until.is_some() && is.until.is_none() {
                lose(tally, &is, *at);
                return Ok(());
            }
            last = was.until.zip(is.until);
        }
        if let Some((was, is)) = last {
            tally.sooner += u64::from(is < was);
            tally.longer += u64::from(is > was);
        }
        Ok(())
    }
}

/// Counts a copy that loses its basis at an instant.
fn lose(tally: &mut Tally, verdict: &ClassVerdict, at: Instant) {
    tally.lost += 1;
    tally.held += u64::from(verdict.held);
    let goes = verdict.quarantine.map_or(at, |quarantine| quarantine.until);
    tally.first = Some(tally.first.map_or(goes, |first| first.min(goes)));
    tally.last = Some(tally.last.map_or(goes, |last| last.max(goes)));
}

/// A copy, with what a verdict on it needs.
struct Subject<'a> {
    person: &'a Person,
    record: &'a RecordRow,
    siblings: &'a [RecordRow],
    class: &'a str,
    holds: &'a [Hold<'a>],
}

impl Subject<'_> {
    fn class(&self, policies: &Policies, at: Instant) -> Result<ClassVerdict, Error> {
        let activity = Activity::of(policies, self.siblings);
        let loaded =
            Reader::new(policies, self.person).assemble(self.record.clone(), &activity, Vec::new())?;
        let facts = loaded.facts(self.person, &[], self.holds, at);
        let verdict = loaded.lineage.judge(&facts);
        Ok(loaded.lineage.class(&facts, &verdict, self.class))
    }
}
