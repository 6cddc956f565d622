//! The one writer. Jobs that wait are committed together, with the log that their statements make: one sync
//! of the disk for all of them.

use super::SqliteTx;
use super::failure::failed;
use crate::log::{Growth, Recent, Sequencer};
use crate::{Abort, StoreError, Stored, Ticket, Unsound, WriteJob};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How many jobs may wait; beyond that, callers wait to hand theirs in.
const QUEUE_MAX: usize = 1024;
/// How many jobs are committed together at most.
const GROUP_MAX: usize = 256;
/// After this long a group takes no more jobs, so that those in it are answered.
const GROUP_OPEN_MAX: Duration = Duration::from_millis(50);

type Answer = SyncSender<Result<(), StoreError>>;

struct Waiting {
    job: WriteJob,
    answer: Answer,
}

/// A job that has run and is answered after the commit.
struct Ran {
    outcome: Result<(), StoreError>,
    answer: Answer,
}

#[derive(Debug)]
pub(super) struct Writer {
    /// Taken when the store is dropped, which ends the thread once the queue is empty.
    queue: Option<SyncSender<Waiting>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Checks the log, brings it up to date with the statements, and starts the thread.
    pub(super) fn start(
        connection: Connection,
        #[cfg(feature = "faults")] faults: crate::faults::Faults,
    ) -> Stored<(Self, Arc<Recent>)> {
        let mut sequencer = Sequencer::load(&mut SqliteTx(&connection))?;
        control(&connection, "BEGIN IMMEDIATE")?;
        // Statements of a store from before there was a log are no leaves yet.
        let growth = sequencer.integrate(&mut SqliteTx(&connection))?;
        control(&connection, "COMMIT")?;
        if let Some(mut growth) = growth {
            sequencer.committed(&mut growth);
        }
        let recent = Arc::new(Recent::new(sequencer.frontier().ok_or(Unsound::NoHead)?));
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let mut group = Group {
            connection,
            sequencer,
            recent: Arc::clone(&recent),
            #[cfg(feature = "faults")]
            faults,
        };
        let thread = std::thread::Builder::new()
            .name("tenure-writer".to_owned())
            .spawn(move || group.serve(&waiting))
            .map_err(|error| StoreError::Engine {
                operation: "start the writer",
                reason: error.to_string(),
            })?;
        Ok((Self { queue: Some(queue), thread: Some(thread) }, recent))
    }

    pub(super) fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError> {
        if self.thread.as_ref().is_some_and(|thread| thread.thread().id() == std::thread::current().id()) {
            return Err(StoreError::Nested);
        }
        let (answer, ticket) = Ticket::new();
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(Waiting { job, answer }).map_err(|_| StoreError::Closed)?;
        Ok(ticket)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        // A job may own the last handle of the store; the writer's thread can't wait for itself.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id())
        {
            // The thread catches the panics of jobs, so there is nothing to pass on.
            drop(thread.join());
        }
    }
}

/// What the writer's thread works with.
struct Group {
    connection: Connection,
    sequencer: Sequencer,
    recent: Arc<Recent>,
    #[cfg(feature = "faults")]
    faults: crate::faults::Faults,
}

impl Group {
    fn serve(&mut self, waiting: &Receiver<Waiting>) {
        while let Ok(first) = waiting.recv() {
            let mut ran = Vec::new();
            let committed = self.run(first, waiting, &mut ran);
            for Ran { outcome, answer } in ran {
                // Whoever stopped waiting for the answer does not get it; the commit stands.
                drop(answer.send(committed.clone().and(outcome)));
            }
        }
    }

    /// Runs and commits one group. Each job is in `ran` afterwards, whatever happened.
    fn run(
        &mut self,
        first: Waiting,
        waiting: &Receiver<Waiting>,
        ran: &mut Vec<Ran>,
    ) -> Result<(), StoreError> {
        let connection = &self.connection;
        let opened = Instant::now();
        if !connection.is_autocommit() {
            // A rollback that failed left a transaction open, in which nothing more may be done.
            drop(control(connection, "ROLLBACK"));
        }
        let mut broken = control(connection, "BEGIN IMMEDIATE").err();
        let mut next = Some(first);
        while let Some(Waiting { job, answer }) = next {
            let outcome = match &broken {
                Some(_) => Err(StoreError::Aborted),
                None => run_job(connection, job).unwrap_or_else(|error| {
                    broken = Some(error);
                    Err(StoreError::Aborted)
                }),
            };
            ran.push(Ran { outcome, answer });
            let full = broken.is_some() || ran.len() >= GROUP_MAX || opened.elapsed() >= GROUP_OPEN_MAX;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        if let Some(error) = broken {
            drop(control(connection, "ROLLBACK"));
            return Err(error);
        }
        let growth = self.commit().inspect_err(|_| {
            // If this fails too, the next BEGIN says so to those who wait for it.
            drop(control(&self.connection, "ROLLBACK"));
        })?;
        if let Some(mut growth) = growth {
            self.sequencer.committed(&mut growth);
            self.recent.grow(growth);
        }
        Ok(())
    }

    /// Integrates what the group appended, and commits all of it.
    fn commit(&mut self) -> Result<Option<Growth>, StoreError> {
        let commit = || {
            control(&self.connection, "COMMIT")
                .map_err(|error| StoreError::Commit { reason: error.to_string() })
        };
        let log = &mut SqliteTx(&self.connection);
        #[cfg(feature = "faults")]
        if let Some(fault) = self.faults.meet() {
            return fault.strike(&mut self.sequencer, log, commit);
        }
        let growth = self.sequencer.integrate(log)?;
        commit()?;
        Ok(growth)
    }
}

/// Runs one job so that its failure takes nothing of the others along.
///
/// # Errors
/// The group is lost: SQLite rolled all of it back, or the job's own part could not be rolled back alone.
fn run_job(connection: &Connection, job: WriteJob) -> Result<Result<(), StoreError>, StoreError> {
    control(connection, "SAVEPOINT job")?;
    let outcome = match catch_unwind(AssertUnwindSafe(|| job(&mut SqliteTx(connection)))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(Abort)) => Err(StoreError::Aborted),
        Err(_) => Err(StoreError::Panicked),
    };
    if connection.is_autocommit() {
        return Err(StoreError::Commit { reason: "the engine rolled the group back".to_owned() });
    }
    if outcome.is_err() {
        control(connection, "ROLLBACK TO job")?;
    }
    control(connection, "RELEASE job")?;
    Ok(outcome)
}

fn control(connection: &Connection, sql: &'static str) -> Stored<()> {
    let mut statement = connection.prepare_cached(sql).map_err(failed(sql))?;
    statement.execute([]).map_err(failed(sql))?;
    Ok(())
}
