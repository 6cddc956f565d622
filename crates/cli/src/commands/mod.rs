//! One module a command: its arguments, and a `run` that calls the use case and shows the answer.

mod policy;
mod verdict;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::Exit;

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

#[derive(Debug, Subcommand)]
enum Command {
    /// Read, compare and publish the terms
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Answer cases with verdicts, one JSON object a line
    Verdict(verdict::Verdict),
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Policy(command) => command.run(&self.global),
            Command::Verdict(command) => command.run(),
        }
    }
}
