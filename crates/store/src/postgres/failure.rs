//! What PostgreSQL says, in the port's words. Its own messages are not passed on, for they can hold values.

use crate::StoreError;
use postgres::Error;
use postgres::error::{DbError, SqlState};

/// What a trigger of the schema says when something would change that may only be added to.
const APPEND_ONLY: &str = "TN001";
/// The reason of a failure that leaves open what the server did.
const LOST: &str = "the connection to the database was lost";

/// Turns PostgreSQL's failures during `operation` into the port's.
pub(super) fn failed(operation: &'static str) -> impl Fn(Error) -> StoreError {
    move |error| match error.as_db_error() {
        Some(said) => refused(operation, said),
        None if error.is_closed()
            || std::error::Error::source(&error)
                .is_some_and(<dyn std::error::Error>::is::<std::io::Error>) =>
        {
            connection_lost(operation)
        }
        None => StoreError::Engine { operation, reason: "the statement does not fit its use".to_owned() },
    }
}

fn refused(operation: &'static str, said: &DbError) -> StoreError {
    let code = said.code();
    if *code == SqlState::UNIQUE_VIOLATION {
        return StoreError::Conflict { table: said.table().unwrap_or_default().to_owned() };
    }
    if *code == SqlState::FOREIGN_KEY_VIOLATION {
        return StoreError::Dangling;
    }
    if code.code() == APPEND_ONLY {
        let tables =
            ["api_keys", "changes", "destroyed", "hold_readers", "hold_reads", "holds", "log", "tiles"];
        let named = tables.into_iter().find(|table| said.table() == Some(table));
        return StoreError::AppendOnly { table: named.unwrap_or("statements") };
    }
    if *code == SqlState::T_R_SERIALIZATION_FAILURE || *code == SqlState::T_R_DEADLOCK_DETECTED {
        return StoreError::Contended;
    }
    if went_away(code) {
        return connection_lost(operation);
    }
    StoreError::Engine { operation, reason: format!("PostgreSQL refused it with code {}", code.code()) }
}

/// Whether the server ended the session.
fn went_away(code: &SqlState) -> bool {
    let gone = [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ];
    gone.contains(code) || code.code().starts_with("08")
}

/// That the connection is gone.
pub(super) fn connection_lost(operation: &'static str) -> StoreError {
    StoreError::Engine { operation, reason: LOST.to_owned() }
}

/// Whether the connection is gone, so that the server may or may not have done the last thing that it was told.
pub(super) fn lost(error: &StoreError) -> bool {
    matches!(error, StoreError::Engine { reason, .. } if reason == LOST)
}
