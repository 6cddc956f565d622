//! What was asked before: for which requests tokens were used, and which requests were answered.

use super::PgTx;
use super::columns::Columns;
use super::query::{limit, params};
use crate::spread::access;
use crate::{
    ClaimRow, ClaimWrite, Digest, OnceBegun, OnceRead, OnceRow, OnceState, OnceWrite, StoreError, Stored,
};
use tenure_model::Instant;

fn claim(row: &mut Columns<'_>) -> Stored<ClaimRow> {
    Ok(ClaimRow { token: row.bytes("token")?, request: row.bytes("request")?, until: row.instant("until")? })
}

impl ClaimWrite for PgTx<'_> {
    fn claim(&mut self, new: &ClaimRow) -> Stored<Option<ClaimRow>> {
        let sql = "SELECT token, request, until FROM claims WHERE token = $1";
        let earlier = self.first("look for what a token was used for", sql, params![new.token], claim)?;
        if earlier.is_none() {
            let sql = "INSERT INTO claims (token, request, until) VALUES ($1, $2, $3)";
            let values = params![new.token, new.request, new.until.micros()];
            self.change("keep what a token is used for", sql, values)?;
        }
        Ok(earlier)
    }

    fn forget_claims(&mut self, before: Instant, rows: usize) -> Stored<u64> {
        let sql = "DELETE FROM claims WHERE token IN
            (SELECT token FROM claims WHERE until < $1 ORDER BY until, token LIMIT $2)";
        let forgotten = self.change("forget claims", sql, params![before.micros(), limit(rows)])?;
        Ok(forgotten)
    }
}

fn once(row: &mut Columns<'_>) -> Stored<OnceRow> {
    let (key, request) = (row.bytes("key")?, row.bytes("request")?);
    let since = row.instant_if_any("since")?;
    let status = row.int_if_any("status")?.map(u16::try_from).transpose();
    let status = status.map_err(|_| StoreError::Unreadable { column: "status" })?;
    let account: Option<i64> = row.get("account")?;
    let answer: Option<Vec<u8>> = row.get("answer")?;
    let state = access::once_state(since, status, account, answer)
        .ok_or(StoreError::Unreadable { column: "status" })?;
    Ok(OnceRow { key, request, state, expires_at: row.instant("expires_at")? })
}

impl OnceRead for PgTx<'_> {
    fn once(&mut self, key: &Digest) -> Stored<Option<OnceRow>> {
        let sql = "SELECT key, request, since, status, account, answer, expires_at FROM once WHERE key = $1";
        self.first("look for an earlier request", sql, params![key], once)
    }
}

impl OnceWrite for PgTx<'_> {
    fn begin_once(&mut self, begun: &OnceBegun) -> Stored<Option<OnceRow>> {
        let earlier = self.once(&begun.key)?.filter(|earlier| !access::is_over(earlier, begun));
        if earlier.is_some() {
            return Ok(earlier);
        }
        let sql = "INSERT INTO once (key, request, since, expires_at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (key) DO UPDATE SET request = excluded.request, since = excluded.since,
                expires_at = excluded.expires_at, status = NULL, account = NULL, answer = NULL";
        let values = params![begun.key, begun.request, begun.now.micros(), begun.expires_at.micros()];
        self.change("begin a request", sql, values)?;
        Ok(None)
    }

    fn finish_once(&mut self, key: &Digest, since: Instant, done: &OnceState) -> Stored<bool> {
        let OnceState::Done { status, account, answer } = done else {
            return Err(StoreError::OutOfRange { column: "status" });
        };
        let sql = "UPDATE once SET since = NULL, status = $3, account = $4, answer = $5
            WHERE key = $1 AND since = $2";
        let values = params![key, since.micros(), i64::from(*status), account.0, answer];
        Ok(self.change("answer a request", sql, values)? > 0)
    }

    fn abandon_once(&mut self, key: &Digest, since: Instant) -> Stored<()> {
        let sql = "DELETE FROM once WHERE key = $1 AND since = $2";
        self.change("take a request back", sql, params![key, since.micros()]).map(drop)
    }

    fn forget_once(&mut self, by: Instant, rows: usize) -> Stored<u64> {
        let sql = "DELETE FROM once WHERE key IN
            (SELECT key FROM once WHERE expires_at <= $1 ORDER BY expires_at, key LIMIT $2)";
        let forgotten = self.change("forget requests", sql, params![by.micros(), limit(rows)])?;
        Ok(forgotten)
    }
}
