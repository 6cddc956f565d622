//! Statements: appended, given a place in the log once, never changed. Triggers in the schema hold every other program
//! to that too.

use super::PgTx;
use super::columns::Columns;
use super::query::{limit, number, params};
use crate::{AccountKey, NewStatement, Seq, StatementRead, StatementRow, StatementWrite, StoreError, Stored};

/// How many statements are given their places at once.
const SLICE: i64 = 4096;

/// Every column, with the place of the statement before it in its chain.
macro_rules! select_statements {
    ($($rest:literal),+ $(,)?) => {
        concat!(
            "SELECT s.seq, p.seq, s.account, s.version, s.kind, s.at, s.commitment, s.sealed FROM statements s
            LEFT JOIN statements p ON p.account = s.account AND p.version = s.version - 1 AND s.account > 0 ",
            $($rest),+
        )
    };
}
pub(super) use select_statements;

pub(super) fn statement(row: &mut Columns<'_>) -> Stored<StatementRow> {
    let seq = Seq(row.int("seq")?);
    let previous = row.int_if_any("previous")?.map(Seq);
    // What nobody's chain has is filed under 0, and numbered for the sake of its key only.
    let account = Some(row.int("account")?).filter(|key| *key > 0).map(AccountKey);
    let version = row.count("version")?;
    Ok(StatementRow {
        seq,
        previous,
        statement: NewStatement {
            account,
            version: if account.is_some() { version } else { 0 },
            kind: row.get("kind")?,
            at: row.instant("at")?,
            commitment: row.bytes("commitment")?,
            sealed: row.get("sealed")?,
        },
    })
}

impl StatementRead for PgTx<'_> {
    fn statement(&mut self, seq: Seq) -> Stored<Option<StatementRow>> {
        self.first("read a statement", select_statements!("WHERE s.seq = $1"), params![seq.0], statement)
    }

    fn statement_count(&mut self) -> Stored<u64> {
        if let Some(next) = self.next {
            return u64::try_from(next).map_err(|_| StoreError::Unreadable { column: "seq" });
        }
        let sql = "SELECT size FROM log WHERE id = 0";
        Ok(self.first("count statements", sql, params![], |row| row.count("size"))?.unwrap_or(0))
    }

    fn statements(&mut self, from: Seq, rows: usize) -> Stored<Vec<StatementRow>> {
        let sql = select_statements!("WHERE s.seq >= $1 ORDER BY s.seq LIMIT $2");
        self.list("list statements", sql, params![from.0, limit(rows)], statement)
    }

    fn statements_of(&mut self, account: AccountKey, kinds: &[&str]) -> Stored<Vec<StatementRow>> {
        let sql = select_statements!(
            "WHERE s.account = $1 AND (cardinality($2::TEXT[]) = 0 OR s.kind = ANY ($2)) ORDER BY s.version"
        );
        self.list("list an account's statements", sql, params![account.0, kinds], statement)
    }
}

impl StatementWrite for PgTx<'_> {
    fn append_statement(&mut self, new: &NewStatement) -> Stored<Seq> {
        let seq = self.next_place()?;
        self.append(new, Some(seq))?;
        self.next = Some(seq + 1);
        Ok(Seq(seq))
    }
}

impl PgTx<'_> {
    /// Adds a statement to its chain.
    pub(super) fn append(&mut self, new: &NewStatement, seq: Option<i64>) -> Stored<()> {
        const WHAT: &str = "append a statement";
        let at = new.at.micros();
        let Some(account) = new.account else {
            let sql = "WITH counted AS (
                    UPDATE counters SET value = value + 1 WHERE name = 'statements' RETURNING value
                )
                INSERT INTO statements (account, version, seq, kind, at, commitment, sealed)
                SELECT 0, value, $1::BIGINT, $2::TEXT, $3::BIGINT, $4::BYTEA, $5::BYTEA FROM counted";
            let values = params![seq, new.kind, at, new.commitment, new.sealed];
            return self.change_one(WHAT, "counters", sql, values);
        };
        let sql = "WITH moved AS (
                UPDATE accounts SET chain_version = $2::BIGINT, chain_head = $6::BYTEA, chain_at = $5::BIGINT
                WHERE key = $1 AND chain_version = $2::BIGINT - 1 RETURNING key
            )
            INSERT INTO statements (account, version, seq, kind, at, commitment, sealed)
            SELECT key, $2::BIGINT, $3::BIGINT, $4::TEXT, $5::BIGINT, $6::BYTEA, $7::BYTEA FROM moved";
        let version = number(new.version, "version")?;
        let values = params![account.0, version, seq, new.kind, at, new.commitment, new.sealed];
        if self.change(WHAT, sql, values)? == 1 {
            return Ok(());
        }
        // Nobody has this chain, or it is elsewhere.
        let sql = "SELECT key FROM accounts WHERE key = $1";
        match self.first("read a chain", sql, params![account.0], |row| row.int("key"))? {
            None => Err(StoreError::Dangling),
            Some(_) => Err(StoreError::Conflict { table: "statements".to_owned() }),
        }
    }

    /// The place of the statement that is appended next. From the first on until this transaction ends, nobody else
    /// gives places.
    fn next_place(&mut self) -> Stored<i64> {
        match self.next {
            Some(next) => Ok(next),
            None => self.give_places(),
        }
    }

    /// Locks the log's head, and gives every statement a place that others committed without one. Says which place is
    /// the next.
    ///
    /// Statements of one chain get theirs in its order: whoever sees one of them sees all that were committed before it.
    pub(super) fn give_places(&mut self) -> Stored<i64> {
        let sql = "SELECT size FROM log WHERE id = 0 FOR UPDATE";
        let mut next = self
            .first("lock the log's head", sql, params![], |row| row.int("size"))?
            .ok_or(crate::Unsound::NoHead)?;
        let sql = "WITH waiting AS (
                SELECT account, version, row_number() OVER (ORDER BY account, version) AS nth
                FROM (SELECT account, version FROM statements WHERE seq IS NULL ORDER BY account, version LIMIT $2) w
            )
            UPDATE statements s SET seq = $1::BIGINT + w.nth - 1 FROM waiting w
            WHERE s.account = w.account AND s.version = w.version AND s.seq IS NULL";
        loop {
            let given =
                number(self.change("give statements their places", sql, params![next, SLICE])?, "seq")?;
            next += given;
            if given < SLICE {
                break;
            }
        }
        self.next = Some(next);
        Ok(next)
    }
}
