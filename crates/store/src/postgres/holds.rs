//! Holds. The epoch lies in `meta` and is advanced by the same transaction that changes a hold.

use super::PgTx;
use super::columns::Columns;
use super::query::params;
use crate::{HoldRead, HoldRow, HoldWrite, MetaRead, StoreError, Stored};
use tenure_model::Instant;

const EPOCH: &str = "holds_epoch";

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, version, placed_at, released_at, may_tell, scope FROM holds ", $rest)
    };
}

fn hold(row: &mut Columns<'_>) -> Stored<HoldRow> {
    Ok(HoldRow {
        id: row.get("id")?,
        version: row.small("version")?,
        placed_at: row.instant("placed_at")?,
        released_at: row.instant_if_any("released_at")?,
        may_tell: row.get("may_tell")?,
        scope: row.get("scope")?,
    })
}

impl PgTx<'_> {
    fn add(&mut self, new: &HoldRow) -> Stored<()> {
        let sql = "INSERT INTO holds (id, version, placed_at, released_at, may_tell, scope)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let values = params![
            new.id,
            i64::from(new.version),
            new.placed_at.micros(),
            new.released_at.map(Instant::micros),
            new.may_tell,
            new.scope
        ];
        self.change("place a hold", sql, values).map(drop)
    }

    fn end(&mut self, id: &str, at: Instant) -> Stored<()> {
        let sql = "UPDATE holds SET released_at = $2
            WHERE id = $1 AND version = (SELECT max(version) FROM holds WHERE id = $1)";
        self.change_one("release a hold", "holds", sql, params![id, at.micros()])
    }

    fn advance_epoch(&mut self) -> Stored<()> {
        let sql = "INSERT INTO meta (key, value) VALUES ($1, '1')
            ON CONFLICT (key) DO UPDATE SET value = (meta.value::BIGINT + 1)::TEXT";
        self.change("advance the holds' epoch", sql, params![EPOCH]).map(drop)
    }
}

impl HoldRead for PgTx<'_> {
    fn holds(&mut self) -> Stored<Vec<HoldRow>> {
        self.list("list holds", select!("ORDER BY id, version"), params![], hold)
    }

    fn hold_versions(&mut self, id: &str) -> Stored<Vec<HoldRow>> {
        self.list("list a hold's versions", select!("WHERE id = $1 ORDER BY version"), params![id], hold)
    }

    fn holds_epoch(&mut self) -> Stored<u64> {
        let Some(epoch) = self.meta(EPOCH)? else { return Ok(0) };
        epoch.parse().map_err(|_| StoreError::Unreadable { column: EPOCH })
    }
}

impl HoldWrite for PgTx<'_> {
    fn insert_hold(&mut self, new: &HoldRow) -> Stored<()> {
        self.add(new)?;
        self.advance_epoch()
    }

    fn amend_hold(&mut self, next: &HoldRow) -> Stored<()> {
        self.end(&next.id, next.placed_at)?;
        self.add(next)?;
        self.advance_epoch()
    }

    fn release_hold(&mut self, id: &str, at: Instant) -> Stored<()> {
        self.end(id, at)?;
        self.advance_epoch()
    }
}
