//! One module a command: its arguments, and a `run` that calls the use case and shows the answer.

mod account;
mod acknowledge;
mod as_person;
mod attest;
mod backup;
mod change;
mod decide;
mod demo;
mod destruction;
mod doctor;
mod erase;
mod erasure;
mod explain;
mod feedback;
mod flag;
mod hold;
mod import;
mod init;
mod key;
mod keys;
mod ledger;
mod policy;
mod publish;
mod receipt;
mod restore;
mod run;
mod serve;
mod shell;
mod sweep;
mod verdict;
mod witness;

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

    /// Opens the data folder to look at it, whatever state it is in: nothing can be written.
    pub(crate) fn inspect(&self, at: At) -> anyhow::Result<Session> {
        session::inspect(&self.data, at.at)
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
    /// Play five years of a policy change, on simulated time
    Demo(demo::Demo),
    /// Serve the API and the ledger, and do what must be done again and again
    ///
    /// Ends when it is told to (SIGTERM, ctrl-c), with code 0. Code 2 if a setting is wrong, and 1 if the settings are right
    /// and it can't be served, such as where another process has the folder.
    Serve(serve::Serve),
    /// Make a data folder, with a key folder beside it
    Init(init::Init),
    /// Read, compare and publish the terms
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Take conversations in from files
    ///
    /// Exit code 1 if nothing of what was offered was taken, 2 if the input can't be read; then nothing is changed.
    Import(import::Import),
    /// Open an account, tell more about it, or show how it stands
    Account(account::Account),
    /// Record that a person was told of a version
    Inform(acknowledge::Inform),
    /// Record that a person acknowledged a version without deciding
    Acknowledge(acknowledge::Acknowledge),
    /// Record what a person decided, or a file of decisions
    ///
    /// Exit code 2 if any line of a file was not recorded; the others were.
    Decide(decide::Decide),
    /// Record that a classifier flagged a record, or found nothing
    Flag(flag::Flag),
    /// Record that feedback was given on a record
    Feedback(feedback::Feedback),
    /// Say what is kept of a record until when and why, what it is used for, and what would change that
    Explain(explain::Explain),
    /// Record that a person asks for deletion: of a conversation, or of everything
    Erase(erase::Erase),
    /// Check that the folder is sound
    ///
    /// Exit code 0 if it is, 1 if something was found that should not be.
    Doctor(doctor::Doctor),
    /// Take backups, and say which are kept
    ///
    /// A backup goes together with the journal in the key folder, which has all that is written after it.
    Backup(backup::Backup),
    /// Bring a backup back, with all that was deleted, decided and held since
    ///
    /// Exit code 1 if what was said in some records could not be brought back.
    Restore(restore::Restore),
    /// Destroy what is due
    ///
    /// Exit code 1 if it did not begin: more is due than it may destroy without being told, destruction is paused, or
    /// the question was answered with no. Exit code 2 if another process sweeps, or something failed.
    Sweep(sweep::Sweep),
    /// Stop all destruction, let it go on, and say within which time it must be done
    #[command(subcommand)]
    Destruction(destruction::Destruction),
    /// Report how erasure goes, and certify what was destroyed
    #[command(subcommand)]
    Erasure(erasure::Erasure),
    /// Place, release and list orders to preserve
    #[command(subcommand)]
    Hold(hold::Hold),
    /// Mint, rotate, revoke and list the keys of the API
    #[command(subcommand)]
    Key(key::Key),
    /// Propose, approve and carry out changes that need two people
    #[command(subcommand)]
    Change(change::Change),
    /// Show and replace the root key that everything else is sealed under
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Verify, serve and follow the ledger, and keep its keys
    #[command(subcommand)]
    Ledger(ledger::Ledger),
    /// Open training runs, and see what was revoked since
    #[command(subcommand)]
    Run(run::Run),
    /// Cosign the checkpoints of logs that only grow
    Witness(witness::Witness),
    /// Give receipts, and verify them without anyone's help
    #[command(subcommand)]
    Receipt(receipt::Receipt),
    /// Sign what the ledger is now, for whoever is to hold the operator to it
    Attest(attest::Attest),
    /// Answer cases with verdicts, one JSON object a line
    Verdict(verdict::Verdict),
}

impl Cli {
    pub(crate) fn run(self) -> anyhow::Result<Exit> {
        match self.command {
            Command::Demo(command) => command.run(&self.global),
            Command::Serve(command) => command.run(&self.global),
            Command::Init(command) => command.run(&self.global),
            Command::Policy(command) => command.run(&self.global),
            Command::Import(command) => command.run(&self.global),
            Command::Account(command) => command.run(&self.global),
            Command::Inform(command) => command.run(&self.global),
            Command::Acknowledge(command) => command.run(&self.global),
            Command::Decide(command) => command.run(&self.global),
            Command::Flag(command) => command.run(&self.global),
            Command::Feedback(command) => command.run(&self.global),
            Command::Explain(command) => command.run(&self.global),
            Command::Erase(command) => command.run(&self.global),
            Command::Doctor(command) => command.run(&self.global),
            Command::Backup(command) => command.run(&self.global),
            Command::Restore(command) => command.run(&self.global),
            Command::Sweep(command) => command.run(&self.global),
            Command::Destruction(command) => command.run(&self.global),
            Command::Erasure(command) => command.run(&self.global),
            Command::Hold(command) => command.run(&self.global),
            Command::Key(command) => command.run(&self.global),
            Command::Change(command) => command.run(&self.global),
            Command::Keys(command) => command.run(&self.global),
            Command::Ledger(command) => command.run(&self.global),
            Command::Run(command) => command.run(&self.global),
            Command::Witness(command) => command.run(&self.global),
            Command::Receipt(command) => command.run(&self.global),
            Command::Attest(command) => command.run(&self.global),
            Command::Verdict(command) => command.run(),
        }
    }
}
