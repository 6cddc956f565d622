//! `tenure sweep`: destroys what is due.

mod report;

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::{Allowance, Error, Excess, SweepOptions, Swept};
use tenure_model::{MonthLength, Span};

use super::{At, Global};
use crate::Exit;
use crate::output::{complain, say, say_json};
use crate::session::{Intent, Session};
use crate::speech::{grouped, some};
use report::{Doing, counted, report, told_causes};

#[derive(Debug, Args)]
pub(crate) struct Sweep {
    /// Only say what would be destroyed
    #[arg(long)]
    dry_run: bool,
    /// Destroy what is due within this time too, so that it is gone before its term ends
    #[arg(long, value_name = "SPAN", default_value = "1 hour")]
    lead: Span,
    /// Destroy at most this many copies
    #[arg(long, value_name = "N", default_value_t = usize::MAX, hide_default_value = true)]
    limit: usize,
    /// Stop, and destroy nothing, if more than this share of all copies is due; a hundred copies may always go
    #[arg(long, value_name = "PERCENT", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=100))]
    share: u16,
    /// Stop only if more copies than this are due, whatever share of all that is
    #[arg(long, value_name = "N", conflicts_with = "share")]
    expect: Option<u64>,
    /// Destroy at most this many copies a second, to spare what else the machine does
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at: At,
}

/// The furthest that a sweep may work ahead: a mistaken lead would destroy what has years to go.
const LEAD_MAX_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;

impl Sweep {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let intent = if self.dry_run { Intent::Look } else { Intent::Change };
        let session = global.open(self.at, intent)?;
        let options = SweepOptions {
            by: session.now.plus(self.lead, MonthLength::Calendar),
            limit: self.limit,
            allow: self.expect.map_or(Allowance::Share(self.share * 10), Allowance::Copies),
            rate: self.rate,
        };
        if self.dry_run {
            let swept = session.tenure.sweep_dry_run(session.now, options)?;
            report(global, &swept, Doing::WouldDo)?;
            return Ok(Exit::Done);
        }
        if options.by.micros().saturating_sub(session.now.micros()) > LEAD_MAX_MICROS {
            bail!(
                "a sweep works ahead by seven days at most, and --dry-run by any time: nothing was destroyed"
            );
        }
        if self.asks() && !agreed(&session, options)? {
            say("Nothing was destroyed.")?;
            return Ok(Exit::Refused);
        }
        match Self::sweep(&session, options) {
            Ok(swept) => {
                report(global, &swept, Doing::Did)?;
                Ok(Exit::Done)
            }
            Err(Error::Guarded(excess)) => {
                stopped(global, "guarded", &Error::Guarded(excess.clone()), Some(&excess))
            }
            Err(error @ Error::Paused(_)) => stopped(global, "paused", &error, None),
            Err(error @ (Error::SweptElsewhere(_) | Error::LeaseLapsed)) => Err(anyhow::Error::new(error)
                .context("another sweep may be under way: look at it, and try again later")),
            Err(error) => Err(error.into()),
        }
    }

    fn asks(&self) -> bool {
        !self.yes && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    fn sweep(session: &Session, options: SweepOptions) -> Result<Swept, Error> {
        let bar = ProgressBar::new_spinner();
        if let Ok(style) =
            ProgressStyle::with_template("{spinner} {pos} copies destroyed, {per_sec}, {elapsed}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        let swept = session.tenure.sweep(session.now, options, &mut |done| bar.set_position(done));
        bar.finish_and_clear();
        swept
    }
}

/// Says what would go, and asks. Where nothing is due there is nothing to ask, and where nothing may be destroyed
/// the sweep itself says why.
fn agreed(session: &Session, options: SweepOptions) -> anyhow::Result<bool> {
    if session.tenure.observes()? || session.tenure.paused()?.is_some() {
        return Ok(true);
    }
    let swept = session.tenure.sweep_dry_run(session.now, options)?;
    let copies = swept.total().min(options.limit as u64);
    if copies == 0 {
        return Ok(true);
    }
    let mut err = io::stderr().lock();
    writeln!(err, "{}", counted(&swept.destroyed))?;
    writeln!(err, "{}", told_causes(&swept.causes))?;
    write!(err, "This destroys {} for good. Go on? [y/N] ", some(copies, "copy"))?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// A sweep that did not begin, though nothing failed.
fn stopped(global: &Global, why: &str, error: &Error, excess: Option<&Excess>) -> anyhow::Result<Exit> {
    if global.json {
        say_json(&json!({"dry_run": false, "stopped": why, "message": error.to_string(), "excess": excess}))?;
        return Ok(Exit::Refused);
    }
    let Some(excess) = excess else {
        complain(&anyhow::anyhow!("{error}"));
        return Ok(Exit::Refused);
    };
    // Where a number was expected, nobody has counted what lives.
    let of =
        if excess.live > excess.copies { format!(" of {}", grouped(excess.live)) } else { String::new() };
    complain(&anyhow::anyhow!(
        "{}{of} {} due, and {} is the most that this sweep destroys: nothing was destroyed",
        some(excess.copies, "copy"),
        if excess.copies == 1 { "is" } else { "are" },
        grouped(excess.allowed),
    ));
    let mut err = io::stderr().lock();
    writeln!(err, "{}", counted(&excess.classes))?;
    writeln!(err, "{}", told_causes(&excess.causes))?;
    writeln!(err, "Look at what is due:    tenure sweep --dry-run")?;
    writeln!(err, "If that is right:       tenure sweep --expect {}", excess.copies)?;
    writeln!(err, "If a term is mistaken:  tenure destruction pause --why TEXT")?;
    writeln!(err, "                        tenure policy withdraw POLICY@VERSION --as NAME")?;
    Ok(Exit::Refused)
}
