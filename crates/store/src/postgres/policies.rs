//! Policies.

use super::PgTx;
use super::columns::Columns;
use super::query::params;
use crate::{PolicyRead, PolicyRow, PolicyWrite, Stored};
use tenure_model::Instant;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT lineage, version, announced, effective, source, digest, published_at, withdrawn_at FROM policies ",
            $rest
        )
    };
}

fn policy(row: &mut Columns<'_>) -> Stored<PolicyRow> {
    Ok(PolicyRow {
        lineage: row.get("lineage")?,
        version: row.get("version")?,
        announced: row.instant("announced")?,
        effective: row.instant("effective")?,
        source: row.get("source")?,
        digest: row.bytes("digest")?,
        published_at: row.instant("published_at")?,
        withdrawn_at: row.instant_if_any("withdrawn_at")?,
    })
}

impl PolicyRead for PgTx<'_> {
    fn policies(&mut self) -> Stored<Vec<PolicyRow>> {
        let sql = select!("ORDER BY lineage, announced, version");
        self.list("list policies", sql, params![], policy)
    }

    fn policy(&mut self, lineage: &str, version: &str) -> Stored<Option<PolicyRow>> {
        let sql = select!("WHERE lineage = $1 AND version = $2");
        self.first("read a policy", sql, params![lineage, version], policy)
    }
}

impl PolicyWrite for PgTx<'_> {
    fn insert_policy(&mut self, policy: &PolicyRow) -> Stored<()> {
        let sql = "INSERT INTO policies
            (lineage, version, announced, effective, source, digest, published_at, withdrawn_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
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
        self.change("publish a policy", sql, values).map(drop)
    }

    fn withdraw_policy(&mut self, lineage: &str, version: &str, at: Instant) -> Stored<()> {
        let sql = "UPDATE policies SET withdrawn_at = $3 WHERE lineage = $1 AND version = $2";
        self.change_one("withdraw a policy", "policies", sql, params![lineage, version, at.micros()])
    }
}
