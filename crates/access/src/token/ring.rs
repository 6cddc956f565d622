//! Minting tokens, and opening those that come back.

use std::fmt;
use std::iter::once;

use tenure_model::Instant;
use zeroize::Zeroizing;

use super::TokenPurpose;
use super::form::{self, Head};
use crate::encoding::{equal, keyed, sha256, write_hex};
use crate::{Refusal, Subject, time};

/// How long a token may be valid.
const LIFETIME_HOURS_MAX: i64 = 1;
const AUDIENCE_LABEL: &[u8] = b"tenure/subject-token/v1/audience\0";

/// The random id of a token. It names nobody, so it is what logs may say of one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub [u8; 16]);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(32);
        write_hex(&self.0, &mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

/// A key that mints and opens tokens. One key for each use is derived from its secret.
pub struct TokenKey {
    id: u32,
    mac: Zeroizing<[u8; 32]>,
    seal: Zeroizing<[u8; 32]>,
}

impl TokenKey {
    /// The key of that id and 256 random bits.
    pub fn new(id: u32, secret: &[u8; 32]) -> Self {
        let derive = |label: &[u8]| Zeroizing::new(keyed(secret, &[label]));
        Self {
            id,
            mac: derive(b"tenure/subject-token/v1/mac"),
            seal: derive(b"tenure/subject-token/v1/seal"),
        }
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenKey({})", self.id)
    }
}

/// What a token is minted for.
#[derive(Debug, Clone, Copy)]
pub struct Grant<'a> {
    /// The one account.
    pub subject: &'a Subject,
    /// The one thing.
    pub purpose: TokenPurpose,
    /// The one service, by the address at which people reach it.
    pub audience: &'a str,
    /// From when.
    pub from: Instant,
    /// Until when, an hour later at most.
    pub until: Instant,
}

/// The keys of a deployment: the newest mints, and all of them open.
#[derive(Debug)]
pub struct TokenRing {
    newest: TokenKey,
    older: Vec<TokenKey>,
}

impl TokenRing {
    /// A ring. An older key may go an hour after it minted its last token.
    pub const fn new(newest: TokenKey, older: Vec<TokenKey>) -> Self {
        Self { newest, older }
    }

    /// Mints a token. Its id must be drawn at random for each.
    pub fn mint(&self, grant: &Grant<'_>, id: TokenId) -> Result<Zeroizing<String>, Refusal> {
        let head = Head {
            key: self.newest.id,
            purpose: grant.purpose,
            id,
            from: grant.from,
            until: grant.until,
            audience: sha256(&[AUDIENCE_LABEL, grant.audience.as_bytes()]),
        };
        if !is_short(&head) {
            return Err(Refusal::TokenLifetime);
        }
        let signed = head.with(&form::seal(&self.newest.seal, id, grant.subject));
        Ok(Zeroizing::new(form::write(&signed, &keyed(&self.newest.mac, &[&signed]))))
    }

    /// Opens a token for this service. Nothing of it is believed before its MAC is right.
    pub fn open(&self, text: &str, audience: &str, now: Instant) -> Result<SubjectToken, Refusal> {
        let parsed = form::parse(text).ok_or(Refusal::TokenMalformed)?;
        let head = &parsed.head;
        let mut named = once(&self.newest).chain(&self.older).filter(|key| key.id == head.key).peekable();
        if named.peek().is_none() {
            return Err(Refusal::TokenKeyUnknown);
        }
        let right = |key: &&TokenKey| equal(&keyed(&key.mac, &[&parsed.signed]), &parsed.mac);
        let key = named.find(right).ok_or(Refusal::TokenForged)?;
        if head.audience != sha256(&[AUDIENCE_LABEL, audience.as_bytes()]) {
            return Err(Refusal::TokenAudience);
        }
        if now < head.from {
            return Err(Refusal::TokenNotYet);
        }
        if now >= head.until {
            return Err(Refusal::TokenExpired);
        }
        // What we minted always passes both; a key that leaked mints no token that lives for years.
        let subject = form::open(&key.seal, head.id, &parsed.sealed).filter(|_| is_short(head));
        let subject = subject.ok_or(Refusal::TokenMalformed)?;
        Ok(SubjectToken { id: head.id, purpose: head.purpose, subject, until: head.until })
    }
}

fn is_short(head: &Head) -> bool {
    head.from < head.until && head.until <= time::hours_after(head.from, LIFETIME_HOURS_MAX)
}

/// A token that was opened. Only [`TokenRing::open`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubjectToken {
    id: TokenId,
    purpose: TokenPurpose,
    subject: Subject,
    until: Instant,
}

impl SubjectToken {
    /// Its random id.
    pub const fn id(&self) -> TokenId {
        self.id
    }

    /// The one thing that it is for.
    pub const fn purpose(&self) -> TokenPurpose {
        self.purpose
    }

    /// The one account that it is for.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// When it ends.
    pub const fn until(&self) -> Instant {
        self.until
    }
}
