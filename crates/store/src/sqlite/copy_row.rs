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

pub(super) fn stage(row: &mut Columns<'_, '_>) -> Stored<CopyStage> {
    stage_of_code(row.int("state")?).ok_or(StoreError::Unreadable { column: "state" })
}

pub(super) fn copy(row: &mut Columns<'_, '_>) -> Stored<CopyRow> {
    Ok(CopyRow {
        key: CopyKey {
            account: AccountKey(row.int("account")?),
            record: RecordId(row.bytes16("record")?),
            class: ClassId(row.int("class")?),
        },
        shard: row.get("shard")?,
        place: row.get("place")?,
        created_at: row.instant("created_at")?,
        filing: Filing {
            situation: SituationId(row.int("situation")?),
            anchor: row.get("anchor")?,
            day: row.day("day")?,
        },
        state: state(row)?,
    })
}

fn state(row: &mut Columns<'_, '_>) -> Stored<CopyState> {
    let stage = stage(row)?;
    let wrap = row.wrap("wrap")?;
    let batch = row.get::<Option<i64>>("batch")?.map(BatchId);
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
