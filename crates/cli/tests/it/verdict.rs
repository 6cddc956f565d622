//! `tenure verdict`: the contract of the design's section 10.

use std::fs;

use serde_json::Value;

use super::{code, root, stderr, stdout, tenure, tenure_fed};

const POLICY: &str = "policies/example.toml";

fn first_case() -> String {
    let cases = fs::read_to_string(root().join("corpora/cases/example.jsonl")).unwrap();
    cases.lines().next().unwrap().to_owned()
}

fn answers(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_case_of_the_design_gets_its_verdict() {
    let output = tenure_fed(&["verdict", "--policy", POLICY, "-"], first_case().as_bytes());
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let expected = fs::read_to_string(root().join("corpora/cases/example.expected.jsonl")).unwrap();
    let expected: Value = serde_json::from_str(expected.lines().next().unwrap()).unwrap();
    assert_eq!(answers(&stdout(&output)), [expected]);
}

#[test]
fn a_file_of_cases_is_answered_line_by_line() {
    let output =
        tenure(&["verdict", "--policy", "policies/claude-consumer", "corpora/cases/claude-consumer.jsonl"]);
    let cases = fs::read_to_string(root().join("corpora/cases/claude-consumer.jsonl")).unwrap();
    assert_eq!(stdout(&output).lines().count(), cases.lines().count());
}

#[test]
fn a_bad_line_is_answered_with_an_error_and_the_rest_goes_on() {
    let case = first_case();
    let mut input = Vec::new();
    for line in [
        case.as_bytes(),
        b"",
        b"   ",
        b"{\"case\":\"c2\",\"at\":1}",
        b"not json",
        b"{\"case\":\"\xff\"}",
        case.as_bytes(),
    ] {
        input.extend_from_slice(line);
        input.extend_from_slice(b"\r\n");
    }
    let output = tenure_fed(&["verdict", "--policy", POLICY, "-"], &input);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("3 of 5 cases could not be judged"), "{}", stderr(&output));
    let answers = answers(&stdout(&output));
    assert_eq!(answers.len(), 5);
    assert_eq!(answers[0], answers[4]);
    assert_eq!(answers[1]["case"], "c2");
    assert!(answers[2]["case"].is_null() && answers[3]["case"].is_null());
    assert!(answers[1..4].iter().all(|answer| answer["error"].is_string()));
}

#[test]
fn a_line_without_an_end_is_a_line() {
    let output = tenure_fed(&["verdict", "--policy", POLICY, "-"], first_case().trim_end().as_bytes());
    assert_eq!(stdout(&output).lines().count(), 1);
    let output = tenure_fed(&["verdict", "--policy", POLICY, "-"], b"");
    assert_eq!((code(&output), stdout(&output).len()), (0, 0));
}

#[test]
fn a_line_that_is_too_long_is_skipped_to_its_end() {
    let mut input = vec![b'x'; (16 << 20) + 10];
    input.push(b'\n');
    input.extend_from_slice(first_case().as_bytes());
    let output = tenure_fed(&["verdict", "--policy", POLICY, "-"], &input);
    assert_eq!(code(&output), 2);
    let answers = answers(&stdout(&output));
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["error"], "the line is longer than 16 MiB");
    assert!(answers[1].get("error").is_none());
}

#[test]
fn a_nested_bomb_is_only_an_error() {
    let output = tenure_fed(&["verdict", "--policy", POLICY, "-"], "[".repeat(1 << 20).as_bytes());
    assert_eq!(code(&output), 2);
    assert_eq!(stdout(&output).lines().count(), 1);
}

#[test]
fn a_refused_policy_judges_nothing() {
    let policy = "corpora/refused/a-body-under-zero.toml";
    let output = tenure_fed(&["verdict", "--policy", policy, "-"], first_case().as_bytes());
    assert_eq!(code(&output), 1);
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains("Refused"), "{}", stderr(&output));
}

#[test]
fn what_can_not_be_read_ends_with_two() {
    assert_eq!(code(&tenure(&["verdict", "--policy", "absent.toml", "-"])), 2);
    assert_eq!(code(&tenure(&["verdict", "--policy", POLICY, "absent.jsonl"])), 2);
    assert_eq!(code(&tenure(&["verdict", "--policy", POLICY, "corpora"])), 2);
}
