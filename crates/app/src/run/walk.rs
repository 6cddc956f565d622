//! The walk over every record: judging, in slices on short snapshots.

use std::collections::HashSet;
use std::sync::Arc;

use tenure_gate::Decided;
use tenure_model::Instant;
use tenure_policy::{Permitted, Ruling};
use tenure_store::{
    AccountKey, AccountRow, ClassId, CopyRow, CopyState, MessageRow, ReadTx, RecordId, RecordRow, SegmentRow,
    Seq, Wrap,
};

use super::{Counts, LeftOut};
use crate::ledger::{HOUSE, hex};
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Loaded, Reader, With};
use crate::{Error, Tenure};

/// A slice ends with this many records that may be written, or [`SLICE_BYTES`], or [`SLICE_SEEN`].
const SLICE_RECORDS: usize = 256;
/// See [`SLICE_RECORDS`]: bytes of bodies, which are in memory together.
const SLICE_BYTES: u64 = 8 * 1024 * 1024;
/// See [`SLICE_RECORDS`]: records looked at, since a snapshot should be short.
const SLICE_SEEN: u64 = 2_000;
/// See [`SLICE_RECORDS`]: accounts looked at, since most may have no records.
const SLICE_ACCOUNTS: u64 = 1_000;
/// How many records are read at once.
const PAGE: usize = 200;

/// A record of which something may be written.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) account: Arc<AccountRow>,
    pub(super) record: RecordRow,
    pub(super) messages: Vec<MessageRow>,
    pub(super) segments: Vec<SegmentRow>,
    pub(super) permitted: Permitted,
    pub(super) decision: Option<Decided>,
    pub(super) class: ClassId,
    /// The key of the copy that the use rule names.
    pub(super) wrap: Wrap,
}

/// What one step of the walk found.
#[derive(Debug, Default)]
pub(super) struct Slice {
    pub(super) candidates: Vec<Candidate>,
    pub(super) counts: Counts,
    bytes: u64,
    accounts: u64,
}

impl Slice {
    fn is_full(&self) -> bool {
        self.candidates.len() >= SLICE_RECORDS
            || self.bytes >= SLICE_BYTES
            || self.counts.records_seen >= SLICE_SEEN
            || self.accounts >= SLICE_ACCOUNTS
    }
}

/// The account whose records are being judged.
struct Visit<'a> {
    person: &'a Person,
    account: Arc<AccountRow>,
    classes: &'a [(ClassId, String)],
}

/// Where the walk is.
pub(super) struct Walk {
    policies: Arc<Policies>,
    purpose: String,
    now: Instant,
    /// The last account that is done.
    done: Option<AccountKey>,
    /// The last record that is done of the next account.
    within: Option<RecordId>,
    /// Accounts of which something was stated since the ledger was frozen, and up to where that was read.
    moved: HashSet<AccountKey>,
    read_to: u64,
}

impl Walk {
    pub(super) fn new(policies: Arc<Policies>, purpose: &str, position: u64, now: Instant) -> Self {
        Self {
            policies,
            purpose: purpose.to_owned(),
            now,
            done: None,
            within: None,
            moved: HashSet::new(),
            read_to: position,
        }
    }

    /// Judges the next records; `None` when there are no more.
    pub(super) fn step(&mut self, tenure: &Tenure, tx: &mut dyn ReadTx) -> Result<Option<Slice>, Error> {
        self.note_moves(tx)?;
        let classes = tx.classes()?;
        let mut slice = Slice::default();
        while !slice.is_full() {
            let Some(account) = tx.accounts(self.done, 1)?.pop() else {
                return Ok((slice.counts.records_seen > 0).then_some(slice));
            };
            let key = account.key;
            slice.accounts += 1;
            if account.id == HOUSE || self.account(tenure, tx, account, &classes, &mut slice)? {
                (self.done, self.within) = (Some(key), None);
            }
        }
        Ok(Some(slice))
    }

    /// Notes the accounts that have moved on since the ledger was frozen.
    fn note_moves(&mut self, tx: &mut dyn ReadTx) -> Result<(), Error> {
        loop {
            let from = Seq(i64::try_from(self.read_to).unwrap_or(i64::MAX));
            let rows = tx.statements(from, 1_000)?;
            let Some(last) = rows.last() else { return Ok(()) };
            self.read_to = u64::try_from(last.seq.0).unwrap_or(u64::MAX).saturating_add(1);
            self.moved.extend(rows.iter().filter_map(|row| row.statement.account));
        }
    }

    /// Judges records of an account until the slice is full; `true` when the account is done.
    fn account(
        &mut self,
        tenure: &Tenure,
        tx: &mut dyn ReadTx,
        row: AccountRow,
        classes: &[(ClassId, String)],
        slice: &mut Slice,
    ) -> Result<bool, Error> {
        let key = row.key;
        let mut page = tx.records_of(key, self.within, PAGE)?;
        if page.is_empty() {
            return Ok(true);
        }
        slice.counts.accounts_seen += u64::from(self.within.is_none());
        let person = tenure.person(tx, row)?;
        let visit = Visit { person: &person, account: Arc::new(person.row.clone()), classes };
        let policies = Arc::clone(&self.policies);
        let mut reader = Reader::new(&policies, &person);
        loop {
            let Some(last) = page.last().map(|record| record.id) else { return Ok(true) };
            for record in page {
                self.within = Some(record.id);
                self.record(tx, &mut reader, &visit, record, slice)?;
                if slice.is_full() {
                    return Ok(false);
                }
            }
            page = tx.records_of(key, Some(last), PAGE)?;
        }
    }

    fn record(
        &self,
        tx: &mut dyn ReadTx,
        reader: &mut Reader<'_>,
        visit: &Visit<'_>,
        record: RecordRow,
        slice: &mut Slice,
    ) -> Result<(), Error> {
        let counts = &mut slice.counts;
        counts.records_seen += 1;
        let unheard = if self.policies.of_surface(&record.surface).is_none() {
            Some(LeftOut::Unknown)
        } else {
            // What has no place in the ledger yet gets one after the position at which it was frozen.
            let moved = self.moved.contains(&record.account) || visit.person.is_unplaced();
            moved.then_some(LeftOut::Moved)
        };
        if let Some(reason) = unheard {
            counts.messages_seen += u64::from(record.messages);
            counts.leave_out_candidate(reason, u64::from(record.messages));
            return Ok(());
        }
        let loaded = reader.load(tx, record, With::Messages)?;
        counts.messages_seen += loaded.message_rows().len() as u64;
        let messages = loaded.messages();
        // A hold keeps copies and permits nothing, so no use depends on one.
        let facts = loaded.facts(visit.person, &messages, &[], self.now);
        let ruling = loaded.lineage.rule(&facts, &self.purpose);
        for reason in ruling.messages.iter().flatten() {
            counts.leave_out_messages(LeftOut::Rule(*reason), 1);
        }
        if let Some(reason) = ruling.record {
            counts.leave_out_record(LeftOut::Rule(reason));
            return Ok(());
        }
        let allowed = ruling.messages.iter().filter(|reason| reason.is_none()).count() as u64;
        let copies = tx.copies_of_record(loaded.row.account, loaded.row.id)?;
        let Some(readable) = readable(ruling, &copies, visit.classes) else {
            counts.leave_out_candidate(LeftOut::NoCopy, allowed);
            return Ok(());
        };
        // What another class would have permitted can't be read through this one.
        counts.leave_out_messages(LeftOut::NoCopy, allowed.saturating_sub(readable.0.len() as u64));
        let candidate = self.candidate(tx, visit, loaded, readable)?;
        slice.bytes += candidate.segments.iter().map(|segment| segment.length).sum::<u64>();
        slice.candidates.push(candidate);
        Ok(())
    }

    fn candidate(
        &self,
        tx: &mut dyn ReadTx,
        visit: &Visit<'_>,
        loaded: Loaded,
        (permitted, class, wrap): (Permitted, ClassId, Wrap),
    ) -> Result<Candidate, Error> {
        let decision = match visit.person.decision(loaded.lineage.name(), &self.purpose, self.now) {
            None => None,
            Some(seq) => tx.statement(seq)?.map(|row| Decided {
                seq: u64::try_from(seq.0).unwrap_or(u64::MAX),
                leaf: hex(&row.statement.commitment),
            }),
        };
        Ok(Candidate {
            account: Arc::clone(&visit.account),
            messages: loaded.message_rows().to_vec(),
            segments: tx.segments(loaded.row.account, loaded.row.id)?,
            record: loaded.row,
            permitted,
            decision,
            class,
            wrap,
        })
    }
}

/// The first permission whose class has a live copy with a key; no other class's key is looked at.
fn readable(
    ruling: Ruling,
    copies: &[CopyRow],
    classes: &[(ClassId, String)],
) -> Option<(Permitted, ClassId, Wrap)> {
    ruling.permitted.into_iter().find_map(|permitted| {
        let (class, _) = classes.iter().find(|(_, name)| name == permitted.class())?;
        let copy = copies.iter().find(|copy| copy.key.class == *class && copy.place.is_none())?;
        match &copy.state {
            CopyState::Live { wrap: Some(wrap) } => {
                let wrap = wrap.clone();
                Some((permitted, *class, wrap))
            }
            _ => None,
        }
    })
}
