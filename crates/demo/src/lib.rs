//! The demonstration: five years of a policy change, on simulated time.
//!
//! [`play`] makes people and their conversations, writes them in the forms that providers export, imports
//! those, lets people decide, time pass and copies end, and then checks what it claims. Everything goes
//! through the same use cases as on the command line; only the people are made up. [`report`] shows
//! the outcome as one self-contained page.
//!
//! The story itself is in `story`, who is in it in `people`, what they say in `world`.

mod chance;
mod check;
mod dates;
mod exports;
mod ledger;
mod log;
mod people;
mod report;
mod scenes;
mod stage;
mod story;
mod summary;
mod words;
mod world;

use std::io;
use std::path::Path;

use tenure_app::Tenure;
use tenure_model::Instant;

pub use dates::{grouped, short};
pub use ledger::{Given, Ledger, Shown, Stated};
pub use people::Scale;
pub use report::report;
pub use summary::{ClassLine, Decisions, Destroyed, RunLine, Summary};

/// Why the demonstration could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DemoError {
    /// A use case failed.
    #[error("a use case failed")]
    Tenure(#[from] tenure_app::Error),
    /// An export that the demonstration wrote could not be read.
    #[error("an export that the demonstration wrote could not be read")]
    Read(#[from] tenure_formats::ReadError),
    /// A file could not be written or read.
    #[error("a file could not be written or read")]
    File(#[from] io::Error),
    /// What a run has written could not be understood.
    #[error("a row of a run could not be read")]
    Row(#[from] serde_json::Error),
}

/// Who is told what happens, as it happens.
pub trait Voice {
    /// One step has been taken.
    fn step(&mut self, at: Instant, text: &str) -> io::Result<()>;
    /// Long work goes on: what it is, and how far it is.
    fn progress(&mut self, doing: &str, done: u64, total: u64);
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The figures.
    pub summary: Summary,
    pub(crate) log: log::Log,
}

/// The first instant of the story.
pub fn start() -> Instant {
    dates::date("2025-05-12")
}

/// What the log of the story is called.
pub const ORIGIN: &str = "demo.tenure.invalid/log";

/// Plays the story on a data folder that was just set up with simulated time. `work` is an empty folder for
/// exports and runs.
pub fn play(tenure: &Tenure, work: &Path, scale: Scale, voice: &mut dyn Voice) -> Result<Outcome, DemoError> {
    let world = world::World::new(scale);
    let log = perform(tenure, &world, work, voice)?;
    let mut findings = check::check(tenure, &world, &log)?;
    let ledger = ledger::check(tenure, &world, &log, &mut findings)?;
    let summary = Summary::new(tenure, &world, &log, ledger, findings)?;
    Ok(Outcome { summary, log })
}

/// Plays every event of the story, and gives what was noted.
fn perform(
    tenure: &Tenure,
    world: &world::World,
    work: &Path,
    voice: &mut dyn Voice,
) -> Result<log::Log, DemoError> {
    let mut stage = stage::Stage::new(tenure, world, work, voice);
    let agenda = story::agenda(world);
    let total = agenda.len() as u64;
    for (done, (at, event)) in agenda.into_iter().enumerate() {
        stage.play(at, event)?;
        stage.progress(done as u64, total);
    }
    stage.close()
}
