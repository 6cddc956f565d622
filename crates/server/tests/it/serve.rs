//! Connections have limits.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tenure_server::{Limits, LogSource, SourceError, tiles_router};
use tenure_tlog::tile::Resource;

use crate::fixture::{MemoryLog, Server, ask, silent};

fn limits() -> Limits {
    Limits {
        connections: 2,
        keep_alive: Duration::from_secs(1),
        head: Duration::from_millis(300),
        idle: Duration::from_millis(600),
        request: Duration::from_millis(300),
        connection: Duration::from_secs(20),
        farewell: Duration::from_secs(2),
    }
}

#[test]
fn clients_that_dawdle_do_not_keep_others_out() {
    let log = Arc::new(MemoryLog::with(3));
    let server = Server::start_with(tiles_router(log.clone(), log.known(), silent()), limits());
    let dawdlers: Vec<TcpStream> = (0..6)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(b"GET /checkpoint HTTP/1.1\r\nhost:").unwrap();
            stream
        })
        .collect();
    // Two are served at once, so three times the limit of a head must pass.
    let answer = ask(server.address, "GET", "/checkpoint", "");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    drop(dawdlers);
}

/// More than the system holds for a client that does not read.
struct Large;

impl LogSource for Large {
    fn resource(&self, _: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(Some(vec![0; 32_000_000]))
    }
}

/// Goal: neither who does not read, nor who sends on without reading, holds a place.
#[test]
fn clients_that_do_not_read_do_not_keep_others_out() {
    let server =
        Server::start_with(tiles_router(Arc::new(Large), MemoryLog::new().known(), silent()), limits());
    let request = b"GET /checkpoint HTTP/1.1\r\nhost: log\r\n\r\n";
    let mut idlers: Vec<TcpStream> = (0..4)
        .map(|_| {
            let mut stream = TcpStream::connect(server.address).unwrap();
            stream.write_all(request).unwrap();
            stream
        })
        .collect();
    let sender = std::thread::spawn({
        let mut stream = idlers.pop().unwrap();
        move || {
            (0..200).all(|_| {
                std::thread::sleep(Duration::from_millis(50));
                stream.write_all(request).is_ok()
            })
        }
    });
    let start = Instant::now();
    let answer = ask(server.address, "GET", "/nothing", "");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(!sender.join().unwrap(), "it was cut off");
    drop(idlers);
}

#[test]
fn no_connection_lasts_long_without_progress() {
    let limits = Limits::default();
    let longest = [limits.head, limits.idle, limits.request].into_iter().max();
    assert_eq!(longest, Some(Duration::from_secs(15)));
    assert!(limits.connection <= Duration::from_mins(1));
}

struct Slow;

impl LogSource for Slow {
    fn resource(&self, _: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        std::thread::sleep(Duration::from_millis(700));
        Ok(None)
    }
}

#[test]
fn a_request_that_takes_too_long_is_answered_so() {
    let server =
        Server::start_with(tiles_router(Arc::new(Slow), MemoryLog::new().known(), silent()), limits());
    let answer = ask(server.address, "GET", "/checkpoint", "");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.contains("\"code\":\"too-slow\""));
}

#[test]
fn whoever_waits_for_an_answer_is_not_cut_off_for_being_silent() {
    let limits = Limits { request: Duration::from_secs(5), idle: Duration::from_millis(200), ..limits() };
    let server = Server::start_with(tiles_router(Arc::new(Slow), MemoryLog::new().known(), silent()), limits);
    let answer = ask(server.address, "GET", "/checkpoint", "");
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

#[test]
fn what_is_under_way_ends_before_the_server_does() {
    let limits = Limits { request: Duration::from_secs(5), idle: Duration::from_secs(6), ..limits() };
    let server = Server::start_with(tiles_router(Arc::new(Slow), MemoryLog::new().known(), silent()), limits);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /checkpoint HTTP/1.1\r\nhost: log\r\n\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let start = Instant::now();
    drop(server);
    assert!(start.elapsed() < Duration::from_secs(5));
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
