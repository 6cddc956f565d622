//! States spread over the columns of a row and put together again, alike in every engine.

pub(crate) mod access;

use crate::{BatchId, BatchStage, CopyStage, CopyState, PageId, Sealing, StoreError, Stored, Wrap};
use tenure_model::Instant;

/// The columns of a [`CopyState`].
#[derive(Default)]
pub(crate) struct StateColumns<'s> {
    pub(crate) wrap: Option<&'s Wrap>,
    pub(crate) batch: Option<BatchId>,
    pub(crate) due_at: Option<i64>,
    pub(crate) cause: Option<&'s str>,
    pub(crate) sealed_at: Option<i64>,
    pub(crate) shredded_at: Option<i64>,
    pub(crate) removed_at: Option<i64>,
    pub(crate) verified_at: Option<i64>,
}

impl<'s> StateColumns<'s> {
    pub(crate) fn of(state: &'s CopyState) -> Self {
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

/// The number by which a stage is stored.
pub(crate) const fn stage_code(stage: CopyStage) -> i64 {
    match stage {
        CopyStage::Live => 0,
        CopyStage::Sealed => 1,
        CopyStage::Shredding => 2,
        CopyStage::Shredded => 3,
        CopyStage::Removed => 4,
        CopyStage::Verified => 5,
    }
}

/// The stage of a number; nothing if there is none.
pub(crate) fn stage_of_code(code: i64) -> Option<CopyStage> {
    CopyStage::ALL.into_iter().find(|stage| stage_code(*stage) == code)
}

/// Nothing, if the state lacks a part.
pub(crate) fn copy_state(
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

/// Nothing, if the stage lacks a part.
pub(crate) fn batch_stage(code: i64, when: [Option<Instant>; 4]) -> Option<BatchStage> {
    let [sealed_at, shredded_at, removed_at, verified_at] = when;
    Some(match code {
        0 => BatchStage::Gathering,
        1 => BatchStage::Sealed { sealed_at: sealed_at? },
        2 => BatchStage::Shredding { sealed_at: sealed_at? },
        3 => BatchStage::Shredded { sealed_at: sealed_at?, shredded_at: shredded_at? },
        4 => {
            BatchStage::Removed { sealed_at: sealed_at?, shredded_at: shredded_at?, removed_at: removed_at? }
        }
        5 => BatchStage::Verified {
            sealed_at: sealed_at?,
            shredded_at: shredded_at?,
            removed_at: removed_at?,
            verified_at: verified_at?,
        },
        _ => return None,
    })
}

/// The columns of a stage: its number, and when it was sealed, shredded, removed and verified.
pub(crate) fn stage_columns(stage: BatchStage) -> (i64, [Option<i64>; 4]) {
    let (code, when) = match stage {
        BatchStage::Gathering => (0, [None; 4]),
        BatchStage::Sealed { sealed_at } => (1, [Some(sealed_at), None, None, None]),
        BatchStage::Shredding { sealed_at } => (2, [Some(sealed_at), None, None, None]),
        BatchStage::Shredded { sealed_at, shredded_at } => {
            (3, [Some(sealed_at), Some(shredded_at), None, None])
        }
        BatchStage::Removed { sealed_at, shredded_at, removed_at } => {
            (4, [Some(sealed_at), Some(shredded_at), Some(removed_at), None])
        }
        BatchStage::Verified { sealed_at, shredded_at, removed_at, verified_at } => {
            (5, [Some(sealed_at), Some(shredded_at), Some(removed_at), Some(verified_at)])
        }
    };
    (code, when.map(|at| at.map(Instant::micros)))
}

/// Pages, whose ids lie one after another.
pub(crate) fn split_ids(bytes: &[u8]) -> Stored<Vec<PageId>> {
    bytes
        .chunks(16)
        .map(|id| id.try_into().map(PageId).map_err(|_| StoreError::Unreadable { column: "old_pages" }))
        .collect()
}
