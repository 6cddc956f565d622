//! `tenure serve`, as those who operate it meet it.

mod crowd;
mod limits;
mod told;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::folder::Folder;
use super::{code, json as parsed, root, stderr, stdout};

/// How long anything may take on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// A process that serves a folder.
pub(super) struct Serving {
    child: Child,
    pub(super) address: SocketAddr,
    pub(super) operate: SocketAddr,
    lines: Receiver<String>,
    told: Vec<String>,
    reader: Option<JoinHandle<()>>,
}

impl Serving {
    pub(super) fn start(folder: &Folder, more: &[&str]) -> Self {
        let data = folder.data();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
        command
            .args(["--json", "--data", data.to_str().unwrap(), "serve", "--listen", "127.0.0.1:0"])
            .args(["--operate-listen", "127.0.0.1:0"])
            .args(more);
        Self::of(&mut command)
    }

    fn of(command: &mut Command) -> Self {
        let mut child = command
            .current_dir(root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, lines) = channel();
        let log = BufReader::new(child.stderr.take().unwrap());
        let reader = std::thread::spawn(move || {
            for line in log.lines() {
                drop(tell.send(line.unwrap()));
            }
        });
        let nowhere = "0.0.0.0:0".parse().unwrap();
        let mut serving =
            Self { child, address: nowhere, operate: nowhere, lines, told: Vec::new(), reader: Some(reader) };
        serving.operate = serving.event("operated")["address"].as_str().unwrap().parse().unwrap();
        serving.address = serving.event("serving")["address"].as_str().unwrap().parse().unwrap();
        serving
    }

    /// Waits for the event of a code.
    pub(super) fn event(&mut self, code: &str) -> Value {
        let began = Instant::now();
        loop {
            let line = self.lines.recv_timeout(PATIENCE.saturating_sub(began.elapsed()));
            let line = line.unwrap_or_else(|_| panic!("no `{code}` in {:#?}", self.told));
            let event: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
            self.told.push(line);
            if event["code"] == code {
                return event;
            }
        }
    }

    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end, and gives how it ended and every line of the log.
    pub(super) fn ended(mut self) -> (ExitStatus, Vec<String>) {
        let began = Instant::now();
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None if began.elapsed() > PATIENCE => panic!("it does not end: {:#?}", self.told),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        self.reader.take().unwrap().join().unwrap();
        let rest: Vec<String> = self.lines.try_iter().collect();
        (status, std::mem::take(&mut self.told).into_iter().chain(rest).collect())
    }

    pub(super) fn stopped(self) -> Vec<String> {
        self.signal("-TERM");
        let (status, told) = self.ended();
        assert_eq!(status.code(), Some(0), "{told:#?}");
        told
    }

    pub(super) fn get(&self, path: &str) -> String {
        ask(self.address, "GET", path)
    }

    pub(super) fn metrics(&self) -> String {
        ask(self.operate, "GET", "/metrics")
    }

    /// Waits until a page of the operator's answers with this.
    pub(super) fn wait_for(&self, path: &str, wanted: &str) -> String {
        let began = Instant::now();
        loop {
            let answer = ask(self.operate, "GET", path);
            if answer.contains(wanted) {
                return answer;
            }
            assert!(began.elapsed() < PATIENCE, "no `{wanted}` in {answer}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Asks for a page on a connection of its own.
pub(super) fn ask(address: SocketAddr, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nhost: tenure\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn it_is_ready_answers_and_ends_when_told_to_with_code_0() {
    let folder = Folder::new();
    let mut serving = Serving::start(&folder, &[]);
    assert!(ask(serving.operate, "GET", "/livez").ends_with("{\"alive\":true}\n"));
    let ready = serving.wait_for("/readyz", "\"ready\":true");
    assert!(ready.starts_with("HTTP/1.1 200 OK\r\n"), "{ready}");
    let answer = serving.get("/checkpoint");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\nx-request-id: "), "{answer}");
    assert_eq!(serving.event("swept")["destroyed"], 0);
    let told = serving.stopped();
    let codes: Vec<Value> =
        told.iter().map(|line| serde_json::from_str::<Value>(line).unwrap()["code"].clone()).collect();
    assert!(codes.contains(&"stopping".into()) && codes.last() == Some(&"stopped".into()), "{told:#?}");
    // The folder is free again, and whole.
    folder.done(&["doctor"]);
}

#[test]
fn a_process_that_is_killed_loses_nothing_and_starts_again() {
    let folder = Folder::new();
    folder.done(&["account", "a1", "--at", "2025-06-01T00:00:00Z"]);
    let serving = Serving::start(&folder, &["--publish-every", "1s"]);
    let before = serving.get("/checkpoint");
    serving.signal("-KILL");
    let (status, _) = serving.ended();
    assert_eq!(status.code(), None);
    let again = Serving::start(&folder, &[]);
    again.wait_for("/readyz", "\"ready\":true");
    let size = |answer: &str| answer.split("\r\n\r\n").nth(1).unwrap().lines().nth(1).unwrap().to_owned();
    assert_eq!(size(&again.get("/checkpoint")), size(&before));
    again.stopped();
    folder.done(&["ledger", "verify"]);
}

#[test]
fn one_process_has_the_folder_and_a_second_one_says_so() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &[]);
    let output = folder.run(&["serve", "--listen", "127.0.0.1:0", "--operate-listen", "off"]);
    assert_eq!(code(&output), 1, "the settings are right, and the folder may be free soon");
    let told = stderr(&output);
    assert!(told.contains("\"code\":\"not_served\""), "{told}");
    serving.stopped();
}

#[test]
fn a_request_that_is_under_way_is_answered_before_the_end() {
    let folder = Folder::new();
    let serving = Serving::start(&folder, &[]);
    let mut stream = TcpStream::connect(serving.address).unwrap();
    stream.write_all(b"GET /checkpoint HTTP/1.1\r\nhost: tenure\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(200));
    serving.signal("-TERM");
    std::thread::sleep(Duration::from_millis(200));
    stream.write_all(b"\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert_eq!(serving.ended().0.code(), Some(0));
}

#[test]
fn settings_that_are_wrong_are_told_of_and_nothing_is_started() {
    let folder = Folder::new();
    let file = folder.file("tenure.toml", "[sweep]\nevry = \"1h\"\nlead = \"soon\"\n");
    let output = folder.run(&["serve", "--config", &file, "--log-form", "xml"]);
    assert_eq!(code(&output), 2);
    insta::assert_snapshot!(stderr(&output).replace(&file, "tenure.toml"), @r"
    error: tenure.toml, line 2: there is no setting `sweep.evry`; did you mean `sweep.every`?
    error: the flag `--log-form`: `log.form`: write `json` or `text`
    error: tenure.toml, line 3: `sweep.lead`: write a whole number and `hours` or `days`, such as `2 hours`
    ");
    let gone = folder.run(&["serve", "--config", "/nowhere/tenure.toml"]);
    assert_eq!(code(&gone), 2);
    assert!(stderr(&gone).contains("the file of settings can't be read"), "{}", stderr(&gone));
}

#[test]
fn a_check_shows_what_is_in_force_and_who_said_so() {
    let folder = Folder::new();
    let file = folder.file("tenure.toml", "[sweep]\nrate = 500\n");
    let output = folder.run(&["--json", "serve", "--check", "--config", &file, "--threads", "4"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let told = parsed(&output);
    assert_eq!(told["settings"]["sweep.rate"]["value"], "500");
    assert_eq!(told["settings"]["sweep.rate"]["at"], format!("{file}, line 2"));
    assert_eq!(told["settings"]["threads"]["from"], "flag");
    assert_eq!(told["settings"]["listen"]["from"], "default");
    assert_eq!(told["settings"]["data"]["from"], "flag");
    let text = stdout(&folder.run(&["serve", "--check"]));
    assert!(text.contains("sweep.every") && text.contains("the default"), "{text}");
}
