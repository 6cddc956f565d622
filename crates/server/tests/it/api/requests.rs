//! What strangers send: too much, too deep, too slow, or twice.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use tenure_access::{Role, TokenPurpose};
use tenure_server::ApiLimits;

use super::world::{World, conversation};
use crate::fixture::exchange;

#[test]
fn a_body_that_is_no_json_is_refused_at_its_place_and_never_repeated() {
    let world = World::new();
    let app = world.key(Role::App);
    let send = |body: &str| {
        world.send("PUT", "/v1/accounts/ada", &app, &[], Some(("application/json", body.as_bytes())))
    };
    let heard = send("{\n  \"country\": \"secret").refused(400, "json-malformed");
    assert_eq!((&heard.json()["line"], &heard.json()["column"]), (&json!(2), &json!(20)));
    assert!(!heard.text().contains("secret"));
    let heard = send(r#"{"secret":1}"#).refused(422, "body-invalid");
    assert!(!heard.text().contains("secret"));
    let deep = format!("{{\"country\":{}{}}}", "[".repeat(5_000), "]".repeat(5_000));
    send(&deep).refused(400, "json-too-deep");
    send("").refused(400, "json-malformed");
    let heard = world.send("PUT", "/v1/accounts/ada", &app, &[], Some(("text/plain", b"{}")));
    heard.refused(415, "content-type-unsupported");
}

#[test]
fn a_body_that_is_too_large_is_refused_before_it_is_read() {
    let world = World::with(ApiLimits { body: 10_000, ..ApiLimits::default() });
    let app = world.key(Role::App);
    let request = |length: &str, body: &str| {
        exchange(
            world.server.address,
            &format!(
                "PUT /v1/accounts/ada HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {app}\r\n\
                 content-type: application/json\r\n{length}\r\n\r\n{body}"
            ),
        )
    };
    let declared = request("content-length: 99999999999", "");
    assert!(declared.starts_with("HTTP/1.1 413 ") && declared.contains("\"body-too-large\""), "{declared}");
    let piece = format!("{:x}\r\n{}\r\n", 6_000, " ".repeat(6_000));
    let chunked = request("transfer-encoding: chunked", &format!("{piece}{piece}0\r\n\r\n"));
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
}

#[test]
fn a_flood_of_headers_is_refused_and_others_are_answered() {
    let world = World::new();
    let flood = "x-flood: 1\r\n".repeat(2_000);
    let answer = exchange(world.server.address, &format!("GET /v1/me HTTP/1.1\r\nhost: t\r\n{flood}\r\n"));
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    world.get("/openapi.json", "").expect(200);
}

#[test]
fn a_client_that_sends_its_body_slowly_is_cut_off_and_others_are_answered() {
    let world = World::with(ApiLimits { request: Duration::from_millis(300), ..ApiLimits::default() });
    let app = world.key(Role::App);
    let mut slow = TcpStream::connect(world.server.address).unwrap();
    let head = format!(
        "PUT /v1/accounts/ada HTTP/1.1\r\nhost: t\r\nconnection: close\r\nauthorization: Bearer {app}\r\n\
         content-type: application/json\r\ncontent-length: 2\r\n\r\n{{"
    );
    slow.write_all(head.as_bytes()).unwrap();
    let begun = Instant::now();
    world.get("/v1/accounts/ada", &app).refused(404, "account-unknown");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"too-slow\"") && begun.elapsed() < Duration::from_secs(5), "{answer}");
}

#[test]
fn more_than_can_wait_is_refused_as_busy() {
    let world = World::with(ApiLimits { jobs: 1, queue: 0, ..ApiLimits::default() });
    world.open("ada");
    let token = world.token("ada", TokenPurpose::Read);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    (0..20).map(|_| world.get("/v1/me/standing", &token).status).collect::<Vec<_>>()
                })
            })
            .collect();
        asks.into_iter().flat_map(|ask| ask.join().unwrap()).collect()
    });
    assert!(statuses.contains(&200) && statuses.contains(&503), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 503].contains(status)), "{statuses:?}");
}

#[test]
fn a_request_that_comes_twice_under_one_key_is_done_once() {
    let world = World::new();
    world.open("ada");
    let app = world.key(Role::App);
    let send = |key: &str, bearer: &str, body: &str| {
        let headers = [("idempotency-key", key)];
        world.send(
            "POST",
            "/v1/accounts/ada/decisions",
            bearer,
            &headers,
            Some(("application/json", body.as_bytes())),
        )
    };
    let off = r#"{"purpose":"train","choice":"off"}"#;
    let first = send("one", &app, off).expect(201);
    assert_eq!(send("one", &app, off).expect(201).body, first.body);
    assert_ne!(send("two", &app, off).expect(201).body, first.body);
    // Another caller's keys are their own.
    assert_ne!(send("one", &world.key(Role::App), off).expect(201).body, first.body);
    send("one", &app, r#"{"purpose":"train","choice":"off" }"#).refused(409, "idempotency-key-reused");
    send("a b", &app, off).refused(400, "header-invalid");
    // What was refused was not done, and may be sent again.
    send("three", &app, r#"{"purpose":"sell","choice":"off"}"#).refused(404, "purpose-unknown");
    send("three", &app, off).expect(201);
    let made = world.send(
        "POST",
        "/v1/accounts/ada/conversations",
        &app,
        &[("idempotency-key", "four")],
        Some(("application/json", conversation("c1").to_string().as_bytes())),
    );
    made.expect(201);
}

#[test]
fn what_nobody_would_read_is_refused() {
    let world = World::new();
    world.open("ada");
    let privacy = world.key(Role::Privacy);
    let body = serde_json::json!({"dry_run": true});
    world.json("DELETE", "/v1/accounts/ada", &privacy, &body).refused(422, "body-invalid");
    assert_eq!(world.tenure.account("ada").unwrap().facts.closed_at, None);
}

#[test]
fn a_key_of_one_request_is_for_its_conditions_too() {
    let world = World::new();
    world.open("ada");
    let app = world.key(Role::App);
    let send = |tag: &str| {
        let headers = [("idempotency-key", "one"), ("if-match", tag)];
        world.send(
            "PATCH",
            "/v1/accounts/ada",
            &app,
            &headers,
            Some(("application/json", br#"{"minor":true}"#)),
        )
    };
    let tag = world.get("/v1/accounts/ada", &app).tag.unwrap();
    let changed = send(&tag).expect(200).tag.unwrap();
    send(&tag).expect(200);
    send(&changed).refused(409, "idempotency-key-reused");
}

#[test]
fn a_query_has_only_fields_that_are_known_each_once() {
    let world = World::new();
    world.open("ada");
    let token = world.token("ada", TokenPurpose::Read);
    for path in [
        "/v1/me?account=bob",
        "/v1/me/receipts?limit=0",
        "/v1/me/receipts?limit=501",
        "/v1/me/receipts?limit=x",
        "/v1/me/receipts?limit=1&limit=2",
        "/v1/me/standing?cursor=x",
    ] {
        world.get(path, &token).refused(400, "query-invalid");
    }
    world.get("/v1/me/receipts?cursor=x", &token).refused(404, "cursor-unknown");
}

#[test]
fn what_is_not_there_is_a_problem_too() {
    let world = World::new();
    assert!(world.get("/v1/nothing", "").status == 404);
    world.send("POST", "/v1/me/standing", "", &[], None).refused(405, "method-not-allowed");
    world.get("/v1/proofs/99999", "").refused(404, "leaf-unknown");
    world.get("/v1/proofs/x", "").refused(400, "path-invalid");
    let proof = world.get("/v1/proofs/0", "").expect(200);
    assert!(proof.text().starts_with("c2sp.org/tlog-proof@v1\n"), "{}", proof.text());
}

#[test]
fn a_browser_may_ask_with_a_token_from_anywhere() {
    let world = World::new();
    let ask = "OPTIONS /v1/me/decisions HTTP/1.1\r\nhost: t\r\nconnection: close\r\norigin: https://shop.example\r\n\
               access-control-request-method: POST\r\naccess-control-request-headers: authorization\r\n\r\n";
    let answer = exchange(world.server.address, ask);
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert!(
        answer.contains("access-control-allow-origin: *") && answer.contains("authorization"),
        "{answer}"
    );
    assert!(!answer.contains("allow-credentials"));
}
