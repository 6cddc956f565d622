//! A copy as a row: its state is spread over columns and put together again.

use super::columns::Columns;
use crate::{
    AccountKey, BatchId, ClassId, CopyKey, CopyRow, CopyStage, CopyState, Filing, RecordId, SituationId,
    StoreError, Stored, Wrap,
};
use tenure_model::Instant;

/// Every column, in the order in which [`copy`] reads them.
macro_rules! select_copies {
    ($rest:literal) => {
        concat!(
            "SELECT account, record, class, shard, place, created_at, situation, anchor, day, state, page, wrap,
                batch, sealed_at, shredded_at, removed_at, verified_at FROM copies ",
            $rest
        )
    };
}
pub(super) use select_copies;

/// The columns of a [`CopyState`].
#[derive(Default)]
pub(super) struct StateColumns<'s> {
    pub(super) wrap: Option<&'s Wrap>,
    pub(super) batch: Option<BatchId>,
    pub(super) sealed_at: Option<i64>,
    pub(super) shredded_at: Option<i64>,
    pub(super) removed_at: Option<i64>,
    pub(super) verified_at: Option<i64>,
}

impl<'s> StateColumns<'s> {
    pub(super) fn of(state: &'s CopyState) -> Self {
        let some = |at: &Instant| Some(at.micros());
        match state {
            CopyState::Live { wrap } => Self { wrap: wrap.as_ref(), ..Self::default() },
            CopyState::Sealed { wrap, batch, sealed_at }
            | CopyState::Shredding { wrap, batch, sealed_at } => Self {
                wrap: wrap.as_ref(),
                batch: Some(*batch),
                sealed_at: some(sealed_at),
                ..Self::default()
            },
            CopyState::Shredded { batch, sealed_at, shredded_at } => Self {
                batch: Some(*batch),
                sealed_at: some(sealed_at),
                shredded_at: some(shredded_at),
                ..Self::default()
            },
            CopyState::Removed { batch, sealed_at, shredded_at, removed_at } => Self {
                batch: Some(*batch),
                sealed_at: some(sealed_at),
                shredded_at: some(shredded_at),
                removed_at: some(removed_at),
                ..Self::default()
            },
            CopyState::Verified { batch, sealed_at, shredded_at, removed_at, verified_at } => Self {
                wrap: None,
                batch: Some(*batch),
                sealed_at: some(sealed_at),
                shredded_at: some(shredded_at),
                removed_at: some(removed_at),
                verified_at: some(verified_at),
            },
        }
    }
}

pub(super) const fn stage_code(stage: CopyStage) -> i64 {
    match stage {
        CopyStage::Live => 0,
        CopyStage::Sealed => 1,
        CopyStage::Shredding => 2,
        CopyStage::Shredded => 3,
        CopyStage::Removed => 4,
        CopyStage::Verified => 5,
    }
}

pub(super) fn stage(row: &mut Columns<'_, '_>) -> Stored<CopyStage> {
    let code = row.int("state")?;
    CopyStage::ALL
        .into_iter()
        .find(|stage| stage_code(*stage) == code)
        .ok_or(StoreError::Unreadable { column: "state" })
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
    let mut when = [None; 4];
    for (at, column) in when.iter_mut().zip(["sealed_at", "shredded_at", "removed_at", "verified_at"]) {
        *at = row.instant_if_any(column)?;
    }
    put_together(stage, wrap, batch, when).ok_or(StoreError::Unreadable { column: "state" })
}

/// Nothing, if the state lacks a part.
fn put_together(
    stage: CopyStage,
    wrap: Option<Wrap>,
    batch: Option<BatchId>,
    [sealed_at, shredded_at, removed_at, verified_at]: [Option<Instant>; 4],
) -> Option<CopyState> {
    Some(match stage {
        CopyStage::Live => CopyState::Live { wrap },
        CopyStage::Sealed => CopyState::Sealed { wrap, batch: batch?, sealed_at: sealed_at? },
        CopyStage::Shredding => CopyState::Shredding { wrap, batch: batch?, sealed_at: sealed_at? },
        CopyStage::Shredded => {
            CopyState::Shredded { batch: batch?, sealed_at: sealed_at?, shredded_at: shredded_at? }
        }
        CopyStage::Removed => CopyState::Removed {
            batch: batch?,
            sealed_at: sealed_at?,
            shredded_at: shredded_at?,
            removed_at: removed_at?,
        },
        CopyStage::Verified => CopyState::Verified {
            batch: batch?,
            sealed_at: sealed_at?,
            shredded_at: shredded_at?,
            removed_at: removed_at?,
            verified_at: verified_at?,
        },
    })
}
