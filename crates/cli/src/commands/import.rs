//! `tenure import`: conversations from files, and a report of what became of everything in them.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::{Defaults, Ingested, Ingester, Refusal, Tenure};
use tenure_formats::{Failure, Format, Progress, Report, Tally, Trouble};
use tenure_model::{Mode, is_iso_3166};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json, table};
use crate::session::Intent;
use crate::speech::{and, grouped, some};

#[derive(Debug, Args)]
pub(crate) struct Import {
    /// claude, chatgpt, claude-code, openai, sharegpt or tenure
    format: Format,
    /// Files, or folders of Claude Code sessions
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Whose conversations they are, where the file does not say
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Through which product or plan they were sent, where the file does not say
    #[arg(long, value_name = "NAME")]
    surface: Option<String>,
    /// normal or incognito, where the file does not say; normal unless said
    #[arg(long)]
    mode: Option<Mode>,
    /// From which country, as an ISO 3166 code, where the file does not say; unknown unless said
    #[arg(long, value_name = "CODE", value_parser = country)]
    country: Option<String>,
    #[command(flatten)]
    at: At,
}

/// An assigned country code.
pub(super) fn country(code: &str) -> Result<String, String> {
    if is_iso_3166(code) {
        Ok(code.to_owned())
    } else {
        Err("not an assigned ISO 3166 code of two capitals, such as US or DE".to_owned())
    }
}

impl Import {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        // Every file is inspected before any is read, so that a bad one changes nothing.
        for (index, path) in self.paths.iter().enumerate() {
            let bar = Bar::new("Checking", index, self.paths.len())?;
            tenure_formats::inspect_with_progress(self.format, path, &mut |progress| bar.show(progress))
                .with_context(|| format!("{} can't be imported; nothing was changed", self.named(index)))?;
        }
        let defaults = Defaults {
            account: self.account.clone(),
            surface: self.surface.clone(),
            mode: self.mode,
            country: self.country.clone(),
        };
        let mut ingester = session.tenure.ingester(self.format.word(), defaults, session.now)?;
        let mut reports = Vec::with_capacity(self.paths.len());
        for index in 0..self.paths.len() {
            reports.push(self.read(index, &mut ingester)?);
        }
        let taken = ingester.finish().context(UNFINISHED)?;
        if global.json {
            say_json(&json!({"files": reports, "taken": taken}))?;
        } else {
            show(&reports, &taken, &session.tenure)?;
        }
        let offered: u64 = reports.iter().map(|report| report.conversations + report.accounts).sum();
        let accounts: u64 = reports.iter().map(|report| report.accounts).sum();
        let accepted = taken.conversations + taken.resumed + taken.unchanged + accounts;
        Ok(if offered > 0 && accepted == 0 { Exit::Refused } else { Exit::Done })
    }

    /// Which file is meant, by its number: a path may name a person.
    fn named(&self, index: usize) -> String {
        match self.paths.len() {
            1 => "the file".to_owned(),
            count => format!("file {} of {count}", index + 1),
        }
    }

    fn read(&self, index: usize, ingester: &mut Ingester) -> anyhow::Result<Report> {
        let path = self.paths.get(index).ok_or_else(|| anyhow!("there is no file {}", index + 1))?;
        let bar = Bar::new("Importing", index, self.paths.len())?;
        let read = tenure_formats::read_with_progress(
            self.format,
            path,
            &mut |progress| bar.show(progress),
            &mut |item| ingester.push(item),
        );
        match read {
            Ok(report) => Ok(report),
            Err(Failure::Sink(error)) => Err(anyhow::Error::new(error).context(UNFINISHED)),
            Err(Failure::Read(error)) => {
                let what = format!("{} can't be read further; {UNFINISHED}", self.named(index));
                Err(anyhow::Error::new(error).context(what))
            }
        }
    }
}

const UNFINISHED: &str =
    "some conversations may have been taken in; import again, and what is known is not taken twice";

/// A bar on a terminal; nothing elsewhere.
struct Bar(ProgressBar);

impl Bar {
    fn new(doing: &str, index: usize, count: usize) -> anyhow::Result<Self> {
        let bar = ProgressBar::new(0);
        let style = "{msg} {wide_bar:.dim} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
        bar.set_style(ProgressStyle::with_template(style)?);
        bar.set_message(if count == 1 {
            doing.to_owned()
        } else {
            format!("{doing} {} of {count}", index + 1)
        });
        bar.enable_steady_tick(Duration::from_millis(200));
        Ok(Self(bar))
    }

    fn show(&self, progress: Progress) {
        self.0.set_length(progress.total);
        self.0.set_position(progress.done);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

fn show(reports: &[Report], taken: &Ingested, tenure: &Tenure) -> anyhow::Result<()> {
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            say("")?;
        }
        say(if reports.len() == 1 {
            "In the file".to_owned()
        } else {
            format!("In file {} of {}", index + 1, reports.len())
        })?;
        show_report(report)?;
    }
    say("\nTaken in")?;
    show_taken(taken)?;
    if taken.refused_conversations.contains_key(&Refusal::NoSurface)
        || taken.refused_conversations.contains_key(&Refusal::UnknownSurface)
    {
        say(format_args!("\nSurfaces that the published policies know: {}.", surfaces(tenure)?))?;
    }
    Ok(())
}

fn show_report(report: &Report) -> anyhow::Result<()> {
    let mut rows = table(["", "Seen", "Read", "Skipped", "Not understood"]);
    let tallies = [("files", &report.files), ("records", &report.records), ("messages", &report.messages)];
    for (name, tally) in tallies {
        // A single file needs no row of its own.
        if name == "files" && tally.seen <= 1 {
            continue;
        }
        rows.add_row([
            name.to_owned(),
            grouped(tally.seen),
            grouped(tally.read),
            grouped(tally.skipped_total()),
            grouped(tally.not_understood_total()),
        ]);
    }
    for column in rows.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    say(rows)?;
    for (name, tally) in tallies {
        show_reasons(name, tally)?;
    }
    for (what, trouble) in &report.remarks {
        say(format_args!("  noticed: {what}: {}", occurrences(trouble)))?;
    }
    Ok(())
}

fn show_reasons(name: &str, tally: &Tally) -> anyhow::Result<()> {
    for (reason, count) in &tally.skipped {
        say(format_args!("  {name} skipped: {reason}: {}", grouped(*count)))?;
    }
    for (reason, trouble) in &tally.not_understood {
        say(format_args!("  {name} not understood: {reason}: {}", occurrences(trouble)))?;
    }
    Ok(())
}

/// How often, and where first.
fn occurrences(trouble: &Trouble) -> String {
    let places: Vec<String> = trouble.examples.iter().map(ToString::to_string).collect();
    let first = if trouble.count > places.len() as u64 { "first at " } else { "at " };
    format!("{} ({first}{})", grouped(trouble.count), places.join("; "))
}

fn show_taken(taken: &Ingested) -> anyhow::Result<()> {
    let mut rows = table(["", "Count"]);
    let lines = [
        ("accounts opened", taken.accounts),
        ("conversations, new", taken.conversations),
        ("conversations that went on", taken.resumed),
        ("conversations known already", taken.unchanged),
        ("records made", taken.records),
        ("messages stored, encrypted", taken.messages),
        ("messages known already", taken.known),
    ];
    for (what, count) in lines.into_iter().filter(|(what, count)| *count > 0 || what.ends_with("new")) {
        rows.add_row([what.to_owned(), grouped(count)]);
    }
    for column in rows.column_iter_mut().skip(1) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    say(rows)?;
    for (refusal, count) in &taken.refused_conversations {
        say(format_args!("  {} not taken: {}", some(*count, "conversation"), why(*refusal)))?;
    }
    for (refusal, count) in &taken.refused_messages {
        say(format_args!("  {} not taken: {}", some(*count, "message"), why(*refusal)))?;
    }
    Ok(())
}

/// Why something was not taken, and what to do.
const fn why(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NoAccount => "the file does not say whose; say so with `--account ID`",
        Refusal::BadAccount => "the account's id is empty or longer than 512 bytes",
        Refusal::NoSurface => "the file does not say through which product; say so with `--surface NAME`",
        Refusal::UnknownSurface => "no published policy knows the surface; publish one that does",
        Refusal::AccountClosed => "its account is closed, so nothing more of it is kept",
        Refusal::Empty => "there are no messages in it",
        Refusal::ZeroRetention => "its surface has zero retention, so nothing of it is ever stored",
        Refusal::RepeatedMessage => "another message of the conversation has the same id",
    }
}

fn surfaces(tenure: &Tenure) -> anyhow::Result<String> {
    let policies = tenure.policies()?;
    let newest = policies.lineages().iter().filter_map(|lineage| lineage.versions().last());
    let names: Vec<String> = newest
        .flat_map(|(_, version)| &version.surfaces)
        .map(|surface| format!("`{}`", surface.name))
        .collect();
    if names.is_empty() {
        bail!("no published policy knows a surface");
    }
    Ok(and(&names))
}
