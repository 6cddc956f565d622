//! What is stored of an API key, and its life: minted, rotated, revoked, expired.

use tenure_model::Instant;

use super::{ApiKey, Environment, KeyId, Scope, SecretHash};
use crate::{Principal, Refusal, Role, time};

/// How long a key may live, from when it is minted.
const LIFETIME_DAYS_MAX: i64 = 366;
/// How long the secret before may stay valid after a rotation.
const OVERLAP_DAYS_MAX: i64 = 7;

/// What a key is minted for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyTerms {
    /// The deployment that it is for.
    pub environment: Environment,
    /// Who answers for what is done with it.
    pub owner: Principal,
    /// What its holder is.
    pub role: Role,
    /// What it may do less than its role.
    pub scope: Scope,
    /// From when it opens nothing any more.
    pub expires: Instant,
}

/// Which secrets open a key.
#[derive(Debug, Clone, Copy)]
pub enum KeyState {
    /// One.
    Live(SecretHash),
    /// A new one, and until an instant the one before.
    Rotating {
        /// The new one.
        new: SecretHash,
        /// The one before.
        old: SecretHash,
        /// When the one before ends.
        until: Instant,
    },
    /// None, for good. The hashes are gone.
    Revoked {
        /// Since when.
        at: Instant,
    },
}

/// A key as it is stored: everything but its secret.
#[derive(Debug, Clone)]
pub struct StoredKey {
    /// By what it is looked up.
    pub id: KeyId,
    /// What it was minted for.
    pub terms: KeyTerms,
    /// Which secrets open it.
    pub state: KeyState,
}

/// Somebody whose key was checked. Only [`StoredKey::check`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHolder {
    key: KeyId,
    owner: Principal,
    role: Role,
    scope: Scope,
}

impl KeyHolder {
    /// Which key it was.
    pub const fn key(&self) -> KeyId {
        self.key
    }

    /// Who answers for it.
    pub const fn owner(&self) -> &Principal {
        &self.owner
    }

    /// What the holder is.
    pub const fn role(&self) -> Role {
        self.role
    }

    /// What the key may do less than its role.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }
}

impl StoredKey {
    /// Mints a key out of random bytes: what to store, and what to show once.
    pub fn mint(
        terms: KeyTerms,
        id: [u8; 8],
        secret: [u8; 32],
        now: Instant,
    ) -> Result<(Self, ApiKey), Refusal> {
        if terms.expires <= now || terms.expires > time::days_after(now, LIFETIME_DAYS_MAX) {
            return Err(Refusal::KeyLifetime);
        }
        terms.scope.fits(terms.role)?;
        let key = ApiKey::new(terms.environment, KeyId(id), secret);
        Ok((Self { id: key.id(), terms, state: KeyState::Live(key.hash()) }, key))
    }

    /// Who calls with this key. `stored` is what was found under its id.
    ///
    /// A wrong secret is refused like an unknown id, and what became of a key is told only to whoever has its
    /// secret. A revoked key has no secret left, so that is told to whoever knows its id.
    pub fn check(stored: Option<&Self>, key: &ApiKey, now: Instant) -> Result<KeyHolder, Refusal> {
        let stored = stored.filter(|stored| stored.id == key.id()).ok_or(Refusal::KeyUnknown)?;
        let opens = match stored.state {
            KeyState::Live(hash) => hash.is_of(key),
            KeyState::Rotating { new, old, until } => new.is_of(key) || now < until && old.is_of(key),
            KeyState::Revoked { .. } => return Err(Refusal::KeyRevoked),
        };
        if !opens {
            return Err(Refusal::KeyUnknown);
        }
        if now >= stored.terms.expires {
            return Err(Refusal::KeyExpired);
        }
        let KeyTerms { owner, role, scope, .. } = stored.terms.clone();
        Ok(KeyHolder { key: stored.id, owner, role, scope })
    }

    /// Gives the key another secret. The one before stays valid until `until`, or ends at once if that has passed.
    ///
    /// Refused while an earlier overlap runs, since a secret that somebody was told is still valid would end.
    pub fn rotate(self, secret: [u8; 32], until: Instant, now: Instant) -> Result<(Self, ApiKey), Refusal> {
        if now >= self.terms.expires {
            return Err(Refusal::KeyOver);
        }
        if until > time::days_after(now, OVERLAP_DAYS_MAX) {
            return Err(Refusal::KeyOverlap);
        }
        let old = match self.state {
            KeyState::Live(hash) => hash,
            KeyState::Rotating { new, until, .. } if until <= now => new,
            KeyState::Rotating { .. } => return Err(Refusal::RotationRunning),
            KeyState::Revoked { .. } => return Err(Refusal::KeyOver),
        };
        let key = ApiKey::new(self.terms.environment, self.id, secret);
        let new = key.hash();
        let state = if until > now { KeyState::Rotating { new, old, until } } else { KeyState::Live(new) };
        Ok((Self { state, ..self }, key))
    }

    /// Ends the key at once, for good. Revoking it again changes nothing.
    #[must_use]
    pub fn revoke(self, now: Instant) -> Self {
        match self.state {
            KeyState::Revoked { .. } => self,
            KeyState::Live(_) | KeyState::Rotating { .. } => {
                Self { state: KeyState::Revoked { at: now }, ..self }
            }
        }
    }
}
