//! A copy as a row: its state is spread over columns and put together again.

use super::columns::Columns;
use crate::{
    AccountKey, BatchId, ClassId, CopyKey, CopyRow, CopyStage, CopyState, Filing, RecordId, Sealing,
    SituationId, StoreError, Stored, Wrap,
};
use tenure_model::Instant;

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

/// The columns of a [`CopyState`].
#[derive(Default)]
pub(super) struct StateColumns<'s> {
    pub(super) wrap: Option<&'s Wrap>,
    pub(super) batch: Option<BatchId>,
    pub(super) due_at: Option<i64>,
    pub(super) cause: Option<&'s str>,
    pub(super) sealed_at: Option<i64>,
    pub(super) shredded_at: Option<i64>,
    pub(super) removed_at: Option<i64>,
    pub(super) verified_at: Option<i64>,
}

impl<'s> StateColumns<'s> {
    pub(super) fn of(state: &'s CopyState) -> Self {
        let some = |at: &Instant| Some(at.micros());
        let sealed = state.sealing().map_or_else(Self::default, |sealing| Self {
            batch: Some(sealing.batch),
            due_at: some(&sealing.due_at),
            cause: Some(&sealing.cause),
            sealed_at: some(&sealing.sealed_at),
            ..Self::default()
        });
        match state {
            CopyState::Live { wrap } | CopyState::Sealed { wrap, .. } | CopyState::Shredding { wrap, .. } => {
                Self { wrap: wrap.as_ref(), ..sealed }
            }
            CopyState::Shredded { shredded_at, .. } => Self { shredded_at: some(shredded_at), ..sealed },
            CopyState::Removed { shredded_at, removed_at, .. } => {
                Self { shredded_at: some(shredded_at), removed_at: some(removed_at), ..sealed }
            }
            CopyState::Verified { shredded_at, removed_at, verified_at, .. } => Self {
                shredded_at: some(shredded_at),
                removed_at: some(removed_at),
                verified_at: some(verified_at),
                ..sealed
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
    put_together(stage, wrap, sealing, rest).ok_or(StoreError::Unreadable { column: "state" })
}

/// Nothing, if the state lacks a part.
fn put_together(
    stage: CopyStage,
    wrap: Option<Wrap>,
    sealing: Option<Sealing>,
    [shredded_at, removed_at, verified_at]: [Option<Instant>; 3],
) -> Option<CopyState> {
    if stage == CopyStage::Live {
        return Some(CopyState::Live { wrap });
    }
    let sealing = sealing?;
    Some(match stage {
        CopyStage::Live => CopyState::Live { wrap },
        CopyStage::Sealed => CopyState::Sealed { wrap, sealing },
        CopyStage::Shredding => CopyState::Shredding { wrap, sealing },
        CopyStage::Shredded => CopyState::Shredded { sealing, shredded_at: shredded_at? },
        CopyStage::Removed => {
            CopyState::Removed { sealing, shredded_at: shredded_at?, removed_at: removed_at? }
        }
        CopyStage::Verified => CopyState::Verified {
            sealing,
            shredded_at: shredded_at?,
            removed_at: removed_at?,
            verified_at: verified_at?,
        },
    })
}
