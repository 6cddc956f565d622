//! Leases: who may do what only one may do at a time.

use super::PgTx;
use super::query::{number, params};
use crate::{LeaseRead, LeaseRow, LeaseWrite, Stored};
use tenure_model::Instant;

impl LeaseRead for PgTx<'_> {
    fn lease(&mut self, name: &str) -> Stored<Option<LeaseRow>> {
        let sql = "SELECT holder, token, until FROM leases WHERE name = $1";
        self.first("read a lease", sql, params![name], |row| {
            Ok(LeaseRow {
                holder: row.get("holder")?,
                token: row.count("token")?,
                until: row.instant("until")?,
            })
        })
    }
}

impl LeaseWrite for PgTx<'_> {
    fn take_lease(&mut self, name: &str, holder: &str, now: Instant, until: Instant) -> Stored<Option<u64>> {
        let token = match self.lease(name)? {
            Some(lease) if lease.holder == holder => lease.token,
            Some(lease) if lease.until > now => return Ok(None),
            Some(lease) => lease.token + 1,
            None => 1,
        };
        let sql = "INSERT INTO leases (name, holder, token, until) VALUES ($1, $2, $3, $4)
            ON CONFLICT (name) DO UPDATE
                SET holder = excluded.holder, token = excluded.token, until = excluded.until";
        let values = params![name, holder, number(token, "token")?, until.micros()];
        self.change("take a lease", sql, values)?;
        Ok(Some(token))
    }

    fn end_lease(&mut self, name: &str, token: u64, at: Instant) -> Stored<()> {
        let sql = "UPDATE leases SET until = least(until, $3) WHERE name = $1 AND token = $2";
        self.change("end a lease", sql, params![name, number(token, "token")?, at.micros()]).map(drop)
    }
}
