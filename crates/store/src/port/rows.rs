//! Rows of policies, accounts and conversations.

use crate::{AccountKey, ClassId, ConversationId, PackId, PageId, RecordId, Seq};
use tenure_model::{Day, Instant, Kind, Mode};

/// A SHA-256 digest, a commitment or a MAC.
pub type Digest = [u8; 32];

/// A published version of a policy.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PolicyRow {
    /// The lineage, such as `consumer`.
    pub lineage: String,
    /// The version's name within its lineage.
    pub version: String,
    /// When it was announced.
    pub announced: Instant,
    /// When it takes effect.
    pub effective: Instant,
    /// The file as it was published.
    pub source: String,
    /// The digest of the file.
    pub digest: Digest,
    /// When it was published here.
    pub published_at: Instant,
    /// When two people withdrew it; it then counts as never published.
    pub withdrawn_at: Option<Instant>,
}

/// A wrapped key and the page on which it lies.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Wrap {
    /// The page.
    pub page: PageId,
    /// The key, wrapped.
    pub sealed: Vec<u8>,
}

/// How far an account's chain of statements goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain {
    /// The version of the newest statement; 0 where there is none.
    pub version: u64,
    /// Its commitment; zeros where there is none.
    pub head: Digest,
    /// Where it is.
    pub newest: Option<Seq>,
    /// When it was received.
    pub at: Option<Instant>,
}

/// What was known of an account until it was told anew.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FormerFacts {
    /// Until when.
    pub until: Instant,
    /// The country.
    pub country: Option<String>,
    /// Whether the person is a minor.
    pub minor: Option<bool>,
}

/// Facts about an account that the operator tells.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct AccountFacts {
    /// The account's present country.
    pub country: Option<String>,
    /// Whether the person is a minor; nothing where nobody told.
    pub minor: Option<bool>,
    /// When the account was opened.
    pub opened_at: Option<Instant>,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// What was known before, oldest first.
    pub former: Vec<FormerFacts>,
}

/// The account's two keys; each is gone once it was destroyed.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct AccountKeys {
    /// The key without which no copy of the account opens.
    pub account: Option<Wrap>,
    /// The key of its statements and openings, which outlives the account.
    pub proof: Option<Wrap>,
}

/// An account that is to be opened.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewAccount {
    /// The operator's pseudonymous id, unique within the organisation.
    pub id: String,
    /// The organisation.
    pub organisation: Option<String>,
    /// What is known about it.
    pub facts: AccountFacts,
    /// Its keys. Their slots must have been taken on their pages.
    pub keys: AccountKeys,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Its key in this store.
    pub key: AccountKey,
    /// The operator's pseudonymous id.
    pub id: String,
    /// The organisation.
    pub organisation: Option<String>,
    /// What is known about it.
    pub facts: AccountFacts,
    /// Its keys.
    pub keys: AccountKeys,
    /// Its chain of statements.
    pub chain: Chain,
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConversationRow {
    /// Whose it is.
    pub account: AccountKey,
    /// Its id.
    pub id: ConversationId,
    /// A MAC by which the same conversation is recognised when it is imported again.
    pub recognised: Digest,
    /// What it is.
    pub kind: Kind,
    /// When it began.
    pub created_at: Instant,
}

/// A record: the longest run of messages of one conversation that share surface, mode and country.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordRow {
    /// Whose it is.
    pub account: AccountKey,
    /// Its id.
    pub id: RecordId,
    /// The conversation that it is a part of.
    pub conversation: ConversationId,
    /// Its place in the conversation, from 0.
    pub ordinal: u32,
    /// The surface.
    pub surface: String,
    /// What the conversation is.
    pub kind: Kind,
    /// How it was sent.
    pub mode: Mode,
    /// From which country.
    pub country: Option<String>,
    /// When it was created.
    pub created_at: Instant,
    /// What has happened to it since.
    pub facts: RecordFacts,
    /// How many messages it has.
    pub messages: u32,
    /// How many segments its body has.
    pub segments: u32,
}

/// A flag that was cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Unflagged {
    /// When the record had been flagged.
    pub flagged_at: Instant,
    /// When the flag was cleared.
    pub cleared_at: Instant,
}

/// What may change about a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordFacts {
    /// Whether a classifier has scanned it; nothing where nobody told.
    pub scanned: Option<bool>,
    /// When content last came.
    pub last_activity_at: Instant,
    /// When its person deleted it.
    pub deleted_at: Option<Instant>,
    /// When it was flagged.
    pub flagged_at: Option<Instant>,
    /// When feedback was given on it.
    pub feedback_at: Option<Instant>,
    /// The flag that was cleared last.
    pub unflagged: Option<Unflagged>,
}

/// What is known of a message besides what it says.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MessageRow {
    /// Its place in the record, from 0.
    pub ordinal: u32,
    /// Its id in the conversation.
    pub id: String,
    /// When it was sent; nothing where nobody knows.
    pub at: Option<Instant>,
    /// Who spoke.
    pub role: String,
    /// Whether it lies on a branch that the person left.
    pub dead_branch: bool,
    /// In which segment of the record's body it lies.
    pub segment: u32,
    /// The messages that it derives from.
    pub derived_from: Vec<String>,
}

/// Where a part of a record's body lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SegmentRow {
    /// Its place in the body, from 0.
    pub segment: u32,
    /// The pack.
    pub pack: PackId,
    /// Where it begins in the pack.
    pub offset: u64,
    /// How many bytes it has.
    pub length: u64,
}

/// A pack of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PackRow {
    /// Its id.
    pub id: PackId,
    /// How many bytes it has.
    pub bytes: u64,
    /// How many segments of it are still referred to. The store counts.
    pub segments: u64,
    /// How many bytes those have. The store counts.
    pub live: u64,
    /// When it was written.
    pub created_at: Instant,
    /// When its bytes were removed.
    pub removed_at: Option<Instant>,
}

/// Which pages serve alike: one of these is open at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Shelf {
    /// The tree, such as `account`, `proof`, `ordinary` or `held`.
    pub tree: String,
    /// The class of the copies.
    pub class: Option<ClassId>,
    /// The day on which they expire.
    pub day: Option<Day>,
}

/// What a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum PageState {
    /// There is room on it.
    Open,
    /// It takes no more.
    Full,
    /// Its key is destroyed.
    Destroyed,
}

/// A page of wrapped keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRow {
    /// Its id.
    pub id: PageId,
    /// What it serves.
    pub shelf: Shelf,
    /// How many wraps lie on it, or are about to.
    pub wraps: u32,
    /// What it is.
    pub state: PageState,
}

/// Slots that were taken on one page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Slots {
    /// The page.
    pub page: PageId,
    /// How many.
    pub count: u32,
    /// Whether the page was opened for them.
    pub opened: bool,
}

/// The most wraps that a page holds.
pub const PAGE_WRAPS_MAX: u32 = 256;
