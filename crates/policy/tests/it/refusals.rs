//! Replays `corpora/refused` and `corpora/accepted`: what the compiler must say no and yes to.

use std::fs;
use std::path::{Path, PathBuf};

use tenure_policy::language::{self, Diagnostics, Version};
use tenure_policy::{Lineage, diff};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn parse(file: &Path) -> Result<Version, Diagnostics> {
    let name = file.file_name().unwrap().to_string_lossy();
    language::parse(&name, &fs::read_to_string(file).unwrap())
}

/// Checks a file, or a folder with `old.toml` and `new.toml`, as `tenure policy check` does.
fn check(path: &Path) -> Result<Lineage, Diagnostics> {
    if path.is_dir() {
        Lineage::compile(vec![parse(&path.join("old.toml"))?, parse(&path.join("new.toml"))?])
    } else {
        Lineage::compile(vec![parse(path)?])
    }
}

/// The lines that a refusal must name, if the file says so.
fn lines(path: &Path) -> Option<std::ops::RangeInclusive<u32>> {
    let file = if path.is_dir() { path.join("new.toml") } else { path.to_owned() };
    let text = fs::read_to_string(file).unwrap();
    let second = text.lines().nth(1)?;
    if let Some(line) = second.strip_prefix("# line: ") {
        let line = line.trim().parse().unwrap();
        return Some(line..=line);
    }
    let (from, to) = second.strip_prefix("# lines: ")?.split_once('-')?;
    Some(from.trim().parse().unwrap()..=to.trim().parse().unwrap())
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("corpora").join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_policy_that_must_be_refused_is_refused_at_its_line() {
    let paths = corpus("refused");
    let mut wrong = Vec::new();
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy();
        match check(path) {
            Ok(_) => wrong.push(format!("{name}: accepted")),
            Err(Diagnostics(found)) => {
                let file = if path.is_dir() { "new.toml" } else { &*name };
                let Some(lines) = lines(path) else { continue };
                if !found.iter().any(|one| one.file == file && lines.contains(&one.at.line)) {
                    wrong.push(format!("{name}: nothing at {lines:?}, but {found:?}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), paths.len(), wrong.join("\n"));
    assert!(paths.len() >= 20, "only {} policies", paths.len());
}

#[test]
fn each_version_of_a_refused_pair_is_sound_by_itself() {
    for folder in corpus("refused").iter().filter(|path| path.is_dir()) {
        for file in ["old.toml", "new.toml"] {
            if let Err(error) = check(&folder.join(file)) {
                panic!("{}: {error}", folder.display());
            }
        }
    }
}

#[test]
fn every_policy_that_only_looks_wrong_is_accepted() {
    let wrong: Vec<String> = corpus("accepted")
        .iter()
        .filter_map(|path| check(path).err().map(|error| format!("{}: {error}", path.display())))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_refused_change_can_still_be_compared() {
    for folder in corpus("refused").iter().filter(|path| path.is_dir()) {
        let versions: Vec<_> =
            ["old.toml", "new.toml"].iter().map(|file| parse(&folder.join(file)).unwrap()).collect();
        let found = diff::between(&versions, &versions[0].name, &versions[1].name);
        assert!(found.is_some(), "{}", folder.display());
    }
}

fn complaints(text: &str) -> String {
    let version = language::parse("bad.toml", text);
    let found = version.and_then(|version| Lineage::compile(vec![version])).unwrap_err();
    found.to_string()
}

/// A small policy with a few lines of its own at the end.
fn with(rules: &str) -> String {
    format!(
        r#"policy = "p"
version = "1"
title = "P"
announced = 2025-01-01T00:00:00Z
effective = 2025-02-01T00:00:00Z
grace = "30 days"
bodies = ["content"]
[surfaces]
pro = {{ regime = "consumer" }}
api = {{ regime = "commercial" }}
zdr = {{ regime = "zero" }}
[purposes.train]
title = "Train"
ground = "consent"
regimes = ["consumer"]
{rules}"#
    )
}

#[test]
fn a_use_that_silence_allows_is_refused_with_the_case() {
    let text = with("[[use]]\npurpose = \"train\"\nwhen = { regime = \"consumer\" }\n");
    insta::assert_snapshot!(complaints(&text), @"");
}

#[test]
fn a_use_in_another_regime_is_refused_with_the_case() {
    let text = with("[[use]]\npurpose = \"train\"\nwhen = { standing.train = \"on\" }\n");
    insta::assert_snapshot!(complaints(&text), @"");
}

#[test]
fn a_body_under_zero_retention_is_refused_with_the_case() {
    let text = with(
        "[[keep]]\nclass = \"content\"\nfor = \"1 hours\"\nfrom = \"created\"\nwhy = \"w\"\nwhen = { deleted = false }\n",
    );
    insta::assert_snapshot!(complaints(&text), @"");
}

#[test]
fn a_never_that_fails_is_refused_with_the_rule_and_the_case() {
    let text = with(
        "[[keep]]\nclass = \"content\"\nfor = \"40 days\"\nfrom = \"created\"\nwhy = \"w\"\nwhen = { regime = \"consumer\" }\n\
         [[never]]\nkeep = \"content\"\nlonger_than = \"30 days\"\nwhen = { deleted = true }\n",
    );
    insta::assert_snapshot!(complaints(&text), @"");
}

#[test]
fn an_unknown_word_is_refused_with_the_words_that_exist() {
    let text = with("[[use]]\npurpose = \"train\"\nwhen = { standing.train = \"on\", colour = \"red\" }\n");
    insta::assert_snapshot!(complaints(&text), @"");
}
