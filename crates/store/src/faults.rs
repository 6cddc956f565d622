//! Commits that fail on command, for tests.
//!
//! A commit can fail in two ways that nobody who waits for it can tell apart: it was lost, or it was done and
//! only the answer was lost. Before it, the log may refuse what a group adds to it. What is acknowledged has to
//! survive all of them, at every commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::log::{Growth, Sequencer};
use crate::{Digest, LogRead, LogWrite, Seq, StoreError, Stored, TreeHead};

/// How a commit fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The group is rolled back, and the failure is reported.
    Lost,
    /// The group is committed, and a failure is reported all the same.
    DoneButFailed,
    /// The log takes so many writes of what the group adds to it and refuses the next one, so that the group is
    /// rolled back. Tiles are written first and the head last; a group that writes less than that is committed.
    Log {
        /// How many writes go through.
        writes: usize,
    },
}

/// What is to fail, shared between a test and the writer of its store.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Armed>>);

#[derive(Debug, Default)]
struct Armed {
    /// How many commits go through first, and how the next one fails.
    next: Option<(usize, Fault)>,
    met: usize,
}

impl Faults {
    /// Lets one commit fail after so many others that go through. What was armed before is disarmed.
    pub fn arm(&self, after: usize, fault: Fault) {
        self.armed().next = Some((after, fault));
    }

    /// Lets everything go through again.
    pub fn disarm(&self) {
        self.armed().next = None;
    }

    /// Whether a fault is still waiting for its commit.
    pub fn is_armed(&self) -> bool {
        self.armed().next.is_some()
    }

    /// How many faults commits have met, so that a test can see that they were.
    pub fn met(&self) -> usize {
        self.armed().met
    }

    /// What is to happen to the commit that is about to be made.
    pub(crate) fn meet(&self) -> Option<Fault> {
        let mut armed = self.armed();
        let (after, fault) = armed.next.take()?;
        if let Some(after) = after.checked_sub(1) {
            armed.next = Some((after, fault));
            return None;
        }
        armed.met += 1;
        Some(fault)
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fault {
    /// Does what a commit does, as far as the fault lets it.
    pub(crate) fn strike(
        self,
        sequencer: &mut Sequencer,
        log: &mut dyn LogWrite,
        commit: impl FnOnce() -> Stored<()>,
    ) -> Stored<Option<Growth>> {
        match self {
            Self::Lost => {
                sequencer.integrate(log)?;
                Err(failed("as if the disk were full"))
            }
            Self::DoneButFailed => {
                sequencer.integrate(log)?;
                commit()?;
                Err(failed("as if the answer were lost"))
            }
            Self::Log { writes } => {
                let growth = sequencer.integrate(&mut Refusing { log, writes })?;
                commit()?;
                Ok(growth)
            }
        }
    }
}

fn failed(reason: &str) -> StoreError {
    StoreError::Commit { reason: reason.to_owned() }
}

/// A log that takes only so many writes.
struct Refusing<'l> {
    log: &'l mut dyn LogWrite,
    writes: usize,
}

impl Refusing<'_> {
    fn count(&mut self) -> Stored<()> {
        self.writes =
            self.writes.checked_sub(1).ok_or_else(|| failed("as if the log could not be written"))?;
        Ok(())
    }
}

impl LogRead for Refusing<'_> {
    fn tree_head(&mut self) -> Stored<Option<TreeHead>> {
        self.log.tree_head()
    }

    fn tile(&mut self, level: u8, place: u64) -> Stored<Option<Vec<u8>>> {
        self.log.tile(level, place)
    }

    fn commitments(&mut self, from: Seq, limit: usize) -> Stored<Vec<Digest>> {
        self.log.commitments(from, limit)
    }
}

impl LogWrite for Refusing<'_> {
    fn put_tile(&mut self, level: u8, place: u64, hashes: &[u8]) -> Stored<()> {
        self.count()?;
        self.log.put_tile(level, place, hashes)
    }

    fn move_head(&mut self, from: &TreeHead, to: &TreeHead) -> Stored<bool> {
        self.count()?;
        self.log.move_head(from, to)
    }
}
