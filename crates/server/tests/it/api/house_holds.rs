//! Holds over HTTP: placed at once, released by two people, read by readers only.

use serde_json::{Value, json};
use tenure_access::{Change, Role};

use super::house::release;
use super::world::{Heard, World};

fn place(world: &World, hold: &str, scope: &Value) -> Heard {
    let body = json!({"scope": scope, "may_tell": true, "dated": "2025-09-01T00:00:00Z"});
    world.json("PUT", &format!("/v1/holds/{hold}"), &world.key(Role::Legal), &body)
}

fn send(world: &World, method: &str, path: &str, tag: Option<&str>, body: &Value) -> Heard {
    let headers: Vec<_> = tag.iter().map(|tag| ("if-match", *tag)).collect();
    let body = body.to_string();
    world.send(method, path, &world.key(Role::Legal), &headers, Some(("application/json", body.as_bytes())))
}

#[test]
fn a_hold_is_previewed_placed_and_read_with_its_history() {
    let world = World::new();
    world.open("ada");
    world.converse("ada", "c1");
    let (legal, scope) = (world.key(Role::Legal), json!({"classes": ["content"]}));
    let preview = world.post("/v1/holds/order/preview", &legal, &json!({"scope": scope})).expect(200).json();
    assert_eq!(preview["preview"]["covered"]["records"], 1);
    let placed = place(&world, "order", &scope).expect(201);
    assert_eq!(placed.tag.as_deref(), Some("\"1\""));
    place(&world, "order", &scope).refused(409, "refused");
    let read = world.get("/v1/holds/order", &world.key(Role::Auditor)).expect(200).json();
    assert_eq!(read["versions"][0]["dated"], "2025-09-01T00:00:00Z");
    assert_eq!(world.get("/v1/holds", &legal).expect(200).json()["items"][0]["hold"], "order");
    let lost = world.get("/v1/holds/order/destroyed?named=5", &legal).expect(200).json();
    assert_eq!(lost["lost"]["copies"], 0);
    world.get("/v1/holds/other", &legal).refused(404, "hold-unknown");
    place(&world, "a%0Ab", &scope).refused(400, "path-invalid");
    place(&world, "wrong", &json!({"classes": ["content"], "surfaces": ["nowhere"]}))
        .refused(404, "surface-unknown");
    place(&world, "wrong", &json!({"classes": ["content"], "regime": "consumer"}))
        .refused(422, "body-invalid");
}

#[test]
fn one_person_widens_a_hold_and_two_leave_something_out_or_release_it() {
    let world = World::new();
    world.hold("order");
    let path = "/v1/holds/order";
    let wider = json!({"scope": {"classes": ["content", "history"]}});
    send(&world, "PATCH", path, None, &wider).refused(428, "precondition-missing");
    send(&world, "PATCH", path, Some("1"), &wider).refused(400, "header-invalid");
    send(&world, "PATCH", path, Some("\"7\""), &wider).refused(412, "precondition-failed");
    let amended = send(&world, "PATCH", path, Some("\"1\""), &wider).expect(200);
    assert_eq!(amended.tag.as_deref(), Some("\"2\""));
    let narrower = json!({"scope": {"classes": ["content"]}});
    send(&world, "PATCH", path, Some("\"2\""), &narrower).refused(409, "approval-missing");
    let release_path = "/v1/holds/order/release";
    send(&world, "POST", release_path, Some("\"2\""), &json!({})).refused(409, "approval-missing");
    let mut act = release("order");
    act["version"] = json!(2);
    let approvals = json!({"approvals": [world.approved(Change::ReleasesHold, &act)]});
    send(&world, "POST", release_path, Some("\"1\""), &approvals).refused(412, "precondition-failed");
    send(&world, "POST", release_path, Some("\"2\""), &approvals).expect(204);
    send(&world, "POST", release_path, Some("\"2\""), &approvals).refused(404, "hold-unknown");
    let read = world.get(path, &world.key(Role::Legal)).expect(200);
    assert_eq!(read.tag.as_deref(), Some("\"2-released\""));
}

#[test]
fn only_a_reader_reads_what_a_hold_keeps_and_the_ledger_says_so() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    world.hold("order");
    let (legal, body) = (world.key(Role::Legal), json!({"record": record}));
    let read = |body: &Value| world.post("/v1/holds/order/read", &legal, body);
    read(&body).refused(403, "reader-only");
    world.post("/v1/holds/none/read", &legal, &body).refused(403, "reader-only");
    world.send("PUT", "/v1/holds/order/readers/legal-1", &legal, &[], None).refused(403, "reader-self");
    world.tenure.add_hold_reader("order", "legal-1", world.now()).unwrap();
    let text = read(&body).expect(200).text();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [line, last] = lines.as_slice() else { panic!("{text}") };
    assert_eq!((&line["record"], &line["state"]), (&json!(record), &json!("read")));
    assert!(line["content"].as_str().unwrap().contains("how long should it steep?"));
    assert_eq!((&last["access"]["read"], &last["access"]["leaves"][0]), (&json!(1), &line["leaf"]));
    read(&json!({"all": true})).expect(200);
    read(&json!({"account": "ada"})).expect(200);
    read(&json!({"account": "ada", "all": true})).refused(422, "body-invalid");
    read(&json!({"account": "nobody"})).refused(404, "account-unknown");
    let readers = world.get("/v1/holds/order/readers", &world.key(Role::Auditor)).expect(200).json();
    assert_eq!(
        (&readers["readers"][0]["reader"], &readers["readers"][0]["accesses"]),
        (&json!("legal-1"), &json!(3))
    );
    world.delete("/v1/holds/order/readers/legal-1", &world.key(Role::Privacy)).expect(204);
    read(&body).refused(403, "reader-only");
}
