//! The test command: one step after another, one line each, and an end at the first that fails.

use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::{counted, deps, fuzz, say, say_all, servers, tidy, tools, verifier};

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
pub(crate) enum Shows {
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
    run("format of the fuzz targets", Shows::Failure, &mut fuzz::format())?;
    step("dependencies", || nothing(&deps::check(root)?))?;
    step("tidiness", || nothing(&tidy::check(root)?))?;
    run("clippy", Shows::Failure, &mut cargo(["clippy", "--all-targets", "--", "-D", "warnings"]))?;
    run("clippy of the fuzz targets", Shows::Failure, &mut fuzz::clippy())?;
    tools::nextest(root)?;
    tools::pip(root)?;
    tools::go(root)?;
    servers::install(root)?;
    if verifier::run(root)? {
        tools::browser(root)?;
    }
    let nextest = match profile {
        Profile::Default => "default",
        Profile::Ci => "ci",
    };
    run("tests", Shows::All, &mut cargo(["nextest", "run", "--cargo-quiet", "--profile", nextest]))?;
    run("examples in the documentation", Shows::Failure, &mut cargo(["test", "--quiet", "--doc"]))?;
    let mut documentation = cargo(["doc", "--no-deps"]);
    run("documentation", Shows::Failure, documentation.env("RUSTDOCFLAGS", "-D warnings"))?;
    fuzz::run(root)?;
    if profile == Profile::Ci || tools::has(root, "deny") {
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
    tools::deny(root)?;
    let mut check = cargo(["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]);
    step("licences and sources", || execute(root, Shows::Failure, &mut check))
}

pub(crate) fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let mut command = Command::new("cargo");
    command.args(arguments);
    command
}

/// Runs a step, and says how it went and how long it took.
pub(crate) fn step(name: &str, work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<()> {
    say(format_args!("runs     {name}"))?;
    let started = Instant::now();
    work().with_context(|| format!("{name} failed after {}", words(started.elapsed())))?;
    say(format_args!("passed   {name}, in {}", words(started.elapsed())))
}

/// Runs a command at the root. What it wrote in silence is shown if it fails.
pub(crate) fn execute(root: &Path, shows: Shows, command: &mut Command) -> anyhow::Result<()> {
    command.current_dir(root).stdin(Stdio::null());
    let line = line(command);
    let missing = || format!("can't run `{line}`");
    let status = match shows {
        Shows::All => command.status().with_context(missing)?,
        Shows::Failure => {
            // One pipe for both streams keeps the lines in the order in which they were written.
            let (mut reader, writer) = io::pipe()?;
            let mut child =
                command.stdout(writer.try_clone()?).stderr(writer).spawn().with_context(missing)?;
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
    anyhow::ensure!(status.success(), "`{line}` ended with {status}");
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
