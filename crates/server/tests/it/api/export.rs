//! Everything that is held about a person.

use serde_json::json;
use tenure_access::{Role, TokenPurpose};

use super::world::World;

#[test]
fn an_export_has_what_was_known_stated_and_said() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    world.converse("ada", "c2");
    world.post(
        "/v1/me/decisions",
        &world.token("ada", TokenPurpose::Decide),
        &json!({"purpose": "train", "choice": "off"}),
    );
    let export = world.get("/v1/me/export", &world.token("ada", TokenPurpose::Export)).expect(200);
    assert_eq!(export.kind, "application/json");
    let export = export.json();
    assert_eq!((&export["format"], &export["account"]["country"]), (&json!("tenure-export/1"), &json!("US")));
    assert_eq!(export["account"]["standing"]["must_decide"], false);
    let kinds: Vec<&str> = export["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stated| stated["statement"]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["account_opened", "decision"]);
    let conversations = export["conversations"].as_array().unwrap();
    assert_eq!(conversations.len(), 2);
    let found = conversations.iter().find(|one| one["records"][0]["record"] == json!(record)).unwrap();
    let part = &found["records"][0];
    assert_eq!(part["title"], "A title");
    assert_eq!(part["messages"][0]["text"], "how long should it steep?");
    assert_eq!(part["messages"][1]["content"], json!({"tool": "none"}));
    assert_eq!(part["messages"][0]["at"], "2025-09-09T10:00:00Z");
    let history = part["kept"].as_array().unwrap().iter().find(|copy| copy["class"] == "history").unwrap();
    assert_eq!(history["why"], json!(["Your conversations, until you delete them"]));
    assert_eq!(world.get("/v1/accounts/ada/export", &world.key(Role::Privacy)).expect(200).json(), export);
    world.get("/v1/accounts/nobody/export", &world.key(Role::Privacy)).refused(404, "account-unknown");
}

#[test]
fn an_export_is_a_page_too_that_runs_nothing_of_what_was_said() {
    let world = World::new();
    world.open("ada");
    let mut body = super::world::conversation("c1");
    body["messages"][0]["text"] = json!("<script>alert(1)</script>");
    world.post("/v1/accounts/ada/conversations", &world.key(Role::App), &body).expect(201);
    let page = world.get("/v1/me/export?as=page", &world.token("ada", TokenPurpose::Export)).expect(200);
    assert_eq!(page.kind, "text/html; charset=utf-8");
    let page = page.text();
    assert!(page.ends_with("</html>\n") && page.contains("A title") && page.contains("Your conversations"));
    assert!(!page.contains("<script>") && page.contains("&#60;script&#62;"), "{page}");
    world
        .get("/v1/me/export?as=poem", &world.token("ada", TokenPurpose::Export))
        .refused(400, "query-invalid");
}

#[test]
fn an_empty_account_has_an_export_too() {
    let world = World::new();
    world.open("ada");
    let export = world.get("/v1/me/export", &world.token("ada", TokenPurpose::Export)).expect(200).json();
    assert_eq!(export["conversations"], json!([]));
    let page = world.get("/v1/me/export?as=page", &world.token("ada", TokenPurpose::Export)).expect(200);
    assert!(page.text().ends_with("</html>\n"));
}
