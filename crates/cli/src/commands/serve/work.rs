//! What is done beside the requests: looking, counting, publishing, sweeping.
//!
//! Nothing here decides. Each job calls a use case and shows what came of it.

use std::error::Error as StdError;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenure_app::{Allowance, Error, Pulse, SweepOptions, Swept, Tenure};
use tenure_model::{MonthLength, Span};
use tenure_server::Cosigned;
use tenure_server::operate::metrics::{self, Metrics};
use tenure_server::operate::{Failure, Health, Job, Jobs};

use crate::configuration::Configuration;
use crate::session::{Session, clock};

/// How often figures are added up, so that they take no more memory.
const ADD_UP: Duration = Duration::from_secs(5);

/// What the jobs need.
#[derive(Clone)]
pub(super) struct Work<'c> {
    tenure: Tenure,
    configuration: &'c Configuration,
    health: Health,
    figures: Metrics,
    /// When the published checkpoint was last seen to cover the whole log.
    covered: Arc<Mutex<Instant>>,
}

impl<'c> Work<'c> {
    pub(super) fn new(
        session: &Session,
        configuration: &'c Configuration,
        health: &Health,
        figures: &Metrics,
    ) -> Self {
        let covered = Arc::new(Mutex::new(Instant::now()));
        Self {
            tenure: session.tenure.clone(),
            configuration,
            health: health.clone(),
            figures: figures.clone(),
            covered,
        }
    }

    /// Feels the pulse of the store, the log and the key store, for those who ask whether all is well.
    pub(super) fn look(&self) -> Result<(), Failure> {
        look(&self.tenure, &self.health, &self.covered)
    }

    /// Starts every job.
    pub(super) fn start(&self, jobs: &mut Jobs, cosigned: Option<Arc<Cosigned>>) -> io::Result<()> {
        let settings = self.configuration;
        let mut start = |job| jobs.start(job, &self.health);
        let (tenure, health, covered) = (self.tenure.clone(), self.health.clone(), Arc::clone(&self.covered));
        start(Job::new("look", settings.health_every, move || look(&tenure, &health, &covered)))?;
        let figures = self.figures.clone();
        start(Job::new("add-up", ADD_UP, move || {
            figures.add_up();
            Ok(())
        }))?;
        let tenure = self.tenure.clone();
        start(Job::new("count", settings.figures_every, move || count(&tenure)))?;
        let tenure = self.tenure.clone();
        start(Job::new("publish", settings.publish_every, move || publish(&tenure, cosigned.as_deref())))?;
        if let Some(every) = settings.sweep_every {
            let tenure = self.tenure.clone();
            let sweep = Sweeping {
                lead: settings.sweep_lead,
                share: u16::try_from(settings.sweep_share * 10).unwrap_or(1),
                rate: settings.sweep_rate,
            };
            start(Job::new("sweep", every, move || sweep.run(&tenure)))?;
        }
        Ok(())
    }
}

fn look(tenure: &Tenure, health: &Health, covered: &Mutex<Instant>) -> Result<(), Failure> {
    let pulse = tenure.pulse();
    let bad = pulse.as_ref().err().map(|error| (part(error), told(error)));
    for what in ["store", "log", "key_store"] {
        let found = match &bad {
            Some((part, message)) if *part == what => Err(message.clone()),
            _ => Ok(()),
        };
        health.found(what, found);
    }
    let Pulse { log_size, published_size, paused, observes, waiting } =
        pulse.map_err(|error| failure(&error))?;
    let mut covered = covered.lock().unwrap_or_else(PoisonError::into_inner);
    if published_size >= log_size {
        *covered = Instant::now();
    }
    metrics::log(log_size, published_size, covered.elapsed());
    metrics::stopped(paused, observes);
    metrics::waiting(waiting);
    Ok(())
}

fn count(tenure: &Tenure) -> Result<(), Failure> {
    let now = now()?;
    let burden = tenure.burden(now).map_err(|error| failure(&error))?;
    let since = |due: tenure_model::Instant| {
        Duration::from_micros(u64::try_from(now.micros().saturating_sub(due.micros())).unwrap_or_default())
    };
    metrics::work(&metrics::Work {
        due: burden.due,
        overdue: burden.overdue,
        batches: burden.batches,
        batches_overdue: burden.batches_overdue,
        oldest_due: burden.oldest_due.map(since).unwrap_or_default(),
        unfiled: burden.unfiled,
        holds: burden.holds,
    });
    Ok(())
}

fn publish(tenure: &Tenure, cosigned: Option<&Cosigned>) -> Result<(), Failure> {
    tenure.publish_checkpoint(now()?).map_err(|error| failure(&error))?;
    let Some(cosigned) = cosigned else { return Ok(()) };
    let asked = cosigned.refresh().map_err(|error| Failure { code: "witness", message: told(&error) })?;
    let mut silent = 0;
    for asked in asked {
        if let Err(error) = asked.answer {
            silent += 1;
            tracing::warn!(code = "witness_silent", witness = asked.address, "{}", told(&error));
        }
    }
    metrics::silent_witnesses(silent);
    Ok(())
}

/// How a sweep is told to be.
#[derive(Debug, Clone, Copy)]
struct Sweeping {
    lead: Span,
    /// In thousandths.
    share: u16,
    rate: Option<u32>,
}

impl Sweeping {
    fn run(self, tenure: &Tenure) -> Result<(), Failure> {
        let now = now()?;
        let options = SweepOptions {
            by: now.plus(self.lead, MonthLength::Calendar),
            limit: usize::MAX,
            allow: Allowance::Share(self.share),
            rate: self.rate,
        };
        let began = Instant::now();
        let (outcome, guarded) = match tenure.sweep(now, options, &mut |_| {}) {
            Ok(swept) => {
                show(&swept, began.elapsed());
                (if swept.observed { "observed" } else { "swept" }, 0)
            }
            Err(Error::Observes) => ("observed", 0),
            Err(Error::Paused(_)) => ("paused", 0),
            Err(Error::Stopping) => ("stopped", 0),
            Err(Error::SweptElsewhere(_) | Error::LeaseLapsed) => ("elsewhere", 0),
            Err(Error::Guarded(excess)) => {
                tracing::warn!(
                    code = "sweep_guarded",
                    due = excess.copies,
                    allowed = excess.allowed,
                    live = excess.live,
                    "a sweep would destroy more than it may, and destroyed nothing: run `tenure sweep --dry-run`"
                );
                ("guarded", excess.copies)
            }
            Err(error) => {
                metrics::swept("failed", 0);
                return Err(failure(&error));
            }
        };
        metrics::swept(outcome, guarded);
        Ok(())
    }
}

fn show(swept: &Swept, took: Duration) {
    if swept.observed {
        tracing::info!(
            code = "sweep_observed",
            would_destroy = swept.total(),
            "Tenure only observes: nothing was destroyed"
        );
        return;
    }
    for (class, copies) in &swept.destroyed {
        metrics::destroyed(class, *copies);
    }
    metrics::verified(swept.verified);
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    tracing::info!(
        code = "swept",
        destroyed = swept.total(),
        verified = swept.verified,
        held = swept.held,
        quarantined = swept.quarantined,
        packs = swept.packs,
        locked = swept.locked,
        ms,
        "what was due is destroyed"
    );
}

fn now() -> Result<tenure_model::Instant, Failure> {
    clock().map_err(|error| Failure { code: "clock", message: error.to_string() })
}

fn failure(error: &Error) -> Failure {
    let code = if matches!(error, Error::Bodies(_)) { "bodies" } else { part(error) };
    Failure { code, message: told(error) }
}

/// What an error speaks of, by a word that stays the same.
const fn part(error: &Error) -> &'static str {
    match error {
        Error::Keys(_) => "key_store",
        Error::LogKeys(_) | Error::LogRolledBack(_) | Error::NotIntegrated | Error::PublicLog => "log",
        _ => "store",
    }
}

/// An error with what caused it, on one line.
pub(super) fn told(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
