//! Keys and changes over HTTP: a secret is shown once, and nobody approves what they proposed.

use serde_json::{Value, json};
use tenure_access::{Role, Scope};

use super::house::release;
use super::world::World;

#[test]
fn a_key_is_shown_once_rotated_revoked_and_listed() {
    let world = World::new();
    let admin = world.key(Role::Admin);
    let terms = json!({
        "environment": "test", "owner": "sweeper", "role": "privacy", "operations": ["run-sweep"],
        "expires_at": "2025-12-01T00:00:00Z",
    });
    let text = terms.to_string();
    let mint = || {
        let headers = [("idempotency-key", "mint-1")];
        world.send("POST", "/v1/keys", &admin, &headers, Some(("application/json", text.as_bytes())))
    };
    let minted = mint().expect(201).json();
    let again = mint().expect(201).json();
    assert_eq!((&again["id"], &again["key"]), (&minted["id"], &Value::Null));
    let key = minted["key"].as_str().unwrap();
    world.post("/v1/erasure/sweep", key, &json!({})).expect(200);
    world.post("/v1/erasure/pause", key, &json!({"why": "x"})).refused(403, "scope-insufficient");
    let path = format!("/v1/keys/{}", minted["id"].as_str().unwrap());
    let rotate = |until: &str| world.post(&format!("{path}/rotate"), &admin, &json!({"old_until": until}));
    let rotated = rotate("2025-09-10T00:00:00Z").expect(200).json();
    world.post("/v1/erasure/sweep", key, &json!({})).refused(401, "key-unknown");
    let key = rotated["key"].as_str().unwrap();
    world.post("/v1/erasure/sweep", key, &json!({})).expect(200);
    rotate("2025-12-10T00:00:00Z").refused(422, "key-overlap");
    world.delete(&path, &admin).expect(204);
    world.delete(&path, &admin).expect(204);
    world.post("/v1/erasure/sweep", key, &json!({})).refused(401, "key-revoked");
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let listed = world.get(&format!("/v1/keys?limit=1{cursor}"), &world.key(Role::Auditor)).expect(200);
        assert!(!listed.text().contains("tnr_"));
        let listed = listed.json();
        found.extend(listed["items"].as_array().unwrap().clone());
        let Some(next) = listed["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let ours: Vec<_> = found.iter().filter(|key| key["owner"] == "sweeper").collect();
    assert_eq!((ours.len(), &ours[0]["state"]), (1, &json!("revoked")));
    world.delete("/v1/keys/0000000000000000", &admin).refused(404, "api-key-unknown");
    world.delete("/v1/keys/1", &admin).refused(400, "path-invalid");
}

#[test]
fn a_key_for_one_organisation_mints_and_lists_keys_of_that_one_only() {
    let world = World::new();
    let scope = Scope { operations: None, organisation: Some("acme".parse().unwrap()) };
    let admin = world.key_with(Role::Admin, scope);
    let mint = |organisation: Option<&str>| {
        let body = json!({
            "owner": "somebody", "role": "ml", "organisation": organisation, "expires_at": "2025-12-01T00:00:00Z",
        });
        world.post("/v1/keys", &admin, &body)
    };
    mint(Some("acme")).expect(201);
    mint(Some("other")).refused(403, "organisation-other");
    mint(None).refused(403, "organisation-other");
    let listed = world.get("/v1/keys", &admin).expect(200).json();
    assert!(listed["items"].as_array().unwrap().iter().all(|key| key["organisation"] == "acme"));
    world.post("/v1/erasure/pause", &admin, &json!({"why": "x"})).refused(403, "organisation-other");
}

#[test]
fn what_a_key_may_not_be_is_refused_and_not_repeated() {
    let world = World::new();
    let admin = world.key(Role::Admin);
    let mint = |field: &str, value: Value| {
        let mut body = json!({"owner": "somebody", "role": "ml", "expires_at": "2025-12-01T00:00:00Z"});
        body[field] = value;
        world.post("/v1/keys", &admin, &body)
    };
    mint("expires_at", json!("2030-01-01T00:00:00Z")).refused(422, "key-lifetime");
    mint("operations", json!(["mint-key"])).refused(422, "scope-beyond-role");
    let refused = mint("owner", json!("Ada Lovelace")).refused(422, "body-invalid");
    assert!(!refused.text().contains("Ada"));
    let refused = mint("operations", json!(["Ada"])).refused(422, "body-invalid");
    assert!(!refused.text().contains("Ada"));
}

#[test]
fn nobody_approves_what_they_proposed_nor_what_they_were_not_shown() {
    let world = World::new();
    world.hold("order");
    let (legal, privacy) = (world.key(Role::Legal), world.key(Role::Privacy));
    let act = json!({"change": "releases-hold", "act": release("order")});
    // Another key of the same owner is the same person.
    let same = world.key(Role::Legal);
    let proposed = world.post("/v1/changes", &legal, &act).expect(201).json();
    let path = format!("/v1/changes/{}", proposed["id"].as_str().unwrap());
    let approve =
        |key: &str, digest: &Value| world.post(&format!("{path}/approve"), key, &json!({"digest": digest}));
    approve(&same, &proposed["digest"]).refused(403, "approver-same");
    approve(&privacy, &json!("0".repeat(64))).refused(409, "approval-other");
    approve(&privacy, &json!("0")).refused(422, "body-invalid");
    let approved = approve(&privacy, &proposed["digest"]).expect(200).json();
    assert_eq!((&approved["state"], &approved["by"]), (&json!("approved"), &json!("privacy-1")));
    let rejected = world.send("POST", &format!("{path}/reject"), &legal, &[], None).expect(200).json();
    assert_eq!(rejected["state"], "rejected");
    approve(&privacy, &proposed["digest"]).refused(409, "approval-closed");
    let listed = world.get("/v1/changes?limit=1", &world.key(Role::Auditor)).expect(200).json();
    assert_eq!(listed["items"][0]["id"], proposed["id"]);
    assert_eq!(world.get(&path, &legal).expect(200).json()["act"], act["act"]);
    world.get(&format!("/v1/changes/change-{}", "0".repeat(32)), &legal).refused(404, "change-unknown");
}

#[test]
fn what_nobody_of_a_role_may_do_none_of_them_proposes() {
    let world = World::new();
    world.hold("order");
    let propose = |role: Role, change: &str, act: Value| {
        world.post("/v1/changes", &world.key(role), &json!({"change": change, "act": act}))
    };
    propose(Role::Privacy, "releases-hold", release("order")).refused(403, "role-insufficient");
    propose(Role::Legal, "releases-hold", json!({"act": "release_hold", "hold": "order", "version": 2}))
        .refused(412, "precondition-failed");
    propose(Role::Legal, "releases-hold", json!({"act": "release_hold", "hold": "none", "version": 1}))
        .refused(404, "hold-unknown");
    propose(Role::Privacy, "widens-use", json!({"act": "override_guard", "copies": {}}))
        .refused(409, "refused");
    propose(Role::Legal, "releases-hold", json!({"act": "secret"})).refused(422, "body-invalid");
}
