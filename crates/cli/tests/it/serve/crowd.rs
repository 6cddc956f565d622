//! Thousands of connections that do nothing keep nobody out.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::super::folder::Folder;
use super::{Serving, ask};

/// As many as the limit of open files of this test allows, and ten thousand at most.
fn crowd_size() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let most = open.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(1_024_usize);
    most.saturating_sub(200).min(10_000)
}

#[test]
fn ten_thousand_idle_connections_leave_it_answering_others() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &["--limits-connections", "12000", "--limits-farewell", "2s"]);
    let size = crowd_size();
    let mut crowd: Vec<TcpStream> = (0..size).map(|_| TcpStream::connect(serving.address).unwrap()).collect();
    // Some have begun to say something.
    for stream in crowd.iter_mut().step_by(10) {
        stream.write_all(b"GET /checkpoint HTTP/1.1\r\nhost:").unwrap();
    }
    let began = Instant::now();
    for _ in 0..100 {
        assert!(serving.get("/checkpoint").starts_with("HTTP/1.1 200 OK\r\n"));
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    // Those that wait are there still, and are answered when they ask.
    let last = crowd.last_mut().unwrap();
    last.write_all(b"GET /checkpoint HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    last.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(ask(serving.operate, "GET", "/readyz").contains("\"ready\":true"));
    serving.stopped();
}

#[test]
fn when_all_places_are_taken_the_longest_idle_gives_way() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &["--limits-connections", "20"]);
    let mut crowd: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(serving.address).unwrap()).collect();
    for _ in 0..10 {
        assert!(serving.get("/checkpoint").starts_with("HTTP/1.1 200 OK\r\n"));
    }
    // Whoever came first was sent away.
    let first = crowd.first_mut().unwrap();
    first.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(matches!(first.read(&mut [0; 1]), Ok(0) | Err(_)));
    serving.stopped();
}
