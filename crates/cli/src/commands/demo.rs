//! `tenure demo`: the whole life of a policy change, on simulated time.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::TimeKeeping;
use tenure_demo::{Ledger, Scale, Shown, Summary, Voice, grouped, short};
use tenure_model::Instant;
use tenure_vault::{BodyPlace, NewRoot};
use tenure_verifier::{Report, Words};

use super::Global;
use crate::Exit;
use crate::output::{has_colour, heading, paint, say, say_json, table, width, wrapped};
use crate::session;
use crate::speech::{and, some};

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
        let kept = if keep { leave(&summary.ledger, &folder)? } else { Vec::new() };
        if global.json {
            say_json(&json!({"summary": summary, "report": self.html, "kept": kept}))?;
        } else {
            tell(summary)?;
            tell_ledger(summary)?;
            say(format_args!("\nReport    {}", self.html.display()))?;
            if keep {
                say(format_args!("Data      {}", folder.join(DATA).display()))?;
                tell_files(&kept, &folder)?;
            } else {
                say("`tenure demo --keep` keeps the receipts and the log's keys, to check them yourself.")?;
            }
        }
        Ok(if summary.is_sound() { Exit::Done } else { Exit::Refused })
    }
}

const DATA: &str = "data";

/// Leaves what someone needs who checks the log from outside, and says which files that is.
fn leave(ledger: &Ledger, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for (name, text) in ledger.files() {
        let file = folder.join(name);
        fs::write(&file, text).with_context(|| format!("can't write {}", file.display()))?;
        files.push(file);
    }
    Ok(files)
}

/// Which files were left, and what to try with them.
fn tell_files(kept: &[PathBuf], folder: &Path) -> anyhow::Result<()> {
    let names: Vec<String> =
        kept.iter().filter_map(|file| Some(file.file_name()?.to_string_lossy().into_owned())).collect();
    say(format_args!("Receipts  {} in {}", and(&names), folder.display()))?;
    let Some(receipt) = kept.first() else { return Ok(()) };
    let (receipt, keys) = (quoted(receipt), quoted(&folder.join(Ledger::KEYS)));
    say(format_args!("Try       tenure receipt verify {receipt} --key {keys}"))
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn play(folder: &Path, quiet: bool) -> anyhow::Result<tenure_demo::Outcome> {
    let work = folder.join("work");
    fs::create_dir_all(&work).with_context(|| format!("can't make the folder {}", folder.display()))?;
    let tenure = session::init(
        &folder.join(DATA),
        TimeKeeping::Simulated,
        Some(tenure_demo::ORIGIN.parse()?),
        &NewRoot::InFolder,
        &BodyPlace::Folder,
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
        let checked = "Checked: each copy that is left has something that keeps it, each that is gone went in time, no run \
                       holds a row that its person had not allowed, all of it is in the log, nothing else is, and every \
                       receipt verifies.";
        say(wrapped(checked, 0, room()))?;
    }
    for finding in &summary.findings {
        say(format_args!("Not as claimed: {finding}."))?;
    }
    Ok(())
}

/// How much of a root is shown: enough to compare at a glance.
const SHOWN: usize = 8;

/// What anyone can check, and one person's receipts in the verifier's words.
fn tell_ledger(summary: &Summary) -> anyhow::Result<()> {
    let Ledger { origin, size, root, signatures, stated, shown, receipts, .. } = &summary.ledger;
    let ends =
        [root.get(..SHOWN), root.get(root.len().saturating_sub(SHOWN)..)].map(Option::unwrap_or_default);
    let keys: Vec<_> = signatures.iter().map(|key| format!("{} (key {})", key.algorithm, key.id)).collect();
    say(format_args!("\n{}", heading("Checked by anyone")))?;
    say_field("Log", &format!("{origin}, {}, root {}", some(*size, "statement"), ends.join("…")))?;
    say_field("Signed", &format!("with {}", and(&keys)))?;
    let holds = [
        some(stated.told, "notice"),
        some(stated.decisions, "answer"),
        some(stated.closed, "closed account"),
        format!("{} destroyed in {}", some(stated.copies, "copy"), some(stated.batches, "batch")),
        some(stated.runs, "run"),
    ];
    say_field("In it", &and(&holds))?;
    if let Some(Shown { yes, no, .. }) = shown {
        let story = format!(
            "One person said yes on {} and, after a run had read what they said, no on {}. The receipts for that no, and for \
             the end of the copy that the run had made, checked with the log's public keys and nothing else of ours:",
            short(*yes).trim_start(),
            short(*no).trim_start()
        );
        say(format_args!("\n{}", wrapped(&story, 0, room())))?;
    }
    receipts.iter().try_for_each(|given| tell_receipt(&given.report))
}

/// What a receipt proves; the log and its keys were told already.
fn tell_receipt(report: &Report) -> anyhow::Result<()> {
    let Words { headline, lines, .. } = report.words();
    let colour = if report.is_proved() { "1;32" } else { "1;31" };
    say(format_args!("\n{}", paint(colour, &wrapped(&headline, 0, room()))))?;
    for line in lines.iter().filter(|line| matches!(line.label, "Received" | "Stated" | "Which")) {
        say_field(line.label, &line.text)?;
    }
    Ok(())
}

/// A line that begins with what it is about; what does not fit goes on beneath.
fn say_field(label: &str, text: &str) -> anyhow::Result<()> {
    say(format_args!("{label:LABEL$}{}", wrapped(text, LABEL, room()).trim_start()))
}

/// How wide a line is.
fn room() -> usize {
    width().min(100)
}

/// The room for what a line is about.
const LABEL: usize = 10;
