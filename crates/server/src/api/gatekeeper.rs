//! What the API asks of whoever keeps keys, tokens and the answers of repeated requests.

use std::fmt;

use tenure_access::{ApiKey, Bearer, Grant, KeyHolder, Refusal, SubjectToken};
use tenure_app::Error;
use tenure_model::Instant;
use zeroize::Zeroizing;

/// Why a gatekeeper did not do what it was asked to do.
#[derive(Debug)]
pub enum Denied {
    /// It may not be.
    Refused(Refusal),
    /// It failed, so nobody may.
    Failed(Error),
}

impl From<Refusal> for Denied {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Denied {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A request that may come more than once and is to be done once.
#[derive(Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The SHA-256 of who asks and of their `Idempotency-Key`, or of their token where that is good for one request.
    pub key: [u8; 32],
    /// The SHA-256 of the request.
    pub request: [u8; 32],
    /// The account that it is about. What is kept of the answer is forgotten with it.
    pub account: Option<String>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The account stands for a person.
        f.write_str("Attempt")
    }
}

/// What was known of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is under way from now on, and is to be finished or given up.
    First,
    /// It is under way elsewhere.
    UnderWay,
    /// It was done, and this is its answer as it was kept.
    Done(Vec<u8>),
    /// Its key came with another request.
    Other,
}

/// Keeps keys, tokens and the answers of repeated requests. Each method is durable when it answers, and blocks.
pub trait Gatekeeper: Send + Sync {
    /// Who holds a key.
    fn open_key(&self, key: &ApiKey, now: Instant) -> Result<KeyHolder, Denied>;

    /// The token of a text, if it was minted here for this service.
    fn open_token(&self, text: &str, audience: &str, now: Instant) -> Result<SubjectToken, Denied>;

    /// Uses a token for a request. Of one that is good for one request only the claim is kept first.
    fn present(&self, token: SubjectToken, request: [u8; 32], now: Instant) -> Result<Bearer, Denied>;

    /// Mints a token, with its id in hexadecimal.
    fn mint(&self, grant: &Grant<'_>) -> Result<(Zeroizing<String>, String), Denied>;

    /// Begins an attempt, or says what is known of it; both in one step.
    fn begin(&self, attempt: &Attempt, now: Instant) -> Result<Begun, Denied>;

    /// Keeps the answer of an attempt.
    fn finish(&self, attempt: &Attempt, answer: &[u8], now: Instant) -> Result<(), Denied>;

    /// Forgets an attempt of which nothing was done.
    fn give_up(&self, attempt: &Attempt) -> Result<(), Denied>;
}
