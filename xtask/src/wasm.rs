//! A compiler for WebAssembly: the usual one with a target that rustup adds, or else Debian's own.
//!
//! Debian builds browsers with a recent compiler, and has the sources of its standard library, which is then
//! built along. It brings no linker for WebAssembly. Every toolchain of rustup does.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::steps::step;
use crate::{say, tools};

/// WebAssembly that is given nothing: no files, no network, no clock.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

const PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];
const CARGO: &str = "/usr/bin/cargo";
const RUSTC: &str = "/usr/bin/rustc";
const LIBRARY: &str = "/usr/lib/rustlib/src/rust/library/std/Cargo.toml";

/// What was looked for.
#[derive(Debug)]
pub(crate) enum Found {
    /// A cargo that builds for [`TARGET`]: its subcommand comes next.
    Cargo(Command),
    /// Nothing, for this reason.
    Nothing(String),
}

/// Looks for a cargo that builds WebAssembly, and installs one if it may.
pub(crate) fn cargo(root: &Path) -> anyhow::Result<Found> {
    if libraries(&["--target", TARGET])?.is_dir() || added()? {
        return Ok(Found::Cargo(Command::new("cargo")));
    }
    if !Path::new(RUSTC).exists() && tools::offers(root, &PACKAGES)? {
        step("Debian's compiler for WebAssembly, to be installed", || tools::debian(root, &PACKAGES))?;
    }
    debian()
}

/// Has rustup add the target, if there is a rustup, and if it can.
fn added() -> anyhow::Result<bool> {
    if !tools::answers(Command::new("rustup").arg("--version")) {
        return Ok(false);
    }
    say(format_args!("runs     rustup target add {TARGET}"))?;
    let added = tools::answers(Command::new("rustup").args(["target", "add", TARGET]));
    say(if added { "passed   it is there" } else { "skipped  rustup can't add it" })?;
    Ok(added)
}

/// Debian's cargo, told to build the standard library along.
fn debian() -> anyhow::Result<Found> {
    let wanted = env!("CARGO_PKG_RUST_VERSION");
    let linker = libraries(&[])?.with_file_name("bin").join("rust-lld");
    let nothing =
        |reason: &str| Ok(Found::Nothing(format!("{reason}; what it needs is `rustup target add {TARGET}`")));
    if !Path::new(RUSTC).exists() || !Path::new(CARGO).exists() {
        return nothing("no compiler here knows WebAssembly");
    }
    if !is_at_least(&told(Command::new(RUSTC).arg("--version"))?, wanted) {
        return nothing(&format!("{RUSTC} is older than {wanted}"));
    }
    if !Path::new(LIBRARY).exists() {
        return nothing(&format!("{RUSTC} has no standard library for it, and no sources to build it from"));
    }
    if !linker.exists() {
        return nothing("no toolchain of rustup is there to link it");
    }
    let mut cargo = Command::new(CARGO);
    // A stable compiler builds its standard library when it is told that this is its bootstrap.
    cargo.args(["-Z", "build-std=std,panic_abort"]).env("RUSTC_BOOTSTRAP", "1");
    cargo.env("RUSTC", RUSTC).env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
    Ok(Found::Cargo(cargo))
}

/// Where the usual compiler has, or would have, the libraries of a target.
fn libraries(target: &[&str]) -> anyhow::Result<PathBuf> {
    told(Command::new("rustc").args(["--print", "target-libdir"]).args(target)).map(PathBuf::from)
}

/// What a command says.
fn told(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("can't run {name}"))?;
    anyhow::ensure!(output.status.success(), "{name} ended with {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Whether what a compiler says about its version is no older than a release.
fn is_at_least(said: &str, wanted: &str) -> bool {
    let release = said.split(' ').nth(1).and_then(numbers);
    release.is_some() && release >= numbers(wanted)
}

/// The first two numbers of a version.
fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map_while(|part| part.parse().ok());
    Some((numbers.next()?, numbers.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_compiler_is_told_from_a_newer() {
        assert!(is_at_least("rustc 1.96.0 (ac68faa20 2026-05-25) (built from a source tarball)", "1.95"));
        assert!(is_at_least("rustc 1.100.0", "1.95"));
        assert!(is_at_least("rustc 2.0.0-beta.1", "1.95"));
        assert!(!is_at_least("rustc 1.85.0", "1.95"));
        assert!(!is_at_least("error", "1.95"));
    }

    #[test]
    fn the_release_that_the_workspace_wants_is_known() {
        assert!(numbers(env!("CARGO_PKG_RUST_VERSION")).is_some());
    }

    #[test]
    fn the_usual_compiler_says_where_its_libraries_are() {
        assert!(libraries(&[]).unwrap().is_dir());
    }
}
