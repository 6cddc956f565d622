//! Who may do what, over HTTP: every operation has an endpoint, and each is refused to whom the table refuses it.

use std::collections::BTreeSet;

use serde_json::json;
use tenure_access::{Operation, Role, Scope, Subject, TokenPurpose};
use tenure_server::api::{Route, routes};

use super::house::fitting;
use super::world::{AUDIENCE, World, at};

/// Operations that only the command line has, with the reason. There is no other way for one to be missing.
const COMMAND_LINE_ONLY: &[(Operation, &str)] =
    &[(Operation::TakeBackup, "it writes to a folder of the machine, which is for who runs that machine")];

#[test]
fn every_operation_has_an_endpoint() {
    let served: BTreeSet<Operation> = routes().iter().map(|route| route.operation).collect();
    for operation in Operation::ALL {
        let only_there = COMMAND_LINE_ONLY.iter().find(|(only, _)| only == operation);
        assert_eq!(
            served.contains(operation),
            only_there.is_none(),
            "{operation}: give it an endpoint, or say why only the command line has it ({only_there:?})"
        );
    }
}

#[test]
fn no_two_endpoints_share_an_id_or_a_place() {
    let routes = routes();
    let ids: BTreeSet<&str> = routes.iter().map(|route| route.id.as_str()).collect();
    let places: BTreeSet<(&str, &str)> =
        routes.iter().map(|route| (route.method.as_str(), route.path)).collect();
    assert_eq!((ids.len(), places.len()), (routes.len(), routes.len()));
}

/// Asks for what a route does, about things of an account, with a body that fits.
fn ask(world: &World, route: &Route, bearer: &str, account: &str, record: &str) -> super::world::Heard {
    if let Some(fitting) = fitting(world, route, account, record) {
        return fitting.send(world, route, bearer);
    }
    let path = route
        .path
        .replace("{account}", account)
        .replace("{record}", record)
        .replace("{conversation}", "c1")
        .replace("{leaf}", "0")
        .replace("{level}", "0")
        .replace("{place}", "000.p/1");
    let message = json!({"id": "m9", "role": "human", "text": "more"});
    let body = match route.operation {
        Operation::Decide | Operation::DecideOnBehalf if route.path.ends_with("decisions") => {
            json!({"purpose": "train", "choice": "off"})
        }
        Operation::Acknowledge => json!({"version": "2025-10-08"}),
        Operation::DecideOnBehalf => json!({"version": "2025-10-08", "evidence": "ab".repeat(32)}),
        Operation::IngestConversation => json!({"id": "c9", "surface": "pro", "messages": [message]}),
        Operation::IngestMessages => json!({"messages": [message]}),
        Operation::ReadVerdicts | Operation::ExplainBulk => json!({"records": [record]}),
        Operation::IngestBulk => {
            let line = json!({"type": "account", "id": account}).to_string();
            let body = Some(("application/x-ndjson", line.as_bytes()));
            return world.send("POST", &path, bearer, &[], body);
        }
        _ if matches!(route.method.as_str(), "GET" | "DELETE") => {
            return world.send(route.method.as_str(), &path, bearer, &[], None);
        }
        _ => json!({}),
    };
    world.json(route.method.as_str(), &path, bearer, &body)
}

#[test]
fn each_role_may_do_what_the_table_says_and_nothing_else() {
    let world = World::new();
    for route in routes() {
        for role in Role::ALL {
            let account = format!("{role}-{}", route.id);
            world.open(&account);
            let record = world.converse(&account, "c1");
            let heard = ask(&world, &route, &world.key(*role), &account, &record);
            let may = route.operation.is_public() || tenure_access::allows(*role, route.operation);
            let mine = route.path.starts_with("/v1/me");
            if may && !mine {
                assert!(heard.status < 300, "{role} {} {}: {heard:?}", route.method, route.path);
            } else {
                let code = if mine || route.operation.roles().is_empty() {
                    "person-only"
                } else {
                    "role-insufficient"
                };
                heard.refused(403, code);
            }
        }
    }
}

#[test]
fn a_token_does_the_one_thing_that_it_is_for_to_its_own_account_and_nothing_to_another() {
    let world = World::new();
    for route in routes().iter().filter(|route| !route.operation.is_public()) {
        for purpose in TokenPurpose::ALL {
            let (own, other) =
                (format!("own-{}-{purpose}", route.id), format!("other-{}-{purpose}", route.id));
            let mut records = Vec::new();
            for account in [&own, &other] {
                world.open(account);
                records.push(world.converse(account, "c1"));
            }
            let before = world.tenure.account(&other).unwrap();
            let to_other = ask(&world, route, &world.token(&own, *purpose), &other, &records[1]);
            let to_own = ask(&world, route, &world.token(&own, *purpose), &own, &records[0]);
            if route.operation.purpose() == Some(*purpose) {
                assert!(to_own.status < 300, "{purpose} {} {}: {to_own:?}", route.method, route.path);
                // Below `/v1/me` the request has nowhere to name another account: it is their own again.
                if !route.path.starts_with("/v1/me") {
                    assert!([403, 404].contains(&to_other.status), "{to_other:?}");
                }
            } else {
                assert_eq!(to_own.status, 403, "{purpose} {} {}: {to_own:?}", route.method, route.path);
                assert!([403, 404].contains(&to_other.status), "{to_other:?}");
            }
            assert_eq!(world.tenure.account(&other).unwrap(), before, "{} {}", route.method, route.path);
        }
    }
}

#[test]
fn nobody_does_anything_but_read_the_log() {
    let world = World::new();
    world.open("ada");
    let record = world.converse("ada", "c1");
    for route in routes() {
        let heard = ask(&world, &route, "", "ada", &record);
        if route.operation.is_public() {
            heard.expect(200);
        } else {
            heard.refused(401, "credential-missing");
        }
    }
}

#[test]
fn keys_that_are_revoked_expired_altered_or_of_another_house_open_nothing() {
    let world = World::new();
    world.open("ada");
    let read = |key: &str| world.get("/v1/accounts/ada", key);
    let key = world.key(Role::App);
    read(&key).expect(200);
    let altered = key.replace('_', "0_");
    read(&altered).refused(401, "key-malformed");
    read("secret").refused(401, "key-malformed");
    let other = World::new();
    read(&other.key(Role::Auditor)).refused(401, "key-unknown");
    world.revoke(&key);
    read(&key).refused(401, "key-revoked");
    let brief = world.key_until(Role::App, Scope::default(), at("2025-09-10T11:00:00Z"));
    read(&brief).expect(200);
    world.set_now("2025-09-10T11:00:00Z");
    read(&brief).refused(401, "key-expired");
    let scope = Scope { operations: None, organisation: Some("acme".parse().unwrap()) };
    read(&world.key_with(Role::App, scope.clone())).refused(403, "organisation-other");
    world.get("/v1/accounts/nobody", &world.key_with(Role::App, scope)).refused(403, "organisation-other");
}

#[test]
fn tokens_that_are_forged_expired_or_for_another_service_open_nothing() {
    let world = World::new();
    world.open("ada");
    let token = world.token("ada", TokenPurpose::Read);
    let mut bytes = token.clone().into_bytes();
    let place = 60;
    bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
    let forged = String::from_utf8(bytes).unwrap();
    world.get("/v1/me", &forged).refused(401, "token-forged");
    world.get("/v1/me", token.get(..40).unwrap()).refused(401, "token-malformed");
    let ada = Subject { organisation: None, account: "ada".parse().unwrap() };
    let other = world.token_of(&ada, TokenPurpose::Read, "https://other.example");
    world.get("/v1/me", &other).refused(401, "token-audience");
    let organisation = Some("acme".parse().unwrap());
    let namesake = Subject { organisation, account: "ada".parse().unwrap() };
    let namesake = world.token_of(&namesake, TokenPurpose::Read, AUDIENCE);
    world.get("/v1/me", &namesake).refused(404, "account-unknown");
    world.get("/v1/accounts/ada", &namesake).refused(403, "account-other");
    world.set_now("2025-09-10T09:59:59Z");
    world.get("/v1/me", &token).refused(401, "token-not-yet");
    world.set_now("2025-09-10T10:10:00Z");
    world.get("/v1/me", &token).refused(401, "token-expired");
}
