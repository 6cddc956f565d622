//! API keys, and changes that need two people.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, change_one, first, limit, list};
use crate::spread::access;
use crate::{
    ApiKeyId, ApiKeyRow, ApiKeySecrets, ChangeId, ChangeRead, ChangeRow, ChangeState, ChangeWrite, KeyRead,
    KeyWrite, StoreError, Stored,
};
use rusqlite::params;
use tenure_model::Instant;

fn api_key(row: &mut Columns<'_, '_>) -> Stored<ApiKeyRow> {
    let operations = |words: String| words.split_whitespace().map(str::to_owned).collect();
    Ok(ApiKeyRow {
        id: ApiKeyId(row.get("id")?),
        environment: row.get("environment")?,
        owner: row.get("owner")?,
        role: row.get("role")?,
        operations: row.get::<Option<String>>("operations")?.map(operations),
        organisation: row.get("organisation")?,
        minted_at: row.instant("minted_at")?,
        expires_at: row.instant("expires_at")?,
        secrets: secrets(row)?,
    })
}

fn secrets(row: &mut Columns<'_, '_>) -> Stored<ApiKeySecrets> {
    let hashes = [row.get("hash")?, row.get("old_hash")?];
    let ends = [row.instant_if_any("old_until")?, row.instant_if_any("revoked_at")?];
    access::secrets(hashes, ends).ok_or(StoreError::Unreadable { column: "hash" })
}

impl KeyRead for SqliteTx<'_> {
    fn api_key(&mut self, id: ApiKeyId) -> Stored<Option<ApiKeyRow>> {
        let sql = "SELECT id, environment, owner, role, operations, organisation, minted_at, expires_at,
            hash, old_hash, old_until, revoked_at FROM api_keys WHERE id = ?1";
        first(self.0, "read an API key", sql, [id.0], api_key)
    }

    fn api_keys(&mut self, after: Option<ApiKeyId>, rows: usize) -> Stored<Vec<ApiKeyRow>> {
        let sql = "SELECT id, environment, owner, role, operations, organisation, minted_at, expires_at,
            hash, old_hash, old_until, revoked_at FROM api_keys
            WHERE ?1 IS NULL OR id > ?1 ORDER BY id LIMIT ?2";
        list(self.0, "list API keys", sql, params![after.map(|id| id.0), limit(rows)], api_key)
    }
}

impl KeyWrite for SqliteTx<'_> {
    fn insert_api_key(&mut self, key: &ApiKeyRow) -> Stored<()> {
        let sql = "INSERT INTO api_keys (id, environment, owner, role, operations, organisation, minted_at,
            expires_at, hash, old_hash, old_until, revoked_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let (hash, old, until, revoked) = access::secret_columns(&key.secrets);
        let values = params![
            key.id.0,
            key.environment,
            key.owner,
            key.role,
            key.operations.as_ref().map(|operations| operations.join(" ")),
            key.organisation,
            key.minted_at.micros(),
            key.expires_at.micros(),
            hash,
            old,
            until,
            revoked
        ];
        change(self.0, "add an API key", sql, values).map(drop)
    }

    fn set_api_key_secrets(&mut self, id: ApiKeyId, secrets: &ApiKeySecrets) -> Stored<()> {
        let sql = "UPDATE api_keys SET hash = ?2, old_hash = ?3, old_until = ?4, revoked_at = ?5
            WHERE id = ?1 AND revoked_at IS NULL";
        let (hash, old, until, revoked) = access::secret_columns(secrets);
        let values = params![id.0, hash, old, until, revoked];
        change_one(self.0, "replace what opens an API key", "api_keys", sql, values)
    }
}

fn proposed(row: &mut Columns<'_, '_>) -> Stored<ChangeRow> {
    Ok(ChangeRow {
        id: ChangeId(row.bytes16("id")?),
        change: row.get("change")?,
        what: row.bytes32("what")?,
        about: row.get("about")?,
        proposed_by: row.get("proposed_by")?,
        proposed_at: row.instant("proposed_at")?,
        state: state(row)?,
    })
}

fn state(row: &mut Columns<'_, '_>) -> Stored<ChangeState> {
    let (number, by, at) = (row.int("state")?, row.get("step_by")?, row.instant_if_any("step_at")?);
    access::change_state(number, by, at).ok_or(StoreError::Unreadable { column: "state" })
}

impl ChangeRead for SqliteTx<'_> {
    fn change(&mut self, id: ChangeId) -> Stored<Option<ChangeRow>> {
        let sql = "SELECT id, change, what, about, proposed_by, proposed_at, state, step_by, step_at
            FROM changes WHERE id = ?1";
        first(self.0, "read a proposed change", sql, [id.0], proposed)
    }

    fn changes(&mut self, before: Option<(Instant, ChangeId)>, rows: usize) -> Stored<Vec<ChangeRow>> {
        let sql = "SELECT id, change, what, about, proposed_by, proposed_at, state, step_by, step_at
            FROM changes WHERE (proposed_at, id) < (?1, ?2) ORDER BY proposed_at DESC, id DESC LIMIT ?3";
        // No instant is as late as this.
        let (at, id) = before.map_or((i64::MAX, [0; 16]), |(at, id)| (at.micros(), id.0));
        list(self.0, "list proposed changes", sql, params![at, id, limit(rows)], proposed)
    }
}

impl ChangeWrite for SqliteTx<'_> {
    fn insert_change(&mut self, row: &ChangeRow) -> Stored<()> {
        let sql =
            "INSERT INTO changes (id, change, what, about, proposed_by, proposed_at, state, step_by, step_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let (state, by, at) = access::change_columns(&row.state);
        let values = params![
            row.id.0,
            row.change,
            row.what,
            row.about,
            row.proposed_by,
            row.proposed_at.micros(),
            state,
            by,
            at
        ];
        change(self.0, "add a proposed change", sql, values).map(drop)
    }

    fn set_change_state(&mut self, id: ChangeId, to: &ChangeState) -> Stored<()> {
        let sql = "UPDATE changes SET state = ?2, step_by = ?3, step_at = ?4 WHERE id = ?1 AND state <= 1";
        let (state, by, at) = access::change_columns(to);
        change_one(self.0, "go on with a proposed change", "changes", sql, params![id.0, state, by, at])
    }
}
