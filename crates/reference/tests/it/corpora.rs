//! The cases of the corpora, whose verdicts were worked out by hand.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tenure_reference::Tally;

use crate::policies::{entries, from_path, root};

/// The policy that a file of cases is about, by its name.
fn policy_of(name: &str) -> PathBuf {
    let places = ["policies", "corpora/policies"];
    let mut candidates = places.iter().flat_map(|place| {
        let place = root().join(place);
        [place.join(name), place.join(format!("{name}.toml"))]
    });
    candidates.find(|path| path.exists()).unwrap_or_else(|| panic!("no policy for the cases of {name}"))
}

#[test]
fn every_case_of_the_corpora_has_its_expected_verdict() {
    let mut wrong = Vec::new();
    for path in entries("corpora/cases") {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".jsonl").filter(|name| !name.ends_with(".expected")) else {
            continue;
        };
        let lineage = from_path(&policy_of(name)).unwrap();
        let cases = fs::read_to_string(&path).unwrap();
        let expected = fs::read_to_string(path.with_extension("expected.jsonl")).unwrap();
        assert_eq!(cases.lines().count(), expected.lines().count(), "{name}");
        for (case, expected) in cases.lines().zip(expected.lines()) {
            let expected: Value = serde_json::from_str(expected).unwrap();
            let found = lineage.answer(case, &mut Tally::new());
            // The words of an error are each implementation's own.
            let same = if expected.get("error").is_some() {
                found["case"] == expected["case"] && found.get("error").is_some()
            } else {
                found == expected
            };
            if !same {
                wrong.push(format!("{name} {}\n  expected {expected}\n  found    {found}", expected["case"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
