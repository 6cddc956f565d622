//! Sessions of Claude Code, above all which message carries the text of which.

use tenure_formats::{Format, Message, ReadError, Role};

use crate::{Folder, Outcome, read_all, read_bytes};

/// A line; `rest` are more fields, each followed by a comma.
fn line(kind: &str, uuid: &str, parent: &str, minute: u32, rest: &str, content: &str) -> String {
    let parent = if parent.is_empty() { "null".to_owned() } else { format!("\"{parent}\"") };
    format!(
        r#"{{{rest}"type":"{kind}","uuid":"{uuid}","parentUuid":{parent},"sessionId":"s","timestamp":"2025-09-01T10:{minute:02}:00.000Z","message":{{"role":"{kind}",{content}}}}}"#
    ) + "\n"
}

fn user(uuid: &str, parent: &str, minute: u32, rest: &str) -> String {
    line("user", uuid, parent, minute, rest, &format!(r#""content":"text of {uuid}""#))
}

fn answer(uuid: &str, parent: &str, minute: u32, id: &str, block: &str) -> String {
    line("assistant", uuid, parent, minute, "", &format!(r#""id":"{id}","content":[{block}]"#))
}

fn result(uuid: &str, parent: &str, minute: u32, rest: &str) -> String {
    line("user", uuid, parent, minute, rest, r#""content":[{"type":"tool_result","content":"x"}]"#)
}

const TEXT: &str = r#"{"type":"text","text":"hello"}"#;
const CALL: &str = r#"{"type":"tool_use","name":"t","input":{}}"#;

fn find<'a>(outcome: &'a Outcome, id: &str) -> &'a Message {
    let mut messages = outcome.conversations.iter().flat_map(|conversation| &conversation.messages);
    messages.find(|message| message.id.as_deref() == Some(id)).unwrap_or_else(|| panic!("no message {id}"))
}

fn origins<'a>(outcome: &'a Outcome, id: &str) -> Vec<&'a str> {
    find(outcome, id).derived_from.iter().map(String::as_str).collect()
}

#[test]
fn lines_of_one_answer_are_one_message() {
    let text = [
        user("u1", "", 0, ""),
        answer("a1", "u1", 1, "msg", r#"{"type":"thinking","thinking":"hm"}"#),
        answer("a2", "a1", 2, "msg", TEXT),
        result("r1", "a2", 3, r#""toolUseResult":{"file":"whole"},"#),
        answer("a3", "r1", 4, "msg", CALL),
    ];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    let messages = &outcome.conversations[0].messages;
    assert_eq!((messages.len(), outcome.report.records.read), (3, 5));
    let merged = find(&outcome, "a1");
    assert_eq!(merged.at.unwrap().to_string(), "2025-09-01T10:01:00Z");
    assert_eq!(merged.text, "hello");
    let content = merged.content.as_ref().unwrap().get();
    assert_eq!(content, format!(r#"{{"content":[{{"type":"thinking","thinking":"hm"}},{TEXT},{CALL}]}}"#));
    let tool = find(&outcome, "r1");
    assert_eq!(tool.role, Role::Tool);
    assert!(tool.content.as_ref().unwrap().get().contains(r#""toolUseResult":{"file":"whole"}"#));
    assert!(find(&outcome, "u1").content.is_none());
}

#[test]
fn a_compaction_summary_derives_from_all_that_it_retells_across_the_boundary() {
    let boundary = r#"{"type":"system","subtype":"compact_boundary","uuid":"b","parentUuid":null,"logicalParentUuid":"p","sessionId":"s"}"#;
    let progress = r#"{"type":"progress","uuid":"p","parentUuid":"a2","sessionId":"s"}"#;
    let text = [
        user("u1", "", 0, ""),
        user("rewound", "u1", 0, ""),
        answer("a1", "u1", 1, "msg", CALL),
        result("r1", "a1", 2, ""),
        answer("a2", "a1", 1, "msg", CALL),
        format!("{progress}\n{boundary}\n"),
        user("sum", "b", 4, r#""isCompactSummary":true,"#),
        user("u2", "sum", 5, ""),
    ];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    // `r1` hangs beside the way back, and `a2` is a part of `a1`.
    assert_eq!(origins(&outcome, "sum"), ["a1", "r1", "u1"]);
    assert_eq!(find(&outcome, "sum").role, Role::System);
    assert!(origins(&outcome, "u2").is_empty());
    assert_eq!(outcome.report.records.skipped_total(), 2);
}

#[test]
fn a_summary_whose_way_back_is_lost_derives_from_everything_earlier_and_from_what_is_missing() {
    let summary = r#""isCompactSummary":true,"#;
    let text = [user("u1", "", 0, ""), answer("a1", "gone", 1, "m", TEXT), user("sum", "lost", 2, summary)];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    assert_eq!(origins(&outcome, "sum"), ["a1", "lost", "u1"]);
    let text = [user("u1", "", 0, ""), user("sum", "", 2, summary), user("u2", "", 3, "")];
    assert_eq!(origins(&read_bytes(Format::ClaudeCode, text.concat()).unwrap(), "sum"), ["u1"]);
    let alone = read_bytes(Format::ClaudeCode, user("sum", "", 2, summary)).unwrap();
    assert_eq!(origins(&alone, "sum"), ["s/before"]);
}

#[test]
fn a_fork_derives_from_its_original_which_is_not_in_this_conversation() {
    let text = [
        answer("a1", "", 0, "m", TEXT),
        answer("a2", "a1", 0, "m", TEXT),
        user("f1", "", 1, r#""forkedFrom":{"sessionId":"old","messageUuid":"x"},"#),
        user("f2", "", 2, r#""forkedFrom":{"sessionId":"s","messageUuid":"a2"},"#),
        user("f3", "", 3, r#""forkedFrom":true,"#),
    ];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    assert_eq!(origins(&outcome, "f1"), ["old/x"]);
    assert_eq!(origins(&outcome, "f2"), ["a1"]);
    assert_eq!(origins(&outcome, "f3"), ["unknown/unknown"]);
}

#[test]
fn a_sidechain_derives_from_the_message_that_started_it() {
    let side = r#""isSidechain":true,"#;
    let text = [
        user("u1", "", 0, ""),
        answer("a1", "u1", 1, "m", CALL),
        user("s1", "", 2, side),
        user("s2", "s1", 3, side),
        user("s3", "u1", 4, side),
    ];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    assert_eq!(origins(&outcome, "s1"), ["a1"]);
    assert!(origins(&outcome, "s2").is_empty());
    assert_eq!(origins(&outcome, "s3"), ["u1"]);
    let alone = read_bytes(Format::ClaudeCode, user("s1", "", 2, side)).unwrap();
    assert_eq!(origins(&alone, "s1"), ["s/spawner"]);
}

#[test]
fn a_folder_is_read_with_its_subagents_as_one_conversation_each() {
    let folder = Folder::new();
    let agent = r#""isSidechain":true,"agentId":"g","#;
    let main = [
        user("u1", "", 0, ""),
        answer("a1", "u1", 1, "m", CALL),
        result("r1", "a1", 4, r#""toolUseResult":{"agentId":"g"},"#),
        r#"{"type":"summary","summary":"The title","leafUuid":"r1"}"#.to_owned(),
    ];
    folder.write("p/s.jsonl", main.concat());
    folder.write(
        "p/s/subagents/agent-g.jsonl",
        [user("g1", "", 2, agent), user("g2", "g1", 3, agent)].concat(),
    );
    folder.write("q/other.jsonl", user("o1", "", 0, "").replace("\"s\"", "\"other\""));
    folder.write("q/notes.txt", "nothing");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.path(), folder.path().join("loop")).unwrap();
    let outcome = read_all(Format::ClaudeCode, folder.path()).unwrap();
    assert_eq!(outcome.conversations.len(), 2);
    let ids: Vec<&str> =
        outcome.conversations[0].messages.iter().map(|message| message.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["u1", "a1", "g1", "g2", "r1"]);
    assert_eq!(outcome.conversations[0].title.as_deref(), Some("The title"));
    assert_eq!(origins(&outcome, "g1"), ["a1"]);
    assert_eq!(origins(&outcome, "r1"), ["g1", "g2"]);
    let files = &outcome.report.files;
    assert_eq!((files.read, files.skipped_total()), (3, 2));
}

#[test]
fn a_line_that_was_copied_is_read_once() {
    let text = [user("u1", "", 0, ""), user("u1", "", 0, ""), answer("a1", "u1", 1, "m", TEXT)];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    assert_eq!((outcome.report.records.read, outcome.report.records.skipped_total()), (2, 1));
}

#[test]
fn cycles_of_parents_end() {
    let side = r#""isSidechain":true,"isCompactSummary":true,"#;
    let text = [user("u1", "u2", 0, side), user("u2", "u1", 1, side), user("u3", "u3", 2, side)];
    let outcome = read_bytes(Format::ClaudeCode, text.concat()).unwrap();
    assert_eq!(outcome.conversations[0].messages.len(), 3);
    assert!(outcome.conversations[0].messages.iter().all(|message| !message.derived_from.is_empty()));
}

#[test]
fn a_folder_without_sessions_and_a_file_of_other_things_are_refused() {
    let folder = Folder::new();
    assert!(matches!(read_all(Format::ClaudeCode, folder.path()), Err(ReadError::NoSessions)));
    folder.write("x.txt", "x");
    assert!(matches!(read_all(Format::ClaudeCode, folder.path()), Err(ReadError::NoSessions)));
    let other = r#"{"messages":[]}"#;
    assert!(matches!(read_bytes(Format::ClaudeCode, other), Err(ReadError::NothingUnderstood { .. })));
}
