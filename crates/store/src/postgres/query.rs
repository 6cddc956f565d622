//! The three ways in which a repository asks: for rows, for one row, and for a change.

use super::PgTx;
use super::columns::Columns;
use super::failure::failed;
use crate::{StoreError, Stored};
use postgres::types::ToSql;

/// Values for the places `$1`, `$2` and so on of a statement.
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$(&$value as &(dyn postgres::types::ToSql + Sync)),*]
    };
}
pub(super) use params;

/// The values of a statement.
pub(super) type Params<'p> = &'p [&'p (dyn ToSql + Sync)];

impl PgTx<'_> {
    /// Every row.
    pub(super) fn list<T>(
        &mut self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
        read: impl Fn(&mut Columns<'_>) -> Stored<T>,
    ) -> Stored<Vec<T>> {
        let asked = self
            .link
            .prepare(operation, sql)
            .and_then(|statement| self.link.client.query(&statement, params).map_err(failed(operation)));
        let rows = asked.inspect_err(|error| self.link.break_off(error))?;
        rows.iter().map(|row| read(&mut Columns::of(row))).collect()
    }

    /// The first row, if there is one.
    pub(super) fn first<T>(
        &mut self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
        read: impl Fn(&mut Columns<'_>) -> Stored<T>,
    ) -> Stored<Option<T>> {
        Ok(self.list(operation, sql, params, read)?.into_iter().next())
    }

    /// The only row of a question that always has one.
    pub(super) fn only<T>(
        &mut self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
        read: impl Fn(&mut Columns<'_>) -> Stored<T>,
    ) -> Stored<T> {
        let row = self.first(operation, sql, params, read)?;
        row.ok_or_else(|| StoreError::Engine { operation, reason: "there is no answer".to_owned() })
    }

    /// How many rows a statement changed.
    pub(super) fn change(
        &mut self,
        operation: &'static str,
        sql: &'static str,
        params: Params<'_>,
    ) -> Stored<u64> {
        let changed = self
            .link
            .prepare(operation, sql)
            .and_then(|statement| self.link.client.execute(&statement, params).map_err(failed(operation)));
        changed.inspect_err(|error| self.link.break_off(error))
    }

    /// Like [`PgTx::change`], for a row that must exist.
    pub(super) fn change_one(
        &mut self,
        operation: &'static str,
        table: &'static str,
        sql: &'static str,
        params: Params<'_>,
    ) -> Stored<()> {
        match self.change(operation, sql, params)? {
            0 => Err(StoreError::Missing { table }),
            _ => Ok(()),
        }
    }
}

/// A limit as SQL takes it.
pub(super) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A count as SQL takes it.
pub(super) fn number(value: u64, column: &'static str) -> Stored<i64> {
    i64::try_from(value).map_err(|_| StoreError::OutOfRange { column })
}
