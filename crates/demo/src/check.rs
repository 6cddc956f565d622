//! The demonstration checks what it claims, against what its people said and did, not against what
//! the store believes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead as _;
use std::path::Path;

use serde::Deserialize;
use tenure_app::{CopyFigure, Tenure};
use tenure_model::{Choice, Instant, Mode};

use crate::DemoError;
use crate::log::{Audit, Log, Run};
use crate::people::Person;
use crate::world::{Talk, World};

/// The part of a row by which it is traced back.
#[derive(Debug, Deserialize)]
struct Row {
    record: String,
}

/// What was found wrong, in words; nothing if everything is as claimed.
pub(crate) fn check(tenure: &Tenure, world: &World, log: &Log) -> Result<Vec<String>, DemoError> {
    let mut findings = Vec::new();
    for audit in &log.audits {
        findings.extend(nothing_beyond_its_term(audit));
    }
    if log.overdue_before_arrivals > 0 {
        findings.push(format!("{} copies were overdue between sweeps", log.overdue_before_arrivals));
    }
    findings.extend(each_went_in_time(log));
    findings.extend(the_order_was_kept(log));
    findings.extend(copies_add_up(tenure, log)?);
    let traced = trace(world, log);
    let mut contents = Vec::new();
    for (number, run) in log.runs.iter().enumerate() {
        let records = records_of(run)?;
        findings.extend(only_what_was_allowed(number + 1, run, &records, &traced));
        contents.push(records);
    }
    findings.extend(withdrawn_is_not_used_again(log, &contents, &traced));
    Ok(findings)
}

/// A copy that exists has something that keeps it.
fn nothing_beyond_its_term(audit: &Audit) -> Option<String> {
    let overdue =
        |copy: &&CopyFigure| copy.destroyed_at.is_none() && copy.due_at.is_some_and(|due| due <= audit.at);
    let overdue = audit.copies.iter().filter(overdue).count();
    (overdue > 0).then(|| format!("on {}, {overdue} copies existed that nothing kept", audit.at))
}

/// A copy that is gone went before its deadline, and no earlier than the next sweep made necessary.
fn each_went_in_time(log: &Log) -> Vec<String> {
    let mut findings = Vec::new();
    let late = log.gone.iter().filter(|gone| gone.destruction.destroyed_at > gone.destruction.due_at).count();
    if late > 0 {
        findings.push(format!("{late} copies were destroyed after their deadlines"));
    }
    let early = log.gone.iter().filter(|gone| gone.destruction.due_at > gone.next_sweep).count();
    if early > 0 {
        findings
            .push(format!("{early} copies were destroyed although the next sweep would have been in time"));
    }
    findings
}

/// Nothing that the order covered was destroyed while it was in force.
fn the_order_was_kept(log: &Log) -> Option<String> {
    let (placed, released) = log.placed.zip(log.released.map(|(released, _)| released))?;
    let broken = log.gone.iter().map(|gone| &gone.destruction).filter(|gone| {
        gone.class == "content"
            && is_consumer(&gone.surface)
            && (placed..released).contains(&gone.destroyed_at)
    });
    let broken = broken.count();
    (broken > 0).then(|| format!("{broken} copies were destroyed that the order preserved"))
}

/// The surfaces whose people are asked, as the terms have them.
fn is_consumer(surface: &str) -> bool {
    matches!(surface, "free" | "pro" | "max" | "code")
}

/// Every copy that was made exists, or was seen to be destroyed; and the figures say the same.
fn copies_add_up(tenure: &Tenure, log: &Log) -> Result<Vec<String>, DemoError> {
    let mut findings = Vec::new();
    let Some(last) = log.audits.last() else { return Ok(vec!["nothing was audited".to_owned()]) };
    for count in tenure.figures()?.copies {
        let of_class = || last.copies.iter().filter(|copy| copy.class == count.class);
        let live = of_class().filter(|copy| copy.destroyed_at.is_none()).count() as u64;
        let gone = log.gone.iter().filter(|gone| gone.destruction.class == count.class).count() as u64;
        if (live, of_class().count() as u64) != (count.live, live + gone) || gone != count.destroyed {
            findings.push(format!("the copies of class `{}` do not add up", count.class));
        }
    }
    Ok(findings)
}

/// A record with the people and the conversation behind it.
struct Traced<'w> {
    person: &'w Person,
    talk: Option<&'w Talk>,
    surface: String,
    mode: Mode,
}

fn trace<'w>(world: &'w World, log: &Log) -> BTreeMap<String, Traced<'w>> {
    let people: BTreeMap<&str, (usize, &Person)> = world
        .people
        .iter()
        .enumerate()
        .map(|(number, person)| (person.id.as_str(), (number, person)))
        .collect();
    let mut traced = BTreeMap::new();
    for copy in log.audits.last().into_iter().flat_map(|audit| &audit.copies) {
        let Some((number, person)) = people.get(copy.account.as_str()) else { continue };
        let holds_it =
            |talk: &&Talk| talk.owner == *number && talk.turns.iter().any(|turn| turn.at == copy.began_at);
        traced.entry(copy.record.to_string()).or_insert_with(|| Traced {
            person,
            talk: world.talks.iter().find(holds_it),
            surface: copy.surface.clone(),
            mode: copy.mode,
        });
    }
    traced
}

/// The records that a run's files hold, read from the files.
fn records_of(run: &Run) -> Result<BTreeSet<String>, DemoError> {
    let mut records = BTreeSet::new();
    let is_jsonl = |name: &str| Path::new(name).extension().is_some_and(|extension| extension == "jsonl");
    for file in run.report.manifest.files.iter().filter(|file| is_jsonl(&file.name)) {
        let lines = std::io::BufReader::new(std::fs::File::open(run.folder.join(&file.name))?);
        for line in lines.lines() {
            records.insert(serde_json::from_str::<Row>(&line?)?.record);
        }
    }
    Ok(records)
}

fn only_what_was_allowed(
    number: usize,
    run: &Run,
    records: &BTreeSet<String>,
    traced: &BTreeMap<String, Traced<'_>>,
) -> Vec<String> {
    let mut findings = Vec::new();
    if records.is_empty() {
        findings.push(format!("run {number} is empty"));
    }
    if !run.report.manifest.counts.add_up() {
        findings.push(format!("the counts of run {number} do not add up"));
    }
    let wrong = records
        .iter()
        .filter(|record| traced.get(*record).is_none_or(|traced| why_not(traced, run.at).is_some()));
    let wrong = wrong.count();
    if wrong > 0 {
        findings.push(format!("run {number} has {wrong} records that nobody allowed"));
    }
    findings
}

/// Why a record must not be in a run, going by what its person said and did.
fn why_not(traced: &Traced<'_>, at: Instant) -> Option<&'static str> {
    let Traced { person, talk, surface, mode } = traced;
    let happened = |instant: Option<Instant>| instant.is_some_and(|instant| instant <= at);
    let Some(talk) = talk else { return Some("nobody said it") };
    match () {
        () if person.answer(at) != Some(Choice::On) => Some("its person did not say yes"),
        () if person.minor => Some("its person is a minor"),
        () if !is_consumer(surface) => Some("it was said at work"),
        () if *mode == Mode::Incognito => Some("it was said in confidence"),
        () if happened(talk.deleted) || happened(person.leaves) => Some("its person deleted it"),
        () if happened(talk.flagged) => Some("it was flagged"),
        () => {
            // Only what was said, or taken up again, after the yes.
            let yes = person.choices.iter().rev().find(|(when, _)| *when <= at).map(|(when, _)| *when);
            let resumed = yes.is_some_and(|yes| talk.turns_by(at).any(|turn| turn.at >= yes));
            (!resumed).then_some("it lay idle since its person said yes")
        }
    }
}

/// What was withdrawn between the runs was in the first, and is not in the second.
fn withdrawn_is_not_used_again(
    log: &Log,
    contents: &[BTreeSet<String>],
    traced: &BTreeMap<String, Traced<'_>>,
) -> Vec<String> {
    let ([first, second], [in_first, in_second]) = (log.runs.as_slice(), contents) else {
        return vec!["there are not two runs to compare".to_owned()];
    };
    let withdrawn: BTreeSet<&String> = in_first
        .iter()
        .filter(|record| {
            let person = traced.get(*record).map(|traced| traced.person);
            person.is_some_and(|person| {
                person.answer(first.at) == Some(Choice::On) && person.answer(second.at) == Some(Choice::Off)
            })
        })
        .collect();
    let again = withdrawn.iter().filter(|record| in_second.contains(**record)).count();
    let mut findings = Vec::new();
    if withdrawn.is_empty() {
        findings.push("nothing was withdrawn between the runs".to_owned());
    }
    if again > 0 {
        findings.push(format!("the second run has {again} records whose person had withdrawn"));
    }
    findings
}
