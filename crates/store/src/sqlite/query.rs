//! The three ways in which a repository asks: for rows, for one row, and for a change.

use super::columns::Columns;
use super::failure::failed;
use crate::{StoreError, Stored};
use rusqlite::{Connection, Params};

/// Every row, read one after another.
pub(super) fn list<T>(
    connection: &Connection,
    operation: &'static str,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_, '_>) -> Stored<T>,
) -> Stored<Vec<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(failed(operation))?;
    let mut rows = statement.query(params).map_err(failed(operation))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(failed(operation))? {
        found.push(read(&mut Columns::of(row))?);
    }
    Ok(found)
}

/// The first row, if there is one.
pub(super) fn first<T>(
    connection: &Connection,
    operation: &'static str,
    sql: &str,
    params: impl Params,
    read: impl Fn(&mut Columns<'_, '_>) -> Stored<T>,
) -> Stored<Option<T>> {
    let mut statement = connection.prepare_cached(sql).map_err(failed(operation))?;
    let mut rows = statement.query(params).map_err(failed(operation))?;
    rows.next().map_err(failed(operation))?.map(|row| read(&mut Columns::of(row))).transpose()
}

/// How many rows a statement changed.
///
/// Some failures, such as a full disk, make SQLite roll back the whole transaction. What a job does after
/// that must not be committed on its own.
pub(super) fn change(
    connection: &Connection,
    operation: &'static str,
    sql: &str,
    params: impl Params,
) -> Stored<usize> {
    change_each(connection, operation, sql, [params])
}

/// The same for each of many.
pub(super) fn change_each<P: Params>(
    connection: &Connection,
    operation: &'static str,
    sql: &str,
    each: impl IntoIterator<Item = P>,
) -> Stored<usize> {
    if connection.is_autocommit() {
        return Err(StoreError::Engine {
            operation,
            reason: "its transaction has been rolled back".to_owned(),
        });
    }
    let mut statement = connection.prepare_cached(sql).map_err(failed(operation))?;
    let mut changed = 0;
    for params in each {
        changed += statement.execute(params).map_err(failed(operation))?;
    }
    Ok(changed)
}

/// Like [`change`], for a row that must exist.
pub(super) fn change_one(
    connection: &Connection,
    operation: &'static str,
    table: &'static str,
    sql: &str,
    params: impl Params,
) -> Stored<()> {
    match change(connection, operation, sql, params)? {
        0 => Err(StoreError::Missing { table }),
        _ => Ok(()),
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
