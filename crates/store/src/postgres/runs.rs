//! Training runs and the records in them.

use super::PgTx;
use super::columns::Columns;
use super::query::{limit, number, params};
use crate::{
    AccountKey, Digest, RecordId, RunId, RunRead, RunRecordRow, RunRow, RunState, RunWrite, Seq, StoreError,
    Stored,
};

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

fn run(row: &mut Columns<'_>) -> Stored<RunRow> {
    Ok(RunRow {
        id: RunId(row.bytes("id")?),
        purpose: row.get("purpose")?,
        opened_at: row.instant("opened_at")?,
        position: row.count("position")?,
        state: match (row.get::<Option<String>>("manifest")?, row.bytes_if_any("digest")?) {
            (Some(manifest), Some(digest)) => RunState::Sealed { manifest, digest },
            (None, None) => RunState::Opening,
            _ => return Err(StoreError::Unreadable { column: "manifest" }),
        },
    })
}

fn record(row: &mut Columns<'_>) -> Stored<RunRecordRow> {
    Ok(RunRecordRow {
        account: AccountKey(row.int("account")?),
        run: RunId(row.bytes("run")?),
        record: RecordId(row.bytes("record")?),
        policy: row.get("policy")?,
        decision: row.int_if_any("decision")?.map(Seq),
        messages: row.small("messages")?,
        first_row: row.count("first_row")?,
        rows: row.small("rows")?,
    })
}

impl RunRead for PgTx<'_> {
    fn run(&mut self, id: RunId) -> Stored<Option<RunRow>> {
        self.first("read a run", select!("WHERE id = $1"), params![id.0], run)
    }

    fn runs(&mut self) -> Stored<Vec<RunRow>> {
        self.list("list runs", select!("ORDER BY opened_at, id"), params![], run)
    }

    fn records_of_run(&mut self, id: RunId, from_row: u64, rows: usize) -> Stored<Vec<RunRecordRow>> {
        let sql = select_records!(
            "WHERE run = $1 AND first_row >= $2 ORDER BY first_row, account, record LIMIT $3"
        );
        let values = params![id.0, number(from_row, "first_row")?, limit(rows)];
        self.list("list a run's records", sql, values, record)
    }

    fn runs_of_record(&mut self, account: AccountKey, id: RecordId) -> Stored<Vec<RunRecordRow>> {
        let sql = select_records!("WHERE account = $1 AND record = $2 ORDER BY run");
        self.list("list a record's runs", sql, params![account.0, id.0], record)
    }
}

impl RunWrite for PgTx<'_> {
    fn insert_run(&mut self, new: &RunRow) -> Stored<()> {
        let sql = "INSERT INTO runs (id, purpose, opened_at, position, manifest, digest)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let (manifest, digest) = match &new.state {
            RunState::Opening => (None, None),
            RunState::Sealed { manifest, digest } => (Some(manifest), Some(digest)),
        };
        let position = number(new.position, "position")?;
        let values = params![new.id.0, new.purpose, new.opened_at.micros(), position, manifest, digest];
        self.change("open a run", sql, values).map(drop)
    }

    fn insert_run_records(&mut self, rows: &[RunRecordRow]) -> Stored<()> {
        let sql =
            "INSERT INTO run_records (account, run, record, policy, decision, messages, first_row, rows)
            SELECT * FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BYTEA[], $4::TEXT[], $5::BIGINT[], $6::BIGINT[],
                $7::BIGINT[], $8::BIGINT[])";
        let first_rows: Vec<i64> =
            rows.iter().map(|row| number(row.first_row, "first_row")).collect::<Stored<_>>()?;
        let values = params![
            rows.iter().map(|row| row.account.0).collect::<Vec<_>>(),
            rows.iter().map(|row| row.run.0).collect::<Vec<_>>(),
            rows.iter().map(|row| row.record.0).collect::<Vec<_>>(),
            rows.iter().map(|row| row.policy.as_str()).collect::<Vec<_>>(),
            rows.iter().map(|row| row.decision.map(|decision| decision.0)).collect::<Vec<_>>(),
            rows.iter().map(|row| i64::from(row.messages)).collect::<Vec<_>>(),
            first_rows,
            rows.iter().map(|row| i64::from(row.rows)).collect::<Vec<_>>(),
        ];
        self.change("add records to a run", sql, values).map(drop)
    }

    fn seal_run(&mut self, id: RunId, manifest: &str, digest: &Digest) -> Stored<()> {
        let sql = "UPDATE runs SET manifest = $2, digest = $3 WHERE id = $1 AND manifest IS NULL";
        self.change_one("seal a run", "runs", sql, params![id.0, manifest, digest])
    }

    fn drop_run(&mut self, id: RunId) -> Stored<()> {
        let open = self.run(id)?.is_some_and(|run| run.state == RunState::Opening);
        if !open {
            return Err(StoreError::Missing { table: "runs" });
        }
        self.change("forget a run's records", "DELETE FROM run_records WHERE run = $1", params![id.0])?;
        self.change_one("forget a run", "runs", "DELETE FROM runs WHERE id = $1", params![id.0])
    }
}
