//! Subject tokens over HTTP: minted for one purpose, used for one request.

use serde_json::json;
use tenure_access::{Operation, Role, Scope, TokenPurpose};

use super::world::World;

#[test]
fn a_back_end_mints_a_token_with_which_a_browser_acts_for_that_account() {
    let world = World::new();
    world.open("ada");
    let app = world.key(Role::App);
    let minted = world.post("/v1/accounts/ada/tokens/read", &app, &json!({"seconds": 60})).expect(201).json();
    assert_eq!((&minted["purpose"], &minted["until"]), (&json!("read"), &json!("2025-09-10T10:01:00Z")));
    assert_eq!(world.get("/v1/me", minted["token"].as_str().unwrap()).expect(200).json()["account"], "ada");
    for seconds in [json!(0), json!(3_600)] {
        let body = json!({"seconds": seconds});
        world.post("/v1/accounts/ada/tokens/read", &app, &body).refused(422, "token-lifetime");
    }
    let shows = Scope { operations: Some([Operation::MintReadToken].into()), organisation: None };
    let shows = world.key_with(Role::App, shows);
    world.post("/v1/accounts/ada/tokens/read", &shows, &json!({})).expect(201);
    world.post("/v1/accounts/ada/tokens/delete", &shows, &json!({})).refused(403, "scope-insufficient");
}

#[test]
fn a_token_that_decides_is_good_for_one_request_which_is_answered_again_as_it_was() {
    let world = World::new();
    world.open("ada");
    let token = world.token("ada", TokenPurpose::Decide);
    let off = json!({"purpose": "train", "choice": "off"});
    let first = world.post("/v1/me/decisions", &token, &off).expect(201);
    let again = world.post("/v1/me/decisions", &token, &off).expect(201);
    assert_eq!(first.body, again.body);
    let body = Some(("application/json", off.to_string().into_bytes()));
    let body = body.as_ref().map(|(kind, body)| (*kind, &**body));
    let named =
        world.send("POST", "/v1/me/decisions", &token, &[("idempotency-key", "another")], body).expect(201);
    assert_eq!(first.body, named.body, "it is one request, however its sender calls it");
    let on = json!({"purpose": "train", "choice": "on", "follows": world.head("ada")});
    world.post("/v1/me/decisions", &token, &on).refused(409, "token-spent");
    let other = json!({"version": "2025-10-08"});
    world.post("/v1/me/acknowledgements", &token, &other).refused(409, "token-spent");
    assert_eq!(
        world.get("/v1/me/receipts", &world.token("ada", TokenPurpose::Read)).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn a_request_that_may_not_be_done_spends_no_token() {
    let world = World::new();
    for account in ["ada", "bob"] {
        world.open(account);
        world.converse(account, "c1");
    }
    let token = world.token("ada", TokenPurpose::Delete);
    world.delete("/v1/accounts/bob", &token).refused(403, "account-other");
    world
        .post("/v1/me/decisions", &token, &json!({"purpose": "train", "choice": "off"}))
        .refused(403, "purpose-other");
    world.delete("/v1/me/conversations/c1", &token).expect(200);
    world.delete("/v1/me", &token).refused(409, "token-spent");
}
