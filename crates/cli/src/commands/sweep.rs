//! `tenure sweep`: destroys what is due.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::bail;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::{SweepOptions, Swept};
use tenure_model::{MonthLength, Span};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json, table};
use crate::session::Intent;
use crate::speech::some;

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
        let options =
            SweepOptions { by: session.now.plus(self.lead, MonthLength::Calendar), limit: self.limit };
        let lead = options.by.micros().saturating_sub(session.now.micros());
        if !self.dry_run && lead > LEAD_MAX_MICROS {
            bail!(
                "a sweep works ahead by seven days at most, and --dry-run by any time: nothing was destroyed"
            );
        }
        if self.dry_run {
            let swept = session.tenure.sweep_dry_run(session.now, options)?;
            report(global, &swept, Doing::WouldDo)?;
            return Ok(Exit::Done);
        }
        if !self.yes && io::stdin().is_terminal() && io::stderr().is_terminal() {
            let swept = session.tenure.sweep_dry_run(session.now, options)?;
            if swept.total() > 0 && !agreed(swept.total())? {
                say("Nothing was destroyed.")?;
                return Ok(Exit::Refused);
            }
        }
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template(
            "{spinner} {pos} copies destroyed, {per_sec}, {elapsed}",
        )?);
        let swept = session.tenure.sweep(session.now, options, &mut |done| bar.set_position(done))?;
        bar.finish_and_clear();
        report(global, &swept, Doing::Did)?;
        Ok(Exit::Done)
    }
}

fn agreed(copies: u64) -> anyhow::Result<bool> {
    let mut err = io::stderr().lock();
    write!(err, "This destroys {copies} copies for good. Go on? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    WouldDo,
    Did,
}

fn report(global: &Global, swept: &Swept, doing: Doing) -> anyhow::Result<()> {
    if global.json {
        return say_json(&json!({"dry_run": doing == Doing::WouldDo, "sweep": swept}));
    }
    let verb = if doing == Doing::Did { "destroyed" } else { "would be destroyed" };
    if swept.finished > 0 {
        say(format_args!("Finished what an earlier sweep had begun: {}.", some(swept.finished, "batch")))?;
    }
    if swept.total() == 0 {
        say(format_args!("Nothing is due: 0 copies {verb}."))?;
    } else {
        say(format_args!("{} {verb}.", some(swept.total(), "copy")))?;
        let mut rows = table(["Class", "Copies"]);
        for (class, copies) in &swept.destroyed {
            rows.add_row([class.clone(), copies.to_string()]);
        }
        say(rows)?;
    }
    if swept.kept > 0 {
        say(format_args!(
            "{} that looked due: kept, {} by a hold and {} by other terms.",
            some(swept.kept, "copy"),
            swept.held,
            swept.kept - swept.held
        ))?;
    }
    if doing == Doing::Did && swept.total() > 0 {
        say(format_args!(
            "{} destroyed, {} wrapped anew, {} removed.",
            some(swept.pages, "page key"),
            some(swept.rewrapped, "other key"),
            some(swept.packs, "pack")
        ))?;
    }
    Ok(())
}
