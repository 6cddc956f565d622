//! Files that this project did not write. Where they are missing these tests are skipped.

use std::path::{Path, PathBuf};

use tenure_formats::{Format, Role};
use tenure_model::Kind;

use crate::{Outcome, read_all};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name)
}

fn check(format: Format, path: &Path) -> Outcome {
    let outcome = read_all(format, path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert!(outcome.conversations.iter().any(|conversation| !conversation.messages.is_empty()));
    outcome
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn every_claude_file_of_shared_data_is_read_whole() {
    let folder = folder("claude");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let outcome = check(Format::Claude, &path);
        let report = &outcome.report;
        assert_eq!(report.records.seen, report.records.read, "{}", path.display());
        assert_eq!(report.messages.seen, report.messages.read, "{}", path.display());
        for message in outcome.conversations.iter().flat_map(|conversation| &conversation.messages) {
            assert!(message.id.is_some() && message.at.is_some());
            assert!(!message.text.is_empty() || message.content.is_some());
        }
        files += 1;
    }
    assert_eq!(files, 8);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn the_claude_array_of_shared_data_names_its_account() {
    let folder = folder("claude");
    let outcome = check(Format::Claude, &folder.join("conversations.json"));
    assert_eq!((outcome.report.conversations, outcome.report.messages.read), (2, 6));
    assert!(outcome.conversations.iter().all(|c| c.account.as_deref() == Some("test-account-1")));
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn the_chatgpt_tree_of_shared_data_has_one_dead_branch() {
    let folder = folder("chatgpt");
    let outcome = check(Format::ChatGpt, &folder.join("tree.json"));
    let messages = &outcome.conversations[0].messages;
    let seen: Vec<(Role, bool)> =
        messages.iter().map(|message| (message.role, message.dead_branch)).collect();
    assert_eq!(seen, [(Role::Human, false), (Role::Assistant, true), (Role::Human, false)]);
    assert_eq!(messages[0].at.unwrap().micros(), 1_724_751_946_650_497);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn the_ordinary_claude_code_session_of_shared_data_is_read_whole() {
    let folder = folder("claude-code");
    let outcome = check(Format::ClaudeCode, &folder.join("representative.jsonl"));
    let report = &outcome.report;
    assert_eq!((report.records.seen, report.records.read, report.records.skipped_total()), (12, 11, 1));
    let conversation = &outcome.conversations[0];
    assert_eq!((conversation.kind, conversation.messages.len()), (Kind::Code, 11));
    assert!(conversation.title.as_ref().unwrap().starts_with("User learned"));
    assert_eq!(conversation.messages[4].role, Role::Tool);
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn the_malformed_claude_code_lines_of_shared_data_are_reported_and_the_rest_is_read() {
    let folder = folder("claude-code");
    let outcome = check(Format::ClaudeCode, &folder.join("edge-cases.jsonl"));
    let report = &outcome.report;
    let lines: Vec<u64> = report
        .records
        .not_understood
        .values()
        .flat_map(|trouble| trouble.examples.iter().map(|place| place.line.unwrap()))
        .collect();
    for line in [10, 11, 13, 14, 15] {
        assert!(lines.contains(&line), "{line}: {report:?}");
    }
    assert_eq!((report.records.seen, report.records.not_understood_total()), (19, 6));
    assert_eq!(outcome.conversations.len(), 2);
}
