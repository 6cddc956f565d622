//! Accounts: opened, changed, read, erased.

use serde_json::json;
use tenure_access::{Operation, Role, Scope, TokenPurpose};

use super::world::World;

#[test]
fn an_account_is_opened_once_and_changed_by_who_may() {
    let world = World::new();
    let app = world.key(Role::App);
    let opened = world.json("PUT", "/v1/accounts/ada", &app, &json!({"country": "US"})).expect(201);
    assert_eq!((&opened.json()["country"], &opened.json()["closed_at"]), (&json!("US"), &json!(null)));
    let changed = world.json("PUT", "/v1/accounts/ada", &app, &json!({"minor": false})).expect(200);
    assert_eq!((&changed.json()["country"], &changed.json()["minor"]), (&json!("US"), &json!(false)));
    let scope = Scope { operations: Some([Operation::OpenAccount].into()), organisation: None };
    let opens = world.key_with(Role::App, scope);
    world.json("PUT", "/v1/accounts/bob", &opens, &json!({})).expect(201);
    world.json("PUT", "/v1/accounts/bob", &opens, &json!({"minor": true})).refused(403, "scope-insufficient");
    world.json("PATCH", "/v1/accounts/nobody", &app, &json!({})).refused(404, "account-unknown");
    let closed = world.json("PATCH", "/v1/accounts/ada", &app, &json!({"closed": true})).expect(200);
    assert_eq!(closed.json()["closed_at"], "2025-09-10T10:00:00Z");
}

#[test]
fn a_change_that_names_an_older_state_is_refused() {
    let world = World::new();
    let app = world.key(Role::App);
    let send = |headers: &[(&str, &str)], method: &str, body: &str| {
        let body = Some(("application/json", body.as_bytes()));
        world.send(method, "/v1/accounts/ada", &app, headers, body)
    };
    let first = send(&[("if-none-match", "*")], "PUT", "{}").expect(201).tag.unwrap();
    send(&[("if-none-match", "*")], "PUT", "{}").refused(412, "precondition-failed");
    let second = send(&[("if-match", &first)], "PATCH", r#"{"minor":true}"#).expect(200).tag.unwrap();
    assert_ne!(first, second);
    send(&[("if-match", &first)], "PATCH", r#"{"minor":false}"#).refused(412, "precondition-failed");
    send(&[("if-match", "\"zz\"")], "PATCH", "{}").refused(400, "header-invalid");
    send(&[("if-match", "0")], "PATCH", "{}").refused(400, "header-invalid");
    send(&[("if-match", &second), ("if-none-match", "*")], "PUT", "{}").refused(400, "header-invalid");
    let known = world.send("GET", "/v1/accounts/ada", &app, &[("if-none-match", &second)], None).expect(304);
    assert!(known.body.is_empty() && known.tag == Some(second.clone()));
    let read = world.send("GET", "/v1/accounts/ada", &app, &[("if-none-match", &first)], None).expect(200);
    assert_eq!(read.tag, Some(second));
}

#[test]
fn what_is_told_of_an_account_is_checked() {
    let world = World::new();
    let app = world.key(Role::App);
    for body in [
        json!({"country": "UK"}),
        json!({"country": "us"}),
        json!({"minor": "no"}),
        json!({"opened_at": "yesterday"}),
        json!({"consent": "on"}),
        json!([]),
    ] {
        world.json("PUT", "/v1/accounts/ada", &app, &body).refused(422, "body-invalid");
    }
    world.get("/v1/accounts/ada", &app).refused(404, "account-unknown");
    let long = format!("/v1/accounts/{}", "a".repeat(256));
    world.json("PUT", &long, &app, &json!({})).refused(400, "path-invalid");
    world.json("PUT", "/v1/accounts/a%00b", &app, &json!({})).refused(400, "path-invalid");
    let path = "/v1/accounts/%C3%BCml%C3%A4ut%2F42";
    world.json("PUT", path, &app, &json!({})).expect(201);
    assert_eq!(world.get(path, &app).expect(200).json()["account"], "ümläut/42");
}

#[test]
fn a_person_erases_their_account_and_no_other() {
    let world = World::new();
    for account in ["ada", "bob"] {
        world.open(account);
        world.converse(account, "c1");
    }
    world.delete("/v1/accounts/ada", &world.key(Role::App)).refused(403, "role-insufficient");
    let erased = world.delete("/v1/me", &world.token("ada", TokenPurpose::Delete)).expect(200);
    assert_eq!(erased.json()["records"], 1);
    let token = world.token("ada", TokenPurpose::Read);
    assert!(world.get("/v1/me", &token).expect(200).json()["closed_at"].is_string());
    let bob = world.get("/v1/me", &world.token("bob", TokenPurpose::Read)).expect(200);
    assert_eq!(bob.json()["closed_at"], json!(null));
    // What the terms keep for a while after a deletion is told.
    let listed = world.get("/v1/me/records", &token).expect(200).json();
    assert_eq!(listed["items"][0]["kept"], json!(["content"]));
    world.delete("/v1/accounts/bob", &world.key(Role::Privacy)).expect(200);
}
