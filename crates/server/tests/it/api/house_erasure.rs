//! Erasure over HTTP: what is due goes, the guard stops what is too much, and only two people override it.

use serde_json::json;
use tenure_access::{Change, Role};

use super::world::World;

/// A world in which more than the guard lets through is due, and how many copies that are.
fn much_is_due() -> (World, u64) {
    let world = World::new();
    let app = world.key(Role::App);
    world.open("ada");
    for number in 0..120 {
        let body = super::world::conversation(&format!("c{number}"));
        world.post("/v1/accounts/ada/conversations", &app, &body).expect(201);
        world.delete(&format!("/v1/accounts/ada/conversations/c{number}"), &app);
    }
    world.set_now("2025-12-10T10:00:00Z");
    let due = world.tenure.guard_override(world.now()).unwrap();
    let due = serde_json::to_value(due).unwrap();
    let copies = due["copies"].as_object().unwrap().values().map(|copies| copies.as_u64().unwrap()).sum();
    (world, copies)
}

#[test]
fn a_sweep_destroys_what_is_due_and_a_report_and_a_certificate_say_so() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    let privacy = world.key(Role::Privacy);
    world.set_now("2025-11-10T10:00:00Z");
    let tried = world.post("/v1/erasure/dry-run", &privacy, &json!({})).expect(200).json();
    assert_eq!((&tried["swept"]["destroyed"]["content"], &tried["guard"]), (&json!(1), &json!(null)));
    let swept = world.post("/v1/erasure/sweep", &privacy, &json!({})).expect(200).json();
    assert_eq!(swept["swept"]["destroyed"], tried["swept"]["destroyed"]);
    let report = world.get("/v1/erasure/report?from=2025-11-01T00:00:00Z&to=2025-12-01T00:00:00Z", &privacy);
    assert!(report.expect(200).json()["report"]["verified"]["copies"].as_u64().unwrap() >= 1);
    let auditor = world.key(Role::Auditor);
    for path in [format!("records/{record}"), "accounts/ada".to_owned()] {
        let path = format!("/v1/erasure/{path}/certificate?class=content");
        let certificate = world.get(&path, &auditor).expect(200).json();
        assert_eq!(certificate["certificate"]["copies"][0]["class"], "content");
    }
    world.get("/v1/erasure/accounts/nobody/certificate", &auditor).refused(404, "account-unknown");
    world.get("/v1/erasure/report?from=yesterday", &auditor).refused(400, "query-invalid");
    world
        .get("/v1/erasure/report?from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z", &auditor)
        .refused(400, "query-invalid");
    world.post("/v1/erasure/sweep", &privacy, &json!({"lead": "8 days"})).refused(409, "refused");
    world.post("/v1/erasure/sweep", &privacy, &json!({"lead": "soon"})).refused(422, "body-invalid");
    // One person can't split what is too much into sweeps that are each small enough.
    world.post("/v1/erasure/sweep", &privacy, &json!({"limit": 100})).refused(422, "body-invalid");
}

#[test]
fn what_is_too_much_is_destroyed_by_two_people_and_by_nobody_alone() {
    let (world, due) = much_is_due();
    assert!(due > 100, "{due}");
    let privacy = world.key(Role::Privacy);
    world.post("/v1/erasure/sweep", &privacy, &json!({})).refused(409, "guarded");
    let tried = world.post("/v1/erasure/dry-run", &privacy, &json!({})).expect(200).json();
    assert_eq!(tried["guard"]["copies"].as_u64(), Some(due));
    let (act, copies) = (&tried["act"], &tried["act"]["copies"]);
    let over = |approvals: &[&str]| {
        let body = json!({"copies": copies, "approvals": approvals});
        world.post("/v1/erasure/override", &privacy, &body)
    };
    over(&[]).refused(409, "approval-missing");
    let approval = world.approved(Change::OverridesGuard, act);
    let swept = over(&[&approval]).expect(200).json();
    assert_eq!(&swept["swept"]["destroyed"], copies);
    over(&[&approval]).refused(409, "approval-closed");
}

#[test]
fn whoever_sees_something_go_wrong_pauses_and_only_privacy_goes_on() {
    let world = World::new();
    let (admin, privacy) = (world.key(Role::Admin), world.key(Role::Privacy));
    world.post("/v1/erasure/pause", &admin, &json!({"why": "a mistyped term"})).expect(204);
    world.post("/v1/erasure/sweep", &privacy, &json!({})).refused(409, "destruction-paused");
    world.post("/v1/erasure/pause", &admin, &json!({"why": "x".repeat(501)})).refused(409, "refused");
    world.send("POST", "/v1/erasure/resume", &admin, &[], None).refused(403, "role-insufficient");
    let resumed = world.send("POST", "/v1/erasure/resume", &privacy, &[], None).expect(200).json();
    assert_eq!(resumed["was_paused"], true);
    world.json("PUT", "/v1/erasure/observe", &privacy, &json!({"observe": true})).expect(204);
    world.json("PUT", "/v1/erasure/within", &privacy, &json!({"within": "20 days"})).expect(204);
    world
        .json("PUT", "/v1/erasure/within", &privacy, &json!({"within": "a while"}))
        .refused(422, "body-invalid");
    let swept = world.post("/v1/erasure/sweep", &privacy, &json!({})).expect(200).json();
    assert_eq!(swept["swept"]["observed"], true);
    let report = world.get("/v1/erasure/report", &privacy).expect(200).json();
    assert_eq!(
        (&report["report"]["within"], &report["report"]["observes"]),
        (&json!("20 days"), &json!(true))
    );
}
