//! A process that dies at any moment loses nothing that it was told is done.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use tenure_store::{SqliteStore, Store, StoreExt};

const PATH: &str = "TENURE_STORE_CRASH_PATH";

/// Not a test of its own: it is the process that the test below starts and kills.
#[test]
fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(PATH) else { return };
    let store = SqliteStore::open(path.as_ref()).unwrap();
    for number in 0_u64.. {
        let value = number.to_string();
        store.write(move |tx| tx.set_meta("answered", &value)).unwrap();
        // Through stderr, which the test harness does not capture here and nothing buffers.
        eprintln!("answered {number}");
        if number == 400 {
            std::process::abort();
        }
    }
}

fn run_and_kill(path: &std::path::Path, kill_at: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(PATH, path)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut last = 0;
    for line in BufReader::new(child.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        let Some(number) = line.strip_prefix("answered ") else { continue };
        last = number.parse().unwrap();
        if last == kill_at {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    last
}

#[test]
fn what_was_answered_before_the_process_died_is_there() {
    let folder = tempfile::tempdir().unwrap();
    // The last of these lets the process abort by itself.
    for (round, kill_at) in [0, 7, 150, u64::MAX].into_iter().enumerate() {
        let path = folder.path().join(format!("{round}.db"));
        let answered = run_and_kill(&path, kill_at);
        let store = SqliteStore::open(&path).unwrap();
        let kept: u64 = store.read(|tx| tx.meta("answered")).unwrap().unwrap().parse().unwrap();
        assert!(kept >= answered, "{answered} was answered, {kept} is there");
        assert_eq!(store.integrity().unwrap(), []);
    }
}
