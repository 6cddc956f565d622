//! `tenure explain`, and the commands that change what it says.

use serde_json::{Value, json};

use super::folder::{Folder, account, conversation, jsonl};
use super::{code, stderr, stdout, tenure_fed};

const SAID: &str = "2025-10-01T10:00:00Z";

/// One conversation of a grown-up whom the newest terms bind.
fn world() -> (Folder, String) {
    let folder = Folder::new();
    folder.import(&[account("ann")], "2025-09-30T00:00:00Z");
    folder.done(&["acknowledge", "ann", "2025-10-08", "--at", "2025-09-30T00:00:00Z"]);
    folder.import(&[conversation("ann", "c1", &[SAID])], SAID);
    let record = folder.records("ann", SAID).remove(0);
    (folder, record)
}

fn copy<'v>(explanation: &'v Value, class: &str) -> &'v Value {
    explanation["copies"].as_array().unwrap().iter().find(|copy| copy["class"] == class).unwrap()
}

fn purpose<'v>(explanation: &'v Value, name: &str) -> &'v Value {
    explanation["uses"].as_array().unwrap().iter().find(|view| view["purpose"] == name).unwrap()
}

#[test]
fn a_yes_lets_a_conversation_train_once_it_goes_on_and_says_for_how_long_it_is_kept() {
    let (folder, record) = world();
    let before = folder.explain(&record, "2025-10-02T00:00:00Z");
    assert_eq!(purpose(&before, "train")["allowed"], false);
    assert_eq!(purpose(&before, "train")["obstacles"][0]["standing"], "undecided");
    let ways = before["what_if"].as_array().unwrap();
    let together = json!([{"what": "decide", "purpose": "train", "choice": "on"}, {"what": "go_on"}]);
    assert!(ways.iter().any(|way| way["changes"] == together), "{ways:?}");
    folder.done(&["decide", "ann", "train", "on", "--at", "2025-10-02T00:00:00Z"]);
    folder.import(&[conversation("ann", "c1", &[SAID, "2025-10-03T00:00:00Z"])], "2025-10-03T00:00:00Z");
    let after = folder.explain(&record, "2025-10-04T00:00:00Z");
    assert_eq!(purpose(&after, "train")["messages"], 2);
    assert_eq!(copy(&after, "content")["kept"], json!({"until": "2030-10-03T00:00:00Z"}));
    let shown = folder.done(&["explain", &record, "--at", "2025-10-04T00:00:00Z"]);
    assert!(shown.contains("kept until 3 October 2030 (in 4 years and 11 months)"), "{shown}");
    assert!(shown.contains("because: Allowed for model training"), "{shown}");
    assert!(shown.contains("yes: 2 of 2 messages"), "{shown}");
}

#[test]
fn the_verdict_in_an_explanation_is_the_one_that_the_case_gets() {
    let (folder, record) = world();
    folder.done(&["decide", "ann", "train", "on", "--at", "2025-10-02T00:00:00Z"]);
    folder.done(&["flag", &record, "--at", "2025-10-03T00:00:00Z"]);
    let at = "2025-10-04T00:00:00Z";
    let case = json!({
        "at": at, "account": {"id": "ann", "country": "US", "minor": false, "opened_at": "2025-05-02T00:00:00Z"},
        "acknowledged": [{"version": "2025-10-08", "at": "2025-09-30T00:00:00Z"}],
        "decisions": [{"purpose": "train", "choice": "on", "at": "2025-10-02T00:00:00Z", "version": "2025-10-08"}],
        "record": {
            "id": record, "surface": "pro", "kind": "chat", "mode": "normal", "country": "US", "scanned": true,
            "created_at": SAID, "last_activity_at": SAID, "flagged_at": "2025-10-03T00:00:00Z",
            "messages": [{"id": "m0", "at": SAID}],
        },
    });
    let answer =
        tenure_fed(&["verdict", "--policy", "policies/claude-consumer", "-"], format!("{case}\n").as_bytes());
    let answer: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(folder.explain(&record, at)["verdict"], answer);
}

#[test]
fn a_no_is_explained_with_what_it_ends_and_when() {
    let (folder, record) = world();
    folder.done(&["decide", "ann", "train", "on", "--at", "2025-09-30T12:00:00Z"]);
    let said = folder.done(&["decide", "ann", "train", "off", "--at", "2025-10-02T00:00:00Z"]);
    assert!(said.contains("It may be used for 0 of 1 record; it was 1."), "{said}");
    let shown = folder.done(&["explain", &record, "--at", "2025-10-03T00:00:00Z"]);
    assert!(shown.contains("withdrawn: allowed when it was said, switched off since"), "{shown}");
    assert!(shown.contains("no, because the person switched `train` off since"), "{shown}");
}

#[test]
fn a_hold_and_its_release_are_explained() {
    let (folder, record) = world();
    folder.done(&["hold", "place", "h1", "--class", "content", "--at", "2025-10-02T00:00:00Z"]);
    let held = folder.explain(&record, "2026-10-02T00:00:00Z");
    assert_eq!(copy(&held, "content")["kept"], "held");
    assert_eq!(copy(&held, "content")["holds"][0]["id"], "h1");
    let ways = held["what_if"].as_array().unwrap();
    assert!(ways.iter().any(|way| way["changes"] == json!([{"what": "release", "hold": "h1"}])), "{ways:?}");
}

#[test]
fn a_destroyed_copy_is_shown_with_the_dates_of_its_end() {
    let (folder, record) = world();
    folder.done(&["erase", "--conversation", &record, "--yes", "--at", "2025-10-02T00:00:00Z"]);
    folder.done(&["sweep", "--yes", "--at", "2025-12-01T00:00:00Z"]);
    let explanation = folder.explain(&record, "2025-12-02T00:00:00Z");
    assert_eq!(copy(&explanation, "content")["shredded_at"], "2025-12-01T00:00:00Z");
    let shown = folder.done(&["explain", &record, "--at", "2025-12-02T00:00:00Z"]);
    assert!(shown.contains("history: destroyed 1 December 2025 (1 day ago)"), "{shown}");
}

#[test]
fn feedback_and_a_flag_make_copies_that_are_explained_by_what_they_are_for() {
    let (folder, record) = world();
    let said = folder.done(&["flag", &record, "--at", "2025-10-02T00:00:00Z"]);
    assert!(said.contains("scores until 2 October 2032 (in 7 years)"), "{said}");
    folder.done(&["feedback", &record, "--at", "2025-10-03T00:00:00Z"]);
    let explanation = folder.explain(&record, "2025-10-04T00:00:00Z");
    assert_eq!(copy(&explanation, "scores")["bases"][0]["from"], "flagged");
    assert_eq!(copy(&explanation, "feedback")["bases"][0]["from"], "feedback");
    assert_eq!(purpose(&explanation, "safety")["allowed"], true);
}

#[test]
fn what_was_before_the_last_activity_is_not_made_up() {
    let (folder, record) = world();
    let refused = folder.run(&["explain", &record, "--at", "2025-09-01T00:00:00Z"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("ask about that instant or a later one"), "{}", stderr(&refused));
}

#[test]
fn an_account_says_what_binds_it_and_by_when_it_must_decide() {
    let folder = Folder::new();
    let shown = folder.done(&["account", "ann", "--country", "US", "--at", "2025-09-11T00:00:00Z"]);
    assert!(shown.contains("Opened."), "{shown}");
    assert!(shown.contains("must decide by 28 September 2025 (in 17 days)"), "{shown}");
    let shown = folder.done(&["account", "ann", "--at", "2025-10-09T00:00:00Z"]);
    let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains("must decide before going on, since 8 October 2025 (1 day ago)"), "{shown}");
    folder.done(&["decide", "ann", "train", "off", "--at", "2025-10-09T00:00:00Z"]);
    let shown = folder.done(&["account", "ann", "--at", "2025-10-10T00:00:00Z"]);
    assert!(
        shown.contains("bound by  2025-10-08") && shown.contains("train  off since 9 October 2025"),
        "{shown}"
    );
    assert!(!shown.contains("must decide"), "{shown}");
    let bad = folder.run(&["account", "ann", "--country", "UK"]);
    assert_eq!(code(&bad), 2);
}

#[test]
fn a_file_of_decisions_tells_bad_lines_and_records_the_rest_in_order() {
    let folder = Folder::new();
    let accounts: Vec<Value> = (0..40).map(|n| account(&format!("a{n}"))).collect();
    folder.import(&accounts, "2025-10-01T00:00:00Z");
    let mut lines = Vec::new();
    for n in 0..40 {
        for (choice, hour) in [("on", 10), ("off", 11)] {
            let at = format!("2025-10-02T{hour}:00:00Z");
            lines.push(json!({"account": format!("a{n}"), "purpose": "train", "choice": choice, "at": at}));
        }
    }
    let mut lines = jsonl(&lines);
    lines.push_str("not json\n{\"account\":\"nobody\",\"purpose\":\"train\",\"choice\":\"on\"}\n");
    let path = folder.file("decisions.jsonl", lines);
    let output = folder.run(&["decide", "--from", &path, "--at", "2025-10-03T00:00:00Z"]);
    assert_eq!(code(&output), 2, "{}", stderr(&output));
    let shown = stdout(&output);
    assert!(shown.contains("80 decisions recorded.") && shown.contains("line 81: not valid JSON"), "{shown}");
    assert!(shown.contains("line 82: there is no such account"), "{shown}");
    let known = folder.json(&["account", "a7", "--at", "2025-10-04T00:00:00Z"]);
    assert_eq!(known["account"]["terms"][0]["choices"][0]["choice"], "off");
    folder.done(&["doctor"]);
}

#[test]
fn in_real_time_nobody_says_what_time_it_is_except_to_look() {
    let root = tempfile::tempdir().unwrap();
    let data = root.path().join("data");
    let run = |args: &[&str]| {
        let mut all = vec!["--data", data.to_str().unwrap()];
        all.extend(args);
        super::tenure(&all)
    };
    assert_eq!(code(&run(&["init", "--policy", "policies/claude-consumer"])), 0);
    assert_eq!(code(&run(&["account", "ann", "--country", "US"])), 0);
    let at = ["--at", "2030-01-01T00:00:00Z"];
    let changes: [&[&str]; 4] = [
        &["account", "ann", "--minor", "false"],
        &["account", "bob"],
        &["decide", "ann", "train", "on"],
        &["inform", "ann", "2025-10-08"],
    ];
    for change in changes {
        let refused = run(&[change, &at].concat());
        assert_eq!(code(&refused), 2, "{change:?}");
        assert!(stderr(&refused).contains("nothing was changed"), "{}", stderr(&refused));
    }
    let shown = run(&[&["account", "ann"][..], &at].concat());
    assert_eq!(code(&shown), 0, "{}", stderr(&shown));
    let path = root.path().join("decisions.jsonl");
    let line = json!({"account": "ann", "purpose": "train", "choice": "on", "at": "2026-01-01T00:00:00Z"});
    std::fs::write(&path, line.to_string()).unwrap();
    let refused = run(&["decide", "--from", path.to_str().unwrap()]);
    assert_eq!(code(&refused), 2);
    assert!(stdout(&refused).contains("line 1: `at` is for folders made with"), "{}", stdout(&refused));
}

#[test]
fn erasing_asks_unless_told_and_a_closed_account_decides_no_more() {
    let (folder, _) = world();
    let refused = folder.run(&["erase", "--account", "ann", "--at", "2025-10-02T00:00:00Z"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("1 record of the account"), "{}", stderr(&refused));
    let done = folder.done(&["erase", "--account", "ann", "--yes", "--at", "2025-10-02T00:00:00Z"]);
    assert!(done.contains("content: 1 copy, kept until 1 November 2025 (in 30 days)"), "{done}");
    let late = folder.run(&["decide", "ann", "train", "on", "--at", "2025-10-03T00:00:00Z"]);
    assert_eq!(code(&late), 2);
    assert!(stderr(&late).contains("the account is closed"));
}

#[test]
fn publishing_says_who_is_asked_and_a_published_text_never_changes() {
    let folder = Folder::new();
    let again =
        folder.done(&["policy", "publish", "policies/claude-consumer", "--at", "2025-09-28T00:00:00Z"]);
    assert!(again.contains("3 versions published before"), "{again}");
    let gemini = folder.done(&["policy", "publish", "policies/gemini-apps", "--at", "2025-09-28T00:00:00Z"]);
    assert!(gemini.contains("Published gemini-apps@"), "{gemini}");
    let text =
        std::fs::read_to_string(super::root().join("policies/claude-consumer/2025-10-08.toml")).unwrap();
    let other = folder.file("2025-10-08.toml", text.replace("Back end", "Front end"));
    let refused = folder.run(&["policy", "publish", &other, "--at", "2025-09-29T00:00:00Z"]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("never changes"), "{}", stderr(&refused));
}
