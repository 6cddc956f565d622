//! `tenure backup` and `tenure restore`, as an operator meets them.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::folder::{Folder, account, conversation, jsonl};
use super::{code, stderr, stdout};

const TAKEN: &str = "2025-10-21T00:00:00Z";
const LATER: &str = "2025-10-22T00:00:00Z";

fn beside(folder: &Folder, name: &str) -> String {
    folder.data().with_file_name(name).to_str().unwrap().to_owned()
}

/// Three people with a conversation each, and a backup of that.
fn backed_up() -> (Folder, String) {
    let folder = Folder::new();
    let people = ["a1", "a2", "a3"];
    let mut lines: Vec<Value> = people.iter().map(|id| account(id)).collect();
    lines.extend(people.iter().map(|id| conversation(id, &format!("of-{id}"), &["2025-10-10T10:00:00Z"])));
    folder.import(&lines, "2025-10-20T00:00:00Z");
    let backup = beside(&folder, "monday");
    let taken = folder.json(&["backup", &backup, "--keep", "30 days", "--note", "weekly", "--at", TAKEN]);
    assert_eq!(taken["kept_until"], "2025-11-20T00:00:00Z");
    (folder, backup)
}

fn lose(folder: &Folder) {
    fs::remove_dir_all(folder.data()).unwrap();
}

#[test]
fn a_lost_folder_comes_back_with_all_that_was_done_since_the_backup() {
    let (folder, backup) = backed_up();
    let record = folder.records("a2", LATER).remove(0);
    folder.done(&["erase", "--conversation", &record, "--yes", "--at", LATER]);
    let yes =
        folder.file("yes.jsonl", jsonl(&[json!({"account": "a1", "purpose": "train", "choice": "on"})]));
    folder.done(&["decide", "--from", &yes, "--at", LATER]);
    let (erased, explained) =
        (folder.explain(&record, LATER), folder.json(&["account", "a1", "--at", LATER]));
    lose(&folder);
    let restored = folder.json(&["restore", &backup, "--at", LATER]);
    assert_eq!(restored["restored"]["bodies_lost"], 0);
    assert!(restored["restored"]["replayed"].as_u64().unwrap() > 0);
    assert_eq!(folder.explain(&record, LATER), erased);
    assert_eq!(folder.json(&["account", "a1", "--at", LATER]), explained);
    folder.done(&["ledger", "verify"]);
    folder.done(&["doctor", "--full"]);
    // The log goes on from what was published.
    folder.done(&["decide", "--from", &yes, "--at", "2025-10-23T00:00:00Z"]);
    folder.done(&["ledger", "verify"]);
    let again = folder.run(&["restore", &backup, "--at", LATER]);
    assert!(code(&again) != 0 && stderr(&again).contains("not empty"), "{}", stderr(&again));
}

#[test]
fn without_the_journal_no_command_serves_what_a_backup_has() {
    let (folder, backup) = backed_up();
    lose(&folder);
    let away = beside(&folder, "away");
    fs::create_dir(&away).unwrap();
    for name in ["journal", "journal.key"] {
        fs::rename(folder.keys().join(name), Path::new(&away).join(name)).unwrap();
    }
    let refused = folder.run(&["restore", &backup, "--at", LATER]);
    assert!(code(&refused) != 0 && stderr(&refused).contains("journal"), "{}", stderr(&refused));
    assert!(!folder.data().exists());
    // Nor when it is copied in place.
    copy(Path::new(&backup), &folder.data());
    for args in [&["doctor"][..], &["account", "a1"], &["sweep", "--yes"], &["backup", "list"]] {
        let refused = folder.run(args);
        assert!(
            code(&refused) != 0 && stderr(&refused).contains("journal"),
            "{args:?}: {}",
            stderr(&refused)
        );
    }
    for name in ["journal", "journal.key"] {
        fs::rename(Path::new(&away).join(name), folder.keys().join(name)).unwrap();
    }
    folder.done(&["doctor", "--full"]);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let place = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &place);
        } else {
            fs::copy(entry.path(), place).unwrap();
        }
    }
}

#[test]
fn backups_are_listed_and_forgotten() {
    let (folder, backup) = backed_up();
    let listed = folder.json(&["backup", "list", "--at", LATER]);
    let row = &listed["backups"][0];
    assert_eq!((&row["id"], &row["kept"], &row["note"]), (&json!(1), &json!(true), &json!("weekly")));
    assert!(folder.done(&["backup", "list", "--at", LATER]).contains("until 2025-11-20"));
    folder.done(&["backup", "forget", "1", "--at", LATER]);
    assert_eq!(folder.json(&["backup", "list", "--at", LATER])["backups"][0]["kept"], false);
    let unknown = folder.run(&["backup", "forget", "7", "--at", LATER]);
    assert!(code(&unknown) != 0 && stderr(&unknown).contains('7'));
    let taken = folder.run(&["backup", &backup, "--at", LATER]);
    assert!(
        code(&taken) != 0 && stderr(&taken).contains("not empty"),
        "{}{}",
        stdout(&taken),
        stderr(&taken)
    );
}

/// Kills a command after a while, unless it ends before.
fn killed(folder: &Folder, args: &[&str], after: Duration) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tenure"))
        .arg("--data")
        .arg(folder.data())
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let clock = Instant::now();
    while clock.elapsed() < after && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(child.kill());
    child.wait().unwrap();
}

#[test]
fn a_restore_that_is_killed_anywhere_serves_nothing_until_it_is_run_again() {
    let (folder, backup) = backed_up();
    let record = folder.records("a2", LATER).remove(0);
    folder.done(&["erase", "--conversation", &record, "--yes", "--at", LATER]);
    let erased = folder.explain(&record, LATER);
    lose(&folder);
    let restore = ["restore", &backup, "--at", LATER];
    let clock = Instant::now();
    folder.done(&restore);
    let whole = clock.elapsed();
    for part in 1..=12_u32 {
        lose(&folder);
        killed(&folder, &restore, whole * part / 10);
        if folder.data().join("restoring").exists() {
            let refused = folder.run(&["account", "a1"]);
            assert!(stderr(&refused).contains("tenure restore"), "{}", stderr(&refused));
            folder.done(&restore);
        } else if !folder.data().join("tenure.db").exists() {
            folder.done(&restore);
        }
        assert_eq!(folder.explain(&record, LATER), erased);
        folder.done(&["doctor", "--full"]);
    }
}
