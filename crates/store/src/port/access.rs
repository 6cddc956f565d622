//! Who may do what: API keys, changes that need two people, and what was asked before.
//!
//! The words in these rows (roles, operations, kinds of change) are those of the rules; the store keeps them and
//! understands none.

use crate::{AccountKey, ChangeId, Digest, Stored};
use serde::{Deserialize, Serialize};
use tenure_model::Instant;

/// An API key, by its public part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ApiKeyId(pub [u8; 8]);

/// What opens an API key. Only hashes of secrets are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApiKeySecrets {
    /// One secret.
    Live {
        /// Its hash.
        hash: Digest,
    },
    /// A new secret, and until an instant the one before.
    Rotating {
        /// The hash of the new one.
        new: Digest,
        /// The hash of the one before.
        old: Digest,
        /// When the one before ends.
        until: Instant,
    },
    /// Nothing, for good.
    Revoked {
        /// Since when.
        at: Instant,
    },
}

/// An API key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// By what it is looked up.
    pub id: ApiKeyId,
    /// What the deployment is for.
    pub environment: String,
    /// Who answers for it: a role or a pseudonym.
    pub owner: String,
    /// What its holder is.
    pub role: String,
    /// The only operations that it is for, in order; nothing where it is for all of its role.
    pub operations: Option<Vec<String>>,
    /// The only organisation that it reaches.
    pub organisation: Option<String>,
    /// When it was minted.
    pub minted_at: Instant,
    /// From when it opens nothing any more.
    pub expires_at: Instant,
    /// What opens it.
    pub secrets: ApiKeySecrets,
}

/// Reads API keys.
pub trait KeyRead {
    /// The key of an id.
    fn api_key(&mut self, id: ApiKeyId) -> Stored<Option<ApiKeyRow>>;
    /// Keys by id, after one, revoked and expired ones too.
    fn api_keys(&mut self, after: Option<ApiKeyId>, limit: usize) -> Stored<Vec<ApiKeyRow>>;
}

/// Writes API keys. None is ever deleted.
pub trait KeyWrite {
    /// Adds a key.
    fn insert_api_key(&mut self, key: &ApiKeyRow) -> Stored<()>;
    /// Replaces what opens a key. Of one that is revoked nothing is replaced: it counts as missing.
    fn set_api_key_secrets(&mut self, id: ApiKeyId, secrets: &ApiKeySecrets) -> Stored<()>;
}

/// What became of a proposed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeState {
    /// It waits for a second person.
    Proposed,
    /// A second person approved it.
    Approved {
        /// Who.
        by: String,
        /// When.
        at: Instant,
    },
    /// Somebody said no.
    Rejected {
        /// Who.
        by: String,
        /// When.
        at: Instant,
    },
    /// Nobody approved it, or did it, in time.
    Lapsed {
        /// When.
        at: Instant,
    },
    /// It was done.
    Executed {
        /// Who had approved it.
        approved_by: String,
        /// When it was done.
        at: Instant,
    },
}

impl ChangeState {
    /// Whether anything can still become of it.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Proposed | Self::Approved { .. })
    }
}

/// A change that needs two people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Its id.
    pub id: ChangeId,
    /// What kind of change it is.
    pub change: String,
    /// The digest of what exactly is to be done.
    pub what: Digest,
    /// What exactly is to be done, as whoever approves it is shown.
    pub about: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Instant,
    /// What became of it.
    pub state: ChangeState,
}

/// Reads proposed changes.
pub trait ChangeRead {
    /// One change.
    fn change(&mut self, id: ChangeId) -> Stored<Option<ChangeRow>>;
    /// Changes by when they were proposed, the newest first, before one.
    fn changes(&mut self, before: Option<(Instant, ChangeId)>, limit: usize) -> Stored<Vec<ChangeRow>>;
}

/// Writes proposed changes. None is ever deleted.
pub trait ChangeWrite {
    /// Adds a change.
    fn insert_change(&mut self, change: &ChangeRow) -> Stored<()>;
    /// Says what became of a change that is open. Of one that is not, nothing is said: it counts as missing.
    fn set_change_state(&mut self, id: ChangeId, state: &ChangeState) -> Stored<()>;
}

/// That a subject token was used for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimRow {
    /// The random id of the token.
    pub token: [u8; 16],
    /// A keyed digest of the request.
    pub request: Digest,
    /// When the token ends.
    pub until: Instant,
}

/// Writes for what tokens were used.
pub trait ClaimWrite {
    /// Keeps a claim, or gives the one that its token has already, in one step.
    fn claim(&mut self, claim: &ClaimRow) -> Stored<Option<ClaimRow>>;
    /// Forgets so many claims of tokens that ended before an instant, and says how many they were.
    fn forget_claims(&mut self, before: Instant, limit: usize) -> Stored<u64>;
}

/// How far a request has come that may be sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnceState {
    /// Somebody is at it.
    UnderWay {
        /// Since when.
        since: Instant,
    },
    /// It was answered.
    Done {
        /// The HTTP status of the answer.
        status: u16,
        /// The account under whose proof key the answer is sealed.
        account: AccountKey,
        /// The answer, sealed.
        answer: Vec<u8>,
    },
}

/// A request that may be sent again and is done once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnceRow {
    /// A keyed digest of who sends it and of the key that they gave it.
    pub key: Digest,
    /// A keyed digest of what it asks for.
    pub request: Digest,
    /// How far it has come.
    pub state: OnceState,
    /// From when it counts as never sent.
    pub expires_at: Instant,
}

/// A request that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnceBegun {
    /// A keyed digest of who sends it and of the key that they gave it.
    pub key: Digest,
    /// A keyed digest of what it asks for.
    pub request: Digest,
    /// When it begins.
    pub now: Instant,
    /// Whoever has been at it since before this instant is taken to be gone.
    pub gone_before: Instant,
    /// From when it counts as never sent.
    pub expires_at: Instant,
}

/// Reads which requests were sent before.
pub trait OnceRead {
    /// The request of a key, expired or not.
    fn once(&mut self, key: &Digest) -> Stored<Option<OnceRow>>;
}

/// Writes which requests were sent before.
pub trait OnceWrite {
    /// Begins a request and gives nothing, or gives the earlier one of its key, in one step. One that has expired, or
    /// that asks for the same and whose doer is gone, is begun anew.
    fn begin_once(&mut self, begun: &OnceBegun) -> Stored<Option<OnceRow>>;
    /// Ends the request that was begun at an instant; `false`, and nothing happens, if somebody has taken it over.
    fn finish_once(&mut self, key: &Digest, since: Instant, done: &OnceState) -> Stored<bool>;
    /// Takes back the request that was begun at an instant, of which nothing came.
    fn abandon_once(&mut self, key: &Digest, since: Instant) -> Stored<()>;
    /// Forgets so many requests that have expired by an instant, and says how many they were.
    fn forget_once(&mut self, by: Instant, limit: usize) -> Stored<u64>;
}
