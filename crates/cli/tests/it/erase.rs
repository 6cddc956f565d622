//! Erasure from the command line: the guard, a pause, observing, reports and certificates.

use serde_json::{Value, json};

use super::folder::{Folder, account, conversation};
use super::{code, json as parsed, stderr, stdout};

const TAKEN: &str = "2025-09-28T00:00:00Z";
/// A day after the chats of these tests leave the back end.
const LATER: &str = "2025-10-02T12:00:00Z";

/// A folder with so many accounts, each with one chat, none of which has decided.
fn folder_of(accounts: usize) -> Folder {
    let folder = Folder::new();
    let names: Vec<String> = (0..accounts).map(|number| format!("a{number}")).collect();
    let opened = names.iter().map(|name| account(name));
    let chats = names.iter().map(|name| conversation(name, "c1", &["2025-09-01T10:00:00Z"]));
    folder.import(&opened.chain(chats).collect::<Vec<_>>(), TAKEN);
    folder
}

#[test]
fn a_sweep_of_more_than_it_may_says_what_it_would_destroy_and_what_to_do() {
    let folder = folder_of(130);
    let refused = folder.run(&["sweep", "--yes", "--at", LATER]);
    assert_eq!(code(&refused), 1, "{}", stderr(&refused));
    let said = stderr(&refused);
    assert!(said.contains("130 copies of"), "{said}");
    assert!(said.contains("tenure sweep --expect 130"), "{said}");
    let told = folder.run(&["sweep", "--yes", "--json", "--at", LATER]);
    assert_eq!(code(&told), 1);
    assert_eq!(
        (&parsed(&told)["stopped"], &parsed(&told)["excess"]["copies"]),
        (&json!("guarded"), &json!(130))
    );
    // What is expected may go, whatever share that is.
    let swept = folder.json(&["sweep", "--yes", "--expect", "130", "--rate", "100000", "--at", LATER]);
    assert_eq!(swept["sweep"]["destroyed"], json!({"content": 130}));
    assert_eq!(swept["sweep"]["causes"], json!({"time": 130}));
}

#[test]
fn a_pause_stops_a_sweep_and_is_told_until_it_is_ended() {
    let folder = folder_of(1);
    folder.done(&["destruction", "pause", "--why", "an inquiry", "--at", LATER]);
    let paused = folder.run(&["sweep", "--yes", "--at", LATER]);
    assert_eq!(code(&paused), 1);
    assert!(stderr(&paused).contains("destruction is paused since"), "{}", stderr(&paused));
    let status = folder.done(&["destruction", "status", "--at", LATER]);
    assert!(status.contains("an inquiry") && status.contains("within 30 days"), "{status}");
    let overdue = folder.run(&["erasure", "report", "--at", "2025-12-01T00:00:00Z"]);
    assert_eq!(code(&overdue), 1);
    assert!(stdout(&overdue).contains("1 copy is overdue"), "{}", stdout(&overdue));
    folder.done(&["destruction", "resume", "--at", LATER]);
    folder.done(&["destruction", "within", "60 days", "--at", LATER]);
    assert_eq!(code(&folder.run(&["erasure", "report", "--at", "2025-11-15T00:00:00Z"])), 0);
    assert!(folder.done(&["sweep", "--yes", "--at", LATER]).contains("1 as the term ended"));
}

#[test]
fn who_observes_is_told_what_would_be_destroyed_and_nothing_is() {
    let folder = folder_of(1);
    folder.done(&["destruction", "observe", "on", "--at", LATER]);
    let observed = folder.json(&["sweep", "--yes", "--at", LATER]);
    assert_eq!(
        (&observed["sweep"]["observed"], &observed["sweep"]["destroyed"]["content"]),
        (&json!(true), &json!(1))
    );
    assert!(folder.done(&["sweep", "--yes", "--at", LATER]).contains("1 copy would be destroyed"));
    folder.done(&["destruction", "observe", "off", "--at", LATER]);
    assert_eq!(folder.json(&["sweep", "--yes", "--at", LATER])["sweep"]["observed"], json!(false));
}

#[test]
fn a_certificate_is_verified_with_nothing_but_the_logs_key_and_a_changed_one_is_not() {
    let folder = folder_of(2);
    folder.done(&["erase", "--account", "a0", "--yes", "--at", "2025-09-29T00:00:00Z"]);
    folder.done(&["sweep", "--yes", "--at", "2025-11-01T00:00:00Z"]);
    let beside = |name: &str| folder.data().with_file_name(name).to_str().unwrap().to_owned();
    let (file, key) = (beside("certificate.json"), beside("log.keys"));
    let at = "2025-11-02T00:00:00Z";
    let shown = folder.done(&["erasure", "certificate", "--account", "a0", "--out", &file, "--at", at]);
    assert!(shown.contains("you deleted it") && shown.contains("key destroyed"), "{shown}");
    // As a word: a log's name is random, and may have these letters in it.
    assert!(shown.split_whitespace().all(|word| word != "a1"), "{shown}");
    folder.done(&["ledger", "key", "show", "--out", &key]);
    let verify = |file: &str| super::tenure(&["erasure", "certificate", "verify", file, "--key", &key]);
    let proved = verify(&file);
    assert_eq!(code(&proved), 0, "{}", stdout(&proved));
    assert!(stdout(&proved).contains("Proved: the operator destroyed 2 copies"), "{}", stdout(&proved));

    let text = std::fs::read_to_string(&file).unwrap();
    let mut certificate: Value = serde_json::from_str(&text).unwrap();
    let first = &mut certificate["copies"][0];
    first["class"] = json!("another");
    let changed = folder.file("changed.json", certificate.to_string());
    let refused = verify(&changed);
    assert_eq!(code(&refused), 1);
    assert!(stdout(&refused).contains("Not proved"), "{}", stdout(&refused));
    let mut certificate: Value = serde_json::from_str(&text).unwrap();
    certificate["copies"][0]["stages"][1]["at"] = json!("2025-09-01T00:00:00Z");
    let backdated = folder.file("backdated.json", certificate.to_string());
    assert_eq!(code(&verify(&backdated)), 1);
    assert_eq!(code(&verify(&folder.file("none.json", "{}"))), 2);
}

#[test]
fn a_report_says_how_long_it_took_and_what_waits() {
    let folder = folder_of(3);
    folder.done(&["sweep", "--yes", "--at", "2025-10-01T10:00:00Z"]);
    folder.done(&["sweep", "--yes", "--at", "2025-10-28T00:00:00Z"]);
    let report = folder.json(&["erasure", "report", "--at", "2025-10-29T00:00:00Z"]);
    assert_eq!((&report["verified"]["copies"], &report["verified"]["late"]), (&json!(3), &json!(0)));
    assert_eq!(report["kinds"][0]["surface"], "pro");
    let shown = folder.done(&["erasure", "report", "--at", "2025-10-29T00:00:00Z"]);
    assert!(shown.contains("Nothing is overdue, and nothing was destroyed late."), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 100), "{shown}");
    let none = folder.run(&["erasure", "report", "--from", "2025-10-02", "--to", "2025-10-01"]);
    assert_eq!(code(&none), 2);
}
