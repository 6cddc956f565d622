//! Style that a program can hold: sizes, names, leftovers, files that nothing compiles.

use std::collections::BTreeSet;
use std::path::{Component, Path};

use crate::sources::{self, Source};

/// The most lines of a file.
const LINES_MAX: usize = 800;
/// From here on a file is listed, so that somebody thinks about it.
const LINES_LISTED: usize = 500;
/// The longest files are listed, not all.
const LISTED_MAX: usize = 10;
/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] = &["util", "utils", "helper", "helpers", "manager", "managers", "misc"];
/// Words of work that was left. They are put together here so that this file may be read too.
const LEFTOVERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
const FOLDERS: &[&str] = &["crates", "xtask", "benches", "fuzz/fuzz_targets"];

/// Everything that is untidy.
pub(crate) fn check(root: &Path) -> anyhow::Result<Vec<String>> {
    let sources = read(root)?;
    let mut findings: Vec<String> = sources.iter().flat_map(untidy).collect();
    findings.extend(uncompiled(&sources));
    Ok(findings)
}

/// The longest files that are still allowed, a line for each.
pub(crate) fn long(root: &Path) -> anyhow::Result<Vec<String>> {
    let sources = read(root)?;
    let mut long: Vec<_> = sources.iter().map(|source| (source.text.lines().count(), source)).collect();
    long.retain(|(lines, _)| (LINES_LISTED..=LINES_MAX).contains(lines));
    long.sort_by_key(|(lines, _)| std::cmp::Reverse(*lines));
    let say =
        |(lines, source): &(usize, &Source)| format!("long: {} has {lines} lines", source.path.display());
    Ok(long.iter().take(LISTED_MAX).map(say).collect())
}

fn read(root: &Path) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    for folder in FOLDERS {
        sources.extend(sources::read(root, folder, &["rs", "html", "css", "js"])?);
    }
    Ok(sources)
}

/// What is untidy about one file.
fn untidy(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    let path = source.path.display();
    let lines = source.text.lines().count();
    if lines > LINES_MAX {
        findings.push(format!("{path}: {lines} lines, and at most {LINES_MAX} are allowed: split it"));
    }
    let parts = source.path.components().filter_map(|part| match part {
        Component::Normal(part) => Path::new(part).file_stem()?.to_str(),
        _ => None,
    });
    for part in parts.filter(|part| EMPTY_NAMES.contains(part)) {
        findings.push(format!("{path}: `{part}` says nothing: name it after what is inside"));
    }
    let file = source.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if matches!(file, "lib.rs" | "main.rs") && !source.text.starts_with("//!") {
        findings.push(format!("{path}: begin with `//!` and say what this is for"));
    }
    for (number, line) in source.text.lines().enumerate() {
        for word in LEFTOVERS.iter().filter(|word| has_word(line, word)) {
            findings.push(format!("{path}:{}: `{word}`: do it, or file it", number + 1));
        }
    }
    findings
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric()).any(|part| part == word)
}

/// The sources that no `mod` names: nothing compiles them, and nothing else would say so.
fn uncompiled(sources: &[Source]) -> Vec<String> {
    let mut declared: BTreeSet<(&Path, &str)> = BTreeSet::new();
    for source in sources {
        let Some((krate, _)) = in_crate(&source.path) else { continue };
        declared.extend(source.text.lines().filter_map(declares).map(|module| (krate, module)));
    }
    let lost = |source: &&Source| {
        let module = in_crate(&source.path).and_then(|(krate, inside)| Some((krate, module(inside)?)));
        module.is_some_and(|module| !declared.contains(&module))
    };
    let say =
        |source: &Source| format!("{}: no `mod` names it, so it is never compiled", source.path.display());
    sources.iter().filter(lost).map(say).collect()
}

/// The crate's folder, and the path in it.
fn in_crate(path: &Path) -> Option<(&Path, &Path)> {
    let depth = if path.starts_with("crates") { 2 } else { 1 };
    let krate = path.ancestors().find(|folder| folder.components().count() == depth)?;
    Some((krate, path.strip_prefix(krate).ok()?))
}

/// The module that a file must be declared as; `None` for what cargo finds by itself.
fn module(inside: &Path) -> Option<&str> {
    let is_module =
        inside.starts_with("src") && !inside.starts_with("src/bin") || inside.starts_with("tests/it");
    let is_rust = inside.extension().is_some_and(|of| of == "rs");
    let name = inside.file_stem()?.to_str()?;
    match name {
        _ if !is_module || !is_rust => None,
        "lib" | "main" => None,
        "mod" => inside.parent()?.file_name()?.to_str(),
        _ => Some(name),
    }
}

/// The module that a line declares to lie in a file of its own.
fn declares(line: &str) -> Option<&str> {
    if let Some(file) = line.trim().strip_prefix("#[path = \"") {
        return file.strip_suffix(".rs\"]");
    }
    let (visibility, module) = line.trim().strip_suffix(';')?.split_once("mod ")?;
    (visibility.is_empty() || visibility.starts_with("pub")).then_some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.into(), text: text.to_owned() }
    }

    #[test]
    fn a_file_has_at_most_800_lines() {
        assert!(untidy(&source("crates/a/src/b.rs", &"\n".repeat(800))).is_empty());
        assert_eq!(untidy(&source("crates/a/src/b.rs", &"\n".repeat(801))).len(), 1);
    }

    #[test]
    fn a_name_says_what_is_inside() {
        for path in ["crates/a/src/utils.rs", "crates/a/src/helpers/mod.rs", "crates/a/src/manager.rs"] {
            assert_eq!(untidy(&source(path, "")).len(), 1, "{path}");
        }
    }

    #[test]
    fn a_crate_begins_by_saying_what_it_is_for() {
        assert_eq!(untidy(&source("crates/a/src/lib.rs", "mod b;\n")).len(), 1);
        assert!(untidy(&source("crates/a/src/lib.rs", "//! Bees.\nmod b;\n")).is_empty());
    }

    #[test]
    fn work_that_was_left_is_found_by_its_word_alone() {
        for word in LEFTOVERS {
            assert_eq!(untidy(&source("crates/a/src/b.rs", &format!("// {word}: later"))).len(), 1);
            assert!(untidy(&source("crates/a/src/b.rs", &format!("// {word}RROW"))).is_empty());
        }
    }

    #[test]
    fn a_file_that_no_module_names_is_found() {
        let sources = [
            source("crates/a/src/lib.rs", "pub(crate) mod b;\nmod d;\n#[path = \"e_tests.rs\"]\nmod tests;"),
            source("crates/a/src/b.rs", ""),
            source("crates/a/src/c.rs", ""),
            source("crates/a/src/d/mod.rs", ""),
            source("crates/a/src/e_tests.rs", ""),
            source("crates/a/tests/it/main.rs", ""),
            source("crates/a/examples/e.rs", ""),
            source("crates/f/src/b.rs", ""),
        ];
        let findings = uncompiled(&sources);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(
            findings.iter().all(|finding| finding.contains("a/src/c.rs") || finding.contains("f/src/b.rs"))
        );
    }
}
