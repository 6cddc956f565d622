//! Rows of statements, holds, runs and reports.

use crate::{AccountKey, BatchId, ClassId, CopyStage, Digest, PackId, PageId, RecordId, RunId, Seq};
use tenure_model::{Day, Instant};

/// A statement that is to be appended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewStatement {
    /// Whose chain it belongs to; statements about everyone have none.
    pub account: Option<AccountKey>,
    /// Its version in that chain, from 1; 0 without an account.
    pub version: u64,
    /// What kind of statement it is, such as `decision`.
    pub kind: String,
    /// When it was received.
    pub at: Instant,
    /// The leaf's commitment.
    pub commitment: Digest,
    /// The statement and its opening, encrypted under the account's proof key.
    pub sealed: Vec<u8>,
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementRow {
    /// Its place in the one order of all statements.
    pub seq: Seq,
    /// The place of the one before it in its account's chain.
    pub previous: Option<Seq>,
    /// What was appended.
    pub statement: NewStatement,
}

/// One version of a hold.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HoldRow {
    /// The hold's id.
    pub id: String,
    /// Its version, from 1.
    pub version: u32,
    /// When this version was placed.
    pub placed_at: Instant,
    /// When it was released.
    pub released_at: Option<Instant>,
    /// Whether the people concerned may be told.
    pub may_tell: bool,
    /// What it covers, as JSON.
    pub scope: String,
}

/// Who may do what only one may do at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// Who holds it.
    pub holder: String,
    /// A number that grows with each holder, so that an earlier one can be told from the present one.
    pub token: u64,
    /// When it lapses.
    pub until: Instant,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum RunState {
    /// Rows are being written.
    Opening,
    /// The manifest is signed.
    Sealed {
        /// The manifest, as JSON.
        manifest: String,
        /// Its digest.
        digest: Digest,
    },
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// The purpose.
    pub purpose: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// The ledger position that it froze: how many statements there were.
    pub position: u64,
    /// How far it has come.
    pub state: RunState,
}

/// A record in a run.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RunRecordRow {
    /// Whose record it is.
    pub account: AccountKey,
    /// The run.
    pub run: RunId,
    /// The record.
    pub record: RecordId,
    /// The version that judged it, such as `consumer@2025-10-08`.
    pub policy: String,
    /// The decision on which it relies.
    pub decision: Option<Seq>,
    /// How many messages were written.
    pub messages: u32,
    /// The first of its rows in the run.
    pub first_row: u64,
    /// How many rows it has.
    pub rows: u32,
}

/// How many copies of a class are in a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageCount {
    /// The class.
    pub class: ClassId,
    /// The stage.
    pub stage: CopyStage,
    /// How many.
    pub copies: u64,
    /// When the oldest of them was made.
    pub oldest: Instant,
}

/// How many copies of a class were shredded on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DestroyedCount {
    /// The day.
    pub day: Day,
    /// The class.
    pub class: ClassId,
    /// How many.
    pub copies: u64,
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Accounts.
    pub accounts: u64,
    /// Conversations.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// Messages.
    pub messages: u64,
    /// Statements.
    pub statements: u64,
    /// Packs that are not removed.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
}

/// Something that should not be. It names ids of this store only, never anything about a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Finding {
    /// The engine found its own files damaged.
    #[error("the database is damaged ({lines} findings of its integrity check): restore a backup")]
    Damaged {
        /// How many lines the engine's check printed.
        lines: u64,
    },
    /// Rows refer to rows that do not exist.
    #[error("{rows} rows of `{table}` refer to a row that does not exist")]
    Dangling {
        /// The table.
        table: String,
        /// How many rows.
        rows: u64,
    },
    /// A record without its conversation.
    #[error("record `{0}` has no conversation")]
    RecordAlone(RecordId),
    /// A record whose counts differ from its rows.
    #[error("record `{0}` says another number of messages or segments than it has")]
    RecordCounts(RecordId),
    /// A live copy of a body that has no key though its siblings have.
    #[error("a live copy of record `{0}` has no wrapped key")]
    CopyWithoutKey(RecordId),
    /// A copy in a batch that does not exist, or gathered by none though its end is sealed.
    #[error("a copy of record `{0}` is being destroyed by no batch")]
    CopyWithoutBatch(RecordId),
    /// A segment in a pack that nobody knows, or that is removed.
    #[error("a segment of record `{record}` lies in pack `{pack}`, which is unknown or removed")]
    SegmentAdrift {
        /// The record.
        record: RecordId,
        /// The pack.
        pack: PackId,
    },
    /// A pack whose count of segments differs.
    #[error("pack `{pack}` counts {counted} segments and has {found}")]
    PackCount {
        /// The pack.
        pack: PackId,
        /// What the row says.
        counted: u64,
        /// What there is.
        found: u64,
    },
    /// A page whose count of wraps differs. Slots that were taken and never used count too many: harmless.
    #[error("page `{page}` counts {counted} wraps and has {found}")]
    PageCount {
        /// The page.
        page: PageId,
        /// What the row says.
        counted: u64,
        /// What there is.
        found: u64,
    },
    /// A wrap on a page that nobody knows, or whose key is destroyed.
    #[error("wraps lie on page `{0}`, which is unknown or destroyed")]
    WrapAdrift(PageId),
    /// A chain of statements with a gap.
    #[error("the chain of account number {} has a gap or another head than its account says", .0.0)]
    ChainGap(AccountKey),
    /// The one order of all statements has a gap.
    #[error("statements are missing: {found} of {expected} are there")]
    StatementGap {
        /// How many there should be.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// A batch says that it is further than its copies are.
    #[error("batch {} says that it is finished, and {copies} of its copies are not", .batch.0)]
    BatchAhead {
        /// The batch.
        batch: BatchId,
        /// How many copies are behind.
        copies: u64,
    },
}
