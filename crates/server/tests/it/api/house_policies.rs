//! Policies over HTTP: read as they were published, compared in words, and published by as many people as it takes.

use serde_json::{Value, json};
use tenure_access::{Change, Role};

use super::house::later_version;
use super::world::{POLICY, World};

/// The example made known later, with `content` kept for less long.
fn shorter() -> String {
    later_version("shorter").replacen("for   = \"30 days\"", "for   = \"20 days\"", 1)
}

#[test]
fn a_version_is_read_byte_for_byte_and_its_tag_is_that_of_the_ledger() {
    let world = World::new();
    let auditor = world.key(Role::Auditor);
    let listed = world.get("/v1/policies", &auditor).expect(200).json();
    assert_eq!(listed["items"][0]["version"], "2025-10-08");
    assert_eq!(listed["next"], Value::Null);
    let read = world.get("/v1/policies/consumer/2025-10-08", &auditor).expect(200);
    assert_eq!(read.text(), POLICY);
    let tag = read.tag.unwrap();
    let known = [("if-none-match", tag.as_str())];
    world.send("GET", "/v1/policies/consumer/2025-10-08", &auditor, &known, None).expect(304);
    world.get("/v1/policies/consumer/2024-01-01", &auditor).refused(404, "policy-unknown");
    world.get("/v1/policies?cursor=AQ", &auditor).refused(404, "cursor-unknown");
}

#[test]
fn two_versions_are_compared_in_words() {
    let world = World::new();
    let privacy = world.key(Role::Privacy);
    let compare = |from: Value, to: Value| {
        world.post("/v1/policies/compare", &privacy, &json!({"from": from, "to": to}))
    };
    let published = json!({"version": "consumer@2025-10-08"});
    let compared = compare(published.clone(), json!({"text": shorter()})).expect(200).json();
    let comparison = &compared["comparison"];
    assert_eq!(comparison["to"], "shorter");
    let term = &comparison["terms"][0];
    assert_eq!((&term["name"], &term["direction"]), (&json!("content"), &json!("shorter")));
    assert!(term["before"].as_str().unwrap().contains("30 days"), "{term}");
    assert!(term["after"].as_str().unwrap().contains("20 days"), "{term}");
    compare(json!({"text": POLICY}), json!({"text": shorter()})).expect(200);
    compare(published.clone(), published.clone()).refused(409, "refused");
    compare(published.clone(), json!({"version": "consumer@never"})).refused(404, "version-unknown");
    compare(published.clone(), json!({"text": "policy ="})).refused(409, "policy-refused");
    compare(published, json!({})).refused(422, "body-invalid");
}

#[test]
fn what_ends_copies_earlier_is_published_by_two_people_and_by_nobody_alone() {
    let world = World::new();
    let privacy = world.key(Role::Privacy);
    let plan = world.post("/v1/policies/plan", &privacy, &json!({"texts": [shorter()]})).expect(200).json();
    assert_eq!(plan["needs"], json!(["shortens-retention"]));
    let publish = |approvals: &[String]| {
        let body = json!({"texts": [shorter()], "approvals": approvals});
        world.post("/v1/policies/publish", &privacy, &body)
    };
    publish(&[]).refused(409, "approval-missing");
    publish(&["change-1".to_owned()]).refused(422, "body-invalid");
    publish(&[format!("change-{}", "0".repeat(32))]).refused(404, "change-unknown");
    let other = json!({"act": "publish", "texts": [shorter().replace("20 days", "21 days")]});
    publish(&[world.approved(Change::ShortensRetention, &other)]).refused(409, "approval-other");
    let act = json!({"act": "publish", "texts": [shorter()]});
    let approval = world.approved(Change::ShortensRetention, &act);
    let published = publish(std::slice::from_ref(&approval)).expect(200).json();
    assert_eq!(published["versions"], json!(["consumer@shorter"]));
    // It is published already, so that nothing is left to be approved.
    assert_eq!(publish(&[approval]).expect(200).json()["versions"], json!([]));
}

#[test]
fn what_changes_no_terms_is_published_by_one_and_withdrawn_by_two() {
    let world = World::new();
    let privacy = world.key(Role::Privacy);
    let text = later_version("again");
    world.post("/v1/policies/publish", &privacy, &json!({"texts": [text]})).expect(200);
    let path = "/v1/policies/consumer/again/withdraw";
    world.post(path, &privacy, &json!({})).refused(409, "approval-missing");
    let act = json!({"act": "withdraw", "version": "consumer@again"});
    let approval = world.approved(Change::WithdrawsVersion, &act);
    let withdrawn = world.post(path, &privacy, &json!({"approvals": [approval]})).expect(200).json();
    assert_eq!(
        (&withdrawn["proposed_by"], &withdrawn["approved_by"]),
        (&json!("proposer"), &json!("approver"))
    );
    world.post("/v1/policies/consumer/never/withdraw", &privacy, &json!({})).refused(404, "policy-unknown");
}
