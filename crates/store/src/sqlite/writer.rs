//! The one writer. Jobs that wait are committed together, with the log that their statements make: one sync
//! of the disk for all of them, and before it one of the journal, where there is one.

use super::SqliteTx;
use super::checkpoint::Checkpoints;
use super::failure::failed;
use super::journal::Journalling;
use crate::journal::{Recorder, Redo};
use crate::log::{Growth, Recent, Sequencer};
use crate::{Abort, Journal, StoreError, Stored, Ticket, Unsound, WriteJob};
use rusqlite::Connection;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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
    /// Counted for as long as it is in the queue.
    counted: Counted,
}

/// One of the jobs that wait.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn in_queue(waiting: &Arc<AtomicUsize>) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(waiting))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
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
    /// How many jobs wait.
    waiting: Arc<AtomicUsize>,
}

/// A writer that runs, and what it found when it began.
pub(super) struct Started {
    pub(super) writer: Writer,
    pub(super) recent: Arc<Recent>,
    /// How many groups of the journal were done again.
    pub(super) replayed: u64,
}

impl Writer {
    /// Checks the log, brings it up to date with the statements and everything with the journal, and starts the
    /// thread.
    pub(super) fn start(
        (connection, checkpoints): (Connection, Checkpoints),
        journal: Option<Box<dyn Journal>>,
        #[cfg(feature = "faults")] faults: crate::faults::Faults,
    ) -> Stored<Started> {
        let mut sequencer = Sequencer::load(&mut SqliteTx(&connection))?;
        control(&connection, "BEGIN IMMEDIATE")?;
        // Statements of a store from before there was a log are no leaves yet.
        let growth = sequencer.integrate(&mut SqliteTx(&connection))?;
        control(&connection, "COMMIT")?;
        if let Some(mut growth) = growth {
            sequencer.committed(&mut growth);
        }
        let joined =
            journal.map(|journal| Journalling::join(&connection, &mut sequencer, journal)).transpose()?;
        let (journal, replayed) = joined.map_or((None, 0), |(journal, replayed)| (Some(journal), replayed));
        let recent = Arc::new(Recent::new(sequencer.frontier().ok_or(Unsound::NoHead)?));
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let mut group = Group {
            connection,
            checkpoints,
            sequencer,
            recent: Arc::clone(&recent),
            journal,
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
        let writer = Self { queue: Some(queue), thread: Some(thread), waiting: Arc::default() };
        Ok(Started { writer, recent, replayed })
    }

    pub(super) fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError> {
        if self.thread.as_ref().is_some_and(|thread| thread.thread().id() == std::thread::current().id()) {
            return Err(StoreError::Nested);
        }
        let (answer, ticket) = Ticket::new();
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        let counted = Counted::in_queue(&self.waiting);
        queue.send(Waiting { job, answer, counted }).map_err(|_| StoreError::Closed)?;
        Ok(ticket)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
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
    checkpoints: Checkpoints,
    sequencer: Sequencer,
    recent: Arc<Recent>,
    journal: Option<Journalling>,
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
            self.checkpoints.after_commit(&self.connection);
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
        let stopped = self.journal.as_ref().and_then(|journal| journal.check().err());
        if !connection.is_autocommit() {
            // A rollback that failed left a transaction open, in which nothing more may be done.
            drop(control(connection, "ROLLBACK"));
        }
        let mut redo = self.journal.as_mut().map(|journal| &mut journal.redo);
        let mut broken = stopped.or_else(|| control(connection, "BEGIN IMMEDIATE").err());
        let mut next = Some(first);
        while let Some(Waiting { job, answer, counted }) = next {
            drop(counted);
            let outcome = match &broken {
                Some(_) => Err(StoreError::Aborted),
                None => run_job(connection, redo.as_deref_mut(), job).unwrap_or_else(|error| {
                    broken = Some(error);
                    Err(StoreError::Aborted)
                }),
            };
            ran.push(Ran { outcome, answer });
            let full = broken.is_some() || ran.len() >= GROUP_MAX || opened.elapsed() >= GROUP_OPEN_MAX;
            next = if full { None } else { waiting.try_recv().ok() };
        }
        if let Some(error) = broken {
            if let Some(redo) = redo {
                redo.cut(0);
            }
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

    /// Integrates what the group appended, appends the group to the journal, and commits all of it.
    fn commit(&mut self) -> Result<Option<Growth>, StoreError> {
        let Self { connection, sequencer, journal, .. } = self;
        let mut append = || journal.as_mut().map_or(Ok(()), |journal| journal.append(connection));
        let commit = || {
            control(connection, "COMMIT").map_err(|error| StoreError::Commit { reason: error.to_string() })
        };
        let log = &mut SqliteTx(connection);
        #[cfg(feature = "faults")]
        if let Some(fault) = self.faults.meet() {
            use crate::faults::Fault;
            let struck = fault.strike(sequencer, log, || {
                append()?;
                commit()
            });
            if fault == Fault::Lost {
                // The journal has what the database is about to lose.
                append()?;
            }
            if struck.is_ok() {
                journal.iter_mut().for_each(Journalling::committed);
            }
            return struck;
        }
        let growth = sequencer.integrate(log)?;
        append()?;
        commit()?;
        journal.iter_mut().for_each(Journalling::committed);
        Ok(growth)
    }
}

/// Runs one job so that its failure takes nothing of the others along.
///
/// # Errors
/// The group is lost: SQLite rolled all of it back, or the job's own part could not be rolled back alone.
fn run_job(
    connection: &Connection,
    mut redo: Option<&mut Redo>,
    job: WriteJob,
) -> Result<Result<(), StoreError>, StoreError> {
    control(connection, "SAVEPOINT job")?;
    let mark = redo.as_ref().map_or(0, |redo| redo.mark());
    let run = AssertUnwindSafe(|| match redo.as_deref_mut() {
        Some(redo) => job(&mut Recorder::new(&mut SqliteTx(connection), redo)),
        None => job(&mut SqliteTx(connection)),
    });
    let outcome = match catch_unwind(run) {
        Ok(Ok(())) => redo.as_deref_mut().and_then(Redo::fault).map_or(Ok(()), Err),
        Ok(Err(Abort)) => Err(StoreError::Aborted),
        Err(_) => Err(StoreError::Panicked),
    };
    if connection.is_autocommit() {
        return Err(StoreError::Commit { reason: "the engine rolled the group back".to_owned() });
    }
    if outcome.is_err() {
        if let Some(redo) = redo {
            redo.cut(mark);
        }
        control(connection, "ROLLBACK TO job")?;
    }
    control(connection, "RELEASE job")?;
    Ok(outcome)
}

pub(super) fn control(connection: &Connection, sql: &'static str) -> Stored<()> {
    let mut statement = connection.prepare_cached(sql).map_err(failed(sql))?;
    statement.execute([]).map_err(failed(sql))?;
    Ok(())
}
