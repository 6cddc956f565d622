//! What is done again and again beside the requests. A job that fails is tried again, told of, and ends nothing.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::health::Health;
use super::metrics;

/// How soon a job that failed is tried again, for the first time; then after twice that, and so on up to its own
/// interval.
const AGAIN: Duration = Duration::from_secs(5);
/// A job that failed rests this many times as long as it took, so that a slow one does not take the machine for
/// itself; but never longer than its own interval, so that it is not late by more than that.
const REST: u32 = 5;
/// Jobs that stop between steps are waited for in parts of this.
const LOOK: Duration = Duration::from_millis(20);

/// Says that the process is about to end.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Whether it is.
    pub fn is_told(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Sleeps, and says whether it is time to end.
    fn rest(&self, time: Duration) -> bool {
        let told = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let rested = self.0.1.wait_timeout_while(told, time, |told| !*told);
        *rested.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// Why a run of a job failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// A word that stays the same.
    pub code: &'static str,
    /// What happened, without anything about a person.
    pub message: String,
}

/// Something that is done again and again.
pub struct Job {
    name: &'static str,
    every: Duration,
    run: Box<dyn FnMut() -> Result<(), Failure> + Send>,
}

impl fmt::Debug for Job {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Job").field("name", &self.name).field("every", &self.every).finish_non_exhaustive()
    }
}

impl Job {
    /// A job that runs at once, and again so long after each run.
    pub fn new(
        name: &'static str,
        every: Duration,
        run: impl FnMut() -> Result<(), Failure> + Send + 'static,
    ) -> Self {
        Self { name, every, run: Box::new(run) }
    }

    /// Runs once, and says how long to wait. What panics has failed.
    fn turn(&mut self, failures: &mut u32, health: &Health) -> Duration {
        let began = Instant::now();
        let ran = catch_unwind(AssertUnwindSafe(&mut self.run)).unwrap_or_else(|_| {
            Err(Failure { code: "panicked", message: "a fault of Tenure: please report it".to_owned() })
        });
        let took = began.elapsed();
        metrics::job_ran(self.name, ran.is_ok(), took);
        let wait = match &ran {
            Ok(()) => {
                if *failures > 0 {
                    tracing::info!(target: "tenure::job", job = self.name, code = "job_recovered", "a job works again");
                }
                *failures = 0;
                self.every
            }
            Err(failure) => {
                *failures = failures.saturating_add(1);
                tracing::error!(
                    target: "tenure::job",
                    job = self.name,
                    code = failure.code,
                    failures = *failures,
                    "{}",
                    failure.message
                );
                AGAIN.saturating_mul(1 << (*failures - 1).min(16)).min(self.every)
            }
        };
        metrics::job_failures(self.name, *failures);
        health.job_ran(self.name, *failures, ran.err().map(|failure| failure.code));
        wait.max(rest(took, self.every))
    }
}

/// How long a job rests that took so long.
fn rest(took: Duration, every: Duration) -> Duration {
    took.saturating_mul(REST).min(every)
}

/// Jobs under way, each in a thread of its own.
#[derive(Debug)]
pub struct Jobs {
    stop: Stop,
    threads: Vec<(&'static str, JoinHandle<()>)>,
}

impl Jobs {
    /// None yet.
    pub fn new() -> Self {
        Self { stop: Stop::default(), threads: Vec::new() }
    }

    /// Starts a job.
    pub fn start(&mut self, mut job: Job, health: &Health) -> io::Result<()> {
        let (name, stop, health) = (job.name, self.stop.clone(), health.clone());
        health.job_ran(name, 0, None);
        let thread = thread::Builder::new().name(format!("tenure-{name}")).spawn(move || {
            let mut failures = 0;
            while !stop.is_told() {
                let wait = job.turn(&mut failures, &health);
                if stop.rest(wait) {
                    return;
                }
            }
        })?;
        self.threads.push((name, thread));
        Ok(())
    }

    /// Tells all to end, and waits for them, but no longer than this. Those that are at it still are left: whatever
    /// a job does survives the end of the process at any point.
    pub fn end(self, patience: Duration) {
        self.stop.tell();
        let began = Instant::now();
        for (name, thread) in self.threads {
            while !thread.is_finished() && began.elapsed() < patience {
                thread::sleep(LOOK);
            }
            if thread.is_finished() {
                drop(thread.join());
            } else {
                tracing::warn!(
                    target: "tenure::job",
                    job = name,
                    code = "job_left",
                    "a job is left at its work: the next start goes on with it"
                );
            }
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;
    use crate::operate::health::Phase;

    #[test]
    fn a_job_that_fails_or_panics_is_run_again_and_counts_its_failures() {
        let health = Health::new(2);
        health.set(Phase::Serving);
        health.found("store", Ok(()));
        let mut runs = 0;
        let mut job = Job::new("test", Duration::from_mins(1), move || {
            runs += 1;
            match runs {
                1 => Err(Failure { code: "no_disk", message: "the disk is full".to_owned() }),
                2 => panic!("a fault"),
                _ => Ok(()),
            }
        });
        let mut failures = 0;
        assert_eq!(job.turn(&mut failures, &health), AGAIN);
        assert!(health.told().ready, "one failure is not enough");
        assert_eq!(job.turn(&mut failures, &health), AGAIN * 2);
        assert_eq!(health.told().reasons, ["the job `test` failed 2 times in a row: panicked"]);
        assert_eq!(job.turn(&mut failures, &health), Duration::from_mins(1));
        assert!(health.told().ready);
    }

    #[test]
    fn a_slow_job_rests_longer_and_never_longer_than_its_interval() {
        let (second, minute, hour) =
            (Duration::from_secs(1), Duration::from_mins(1), Duration::from_hours(1));
        assert_eq!(rest(second, minute), second * REST);
        assert_eq!(rest(minute, hour), minute * REST);
        assert_eq!(rest(hour, hour), hour);
        assert_eq!(rest(Duration::MAX, minute), minute);
        let every = Duration::from_millis(20);
        let mut job = Job::new("test", every, move || {
            thread::sleep(every);
            Ok(())
        });
        assert_eq!(job.turn(&mut 0, &Health::new(3)), every);
    }

    #[test]
    fn jobs_that_rest_end_at_once() {
        let (tell, ran) = channel();
        let mut jobs = Jobs::new();
        let job = Job::new("test", Duration::from_hours(1), move || {
            tell.send(()).unwrap();
            Ok(())
        });
        jobs.start(job, &Health::new(3)).unwrap();
        ran.recv().unwrap();
        let began = Instant::now();
        jobs.end(Duration::from_secs(30));
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}
