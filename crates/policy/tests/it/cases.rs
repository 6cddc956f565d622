//! Replays `corpora/cases`: verdicts that were derived by hand from the specification.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenure_policy::{Answerer, Lineage, language};

pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The lineage in a file, or in a folder of versions.
fn lineage(path: &Path) -> Lineage {
    let files: Vec<PathBuf> = if path.is_dir() {
        let mut files: Vec<_> = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "toml"));
        files
    } else {
        vec![path.to_owned()]
    };
    let versions = files.iter().map(|file| {
        let text = fs::read_to_string(file).unwrap();
        language::parse(&file.display().to_string(), &text).unwrap_or_else(|error| panic!("{error}"))
    });
    Lineage::compile(versions.collect()).unwrap_or_else(|error| panic!("{error}"))
}

/// The policy that a file of cases is about has its name, in `policies` or in `corpora/policies`.
pub(super) fn policy_of(name: &str) -> Lineage {
    let places = ["policies", "corpora/policies"];
    let candidates = places
        .iter()
        .flat_map(|place| [root().join(place).join(name), root().join(place).join(format!("{name}.toml"))]);
    let found = candidates.into_iter().find(|path| path.exists());
    lineage(&found.unwrap_or_else(|| panic!("no policy for {name}")))
}

#[test]
fn every_case_of_the_corpora_has_exactly_the_verdict_that_was_derived_by_hand() {
    let mut compared = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root().join("corpora/cases")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".jsonl").filter(|name| !name.ends_with(".expected")) else {
            continue;
        };
        let lineage = policy_of(name);
        let mut answerer = Answerer::new(&lineage);
        let expected = fs::read_to_string(path.with_file_name(format!("{name}.expected.jsonl"))).unwrap();
        let cases = fs::read_to_string(&path).unwrap();
        assert_eq!(cases.lines().count(), expected.lines().count(), "{name}: a verdict for each case");
        for (case, expected) in cases.lines().zip(expected.lines()) {
            let mut out = Vec::new();
            let _ = answerer.answer(case.as_bytes(), &mut out);
            let mut answer: Value = serde_json::from_slice(&out).unwrap();
            let expected: Value = serde_json::from_str(expected).unwrap();
            if answer.get("error").is_some() && expected["error"] == Value::Bool(true) {
                answer["error"] = Value::Bool(true);
            }
            compared += 1;
            if answer != expected {
                wrong.push(format!("{name}:\n  expected {expected}\n  answered {answer}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared >= 40, "only {compared} cases");
}
