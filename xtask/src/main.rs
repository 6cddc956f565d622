//! The house's own checks, and the one command that runs all of them.
//!
//! ```text
//! cargo xtask deps      which crate may use which, and what the pure ones must not touch
//! cargo xtask tidy      sizes, names and leftovers
//! cargo xtask verifier  the page that checks receipts: target/verifier/index.html
//! cargo xtask fuzz      the parsers on bytes that nobody thought of, for a few seconds each
//! cargo xtask servers   the servers that tests start, installed into the user's cache
//! cargo xtask rechecks  leaves out every check that is made twice, and sees that a test fails (takes a while)
//! cargo xtask deny      licences, sources and banned crates (installs cargo-deny, which takes minutes)
//! cargo xtask test      everything that must pass before a change goes in
//! cargo xtask ci        the same with cargo-deny installed, and a summary of slow tests
//! ```

mod deps;
mod fuzz;
mod metadata;
mod purity;
mod rechecks;
mod servers;
mod sources;
mod steps;
mod tidy;
mod tools;
mod verifier;
mod wasm;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

const USAGE: &str = "usage: cargo xtask deps|tidy|verifier|fuzz|servers|rechecks [WORD]|deny|test|ci";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do where even the complaint can't be written.
            drop(writeln!(io::stderr().lock(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().context(USAGE)?;
    let word = if command == "rechecks" { arguments.next() } else { None };
    anyhow::ensure!(arguments.next().is_none(), "{USAGE}");
    let root = root()?;
    match command.as_str() {
        "deps" => settle("deps", &deps::check(&root)?),
        "tidy" => {
            say_all(&tidy::long(&root)?)?;
            settle("tidy", &tidy::check(&root)?)
        }
        "verifier" => verifier::run(&root).map(drop),
        "fuzz" => fuzz::run(&root),
        "servers" => servers::install(&root),
        "rechecks" => rechecks::run(&root, word.as_deref()),
        "deny" => steps::deny(&root),
        "test" => steps::test(&root, steps::Profile::Default),
        "ci" => steps::test(&root, steps::Profile::Ci),
        _ => anyhow::bail!("there is no task `{command}`\n{USAGE}"),
    }
}

/// The root of the workspace, wherever the command was given.
fn root() -> anyhow::Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here.parent().context("the workspace has no root")?.to_owned())
}

/// Prints what a check found, and fails if that is anything.
fn settle(check: &str, findings: &[String]) -> anyhow::Result<()> {
    say_all(findings)?;
    anyhow::ensure!(findings.is_empty(), "{check}: {} to mend", counted(findings.len(), "finding"));
    say(format_args!("{check}: nothing to mend"))
}

fn say_all(lines: &[String]) -> anyhow::Result<()> {
    lines.iter().try_for_each(say)
}

/// Prints a line.
fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// A count with its noun.
fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
