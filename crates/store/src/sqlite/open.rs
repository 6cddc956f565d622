//! Connections and their settings.

use super::failure::failed;
use crate::{StoreError, Stored};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// More than there are statements in this crate, so that each is prepared once.
const STATEMENTS_CACHED: usize = 192;
const WAIT_FOR_LOCK: Duration = Duration::from_secs(5);

/// What every connection has. `recursive_triggers` lets the append-only triggers see what REPLACE deletes.
const SETTINGS: &str = "
    PRAGMA foreign_keys = ON;
    PRAGMA secure_delete = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA recursive_triggers = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
";
/// The cache is 64 MiB, and the WAL is no longer than this once it begins anew.
const WRITER_SETTINGS: &str = "
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    PRAGMA journal_size_limit = 67108864;
";
const READER_SETTINGS: &str = "
    PRAGMA query_only = ON;
    PRAGMA cache_size = -2048;
";

/// The one connection that writes.
pub(super) fn for_writing(path: &Path) -> Stored<Connection> {
    only_for_its_owner(path)?;
    let connection = connect(path)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(failed("switch to WAL"))?;
    if mode != "wal" {
        let reason = "the file system can't do WAL: use a local disk".to_owned();
        return Err(StoreError::Engine { operation: "switch to WAL", reason });
    }
    connection.execute_batch(WRITER_SETTINGS).map_err(failed("set up the writer"))?;
    Ok(connection)
}

/// A connection that reads.
pub(super) fn for_reading(path: &Path) -> Stored<Connection> {
    let connection = connect(path)?;
    connection.execute_batch(READER_SETTINGS).map_err(failed("set up a reader"))?;
    Ok(connection)
}

/// A new file that takes a copy.
pub(super) fn for_copy(path: &Path) -> Stored<Connection> {
    only_for_its_owner(path)?;
    connect(path)
}

fn connect(path: &Path) -> Stored<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed("open the database"))?;
    connection.busy_timeout(WAIT_FOR_LOCK).map_err(failed("open the database"))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_CACHED);
    connection.execute_batch(SETTINGS).map_err(failed("set up a connection"))?;
    // Without this, a statement is planned anew whenever another value is bound, such as its limit.
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map_err(failed("set up a connection"))?;
    Ok(connection)
}

/// Makes the file, if there is none, so that only its owner reads it; SQLite gives its WAL the same rights.
fn only_for_its_owner(path: &Path) -> Stored<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            Err(StoreError::Engine { operation: "open the database", reason: error.kind().to_string() })
        }
    }
}
