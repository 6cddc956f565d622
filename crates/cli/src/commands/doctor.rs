//! `tenure doctor`: whether the folder is sound.

use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::doctor::{Check, Diagnosis, Thoroughness};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json};
use crate::session::Intent;
use crate::speech::{grouped, some};

#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Open every copy, and decrypt and read every body, instead of a sample
    #[arg(long)]
    full: bool,
    /// Remove what an interrupted command left and no row mentions
    #[arg(long)]
    repair: bool,
    #[command(flatten)]
    at: At,
}

impl Doctor {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let bar = ProgressBar::new(1);
        bar.set_style(ProgressStyle::with_template(
            "{msg} {wide_bar:.dim} {pos} of {len}, {per_sec}, {eta} left",
        )?);
        bar.enable_steady_tick(Duration::from_millis(200));
        let how = Thoroughness { full: self.full, repair: self.repair };
        let diagnosis = session.tenure.examine(how, &mut |check, done, all| {
            bar.set_message(doing(check));
            bar.set_length(all);
            bar.set_position(done);
        });
        bar.finish_and_clear();
        let diagnosis = diagnosis?;
        if global.json {
            say_json(&json!({"sound": diagnosis.is_sound(), "diagnosis": diagnosis}))?;
        } else {
            show(&diagnosis, self.full)?;
        }
        Ok(if diagnosis.is_sound() { Exit::Done } else { Exit::Refused })
    }
}

const fn doing(check: Check) -> &'static str {
    match check {
        Check::Database => "Checking the database",
        Check::Policies => "Compiling the policies",
        Check::Packs => "Looking at the packs",
        Check::PageKeys => "Looking at the page keys",
        Check::Accounts => "Opening the keys of accounts",
        Check::Copies => "Opening copies",
        Check::Bodies => "Reading bodies",
        Check::Ledger => "Verifying the log",
    }
}

fn show(diagnosis: &Diagnosis, full: bool) -> anyhow::Result<()> {
    say("Looked at")?;
    for (check, count) in &diagnosis.checked {
        let what = match check {
            Check::Database => format!("the database: {}", some(*count, "row")),
            Check::Policies => format!("the policies: {} compile", some(*count, "version")),
            Check::Packs => format!("packs of bodies: {}", grouped(*count)),
            Check::PageKeys => format!("page keys: {}", grouped(*count)),
            Check::Accounts => format!("accounts, their keys and statements: {}", grouped(*count)),
            Check::Copies => format!("copies, each opened: {}", grouped(*count)),
            Check::Bodies => format!("bodies, each decrypted and read: {}", grouped(*count)),
            Check::Ledger => format!("the log: {}, each verified", some(*count, "leaf")),
        };
        say(format_args!("  {what}"))?;
    }
    if !diagnosis.notes.is_empty() {
        say("\nWorth knowing")?;
    }
    for note in &diagnosis.notes {
        say_at(2, note)?;
    }
    let left = diagnosis.leftovers;
    if left.packs + left.page_keys > 0 {
        let packs = format!("{} ({} bytes)", some(left.packs, "pack"), grouped(left.pack_bytes));
        let keys = some(left.page_keys, "page key");
        let what = match (left.packs, left.page_keys) {
            (0, _) => keys,
            (_, 0) => packs,
            _ => format!("{packs} and {keys}"),
        };
        let many = left.packs + left.page_keys > 1;
        let advice = match (left.removed, many) {
            (true, true) => "They were removed just now.",
            (true, false) => "It was removed just now.",
            (false, true) => {
                "They are harmless, as they open nothing; `tenure doctor --repair` removes them."
            }
            (false, false) => "It is harmless, as it opens nothing; `tenure doctor --repair` removes it.",
        };
        say("\nLeft over")?;
        say_at(2, format_args!("{what} that no row mentions. {advice}"))?;
    }
    if diagnosis.is_sound() {
        let scope = if full { "" } else { " (a sample of the copies; --full opens and reads all)" };
        return say(format_args!("\nSound: nothing was found that should not be{scope}."));
    }
    say(format_args!("\nNot sound: {}", some(diagnosis.findings.len() as u64, "finding")))?;
    for finding in diagnosis.findings.iter().take(100) {
        say_at(2, finding)?;
    }
    Ok(())
}
