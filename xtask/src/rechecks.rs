//! Every check that a use case makes again inside its transaction, or before it destroys, is left out once, and a
//! test has to notice. `docs/design/0006-races.md` says how.

mod table;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Stdio;

use anyhow::Context as _;

use crate::steps::cargo;
use crate::{counted, say};
use table::RECHECKS;

/// One place of one file, and what stands there instead.
#[derive(Debug, Clone, Copy)]
struct Change {
    file: &'static str,
    text: &'static str,
    instead: &'static str,
}

/// A check, and the test that must fail without it.
#[derive(Debug, Clone, Copy)]
struct Recheck {
    /// What it is.
    name: &'static str,
    /// How it is left out.
    without: Change,
    /// A last line has nothing to catch while the lines before it hold: the mistake that it is there for, with
    /// which alone the test must pass.
    mistake: Option<Change>,
    package: &'static str,
    test: &'static str,
}

/// How a test went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Passed,
    Failed,
    NotCompiled,
    NotFound,
}

/// Leaves each check out in a copy of the workspace, or only those whose name has a word.
pub(crate) fn run(root: &Path, word: Option<&str>) -> anyhow::Result<()> {
    let place = root.join("target/rechecks");
    let copy = place.join("workspace");
    let mut missed = 0;
    for recheck in RECHECKS.iter().filter(|recheck| word.is_none_or(|word| recheck.name.contains(word))) {
        let verdict =
            try_out(root, &copy, &place, recheck).unwrap_or_else(|error| format!("NOT caught: {error:#}"));
        missed += usize::from(verdict.starts_with("NOT"));
        say(format_args!("{verdict:<11} {}: {}", recheck.name, recheck.test))?;
    }
    anyhow::ensure!(missed == 0, "{} without which no test fails", counted(missed, "check"));
    Ok(())
}

/// What came of leaving one check out.
fn try_out(root: &Path, copy: &Path, place: &Path, recheck: &Recheck) -> anyhow::Result<String> {
    let went = |changes: &[Change]| -> anyhow::Result<Went> {
        mirror(root, copy)?;
        for change in changes {
            let file = copy.join(change.file);
            let text = fs::read_to_string(&file).with_context(|| change.file.to_owned())?;
            fs::write(&file, changed(&text, change)?)?;
        }
        test(copy, place, recheck)
    };
    if let Some(mistake) = recheck.mistake {
        let alone = went(&[mistake])?;
        anyhow::ensure!(alone == Went::Passed, "with the mistake alone the test should pass, and {alone:?}");
    }
    let changes: Vec<Change> = recheck.mistake.into_iter().chain([recheck.without]).collect();
    Ok(match went(&changes)? {
        Went::Failed => "caught".to_owned(),
        other => format!("NOT caught ({other:?})"),
    })
}

fn changed(text: &str, change: &Change) -> anyhow::Result<String> {
    let found = text.matches(change.text).count();
    anyhow::ensure!(found == 1, "{}: the text of a check is there {found} times, not once", change.file);
    Ok(text.replace(change.text, change.instead))
}

/// Runs one test of the copy.
fn test(copy: &Path, place: &Path, recheck: &Recheck) -> anyhow::Result<Went> {
    let arguments = ["test", "-p", recheck.package, "--test", "it", "--quiet"];
    // Never the target folder of the workspace: cargo would take what was built of a changed copy for the workspace's.
    let target = place.join("target");
    let command = |last: &[&str]| {
        let mut command = cargo(arguments);
        command.args(last).current_dir(copy).env("CARGO_TARGET_DIR", &target).stdin(Stdio::null());
        command.output().context("can't run cargo")
    };
    if !command(&["--no-run"])?.status.success() {
        return Ok(Went::NotCompiled);
    }
    let ran = command(&["--", "--exact", "--include-ignored", recheck.test])?;
    let said = String::from_utf8_lossy(&ran.stdout);
    Ok(match (said.contains("running 1 test"), ran.status.success()) {
        (false, _) => Went::NotFound,
        (true, true) => Went::Passed,
        (true, false) => Went::Failed,
    })
}

/// Brings a copy of the workspace up to date. What is the same is not written, so that it is not compiled again.
fn mirror(root: &Path, copy: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(copy)?;
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(root)? {
        let entry = entry?;
        let name = entry.file_name();
        if [".git", "target", "node_modules"].iter().any(|left| name == *left) {
            continue;
        }
        let to = copy.join(&name);
        if entry.file_type()?.is_dir() {
            mirror(&entry.path(), &to)?;
        } else {
            let bytes = fs::read(entry.path())?;
            if fs::read(&to).ok().as_ref() != Some(&bytes) {
                fs::write(&to, bytes)?;
            }
        }
        names.insert(name);
    }
    for entry in fs::read_dir(copy)? {
        let entry = entry?;
        if names.contains(&entry.file_name()) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_of_the_table_is_where_the_table_says_once() {
        let root = crate::root().unwrap();
        let mut lost = Vec::new();
        for recheck in RECHECKS {
            let mut texts = std::collections::HashMap::new();
            for change in recheck.mistake.iter().chain([&recheck.without]) {
                let text = texts
                    .entry(change.file)
                    .or_insert_with(|| fs::read_to_string(root.join(change.file)).unwrap());
                match changed(text, change) {
                    Ok(next) => *text = next,
                    Err(error) => lost.push(format!("{}: {error}", recheck.name)),
                }
            }
        }
        assert!(lost.is_empty(), "{lost:#?}");
    }

    #[test]
    fn every_check_and_every_test_is_named_in_the_design() {
        let root = crate::root().unwrap();
        let design = fs::read_to_string(root.join("docs/design/0006-races.md")).unwrap();
        for recheck in RECHECKS {
            let test = recheck.test.rsplit("::").next().unwrap();
            assert!(design.contains(recheck.name), "the design does not name `{}`", recheck.name);
            assert!(design.contains(test), "the design does not name `{test}`");
        }
    }

    #[test]
    fn a_copy_becomes_what_it_is_a_copy_of() {
        let here = std::env::temp_dir().join(format!("tenure-rechecks-{}", std::process::id()));
        let (root, copy) = (here.join("root"), here.join("copy"));
        fs::create_dir_all(root.join("src")).unwrap();
        fs::create_dir_all(root.join("target")).unwrap();
        fs::create_dir_all(copy.join("gone")).unwrap();
        fs::write(root.join("src/a.rs"), "a").unwrap();
        fs::write(root.join("target/b"), "b").unwrap();
        fs::write(copy.join("c"), "c").unwrap();
        mirror(&root, &copy).unwrap();
        let found: Vec<_> = fs::read_dir(&copy).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(found, ["src"]);
        assert_eq!(fs::read_to_string(copy.join("src/a.rs")).unwrap(), "a");
        fs::remove_dir_all(here).unwrap();
    }
}
