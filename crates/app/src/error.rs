//! What can go wrong in a use case. No message carries anything about a person.

use tenure_policy::language::Diagnostics;
use tenure_receipts::{ReceiptError, StatementError};
use tenure_store::StoreError;
use tenure_vault::{BodyError, CipherError, KeyError, LogKeyError, MalformedWrap, OpenError};

/// A failure of a use case. Nothing of it was saved, except where the commit was reported as failed and
/// happened, or where the log could not be signed after it: then the statement stands and has no receipt yet.
///
/// It is exhaustive, so that whoever adds an error says what it is to those who call over HTTP.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store failed.
    #[error("the store failed")]
    Store(#[source] StoreError),
    /// The store and its journal do not go on together.
    #[error(transparent)]
    Journal(#[from] tenure_store::JournalError),
    /// The key store failed.
    #[error("the key store failed")]
    Keys(#[from] KeyError),
    /// The store of bodies failed.
    #[error("the store of bodies failed")]
    Bodies(#[from] BodyError),
    /// Something sealed could not be opened.
    #[error("something sealed could not be opened")]
    Open(#[from] OpenError),
    /// Something could not be sealed.
    #[error("something could not be sealed")]
    Cipher(#[from] CipherError),
    /// A stored wrap is malformed.
    #[error("a stored key is malformed: run `tenure doctor`")]
    Wrap(#[from] MalformedWrap),
    /// A statement could not be written or read.
    #[error("a statement of the ledger could not be read or written")]
    Statement(#[from] StatementError),
    /// A receipt could not be made.
    #[error("a receipt could not be made")]
    Receipt(#[from] ReceiptError),
    /// The log could not be signed, or its keys not be changed.
    #[error("the keys of the log failed")]
    LogKeys(#[from] LogKeyError),
    /// The data are older than what was published of their log.
    #[error(
        "a log of {0} statements was published, and this data folder does not continue it, as after a restore of \
         older data: nothing is written, since a second history would make both worthless; put the newer data back"
    )]
    LogRolledBack(u64),
    /// A statement is not in the log though it should be.
    #[error("a statement is not in the log where it should be: run `tenure ledger verify`")]
    NotIntegrated,
    /// What the store keeps for the public can't be read.
    #[error("what the store keeps of the log for the public can't be read: run `tenure ledger verify`")]
    PublicLog,
    /// The evidence of an account's decisions was destroyed in its turn.
    #[error("the evidence of this account's decisions was destroyed after its term, so nothing opens it")]
    ProofDestroyed,
    /// A file could not be written.
    #[error("a file could not be written")]
    File(#[from] std::io::Error),
    /// The rows of a run could not be written.
    #[error("the rows of a run could not be written")]
    Gate(#[from] tenure_gate::GateError),
    /// JSON could not be written or read.
    #[error("a stored document could not be read or written: run `tenure doctor`")]
    Json(#[from] serde_json::Error),
    /// No random bytes could be had.
    #[error("the system gave no random bytes")]
    Entropy,
    /// The store was set up before.
    #[error("this folder is set up already")]
    AlreadyInitialised,
    /// The store was never set up.
    #[error("this folder is not set up: run `tenure init` first")]
    NotInitialised,
    /// A policy was refused.
    #[error("the policy was refused:\n{0}")]
    Policy(Diagnostics),
    /// A version is published already, with other text.
    #[error(
        "version `{0}` is published already, and a published version never changes: give the new text a new name"
    )]
    PublishedOtherwise(String),
    /// A version was withdrawn.
    #[error(
        "version `{0}` was withdrawn and counts as never published, so nothing but an `off` is taken under it: use \
         another version, and give corrected text a new name"
    )]
    Withdrawn(String),
    /// A publication would take the basis of more copies than it may.
    #[error("{0}")]
    LosesTooMuch(Box<crate::Loss>),
    /// A surface belongs to two lineages.
    #[error("surface `{surface}` belongs to policy `{lineage}` already: one surface has one lineage")]
    SurfaceTaken {
        /// The surface.
        surface: String,
        /// The lineage that has it.
        lineage: String,
    },
    /// No lineage knows a surface.
    #[error("no published policy knows surface `{0}`: publish one that does with `tenure policy publish`")]
    UnknownSurface(String),
    /// No published lineage has that version.
    #[error("no published policy has version `{0}`")]
    UnknownVersion(String),
    /// No published lineage asks for that purpose.
    #[error("no published policy has purpose `{0}`, or nobody decides on it: see `tenure policy show`")]
    UnknownPurpose(String),
    /// Several lineages have a version of that name.
    #[error(
        "several published policies have a version `{0}`: name the one that is meant as `policy@version`"
    )]
    SeveralVersions(String),
    /// Several lineages ask for a purpose of that name.
    #[error(
        "several published policies ask about purpose `{0}`: name the version that the person saw as `policy@version`"
    )]
    SeveralPolicies(String),
    /// There is no such account.
    #[error("there is no such account: open it with `tenure account`")]
    UnknownAccount,
    /// There is no such record.
    #[error("there is no such record")]
    UnknownRecord,
    /// There is no such conversation.
    #[error("there is no such conversation")]
    UnknownConversation,
    /// There is no such hold, or it was released before.
    #[error("there is no such hold, or it was released already: see `tenure hold list`")]
    UnknownHold,
    /// A hold was amended since somebody looked at it.
    #[error("hold `{hold}` has version {version} by now, and this is about another: look at it again")]
    HoldMoved {
        /// The hold.
        hold: String,
        /// The version that it has.
        version: u32,
    },
    /// A conversation has changed while more of it was taken in.
    #[error("a conversation has changed while it was taken in: send it again")]
    ConversationMoved,
    /// A conversation was not taken.
    #[error(transparent)]
    NotTaken(#[from] crate::Refusal),
    /// The log has no such leaf yet.
    #[error("the log has no such leaf yet")]
    UnknownLeaf,
    /// The account is not as the condition of a request says.
    #[error("the account is not as you say that it is: read it again, then change it")]
    AccountDiffers,
    /// There is no such run.
    #[error("there is no such run")]
    UnknownRun,
    /// A version was not announced yet.
    #[error("version `{0}` is not announced yet at this time")]
    NotAnnounced(String),
    /// An `on` names an older head of the account's chain than it has.
    #[error("the account's choices have moved on since: read them again, then decide")]
    ChainMoved,
    /// An `on` without the head that it follows, of an account that has said `off`.
    #[error(
        "the account has said off, and this `on` does not say that it came later: add `follows`, the head of the \
         account's chain as `tenure account` shows it"
    )]
    SaysOff,
    /// The account is closed.
    #[error("the account is closed")]
    AccountClosed,
    /// A sweep would destroy more than it may.
    #[error("{0}")]
    Guarded(Box<crate::Excess>),
    /// Destruction is paused.
    #[error("destruction is paused since {0}: nothing is destroyed until it is resumed")]
    Paused(tenure_model::Instant),
    /// Tenure only observes.
    #[error("Tenure only observes here: it judges and reports, and destroys nothing")]
    Observes,
    /// Another process sweeps.
    #[error(
        "another process is destroying what is due: its right to do so lasts until {0} unless it is prolonged"
    )]
    SweptElsewhere(tenure_model::Instant),
    /// Another process has taken over, or a step took so long that another may.
    #[error(
        "the right to destroy has lapsed, as when a step takes longer than a minute or another process took over:          nothing more was destroyed, and the next sweep goes on"
    )]
    LeaseLapsed,
    /// The process is about to end.
    #[error("the sweep was told to end before its next step: the next one goes on where it was")]
    Stopping,
    /// A backup could not be taken or restored.
    #[error(transparent)]
    Backup(#[from] crate::BackupError),
    /// Somebody may not do that, or not yet.
    #[error(transparent)]
    Access(#[from] tenure_access::Refusal),
    /// There is no such API key.
    #[error("there is no such API key: see `tenure key list` for those that there are")]
    UnknownKey,
    /// No such change was proposed.
    #[error("no such change was proposed: see `tenure change list` for those that were")]
    UnknownChange,
    /// Something that can't be asked for at all.
    #[error("{0}")]
    Refused(String),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Journal(error) => Self::Journal(error),
            error => Self::Store(error),
        }
    }
}
