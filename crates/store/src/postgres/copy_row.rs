//! A copy as a row: its state is spread over columns and put together again.

use super::columns::Columns;
use crate::spread::{copy_state, stage_of_code};
use crate::{
    AccountKey, BatchId, ClassId, CopyKey, CopyRow, CopyStage, CopyState, Filing, RecordId, Sealing,
    SituationId, StoreError, Stored,
};

/// Every column, in the order in which [`copy`] reads them.
macro_rules! select_copies {
    ($rest:literal) => {
        concat!(
            "SELECT account, record, class, shard, place, created_at, situation, anchor, day, state, page, wrap,
                batch, due_at, cause, sealed_at, shredded_at, removed_at, verified_at FROM copies ",
            $rest
        )
    };
}
pub(super) use select_copies;

/// Which copy, in three columns.
pub(super) fn copy_key(row: &mut Columns<'_>) -> Stored<CopyKey> {
    Ok(CopyKey {
        account: AccountKey(row.int("account")?),
        record: RecordId(row.bytes("record")?),
        class: ClassId(row.int("class")?),
    })
}

/// A place before which a list of copies goes on, in the order of their keys. Numbers are not negative, and no bytes
/// come before any.
pub(super) fn after(key: Option<&CopyKey>) -> (i64, &[u8], i64) {
    key.map_or((i64::MIN, &[], i64::MIN), |key| (key.account.0, &key.record.0, key.class.0))
}

/// Many copies, as arrays to `unnest`.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) accounts: Vec<i64>,
    pub(super) records: Vec<[u8; 16]>,
    pub(super) classes: Vec<i64>,
}

impl Keys {
    pub(super) fn of<'k>(keys: impl Iterator<Item = &'k CopyKey>) -> Self {
        let mut all = Self::default();
        for key in keys {
            all.accounts.push(key.account.0);
            all.records.push(key.record.0);
            all.classes.push(key.class.0);
        }
        all
    }
}

pub(super) fn stage(row: &mut Columns<'_>) -> Stored<CopyStage> {
    stage_of_code(row.int("state")?).ok_or(StoreError::Unreadable { column: "state" })
}

pub(super) fn copy(row: &mut Columns<'_>) -> Stored<CopyRow> {
    Ok(CopyRow {
        key: copy_key(row)?,
        shard: row.small("shard")?,
        place: row.get("place")?,
        created_at: row.instant("created_at")?,
        filing: Filing {
            situation: SituationId(row.int("situation")?),
            anchor: row.small("anchor")?,
            day: row.day("day")?,
        },
        state: state(row)?,
    })
}

fn state(row: &mut Columns<'_>) -> Stored<CopyState> {
    let stage = stage(row)?;
    let wrap = row.wrap("wrap")?;
    let batch = row.int_if_any("batch")?.map(BatchId);
    let due_at = row.instant_if_any("due_at")?;
    let cause: Option<String> = row.get("cause")?;
    let mut when = [None; 4];
    for (at, column) in when.iter_mut().zip(["sealed_at", "shredded_at", "removed_at", "verified_at"]) {
        *at = row.instant_if_any(column)?;
    }
    let [sealed_at, rest @ ..] = when;
    let sealing = match (batch, due_at, cause, sealed_at) {
        (Some(batch), Some(due_at), Some(cause), Some(sealed_at)) => {
            Some(Sealing { batch, due_at, cause, sealed_at })
        }
        _ => None,
    };
    copy_state(stage, wrap, sealing, rest).ok_or(StoreError::Unreadable { column: "state" })
}
