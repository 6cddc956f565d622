//! The log over HTTP, and read back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::http::StatusCode;
use tenure_server::{LogSource, RemoteLog, tiles_router};
use tenure_tlog::leaf_hash;
use tenure_tlog::merkle::{prove_consistency, prove_inclusion};
use tenure_tlog::tile::{Resource, Tile, TileHashReader, TileReader};
use tenure_tlog::{verify_consistency, verify_inclusion};

use crate::fixture::{MemoryLog, Server, ask, entry, hasty, silent};

fn serve(log: MemoryLog) -> (Arc<MemoryLog>, Server) {
    let log = Arc::new(log);
    let server = Server::start(tiles_router(log.clone(), log.known(), silent()));
    (log, server)
}

struct Tiles(RemoteLog);

impl TileReader for Tiles {
    type Error = tenure_server::SourceError;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, Self::Error> {
        let wanted: Vec<Resource> = tiles.iter().map(|tile| Resource::Tile(*tile)).collect();
        let found = self.0.resources(&wanted)?;
        Ok(found.into_iter().map(Option::unwrap_or_default).collect())
    }
}

#[test]
fn proofs_from_tiles_over_http_verify() {
    let (log, server) = serve(MemoryLog::with(1000));
    let tiles = Tiles(RemoteLog::open_patiently(&server.url(), hasty()).unwrap());
    let root = *log.checkpoint().root();
    for index in [0, 255, 256, 767, 999] {
        let path = prove_inclusion(index, 1000, &TileHashReader::new(1000, &tiles)).unwrap();
        assert!(verify_inclusion(index, 1000, &leaf_hash(&entry(0, index)), &path, &root));
    }
    let old = MemoryLog::with(300).checkpoint();
    let proof = prove_consistency(300, 1000, &TileHashReader::new(1000, &tiles)).unwrap();
    assert!(verify_consistency(300, 1000, &proof, old.root(), &root));
}

#[test]
fn what_never_changes_is_kept_and_the_checkpoint_is_asked_for_again() {
    let (log, server) = serve(MemoryLog::with(300));
    for path in ["/tile/0/000", "/tile/0/001.p/44", "/tile/1/000.p/1", "/tile/entries/000"] {
        let answer = ask(server.address, "GET", path, "");
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {answer}");
        assert!(answer.contains("content-type: application/octet-stream\r\n"), "{path}");
        assert!(answer.contains("cache-control: public, max-age=31536000, immutable\r\n"), "{path}");
    }
    let answer = ask(server.address, "GET", "/checkpoint", "");
    assert!(answer.contains("content-type: text/plain; charset=utf-8\r\n"), "{answer}");
    assert!(answer.contains("cache-control: no-cache\r\n"), "{answer}");
    assert!(answer.ends_with(&log.signed().to_string()));
    let tag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
    let again = ask(server.address, "GET", "/checkpoint", &format!("if-none-match: \"other\", W/{tag}\r\n"));
    assert!(again.starts_with("HTTP/1.1 304 Not Modified\r\n"), "{again}");
    assert!(again.contains(&format!("etag: {tag}\r\n")));
    let head = ask(server.address, "HEAD", "/tile/0/000", "");
    assert!(head.contains("content-length: 8192\r\n") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn what_the_log_has_not_yet_is_not_found_and_not_kept() {
    let (_log, server) = serve(MemoryLog::with(300));
    for path in [
        "/tile/0/001",
        "/tile/0/001.p/45",
        "/tile/2/000",
        "/tile/entries/002",
        "/tile/0/0",
        "/tile/00/000",
        "/tile/0/%30%30%30",
        "/tile/0/../0/000",
        "/tile/",
        "/checkpoint/",
        "/.lock",
    ] {
        let answer = ask(server.address, "GET", path, "");
        assert!(answer.starts_with("HTTP/1.1 404 Not Found\r\n"), "{path}: {answer}");
        assert!(answer.contains("content-type: application/problem+json\r\n"), "{path}");
        assert!(answer.contains("cache-control: no-store\r\n"), "{path}");
        assert!(answer.contains("\"code\":\"not-found\""), "{path}");
    }
    let answer = ask(server.address, "DELETE", "/checkpoint", "");
    assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
    assert!(answer.contains("\"code\":\"method-not-allowed\""));
}

#[test]
fn the_page_says_which_log_it_is_and_runs_no_scripts() {
    let (log, server) = serve(MemoryLog::with(300));
    let page = ask(server.address, "GET", "/", "");
    assert!(page.contains("content-type: text/html; charset=utf-8\r\n"), "{page}");
    assert!(page.contains("content-security-policy: default-src 'none'"));
    let text = page.replace("&#43;", "+").replace("&#61;", "=");
    assert!(text.contains("<h1>log.example/tenure</h1>") && text.contains(">300</p>"));
    for key in log.keys.public() {
        assert!(text.contains(&key.to_string()), "{key}");
    }
    assert!(!text.contains("<script") && text.contains("lang=\"en\"") && text.contains("width=device-width"));
}

#[test]
fn a_log_that_can_not_be_read_tells_nobody_why_but_the_operator() {
    struct Broken;
    impl LogSource for Broken {
        fn resource(&self, _: Resource) -> Result<Option<Vec<u8>>, tenure_server::SourceError> {
            Err(tenure_server::SourceError::new("the disk at /secret is gone"))
        }
    }
    let (told, heard) = std::sync::mpsc::channel();
    let reporter = tenure_server::Reporter::new(move |error| {
        told.send(error.source().unwrap().to_string()).unwrap();
    });
    let router = tiles_router(Arc::new(Broken), MemoryLog::new().known(), reporter);
    let server = Server::start(router);
    let answer = ask(server.address, "GET", "/checkpoint", "");
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.contains("\"code\":\"log-unreadable\"") && !answer.contains("secret"));
    assert_eq!(heard.recv().unwrap(), "the disk at /secret is gone");
}

#[test]
fn an_answer_that_is_too_long_or_no_server_at_all_is_an_error() {
    let log = MemoryLog::with(300);
    let tile: Resource = "tile/0/000".parse().unwrap();
    log.put(tile, vec![0; 8193]);
    let (_log, server) = serve(log);
    let remote = RemoteLog::open_patiently(&server.url(), hasty()).unwrap();
    let error = remote.resource(tile).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("longer than 8192 bytes"));
    drop(server);
    assert!(remote.resource(tile).is_err());
    assert!(RemoteLog::open("ftp://log.example").is_err());
}

#[test]
fn a_server_without_a_certificate_is_not_believed_over_https() {
    let (_log, server) = serve(MemoryLog::with(3));
    let address = server.url().replace("http://", "https://");
    // Where the system has no certificates at all, not even the address is taken.
    if let Ok(remote) = RemoteLog::open_patiently(&address, hasty()) {
        assert!(remote.resource(Resource::Checkpoint).is_err());
    }
}

#[test]
fn what_fails_for_a_moment_is_asked_for_again_and_only_that() {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = asked.clone();
    let answer = move || {
        // 503, then 404; then 400 for ever.
        let statuses = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::NOT_FOUND];
        let place = usize::try_from(counter.fetch_add(1, Ordering::SeqCst)).unwrap();
        std::future::ready(statuses.get(place).copied().unwrap_or(StatusCode::BAD_REQUEST))
    };
    let server = Server::start(Router::new().fallback(answer));
    let remote = RemoteLog::open_patiently(&server.url(), hasty()).unwrap();
    assert_eq!(remote.resource(Resource::Checkpoint).unwrap(), None);
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(remote.resource(Resource::Checkpoint).is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 3);
}
