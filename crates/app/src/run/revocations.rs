//! What of a run may not be used any more, and why.

use serde::Serialize;
use tenure_model::Instant;
use tenure_policy::{Exclusion, Ruling};
use tenure_store::{AccountKey, ReadTx, RunId, RunRecordRow, RunState, Seq, StoreExt as _};

use super::{LeftOut, Manifest};
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Loaded, Reader, With};
use crate::{Error, Tenure};

/// How many records are judged on one snapshot.
const SLICE: usize = 500;

/// Rows whose permission is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revoked {
    /// The record.
    pub record: String,
    /// The first of its rows in the run.
    pub first_row: u64,
    /// How many rows it has, one after another.
    pub rows: u32,
    /// The shards that they lie in.
    pub shards: Vec<u32>,
    /// What took the permission away.
    pub why: LeftOut,
    /// When, where that is one event that the store knows.
    pub when: Option<Instant>,
}

/// What of a run may not be used any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Revocations {
    /// The run.
    pub run: String,
    /// The instant that was judged at.
    pub at: Instant,
    /// The records of the run.
    pub records: u64,
    /// Its rows.
    pub rows: u64,
    /// Those of its rows that a loader must skip from now on.
    pub revoked_rows: u64,
    /// The same by record, in the order of rows.
    pub revoked: Vec<Revoked>,
}

/// What took a permission away, and when.
#[derive(Debug, Clone, Copy)]
struct Gone {
    why: LeftOut,
    when: Option<Instant>,
}

impl Tenure {
    /// Judges every record of a sealed run again, and lists those that may not be used any more.
    ///
    /// A record is revoked whole as soon as one of its rows is: the store does not know which
    /// message made which row, and too much is the side to err on.
    pub fn revocations(&self, id: RunId, now: Instant) -> Result<Revocations, Error> {
        let policies = self.policies()?;
        let (run, manifest) = self.store.read(|tx| {
            let run = tx.run(id)?.ok_or(Error::UnknownRun)?;
            let RunState::Sealed { manifest, .. } = &run.state else {
                return Err(Error::Refused("the run was never sealed, so nothing may rely on it".to_owned()));
            };
            let manifest: Manifest = serde_json::from_str(manifest)?;
            Ok((run, manifest))
        })?;
        let mut found = Revocations {
            run: id.to_string(),
            at: now,
            records: 0,
            rows: manifest.rows,
            revoked_rows: 0,
            revoked: Vec::new(),
        };
        let mut from_row = 0;
        loop {
            let slice = self.store.read(|tx| {
                let rows = tx.records_of_run(id, from_row, SLICE)?;
                self.judge_again(tx, &policies, &run.purpose, run.opened_at, rows, now)
            })?;
            let Some((last, _)) = slice.last() else { return Ok(found) };
            from_row = last.first_row.saturating_add(1);
            found.records += slice.len() as u64;
            for (row, gone) in slice {
                let Some(Gone { why, when }) = gone else { continue };
                found.revoked_rows += u64::from(row.rows);
                found.revoked.push(Revoked {
                    record: row.record.to_string(),
                    first_row: row.first_row,
                    rows: row.rows,
                    shards: manifest.shards_of(row.first_row, u64::from(row.rows)),
                    why,
                    when,
                });
            }
        }
    }

    fn judge_again(
        &self,
        tx: &mut dyn ReadTx,
        policies: &Policies,
        purpose: &str,
        opened_at: Instant,
        rows: Vec<RunRecordRow>,
        now: Instant,
    ) -> Result<Vec<(RunRecordRow, Option<Gone>)>, Error> {
        let mut judged = Vec::with_capacity(rows.len());
        let mut known: Option<(AccountKey, Person)> = None;
        for row in rows {
            if known.as_ref().is_none_or(|(key, _)| *key != row.account) {
                known = Some((row.account, self.person_of(tx, row.account)?));
            }
            let record =
                tx.record(row.record)?.filter(|record| policies.of_surface(&record.surface).is_some());
            let (Some((_, person)), Some(record)) = (&known, record) else {
                judged.push((row, Some(Gone { why: LeftOut::Unknown, when: None })));
                continue;
            };
            let loaded = Reader::new(policies, person).load(tx, record, With::Messages)?;
            let messages = loaded.messages();
            let ruling = loaded.lineage.rule(&loaded.facts(person, &messages, &[], now), purpose);
            let gone = match gone(&ruling, &loaded, &row, opened_at) {
                None => None,
                Some(why) => Some(Gone { why, when: when(tx, why, person, &loaded, purpose, now)? }),
            };
            judged.push((row, gone));
        }
        Ok(judged)
    }
}

/// Why a record's rows may not be used any more; `None` where they all may.
fn gone(ruling: &Ruling, loaded: &Loaded, row: &RunRecordRow, opened_at: Instant) -> Option<LeftOut> {
    if let Some(reason) = ruling.record {
        return Some(LeftOut::Rule(reason));
    }
    // What was said after the run was opened is in none of its rows.
    let before = |at: Option<Instant>| at.is_some_and(|at| at <= opened_at);
    let then = loaded.message_rows().iter().zip(&ruling.messages).filter(|(message, _)| before(message.at));
    let still = then.clone().filter(|(_, reason)| reason.is_none()).count();
    if u64::try_from(still).unwrap_or(u64::MAX) >= u64::from(row.rows) {
        return None;
    }
    let reason = then.filter_map(|(_, reason)| *reason).min();
    // Fewer messages than rows without a reason: the messages themselves are gone.
    Some(reason.map_or(LeftOut::NoCopy, LeftOut::Rule))
}

/// When the permission went, where one event took it.
fn when(
    tx: &mut dyn ReadTx,
    why: LeftOut,
    person: &Person,
    loaded: &Loaded,
    purpose: &str,
    now: Instant,
) -> Result<Option<Instant>, Error> {
    let facts = &loaded.row.facts;
    Ok(match why {
        LeftOut::Rule(Exclusion::Deleted) => facts.deleted_at,
        LeftOut::Rule(Exclusion::Flagged) => facts.flagged_at,
        LeftOut::Rule(Exclusion::Off | Exclusion::Withdrawn | Exclusion::Unreached) => {
            let seq: Option<Seq> = person.decision(loaded.lineage.name(), purpose, now);
            match seq {
                Some(seq) => tx.statement(seq)?.map(|row| row.statement.at),
                None => None,
            }
        }
        _ => None,
    })
}
