//! What every transaction that writes needs: a connection that is made anew when it is lost, and another try when others
//! stood in the way.

use super::failure::lost;
use super::link::{Link, Server};
use crate::{StoreError, Stored};
use std::cell::Cell;
use std::time::Duration;

/// How often something is tried. With the rests below, a server that is started again is waited for.
const TRIES: u32 = 8;
const FIRST_REST: Duration = Duration::from_millis(10);

thread_local! {
    /// Whether this thread runs a job at the moment.
    static IN_JOB: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread runs a job, which must not wait for another.
pub(super) fn in_job() -> bool {
    IN_JOB.get()
}

/// Runs a job, so that [`in_job`] knows; its panics are the caller's to catch.
pub(super) fn as_job<T>(job: impl FnOnce() -> T) -> T {
    struct Done;
    impl Drop for Done {
        fn drop(&mut self) {
            IN_JOB.set(false);
        }
    }
    IN_JOB.set(true);
    let _done = Done;
    job()
}

/// Why a transaction came to nothing.
pub(super) enum Failed {
    /// Nothing of it was kept.
    Whole(StoreError),
    /// Nobody knows whether it was kept.
    Open(StoreError),
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Self::Whole(error)
    }
}

/// A connection that writes.
#[derive(Debug)]
pub(super) struct Desk {
    server: Server,
    link: Option<Link>,
}

impl Desk {
    pub(super) const fn new(server: Server) -> Self {
        Self { server, link: None }
    }

    /// Does something in a transaction that it begins and ends itself, and does it again where nothing of it was kept
    /// because others stood in the way or the connection was lost.
    pub(super) fn work<T>(
        &mut self,
        mut attempt: impl FnMut(&mut Link) -> Result<T, Failed>,
    ) -> Result<T, StoreError> {
        let mut rest = FIRST_REST;
        for left in (0..TRIES).rev() {
            let failed = match self.link().map_err(Failed::Whole).and_then(&mut attempt) {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            self.clear();
            match failed {
                Failed::Open(error) => return Err(error),
                Failed::Whole(error) if left == 0 || !passes(&error) => return Err(error),
                Failed::Whole(_) => {}
            }
            std::thread::sleep(rest);
            rest = rest.saturating_mul(2);
        }
        Err(StoreError::Contended)
    }

    fn link(&mut self) -> Stored<&mut Link> {
        if self.link.as_ref().is_none_or(Link::is_lost) {
            self.link = Some(self.server.connect()?);
        }
        self.link.as_mut().ok_or(StoreError::Closed)
    }

    /// Makes the connection ready for the next transaction, or gives it up.
    fn clear(&mut self) {
        let usable = self.link.as_mut().is_some_and(|link| {
            link.take_broken();
            !link.is_lost() && link.control("roll back", "ROLLBACK").is_ok()
        });
        if !usable {
            self.link = None;
        }
    }
}

/// Whether it is worth another try.
pub(super) fn passes(error: &StoreError) -> bool {
    *error == StoreError::Contended || lost(error)
}

/// Commits. What the server says decides; where it says nothing, nobody knows.
pub(super) fn commit(link: &mut Link) -> Result<(), Failed> {
    link.control("commit", "COMMIT").map_err(|error| match error {
        StoreError::Contended => Failed::Whole(error),
        _ => Failed::Open(StoreError::Commit { reason: error.to_string() }),
    })
}
