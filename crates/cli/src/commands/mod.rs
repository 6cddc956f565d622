//! One module a command: its arguments, and a `run` that calls the use case and shows the answer.

mod init;
mod policy;
mod verdict;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use tenure_model::Instant;

use crate::Exit;
use crate::session::{self, Intent, Session};

/// Consent, retention and training-use control for the conversations that people have with AI products.
#[derive(Debug, Parser)]
#[command(name = "tenure", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// The data folder; its keys lie in a folder beside it
    #[arg(long, global = true, value_name = "DIR", default_value = "./tenure-data")]
    pub(crate) data: PathBuf,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

impl Global {
    /// Opens the data folder.
    pub(crate) fn open(&self, at: At, intent: Intent) -> anyhow::Result<Session> {
        session::open(&self.data, at.at, intent)
    }
}

/// The instant that a command runs at.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct At {
    /// Run as if it were this instant (RFC 3339): for looking, or in a folder made with --simulated
    #[arg(long, value_name = "INSTANT")]
    pub(crate) at: Option<Instant>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a data folder, with a key folder beside it
    Init(init::Init),
    /// Read, compare and publish the terms
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Answer cases with verdicts, one JSON object a line
    Verdict(verdict::Verdict),
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Init(command) => command.run(&self.global),
            Command::Policy(command) => command.run(&self.global),
            Command::Verdict(command) => command.run(),
        }
    }
}
