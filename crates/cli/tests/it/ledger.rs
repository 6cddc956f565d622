//! The ledger from the command line: receipts, verification, publication, witnesses, auditors and keys.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::folder::{Folder, account, conversation};
use super::{code, stderr, stdout};

const NOW: &str = "2025-10-02T00:00:00Z";

/// A folder with one account that said yes, the file of its receipt, and the log's public keys.
fn decided() -> (Folder, String, String) {
    let folder = Folder::new();
    folder.import(
        &[account("a1"), conversation("a1", "c1", &["2025-09-28T10:00:00Z"])],
        "2025-09-29T00:00:00Z",
    );
    let (receipt, keys) = (folder.file("a1.receipt", ""), folder.file("log.keys", ""));
    folder.done(&["decide", "a1", "train", "on", "--at", NOW, "--receipt", &receipt]);
    folder.done(&["ledger", "key", "show", "--out", &keys]);
    (folder, receipt, keys)
}

fn verify(folder: &Folder, receipt: &str, keys: &str) -> (i32, Value) {
    let output = folder.run(&["--json", "receipt", "verify", receipt, "--key", keys]);
    (code(&output), serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn a_receipt_says_in_plain_words_what_is_proved_and_an_altered_one_proves_nothing() {
    let (folder, receipt, keys) = decided();
    let said = folder.done(&["receipt", "verify", &receipt, "--key", &keys]);
    for words in
        ["Proved: the account decided `on` for purpose `train`", "Received", "Signed by", "ML-DSA-44"]
    {
        assert!(said.contains(words), "{words} is not in\n{said}");
    }
    // It needs no data folder.
    let elsewhere = super::tenure(&["--data", "/nonexistent", "receipt", "verify", &receipt, "--key", &keys]);
    assert_eq!(code(&elsewhere), 0);

    let text = fs::read_to_string(&receipt).unwrap();
    let index = text.lines().find(|line| line.starts_with("index ")).unwrap();
    let forged = folder.file("forged.receipt", text.replace(index, "index 0"));
    let (exit, report) = verify(&folder, &forged, &keys);
    assert_eq!((exit, &report["proved"]), (1, &Value::Bool(false)));

    let other = Folder::new();
    let other_keys = other.file("other.keys", "");
    other.done(&["ledger", "key", "show", "--out", &other_keys]);
    assert_eq!(verify(&folder, &receipt, &other_keys).0, 1);
    let missing = folder.run(&["receipt", "verify", &receipt, "--key", "no-such-file"]);
    assert_eq!(code(&missing), 2);
    assert!(stderr(&missing).contains("can't read the key file"));
}

#[test]
fn a_late_on_is_refused_and_an_off_is_always_taken() {
    let (folder, ..) = decided();
    let seen = folder.json(&["account", "a1", "--at", NOW])["account"]["head"].as_str().unwrap().to_owned();
    folder.done(&["decide", "a1", "train", "off", "--at", "2025-10-03T00:00:00Z"]);
    let late = ["decide", "a1", "train", "on", "--follows", &seen, "--at", "2025-10-04T00:00:00Z"];
    let late = folder.run(&late);
    assert_eq!(code(&late), 2);
    assert!(stderr(&late).contains("moved on since"));
    folder.done(&["decide", "a1", "train", "off", "--follows", &seen, "--at", "2025-10-04T00:00:00Z"]);
    let head = folder.json(&["account", "a1", "--at", "2025-10-05T00:00:00Z"])["account"]["head"].clone();
    let follows = head.as_str().unwrap();
    folder.done(&["decide", "a1", "train", "on", "--follows", follows, "--at", "2025-10-05T00:00:00Z"]);
}

#[test]
fn a_destroyed_copy_has_a_receipt_of_its_own() {
    let (folder, _, keys) = decided();
    let record = folder.records("a1", NOW).remove(0);
    let early = folder.run(&["receipt", "give", "--record", &record, "--class", "content", "--at", NOW]);
    assert_eq!(code(&early), 2);
    assert!(stderr(&early).contains("not destroyed"));
    folder.done(&["sweep", "--yes", "--at", "2031-01-01T00:00:00Z"]);
    let out = folder.file("gone.receipt", "");
    let give = ["receipt", "give", "--record", &record, "--class", "content", "--out", &out];
    folder.done(&[&give[..], &["--at", "2031-01-02T00:00:00Z"]].concat());
    let said = folder.done(&["receipt", "verify", &out, "--key", &keys]);
    assert!(said.contains(&record) && said.contains("content"), "{said}");
}

#[test]
fn the_whole_log_is_verified_and_what_was_changed_is_named() {
    let (folder, ..) = decided();
    let sound = folder.json(&["ledger", "verify"]);
    assert_eq!((sound["found"].as_u64(), sound["leaves"].as_u64()), (Some(0), sound["opened"].as_u64()));

    let database = rusqlite::Connection::open(folder.data().join("tenure.db")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER statements_never_change; UPDATE statements SET at = at + 1 WHERE seq = 3",
        )
        .unwrap();
    drop(database);
    let output = folder.run(&["ledger", "verify"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("leaf 3"), "{}", stdout(&output));
}

#[test]
fn a_folder_whose_log_was_changed_opens_for_nothing_but_its_verification() {
    let (folder, ..) = decided();
    let database = rusqlite::Connection::open(folder.data().join("tenure.db")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER statements_never_change; UPDATE statements SET commitment = zeroblob(32) WHERE seq = 1",
        )
        .unwrap();
    drop(database);
    let refused = folder.run(&["account", "a1", "--at", NOW]);
    assert_eq!(code(&refused), 2);
    assert!(stderr(&refused).contains("the log does not verify"), "{}", stderr(&refused));
    let output = folder.run(&["ledger", "verify"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("leaf 1 is not a commitment"), "{}", stdout(&output));
}

#[test]
fn an_auditor_follows_the_published_log_and_raises_an_alarm_if_it_was_rewritten() {
    let (folder, _, keys) = decided();
    let public = folder.data().with_file_name("public");
    let (public, state) = (public.to_str().unwrap(), folder.data().with_file_name("seen"));
    let follow = ["ledger", "follow", public, "--key", &keys, "--state", state.to_str().unwrap(), "--once"];
    folder.done(&["ledger", "publish", public]);
    folder.done(&follow);
    folder.done(&["decide", "a1", "train", "off", "--at", "2025-10-03T00:00:00Z"]);
    folder.done(&["ledger", "publish", public]);
    folder.done(&follow);

    // The operator goes back to a log without the `off`, and signs another history.
    fs::remove_dir_all(public).unwrap();
    fs::remove_file(folder.keys().join("log-mark")).unwrap();
    let database = rusqlite::Connection::open(folder.data().join("tenure.db")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER statements_never_go; DROP TRIGGER log_only_grows; DROP TRIGGER tiles_never_go;
             DELETE FROM statements WHERE seq = (SELECT max(seq) FROM statements);
             UPDATE accounts SET (chain_version, chain_head, chain_seq, chain_at) =
                 (SELECT version, commitment, seq, at FROM statements WHERE account = key
                  ORDER BY version DESC LIMIT 1) WHERE id = 'a1';
             DELETE FROM tiles; DELETE FROM meta WHERE key = 'log/checkpoint';
             UPDATE log SET size = 0,
                 root = x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';",
        )
        .unwrap();
    drop(database);
    folder.done(&["decide", "a1", "train", "on", "--at", "2025-10-05T00:00:00Z"]);
    assert_eq!(folder.json(&["ledger", "verify"])["found"], 0, "the operator's own books are in order");
    folder.done(&["ledger", "publish", public]);
    let alarm = folder.run(&follow);
    assert_eq!(code(&alarm), 1, "{}{}", stdout(&alarm), stderr(&alarm));
}

/// A process that is stopped when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Starts a command that listens, and gives its address and all that it says first.
fn started(folder: &Folder, args: &[&str]) -> (Running, String, Value) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tenure"))
        .args(["--data", folder.data().to_str().unwrap(), "--json"])
        .args(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut first).unwrap();
    let said: Value = serde_json::from_str(&first).unwrap();
    (Running(child), format!("http://{}", said["address"].as_str().unwrap()), said)
}

#[test]
fn a_witness_cosigns_what_is_served_and_an_auditor_may_ask_for_that() {
    let (folder, _, keys) = decided();
    let witness_state = folder.data().with_file_name("witness");
    let name = "witness.example/w";
    let (_witness, witness, said) = started(
        &folder,
        &[
            "witness",
            "--name",
            name,
            "--state",
            witness_state.to_str().unwrap(),
            "--log",
            &keys,
            "--listen",
            "127.0.0.1:0",
        ],
    );
    let lines: Vec<&str> = said["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap()).collect();
    let witness_keys = folder.file("witness.keys", lines.join("\n"));
    let public = folder.data().with_file_name("public");
    let public = public.to_str().unwrap();
    let published =
        folder.json(&["ledger", "publish", public, "--witness", &witness, "--witness-key", &witness_keys]);
    assert!(published.to_string().contains("cosign"), "{published}");
    let state = folder.data().with_file_name("seen");
    folder.done(&[
        "ledger",
        "follow",
        public,
        "--key",
        &keys,
        "--state",
        state.to_str().unwrap(),
        "--once",
        "--witness",
        &witness_keys,
    ]);
    // The same over HTTP, while other commands write.
    let (_log, log, _) = started(&folder, &["ledger", "serve", "--listen", "127.0.0.1:0"]);
    let state = folder.data().with_file_name("seen-over-http");
    let follow = ["ledger", "follow", &log, "--key", &keys, "--state", state.to_str().unwrap(), "--once"];
    folder.done(&follow);
    folder.done(&["decide", "a1", "train", "off", "--at", "2025-10-03T00:00:00Z"]);
    folder.done(&follow);
}

#[test]
fn keys_are_rotated_retired_and_what_the_old_ones_signed_still_verifies() {
    let (folder, receipt, old) = decided();
    folder.done(&["ledger", "key", "rotate", "--at", "2025-10-03T00:00:00Z"]);
    let new = folder.file("new.keys", "");
    folder.done(&["ledger", "key", "show", "--out", &new]);
    let both = folder.file("both.receipt", "");
    folder.done(&["decide", "a1", "train", "off", "--at", "2025-10-04T00:00:00Z", "--receipt", &both]);
    assert_eq!((verify(&folder, &both, &old).0, verify(&folder, &both, &new).0), (0, 0));
    folder.done(&["ledger", "key", "retire", "--at", "2025-10-05T00:00:00Z"]);
    let only_new = folder.file("newest.receipt", "");
    folder.done(&["decide", "a1", "train", "off", "--at", "2025-10-06T00:00:00Z", "--receipt", &only_new]);
    folder.done(&["ledger", "key", "show", "--out", &new]);
    assert_eq!((verify(&folder, &only_new, &old).0, verify(&folder, &only_new, &new).0), (1, 0));
    assert_eq!(verify(&folder, &receipt, &old).0, 0, "what was signed before still verifies");
    let log = folder.json(&["ledger", "verify"]);
    assert_eq!(log["found"], 0, "{log}");
}
