//! `tenure demo`: the whole life of a policy change, on simulated time.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::TimeKeeping;
use tenure_demo::{Scale, Summary, Voice, grouped, short};
use tenure_model::Instant;

use super::Global;
use crate::Exit;
use crate::output::{has_colour, say, say_json, table};
use crate::session;

#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to make the data folder, its keys, the exports and the runs, and keep them
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to write the report
    #[arg(long, value_name = "FILE", default_value = "./tenure-demo.html")]
    html: PathBuf,
    /// Keep all that too where no folder is named, to look around in it
    #[arg(long)]
    keep: bool,
}

impl Demo {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let folder = match &self.out {
            Some(out) => out.clone(),
            None => std::env::temp_dir().join(format!("tenure-demo-{}", std::process::id())),
        };
        if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
            bail!("{} is not empty: name a folder that is, or none", folder.display());
        }
        let played = play(&folder, global.json);
        let keep = self.keep || self.out.is_some();
        if !keep {
            // What the story left behind is in the way of nobody but the next story.
            let cleared = fs::remove_dir_all(&folder);
            if played.is_ok() {
                cleared.with_context(|| format!("can't remove {}", folder.display()))?;
            }
        }
        let outcome = played?;
        fs::write(&self.html, tenure_demo::report(&outcome))
            .with_context(|| format!("can't write {}", self.html.display()))?;
        let summary = &outcome.summary;
        if global.json {
            say_json(&json!({"summary": summary, "report": self.html}))?;
        } else {
            tell(summary)?;
            say(format_args!("\nReport  {}", self.html.display()))?;
            if keep {
                say(format_args!("Data    {}", folder.join(DATA).display()))?;
            }
        }
        Ok(if summary.is_sound() { Exit::Done } else { Exit::Refused })
    }
}

const DATA: &str = "data";

fn play(folder: &Path, quiet: bool) -> anyhow::Result<tenure_demo::Outcome> {
    let work = folder.join("work");
    fs::create_dir_all(&work).with_context(|| format!("can't make the folder {}", folder.display()))?;
    let tenure = session::init(
        &folder.join(DATA),
        TimeKeeping::Simulated,
        Some(tenure_demo::ORIGIN.parse()?),
        Some(tenure_demo::start()),
    )?;
    let mut teller = Teller::new(quiet)?;
    let outcome = tenure_demo::play(&tenure, &work, Scale::FULL, &mut teller)?;
    teller.bar.finish_and_clear();
    Ok(outcome)
}

/// Tells each step on a line of its own, above the bar.
struct Teller {
    bar: ProgressBar,
    quiet: bool,
    colour: bool,
}

impl Teller {
    fn new(quiet: bool) -> anyhow::Result<Self> {
        let bar = if io::stderr().is_terminal() { ProgressBar::new(0) } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{msg}  {bar:30} {percent}%, {eta} left")?);
        Ok(Self { bar, quiet, colour: has_colour() })
    }
}

impl Voice for Teller {
    fn step(&mut self, at: Instant, text: &str) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        let (dim, plain) = if self.colour { ("\u{1b}[2m", "\u{1b}[0m") } else { ("", "") };
        self.bar.suspend(|| writeln!(io::stdout().lock(), "{dim}{}{plain}  {text}", short(at)))
    }

    fn progress(&mut self, doing: &str, done: u64, total: u64) {
        if self.bar.length() != Some(total) {
            self.bar.set_length(total);
            self.bar.set_message(doing.to_owned());
        }
        self.bar.set_position(done);
    }
}

fn tell(summary: &Summary) -> anyhow::Result<()> {
    let mut rows = table(["In all", "How many"]);
    let people = &summary.decisions;
    for (what, number) in [
        ("Accounts", summary.accounts),
        ("Conversations", summary.conversations),
        ("Records", summary.records),
        ("Messages", summary.messages),
        ("Refused at the door", summary.refused_at_the_door),
        ("Asked", people.asked),
        ("  said yes", people.yes),
        ("  said no", people.no),
        ("  said nothing", people.none),
        ("  yes, then no", people.withdrawn),
        ("  no, then yes", people.came_round),
        ("Kept by the order alone, at most", summary.held_at_most),
    ] {
        rows.add_row([what.to_owned(), grouped(number)]);
    }
    say(format_args!("\n{rows}"))?;
    let mut rows = table(["Copies", "Made", "Destroyed", "Of those late", "Left"]);
    for line in &summary.copies {
        let numbers = [line.made, line.destroyed, line.late, line.left].map(grouped);
        rows.add_row(std::iter::once(line.class.clone()).chain(numbers));
    }
    say(format_args!("\n{rows}\n"))?;
    for (number, run) in summary.runs.iter().enumerate() {
        let reasons: Vec<String> =
            run.left_out.iter().map(|(reason, records)| format!("{reason} {}", grouped(*records))).collect();
        say(format_args!(
            "Run {} of {}: {} rows, {} records of {} people. Left out: {}.",
            number + 1,
            short(run.opened_at).trim_start(),
            grouped(run.rows),
            grouped(run.records),
            grouped(run.people),
            reasons.join(", ")
        ))?;
        if let Some(revoked) = run.revoked_by_next {
            say(format_args!(
                "  {} of its rows were revoked by the time of the next run.",
                grouped(revoked)
            ))?;
        }
    }
    let destroyed = &summary.destroyed;
    say(format_args!(
        "Destroyed: {} copies, {} of them late; the earliest {} days before its deadline.",
        grouped(destroyed.copies),
        grouped(destroyed.late),
        destroyed.most_days_early
    ))?;
    if summary.is_sound() {
        say(
            "Checked: each copy that is left has something that keeps it, each that is gone went in time, and no run holds a row that its person had not allowed.",
        )?;
    }
    for finding in &summary.findings {
        say(format_args!("Not as claimed: {finding}."))?;
    }
    Ok(())
}
