//! Connections that read. Each use is a snapshot: PostgreSQL shows it one state while others go on.

use super::link::{Link, Server};
use super::{PgTx, Work};
use crate::Stored;
use std::sync::{Mutex, PoisonError};

/// Kept for the next use. More are opened when all are in use, so that no reader waits for another and a snapshot taken
/// inside a snapshot can't deadlock.
const IDLE_MAX: usize = 16;

/// The question fixes the snapshot before the job looks at anything else. What reads may take its time between two
/// questions.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
    SET LOCAL idle_in_transaction_session_timeout = '10min'; SELECT 1";

#[derive(Debug)]
pub(super) struct Readers {
    server: Server,
    idle: Mutex<Vec<Link>>,
}

impl Readers {
    pub(super) fn new(server: Server) -> Self {
        Self { server, idle: Mutex::new(Vec::new()) }
    }

    /// Runs `job` on one state of the store.
    pub(super) fn snapshot<T>(&self, job: impl FnOnce(&mut PgTx<'_>) -> Stored<T>) -> Stored<T> {
        let mut link = self.begin()?;
        // If the job panics, the connection is dropped with its transaction.
        let result = job(&mut PgTx::new(&mut link, Work::Look));
        // What the job was told of a failure is in its result; the connection is good again after this.
        link.take_broken();
        if link.control("end a snapshot", "COMMIT").is_ok() {
            self.give_back(link);
        }
        result
    }

    /// A connection within a snapshot. One that was kept may have lost its server meanwhile.
    fn begin(&self) -> Stored<Link> {
        const WHAT: &str = "take a snapshot";
        while let Some(mut kept) = self.take() {
            if kept.control(WHAT, BEGIN).is_ok() {
                return Ok(kept);
            }
        }
        let mut fresh = self.server.connect()?;
        fresh.control(WHAT, BEGIN)?;
        Ok(fresh)
    }

    fn take(&self) -> Option<Link> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn give_back(&self, link: Link) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(link);
        }
    }
}
