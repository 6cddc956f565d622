//! Statements: appended, never changed. Triggers in the schema hold every other program to that too.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, first, limit, list, number};
use crate::{AccountKey, NewStatement, Seq, StatementRead, StatementRow, StatementWrite, StoreError, Stored};
use rusqlite::params;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT seq, previous, account, version, kind, at, commitment, sealed FROM statements ",
            $rest
        )
    };
}

pub(super) fn statement(row: &mut Columns<'_, '_>) -> Stored<StatementRow> {
    Ok(StatementRow {
        seq: Seq(row.int("seq")?),
        previous: row.get::<Option<i64>>("previous")?.map(Seq),
        statement: NewStatement {
            account: row.get::<Option<i64>>("account")?.map(AccountKey),
            version: row.count("version")?,
            kind: row.get("kind")?,
            at: row.instant("at")?,
            commitment: row.bytes32("commitment")?,
            sealed: row.get("sealed")?,
        },
    })
}

impl StatementRead for SqliteTx<'_> {
    fn statement(&mut self, seq: Seq) -> Stored<Option<StatementRow>> {
        first(self.0, "read a statement", select!("WHERE seq = ?1"), [seq], statement)
    }

    fn statement_count(&mut self) -> Stored<u64> {
        // They have no gaps, so the last one says how many there are.
        let sql = "SELECT COALESCE(max(seq), -1) + 1 FROM statements";
        Ok(first(self.0, "count statements", sql, [], |row| row.count("seq"))?.unwrap_or(0))
    }

    fn statements(&mut self, from: Seq, rows: usize) -> Stored<Vec<StatementRow>> {
        let sql = select!("WHERE seq >= ?1 ORDER BY seq LIMIT ?2");
        list(self.0, "list statements", sql, params![from, limit(rows)], statement)
    }

    fn statements_of(&mut self, account: AccountKey, kinds: &[&str]) -> Stored<Vec<StatementRow>> {
        // From the newest back, each names the one before. UNION ends it also where somebody made a circle.
        let sql = "WITH RECURSIVE chain (seq) AS (
                SELECT chain_seq FROM accounts WHERE key = ?1
                UNION SELECT s.previous FROM chain JOIN statements s ON s.seq = chain.seq
            )
            SELECT s.seq, s.previous, s.account, s.version, s.kind, s.at, s.commitment, s.sealed
            FROM chain JOIN statements s ON s.seq = chain.seq
            WHERE s.account = ?1 AND (?2 = '[]' OR s.kind IN (SELECT value FROM json_each(?2)))
            ORDER BY s.version";
        let kinds = serde_json::Value::from(kinds).to_string();
        list(self.0, "list an account's statements", sql, params![account, kinds], statement)
    }
}

impl StatementWrite for SqliteTx<'_> {
    fn append_statement(&mut self, new: &NewStatement) -> Stored<Seq> {
        let version = number(new.version, "version")?;
        let previous = match new.account {
            Some(account) => self.newest_before(account, new.version)?,
            None => None,
        };
        let sql = "INSERT INTO statements (seq, previous, account, version, kind, at, commitment, sealed)
            VALUES ((SELECT COALESCE(max(seq), -1) + 1 FROM statements), ?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        let (at, commitment) = (new.at.micros(), new.commitment);
        let values = params![previous, new.account, version, new.kind, at, commitment, new.sealed];
        change(self.0, "append a statement", sql, values)?;
        let seq = Seq(self.0.last_insert_rowid());
        if let Some(account) = new.account {
            let sql = "UPDATE accounts SET chain_version = ?2, chain_head = ?3, chain_seq = ?4, chain_at = ?5
                WHERE key = ?1";
            change(self.0, "move a chain", sql, params![account, version, commitment, seq, at])?;
        }
        Ok(seq)
    }
}

impl SqliteTx<'_> {
    /// The newest statement of an account, if a statement of this version comes next.
    fn newest_before(&mut self, account: AccountKey, version: u64) -> Stored<Option<Seq>> {
        let sql = "SELECT chain_version, chain_seq FROM accounts WHERE key = ?1";
        let chain = first(self.0, "read a chain", sql, [account], |row| {
            Ok((row.count("chain_version")?, row.get::<Option<i64>>("chain_seq")?.map(Seq)))
        })?;
        match chain {
            None => Err(StoreError::Dangling),
            Some((newest, seq)) if newest.checked_add(1) == Some(version) => Ok(seq),
            Some(_) => Err(StoreError::Conflict { table: "statements".to_owned() }),
        }
    }
}
