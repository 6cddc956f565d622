//! Conversations, taken in one by one and deleted.

use serde_json::json;
use tenure_access::{Role, TokenPurpose};

use super::world::{World, conversation};

#[test]
fn a_conversation_is_taken_in_once_and_goes_on() {
    let world = World::new();
    world.open("ada");
    let (app, path) = (world.key(Role::App), "/v1/accounts/ada/conversations");
    let taken = world.post(path, &app, &conversation("c1")).expect(201).json();
    assert_eq!((&taken["stored"], &taken["known"]), (&json!(2), &json!(0)));
    let again = world.post(path, &app, &conversation("c1")).expect(201).json();
    assert_eq!((&again["stored"], &again["known"]), (&json!(0), &json!(2)));
    assert_eq!(again["records"], taken["records"]);
    let more =
        json!({"messages": [{"id": "m3", "at": "2025-09-10T09:00:00Z", "role": "human", "text": "thanks"}]});
    let on = world.post(&format!("{path}/c1/messages"), &app, &more).expect(201).json();
    assert_eq!((&on["records"], &on["stored"]), (&taken["records"], &json!(1)));
    let moved = json!({"surface": "free", "messages": [{"id": "m4", "role": "human", "text": "at work"}]});
    let moved = world.post(&format!("{path}/c1/messages"), &app, &moved).expect(201).json();
    assert_eq!(moved["records"].as_array().unwrap().len(), 2);
    world.post(&format!("{path}/c2/messages"), &app, &more).refused(404, "conversation-unknown");
    let listed = world.get("/v1/accounts/ada/records", &app).expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    assert_eq!(listed["items"][0]["kept"], json!(["content", "history"]));
}

#[test]
fn what_may_not_be_kept_is_refused_at_the_door() {
    let world = World::new();
    world.open("ada");
    let (app, path) = (world.key(Role::App), "/v1/accounts/ada/conversations");
    let with = |surface: serde_json::Value| {
        let mut body = conversation("c1");
        body["surface"] = surface;
        body
    };
    for surface in [json!("api-zdr"), json!("moon"), json!(null)] {
        world.post(path, &app, &with(surface)).refused(409, "conversation-refused");
    }
    let mut twice = conversation("c1");
    twice["messages"][1]["id"] = json!("m1");
    let taken = world.post(path, &app, &twice).expect(201).json();
    assert_eq!(taken["refused"], json!({"repeated_message": 1}));
    let mut bodies =
        vec![json!({"id": "c2"}), json!({"id": "c2", "messages": [{"id": "m1", "role": "human"}]})];
    bodies
        .push(json!({"id": "", "surface": "pro", "messages": [{"id": "m1", "role": "human", "text": "x"}]}));
    bodies.push(json!({"id": "c", "account": "bob", "surface": "pro", "messages": []}));
    for body in bodies {
        world.post(path, &app, &body).refused(422, "body-invalid");
    }
    let empty = json!({"id": "c3", "surface": "pro", "messages": []});
    world.post(path, &app, &empty).refused(409, "conversation-refused");
    world.json("PATCH", "/v1/accounts/ada", &app, &json!({"closed": true})).expect(200);
    world.post(path, &app, &conversation("c4")).refused(409, "conversation-refused");
}

#[test]
fn a_person_deletes_a_conversation_of_theirs_and_no_other() {
    let world = World::new();
    for account in ["ada", "bob"] {
        world.open(account);
        world.converse(account, &format!("of-{account}"));
    }
    let delete = |account: &str, path: &str| world.delete(path, &world.token(account, TokenPurpose::Delete));
    delete("ada", "/v1/me/conversations/of-bob").refused(404, "conversation-unknown");
    delete("ada", "/v1/accounts/bob/conversations/of-bob").refused(403, "account-other");
    assert_eq!(delete("ada", "/v1/me/conversations/of-ada").expect(200).json()["records"], 1);
    let listed = world.get("/v1/accounts/bob/records", &world.key(Role::App)).expect(200).json();
    assert_eq!(listed["items"][0]["deleted_at"], json!(null));
    // The id here does as well as the product's.
    let id = listed["items"][0]["conversation"].as_str().unwrap();
    delete("bob", &format!("/v1/me/conversations/{id}")).expect(200);
    delete("ada", &format!("/v1/me/conversations/{id}")).refused(404, "conversation-unknown");
}

#[test]
fn many_who_write_to_one_conversation_at_once_all_are_heard() {
    let world = World::new();
    world.open("ada");
    let (app, path) = (world.key(Role::App), "/v1/accounts/ada/conversations");
    let send = |number: usize| {
        let body = json!({"id": "shared", "surface": "pro", "messages":
            [{"id": format!("m{number}"), "at": "2025-09-10T09:00:00Z", "role": "human", "text": "hello"}]});
        for _ in 0..20 {
            let answer = world.post(path, &app, &body);
            if answer.status == 201 {
                return;
            }
            answer.refused(409, "conversation-moved");
        }
        panic!("never taken");
    };
    std::thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || send(number));
        }
    });
    let more = json!({"messages": (0..6).map(|number| json!({"id": format!("m{number}"), "role": "human",
        "text": "hello"})).collect::<Vec<_>>()});
    let known = world.post(&format!("{path}/shared/messages"), &app, &more).expect(201).json();
    assert_eq!((&known["known"], &known["stored"]), (&json!(6), &json!(0)));
}
