//! Opening the bodies of what may be written, and noting it in the run.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::value::RawValue;
use tenure_gate::Said;
use tenure_model::Instant;
use tenure_store::{
    AccountKey, AccountRow, ClassId, CopyKey, CopyState, RecordId, RecordRow, RunId, RunRecordRow, Seq,
    StoreExt as _, Tx,
};
use tenure_vault::{BodyError, BodyKey, CopyName, OpenError, PackId, Place, Reading, SegmentName};

use super::walk::Candidate;
use super::{Counts, LeftOut};
use crate::ingest::read_segment;
use crate::pages::in_vault;
use crate::person::wrap_of;
use crate::{Error, Tenure};

/// How often segments are looked up again that a sweep has moved.
const MOVED_MOST: u32 = 3;

/// A candidate with what it will write, in memory for as long as its slice.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) candidate: Candidate,
    /// Its permitted messages, in the record's order; never none.
    messages: Vec<Spoken>,
}

/// A permitted message with its text.
#[derive(Debug)]
struct Spoken {
    id: String,
    at: Option<Instant>,
    role: String,
    text: String,
    content: Option<Box<RawValue>>,
}

impl Opened {
    /// How many rows it makes.
    pub(super) fn rows(&self) -> u32 {
        u32::try_from(self.messages.len()).unwrap_or(u32::MAX)
    }

    /// What was said, with the times that the store knows.
    pub(super) fn said(&self) -> impl Iterator<Item = Said<'_>> {
        self.messages.iter().map(|spoken| Said {
            id: &spoken.id,
            at: spoken.at,
            role: &spoken.role,
            text: &spoken.text,
            content: spoken.content.as_deref(),
        })
    }
}

/// The permitted messages of a body that have a row in the store, each once. Every other text is dropped
/// here, before anything could write it.
fn spoken(candidate: &Candidate, segments: &[Vec<u8>]) -> Result<Vec<Spoken>, Error> {
    let mut bodies = HashMap::new();
    for segment in segments {
        for message in read_segment(segment)? {
            if candidate.permitted.allows(&message.id) {
                bodies.entry(message.id.clone().into_owned()).or_insert(message);
            }
        }
    }
    let found = candidate.messages.iter().filter_map(|row| {
        let body = bodies.remove(&row.id)?;
        Some(Spoken {
            id: body.id.into_owned(),
            at: row.at,
            role: body.role.into_owned(),
            text: body.text.into_owned(),
            content: body.content.map(RawValue::to_owned),
        })
    });
    Ok(found.collect())
}

/// What is to be read for candidates.
fn readings(keyed: &[(String, BodyKey, Candidate)]) -> Result<Vec<Reading<'_>>, Error> {
    let mut readings = Vec::new();
    for (record, key, candidate) in keyed {
        for segment in &candidate.segments {
            let place = Place {
                pack: PackId::from_bytes(segment.pack.0),
                offset: segment.offset,
                length: u32::try_from(segment.length).map_err(|_| OpenError::Malformed)?,
            };
            let name = SegmentName {
                organisation: candidate.account.organisation.as_deref(),
                account: &candidate.account.id,
                record,
                number: u64::from(segment.segment),
            };
            readings.push(Reading { place, key, name });
        }
    }
    Ok(readings)
}

/// What must not have changed between judging a record and noting it in the run.
#[derive(Clone)]
struct Check {
    account: Arc<AccountRow>,
    record: RecordRow,
    class: ClassId,
    row: RunRecordRow,
}

impl Check {
    /// Whether everything is as it was when the record was judged, except for where its key lies.
    fn holds(&self, tx: &mut dyn Tx, accounts: &mut HashMap<AccountKey, bool>) -> Result<bool, Error> {
        let key = self.account.key;
        if let Entry::Vacant(unchecked) = accounts.entry(key) {
            let now = tx.account(key)?;
            let read = &self.account;
            unchecked.insert(now.is_some_and(|now| now.chain == read.chain && now.facts == read.facts));
        }
        let same_account = accounts.get(&key).copied().unwrap_or(false);
        if !same_account || tx.record(self.record.id)?.as_ref() != Some(&self.record) {
            return Ok(false);
        }
        let copy = tx.copy(CopyKey { account: key, record: self.record.id, class: self.class })?;
        Ok(copy.is_some_and(|copy| matches!(copy.state, CopyState::Live { wrap: Some(_) })))
    }
}

impl Tenure {
    /// Opens the bodies of a slice's candidates; what can't be opened any more is counted and left out.
    pub(super) fn open_bodies(
        &self,
        candidates: Vec<Candidate>,
        counts: &mut Counts,
    ) -> Result<Vec<Opened>, Error> {
        let mut keyed = Vec::with_capacity(candidates.len());
        let mut account_key = None;
        for candidate in candidates {
            match self.body_key_of(&candidate, &mut account_key)? {
                Some(key) => keyed.push((candidate.record.id.to_string(), key, candidate)),
                None => counts.leave_out_candidate(LeftOut::NoCopy, candidate.permitted.len() as u64),
            }
        }
        let mut read = self.read_bodies(&mut keyed)?.into_iter();
        let mut opened = Vec::with_capacity(keyed.len());
        for (_, _, candidate) in keyed {
            let segments: Vec<Vec<u8>> = read.by_ref().take(candidate.segments.len()).collect();
            let messages = spoken(&candidate, &segments)?;
            let missing = candidate.permitted.len().saturating_sub(messages.len()) as u64;
            counts.leave_out_messages(LeftOut::NoCopy, missing);
            if messages.is_empty() {
                counts.leave_out_record(LeftOut::NoCopy);
            } else {
                opened.push(Opened { candidate, messages });
            }
        }
        Ok(opened)
    }

    /// Reads the bodies of candidates, segment by segment. Where a sweep has moved segments since they were looked
    /// up, and removed the pack in which they lay, they are looked up again.
    fn read_bodies(&self, keyed: &mut [(String, BodyKey, Candidate)]) -> Result<Vec<Vec<u8>>, Error> {
        let mut moved = 0;
        loop {
            match self.vault.read_all(&readings(keyed)?) {
                Err(OpenError::Bodies(BodyError::NotFound(_))) if moved < MOVED_MOST => moved += 1,
                read => return Ok(read?),
            }
            self.store.read(|tx| {
                for (_, _, candidate) in &mut *keyed {
                    candidate.segments = tx.segments(candidate.account.key, candidate.record.id)?;
                }
                Ok::<_, Error>(())
            })?;
        }
    }

    /// The key of a body, by the wrap of the class that the use rule names; `None` if it was destroyed.
    fn body_key_of(
        &self,
        candidate: &Candidate,
        known: &mut Option<(AccountKey, tenure_vault::AccountKey)>,
    ) -> Result<Option<BodyKey>, Error> {
        let account = &candidate.account;
        if account.keys.account.is_none() {
            return Ok(None);
        }
        if known.as_ref().is_none_or(|(key, _)| *key != account.key) {
            match self.account_key(account) {
                Ok(key) => *known = Some((account.key, key)),
                Err(Error::Open(OpenError::Destroyed(_))) => return Ok(None),
                Err(error) => return Err(error),
            }
        }
        let Some((_, account_key)) = known else { return Ok(None) };
        let record = candidate.record.id.to_string();
        let name = CopyName {
            organisation: account.organisation.as_deref(),
            account: &account.id,
            record: &record,
            class: candidate.permitted.class(),
        };
        let page = in_vault(candidate.wrap.page);
        match self.vault.unwrap(&name, account_key, page, &wrap_of(&candidate.wrap)?) {
            Ok(key) => Ok(Some(key)),
            Err(OpenError::Destroyed(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Notes records in the run, if nothing has changed since they were judged, and says for each what
    /// its first row will be; `None` where something has.
    pub(super) fn admit(
        &self,
        run: RunId,
        first_row: u64,
        opened: &[Opened],
    ) -> Result<Vec<Option<u64>>, Error> {
        if opened.is_empty() {
            return Ok(Vec::new());
        }
        let checks: Vec<Check> = opened.iter().map(|opened| check(run, opened)).collect();
        self.store.write(move |tx| {
            let (mut next, mut accounts) = (first_row, HashMap::new());
            let (mut admitted, mut rows) = (Vec::with_capacity(checks.len()), Vec::new());
            for check in checks {
                if !check.holds(tx, &mut accounts)? {
                    admitted.push(None);
                    continue;
                }
                admitted.push(Some(next));
                let row = RunRecordRow { first_row: next, ..check.row };
                next += u64::from(row.rows);
                rows.push(row);
            }
            tx.insert_run_records(&rows)?;
            Ok::<_, Error>(admitted)
        })
    }
}

fn check(run: RunId, opened: &Opened) -> Check {
    let candidate = &opened.candidate;
    let record: RecordId = candidate.record.id;
    Check {
        account: Arc::clone(&candidate.account),
        record: candidate.record.clone(),
        class: candidate.class,
        row: RunRecordRow {
            account: candidate.account.key,
            run,
            record,
            policy: candidate.permitted.policy().to_owned(),
            decision: candidate
                .decision
                .as_ref()
                .and_then(|decision| i64::try_from(decision.seq).ok())
                .map(Seq),
            messages: opened.rows(),
            first_row: 0,
            rows: opened.rows(),
        },
    }
}
