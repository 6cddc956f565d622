//! `tenure ledger verify`: the whole log against the store.

use std::io::{self, IsTerminal as _};
use std::num::NonZero;
use std::thread;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenure_app::{LedgerCheck, Verification};

use crate::Exit;
use crate::commands::{At, Global};
use crate::output::{paint, say, say_at, say_json};
use crate::speech::{grouped, some};

/// How many faults are told on a terminal.
const TOLD: usize = 20;

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// How many threads read; as many as the machine has, unless said
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    #[command(flatten)]
    at: At,
}

impl Verify {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.inspect(self.at)?;
        let threads = self.threads.or_else(|| thread::available_parallelism().ok()).map_or(1, NonZero::get);
        let bar = bar();
        let verification = session.tenure.verify_ledger(threads, &|check, done, all| {
            bar.set_message(match check {
                LedgerCheck::Tree => "tree",
                LedgerCheck::Chains => "chains",
            });
            bar.set_length(all);
            bar.set_position(done);
        })?;
        bar.finish_and_clear();
        let exit = if verification.is_sound() { Exit::Done } else { Exit::Refused };
        if global.json {
            say_json(&verification)?;
        } else {
            tell(&verification)?;
        }
        Ok(exit)
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    if !io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    if let Ok(style) = ProgressStyle::with_template("{msg:8} {wide_bar} {human_pos}/{human_len}") {
        bar.set_style(style);
    }
    bar
}

fn tell(verification: &Verification) -> anyhow::Result<()> {
    let Verification { leaves, opened, destroyed, chains, checkpoint, .. } = verification;
    say(format_args!("Log          {}, root {}", some(*leaves, "leaf"), verification.root))?;
    say(format_args!("Statements   {} opened, and each is what its leaf commits to", grouped(*opened)))?;
    if *destroyed > 0 {
        say(format_args!(
            "             {} whose evidence was destroyed, as the ledger says",
            grouped(*destroyed)
        ))?;
    }
    say(format_args!("Chains       {} followed", grouped(*chains)))?;
    say(match checkpoint {
        Some(size) => format!("Checkpoint   of {}, published last", some(*size, "leaf")),
        None => "Checkpoint   none was published yet".to_owned(),
    })?;
    if verification.is_sound() {
        return say(format_args!("\n{}", paint("1;32", "The log verifies.")));
    }
    let found = some(verification.found, "fault");
    say(format_args!("\n{}", paint("1;31", &format!("The log does not verify: {found}."))))?;
    for fault in verification.faults.iter().take(TOLD) {
        say_at(2, fault)?;
    }
    let more = verification.found.saturating_sub(TOLD as u64);
    if more > 0 {
        say(format_args!("  and {} more; --json lists them", grouped(more)))?;
    }
    Ok(())
}
