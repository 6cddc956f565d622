//! `tenure erasure`: how erasure goes, and certificates of what was destroyed.

mod certificate;
mod report;
mod verify;

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use tenure_app::reports::Of;
use tenure_model::{Day, Instant, MonthLength, Span};
use tenure_store::RecordId;

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum Erasure {
    /// Say what was destroyed in time, what is late, what waits, and what still ages out
    ///
    /// Exit code 1 if something is overdue now.
    Report(Report),
    /// Certify what became of the copies of a record or of an account, or verify a certificate
    Certificate(Certificate),
}

#[derive(Debug, Args)]
pub(crate) struct Report {
    /// The first day of the period, or an instant [default: 30 days before its end]
    #[arg(long, value_name = "DATE")]
    from: Option<Moment>,
    /// The last day of the period, or the first instant after it [default: now]
    #[arg(long, value_name = "DATE")]
    to: Option<Moment>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Certificate {
    #[command(subcommand)]
    what: Option<Other>,
    /// The record whose copies it is about
    #[arg(long, value_name = "ID", required = true, conflicts_with = "account")]
    record: Option<RecordId>,
    /// The account whose copies it is about
    #[arg(long, value_name = "ID", required_unless_present = "record")]
    account: Option<String>,
    /// Only the copies of this class
    #[arg(long, value_name = "CLASS")]
    class: Option<String>,
    /// Write the certificate with all that proves it into this file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Verify a certificate offline, with nothing but the log's public key
    ///
    /// Exit code 0 if every destruction in it is proved, 1 if one is not.
    Verify(verify::Verify),
}

/// A day or an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Day(Day),
    Instant(Instant),
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(instant) = text.parse() {
            return Ok(Self::Instant(instant));
        }
        let midnight = format!("{text}T00:00:00Z").parse::<Instant>();
        midnight
            .map(|at| Self::Day(at.day()))
            .map_err(|_| "give a date such as 2025-10-01, or an instant (RFC 3339)")
    }
}

impl Moment {
    fn first(self) -> Instant {
        match self {
            Self::Day(day) => day.start(),
            Self::Instant(at) => at,
        }
    }

    /// The first instant after a period that ends with this.
    fn after(self) -> Instant {
        match self {
            Self::Day(day) => Day(day.0.saturating_add(1)).start(),
            Self::Instant(at) => at,
        }
    }
}

impl Erasure {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Report(report) => report.run(global),
            Self::Certificate(Certificate { what: Some(Other::Verify(verify)), .. }) => verify.run(global),
            Self::Certificate(certificate) => certificate.run(global),
        }
    }
}

/// How long a report reaches back unless it is told.
const PERIOD_DAYS: i32 = 30;

impl Report {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let now = session.now;
        // What is verified at this very instant counts too.
        let to = self
            .to
            .map_or_else(|| Instant::saturating_from_micros(now.micros().saturating_add(1)), Moment::after);
        let from =
            self.from.map_or_else(|| Day(to.day().0.saturating_sub(PERIOD_DAYS)).start(), Moment::first);
        if from >= to {
            bail!("the period ends before it begins: give `--from` an earlier date than `--to`");
        }
        let report = session.tenure.erasure_report(from, to, now)?;
        if global.json {
            say_json(&report)?;
        } else {
            let within: Span = report.within.parse().context("the time for erasure can't be read")?;
            let allowed = now.plus(within, MonthLength::Calendar).micros().saturating_sub(now.micros());
            report::show(&report, u64::try_from(allowed / 1_000_000).unwrap_or(u64::MAX))?;
        }
        Ok(if report.overdue.copies == 0 { Exit::Done } else { Exit::Refused })
    }
}

impl Certificate {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let of = match (self.record, self.account) {
            (Some(record), _) => Of::Record(record.to_string()),
            (None, Some(account)) => Of::Account(account),
            (None, None) => bail!("name a record or an account"),
        };
        // A receipt is signed as of its time, so no other time may be asked for than that of a change.
        let session = global.open(self.at, Intent::Change)?;
        let certificate = session.tenure.certificate(&of, self.class.as_deref(), session.now)?;
        if let Some(file) = &self.out {
            let text = serde_json::to_string(&certificate)?;
            super::receipt::write_private(file, &text)
                .with_context(|| format!("can't write {}", file.display()))?;
        }
        if global.json {
            say_json(&certificate)?;
        } else {
            certificate::show(&certificate)?;
            if let Some(file) = &self.out {
                say(format_args!("\nWritten   {}", file.display()))?;
            }
        }
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_counts_whole_and_an_instant_as_it_is() {
        let day: Moment = "2025-10-01".parse().unwrap();
        assert_eq!(day.first(), "2025-10-01T00:00:00Z".parse().unwrap());
        assert_eq!(day.after(), "2025-10-02T00:00:00Z".parse().unwrap());
        let instant: Moment = "2025-10-01T12:00:00Z".parse().unwrap();
        assert_eq!(instant.first(), instant.after());
        assert!("yesterday".parse::<Moment>().is_err());
    }
}
