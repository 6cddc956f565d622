//! Who may read under holds, and what they read.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, change_one, list, number};
use crate::{
    AccountKey, ClassId, CopyKey, HoldReaderRead, HoldReaderRow, HoldReaderWrite, RecordId, Seq, Stored,
};
use rusqlite::params;
use tenure_model::Instant;

fn reader(row: &mut Columns<'_, '_>) -> Stored<HoldReaderRow> {
    Ok(HoldReaderRow {
        hold: row.get("hold")?,
        reader: row.get("reader")?,
        given: Seq(row.int("given")?),
        since: row.instant("since")?,
        until: row.instant_if_any("until")?,
    })
}

fn copy_key(row: &mut Columns<'_, '_>) -> Stored<CopyKey> {
    Ok(CopyKey {
        account: AccountKey(row.int("account")?),
        record: RecordId(row.bytes16("record")?),
        class: ClassId(row.int("class")?),
    })
}

impl HoldReaderRead for SqliteTx<'_> {
    fn hold_readers(&mut self, hold: &str) -> Stored<Vec<HoldReaderRow>> {
        let sql = "SELECT hold, reader, given, since, until FROM hold_readers WHERE hold = ?1 ORDER BY given";
        list(self.0, "list a hold's readers", sql, [hold], reader)
    }

    fn hold_read(&mut self, statement: Seq) -> Stored<Vec<CopyKey>> {
        let sql = "SELECT account, record, class FROM hold_reads WHERE statement = ?1 ORDER BY place";
        list(self.0, "list what was read under a hold", sql, [statement], copy_key)
    }
}

impl HoldReaderWrite for SqliteTx<'_> {
    fn add_hold_reader(&mut self, new: &HoldReaderRow) -> Stored<()> {
        let sql = "INSERT INTO hold_readers (hold, reader, given, since, until) VALUES (?1, ?2, ?3, ?4, ?5)";
        let values =
            params![new.hold, new.reader, new.given, new.since.micros(), new.until.map(Instant::micros)];
        change(self.0, "give the right to read under a hold", sql, values).map(drop)
    }

    fn end_hold_reader(&mut self, hold: &str, reader: &str, at: Instant) -> Stored<()> {
        let sql = "UPDATE hold_readers SET until = ?3 WHERE hold = ?1 AND reader = ?2 AND until IS NULL";
        let values = params![hold, reader, at.micros()];
        change_one(self.0, "take the right to read under a hold", "hold_readers", sql, values)
    }

    fn insert_hold_read(&mut self, statement: Seq, copies: &[CopyKey]) -> Stored<()> {
        let sql = "INSERT INTO hold_reads (statement, place, account, record, class)
            VALUES (?1, ?2, ?3, ?4, ?5)";
        for (place, copy) in (0..).zip(copies) {
            let place = number(place, "place")?;
            let values = params![statement, place, copy.account, copy.record, copy.class];
            change(self.0, "keep what is read under a hold", sql, values)?;
        }
        Ok(())
    }
}
