//! The test command: one step after another, one line each, and an end at the first that fails.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::{counted, deps, say, say_all, tidy};

/// How nextest runs: its profiles are in `.config/nextest.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// At a desk.
    Default,
    /// By a machine that nobody watches.
    Ci,
}

/// What a step shows while it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// Nothing, unless it fails.
    Failure,
    /// Everything.
    All,
}

/// Runs every check and every test. What can be known in seconds comes first.
pub(crate) fn test(root: &Path, profile: Profile) -> anyhow::Result<()> {
    let started = Instant::now();
    let run = |name: &str, shows: Shows, command: &mut Command| step(name, || execute(root, shows, command));
    run("format", Shows::Failure, &mut cargo(["fmt", "--all", "--check"]))?;
    step("dependencies", || nothing(&deps::check(root)?))?;
    step("tidiness", || nothing(&tidy::check(root)?))?;
    run("clippy", Shows::Failure, &mut cargo(["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    if !has(root, "nextest") {
        run("nextest, to be installed", Shows::Failure, &mut install("cargo-nextest"))?;
    }
    if !python_installs(root) {
        run("pip, to be installed", Shows::Failure, &mut install_pip())?;
    }
    let nextest = match profile {
        Profile::Default => "default",
        Profile::Ci => "ci",
    };
    run("tests", Shows::All, &mut cargo(["nextest", "run", "--cargo-quiet", "--profile", nextest]))?;
    run("examples in the documentation", Shows::Failure, &mut cargo(["test", "--quiet", "--doc"]))?;
    let mut documentation = cargo(["doc", "--no-deps"]);
    run("documentation", Shows::Failure, documentation.env("RUSTDOCFLAGS", "-D warnings"))?;
    if profile == Profile::Ci || has(root, "deny") {
        deny(root)?;
    } else {
        say(format_args!(
            "skipped  licences and sources: cargo-deny is missing, `cargo xtask deny` installs it"
        ))?;
    }
    say(format_args!("passed   everything, in {}", words(started.elapsed())))
}

/// Checks licences, sources and banned crates. What is known to be unsafe needs the network and is not
/// asked here: `cargo deny check advisories`.
pub(crate) fn deny(root: &Path) -> anyhow::Result<()> {
    if !has(root, "deny") {
        step("cargo-deny, to be installed", || execute(root, Shows::Failure, &mut install("cargo-deny")))?;
    }
    let mut check = cargo(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    step("licences and sources", || execute(root, Shows::Failure, &mut check))
}

fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments);
    command
}

fn install(tool: &str) -> Command {
    cargo(["install", "--quiet", "--locked", tool])
}

/// Whether Python can install packages: one test runs on real data that a package carries.
fn python_installs(root: &Path) -> bool {
    let mut ask = Command::new("python3");
    ask.args(["-m", "pip", "--version"]).current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// Debian's package; elsewhere this fails and says so, and pip is to be installed by hand.
fn install_pip() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["install", "--yes", "--quiet", "python3-pip"]);
    command
}

/// Whether cargo has a subcommand.
fn has(root: &Path, subcommand: &str) -> bool {
    let mut ask = cargo([subcommand, "--version"]);
    ask.current_dir(root).stdout(Stdio::null()).stderr(Stdio::null());
    ask.status().is_ok_and(|status| status.success())
}

/// Runs a step, and says how it went and how long it took.
fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    say(format_args!("runs     {name}"))?;
    let started = Instant::now();
    work().with_context(|| format!("{name} failed after {}", words(started.elapsed())))?;
    say(format_args!("passed   {name}, in {}", words(started.elapsed())))
}

/// Runs a command at the root. What it wrote in silence is shown if it fails.
fn execute(root: &Path, shows: Shows, command: &mut Command) -> anyhow::Result<()> {
    command.current_dir(root).stdin(Stdio::null());
    let status = match shows {
        Shows::All => command.status().context("can't run cargo")?,
        Shows::Failure => {
            // One pipe for both streams keeps the lines in the order in which they were written.
            let (mut reader, writer) = io::pipe()?;
            let mut child =
                command.stdout(writer.try_clone()?).stderr(writer).spawn().context("can't run cargo")?;
            // The command holds the pipe's other end, and the pipe ends only once nobody does.
            command.stdout(Stdio::null()).stderr(Stdio::null());
            let mut written = Vec::new();
            reader.read_to_end(&mut written)?;
            let status = child.wait()?;
            if !status.success() {
                io::stdout().lock().write_all(&written)?;
            }
            status
        }
    };
    anyhow::ensure!(status.success(), "`{}` ended with {status}", line(command));
    Ok(())
}

/// The command as it would be typed.
fn line(command: &Command) -> String {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Fails with the findings, if there are any.
fn nothing(findings: &[String]) -> anyhow::Result<()> {
    say_all(findings)?;
    anyhow::ensure!(findings.is_empty(), "{} to mend", counted(findings.len(), "finding"));
    Ok(())
}

fn words(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..120 => format!("{seconds} s"),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_named_as_it_would_be_typed() {
        let command = cargo(["--list", "--no-such-option"]);
        let line = line(&command);
        assert_eq!(line, "cargo --list --no-such-option");
    }

    #[test]
    fn a_long_time_is_told_in_minutes() {
        assert_eq!(words(Duration::from_secs(119)), "119 s");
        assert_eq!(words(Duration::from_secs(185)), "3 min 5 s");
    }
}
