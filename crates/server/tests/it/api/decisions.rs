//! Decisions and acknowledgements, and what follows from them.

use serde_json::{Value, json};
use tenure_access::{Role, TokenPurpose};
use tenure_receipts::{Receipt, Statement};

use super::world::World;

fn decide(world: &World, account: &str, body: &Value) -> super::world::Heard {
    world.post("/v1/me/decisions", &world.token(account, TokenPurpose::Decide), body)
}

fn receipt(stated: &Value) -> Receipt {
    Receipt::parse(stated["receipts"][0]["receipt"].as_str().unwrap().as_bytes()).unwrap()
}

#[test]
fn a_person_decides_and_gets_a_receipt_and_the_head_that_the_next_answer_follows() {
    let world = World::new();
    world.open("ada");
    let on = json!({"purpose": "train", "choice": "on", "follows": world.head("ada")});
    let stated = decide(&world, "ada", &on).expect(201).json();
    assert_eq!(stated["receipts"][0]["statement"]["choice"], "on");
    assert_eq!(receipt(&stated).subject().account, "ada");
    assert_eq!(stated["head"], world.head("ada"));
    let off = json!({"purpose": "train", "choice": "off"});
    let after = decide(&world, "ada", &off).expect(201).json();
    let late = json!({"purpose": "train", "choice": "on", "follows": stated["head"]});
    decide(&world, "ada", &late).refused(409, "chain-moved");
    let again = json!({"purpose": "train", "choice": "on", "follows": after["head"]});
    decide(&world, "ada", &again).expect(201);
}

#[test]
fn what_can_not_be_decided_is_refused_with_its_reason() {
    let world = World::new();
    world.open("ada");
    let head = world.head("ada");
    for (body, status, code) in [
        (json!({"purpose": "train", "choice": "on"}), 422, "body-invalid"),
        (json!({"purpose": "train", "choice": "on", "follows": "zz"}), 422, "body-invalid"),
        (json!({"purpose": "train", "choice": "maybe"}), 422, "body-invalid"),
        (json!({"purpose": "train", "choice": "off", "account": "bob"}), 422, "body-invalid"),
        (json!({"purpose": "sell", "choice": "off"}), 404, "purpose-unknown"),
        (
            json!({"purpose": "train", "choice": "on", "follows": head, "version": "1999"}),
            404,
            "version-unknown",
        ),
    ] {
        decide(&world, "ada", &body).refused(status, code);
    }
    decide(&world, "nobody", &json!({"purpose": "train", "choice": "off"})).refused(404, "account-unknown");
    world.json("PATCH", "/v1/accounts/ada", &world.key(Role::App), &json!({"closed": true})).expect(200);
    let on = json!({"purpose": "train", "choice": "on", "follows": world.head("ada")});
    decide(&world, "ada", &on).refused(409, "account-closed");
    decide(&world, "ada", &json!({"purpose": "train", "choice": "off"})).expect(201);
}

#[test]
fn somebody_else_passes_a_yes_on_only_with_evidence_which_the_statement_names() {
    let world = World::new();
    world.open("ada");
    let (app, path) = (world.key(Role::App), "/v1/accounts/ada/decisions");
    let digest = "ab".repeat(32);
    let on = json!({"purpose": "train", "choice": "on", "follows": world.head("ada")});
    world.post(path, &app, &on).refused(403, "evidence-missing");
    let mut shown = on.clone();
    shown["evidence"] = json!("ab");
    world.post(path, &app, &shown).refused(422, "body-invalid");
    shown["evidence"] = json!(digest);
    let stated = world.post(path, &app, &shown).expect(201).json();
    assert_eq!(stated["receipts"][0]["statement"]["evidence"], json!(digest));
    let proved = tenure_receipts::Stated::read(receipt(&stated).statement()).unwrap();
    assert!(matches!(proved.statement, Statement::Decision { evidence: Some(_), .. }));
    let off = world.post(path, &app, &json!({"purpose": "train", "choice": "off"})).expect(201).json();
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(off["receipts"][0]["statement"]["evidence"], nothing);
    for role in [Role::Privacy, Role::Admin, Role::Ml] {
        world.post(path, &world.key(role), &shown).refused(403, "role-insufficient");
    }
    world.post("/v1/me/decisions", &app, &on).refused(403, "person-only");
}

#[test]
fn an_acknowledgement_binds_the_version_that_was_read() {
    let world = World::new();
    world.open("ada");
    let body = json!({"version": "consumer@2025-10-08"});
    let token = world.token("ada", TokenPurpose::Decide);
    let stated = world.post("/v1/me/acknowledgements", &token, &body).expect(201).json();
    assert_eq!(stated["receipts"][0]["statement"]["kind"], "acknowledged");
    let path = "/v1/accounts/ada/acknowledgements";
    let app = world.key(Role::App);
    world.post(path, &app, &body).refused(422, "body-invalid");
    let short = json!({"version": "2025-10-08", "evidence": "ab"});
    world.post(path, &app, &short).refused(422, "body-invalid");
    let shown = json!({"version": "2025-10-08", "evidence": "cd".repeat(32)});
    let stated = world.post(path, &app, &shown).expect(201).json();
    assert_eq!(stated["receipts"][0]["statement"]["evidence"], json!("cd".repeat(32)));
}

#[test]
fn a_standing_says_what_binds_what_is_asked_and_whether_one_may_go_on() {
    let world = World::new();
    world.open("ada");
    let read = || world.get("/v1/accounts/ada/standing", &world.key(Role::App)).expect(200).json();
    let before = read();
    assert_eq!((&before["must_decide"], &before["may_continue"]), (&json!(false), &json!(true)));
    assert_eq!(before["decide_by"], "2025-10-08T00:00:00Z");
    let consumer =
        before["terms"].as_array().unwrap().iter().find(|terms| terms["regime"] == "consumer").unwrap();
    assert_eq!(consumer["choices"][0]["choice"], "undecided");
    assert_eq!(consumer["asked"]["purposes"], json!(["train"]));
    assert_eq!(consumer["surfaces"], json!(["free", "pro", "code"]));
    world.set_now("2025-10-08T00:00:00Z");
    assert_eq!(read()["must_decide"], true);
    let path = "/v1/accounts/ada/must-decide";
    let must = world.get(path, &world.key(Role::Auditor)).expect(200).json();
    let expected = json!({"must_decide": true, "may_continue": false, "decide_by": "2025-10-08T00:00:00Z"});
    assert_eq!(must, expected);
    let team = world.get(&format!("{path}?surface=team"), &world.key(Role::App)).expect(200).json();
    assert_eq!(team["must_decide"], false);
    world.get(&format!("{path}?surface=moon"), &world.key(Role::App)).refused(404, "surface-unknown");
    world.post(
        "/v1/me/decisions",
        &world.token("ada", TokenPurpose::Decide),
        &json!({"purpose": "train", "choice": "off"}),
    );
    let after = read();
    assert_eq!((&after["must_decide"], &after["may_continue"]), (&json!(false), &json!(true)));
}

#[test]
fn receipts_are_listed_part_by_part() {
    let world = World::new();
    world.open("ada");
    world.open("bob");
    for _ in 0..5 {
        decide(&world, "ada", &json!({"purpose": "train", "choice": "off"})).expect(201);
    }
    let token = world.token("ada", TokenPurpose::Read);
    let (mut path, mut versions) = ("/v1/me/receipts?limit=2".to_owned(), Vec::new());
    loop {
        let part = world.get(&path, &token).expect(200).json();
        let items = part["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        for item in items {
            let receipt = Receipt::parse(item["receipt"].as_str().unwrap().as_bytes()).unwrap();
            assert_eq!(receipt.link().version, item["version"]);
            versions.push(item["version"].as_u64().unwrap());
        }
        let Some(next) = part["next"].as_str() else { break };
        let other = format!("/v1/accounts/bob/receipts?cursor={next}");
        world.get(&other, &world.key(Role::App)).refused(404, "cursor-unknown");
        path = format!("/v1/me/receipts?limit=2&cursor={next}");
    }
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
}
