//! Every figure that is shown, from one table that the documentation is held to.

use std::fs;
use std::time::Duration;

use metrics::{counter, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

use super::lines;

/// What a figure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows while the process lives.
    Counter,
    /// It is what it is now.
    Gauge,
    /// How often it was how large.
    Histogram,
}

impl Kind {
    /// Its name, as Prometheus has it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// A figure that is shown.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

macro_rules! metrics {
    ($($constant:ident $name:literal $kind:ident [$($label:literal),*] $help:literal;)*) => {
        $(const $constant: &str = $name;)*

        /// Every figure that is shown.
        pub const METRICS: &[Metric] = &[$(Metric {
            name: $name,
            kind: Kind::$kind,
            labels: &[$($label),*],
            help: $help,
        }),*];
    };
}

metrics! {
    REQUESTS "tenure_http_requests_total" Counter ["method", "route", "status"]
        "Requests that are over, by the template of their route; 499 where the client went away first";
    SECONDS "tenure_http_request_seconds" Histogram ["route"]
        "Time from the head of a request to the head of its answer";
    UNDER_WAY "tenure_http_requests_under_way" Gauge []
        "Requests whose answer has not been sent to its end";
    DECISIONS "tenure_decisions_total" Counter ["choice"]
        "Decisions that were acknowledged as recorded: `on`, `off`, and `acknowledged` without a choice";
    LOG_SIZE "tenure_log_size" Gauge []
        "Statements in the log";
    PUBLISHED "tenure_log_published_size" Gauge []
        "Statements that the published checkpoint covers";
    CHECKPOINT_AGE "tenure_checkpoint_age_seconds" Gauge []
        "Time since the published checkpoint was last seen to cover the whole log";
    DUE "tenure_copies_due" Gauge []
        "Copies that are due now, at most, as the index has it; the next sweep judges each";
    OVERDUE "tenure_copies_overdue" Gauge []
        "Copies of those that should be verified absent by now, at most";
    BATCHES "tenure_batches_unfinished" Gauge []
        "Batches of copies whose destruction was begun and is not verified";
    BATCHES_OVERDUE "tenure_batches_overdue" Gauge []
        "Batches of those with a copy that should be verified absent by now";
    OLDEST_DUE "tenure_batches_oldest_due_seconds" Gauge []
        "Time since when the first copy of an unfinished batch must be gone; 0 if there is none";
    UNFILED "tenure_accounts_unfiled" Gauge []
        "Accounts whose copies the next sweep files anew";
    HOLDS "tenure_holds" Gauge []
        "Holds that are in force";
    PAUSED "tenure_destruction_paused" Gauge []
        "1 while destruction is paused";
    OBSERVES "tenure_destruction_observed" Gauge []
        "1 while Tenure judges and reports, and destroys nothing";
    GUARDED "tenure_sweep_guarded_copies" Gauge []
        "Copies that the last sweep would have destroyed and was not allowed to; 0 if it was";
    SWEEPS "tenure_sweeps_total" Counter ["outcome"]
        "Sweeps: `swept`, `observed`, `paused`, `guarded`, `elsewhere`, `stopped`, `failed`";
    DESTROYED "tenure_copies_destroyed_total" Counter ["class"]
        "Copies that sweeps of this process destroyed";
    VERIFIED "tenure_copies_verified_total" Counter []
        "Copies that sweeps of this process verified to be absent";
    QUEUE "tenure_store_waiting" Gauge []
        "Jobs that wait for the writer of the store";
    JOB_RUNS "tenure_job_runs_total" Counter ["job", "outcome"]
        "Runs of a job: `done`, `failed`";
    JOB_SECONDS "tenure_job_seconds" Gauge ["job"]
        "How long the last run of a job took";
    JOB_FAILURES "tenure_job_failures" Gauge ["job"]
        "How often a job has failed in a row; 0 if its last run succeeded";
    WITHOUT_WITNESS "tenure_witnesses_silent" Gauge []
        "Witnesses that did not cosign the newest checkpoint when last asked";
    LINES_GIVEN_UP "tenure_log_lines_given_up_total" Counter []
        "Lines of the log that were not written because nobody read those before";
    MEMORY "process_resident_memory_bytes" Gauge []
        "Memory of the process that is in use (Linux)";
    FILES "process_open_fds" Gauge []
        "Files and connections that the process has open (Linux)";
    THREADS "process_threads" Gauge []
        "Threads of the process (Linux)";
    BUILD "tenure_build_info" Gauge ["version"]
        "1; the version of the program";
}

/// Bounds of the histogram of requests, in seconds.
const BOUNDS: [f64; 14] =
    [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The figures of this process.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Metrics")
    }
}

impl Metrics {
    /// Starts to keep figures, once for each process.
    pub fn start(version: &'static str) -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Full(SECONDS.to_owned()), &BOUNDS)?
            .install_recorder()?;
        for metric in METRICS {
            match metric.kind {
                Kind::Counter => metrics::describe_counter!(metric.name, metric.help),
                Kind::Gauge => metrics::describe_gauge!(metric.name, metric.help),
                Kind::Histogram => metrics::describe_histogram!(metric.name, metric.help),
            }
        }
        gauge!(BUILD, "version" => version).set(1.0);
        for outcome in ["swept", "failed"] {
            counter!(SWEEPS, "outcome" => outcome).absolute(0);
        }
        counter!(LINES_GIVEN_UP).absolute(0);
        Ok(Self(handle))
    }

    /// The page, as Prometheus reads it.
    pub(super) fn render(&self) -> String {
        counter!(LINES_GIVEN_UP).absolute(lines::given_up());
        look_at_the_process();
        self.0.render()
    }

    /// Adds up what has been measured since the last time, so that it takes no more memory.
    pub fn add_up(&self) {
        self.0.run_upkeep();
    }
}

fn look_at_the_process() {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_whitespace().next()?.parse::<u32>().ok().map(f64::from)
    };
    if let Some(kilobytes) = value("VmRSS:") {
        gauge!(MEMORY).set(kilobytes * 1024.0);
    }
    if let Some(threads) = value("Threads:") {
        gauge!(THREADS).set(threads);
    }
    if let Ok(files) = fs::read_dir("/proc/self/fd") {
        gauge!(FILES).set(figure(files.count() as u64));
    }
}

/// A count as a figure. Beyond 2^53 the last digits are lost, which nobody will live to see.
#[expect(clippy::cast_precision_loss, reason = "figures are floating-point numbers")]
fn figure(count: u64) -> f64 {
    count as f64
}

pub(super) fn request_began() {
    gauge!(UNDER_WAY).increment(1.0);
}

pub(super) fn request_ended(method: &'static str, route: &std::sync::Arc<str>, status: u16, seconds: f64) {
    let status = status.to_string();
    let route = metrics::SharedString::from(std::sync::Arc::clone(route));
    gauge!(UNDER_WAY).decrement(1.0);
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status).increment(1);
    histogram!(SECONDS, "route" => route).record(seconds);
}

pub(super) fn job_ran(job: &'static str, well: bool, took: Duration) {
    let outcome = if well { "done" } else { "failed" };
    counter!(JOB_RUNS, "job" => job, "outcome" => outcome).increment(1);
    gauge!(JOB_SECONDS, "job" => job).set(took.as_secs_f64());
}

pub(super) fn job_failures(job: &'static str, failures: u32) {
    gauge!(JOB_FAILURES, "job" => job).set(f64::from(failures));
}

/// Counts a decision that was acknowledged: `on`, `off` or `acknowledged`.
pub fn decided(choice: &'static str) {
    counter!(DECISIONS, "choice" => choice).increment(1);
}

/// Shows how large the log is, how much of it is published, and how long ago all of it was.
pub fn log(size: u64, published: u64, age: Duration) {
    gauge!(LOG_SIZE).set(figure(size));
    gauge!(PUBLISHED).set(figure(published));
    gauge!(CHECKPOINT_AGE).set(age.as_secs_f64());
}

/// Shows how many witnesses did not cosign.
pub fn silent_witnesses(count: u64) {
    gauge!(WITHOUT_WITNESS).set(figure(count));
}

/// Shows whether destruction is stopped.
pub fn stopped(paused: bool, observes: bool) {
    gauge!(PAUSED).set(f64::from(u8::from(paused)));
    gauge!(OBSERVES).set(f64::from(u8::from(observes)));
}

/// Shows how many jobs wait for the writer of the store.
pub fn waiting(jobs: usize) {
    gauge!(QUEUE).set(figure(jobs as u64));
}

/// What there is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// Copies that are due at most.
    pub due: u64,
    /// Copies that are overdue at most.
    pub overdue: u64,
    /// Unfinished batches.
    pub batches: u64,
    /// Overdue batches.
    pub batches_overdue: u64,
    /// Since when the first copy of an unfinished batch must be gone.
    pub oldest_due: Duration,
    /// Accounts that wait to be filed anew.
    pub unfiled: u64,
    /// Holds in force.
    pub holds: u64,
}

/// Shows what there is to do.
pub fn work(work: &Work) {
    gauge!(DUE).set(figure(work.due));
    gauge!(OVERDUE).set(figure(work.overdue));
    gauge!(BATCHES).set(figure(work.batches));
    gauge!(BATCHES_OVERDUE).set(figure(work.batches_overdue));
    gauge!(OLDEST_DUE).set(work.oldest_due.as_secs_f64());
    gauge!(UNFILED).set(figure(work.unfiled));
    gauge!(HOLDS).set(figure(work.holds));
}

/// Counts a sweep by how it ended; `guarded` is how many copies it was not allowed to destroy.
pub fn swept(outcome: &'static str, guarded: u64) {
    counter!(SWEEPS, "outcome" => outcome).increment(1);
    gauge!(GUARDED).set(figure(guarded));
}

/// Counts copies of a class that were destroyed.
pub fn destroyed(class: &str, copies: u64) {
    counter!(DESTROYED, "class" => class.to_owned()).increment(copies);
}

/// Counts copies that were verified to be absent.
pub fn verified(copies: u64) {
    counter!(VERIFIED).increment(copies);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn figures_are_named_once_and_as_prometheus_wants_it() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert_eq!(metric.kind == Kind::Counter, metric.name.ends_with("_total"), "{}", metric.name);
            assert!(metric.name.starts_with("tenure_") || metric.name.starts_with("process_"));
        }
    }
}
