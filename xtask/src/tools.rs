//! What the checks need and a machine may lack: each is asked for, and installed if it is not there.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::say;
use crate::steps::{Shows, cargo, execute, step};

/// Where Debian keeps the lists of its packages, and where it puts Go's packages of notes and logs.
const PACKAGE_LISTS: &str = "/var/lib/apt/lists";
const X_MOD: &str = "/usr/share/gocode/src/golang.org/x/mod/sumdb/tlog";

/// Runs the tests.
pub(crate) fn nextest(root: &Path) -> anyhow::Result<()> {
    cargo_tool(root, "nextest", "cargo-nextest")
}

/// Checks licences and sources.
pub(crate) fn deny(root: &Path) -> anyhow::Result<()> {
    cargo_tool(root, "deny", "cargo-deny")
}

/// Builds and runs the fuzz targets. The fuzzer itself is written in C++.
pub(crate) fn fuzz(root: &Path) -> anyhow::Result<()> {
    if !answers(Command::new("c++").arg("--version")) {
        step("a C++ compiler, to be installed", || debian(root, &["g++"]))?;
    }
    cargo_tool(root, "fuzz", "cargo-fuzz")
}

fn cargo_tool(root: &Path, subcommand: &str, tool: &str) -> anyhow::Result<()> {
    if has(root, subcommand) {
        return Ok(());
    }
    let mut install = cargo(["install", "--quiet", "--locked", tool]);
    step(&format!("{tool}, to be installed"), || execute(root, Shows::Failure, &mut install))
}

/// Whether cargo has a subcommand.
pub(crate) fn has(root: &Path, subcommand: &str) -> bool {
    answers(cargo([subcommand, "--version"]).current_dir(root))
}

/// Python's installer: one test runs on real data that a package carries. Where there is no Debian this fails
/// and says so, and pip is to be installed by hand.
pub(crate) fn pip(root: &Path) -> anyhow::Result<()> {
    if answers(Command::new("python3").args(["-m", "pip", "--version"])) {
        return Ok(());
    }
    step("pip, to be installed", || debian(root, &["python3-pip"]))
}

/// Go, and its packages of notes and logs: one test compares ours with them. It is skipped where they are
/// missing and can't be installed.
pub(crate) fn go(root: &Path) -> anyhow::Result<()> {
    if Path::new(X_MOD).is_dir() && answers(Command::new("go").arg("version")) {
        return Ok(());
    }
    if !may_install() {
        return say(format_args!(
            "skipped  the comparison with Go: install Debian's `golang-go` and `golang-golang-x-mod-dev` for it"
        ));
    }
    let packages = ["golang-go", "golang-golang-x-mod-dev"];
    step("Go and its packages of logs, to be installed", || debian(root, &packages))
}

/// Node and Chromium: tests run the verifier for the browser in them. They are skipped where these are missing
/// and can't be installed.
pub(crate) fn browser(root: &Path) -> anyhow::Result<()> {
    let programs = [("node", "nodejs"), ("chromium", "chromium")];
    let missing =
        programs.into_iter().filter(|(program, _)| !answers(Command::new(program).arg("--version")));
    let packages: Vec<&str> = missing.map(|(_, package)| package).collect();
    if packages.is_empty() {
        return Ok(());
    }
    if !offers(root, &packages)? {
        let wanted = packages.join(" and ");
        return say(format_args!("skipped  the verifier in a browser: install {wanted} for it"));
    }
    step(&format!("{}, to be installed", packages.join(" and ")), || debian(root, &packages))
}

/// Whether this is Debian, we are its administrator, and it has all of these packages.
pub(crate) fn offers(root: &Path, packages: &[&str]) -> anyhow::Result<bool> {
    if !may_install() {
        return Ok(false);
    }
    learn_packages(root)?;
    Ok(packages.iter().all(|package| answers(Command::new("apt-cache").args(["show", package]))))
}

/// Whether this is Debian, and we are its administrator.
fn may_install() -> bool {
    let user = Command::new("id").arg("-u").output();
    Path::new("/etc/debian_version").exists() && user.is_ok_and(|user| user.stdout.trim_ascii() == b"0")
}

/// Installs packages of Debian, unless another would have to go for them.
pub(crate) fn debian(root: &Path, packages: &[&str]) -> anyhow::Result<()> {
    learn_packages(root)?;
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "--yes", "--quiet", "--no-install-recommends", "--no-remove"]).args(packages);
    execute(root, Shows::Failure, &mut install)
}

/// Asks which packages there are, if that is not known yet.
fn learn_packages(root: &Path) -> anyhow::Result<()> {
    if knows_packages(Path::new(PACKAGE_LISTS)) {
        return Ok(());
    }
    execute(root, Shows::Failure, Command::new("apt-get").args(["update", "--quiet"]))
}

/// Whether a folder has lists of packages in it.
fn knows_packages(lists: &Path) -> bool {
    let mut entries = fs::read_dir(lists).into_iter().flatten().flatten();
    entries.any(|entry| entry.file_name().to_string_lossy().contains("_Packages"))
}

/// Whether a command is there and content.
pub(crate) fn answers(command: &mut Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_is_missing_or_fails_does_not_answer() {
        assert!(answers(Command::new("cargo").arg("--version")));
        assert!(!answers(Command::new("cargo").arg("--no-such-option")));
        assert!(!answers(&mut Command::new("no-such-command-anywhere")));
    }

    #[test]
    fn packages_are_not_known_where_there_is_no_list_of_them() {
        assert!(!knows_packages(Path::new("no/such/folder")));
        assert!(!knows_packages(Path::new(env!("CARGO_MANIFEST_DIR"))));
    }
}
