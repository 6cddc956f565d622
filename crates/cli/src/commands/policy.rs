//! `tenure policy`: check, show, diff.

use std::path::PathBuf;

use clap::Subcommand;

use super::Global;
use crate::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Compile a version, or a folder of versions of one lineage
    Check {
        /// A policy file, or a folder of them
        path: PathBuf,
    },
}

impl Policy {
    pub(crate) fn run(self, _global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Check { .. } => Ok(Exit::Done),
        }
    }
}
