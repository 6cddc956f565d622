//! Connections that read. Each use is a snapshot: WAL lets it see one state while the writer goes on.

use super::checkpoint;
use super::failure::failed;
use super::open;
use crate::Stored;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Kept for the next use, enough for as many callers as a machine runs at once: opening one reads the whole
/// schema. More are opened when all are in use, so that no reader waits for another and a snapshot taken inside
/// a snapshot can't deadlock.
const IDLE_MAX: usize = 32;

const SCRUB_TRIES: u32 = 80;
/// Short, since the writer waits while a truncating checkpoint waits for readers.
const SCRUB_WAIT: Duration = Duration::from_millis(3);
const SCRUB_REST: Duration = Duration::from_millis(20);

#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Runs `job` on one state of the store.
    pub(super) fn snapshot<T>(&self, job: impl FnOnce(&Connection) -> Stored<T>) -> Stored<T> {
        const WHAT: &str = "take a snapshot";
        let connection = self.take()?;
        // Dropping the transaction ends it, also when the job panics; the connection is then dropped too.
        let transaction = connection.unchecked_transaction().map_err(failed(WHAT))?;
        // The first read fixes the snapshot, so it must happen before the job looks at anything else.
        transaction
            .prepare_cached("SELECT count(*) FROM meta WHERE key = ''")
            .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)))
            .map_err(failed(WHAT))?;
        let result = job(&transaction);
        transaction.finish().map_err(failed(WHAT))?;
        self.give_back(connection);
        result
    }

    /// Copies the WAL into the database and truncates it; `false` if readers kept it from that.
    pub(super) fn scrub(&self) -> Stored<bool> {
        const WHAT: &str = "truncate the WAL";
        // A connection of its own, because its patience differs.
        let connection = open::for_reading(&self.path)?;
        connection.busy_timeout(SCRUB_WAIT).map_err(failed(WHAT))?;
        for _ in 0..SCRUB_TRIES {
            // What can be copied beside the writer is, so that it waits for the rest alone.
            checkpoint::beside_the_writer(&connection);
            let busy: i64 = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
                .map_err(failed(WHAT))?;
            if busy == 0 {
                return Ok(true);
            }
            std::thread::sleep(SCRUB_REST);
        }
        Ok(false)
    }

    fn take(&self) -> Stored<Connection> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| open::for_reading(&self.path), Ok)
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
    }
}
