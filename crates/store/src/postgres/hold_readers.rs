//! Who may read under holds, and what they read.

use super::PgTx;
use super::columns::Columns;
use super::copy_row::{Keys, copy_key};
use super::query::params;
use crate::{CopyKey, HoldReaderRead, HoldReaderRow, HoldReaderWrite, Seq, Stored};
use tenure_model::Instant;

fn reader(row: &mut Columns<'_>) -> Stored<HoldReaderRow> {
    Ok(HoldReaderRow {
        hold: row.get("hold")?,
        reader: row.get("reader")?,
        given: Seq(row.int("given")?),
        since: row.instant("since")?,
        until: row.instant_if_any("until")?,
    })
}

impl HoldReaderRead for PgTx<'_> {
    fn hold_readers(&mut self, hold: &str) -> Stored<Vec<HoldReaderRow>> {
        let sql = "SELECT hold, reader, given, since, until FROM hold_readers WHERE hold = $1 ORDER BY given";
        self.list("list a hold's readers", sql, params![hold], reader)
    }

    fn hold_read(&mut self, statement: Seq) -> Stored<Vec<CopyKey>> {
        let sql = "SELECT account, record, class FROM hold_reads WHERE statement = $1 ORDER BY place";
        self.list("list what was read under a hold", sql, params![statement.0], copy_key)
    }
}

impl HoldReaderWrite for PgTx<'_> {
    fn add_hold_reader(&mut self, new: &HoldReaderRow) -> Stored<()> {
        let sql = "INSERT INTO hold_readers (hold, reader, given, since, until) VALUES ($1, $2, $3, $4, $5)";
        let values =
            params![new.hold, new.reader, new.given.0, new.since.micros(), new.until.map(Instant::micros)];
        self.change("give the right to read under a hold", sql, values).map(drop)
    }

    fn end_hold_reader(&mut self, hold: &str, reader: &str, at: Instant) -> Stored<()> {
        let sql = "UPDATE hold_readers SET until = $3 WHERE hold = $1 AND reader = $2 AND until IS NULL";
        let values = params![hold, reader, at.micros()];
        self.change_one("take the right to read under a hold", "hold_readers", sql, values)
    }

    fn insert_hold_read(&mut self, statement: Seq, copies: &[CopyKey]) -> Stored<()> {
        let sql = "INSERT INTO hold_reads (statement, account, record, class, place)
            SELECT $1, account, record, class, nth - 1
            FROM unnest($2::BIGINT[], $3::BYTEA[], $4::BIGINT[]) WITH ORDINALITY AS u (account, record, class, nth)";
        let keys = Keys::of(copies.iter());
        let values = params![statement.0, keys.accounts, keys.records, keys.classes];
        self.change("keep what is read under a hold", sql, values).map(drop)
    }
}
