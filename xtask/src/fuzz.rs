//! The fuzz targets: each runs over its saved inputs, and then a little beyond them.
//!
//! They are a workspace of their own, in `fuzz`, since they are built with other flags than everything else. A
//! target is a file of `fuzz/fuzz_targets` with a `[[bin]]` of `fuzz/Cargo.toml`, and inputs in `fuzz/corpus`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

use crate::steps::{Shows, cargo, execute, step};
use crate::{sources, tools};

const MANIFEST: &str = "fuzz/Cargo.toml";
/// Where they are built, and where the inputs lie that a run comes upon.
const TARGET: &str = "target/fuzz";
/// How long each target goes on after its saved inputs.
const SECONDS: u32 = 5;
/// No parser may take longer over one input.
const SECONDS_FOR_ONE: u32 = 5;

/// Builds the targets and runs each for a few seconds.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    tools::fuzz(root)?;
    step("fuzz targets, to be built", || {
        execute(root, Shows::Failure, &mut locked())?;
        execute(root, Shows::Failure, &mut build())
    })?;
    for target in targets(root)? {
        step(&format!("fuzz target {target}"), || short(root, &target))?;
    }
    Ok(())
}

/// Checks how the targets are formatted.
pub(crate) fn format() -> Command {
    cargo(["fmt", "--manifest-path", MANIFEST, "--check"])
}

/// Checks the targets as clippy checks everything else.
pub(crate) fn clippy() -> Command {
    let mut clippy = cargo(["clippy", "--manifest-path", MANIFEST, "--target-dir", TARGET, "--locked"]);
    // Nothing is linked, so the fuzzer itself, which is written in C++, need not be built: any path will do.
    clippy.args(["--", "-D", "warnings"]).env("CUSTOM_LIBFUZZER_PATH", "/dev/null");
    clippy
}

/// Refuses a lock file that building would change.
fn locked() -> Command {
    cargo(["metadata", "--quiet", "--format-version", "1", "--manifest-path", MANIFEST, "--locked"])
}

/// Without a sanitizer: there is no unsafe code of ours to watch, and it would need an unstable compiler.
fn build() -> Command {
    cargo(["fuzz", "build", "--sanitizer", "none", "--target-dir", TARGET])
}

/// Runs one target. What it comes upon goes to the target folder, so that the saved inputs stay as they are.
fn short(root: &Path, target: &str) -> anyhow::Result<()> {
    let saved = format!("fuzz/corpus/{target}");
    anyhow::ensure!(root.join(&saved).is_dir(), "`{saved}` is missing: give the target inputs to start from");
    let found = format!("{TARGET}/found/{target}");
    drop(fs::remove_dir_all(root.join(&found)));
    fs::create_dir_all(root.join(&found)).with_context(|| format!("can't make {found}"))?;
    let mut run = cargo(["fuzz", "run", "--sanitizer", "none", "--target-dir", TARGET, target]);
    // The first folder is written to, the others are only read.
    run.args([found, saved]).args(["--", "-seed=1"]);
    run.args([format!("-max_total_time={SECONDS}"), format!("-timeout={SECONDS_FOR_ONE}")]);
    execute(root, Shows::Failure, &mut run)
}

/// The names of the targets.
fn targets(root: &Path) -> anyhow::Result<Vec<String>> {
    let sources = sources::read(root, "fuzz/fuzz_targets", &["rs"])?;
    let name = |source: &sources::Source| Some(source.path.file_stem()?.to_str()?.to_owned());
    Ok(sources.iter().filter_map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_built_and_has_inputs_to_start_from() {
        let root = crate::root().unwrap();
        let manifest: toml::Table = fs::read_to_string(root.join(MANIFEST)).unwrap().parse().unwrap();
        let mut built: Vec<&str> =
            manifest["bin"].as_array().unwrap().iter().filter_map(|bin| bin["name"].as_str()).collect();
        built.sort_unstable();
        let targets = targets(&root).unwrap();
        assert_eq!(built, targets);
        for target in targets {
            let inputs = fs::read_dir(root.join("fuzz/corpus").join(&target)).unwrap();
            assert!(inputs.count() > 0, "{target}");
        }
    }
}
