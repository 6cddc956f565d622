//! Streams of conversations.

use serde_json::json;
use tenure_access::{Operation, Role, Scope};

use super::world::{World, conversation};

fn line(account: &str, id: &str) -> String {
    let mut line = conversation(id);
    line["type"] = json!("conversation");
    line["account"] = json!(account);
    line.to_string() + "\n"
}

#[test]
fn a_key_that_brings_conversations_changes_no_facts_of_accounts() {
    let world = World::new();
    world.open("ada");
    let scope = Scope { operations: Some([Operation::IngestBulk].into()), organisation: None };
    let key = world.key_with(Role::App, scope);
    let send = |body: &str| {
        world.send("POST", "/v1/conversations", &key, &[], Some(("application/x-ndjson", body.as_bytes())))
    };
    send(&line("ada", "c1")).expect(200);
    let told = json!({"type": "account", "id": "ada", "minor": true}).to_string() + "\n";
    send(&told).refused(403, "scope-insufficient");
    assert_eq!(world.tenure.account("ada").unwrap().facts.minor, Some(false));
    let all = world.key(Role::App);
    let head = world.head("ada");
    world
        .send("POST", "/v1/conversations", &all, &[], Some(("application/x-ndjson", told.as_bytes())))
        .expect(200);
    assert_eq!(world.tenure.account("ada").unwrap().facts.minor, Some(true));
    assert_ne!(world.head("ada"), head, "it is stated");
}

#[test]
fn a_stream_is_taken_in_and_its_report_says_what_was_not_understood_and_where() {
    let world = World::new();
    let app = world.key(Role::App);
    let mut stream = String::from("{\"type\":\"account\",\"id\":\"a0\",\"country\":\"US\"}\n");
    for number in 0..500 {
        stream += &line(&format!("a{}", number % 50), &format!("c{number}"));
    }
    stream += "{\"type\":\"conversation\",\"secret\":1}\nnonsense\n";
    let send = |body: &[u8]| {
        world.send("POST", "/v1/conversations", &app, &[], Some(("application/x-ndjson", body)))
    };
    let report = send(stream.as_bytes()).expect(200);
    assert!(!report.text().contains("nonsense"));
    let report = report.json();
    assert_eq!(report["ingested"]["conversations"], 500);
    assert_eq!(report["ingested"]["messages"], 1000);
    assert_eq!(report["report"]["records"]["read"], 501);
    let places = &report["report"]["records"]["not_understood"]["not valid JSON"]["examples"];
    assert_eq!(places[0]["line"], 503);
    let again = send(stream.as_bytes()).expect(200).json();
    assert_eq!((&again["ingested"]["unchanged"], &again["ingested"]["messages"]), (&json!(500), &json!(0)));
    send(b"").refused(400, "stream-malformed");
    send(b"nonsense\n").refused(400, "stream-malformed");
    let heard = world.send("POST", "/v1/conversations", &app, &[], Some(("application/json", b"{}")));
    heard.refused(415, "content-type-unsupported");
    assert_eq!(
        world.get("/v1/accounts/a7/records", &app).expect(200).json()["items"].as_array().unwrap().len(),
        10
    );
}

#[test]
fn a_stream_that_breaks_off_keeps_what_came_and_goes_on_when_it_is_sent_again() {
    use std::io::{Read as _, Write as _};
    let world = World::new();
    let app = world.key(Role::App);
    let whole = line("ada", "c1") + &line("ada", "c2");
    let mut broken = std::net::TcpStream::connect(world.server.address).unwrap();
    let head = format!(
        "POST /v1/conversations HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {app}\r\n\
         content-type: application/x-ndjson\r\ncontent-length: {}\r\n\r\n",
        whole.len()
    );
    broken.write_all(head.as_bytes()).unwrap();
    broken.write_all(line("ada", "c1").as_bytes()).unwrap();
    broken.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    broken.read_to_string(&mut answer).unwrap();
    assert!(answer.is_empty() || answer.contains("\"stream-malformed\""), "{answer}");
    // Whoever hung up is not told when what they sent is kept.
    let patience = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while world.get("/v1/accounts/ada", &app).status != 200 {
        assert!(std::time::Instant::now() < patience, "nothing was kept");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let body = Some(("application/x-ndjson", whole.as_bytes()));
    let report = world.send("POST", "/v1/conversations", &app, &[], body).expect(200).json();
    assert_eq!(
        (&report["ingested"]["unchanged"], &report["ingested"]["conversations"]),
        (&json!(1), &json!(1))
    );
}
