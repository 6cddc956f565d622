//! `tenure verdict`: cases in, verdicts out, one JSON object a line.

use std::path::PathBuf;

use clap::Args;

use crate::Exit;

#[derive(Debug, Args)]
pub(crate) struct Verdict {
    /// A policy file, or a folder of versions of one lineage
    #[arg(long)]
    policy: PathBuf,
    /// The cases, one JSON object a line; `-` reads standard input
    cases: PathBuf,
}

impl Verdict {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        let _ = (self.policy, self.cases);
        Ok(Exit::Done)
    }
}
