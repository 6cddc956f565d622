//! The store itself: jobs that write, snapshots that read.

use crate::{Digest, Finding, ReadTx, Seq, StoreError, TreeHead, Tx};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// The job gave up: whatever it wrote is rolled back, and nothing of other jobs is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abort;

/// A job on the writer. It runs once, on another thread, so it owns what it needs.
///
/// It keeps every other write waiting: encrypt, hash and read files before, not inside. It must not submit
/// jobs itself.
pub type WriteJob = Box<dyn FnOnce(&mut dyn Tx) -> Result<(), Abort> + Send>;

/// A job that is waiting for its commit.
#[derive(Debug)]
#[must_use = "the job is durable only once the ticket was waited for"]
pub struct Ticket(mpsc::Receiver<Result<(), StoreError>>);

impl Ticket {
    /// A ticket, and what answers it.
    pub fn new() -> (mpsc::SyncSender<Result<(), StoreError>>, Self) {
        let (answer, ticket) = mpsc::sync_channel(1);
        (answer, Self(ticket))
    }

    /// Waits until the job is durable, or is known not to be.
    pub fn wait(self) -> Result<(), StoreError> {
        self.0.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// A store. Use cases hold an `Arc<dyn Store>` and call [`StoreExt`].
pub trait Store: Send + Sync {
    /// Hands a job to the writer. Waits only while the writer's queue is full.
    ///
    /// Jobs that wait together are committed together; each is rolled back alone if it aborts or panics.
    fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError>;

    /// Runs a job on a snapshot that no later commit changes.
    ///
    /// Keep it short: an old snapshot keeps deleted rows from being scrubbed.
    fn snapshot(&self, job: &mut dyn FnMut(&mut dyn ReadTx)) -> Result<(), StoreError>;

    /// How many jobs were handed to the writer and are not taken up yet, as far as the store counts them.
    fn waiting(&self) -> usize {
        0
    }

    /// What the log was at the last commit that appended statements.
    fn head(&self) -> TreeHead;

    /// The path from a leaf to the root of the tree of `size` leaves, the leaf's sibling first.
    fn prove_inclusion(&self, leaf: Seq, size: u64) -> Result<Vec<Digest>, StoreError>;

    /// Copies one state of the store into a new file, which nobody else may have open, while it goes on; tells how
    /// many parts of how many are done. The copy is durable on return.
    fn copy_to(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError>;

    /// Clears deleted rows out of the engine's own logs as far as it can; `false` if readers stood in the way.
    fn scrub(&self) -> Result<bool, StoreError>;

    /// Looks for everything that should not be.
    fn integrity(&self) -> Result<Vec<Finding>, StoreError>;
}

/// A job's own outcome, which comes back beside the store's.
type Outcome<T, E> = Arc<Mutex<Option<Result<T, E>>>>;

/// A job that was submitted and whose value is still to be waited for.
#[derive(Debug)]
#[must_use = "the job is durable only once it was waited for"]
pub struct Pending<T, E> {
    ticket: Ticket,
    outcome: Outcome<T, E>,
}

impl<T, E: From<StoreError>> Pending<T, E> {
    /// Waits until the job is durable and gives its value, or the error for which it was rolled back.
    pub fn wait(self) -> Result<T, E> {
        let stored = self.ticket.wait();
        let own = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        match (stored, own) {
            (Ok(()) | Err(StoreError::Aborted), Some(own)) => own,
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(StoreError::Panicked.into()),
        }
    }
}

/// What makes a [`Store`] pleasant: typed results for jobs.
pub trait StoreExt: Store {
    /// Runs a job in a transaction and answers once it is durable. If it fails, nothing of it is kept.
    fn write<T, E, F>(&self, job: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    {
        self.write_later(job)?.wait()
    }

    /// Like [`StoreExt::write`], but lets the caller go on before the commit.
    fn write_later<T, E, F>(&self, job: F) -> Result<Pending<T, E>, StoreError>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
        F: FnOnce(&mut dyn Tx) -> Result<T, E> + Send + 'static,
    {
        let outcome: Outcome<T, E> = Arc::new(Mutex::new(None));
        let inside = Arc::clone(&outcome);
        let ticket = self.submit(Box::new(move |tx| {
            let result = job(tx);
            let verdict = if result.is_ok() { Ok(()) } else { Err(Abort) };
            *inside.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
            verdict
        }))?;
        Ok(Pending { ticket, outcome })
    }

    /// Runs a job on a snapshot.
    fn read<T, E, F>(&self, job: F) -> Result<T, E>
    where
        E: From<StoreError>,
        F: FnOnce(&mut dyn ReadTx) -> Result<T, E>,
    {
        let mut job = Some(job);
        let mut result = None;
        self.snapshot(&mut |tx| result = job.take().map(|job| job(tx)))?;
        result.unwrap_or(Err(StoreError::Closed.into()))
    }
}

impl<S: Store + ?Sized> StoreExt for S {}
