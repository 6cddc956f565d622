//! Statements: appended, given a place in the log once, never changed. Triggers in the schema hold every other program
//! to that too.

use super::columns::Columns;
use super::query::{limit, number, params};
use super::{PgTx, Work};
use crate::{AccountKey, NewStatement, Seq, StatementRead, StatementRow, StatementWrite, StoreError, Stored};
use std::collections::BTreeMap;

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
        self.place_those_of(account)?;
        let sql = select_statements!(
            "WHERE s.account = $1 AND s.seq IS NOT NULL AND (cardinality($2::TEXT[]) = 0 OR s.kind = ANY ($2))
            ORDER BY s.version"
        );
        self.list("list an account's statements", sql, params![account.0, kinds], statement)
    }

    fn unplaced_of(&mut self, account: AccountKey, kinds: &[&str]) -> Stored<Vec<NewStatement>> {
        let sql = "SELECT version, kind, at, commitment, sealed FROM statements
            WHERE account = $1 AND seq IS NULL AND (cardinality($2::TEXT[]) = 0 OR kind = ANY ($2))
            ORDER BY version";
        self.list("list an account's newest statements", sql, params![account.0, kinds], |row| {
            Ok(NewStatement {
                account: Some(account),
                version: row.count("version")?,
                kind: row.get("kind")?,
                at: row.instant("at")?,
                commitment: row.bytes("commitment")?,
                sealed: row.get("sealed")?,
            })
        })
    }
}

impl StatementWrite for PgTx<'_> {
    fn append_statement(&mut self, new: &NewStatement) -> Stored<Seq> {
        let seq = match (self.next, new.account) {
            (None, _) => self.give_places()?,
            (Some(next), None) => next,
            // Since places were given in this transaction, others may have gone on with this chain.
            (Some(_), Some(account)) => self.place_those_of(account)?,
        };
        self.append(new, Some(seq))?;
        self.next = Some(seq + 1);
        Ok(Seq(seq))
    }

    fn append_unplaced(&mut self, new: &NewStatement) -> Stored<Option<Seq>> {
        if self.work == Work::Account {
            self.append(new, None).map(|()| None)
        } else {
            self.append_statement(new).map(Some)
        }
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

    /// Where a job may write anything, gives the statements of an account their places that have none, so that it sees
    /// the whole chain. Says which place is the next, where this transaction gives places.
    fn place_those_of(&mut self, account: AccountKey) -> Stored<i64> {
        if self.work == Work::House {
            let sql = "SELECT version FROM statements WHERE account = $1 AND seq IS NULL LIMIT 1";
            let waits = self.first("look for places", sql, params![account.0], |row| row.int("version"))?;
            if waits.is_some() {
                return self.give_places();
            }
        }
        Ok(self.next.unwrap_or(-1))
    }

    /// Where statements are, as far as they have a place.
    pub(super) fn places(&mut self, which: &[(i64, i64)]) -> Stored<BTreeMap<(i64, i64), Seq>> {
        let sql = "SELECT s.account, s.version, s.seq
            FROM unnest($1::BIGINT[], $2::BIGINT[]) AS u (account, version)
            JOIN statements s ON s.account = u.account AND s.version = u.version
            WHERE s.seq IS NOT NULL";
        let (accounts, versions): (Vec<i64>, Vec<i64>) = which.iter().copied().unzip();
        let found = self.list("find places", sql, params![accounts, versions], |row| {
            Ok(((row.int("account")?, row.int("version")?), Seq(row.int("seq")?)))
        })?;
        Ok(found.into_iter().collect())
    }

    /// Locks the log's head, and gives every statement a place that others committed without one. Says which place is
    /// the next.
    ///
    /// Statements of one chain get theirs in its order: whoever sees one of them sees all that were committed before it.
    pub(super) fn give_places(&mut self) -> Stored<i64> {
        let mut next = match self.next {
            Some(next) => next,
            None => {
                let sql = "SELECT size FROM log WHERE id = 0 FOR UPDATE";
                let head = self.first("lock the log's head", sql, params![], |row| row.int("size"))?;
                head.ok_or(crate::Unsound::NoHead)?
            }
        };
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
