//! What the log, the figures and the health of a process tell, and what they never do.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::super::folder::{Folder, account, conversation};
use super::super::root;
use super::{PATIENCE, Serving, ask};

/// What only a person, or somebody who asks about one, could have brought in.
const MARKERS: [&str; 3] = ["PERSON-1", "SECRET-", "text 0"];
/// What the API is asked about.
const ACCOUNT: &str = "/v1/accounts/SECRET-ACCOUNT";
const CONVERSATIONS: &str = "/v1/accounts/SECRET-ACCOUNT/conversations";
const STANDING: &str = "/v1/accounts/SECRET-ACCOUNT/standing";

/// Asks the API with a key on a connection of its own, and gives the whole answer.
fn ask_api(serving: &Serving, request: &str, key: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = body.len();
    let head = format!(
        "{request} HTTP/1.1\r\nhost: tenure\r\nconnection: close\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends what the back end of a product sends, some of it wrong. Every answer must be as it is expected.
fn use_api(serving: &Serving, key: &str) {
    let facts = json!({"country": "US", "minor": false}).to_string();
    let said = json!({
        "id": "SECRET-CONVERSATION", "surface": "pro", "country": "US", "title": "SECRET-TITLE", "scanned": true,
        "messages": [{"id": "SECRET-MESSAGE", "role": "human", "text": "SECRET-TEXT"}],
    });
    let said = said.to_string();
    let unknown = json!({"id": "c2", "SECRET-FIELD": "SECRET-VALUE"}).to_string();
    for (request, key, body, status) in [
        (format!("PUT {ACCOUNT}"), key, &*facts, 201),
        (format!("POST {CONVERSATIONS}"), key, &*said, 201),
        (format!("GET {STANDING}"), key, "", 200),
        (format!("GET {STANDING}?surface=SECRET-SURFACE"), key, "", 404),
        (format!("GET {STANDING}"), "SECRET-KEY", "", 401),
        (format!("GET {STANDING}"), "tns_SECRET-TOKEN", "", 401),
        (format!("POST {CONVERSATIONS}"), key, "{\"id\": \"SECRET-BODY", 400),
        (format!("POST {CONVERSATIONS}"), key, &*unknown, 422),
    ] {
        let answer = ask_api(serving, &request, key, body);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
    }
}

#[test]
fn neither_the_log_nor_the_figures_show_a_path_or_a_word_of_a_person() {
    let folder = Folder::new();
    let at = "2025-06-01T00:00:00Z";
    folder.import(&[account("PERSON-1"), conversation("PERSON-1", "SECRET-PATH", &[at])], at);
    let minted = folder.json(&["key", "mint", "--role", "app", "--owner", "backend"]);
    let key = minted["key"].as_str().unwrap();
    let serving = Serving::start(&folder, &["--log-level", "debug"]);
    for path in
        ["/SECRET-PATH", "/tile/SECRET-PATH", "/tile/0/000?q=SECRET-QUERY", "/checkpoint?who=PERSON-1"]
    {
        serving.get(path);
        ask(serving.operate, "GET", path);
    }
    ask(serving.address, "SECRET-METHOD", "/checkpoint");
    ask(
        serving.address,
        "GET",
        "/x HTTP/1.1\r\nuser-agent: SECRET-AGENT\r\nx-request-id: SECRET-AGENT\r\nx:",
    );
    // A request that can't be read, and a sweep.
    ask(serving.address, "GET", "/SECRET-PATH\u{1}");
    use_api(&serving, key);
    let shown = serving.wait_for("/metrics", "route=\"/v1/accounts/{account}/conversations\",status=\"422\"");
    let told = serving.stopped();
    let secret = key.split('_').nth(3).unwrap();
    for text in told.iter().chain([&shown]) {
        for marker in MARKERS.into_iter().chain([key, secret]) {
            assert!(!text.contains(marker), "{marker} in {text}");
        }
    }
    let requests: Vec<Value> = told
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|event| event["message"] == "request")
        .collect();
    let routes: BTreeSet<&str> = requests.iter().map(|event| event["route"].as_str().unwrap()).collect();
    let expected = [
        "/checkpoint",
        "/tile/{*place}",
        "/v1/accounts/{account}",
        "/v1/accounts/{account}/conversations",
        "/v1/accounts/{account}/standing",
        "none",
    ];
    assert_eq!(routes, BTreeSet::from(expected));
    let one = requests.iter().find(|event| event["route"] == "/checkpoint").unwrap();
    assert_eq!((&one["method"], &one["status"], &one["whole"]), (&"GET".into(), &200.into(), &true.into()));
    assert!(
        one["bytes"].as_u64().unwrap() > 0 && one["ms"].is_number() && one["request"].is_string(),
        "{one}"
    );
    assert!(requests.iter().any(|event| event["method"] == "other"), "{requests:?}");
}

#[test]
fn every_figure_that_is_shown_is_documented_and_the_other_way_round() {
    let folder = Folder::new();
    let mut serving = Serving::start(&folder, &[]);
    serving.event("swept");
    serving.get("/checkpoint");
    serving.wait_for("/metrics", "tenure_copies_due ");
    let shown = serving.metrics();
    serving.stopped();
    let names: BTreeSet<&str> =
        shown.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let document = fs::read_to_string(root().join("docs/operate.md")).unwrap();
    let documented: BTreeSet<&str> =
        tenure_server::operate::METRICS.iter().map(|metric| metric.name).collect();
    for metric in tenure_server::operate::METRICS {
        let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
        let row = format!(
            "| `{}` | {} | {} | {} |",
            metric.name,
            metric.kind.word(),
            labels.join(", "),
            metric.help
        );
        let row = row.replace("|  |", "| |");
        assert!(document.contains(&row), "docs/operate.md has not:\n{row}");
    }
    assert!(names.is_subset(&documented), "{names:?}");
    for wanted in
        ["tenure_http_requests_total", "tenure_log_size", "tenure_sweeps_total", "tenure_store_waiting"]
    {
        assert!(names.contains(wanted), "{wanted} in {names:?}");
    }
    assert!(
        shown.contains("tenure_http_requests_total{method=\"GET\",route=\"/checkpoint\",status=\"200\"} 1"),
        "{shown}"
    );
}

#[test]
fn a_pause_and_observing_show_and_neither_is_a_failure() {
    let folder = Folder::new();
    folder.done(&["destruction", "pause", "--why", "SECRET-REASON"]);
    let serving = Serving::start(&folder, &["--health-every", "100ms"]);
    serving.wait_for("/metrics", "tenure_destruction_paused 1");
    serving.wait_for("/metrics", "tenure_sweeps_total{outcome=\"paused\"} 1");
    serving.wait_for("/readyz", "\"ready\":true");
    assert!(!serving.metrics().contains("SECRET-REASON"));
    serving.stopped();
}

#[test]
fn a_sweep_that_the_guard_stopped_shows_how_much_it_would_have_destroyed() {
    let folder = Folder::new();
    let at = "2025-06-01T00:00:00Z";
    let mut lines = vec![account("a1")];
    lines.extend((0..150).map(|number| conversation("a1", &format!("c{number}"), &[at])));
    folder.import(&lines, at);
    // By the clock of the machine, what was said in 2025 without a choice is long due.
    let mut serving = Serving::start(&folder, &[]);
    let event = serving.event("sweep_guarded");
    assert!(event["due"].as_u64().unwrap() >= 150, "{event}");
    serving.wait_for("/metrics", &format!("tenure_sweep_guarded_copies {}", event["due"]));
    serving.wait_for("/readyz", "\"ready\":true");
    serving.stopped();
}

#[test]
fn a_key_folder_that_is_gone_makes_it_not_ready_with_the_reason() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &["--health-every", "100ms"]);
    serving.wait_for("/readyz", "\"ready\":true");
    let away = folder.keys().with_extension("away");
    fs::rename(folder.keys(), &away).unwrap();
    let answer = serving.wait_for("/readyz", "\"ready\":false");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("key_store: "), "{answer}");
    assert!(ask(serving.operate, "GET", "/livez").starts_with("HTTP/1.1 200 "));
    fs::rename(&away, folder.keys()).unwrap();
    serving.wait_for("/readyz", "\"ready\":true");
    serving.stopped();
}

/// Goal: a collector gets spans of routes and statuses, and nothing else of a request.
#[cfg(feature = "otel")]
#[test]
fn spans_go_to_a_collector_without_a_word_of_a_person() {
    use std::net::TcpListener;

    let folder = Folder::new();
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}/v1/traces", collector.local_addr().unwrap());
    let collected = std::thread::spawn(move || {
        let (mut stream, _) = collector.accept().unwrap();
        let (mut all, mut part) = (Vec::new(), [0; 65_536]);
        loop {
            let text = String::from_utf8_lossy(&all).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head
                    .to_lowercase()
                    .split("content-length: ")
                    .nth(1)
                    .unwrap()
                    .lines()
                    .next()
                    .unwrap()
                    .to_owned();
                // Bytes that are no text are longer once they are shown.
                if body.len() >= length.parse().unwrap() {
                    break;
                }
            }
            let read = stream.read(&mut part).unwrap();
            all.extend_from_slice(&part[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        String::from_utf8_lossy(&all).into_owned()
    });
    let serving = Serving::start(&folder, &["--trace-endpoint", &endpoint]);
    serving.get("/checkpoint?who=PERSON-1");
    serving.get("/SECRET-PATH");
    serving.stopped();
    let spans = collected.join().unwrap();
    assert!(spans.contains("http.route") && spans.contains("/checkpoint"), "{spans}");
    for marker in MARKERS {
        assert!(!spans.contains(marker), "{marker} in {spans}");
    }
}
