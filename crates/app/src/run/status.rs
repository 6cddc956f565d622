//! How runs stand.

use serde::Serialize;
use tenure_model::Instant;
use tenure_store::{ReadTx, RunId, RunRow, RunState, StoreExt as _};

use super::Manifest;
use super::copies::copies_due;
use crate::ledger::hex;
use crate::{Error, Tenure};

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum RunStage {
    /// It is being written, or broke off; nothing may rely on it. Opening a run for its purpose into its
    /// folder begins it anew.
    Opening,
    /// It stands.
    Sealed {
        /// The SHA-256 of its manifest, in hexadecimal.
        digest: String,
        /// What it holds.
        manifest: Box<Manifest>,
        /// Whether its training copies are still to be made, because a crash came between.
        copies_due: bool,
    },
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunStatus {
    /// Its id.
    pub run: String,
    /// Its purpose.
    pub purpose: String,
    /// When it was opened.
    pub opened_at: Instant,
    /// The position of the ledger that it froze.
    pub position: u64,
    /// How far it has come.
    #[serde(flatten)]
    pub stage: RunStage,
}

impl Tenure {
    /// How a run stands.
    pub fn run_status(&self, id: RunId) -> Result<RunStatus, Error> {
        self.store.read(|tx| {
            let run = tx.run(id)?.ok_or(Error::UnknownRun)?;
            status(tx, run)
        })
    }

    /// How every run stands, by when they were opened.
    pub fn runs(&self) -> Result<Vec<RunStatus>, Error> {
        self.store.read(|tx| {
            let runs = tx.runs()?;
            runs.into_iter().map(|run| status(tx, run)).collect()
        })
    }
}

fn status(tx: &mut dyn ReadTx, run: RunRow) -> Result<RunStatus, Error> {
    let copies_due = copies_due(tx, &run)?;
    let stage = match run.state {
        RunState::Opening => RunStage::Opening,
        RunState::Sealed { manifest, digest } => RunStage::Sealed {
            digest: hex(&digest),
            manifest: Box::new(serde_json::from_str(&manifest)?),
            copies_due,
        },
    };
    let (opened_at, position) = (run.opened_at, run.position);
    Ok(RunStatus { run: run.id.to_string(), purpose: run.purpose, opened_at, position, stage })
}
