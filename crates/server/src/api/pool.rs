//! Where what blocks is done: so many jobs at once, so many that wait, and no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::{JoinHandle, spawn_blocking};

use super::fault::{Code, Fault};

/// Threads for jobs that block, with a queue before them.
#[derive(Debug)]
pub(crate) struct Pool {
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
}

/// A place in the queue, for as long as somebody waits.
struct Waiting<'p>(&'p AtomicUsize);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Pool {
    pub(crate) fn new(jobs: usize, queue: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(jobs)), waiting: AtomicUsize::new(0), queue }
    }

    /// Begins a job once there is a place for it, or refuses it at once where too many wait.
    ///
    /// A job that has begun is done, whether somebody still waits for it or not, and keeps its place until then.
    pub(crate) async fn begin<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, Fault> {
        let place = match Arc::clone(&self.places).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => {
                let ahead = self.waiting.fetch_add(1, Ordering::Relaxed);
                let _waiting = Waiting(&self.waiting);
                if ahead >= self.queue {
                    return Err(Code::Busy.into());
                }
                Arc::clone(&self.places).acquire_owned().await.map_err(|_| Code::Busy)?
            }
        };
        Ok(spawn_blocking(move || {
            let _place = place;
            job()
        }))
    }
}
