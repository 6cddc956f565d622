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

#[test]
fn an_order_says_what_it_came_too_late_for_and_bears_its_date() {
    let folder = world();
    folder.done(&["sweep", "--yes", "--at", "2025-11-05T00:00:00Z"]);
    let place = ["hold", "place", "order", "--class", "content", "--dated", "2025-11-01"];
    let at = ["--at", "2025-11-06T00:00:00Z"];
    let preview = squeezed(&folder.done(&[place.as_slice(), &at, &["--preview"]].concat()));
    assert!(preview.contains("It came too late for 2 copies of 2 records of 2 accounts:"), "{preview}");
    let placed = folder.json(&[place.as_slice(), &at].concat());
    assert_eq!((&placed["lost"]["copies"], &placed["dated"]), (&json!(2), &json!("2025-11-01T00:00:00Z")));
    assert_eq!(placed["lost"]["listed"].as_array().unwrap().len(), 2);
    assert_eq!(placed["lost"]["classes"]["content"]["2025-11-05"], 2);
    let ahead =
        folder.run(&["hold", "release", "order", "--dated", "2026-01-01", "--at", "2025-11-07T00:00:00Z"]);
    assert_eq!(code(&ahead), 2);
    folder.done(&["hold", "release", "order", "--dated", "2025-11-03", "--at", "2025-11-07T00:00:00Z"]);
    let shown = squeezed(&folder.done(&["hold", "show", "order"]));
    assert!(
        shown.contains("released 2025-11-07T00:00:00Z, by an order dated 2025-11-03T00:00:00Z"),
        "{shown}"
    );
    assert_eq!(folder.json(&["hold", "show", "order"])["versions"][0]["dated"], "2025-11-01T00:00:00Z");
}

#[test]
fn a_reader_reads_into_a_folder_and_whoever_is_none_makes_none() {
    let folder = world();
    let at = ["--at", "2025-10-03T00:00:00Z"];
    folder.done(&[
        "hold",
        "place",
        "order",
        "--class",
        "content",
        "--account",
        "ann",
        "--secret",
        at[0],
        at[1],
    ]);
    let add = |name| ["hold", "reader", "add", "order", name, "--at", "2025-10-03T00:00:00Z"];
    assert_eq!(code(&folder.run(&add("Jane Doe"))), 2);
    folder.done(&add("counsel"));
    let out = folder.data().with_file_name("read").to_str().unwrap().to_owned();
    let read = |name| {
        let args = ["hold", "read", "order", "--as", name, "--all", "--out", &out, at[0], at[1]];
        args.map(str::to_owned)
    };
    let strs = |args: &[String]| -> Vec<String> { args.to_vec() };
    let stranger = strs(&read("clerk"));
    let refused = folder.run(&stranger.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("is no reader of hold `order`"), "{}", stderr(&refused));
    assert!(!std::path::Path::new(&out).exists());
    let counsel = strs(&read("counsel"));
    let said = squeezed(&folder.done(&counsel.iter().map(String::as_str).collect::<Vec<_>>()));
    assert!(said.contains("counsel read 1 record under hold order"), "{said}");
    assert!(said.contains("The ledger says so in leaf"), "{said}");
    let index = std::fs::read_to_string(std::path::Path::new(&out).join("index.jsonl")).unwrap();
    let line: Value = serde_json::from_str(index.trim()).unwrap();
    assert_eq!((&line["account"], &line["state"]), (&json!("ann"), &json!("read")));
    let listed = squeezed(&folder.done(&["hold", "reader", "list", "order"]));
    assert!(listed.contains("counsel 2025-10-03T00:00:00Z may read 1 1 2025-10-03T00:00:00Z"), "{listed}");
    folder.done(&["hold", "reader", "remove", "order", "counsel", "--at", "2025-10-04T00:00:00Z"]);
    assert!(folder.json(&["hold", "reader", "list", "order"])[0]["until"].is_string());
    assert_eq!(code(&folder.run(&["ledger", "verify"])), 0);
}

#[test]
fn a_person_is_told_of_an_order_where_they_may_be_and_of_nothing_else() {
    let folder = world();
    let place = |id: &'static str, account: &'static str| {
        ["hold", "place", id, "--class", "content", "--at", "2025-10-03T00:00:00Z", "--account", account]
    };
    folder.done(&place("open", "ann"));
    folder.done(&[place("hidden", "ben").as_slice(), &["--secret"]].concat());
    let told = |account| folder.done(&["account", account, "--as-person", "--at", "2026-01-01T00:00:00Z"]);
    let ann = squeezed(&told("ann"));
    assert!(ann.contains("under an order since 3 October 2025"), "{ann}");
    assert!(ann.contains("not used") && !ann.contains("open"), "{ann}");
    let ben = told("ben");
    assert!(!ben.contains("order") && !ben.contains("content"), "{ben}");
    let record = &folder.records("ben", "2026-01-01T00:00:00Z")[0];
    let at = ["--at", "2026-01-01T00:00:00Z"];
    let said = folder.done(&["explain", record, "--as-person", at[0], at[1]]);
    assert!(!said.contains("order") && !said.contains("content"), "{said}");
    let shown = squeezed(&folder.done(&["explain", record, at[0], at[1]]));
    assert!(shown.contains("held by order `hidden` since 3 October 2025"), "{shown}");
    assert!(shown.contains("the person may not be told"), "{shown}");
}
