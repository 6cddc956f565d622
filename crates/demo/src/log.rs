//! What is noted while the story is played, for the summary, the checks and the charts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tenure_app::run::RunReport;
use tenure_app::{ClassCount, CopyFigure, Destruction, Figures};
use tenure_model::{Choice, Instant};

/// How many copies there were after a sweep.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) at: Instant,
    pub(crate) copies: BTreeMap<String, ClassCount>,
}

impl Sample {
    pub(crate) fn new(at: Instant, figures: &Figures) -> Self {
        let copies = figures.copies.iter().map(|count| (count.class.clone(), count.clone()));
        Self { at, copies: copies.collect() }
    }

    pub(crate) fn live(&self, class: &str) -> u64 {
        self.copies.get(class).map_or(0, |count| count.live)
    }

    /// Copies that the terms keep, that nothing but a hold keeps, and that a released hold's grace keeps.
    pub(crate) fn kept_by(&self, class: &str) -> [u64; 3] {
        self.copies.get(class).map_or([0; 3], |count| {
            [count.live.saturating_sub(count.held + count.in_grace), count.held, count.in_grace]
        })
    }

    pub(crate) fn total(&self) -> u64 {
        self.copies.values().map(|count| count.live).sum()
    }

    /// Copies beyond their terms, which only the order keeps, or the grace after it.
    pub(crate) fn beyond_terms(&self) -> u64 {
        self.copies.values().map(|count| count.held + count.in_grace).sum()
    }

    pub(crate) fn total_held(&self) -> u64 {
        self.copies.values().map(|count| count.held).sum()
    }
}

/// An answer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answered {
    pub(crate) at: Instant,
    pub(crate) choice: Choice,
    /// What the person had said before.
    pub(crate) before: Option<Choice>,
}

/// A training run.
#[derive(Debug, Clone)]
pub(crate) struct Run {
    pub(crate) at: Instant,
    pub(crate) folder: PathBuf,
    pub(crate) report: RunReport,
}

/// A sweep that destroyed something, and how far ahead it worked.
#[derive(Debug, Clone)]
pub(crate) struct Gone {
    pub(crate) destruction: Destruction,
    /// The next sweep: what was due before it could not wait.
    pub(crate) next_sweep: Instant,
}

/// An audit of every copy at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    pub(crate) at: Instant,
    pub(crate) copies: Vec<CopyFigure>,
}

/// Everything that was noted.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) samples: Vec<Sample>,
    pub(crate) gone: Vec<Gone>,
    pub(crate) runs: Vec<Run>,
    pub(crate) audits: Vec<Audit>,
    /// Conversations and messages read, by format.
    pub(crate) formats: BTreeMap<&'static str, (u64, u64)>,
    /// Conversations that were refused because their surface keeps nothing.
    pub(crate) refused: u64,
    /// Rows of the first run that were revoked when the second was opened.
    pub(crate) revoked_between: u64,
    /// When the last training copy must be gone, as judged after the last run.
    pub(crate) last_training_due: Option<Instant>,
    /// When it was gone.
    pub(crate) last_training_gone: Option<Instant>,
    /// The instant at which the story ends.
    pub(crate) end: Option<Instant>,
    /// Copies that were overdue when conversations arrived, before they did.
    pub(crate) overdue_before_arrivals: u64,
    /// How many versions of the terms were published.
    pub(crate) published: u64,
    /// When everyone who is asked was told of the new terms.
    pub(crate) told: Option<Instant>,
    /// Each deletion, thumb and flag: whose, and when.
    pub(crate) marks: Vec<(String, Instant)>,
    /// When the order was placed.
    pub(crate) placed: Option<Instant>,
    /// When it was released, and by when what it alone kept had to be gone.
    pub(crate) released: Option<(Instant, Instant)>,
    /// Each answer: when, which, and whether it was the person's first.
    pub(crate) answers: Vec<Answered>,
    /// What was said of each step.
    pub(crate) steps: Vec<(Instant, String)>,
}
