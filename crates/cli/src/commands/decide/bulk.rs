//! Decisions from a file, one a line: what is bad is reported with its line, and the rest goes on.

use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;
use tenure_app::{Answer, Error, Reply, Tenure, TimeKeeping};
use tenure_model::{Choice, Instant};

use super::Head;
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Session;
use crate::speech::{grouped, some};

/// How many decisions wait for one durable write together.
const AT_ONCE: usize = 32;
/// How many complaints are shown.
const SHOWN: usize = 20;
/// The longest line that is read.
const LONGEST_LINE: usize = 1 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    account: String,
    purpose: String,
    choice: Choice,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    at: Option<Instant>,
    #[serde(default)]
    follows: Option<Head>,
}

/// What a worker answers for a line: nothing, or why it was not recorded.
type Outcome = (u64, Option<String>);

pub(super) fn run(session: &Session, path: &Path, json: bool) -> anyhow::Result<Exit> {
    let file = File::open(path).context("the file of decisions can't be read")?;
    let simulated = session.tenure.time()? == TimeKeeping::Simulated;
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {pos} lines, {per_sec}, {elapsed}")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let (answers, outcomes) = sync_channel::<Outcome>(4 * AT_ONCE);
    let result = std::thread::scope(|scope| {
        let mut workers: Vec<SyncSender<(u64, Line)>> = Vec::with_capacity(AT_ONCE);
        for _ in 0..AT_ONCE {
            let (give, take) = sync_channel(4);
            workers.push(give);
            let (tenure, answers, now) = (session.tenure.clone(), answers.clone(), session.now);
            scope.spawn(move || work(&tenure, &take, &answers, (now, simulated)));
        }
        let counter = &bar;
        let collector = scope.spawn(move || collect(outcomes, counter));
        let read = hand_out(file, simulated, &workers, &answers);
        // The workers end when nobody hands out any more, and the collector when they have ended.
        drop(workers);
        drop(answers);
        let collected = collector.join().map_err(|_| anyhow::anyhow!("collecting the answers failed"));
        read.and(collected)
    });
    bar.finish_and_clear();
    report(&result?, json)
}

/// Reads lines and gives each to the worker of its account, so that one account's stay in order.
fn hand_out(
    file: File,
    simulated: bool,
    workers: &[SyncSender<(u64, Line)>],
    answers: &SyncSender<Outcome>,
) -> anyhow::Result<()> {
    let mut reader = BufReader::new(file);
    let mut bytes = Vec::new();
    let mut number = 0;
    loop {
        bytes.clear();
        if reader.read_until(b'\n', &mut bytes).context("the file of decisions can't be read further")? == 0 {
            return Ok(());
        }
        number += 1;
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line = match understand(&bytes, simulated) {
            Ok(line) => line,
            Err(why) => {
                answers.send((number, Some(why)))?;
                continue;
            }
        };
        let mut hasher = DefaultHasher::new();
        line.account.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % workers.len().max(1) as u64)?;
        if let Some(worker) = workers.get(place) {
            worker.send((number, line))?;
        }
    }
}

/// A line, or what is wrong with it. The words of the line are not repeated.
fn understand(bytes: &[u8], simulated: bool) -> Result<Line, String> {
    if bytes.len() > LONGEST_LINE {
        return Err("the line is longer than 1 MiB".to_owned());
    }
    let line: Line = serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => format!(
            "not a decision at column {}: it needs `account`, `purpose` and `choice` (on or off)",
            error.column()
        ),
        _ => format!("not valid JSON at column {}", error.column()),
    })?;
    if line.at.is_some() && !simulated {
        return Err("`at` is for folders made with `tenure init --simulated`".to_owned());
    }
    Ok(line)
}

/// A file may be old or be read twice, so its `on` must not undo an `off`. On simulated time each line says
/// when it was.
fn answer(tenure: &Tenure, line: &Line, simulated: bool) -> Result<Answer, Error> {
    let (purpose, version) = (line.purpose.as_str(), line.version.as_deref());
    match (line.follows, line.choice) {
        (Some(Head(follows)), Choice::On) => {
            let reply = Reply::On { follows };
            Ok(Answer { purpose: purpose.to_owned(), reply, version: line.version.clone() })
        }
        (_, choice) if simulated => tenure.answer(&line.account, purpose, choice, version),
        (_, choice) => tenure.answer_of_file(&line.account, purpose, choice, version),
    }
}

fn work(
    tenure: &Tenure,
    lines: &Receiver<(u64, Line)>,
    answers: &SyncSender<Outcome>,
    (now, simulated): (Instant, bool),
) {
    for (number, line) in lines {
        let answer = answer(tenure, &line, simulated);
        let decide = |answer| tenure.decide(&line.account, answer, line.at.unwrap_or(now));
        let failed = answer.and_then(decide).err();
        if answers.send((number, failed.map(|error| error.to_string()))).is_err() {
            return;
        }
    }
}

/// What became of a file of decisions.
#[derive(Debug, Default)]
struct Collected {
    recorded: u64,
    refused: Vec<(u64, String)>,
    refused_count: u64,
}

fn collect(outcomes: Receiver<Outcome>, bar: &ProgressBar) -> Collected {
    let mut collected = Collected::default();
    for (number, outcome) in outcomes {
        bar.inc(1);
        match outcome {
            None => collected.recorded += 1,
            Some(why) => {
                collected.refused_count += 1;
                collected.refused.push((number, why));
                // The first lines of the file are kept, whatever the order of the answers.
                if collected.refused.len() > 2 * SHOWN {
                    collected.refused.sort_unstable();
                    collected.refused.truncate(SHOWN);
                }
            }
        }
    }
    collected.refused.sort_unstable();
    collected.refused.truncate(SHOWN);
    collected
}

fn report(collected: &Collected, json: bool) -> anyhow::Result<Exit> {
    let exit = if collected.refused_count > 0 { Exit::BadInput } else { Exit::Done };
    if json {
        let refused: Vec<_> =
            collected.refused.iter().map(|(line, why)| json!({"line": line, "error": why})).collect();
        say_json(&json!({
            "recorded": collected.recorded, "refused": collected.refused_count, "examples": refused,
        }))?;
        return Ok(exit);
    }
    say(format_args!("{} recorded.", some(collected.recorded, "decision")))?;
    if collected.refused_count > 0 {
        say(format_args!("{} not recorded:", some(collected.refused_count, "line")))?;
        for (line, why) in &collected.refused {
            say(format_args!("  line {}: {why}", grouped(*line)))?;
        }
        let more = collected.refused_count.saturating_sub(collected.refused.len() as u64);
        if more > 0 {
            say(format_args!("  and {} more", grouped(more)))?;
        }
    }
    Ok(exit)
}
