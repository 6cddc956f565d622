//! `tenure destruction`: stops all destruction, lets it go on, and says within which time it must be done.

use clap::{Subcommand, ValueEnum};
use serde_json::json;
use tenure_app::Tenure;
use tenure_model::{Instant, Span};

use super::{At, Global};
use crate::Exit;
use crate::output::{paint, printable, say, say_at, say_json};
use crate::session::Intent;
use crate::speech::dated;

#[derive(Debug, Subcommand)]
pub(crate) enum Destruction {
    /// Stop all destruction at once, also of a sweep that is under way
    Pause {
        /// Why, in words for whoever finds it stopped
        #[arg(long, value_name = "TEXT")]
        why: String,
        #[command(flatten)]
        at: At,
    },
    /// Let destruction go on
    Resume {
        #[command(flatten)]
        at: At,
    },
    /// Say whether anything is destroyed here, and within which time
    Status {
        #[command(flatten)]
        at: At,
    },
    /// Judge and report, and destroy nothing; or destroy what is due
    Observe {
        /// Whether to observe only
        switch: Switch,
        #[command(flatten)]
        at: At,
    },
    /// Set within which time a copy must be verified absent, counted from when it is due: "30 days"
    Within {
        /// The time
        span: Span,
        #[command(flatten)]
        at: At,
    },
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    /// Destroy nothing
    On,
    /// Destroy what is due
    Off,
}

impl Destruction {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let (at, intent) = match &self {
            Self::Status { at } => (*at, Intent::Look),
            Self::Pause { at, .. }
            | Self::Resume { at }
            | Self::Observe { at, .. }
            | Self::Within { at, .. } => (*at, Intent::Change),
        };
        let session = global.open(at, intent)?;
        let (tenure, now) = (&session.tenure, session.now);
        match self {
            Self::Pause { why, .. } => tenure.pause(&why, now)?,
            Self::Resume { .. } => {
                if !tenure.resume()? && !global.json {
                    say("Destruction was not paused.")?;
                }
            }
            Self::Status { .. } => {}
            Self::Observe { switch, .. } => tenure.observe_only(switch == Switch::On)?,
            Self::Within { span, .. } => tenure.set_erase_within(span)?,
        }
        status(global, tenure, now)?;
        Ok(Exit::Done)
    }
}

/// How things stand.
fn status(global: &Global, tenure: &Tenure, now: Instant) -> anyhow::Result<()> {
    let (paused, observes, within) = (tenure.paused()?, tenure.observes()?, tenure.erase_within()?);
    if global.json {
        return say_json(&json!({"paused": paused, "observes": observes, "within": within.to_string()}));
    }
    match &paused {
        Some(pause) => {
            say(paint("1;31", &format!("Destruction is paused since {}.", dated(pause.since, now))))?;
            say_at(2, format_args!("why: {}", printable(&pause.why)))?;
            say_at(2, "`tenure destruction resume` ends it. What is due meanwhile becomes overdue.")?;
        }
        None if observes => {
            say(paint("1;31", "Tenure only observes: it judges and reports, and destroys nothing."))?;
            say_at(2, "`tenure destruction observe off` ends that.")?;
        }
        None => say("What is due is destroyed by each sweep.")?,
    }
    if paused.is_some() && observes {
        say("Tenure also only observes: resuming alone destroys nothing.")?;
    }
    say(format_args!("It must be verified absent within {within} of when it is due."))
}
