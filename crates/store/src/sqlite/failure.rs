//! What SQLite says, in the port's words. Its own messages are not passed on where they could hold a value.

use crate::StoreError;
use rusqlite::{Error, ffi};

/// Turns SQLite's failures during `operation` into the port's.
pub(super) fn failed(operation: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| match &error {
        Error::SqliteFailure(code, message) => {
            sqlite_failure(operation, *code, message.as_deref().unwrap_or(""))
        }
        Error::FromSqlConversionFailure(..)
        | Error::InvalidColumnType(..)
        | Error::IntegralValueOutOfRange(..) => {
            StoreError::Engine { operation, reason: "a column holds another kind of value".to_owned() }
        }
        _ => StoreError::Engine { operation, reason: "the statement does not fit its use".to_owned() },
    }
}

fn sqlite_failure(operation: &'static str, code: ffi::Error, message: &str) -> StoreError {
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            StoreError::Conflict { table: conflicting(message) }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::Dangling,
        ffi::SQLITE_CONSTRAINT_TRIGGER => {
            let tables = ["api_keys", "changes", "destroyed", "holds", "log", "tiles"];
            let named = tables.into_iter().find(|table| message.ends_with(table));
            StoreError::AppendOnly { table: named.unwrap_or("statements") }
        }
        _ if code.code == ffi::ErrorCode::DatabaseBusy => StoreError::Busy,
        _ => StoreError::Engine { operation, reason: code.to_string() },
    }
}

/// `UNIQUE constraint failed: accounts.id` names the table, `…: index 'accounts_by_id'` the index.
fn conflicting(message: &str) -> String {
    let named = message.rsplit(": ").next().unwrap_or("");
    match named.strip_prefix("index '") {
        Some(index) => index.trim_end_matches('\'').to_owned(),
        None => named.split('.').next().unwrap_or("").to_owned(),
    }
}
