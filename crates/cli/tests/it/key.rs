//! `tenure key`, from minting to the end of a key.

use serde_json::json;

use super::folder::Folder;
use super::{code, stderr};

const MINT: [&str; 8] = ["key", "mint", "--role", "privacy", "--owner", "sweeper", "--only", "run-sweep"];

#[test]
fn a_key_is_shown_once_and_listed_without_its_secret() {
    let folder = Folder::new();
    let at = ["--at", "2025-06-01T00:00:00Z"];
    let said = folder.done(&[&MINT[..], &["--days", "30"], &at].concat());
    let key = said.lines().next().unwrap();
    assert!(key.starts_with("tnr_live_") && key.len() == 99, "{key}");
    assert!(said.contains("shown once"), "{said}");
    let listed = folder.json(&["key", "list", "--at", "2025-06-02T00:00:00Z"]);
    let id = key.split('_').nth(2).unwrap();
    let expected = json!([{
        "id": id, "environment": "live", "owner": "sweeper", "role": "privacy", "operations": ["run-sweep"],
        "organisation": null, "minted_at": "2025-06-01T00:00:00Z", "expires_at": "2025-07-01T00:00:00Z",
        "state": "live",
    }]);
    assert_eq!(listed, expected);
    let shown = folder.done(&["key", "list", "--at", "2025-07-01T00:00:00Z"]);
    assert!(shown.contains("run-sweep") && shown.contains("expired"), "{shown}");
    let secret = key.split('_').nth(3).unwrap();
    assert!(!shown.contains(secret));
}

#[test]
fn a_key_is_rotated_and_revoked() {
    let folder = Folder::new();
    let minted = folder.json(&[&MINT[..], &["--test", "--at", "2025-06-01T00:00:00Z"]].concat());
    let id = minted["id"].as_str().unwrap();
    assert!(minted["key"].as_str().unwrap().starts_with(&format!("tnr_test_{id}_")));
    let rotate = ["key", "rotate", id, "--overlap", "1", "--at", "2025-06-02T00:00:00Z"];
    let rotated = folder.json(&rotate);
    assert_eq!((&rotated["id"], &rotated["old_until"]), (&minted["id"], &json!("2025-06-02T01:00:00Z")));
    assert_ne!(rotated["key"], minted["key"]);
    let again = folder.run(&["key", "rotate", id, "--at", "2025-06-02T00:30:00Z"]);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("the secret before is still valid"), "{}", stderr(&again));
    for _ in 0..2 {
        folder.done(&["key", "revoke", id, "--at", "2025-06-03T00:00:00Z"]);
    }
    let listed = folder.json(&["key", "list", "--at", "2025-06-03T00:00:00Z"]);
    assert_eq!((&listed[0]["state"], &listed[0]["at"]), (&json!("revoked"), &json!("2025-06-03T00:00:00Z")));
    assert_eq!(code(&folder.run(&["key", "rotate", id, "--at", "2025-06-04T00:00:00Z"])), 2);
}

#[test]
fn what_no_key_can_be_is_refused() {
    let folder = Folder::new();
    let at = ["--at", "2025-06-01T00:00:00Z"];
    for (args, says) in [
        (["key", "mint", "--role", "app", "--owner", "Jane Doe"], "by a role or a pseudonym"),
        (["key", "mint", "--role", "boss", "--owner", "ops"], "boss"),
    ] {
        let refused = folder.run(&[&args[..], &at].concat());
        assert_eq!(code(&refused), 2);
        assert!(stderr(&refused).contains(says), "{}", stderr(&refused));
    }
    let beyond = ["key", "mint", "--role", "app", "--owner", "ops", "--only", "run-sweep"];
    let refused = folder.run(&[&beyond[..], &at].concat());
    assert!(stderr(&refused).contains("a scope only narrows"), "{}", stderr(&refused));
    let long = folder.run(&[&MINT[..], &["--days", "367"], &at].concat());
    assert!(stderr(&long).contains("within 366 days"), "{}", stderr(&long));
    assert_eq!(folder.json(&["key", "list"]), json!([]));
    assert!(folder.done(&["key", "list"]).contains("There are no keys"));
}

#[test]
fn the_keys_of_subject_tokens_are_rotated() {
    let folder = Folder::new();
    let said = folder.done(&["key", "rotate-tokens", "--at", "2025-06-01T00:00:00Z"]);
    assert!(said.contains("still open"), "{said}");
    let rotated = folder.json(&["key", "rotate-tokens", "--at-once", "--at", "2025-06-01T00:00:00Z"]);
    assert_eq!(rotated["at_once"], true);
}

#[test]
fn a_restored_folder_does_not_forget_a_revocation() {
    let folder = Folder::new();
    let minted = folder.json(&[&MINT[..], &["--at", "2025-06-01T00:00:00Z"]].concat());
    let id = minted["id"].as_str().unwrap();
    let backup = folder.data().with_file_name("backup").to_str().unwrap().to_owned();
    folder.done(&["backup", &backup, "--keep", "30 days", "--at", "2025-06-01T01:00:00Z"]);
    folder.done(&["key", "revoke", id, "--at", "2025-06-02T00:00:00Z"]);
    std::fs::remove_dir_all(folder.data()).unwrap();
    folder.done(&["restore", &backup, "--at", "2025-06-03T00:00:00Z"]);
    let listed = folder.json(&["key", "list", "--at", "2025-06-03T00:00:00Z"]);
    assert_eq!(listed[0]["state"], "revoked");
}
