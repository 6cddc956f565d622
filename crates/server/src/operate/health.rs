//! Whether the process lives, and whether it should be sent requests. What was not looked at lately counts as bad.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::Serialize;

/// A check that is older than this says nothing any more: whoever looks may be stuck.
const STALE: Duration = Duration::from_secs(30);

/// How far the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The folders are being opened, and what a crash or a restore left is done again.
    Starting,
    /// It takes requests.
    Serving,
    /// It finishes what is under way.
    Stopping,
}

/// How the process is, as far as anybody has looked.
#[derive(Clone, Debug)]
pub struct Health(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// After how many failures in a row a job counts as bad.
    patience: u32,
    checks: BTreeMap<&'static str, Check>,
    jobs: BTreeMap<&'static str, Ran>,
}

#[derive(Debug)]
struct Check {
    at: Instant,
    bad: Option<String>,
}

#[derive(Debug)]
struct Ran {
    failures: u32,
    code: Option<&'static str>,
}

/// What `/readyz` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether requests should come.
    pub ready: bool,
    /// Why not; words that hold nothing about a person.
    pub reasons: Vec<String>,
}

impl Health {
    /// A process that starts. A job is bad after so many failures in a row.
    pub fn new(patience: u32) -> Self {
        let (checks, jobs) = (BTreeMap::new(), BTreeMap::new());
        Self(Arc::new(Mutex::new(State { phase: Phase::Starting, patience: patience.max(1), checks, jobs })))
    }

    /// Says how far the process is.
    pub fn set(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    /// Says what came of a look at something.
    pub fn found(&self, what: &'static str, found: Result<(), String>) {
        self.lock().checks.insert(what, Check { at: Instant::now(), bad: found.err() });
    }

    /// Says how often a job has failed in a row, and with what code.
    pub(super) fn job_ran(&self, name: &'static str, failures: u32, code: Option<&'static str>) {
        self.lock().jobs.insert(name, Ran { failures, code });
    }

    /// Whether requests should come, and why not.
    pub fn told(&self) -> Readiness {
        let state = self.lock();
        let mut reasons = Vec::new();
        match state.phase {
            Phase::Starting => reasons.push("starting: the folders are being opened".to_owned()),
            Phase::Stopping => reasons.push("stopping: what is under way is finished".to_owned()),
            Phase::Serving => {}
        }
        if state.checks.is_empty() && state.phase == Phase::Serving {
            reasons.push("nothing was looked at yet".to_owned());
        }
        for (what, check) in &state.checks {
            match &check.bad {
                Some(bad) => reasons.push(format!("{what}: {bad}")),
                None if check.at.elapsed() > STALE => {
                    reasons.push(format!("{what}: no answer for {} seconds", check.at.elapsed().as_secs()));
                }
                None => {}
            }
        }
        for (name, ran) in state.jobs.iter().filter(|(_, ran)| ran.failures >= state.patience) {
            let code = ran.code.unwrap_or("unknown");
            reasons.push(format!("the job `{name}` failed {} times in a row: {code}", ran.failures));
        }
        Readiness { ready: reasons.is_empty(), reasons }
    }

    /// A panic elsewhere leaves the state whole: each part of it is replaced at once.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_ready_once_it_serves_and_was_looked_at() {
        let health = Health::new(3);
        assert!(!health.told().ready);
        health.set(Phase::Serving);
        assert_eq!(health.told().reasons, ["nothing was looked at yet"]);
        health.found("store", Ok(()));
        assert!(health.told().ready);
        health.set(Phase::Stopping);
        assert!(!health.told().ready);
    }

    #[test]
    fn what_is_bad_is_named_with_its_reason() {
        let health = Health::new(3);
        health.set(Phase::Serving);
        health.found("store", Err("the disk is full".to_owned()));
        health.job_ran("sweep", 3, Some("key_store"));
        let reasons = ["store: the disk is full", "the job `sweep` failed 3 times in a row: key_store"];
        assert_eq!(health.told().reasons, reasons);
    }
}
