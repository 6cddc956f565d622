//! What a client can't do: send a head without end, or thousands of headers.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::super::folder::Folder;
use super::Serving;

fn answer_to(serving: &Serving, head: &str) -> String {
    let mut stream = TcpStream::connect(serving.address).unwrap();
    // It may be cut off before all of it was sent.
    drop(stream.write_all(head.as_bytes()));
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_flood_of_headers_is_refused_and_others_are_answered() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &[]);
    let many: Vec<String> = (0..5_000).map(|number| format!("x-{number}: y\r\n")).collect();
    let long = format!("x: {}\r\n", "y".repeat(1_000_000));
    for headers in [many.concat(), long] {
        let answer = answer_to(&serving, &format!("GET / HTTP/1.1\r\nhost: x\r\n{headers}\r\n"));
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    assert!(serving.get("/checkpoint").starts_with("HTTP/1.1 200 OK\r\n"));
    serving.stopped();
}
