//! The example of the design, section 10.

use serde_json::{Value, json};
use tenure_reference::Tally;

use crate::policies::{from_path, root};

const CASE: &str = r#"{"case":"c1","at":"2025-11-01T00:00:00Z",
 "account":{"id":"a1","country":"US","minor":false,"opened_at":"2024-05-01T00:00:00Z","closed_at":null},
 "informed":[], "acknowledged":[{"version":"2025-10-08","at":"2025-09-02T09:00:00Z"}],
 "decisions":[{"purpose":"train","choice":"on","at":"2025-09-02T09:00:00Z","version":"2025-10-08"}],
 "record":{"id":"r1","surface":"pro","kind":"chat","mode":"normal","country":"US","scanned":true,
   "created_at":"2025-08-30T10:00:00Z","last_activity_at":"2025-09-10T10:00:00Z","conversation_last_activity_at":"2025-09-10T10:00:00Z",
   "deleted_at":null,"flagged_at":null,"feedback_at":null,
   "messages":[{"id":"m1","at":"2025-08-30T10:00:00Z"},{"id":"m2","at":"2025-09-10T10:00:00Z","derived_from":["m1"]}]},
 "holds":[{"id":"h1","placed_at":"2025-05-13T00:00:00Z","released_at":null,"classes":["content"],
   "regimes":["consumer"],"surfaces":null,"accounts":null,"countries":null,"not_countries":["DE"],"kinds":null,
   "created_from":null,"created_to":null,"deleted_only":false}]}"#;

fn answer(line: &str) -> Value {
    from_path(&root().join("policies/example.toml")).unwrap().answer(line, &mut Tally::new())
}

#[test]
fn the_example_of_the_design_has_exactly_its_verdict() {
    let expected = json!({"case":"c1","record":"r1","at":"2025-11-01T00:00:00Z","policy":"consumer@2025-10-08",
        "bound":"2025-10-08","must_decide":false,
        "standing":{"train":"on"},
        "keep":{"history":{"until":"indefinite","bases":[0]},"content":{"until":"2030-09-10T10:00:00Z","bases":[2]},
          "training_copy":{"until":"2030-09-10T10:00:00Z","bases":[7]},"feedback":{"until":null,"bases":[]},
          "scores":{"until":null,"bases":[]}},
        "held":{"content":["h1"]},
        "destroy":{"history":null,"content":null,"training_copy":"2030-09-10T10:00:00Z",
          "feedback":"2025-11-01T00:00:00Z","scores":"2025-11-01T00:00:00Z"},
        "uses":{"train":{"allowed":true,"messages":["m1","m2"]},"safety":{"allowed":false,"messages":[]}}});
    assert_eq!(answer(CASE), expected);
}

#[test]
fn a_case_that_cannot_be_judged_keeps_its_name() {
    let error = answer(&CASE.replace("\"pro\"", "\"plus\""));
    assert_eq!(error["case"], "c1");
    assert!(error["error"].is_string());
    assert_eq!(answer("{\"case\":")["case"], Value::Null);
}
