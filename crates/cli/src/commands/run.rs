//! `tenure run`: training exports, what was revoked since, and whether their files are those that were sealed.

use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use tenure_app::run::{Counts, LeftOut, Manifest, Revocations, Rows, RunStage, RunStatus};
use tenure_store::RunId;

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json, table};
use crate::session::{Intent, key_folder};

#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    /// Write every row that a purpose may use, with a manifest that the ledger states
    Open(Open),
    /// Say how a run stands, or every run
    Status(Status),
    /// List the rows of a run that may not be used any more, and why
    Revocations(RevocationsOf),
    /// Check a run's files against the ledger
    Verify(Verify),
}

impl Run {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Open(command) => command.run(global),
            Self::Status(command) => command.run(global),
            Self::Revocations(command) => command.run(global),
            Self::Verify(command) => command.run(global),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Jsonl,
    Parquet,
    Both,
}

#[derive(Debug, Args)]
pub(crate) struct Open {
    /// What the rows are for
    #[arg(long, value_name = "PURPOSE")]
    purpose: String,
    /// Where to write them: a new folder, or one in which the same run broke off
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How to write them
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    #[command(flatten)]
    at: At,
}

impl Open {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        lies_outside(&self.out, &global.data)?;
        let session = global.open(self.at, Intent::Change)?;
        let rows = match self.format {
            Format::Jsonl => Rows::Jsonl,
            Format::Parquet => Rows::Parquet,
            Format::Both => Rows::Both,
        };
        let bar = ProgressBar::new_spinner();
        bar.set_style(ProgressStyle::with_template("{spinner} {pos} records judged, {msg}, {elapsed}")?);
        let mut progress = |progress: tenure_app::run::Progress| {
            bar.set_position(progress.records);
            bar.set_message(format!("{} rows written", progress.rows));
        };
        let opened = session.tenure.open_run(&self.purpose, &self.out, rows, session.now, &mut progress);
        bar.finish_and_clear();
        let report = opened?;
        if global.json {
            say_json(&report)?;
            return Ok(Exit::Done);
        }
        if report.resumed {
            say("This run was sealed before; nothing was written again.")?;
        }
        say_manifest(&report.manifest, &report.digest)?;
        if report.copies > 0 {
            say(format_args!("Copies    {} training copies made", report.copies))?;
        }
        say_left_out(&report.manifest.counts)?;
        Ok(Exit::Done)
    }
}

/// Refuses a folder for rows that lies where bodies and keys do.
pub(super) fn lies_outside(rows: &Path, data: &Path) -> anyhow::Result<()> {
    for folder in [data, &key_folder(data)] {
        if lies_within(rows, folder) {
            bail!("the folder for the rows lies in {}: give one outside of it", folder.display());
        }
    }
    Ok(())
}

/// Whether a path, which need not exist, lies in a folder.
fn lies_within(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = folder.canonicalize() else { return false };
    let Ok(path) = std::path::absolute(path) else { return false };
    path.ancestors()
        .find_map(|known| known.canonicalize().ok())
        .is_some_and(|known| known.starts_with(folder))
}

#[derive(Debug, Args)]
pub(crate) struct Status {
    /// The run; every run where none is named
    run: Option<RunId>,
}

impl Status {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(At { at: None }, Intent::Look)?;
        let Some(run) = self.run else {
            let runs = session.tenure.runs()?;
            if global.json {
                say_json(&runs)?;
            } else if runs.is_empty() {
                say("No run was opened yet: open one with `tenure run open`.")?;
            } else {
                say_runs(&runs)?;
            }
            return Ok(Exit::Done);
        };
        let status = session.tenure.run_status(run)?;
        if global.json {
            say_json(&status)?;
            return Ok(Exit::Done);
        }
        match &status.stage {
            RunStage::Opening => say(format_args!(
                "Run {} for `{}` was opened at {} and never sealed. Nothing may rely on it; open a run into its \
                 folder to begin it anew.",
                status.run, status.purpose, status.opened_at
            ))?,
            RunStage::Sealed { digest, manifest, copies_due } => {
                say_manifest(manifest, digest)?;
                if *copies_due {
                    say("Copies    still to be made; the next `tenure run open` makes them")?;
                }
                say_left_out(&manifest.counts)?;
            }
        }
        Ok(Exit::Done)
    }
}

fn say_runs(runs: &[RunStatus]) -> anyhow::Result<()> {
    let mut rows = table(["Run", "Purpose", "Opened", "Stage", "Rows"]);
    for run in runs {
        let (stage, count) = match &run.stage {
            RunStage::Opening => ("never sealed", String::new()),
            RunStage::Sealed { manifest, .. } => ("sealed", manifest.rows.to_string()),
        };
        rows.add_row([
            run.run.clone(),
            run.purpose.clone(),
            run.opened_at.to_string(),
            stage.to_owned(),
            count,
        ]);
    }
    say(rows)
}

fn say_manifest(manifest: &Manifest, digest: &str) -> anyhow::Result<()> {
    say(format_args!("Run       {}", manifest.run))?;
    say(format_args!("Purpose   {}", manifest.purpose))?;
    say(format_args!(
        "Opened    {}, after {} statements of the ledger",
        manifest.opened_at, manifest.position
    ))?;
    say(format_args!(
        "Written   {} rows of {} records, relying on {} accounts",
        manifest.rows, manifest.counts.records_written, manifest.accounts
    ))?;
    for policy in &manifest.policies {
        say(format_args!("Policy    {} ({} records)", policy.policy, policy.records))?;
    }
    for file in &manifest.files {
        say(format_args!("File      {} ({} rows, {} bytes)", file.name, file.rows, file.bytes))?;
    }
    say(format_args!("Manifest  {digest}"))
}

fn say_left_out(counts: &Counts) -> anyhow::Result<()> {
    if counts.left_out.is_empty() {
        return say("Left out  nothing");
    }
    let mut rows = table(["Left out because", "Records", "Messages"]);
    for (reason, amount) in &counts.left_out {
        rows.add_row([because(*reason).to_owned(), amount.records.to_string(), amount.messages.to_string()]);
    }
    say("")?;
    say(rows)
}

/// A reason in words.
fn because(reason: LeftOut) -> &'static str {
    use tenure_policy::Exclusion;
    match reason {
        LeftOut::Rule(exclusion) => match exclusion {
            Exclusion::Regime => "the purpose is not for its regime",
            Exclusion::Deleted => "its person deleted it",
            Exclusion::Flagged => "it was flagged",
            Exclusion::Incognito => "it was sent in incognito mode",
            Exclusion::MinorOrUnknown => "the person is a minor, or nobody knows",
            Exclusion::NotScanned => "no classifier has looked at it",
            Exclusion::Undecided => "the person has not decided",
            Exclusion::Off => "the person said no",
            Exclusion::Withdrawn => "the person said yes, and no since",
            Exclusion::Unreached => "the person's yes does not reach what was said before",
            Exclusion::Country => "its country is unknown, or no rule takes it",
            Exclusion::CountryOfAccount => "the person's present country is unknown, or no rule takes it",
            Exclusion::Derived => "it was made from what may not be used",
            Exclusion::UnknownTime => "nobody knows when it was said, or that was later",
            Exclusion::NoBasis => "the copy that it would be read from has no basis any more",
            Exclusion::Terms => "its terms do not have the purpose",
            Exclusion::OtherRule => "no rule takes it",
        },
        LeftOut::NoCopy => "no copy of the class that the rule names can be read",
        LeftOut::Moved => "something about it changed while the run was written",
        LeftOut::Unknown => "no published policy, or no record, is known for it",
    }
}

#[derive(Debug, Args)]
pub(crate) struct RevocationsOf {
    /// The run
    run: RunId,
    #[command(flatten)]
    at: At,
}

impl RevocationsOf {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let found = session.tenure.revocations(self.run, session.now)?;
        if global.json {
            say_json(&found)?;
        } else {
            say_revocations(&found)?;
        }
        Ok(Exit::Done)
    }
}

fn say_revocations(found: &Revocations) -> anyhow::Result<()> {
    say(format_args!(
        "{} of {} rows may not be used any more, in {} of {} records.",
        found.revoked_rows,
        found.rows,
        found.revoked.len(),
        found.records
    ))?;
    if found.revoked.is_empty() {
        return Ok(());
    }
    let mut rows = table(["Record", "Rows", "Shards", "Because", "Since"]);
    for revoked in &found.revoked {
        let last = revoked.first_row + u64::from(revoked.rows.saturating_sub(1));
        let shards: Vec<String> = revoked.shards.iter().map(ToString::to_string).collect();
        rows.add_row([
            revoked.record.clone(),
            format!("{}-{last}", revoked.first_row),
            shards.join(", "),
            because(revoked.why).to_owned(),
            revoked.when.map_or_else(String::new, |when| when.to_string()),
        ]);
    }
    say(rows)
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The run's folder
    out: PathBuf,
}

impl Verify {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(At { at: None }, Intent::Look)?;
        let verified = session.tenure.verify_run(&self.out)?;
        let exit = if verified.problems.is_empty() { Exit::Done } else { Exit::Refused };
        if global.json {
            say_json(&verified)?;
            return Ok(exit);
        }
        if let Some(run) = &verified.run {
            say(format_args!("Run       {run}"))?;
        }
        say(format_args!("Checked   {} files, {} bytes", verified.files, verified.bytes))?;
        for problem in &verified.problems {
            say(format_args!("Problem   {problem}"))?;
        }
        if verified.problems.is_empty() {
            say(
                "Verified  the manifest is the one that the ledger states, and every file is as it was sealed",
            )?;
        }
        Ok(exit)
    }
}
