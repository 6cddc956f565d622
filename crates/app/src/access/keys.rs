//! API keys: minted, rotated, revoked, listed, opened.

use std::sync::Arc;

use serde::Serialize;
use tenure_access::{
    ApiKey, KeyHolder, KeyId, KeyState, KeyTerms, Operation, Permit, Scope, SecretHash, StoredKey,
};
use tenure_model::Instant;
use tenure_store::{ApiKeyId, ApiKeyRow, ApiKeySecrets, ReadTx, StoreError, StoreExt as _, Tx};

use super::opened::Found;
use super::{ensure_for, ensure_within};
use crate::ledger::bytes;
use crate::{Error, Tenure};

/// A key as an auditor sees it: everything but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyView {
    /// Its public part, 16 hexadecimal digits.
    pub id: String,
    /// What the deployment is for.
    pub environment: String,
    /// Who answers for it.
    pub owner: String,
    /// What its holder is.
    pub role: String,
    /// The only operations that it is for; nothing where it is for all of its role.
    pub operations: Option<Vec<String>>,
    /// The only organisation that it reaches.
    pub organisation: Option<String>,
    /// When it was minted.
    pub minted_at: Instant,
    /// From when it opens nothing any more.
    pub expires_at: Instant,
    /// How it stands.
    #[serde(flatten)]
    pub state: KeyStateView,
}

/// How a key stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum KeyStateView {
    /// It opens.
    Live,
    /// It opens, and so does the secret before it.
    Rotating {
        /// When the one before ends.
        until: Instant,
    },
    /// It opens nothing any more, by time.
    Expired,
    /// It was revoked.
    Revoked {
        /// Since when.
        at: Instant,
    },
}

/// The id of a key, from the 16 hexadecimal digits in which it is shown.
pub fn parse_key_id(text: &str) -> Option<KeyId> {
    bytes(text).map(KeyId)
}

const fn in_store(id: KeyId) -> ApiKeyId {
    ApiKeyId(id.0)
}

fn row_of(key: &StoredKey, minted_at: Instant) -> ApiKeyRow {
    let KeyTerms { environment, owner, role, scope, expires } = &key.terms;
    let words = |operations: &std::collections::BTreeSet<Operation>| {
        operations.iter().map(|operation| operation.word().to_owned()).collect()
    };
    ApiKeyRow {
        id: in_store(key.id),
        environment: environment.word().to_owned(),
        owner: owner.as_str().to_owned(),
        role: role.word().to_owned(),
        operations: scope.operations.as_ref().map(words),
        organisation: scope.organisation.as_ref().map(|organisation| organisation.as_str().to_owned()),
        minted_at,
        expires_at: *expires,
        secrets: secrets_of(key),
    }
}

const fn secrets_of(key: &StoredKey) -> ApiKeySecrets {
    match key.state {
        KeyState::Live(SecretHash(hash)) => ApiKeySecrets::Live { hash },
        KeyState::Rotating { new: SecretHash(new), old: SecretHash(old), until } => {
            ApiKeySecrets::Rotating { new, old, until }
        }
        KeyState::Revoked { at } => ApiKeySecrets::Revoked { at },
    }
}

/// Reads a key. A word that this version does not know, such as an operation of a newer one, opens nothing.
fn stored(row: &ApiKeyRow) -> Result<StoredKey, Error> {
    let unreadable = |column| move || Error::from(StoreError::Unreadable { column });
    let operation = |word: &String| word.parse().ok();
    let operations = row.operations.as_ref().map(|words| words.iter().map(operation).collect());
    let operations =
        operations.map(|read: Option<_>| read.ok_or_else(unreadable("operations"))).transpose()?;
    let organisation = row.organisation.as_deref().map(str::parse).transpose();
    let state = match row.secrets {
        ApiKeySecrets::Live { hash } => KeyState::Live(SecretHash(hash)),
        ApiKeySecrets::Rotating { new, old, until } => {
            KeyState::Rotating { new: SecretHash(new), old: SecretHash(old), until }
        }
        ApiKeySecrets::Revoked { at } => KeyState::Revoked { at },
    };
    Ok(StoredKey {
        id: KeyId(row.id.0),
        terms: KeyTerms {
            environment: row.environment.parse().ok().ok_or_else(unreadable("environment"))?,
            owner: row.owner.parse().ok().ok_or_else(unreadable("owner"))?,
            role: row.role.parse().ok().ok_or_else(unreadable("role"))?,
            scope: Scope {
                operations,
                organisation: organisation.ok().ok_or_else(unreadable("organisation"))?,
            },
            expires: row.expires_at,
        },
        state,
    })
}

/// The key of an id, as far as a permit reaches.
fn find(tx: &mut dyn ReadTx, permit: &Permit, id: KeyId) -> Result<StoredKey, Error> {
    let row = tx.api_key(in_store(id))?.ok_or(Error::UnknownKey)?;
    let key = stored(&row)?;
    ensure_within(permit, key.terms.scope.organisation.as_ref())?;
    Ok(key)
}

fn view(row: ApiKeyRow, now: Instant) -> KeyView {
    let state = match row.secrets {
        ApiKeySecrets::Revoked { at } => KeyStateView::Revoked { at },
        _ if row.expires_at <= now => KeyStateView::Expired,
        ApiKeySecrets::Rotating { until, .. } if until > now => KeyStateView::Rotating { until },
        ApiKeySecrets::Rotating { .. } | ApiKeySecrets::Live { .. } => KeyStateView::Live,
    };
    KeyView {
        id: KeyId(row.id.0).to_string(),
        environment: row.environment,
        owner: row.owner,
        role: row.role,
        operations: row.operations,
        organisation: row.organisation,
        minted_at: row.minted_at,
        expires_at: row.expires_at,
        state,
    }
}

impl Tenure {
    /// Mints an API key. Its text is in the answer and nowhere else.
    ///
    /// A permit for one organisation mints keys for that one only.
    pub fn mint_key(&self, permit: &Permit, terms: KeyTerms, now: Instant) -> Result<ApiKey, Error> {
        ensure_for(permit, Operation::MintKey)?;
        ensure_within(permit, terms.scope.organisation.as_ref())?;
        let (stored, key) = StoredKey::mint(terms, self.random()?, self.random()?, now)?;
        let row = row_of(&stored, now);
        self.write_keys(move |tx| Ok(tx.insert_api_key(&row)?))?;
        Ok(key)
    }

    /// Gives a key another secret. The one before opens until an instant, or ends at once if that has passed.
    pub fn rotate_key(
        &self,
        permit: &Permit,
        id: KeyId,
        until: Instant,
        now: Instant,
    ) -> Result<ApiKey, Error> {
        ensure_for(permit, Operation::RotateKey)?;
        let (permit, secret) = (permit.clone(), self.random()?);
        self.write_keys(move |tx| {
            let (rotated, key) = find(tx, &permit, id)?.rotate(secret, until, now)?;
            tx.set_api_key_secrets(in_store(id), &secrets_of(&rotated))?;
            Ok(key)
        })
    }

    /// Ends a key at once and for good, with all its secrets. To revoke it again changes nothing.
    ///
    /// When this has answered, this process opens the key no more; another does within a second.
    pub fn revoke_key(&self, permit: &Permit, id: KeyId, now: Instant) -> Result<(), Error> {
        ensure_for(permit, Operation::RevokeKey)?;
        let permit = permit.clone();
        self.write_keys(move |tx| {
            let key = find(tx, &permit, id)?;
            if matches!(key.state, KeyState::Revoked { .. }) {
                return Ok(());
            }
            Ok(tx.set_api_key_secrets(in_store(id), &secrets_of(&key.revoke(now)))?)
        })
    }

    /// Keys by id, after one, those that are over too, as far as the permit reaches.
    pub fn keys(
        &self,
        permit: &Permit,
        after: Option<KeyId>,
        limit: usize,
        now: Instant,
    ) -> Result<Vec<KeyView>, Error> {
        ensure_for(permit, Operation::ListKeys)?;
        let only = permit.organisation().map(|organisation| organisation.as_str().to_owned());
        self.store.read(|tx| {
            let (mut found, mut after) = (Vec::new(), after.map(in_store));
            while found.len() < limit {
                let slice = tx.api_keys(after, limit)?;
                let Some(last) = slice.last() else { break };
                after = Some(last.id);
                let reached = slice.into_iter().filter(|row| only.is_none() || row.organisation == only);
                found.extend(reached.map(|row| view(row, now)));
            }
            found.truncate(limit);
            Ok(found)
        })
    }

    /// Who calls with this key.
    ///
    /// What was read of a key is relied on for a second at most, so that a request need not wait for the store.
    ///
    /// # Errors
    /// [`Error::Access`] with why the key opens nothing.
    pub fn open_key(&self, key: &ApiKey, now: Instant) -> Result<KeyHolder, Error> {
        let generation = match self.opened.key(key.id(), now) {
            Found::Fresh(stored) => return Ok(StoredKey::check(Some(&stored), key, now)?),
            Found::Read(generation) => generation,
        };
        let row = self.store.read(|tx| Ok::<_, Error>(tx.api_key(in_store(key.id()))?))?;
        let stored = row.as_ref().map(stored).transpose()?.map(Arc::new);
        if let Some(stored) = &stored {
            self.opened.keep_key(generation, stored, now);
        }
        Ok(StoredKey::check(stored.as_deref(), key, now)?)
    }

    /// Writes what opens something, and forgets what was opened before.
    pub(super) fn write_keys<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let written = self.store.write(job);
        self.opened.forget();
        written
    }
}
