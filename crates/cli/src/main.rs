//! `tenure`: consent, retention and training-use control for conversations, from the command line.

mod commands;
mod configuration;
mod output;
mod session;
mod speech;
mod undumpable;

use std::process::ExitCode;

use clap::Parser as _;

use commands::Cli;

/// How a command ended. The codes are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It did what was asked.
    Done,
    /// It ran, and the answer is no: a policy was refused, a check found something, the settings are right and it could
    /// not be served.
    Refused,
    /// The input could not be read or understood; usage errors end the same way.
    BadInput,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Refused => 1,
            Exit::BadInput => 2,
        })
    }
}

fn main() -> ExitCode {
    if let Err(error) = undumpable::make() {
        let error = anyhow::Error::new(error);
        output::complain(&error.context("can't keep this process from being looked into"));
        return Exit::BadInput.into();
    }
    let cli = Cli::parse();
    match cli.run() {
        Ok(exit) => exit.into(),
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            output::complain(&error);
            Exit::BadInput.into()
        }
    }
}
