//! Records: flagged, judged and explained, and what of it a person may be told.

use serde_json::{Value, json};
use tenure_access::{Role, TokenPurpose};
use tenure_app::HoldScope;

use super::world::World;

#[test]
fn a_flag_is_set_by_the_product_and_cleared_by_privacy() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    let path = format!("/v1/records/{record}/flag");
    let flagged = || {
        let path = format!("/v1/records/{record}/explanation");
        world.get(&path, &world.key(Role::Auditor)).expect(200).json()["explanation"]["record"]["flagged_at"]
            .clone()
    };
    world.send("PUT", &path, &world.key(Role::App), &[], None).expect(204);
    assert_eq!(flagged(), "2025-09-10T10:00:00Z");
    world.delete(&path, &world.key(Role::App)).refused(403, "role-insufficient");
    world.delete(&path, &world.key(Role::Privacy)).expect(204);
    assert_eq!(flagged(), Value::Null);
    world.post(&format!("/v1/records/{record}/feedback"), &world.key(Role::App), &json!({})).expect(204);
    let unknown = format!("/v1/records/r-{}/flag", "0".repeat(32));
    world.send("PUT", &unknown, &world.key(Role::App), &[], None).refused(404, "record-unknown");
    world.send("PUT", "/v1/records/r-1/flag", &world.key(Role::App), &[], None).refused(400, "path-invalid");
}

#[test]
fn a_verdict_says_until_when_and_for_what() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    let path = format!("/v1/records/{record}/verdict");
    let verdict = world.get(&path, &world.key(Role::Ml)).expect(200).json()["verdict"].clone();
    assert_eq!(verdict["keep"]["content"]["until"], "2025-10-09T10:00:05Z");
    assert_eq!(verdict["uses"]["train"]["allowed"], false);
    let on = json!({"purpose": "train", "choice": "on", "follows": world.head("ada")});
    world.post("/v1/me/decisions", &world.token("ada", TokenPurpose::Decide), &on).expect(201);
    world.get(&path, &world.token("ada", TokenPurpose::Read)).expect(200);
    world.open("bob");
    world.get(&path, &world.token("bob", TokenPurpose::Read)).refused(404, "record-unknown");
}

#[test]
fn a_hold_that_a_person_may_not_be_told_of_shows_to_who_may_list_holds_and_to_nobody_else() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    let scope: HoldScope = serde_json::from_value(json!({
        "classes": ["content"], "regimes": ["consumer"], "surfaces": null, "accounts": null, "countries": null,
        "not_countries": [], "kinds": null, "created_from": null, "created_to": null, "deleted_only": false
    }))
    .unwrap();
    world.tenure.place_hold("secret-hold", scope, false, world.now()).unwrap();
    let seen = |bearer: &str, what: &str| {
        let path = format!("/v1/records/{record}/{what}");
        world.get(&path, bearer).expect(200).text().contains("secret-hold")
    };
    for what in ["verdict", "explanation"] {
        assert!(seen(&world.key(Role::Legal), what) && seen(&world.key(Role::Auditor), what), "{what}");
        assert!(!seen(&world.key(Role::App), what) && !seen(&world.key(Role::Ml), what), "{what}");
        assert!(!seen(&world.token("ada", TokenPurpose::Read), what), "{what}");
    }
    // Once only the hold keeps it, nothing of it shows to the person.
    world.delete("/v1/me/conversations/c1", &world.token("ada", TokenPurpose::Delete)).expect(200);
    world.set_now("2025-12-01T00:00:00Z");
    let listed =
        |bearer: &str| world.get("/v1/accounts/ada/records", bearer).expect(200).json()["items"].clone();
    assert_eq!(listed(&world.token("ada", TokenPurpose::Read)), json!([]));
    assert_eq!(listed(&world.key(Role::App)), json!([]));
    assert_eq!(listed(&world.key(Role::Auditor)).as_array().unwrap().len(), 1);
    let export = world.get("/v1/me/export", &world.token("ada", TokenPurpose::Export)).expect(200);
    assert_eq!(export.json()["conversations"], json!([]));
    let export = world.get("/v1/accounts/ada/export", &world.key(Role::Privacy)).expect(200);
    assert_eq!(export.json()["conversations"], json!([]));
}

#[test]
fn many_records_are_asked_about_at_once_and_each_has_its_line() {
    let world = World::new();
    world.open("ada");
    let records: Vec<String> = (0..20).map(|number| world.converse("ada", &format!("c{number}"))).collect();
    let unknown = format!("r-{}", "0".repeat(32));
    let asked: Vec<&str> = records.iter().map(String::as_str).chain([unknown.as_str()]).collect();
    for (path, name) in [("/v1/verdicts", "verdict"), ("/v1/explanations", "explanation")] {
        let answer = world.post(path, &world.key(Role::Auditor), &json!({"records": asked})).expect(200);
        assert_eq!(answer.kind, "application/x-ndjson");
        let lines: Vec<Value> =
            answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let named: Vec<&str> = lines.iter().map(|line| line["record"].as_str().unwrap()).collect();
        assert_eq!(named, asked);
        assert!(lines[..20].iter().all(|line| line[name].is_object()), "{lines:?}");
        assert_eq!(lines[20]["problem"]["code"], "record-unknown");
    }
    let auditor = world.key(Role::Auditor);
    world.post("/v1/verdicts", &auditor, &json!({"records": []})).refused(422, "body-invalid");
    world.post("/v1/verdicts", &auditor, &json!({"records": ["r-1"]})).refused(422, "body-invalid");
    world
        .post("/v1/verdicts", &auditor, &json!({"records": vec![&unknown; 10_001]}))
        .refused(422, "body-invalid");
}
