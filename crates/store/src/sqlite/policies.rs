//! Policies.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, change_one, first, list};
use crate::{PolicyRead, PolicyRow, PolicyWrite, Stored};
use rusqlite::params;
use tenure_model::Instant;

const SELECT: &str =
    "SELECT lineage, version, announced, effective, source, digest, published_at, withdrawn_at FROM policies";

fn policy(row: &mut Columns<'_, '_>) -> Stored<PolicyRow> {
    Ok(PolicyRow {
        lineage: row.get("lineage")?,
        version: row.get("version")?,
        announced: row.instant("announced")?,
        effective: row.instant("effective")?,
        source: row.get("source")?,
        digest: row.bytes32("digest")?,
        published_at: row.instant("published_at")?,
        withdrawn_at: row.instant_if_any("withdrawn_at")?,
    })
}

impl PolicyRead for SqliteTx<'_> {
    fn policies(&mut self) -> Stored<Vec<PolicyRow>> {
        let sql = format!("{SELECT} ORDER BY lineage, announced, version");
        list(self.0, "list policies", &sql, [], policy)
    }

    fn policy(&mut self, lineage: &str, version: &str) -> Stored<Option<PolicyRow>> {
        let sql = format!("{SELECT} WHERE lineage = ?1 AND version = ?2");
        first(self.0, "read a policy", &sql, [lineage, version], policy)
    }
}

impl PolicyWrite for SqliteTx<'_> {
    fn insert_policy(&mut self, policy: &PolicyRow) -> Stored<()> {
        let sql = "INSERT INTO policies
            (lineage, version, announced, effective, source, digest, published_at, withdrawn_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = params![
            policy.lineage,
            policy.version,
            policy.announced.micros(),
            policy.effective.micros(),
            policy.source,
            policy.digest,
            policy.published_at.micros(),
            policy.withdrawn_at.map(Instant::micros),
        ];
        change(self.0, "publish a policy", sql, values).map(drop)
    }

    fn withdraw_policy(&mut self, lineage: &str, version: &str, at: Instant) -> Stored<()> {
        let sql = "UPDATE policies SET withdrawn_at = ?3 WHERE lineage = ?1 AND version = ?2";
        change_one(self.0, "withdraw a policy", "policies", sql, params![lineage, version, at.micros()])
    }
}
