//! The house's writer. Its jobs come one after another in all processes: whoever holds the turn, a row, writes what is
//! not one account's. Those of one process that wait together share a turn and a commit, with the log that their
//! statements make.

use super::attempt::{Desk, Failed, as_job};
use super::link::{Link, Server};
use super::sequencer::Ledger;
use super::{PgTx, Work};
use crate::{Abort, StoreError, Stored, Ticket, WriteJob};
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

/// At this isolation each question sees what was committed before it, so whoever waited for the turn sees all that its
/// last holder did.
const TAKE_TURN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT id FROM turn WHERE id = 0 FOR UPDATE";

/// A job that waits to be run.
pub(super) struct Waiting {
    pub(super) job: WriteJob,
    pub(super) answer: SyncSender<Result<(), StoreError>>,
}

/// A thread that takes work from a queue until the store is dropped.
pub(super) struct Worker<W> {
    /// Taken when the store is dropped, which ends the thread once the queue is empty.
    queue: Option<SyncSender<W>>,
    thread: Option<JoinHandle<()>>,
}

impl<W: Send + 'static> Worker<W> {
    pub(super) fn start(name: &str, serve: impl FnOnce(&Receiver<W>) + Send + 'static) -> Stored<Self> {
        let (queue, waiting) = sync_channel(QUEUE_MAX);
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || serve(&waiting))
            .map_err(|error| StoreError::Engine { operation: "start a writer", reason: error.to_string() })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    /// Hands in work. Waits only while the queue is full.
    pub(super) fn hand_in(&self, work: W) -> Result<(), StoreError> {
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(work).map_err(|_| StoreError::Closed)
    }
}

impl Worker<Waiting> {
    pub(super) fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError> {
        let (answer, ticket) = Ticket::new();
        self.hand_in(Waiting { job, answer })?;
        Ok(ticket)
    }
}

impl<W> std::fmt::Debug for Worker<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Worker")
    }
}

impl<W> Drop for Worker<W> {
    fn drop(&mut self) {
        drop(self.queue.take());
        // A job may own the last handle of the store; a thread can't wait for itself.
        if let Some(thread) =
            self.thread.take().filter(|thread| thread.thread().id() != std::thread::current().id())
        {
            // The thread catches the panics of jobs, so there is nothing to pass on.
            drop(thread.join());
        }
    }
}

/// Starts the house's writer.
pub(super) fn house(server: Server, ledger: Arc<Ledger>) -> Stored<Worker<Waiting>> {
    Worker::start("tenure-writer", move |waiting| {
        let mut desk = Desk::new(server);
        while let Ok(first) = waiting.recv() {
            let mut group = vec![first];
            let mut more = Some(waiting);
            let done = desk.work(|link| take_turn(link, &ledger, &mut group, more.take()));
            match done {
                Ok(outcomes) => {
                    for (Waiting { answer, .. }, outcome) in group.into_iter().zip(outcomes) {
                        // Whoever stopped waiting for the answer does not get it; the commit stands.
                        drop(answer.send(outcome));
                    }
                }
                Err(error) => {
                    for Waiting { answer, .. } in group {
                        drop(answer.send(Err(error.clone())));
                    }
                }
            }
        }
    })
}

/// Runs and commits a group within one turn. Jobs that wait are taken along where it is said where to find them.
fn take_turn(
    link: &mut Link,
    ledger: &Ledger,
    group: &mut Vec<Waiting>,
    more: Option<&Receiver<Waiting>>,
) -> Result<Vec<Result<(), StoreError>>, Failed> {
    let opened = Instant::now();
    link.control("take the turn", TAKE_TURN)?;
    let mut tx = PgTx::new(link, Work::House);
    let mut outcomes: Vec<Result<(), StoreError>> = Vec::new();
    loop {
        let at = outcomes.len();
        if let Some(more) = more.filter(|_| at == group.len() && at < GROUP_MAX) {
            group.extend(
                Some(more)
                    .filter(|_| opened.elapsed() < GROUP_OPEN_MAX)
                    .and_then(|more| more.try_recv().ok()),
            );
        }
        let Some(Waiting { job, .. }) = group.get_mut(at) else { break };
        outcomes.push(tx.alone(at, job)?);
    }
    ledger.commit(&mut tx)?;
    Ok(outcomes)
}

impl PgTx<'_> {
    /// Runs one job of a turn so that its failure takes nothing of the others along.
    ///
    /// # Errors
    /// The whole turn is lost.
    fn alone(&mut self, place: usize, job: &mut WriteJob) -> Result<Result<(), StoreError>, StoreError> {
        const WHAT: &str = "set a job apart";
        if place > 0 {
            self.link.control(WHAT, "SAVEPOINT job")?;
        }
        let before = self.next;
        let outcome = self.run_job(job)?;
        match (&outcome, place) {
            (Ok(()), 0) => {}
            (Ok(()), _) => self.link.control(WHAT, "RELEASE SAVEPOINT job")?,
            // There is nothing before it to keep.
            (Err(_), 0) => {
                self.link.control(WHAT, "ROLLBACK")?;
                self.link.control(WHAT, TAKE_TURN)?;
            }
            (Err(_), _) => self.link.control(WHAT, "ROLLBACK TO SAVEPOINT job; RELEASE SAVEPOINT job")?,
        }
        if outcome.is_err() {
            self.next = before;
        }
        Ok(outcome)
    }

    /// Runs a job. Its own failure is its outcome; a failure that took the transaction along is an error.
    pub(super) fn run_job(&mut self, job: &mut WriteJob) -> Result<Result<(), StoreError>, StoreError> {
        let ran = catch_unwind(AssertUnwindSafe(|| as_job(|| job(self))));
        let broken = self.link.take_broken();
        if let Some(error) = broken.clone().filter(super::attempt::passes) {
            return Err(error);
        }
        Ok(match (ran, broken) {
            // It took a failure lightly after which PostgreSQL does nothing more.
            (Ok(Ok(())), Some(error)) => Err(error),
            (Ok(Ok(())), None) => Ok(()),
            (Ok(Err(Abort)), _) => Err(StoreError::Aborted),
            (Err(_), _) => Err(StoreError::Panicked),
        })
    }
}
