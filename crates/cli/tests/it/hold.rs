//! `tenure hold`, from a preview to the history of what an order was.

use serde_json::{Value, json};

use super::folder::{Folder, account, conversation};
use super::{code, stderr};

/// Two people who said one thing each, of whom one lives in Germany.
fn world() -> Folder {
    let folder = Folder::new();
    let mut german = conversation("ben", "c2", &["2025-10-01T00:00:00Z"]);
    german["country"] = json!("DE");
    let lines =
        [account("ann"), account("ben"), conversation("ann", "c1", &["2025-10-01T00:00:00Z"]), german];
    folder.import(&lines, "2025-10-01T00:00:00Z");
    folder
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_preview_says_what_would_be_covered_and_changes_nothing() {
    let folder = world();
    let place = ["hold", "place", "order", "--class", "content", "--at", "2025-10-02T00:00:00Z", "--preview"];
    let said = squeezed(&folder.done(&place));
    assert!(said.contains("Hold order would cover 2 records of 2 accounts,"), "{said}");
    assert!(said.contains("content 2 2 0 0 0"), "{said}");
    assert!(said.ends_with("Nothing was changed."), "{said}");
    let preview: Value = folder.json(&place);
    assert_eq!(preview["covered"]["classes"]["content"]["within_30_days"], 2);
    assert_eq!(preview["left_out"], Value::Null);
    assert_eq!(folder.json(&["hold", "list"]), json!([]));
}

#[test]
fn an_amendment_is_previewed_made_and_shown_with_what_was_before() {
    let folder = world();
    folder.done(&[
        "hold",
        "place",
        "order",
        "--class",
        "content",
        "--secret",
        "--at",
        "2025-10-02T00:00:00Z",
    ]);
    let amend = [
        "hold",
        "amend",
        "order",
        "--class",
        "content",
        "--not-country",
        "DE",
        "--at",
        "2025-12-01T00:00:00Z",
    ];
    let said = squeezed(&folder.done(&[amend.as_slice(), &["--preview"]].concat()));
    assert!(said.contains("Hold order would cover 1 record of 1 account,"), "{said}");
    assert!(said.contains("It would no longer cover 1 record of 1 account,"), "{said}");
    folder.done(&amend);
    let again = folder.run(&amend);
    assert_eq!(code(&again), 2);
    assert!(stderr(&again).contains("has this scope already"), "{}", stderr(&again));
    folder.done(&["hold", "release", "order", "--at", "2025-12-02T00:00:00Z"]);

    let hold = folder.json(&["hold", "show", "order"]);
    assert_eq!((&hold["version"], &hold["may_tell"]), (&json!(2), &json!(false)));
    assert_eq!(hold["versions"][0]["until"], hold["versions"][1]["from"]);
    assert_eq!(hold["versions"][1]["scope"]["not_countries"], json!(["DE"]));
    let shown = squeezed(&folder.done(&["hold", "show", "order"]));
    assert!(shown.contains("was placed 2025-10-02T00:00:00Z and released 2025-12-02T00:00:00Z"), "{shown}");
    assert!(shown.contains("everything but zero retention") && shown.contains("not in DE"), "{shown}");
    let listed = squeezed(&folder.done(&["hold", "list"]));
    assert!(listed.contains("order 2 2025-10-02T00:00:00Z"), "{listed}");
    let missing = folder.run(&["hold", "show", "other"]);
    assert_eq!(code(&missing), 2);
}
