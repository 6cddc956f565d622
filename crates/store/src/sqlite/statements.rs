//! Statements: appended, never changed. Triggers in the schema hold every other program to that too.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, first, limit, list, number};
use crate::{
    AccountKey, AccountRead, NewStatement, Seq, StatementRead, StatementRow, StatementWrite, StoreError,
    Stored,
};
use rusqlite::params;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT seq, account, version, kind, at, commitment, sealed FROM statements ", $rest)
    };
}

fn statement(row: &mut Columns<'_, '_>) -> Stored<StatementRow> {
    Ok(StatementRow {
        seq: Seq(row.int("seq")?),
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

    fn statement_of(&mut self, account: AccountKey, version: u64) -> Stored<Option<StatementRow>> {
        let sql = select!("WHERE account = ?1 AND version = ?2");
        let values = params![account, number(version, "version")?];
        first(self.0, "read a statement", sql, values, statement)
    }

    fn chains(
        &mut self,
        from: AccountKey,
        up_to: AccountKey,
        after: Option<(AccountKey, u64)>,
        rows: usize,
    ) -> Stored<Vec<StatementRow>> {
        let (account, version) = after.unwrap_or((AccountKey(from.0 - 1), 0));
        let sql = select!(
            "WHERE account <= ?1 AND (account, version) > (?2, ?3) AND account IS NOT NULL
                ORDER BY account, version LIMIT ?4"
        );
        // Nothing of the account before the first has a version as high as this.
        let version = if after.is_none() { i64::MAX } else { number(version, "version")? };
        list(self.0, "list chains", sql, params![up_to, account, version, limit(rows)], statement)
    }

    fn statements_of(&mut self, account: AccountKey, kinds: &[&str]) -> Stored<Vec<StatementRow>> {
        let sql = select!(
            "WHERE account = ?1 AND (?2 = '[]' OR kind IN (SELECT value FROM json_each(?2))) ORDER BY version"
        );
        let kinds = serde_json::Value::from(kinds).to_string();
        list(self.0, "list an account's statements", sql, params![account, kinds], statement)
    }
}

impl StatementWrite for SqliteTx<'_> {
    fn append_statement(&mut self, new: &NewStatement) -> Stored<Seq> {
        let version = number(new.version, "version")?;
        if let Some(account) = new.account {
            let sql = "UPDATE accounts SET chain_version = ?2, chain_head = ?3
                WHERE key = ?1 AND chain_version = ?2 - 1";
            let moved = change(self.0, "move a chain", sql, params![account, version, new.commitment])?;
            if moved == 0 {
                return Err(match self.account(account)? {
                    Some(_) => StoreError::Conflict { table: "statements".to_owned() },
                    None => StoreError::Dangling,
                });
            }
        }
        let sql = "INSERT INTO statements (seq, account, version, kind, at, commitment, sealed)
            VALUES ((SELECT COALESCE(max(seq), -1) + 1 FROM statements), ?1, ?2, ?3, ?4, ?5, ?6)";
        let values = params![new.account, version, new.kind, new.at.micros(), new.commitment, new.sealed];
        change(self.0, "append a statement", sql, values)?;
        Ok(Seq(self.0.last_insert_rowid()))
    }
}
