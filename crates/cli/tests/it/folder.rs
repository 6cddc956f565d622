//! A data folder on simulated time, and what the tests of several commands ask of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use super::{code, json as parsed, stderr, tenure};

/// A folder that is set up, under the shipped consumer terms.
pub(super) struct Folder {
    root: tempfile::TempDir,
}

impl Folder {
    pub(super) fn new() -> Self {
        let folder = Self { root: tempfile::tempdir().unwrap() };
        folder.done(&["init", "--simulated", "--at", "2025-05-02T00:00:00Z"]);
        folder.done(&["policy", "publish", "policies/claude-consumer", "--at", "2025-05-02T00:00:00Z"]);
        folder
    }

    pub(super) fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.root.path().join("data-keys")
    }

    /// A file beside the data folder.
    pub(super) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(super) fn run(&self, args: &[&str]) -> Output {
        let data = self.data();
        let mut all = vec!["--data", data.to_str().unwrap()];
        all.extend(args);
        tenure(&all)
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(super) fn done(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert_eq!(code(&output), 0, "{args:?}: {}{}", super::stdout(&output), stderr(&output));
        super::stdout(&output)
    }

    /// Runs a command that must succeed, and gives its JSON.
    pub(super) fn json(&self, args: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(args);
        let output = self.run(&all);
        assert_eq!(code(&output), 0, "{args:?}: {}{}", super::stdout(&output), stderr(&output));
        parsed(&output)
    }

    /// Imports conversations of Tenure's own format, and gives what was taken in.
    pub(super) fn import(&self, lines: &[Value], at: &str) -> Value {
        let path = self.file("import.jsonl", jsonl(lines));
        self.json(&["import", "tenure", &path, "--at", at])
    }

    /// The ids of an account's records.
    pub(super) fn records(&self, account: &str, at: &str) -> Vec<String> {
        let listed = self.json(&["explain", "--account", account, "--at", at]);
        let records = listed["records"].as_array().unwrap().iter();
        records.map(|record| record["record"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn explain(&self, record: &str, at: &str) -> Value {
        self.json(&["explain", record, "--at", at])
    }

    /// What there is, counted: rows, packs, page keys, accounts and copies.
    pub(super) fn counts(&self) -> Value {
        let diagnosis = self.json(&["doctor", "--full"]);
        let mut files = Vec::new();
        files_below(&self.data().join("packs"), &mut files);
        json!({"checked": diagnosis["diagnosis"]["checked"], "packs": files.len()})
    }
}

/// One value a line.
pub(super) fn jsonl(lines: &[Value]) -> String {
    let lines: Vec<String> = lines.iter().map(ToString::to_string).collect();
    lines.join("\n") + "\n"
}

/// Every file below a folder.
pub(super) fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files_below(&path, found) } else { found.push(path) }
    }
}

/// A conversation on `pro` with one message at each instant.
pub(super) fn conversation(account: &str, id: &str, at: &[&str]) -> Value {
    let messages: Vec<Value> = at
        .iter()
        .enumerate()
        .map(|(place, at)| {
            let role = if place % 2 == 0 { "human" } else { "assistant" };
            json!({"id": format!("m{place}"), "at": at, "role": role, "text": format!("text {place}")})
        })
        .collect();
    json!({
        "type": "conversation", "id": id, "account": account, "surface": "pro", "country": "US",
        "title": "a title", "scanned": true, "messages": messages,
    })
}

/// A grown-up in the United States.
pub(super) fn account(id: &str) -> Value {
    json!({"type": "account", "id": id, "country": "US", "minor": false, "opened_at": "2025-05-02T00:00:00Z"})
}

#[test]
fn a_sweep_works_ahead_by_days_and_looks_ahead_by_years() {
    let folder = Folder::new();
    let far = ["sweep", "--yes", "--lead", "10 years", "--at", "2025-10-01T00:00:00Z"];
    let output = folder.run(&far);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("seven days at most"));
    folder.done(&[far.as_slice(), &["--dry-run"]].concat());
}
