//! `tenure ledger`: what the operator does with the log, and what others do to check it.

pub(super) mod arguments;
mod follow;
mod key;
mod publish;
mod serve;
mod verify;

use clap::Subcommand;

use super::Global;
use crate::Exit;
pub(super) use serve::OwnLog;

#[derive(Debug, Subcommand)]
pub(crate) enum Ledger {
    /// Verify the whole log against the store: statements, tiles, chains, and what they describe
    ///
    /// Exit code 0 if all is well, 1 if anything is not.
    Verify(verify::Verify),
    /// Serve the log's tiles over HTTP, for whoever wants to verify it
    Serve(serve::Serve),
    /// Write the log's tiles into a folder, for any web server to serve
    Publish(publish::Publish),
    /// Follow a log from outside, and raise an alarm if it forks
    ///
    /// Exit code 1 on an alarm.
    Follow(follow::Follow),
    /// Show, rotate, retire, back up and restore the keys that sign the log
    #[command(subcommand)]
    Key(key::Key),
}

impl Ledger {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Verify(command) => command.run(global),
            Self::Serve(command) => command.run(global),
            Self::Publish(command) => command.run(global),
            Self::Follow(command) => command.run(global),
            Self::Key(command) => command.run(global),
        }
    }
}
