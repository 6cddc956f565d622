//! Training runs and the records in them.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, change_one, first, limit, list, number};
use crate::{
    AccountKey, Digest, RecordId, RunId, RunRead, RunRecordRow, RunRow, RunState, RunWrite, Seq, StoreError,
    Stored,
};
use rusqlite::params;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, purpose, opened_at, position, manifest, digest FROM runs ", $rest)
    };
}
macro_rules! select_records {
    ($rest:literal) => {
        concat!(
            "SELECT account, run, record, policy, decision, messages, first_row, rows FROM run_records ",
            $rest
        )
    };
}

fn run(row: &mut Columns<'_, '_>) -> Stored<RunRow> {
    Ok(RunRow {
        id: RunId(row.bytes16("id")?),
        purpose: row.get("purpose")?,
        opened_at: row.instant("opened_at")?,
        position: row.count("position")?,
        state: match (row.get::<Option<String>>("manifest")?, row.get::<Option<Digest>>("digest")?) {
            (Some(manifest), Some(digest)) => RunState::Sealed { manifest, digest },
            (None, None) => RunState::Opening,
            _ => return Err(StoreError::Unreadable { column: "manifest" }),
        },
    })
}

fn record(row: &mut Columns<'_, '_>) -> Stored<RunRecordRow> {
    Ok(RunRecordRow {
        account: AccountKey(row.int("account")?),
        run: RunId(row.bytes16("run")?),
        record: RecordId(row.bytes16("record")?),
        policy: row.get("policy")?,
        decision: row.get::<Option<i64>>("decision")?.map(Seq),
        messages: row.get("messages")?,
        first_row: row.count("first_row")?,
        rows: row.get("rows")?,
    })
}

impl RunRead for SqliteTx<'_> {
    fn run(&mut self, id: RunId) -> Stored<Option<RunRow>> {
        first(self.0, "read a run", select!("WHERE id = ?1"), [id], run)
    }

    fn runs(&mut self) -> Stored<Vec<RunRow>> {
        list(self.0, "list runs", select!("ORDER BY opened_at, id"), [], run)
    }

    fn records_of_run(&mut self, id: RunId, from_row: u64, rows: usize) -> Stored<Vec<RunRecordRow>> {
        let sql = select_records!(
            "WHERE run = ?1 AND first_row >= ?2 ORDER BY first_row, account, record LIMIT ?3"
        );
        let values = params![id, number(from_row, "first_row")?, limit(rows)];
        list(self.0, "list a run's records", sql, values, record)
    }

    fn runs_of_record(&mut self, account: AccountKey, id: RecordId) -> Stored<Vec<RunRecordRow>> {
        let sql = select_records!("WHERE account = ?1 AND record = ?2 ORDER BY run");
        list(self.0, "list a record's runs", sql, params![account, id], record)
    }
}

impl RunWrite for SqliteTx<'_> {
    fn insert_run(&mut self, new: &RunRow) -> Stored<()> {
        let sql = "INSERT INTO runs (id, purpose, opened_at, position, manifest, digest)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (manifest, digest) = match &new.state {
            RunState::Opening => (None, None),
            RunState::Sealed { manifest, digest } => (Some(manifest), Some(digest)),
        };
        let position = number(new.position, "position")?;
        let values = params![new.id, new.purpose, new.opened_at.micros(), position, manifest, digest];
        change(self.0, "open a run", sql, values).map(drop)
    }

    fn insert_run_records(&mut self, rows: &[RunRecordRow]) -> Stored<()> {
        let sql =
            "INSERT INTO run_records (account, run, record, policy, decision, messages, first_row, rows)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        for new in rows {
            let first_row = number(new.first_row, "first_row")?;
            let values = params![
                new.account,
                new.run,
                new.record,
                new.policy,
                new.decision,
                new.messages,
                first_row,
                new.rows,
            ];
            change(self.0, "add a record to a run", sql, values)?;
        }
        Ok(())
    }

    fn seal_run(&mut self, id: RunId, manifest: &str, digest: &Digest) -> Stored<()> {
        let sql = "UPDATE runs SET manifest = ?2, digest = ?3 WHERE id = ?1 AND manifest IS NULL";
        change_one(self.0, "seal a run", "runs", sql, params![id, manifest, digest])
    }

    fn drop_run(&mut self, id: RunId) -> Stored<()> {
        let open = self.run(id)?.is_some_and(|run| run.state == RunState::Opening);
        if !open {
            return Err(StoreError::Missing { table: "runs" });
        }
        change(self.0, "forget a run's records", "DELETE FROM run_records WHERE run = ?1", [id])?;
        change_one(self.0, "forget a run", "runs", "DELETE FROM runs WHERE id = ?1", [id])
    }
}
