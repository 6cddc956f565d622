//! Rows of copies and of their destruction.

use crate::{AccountKey, BatchId, ClassId, PageId, RecordId, Seq, SituationId, Wrap};
use tenure_model::{Day, Instant};

/// Which copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct CopyKey {
    /// Whose it is.
    pub account: AccountKey,
    /// Of which record.
    pub record: RecordId,
    /// Under which class.
    pub class: ClassId,
}

/// Copies that a sweep asks about in one question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Group {
    /// The class.
    pub class: ClassId,
    /// The situation.
    pub situation: SituationId,
    /// The anchor: a small number that means nothing to the store.
    pub anchor: u16,
}

/// Where a copy stands in the due index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Filing {
    /// The situation.
    pub situation: SituationId,
    /// The anchor.
    pub anchor: u16,
    /// The day of the anchor.
    pub day: Day,
}

/// That a copy goes: in which batch, since when it must and why, and when that was decided.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sealing {
    /// The batch in which it goes.
    pub batch: BatchId,
    /// Since when it must be gone.
    pub due_at: Instant,
    /// Why, in one word that means nothing to the store.
    pub cause: String,
    /// When it was sealed.
    pub sealed_at: Instant,
}

/// How far the destruction of a copy has come. Each state has what it needs and no more.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum CopyState {
    /// It may be used, as far as its verdict goes.
    Live {
        /// Its key; classes of facts and copies in other stores have none.
        wrap: Option<Wrap>,
    },
    /// Its end is in the ledger.
    Sealed {
        /// Its key.
        wrap: Option<Wrap>,
        /// Its end.
        sealing: Sealing,
    },
    /// The last check has passed and its key is about to be destroyed.
    Shredding {
        /// Its key, until the page's is destroyed.
        wrap: Option<Wrap>,
        /// Its end.
        sealing: Sealing,
    },
    /// Its key is destroyed.
    Shredded {
        /// Its end.
        sealing: Sealing,
        /// When the key was destroyed.
        shredded_at: Instant,
    },
    /// Its bytes are removed.
    Removed {
        /// Its end.
        sealing: Sealing,
        /// When the key was destroyed.
        shredded_at: Instant,
        /// When the bytes were removed.
        removed_at: Instant,
    },
    /// It was looked for and is not there.
    Verified {
        /// Its end.
        sealing: Sealing,
        /// When the key was destroyed.
        shredded_at: Instant,
        /// When the bytes were removed.
        removed_at: Instant,
        /// When that was verified.
        verified_at: Instant,
    },
}

/// The name of a [`CopyState`], without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum CopyStage {
    /// See [`CopyState::Live`].
    Live,
    /// See [`CopyState::Sealed`].
    Sealed,
    /// See [`CopyState::Shredding`].
    Shredding,
    /// See [`CopyState::Shredded`].
    Shredded,
    /// See [`CopyState::Removed`].
    Removed,
    /// See [`CopyState::Verified`].
    Verified,
}

impl CopyStage {
    /// Every stage, in the order in which they are gone through.
    pub const ALL: [Self; 6] =
        [Self::Live, Self::Sealed, Self::Shredding, Self::Shredded, Self::Removed, Self::Verified];

    /// The one spelling of this stage.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Sealed => "sealed",
            Self::Shredding => "shredding",
            Self::Shredded => "shredded",
            Self::Removed => "removed",
            Self::Verified => "verified",
        }
    }
}

impl CopyState {
    /// The name of this state.
    pub const fn stage(&self) -> CopyStage {
        match self {
            Self::Live { .. } => CopyStage::Live,
            Self::Sealed { .. } => CopyStage::Sealed,
            Self::Shredding { .. } => CopyStage::Shredding,
            Self::Shredded { .. } => CopyStage::Shredded,
            Self::Removed { .. } => CopyStage::Removed,
            Self::Verified { .. } => CopyStage::Verified,
        }
    }

    /// The end that was decided for the copy, if one was.
    pub const fn sealing(&self) -> Option<&Sealing> {
        match self {
            Self::Live { .. } => None,
            Self::Sealed { sealing, .. }
            | Self::Shredding { sealing, .. }
            | Self::Shredded { sealing, .. }
            | Self::Removed { sealing, .. }
            | Self::Verified { sealing, .. } => Some(sealing),
        }
    }

    /// The batch that destroys the copy, or has destroyed it.
    pub fn batch(&self) -> Option<BatchId> {
        self.sealing().map(|sealing| sealing.batch)
    }

    /// The key, where there is one still.
    pub const fn wrap(&self) -> Option<&Wrap> {
        match self {
            Self::Live { wrap } | Self::Sealed { wrap, .. } | Self::Shredding { wrap, .. } => wrap.as_ref(),
            Self::Shredded { .. } | Self::Removed { .. } | Self::Verified { .. } => None,
        }
    }
}

/// A copy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct CopyRow {
    /// Which one.
    pub key: CopyKey,
    /// The shard that sweeps it.
    pub shard: u16,
    /// The place in a store that is not Tenure's; nothing for Tenure's own vault.
    pub place: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// Where it stands in the due index.
    pub filing: Filing,
    /// How far its destruction has come.
    pub state: CopyState,
}

/// A copy that a destruction names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DestroyedRow {
    /// The batch that was destroyed.
    pub batch: BatchId,
    /// The copy's place among what was stated of the batch, from 0.
    pub place: u64,
    /// The copy.
    pub key: CopyKey,
}

/// A copy as the due index finds it; also the cursor from which the index goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueCopy {
    /// The day of its anchor.
    pub day: Day,
    /// Whose it is.
    pub account: AccountKey,
    /// Of which record.
    pub record: RecordId,
}

/// How many copies of a group have their anchor on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayCount {
    /// The day.
    pub day: Day,
    /// How many.
    pub copies: u64,
}

/// An account whose copies must be re-filed before a sweep may close a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RefileMark {
    /// The account.
    pub account: AccountKey,
    /// How often it was marked. A mark that came while the work was under way is not lost by it.
    pub marks: u64,
}

/// How far a batch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum BatchStage {
    /// Copies are being put into it.
    Gathering,
    /// Its destruction leaf is in the ledger.
    Sealed {
        /// When.
        sealed_at: Instant,
    },
    /// The last check has passed, keys are being destroyed.
    Shredding {
        /// When it was sealed.
        sealed_at: Instant,
    },
    /// The keys are destroyed.
    Shredded {
        /// When it was sealed.
        sealed_at: Instant,
        /// When the last key was destroyed.
        shredded_at: Instant,
    },
    /// The bytes are removed.
    Removed {
        /// When it was sealed.
        sealed_at: Instant,
        /// When the last key was destroyed.
        shredded_at: Instant,
        /// When the last bytes were removed.
        removed_at: Instant,
    },
    /// Nothing of it is found any more.
    Verified {
        /// When it was sealed.
        sealed_at: Instant,
        /// When the last key was destroyed.
        shredded_at: Instant,
        /// When the last bytes were removed.
        removed_at: Instant,
        /// When that was verified.
        verified_at: Instant,
    },
}

/// A batch of copies that are destroyed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRow {
    /// Its id.
    pub id: BatchId,
    /// When it was begun.
    pub created_at: Instant,
    /// Since when the first of its copies must be gone; nothing before one is in it.
    pub due_at: Option<Instant>,
    /// The epoch of holds that was checked.
    pub epoch: u64,
    /// The statement that says so in the ledger.
    pub statement: Option<Seq>,
    /// The pages whose keys must be destroyed.
    pub old_pages: Vec<PageId>,
    /// How far it has come.
    pub stage: BatchStage,
    /// Whether it has let go of the bodies that nothing opens any more, and of its slots on pages.
    pub released: bool,
}
