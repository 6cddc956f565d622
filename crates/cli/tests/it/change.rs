//! `tenure change`: two names, exactly what both saw, once.

use serde_json::json;

use super::folder::Folder;
use super::{code, stderr};

const AT: [&str; 2] = ["--at", "2025-06-02T00:00:00Z"];

fn held() -> (Folder, String) {
    let folder = Folder::new();
    folder.done(&["hold", "place", "order", "--class", "content", "--at", "2025-06-01T00:00:00Z"]);
    let act = folder.file("act.json", r#"{"act":"release_hold","hold":"order","version":1}"#);
    (folder, act)
}

fn run<'a>(args: &[&'a str]) -> Vec<&'a str> {
    [args, &AT].concat()
}

#[test]
fn a_hold_is_released_by_two_people() {
    let (folder, act) = held();
    let said = folder.done(&run(&["change", "propose", "releases-hold", &act, "--as", "counsel"]));
    assert!(said.contains("Nothing has changed yet"), "{said}");
    let listed = folder.json(&run(&["change", "list"]));
    let change = &listed[0];
    assert_eq!((&change["state"], &change["proposed_by"]), (&json!("proposed"), &json!("counsel")));
    assert_eq!(change["act"], json!({"act": "release_hold", "hold": "order", "version": 1}));
    let (id, digest) = (change["id"].as_str().unwrap(), change["digest"].as_str().unwrap());
    let shown = folder.done(&run(&["change", "show", id]));
    assert!(shown.contains(digest) && shown.contains("\"hold\": \"order\""), "{shown}");
    let other = "0".repeat(64);
    let approve =
        |name, digest| folder.run(&run(&["change", "approve", id, "--digest", digest, "--as", name]));
    let alone = approve("counsel", digest);
    assert_eq!(code(&alone), 2);
    assert!(stderr(&alone).contains("two people are needed"), "{}", stderr(&alone));
    let blind = approve("privacy", &other);
    assert!(stderr(&blind).contains("not exactly what was proposed"), "{}", stderr(&blind));
    let carry_out = run(&["change", "carry-out", &act, "--approval", id]);
    let early = folder.run(&carry_out);
    assert!(stderr(&early).contains("nobody has approved this yet"), "{}", stderr(&early));
    assert_eq!(code(&approve("privacy", digest)), 0);
    let done = folder.json(&carry_out);
    assert_eq!(done["carried_out"], json!({"done": "released"}));
    assert_eq!(folder.json(&["hold", "show", "order"])["released_at"], "2025-06-02T00:00:00Z");
    let listed = folder.done(&run(&["change", "list"]));
    assert!(listed.contains("executed"), "{listed}");
    assert_eq!(code(&folder.run(&carry_out)), 2, "it is done once");
    assert!(folder.json(&["ledger", "verify"])["faults"].as_array().is_none_or(Vec::is_empty));
}

#[test]
fn what_was_rejected_is_not_done() {
    let (folder, act) = held();
    let proposed = folder.json(&run(&["change", "propose", "releases-hold", &act, "--as", "counsel"]));
    let id = proposed["id"].as_str().unwrap();
    let rejected = folder.json(&run(&["change", "reject", id, "--as", "counsel"]));
    assert_eq!((&rejected["state"], &rejected["by"]), (&json!("rejected"), &json!("counsel")));
    let done = folder.run(&run(&["change", "carry-out", &act, "--approval", id]));
    assert_eq!(code(&done), 2);
    assert_eq!(folder.json(&["hold", "show", "order"])["released_at"], json!(null));
}

#[test]
fn what_is_no_act_or_no_such_change_is_refused() {
    let (folder, act) = held();
    let other = folder.file("other.json", r#"{"act":"release_hold","hold":"order"}"#);
    let refused = folder.run(&run(&["change", "propose", "releases-hold", &other]));
    assert!(stderr(&refused).contains("is no act"), "{}", stderr(&refused));
    let refused = folder.run(&run(&["change", "propose", "widens-use", &act]));
    assert!(stderr(&refused).contains("no change of kind `widens-use`"), "{}", stderr(&refused));
    assert_eq!(folder.done(&run(&["change", "list"])).trim(), "Nothing was proposed.");
}
