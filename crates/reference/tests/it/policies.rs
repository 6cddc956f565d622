//! Policies read from files.

use std::fs;
use std::path::{Path, PathBuf};

use tenure_policy::language::parse;
use tenure_reference::Lineage;

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The texts of a file, or of all TOML files of a folder.
fn texts(path: &Path) -> Vec<String> {
    if path.is_file() {
        return vec![fs::read_to_string(path).unwrap()];
    }
    let mut files: Vec<PathBuf> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

/// The lineage of some texts, or what is wrong with their words.
pub(crate) fn from_texts(texts: &[String]) -> Result<Lineage, String> {
    let versions: Result<Vec<_>, _> = texts.iter().map(|text| parse("policy.toml", text)).collect();
    Lineage::new(versions.map_err(|error| error.to_string())?)
}

pub(crate) fn from_path(path: &Path) -> Result<Lineage, String> {
    from_texts(&texts(path))
}

/// Everything in a folder, by name.
pub(crate) fn entries(folder: &str) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// The policies that the project ships.
pub(crate) fn shipped() -> Vec<(PathBuf, Lineage)> {
    let is_policy = |path: &PathBuf| path.is_dir() || path.extension().is_some_and(|ext| ext == "toml");
    let paths = entries("policies").into_iter().filter(is_policy);
    paths.map(|path| (path.clone(), from_path(&path).unwrap())).collect()
}

#[test]
fn every_shipped_policy_is_accepted() {
    for (path, lineage) in shipped() {
        assert_eq!(lineage.refusals(), [], "{}", path.display());
    }
}

#[test]
fn what_the_corpora_say_is_accepted_is_accepted() {
    for path in entries("corpora/accepted") {
        let lineage = from_path(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(lineage.refusals(), [], "{}", path.display());
    }
}

#[test]
fn what_the_corpora_say_is_refused_is_refused() {
    let mut accepted: Vec<String> = Vec::new();
    for path in entries("corpora/refused") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if from_path(&path).is_ok_and(|lineage| lineage.refusals().is_empty()) {
            accepted.push(name);
        }
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
}
