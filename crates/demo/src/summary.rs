//! The figures at the end.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_app::Tenure;
use tenure_model::{Choice, Instant};

use crate::DemoError;
use crate::dates::{DAY, days_between};
use crate::ledger::Ledger;
use crate::log::{Gone, Log, Run, Sample};
use crate::people::Says;
use crate::world::World;

/// What people answered, by what each of them said in the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Decisions {
    /// People who were asked.
    pub asked: u64,
    /// Yes from the first answer on.
    pub yes: u64,
    /// No from the first answer on.
    pub no: u64,
    /// Nothing at all.
    pub none: u64,
    /// First yes, then no.
    pub withdrawn: u64,
    /// First no, then yes.
    pub came_round: u64,
}

/// The copies of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClassLine {
    /// The class.
    pub class: String,
    /// How many were made.
    pub made: u64,
    /// How many were destroyed.
    pub destroyed: u64,
    /// How many of those after their deadline.
    pub late: u64,
    /// How many exist at the end.
    pub left: u64,
}

/// Destructions against their deadlines.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Destroyed {
    /// All of them.
    pub copies: u64,
    /// After the deadline.
    pub late: u64,
    /// At the very instant at which nothing kept them any more, as when their person deletes something.
    pub at_once: u64,
    /// The most days before a deadline.
    pub most_days_early: i64,
    /// By whole days before the deadline; at once is -1, so that it can be told from the last day.
    pub by_days_early: BTreeMap<i64, u64>,
}

/// A training run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// When it was opened.
    pub opened_at: Instant,
    /// Its rows.
    pub rows: u64,
    /// Records of which something is in it.
    pub records: u64,
    /// People whose records are in it.
    pub people: u64,
    /// Records that were left out, by reason.
    pub left_out: BTreeMap<String, u64>,
    /// Messages that were left out, also of records of which something is in it.
    pub messages_left_out: u64,
    /// Rows that had been revoked when the next run was opened.
    pub revoked_by_next: Option<u64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Accounts.
    pub accounts: u64,
    /// Conversations.
    pub conversations: u64,
    /// Records.
    pub records: u64,
    /// Messages.
    pub messages: u64,
    /// Statements in the ledger.
    pub statements: u64,
    /// Conversations that were refused at the door, since their surface keeps nothing.
    pub refused_at_the_door: u64,
    /// Conversations read from exports by format, each as often as an export had it.
    pub read_by_format: BTreeMap<&'static str, u64>,
    /// What people answered.
    pub decisions: Decisions,
    /// Copies by class.
    pub copies: Vec<ClassLine>,
    /// The most copies at one time that nothing but the order kept, or the grace after it.
    pub held_at_most: u64,
    /// Destructions against their deadlines.
    pub destroyed: Destroyed,
    /// The training runs.
    pub runs: Vec<RunLine>,
    /// When the last training copy was destroyed.
    pub last_training_copy_gone: Option<Instant>,
    /// By when it had to be.
    pub last_training_copy_due: Option<Instant>,
    /// The instant at which the story ends.
    pub ends_at: Instant,
    /// The log of all of it, and what anyone can check.
    pub ledger: Ledger,
    /// What was found wrong when the demonstration checked its claims.
    pub findings: Vec<String>,
}

impl Summary {
    pub(crate) fn new(
        tenure: &Tenure,
        world: &World,
        log: &Log,
        ledger: Ledger,
        findings: Vec<String>,
    ) -> Result<Self, DemoError> {
        let figures = tenure.figures()?;
        let late = |class: &str| {
            log.gone.iter().filter(|gone| gone.destruction.class == class && is_late(gone)).count() as u64
        };
        let copies = figures.copies.iter().map(|count| ClassLine {
            class: count.class.clone(),
            made: count.live + count.destroyed,
            destroyed: count.destroyed,
            late: late(&count.class),
            left: count.live,
        });
        Ok(Self {
            accounts: figures.accounts,
            conversations: figures.conversations,
            records: figures.records,
            messages: figures.messages,
            statements: figures.statements,
            refused_at_the_door: log.refused,
            read_by_format: log.formats.iter().map(|(format, (read, _))| (*format, *read)).collect(),
            decisions: decisions(world),
            copies: copies.collect(),
            held_at_most: log.samples.iter().map(Sample::beyond_terms).max().unwrap_or(0),
            destroyed: destroyed(log),
            runs: log.runs.iter().enumerate().map(|(number, run)| run_line(log, number, run)).collect(),
            last_training_copy_gone: log.last_training_gone,
            last_training_copy_due: log.last_training_due,
            ends_at: log.end.unwrap_or(Instant::MAX),
            ledger,
            findings,
        })
    }

    /// Whether everything that the demonstration claims was found to be so.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

fn is_late(gone: &Gone) -> bool {
    gone.destruction.destroyed_at > gone.destruction.due_at
}

fn decisions(world: &World) -> Decisions {
    let mut decisions = Decisions::default();
    for person in world.people.iter().filter(|person| person.says != Says::NotAsked) {
        decisions.asked += 1;
        match person.choices.as_slice() {
            [] => decisions.none += 1,
            [.., (_, Choice::Off)] if person.choices.len() > 1 => decisions.withdrawn += 1,
            [.., (_, Choice::On)] if person.choices.len() > 1 => decisions.came_round += 1,
            [.., (_, Choice::Off)] => decisions.no += 1,
            [.., (_, Choice::On)] => decisions.yes += 1,
        }
    }
    decisions
}

fn destroyed(log: &Log) -> Destroyed {
    let mut sum = Destroyed { copies: log.gone.len() as u64, ..Destroyed::default() };
    for gone in &log.gone {
        let (due, destroyed) = (gone.destruction.due_at, gone.destruction.destroyed_at);
        if is_late(gone) {
            sum.late += 1;
            continue;
        }
        let at_once = due.micros() - destroyed.micros() < DAY / 24 / 60;
        let days = if at_once { -1 } else { days_between(destroyed, due) };
        sum.at_once += u64::from(at_once);
        sum.most_days_early = sum.most_days_early.max(days);
        *sum.by_days_early.entry(days).or_default() += 1;
    }
    sum
}

fn run_line(log: &Log, number: usize, run: &Run) -> RunLine {
    let manifest = &run.report.manifest;
    let left_out = manifest.counts.left_out.iter().filter(|(_, amount)| amount.records > 0);
    RunLine {
        opened_at: run.at,
        rows: manifest.rows,
        records: manifest.counts.records_written,
        people: manifest.accounts,
        left_out: left_out.map(|(reason, amount)| (reason.word().to_owned(), amount.records)).collect(),
        messages_left_out: manifest.counts.left_out.values().map(|amount| amount.messages).sum(),
        revoked_by_next: (number + 1 < log.runs.len()).then_some(log.revoked_between),
    }
}
