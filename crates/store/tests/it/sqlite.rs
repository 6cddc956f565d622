//! The embedded store: its files, its group commit, and what its schema forbids to everyone.

use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use tempfile::TempDir;
use tenure_model::Instant;
use tenure_store::{HoldRow, NewStatement, SqliteStore, Store, StoreError, StoreExt};

struct Folder {
    folder: TempDir,
}

impl Folder {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn open(&self) -> SqliteStore {
        SqliteStore::open(&self.path()).unwrap()
    }
}

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros).unwrap()
}

#[test]
fn nothing_is_answered_or_seen_before_the_group_is_committed() {
    let folder = Folder::new();
    let store = folder.open();
    let (open_gate, gate) = mpsc::channel::<()>();
    let gate = Arc::new(Mutex::new(gate));
    let (tell_started, started) = mpsc::channel::<()>();
    let (close_group, group_may_close) = mpsc::channel::<()>();
    let group_may_close = Arc::new(Mutex::new(group_may_close));
    // The first job waits until the other two are queued, so that all three are in one group.
    let first = store
        .write_later(move |_| {
            gate.lock().unwrap().recv().unwrap();
            Ok::<_, StoreError>(())
        })
        .unwrap();
    let second = store.write_later(|tx| tx.set_meta("second", "written")).unwrap();
    let third = store
        .write_later(move |_| {
            tell_started.send(()).unwrap();
            group_may_close.lock().unwrap().recv().unwrap();
            Ok::<_, StoreError>(())
        })
        .unwrap();
    open_gate.send(()).unwrap();
    started.recv().unwrap();

    let answered = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&answered);
    let waiting = std::thread::spawn(move || {
        second.wait().unwrap();
        told.store(true, Ordering::SeqCst);
    });
    std::thread::sleep(Duration::from_millis(50));
    assert!(!answered.load(Ordering::SeqCst), "the second job has run, but its group is not committed");
    assert_eq!(store.read(|tx| tx.meta("second")).unwrap(), None);

    close_group.send(()).unwrap();
    waiting.join().unwrap();
    first.wait().unwrap();
    third.wait().unwrap();
    assert_eq!(store.read(|tx| tx.meta("second")).unwrap().as_deref(), Some("written"));
}

#[test]
fn if_the_commit_fails_every_job_of_the_group_hears_it_and_nothing_is_kept() {
    // What breaks the commit: a reference that is checked only then. What breaks a job's whole transaction,
    // as a full disk may: a trigger that rolls it back.
    for (spoil, broken) in [
        ("INSERT INTO late VALUES (-1)", "the commit"),
        ("SELECT RAISE(ROLLBACK, 'as if the disk were full')", "the transaction"),
    ] {
        let folder = Folder::new();
        drop(folder.open());
        let raw = Connection::open(folder.path()).unwrap();
        raw.execute_batch(&format!(
            "CREATE TABLE late (account INTEGER REFERENCES accounts (key) DEFERRABLE INITIALLY DEFERRED);
             CREATE TRIGGER spoil AFTER INSERT ON meta WHEN new.key = 'spoil' BEGIN {spoil}; END;"
        ))
        .unwrap();
        drop(raw);
        let store = folder.open();
        // Keeps the writer busy until the other two are queued, so that they are in one group.
        let (open_gate, gate) = mpsc::channel::<()>();
        let gate = Arc::new(Mutex::new(gate));
        let plug = store
            .write_later(move |_| {
                gate.lock().unwrap().recv().unwrap();
                Ok::<_, StoreError>(())
            })
            .unwrap();
        let first = store.write_later(|tx| tx.set_meta("first", "1")).unwrap();
        let second = store
            .write_later(|tx| {
                // The error is swallowed: the job must still not write outside a transaction.
                drop(tx.set_meta("spoil", "1"));
                tx.set_meta("second", "1")
            })
            .unwrap();
        open_gate.send(()).unwrap();
        // It fails with them or was committed before, depending on how long the queueing took.
        drop(plug.wait());
        let outcomes = [first.wait(), second.wait()];
        for outcome in outcomes {
            assert!(matches!(outcome, Err(StoreError::Commit { .. })), "{broken}: {outcome:?}");
        }
        store.write(|tx| tx.set_meta("third", "1")).unwrap();
        let kept: Vec<_> = ["first", "spoil", "second", "third"]
            .map(|key| store.read(|tx| tx.meta(key)).unwrap().is_some())
            .into();
        assert_eq!(kept, [false, false, false, true], "{broken}");
    }
}

#[test]
fn a_job_that_submits_another_is_told_so_instead_of_waiting_forever() {
    let folder = Folder::new();
    let store = Arc::new(folder.open());
    let inner = Arc::clone(&store);
    let outcome: Result<(), StoreError> = store.write(move |_| inner.write(|tx| tx.set_meta("a", "1")));
    assert_eq!(outcome, Err(StoreError::Nested));
}

#[test]
fn a_store_that_is_closed_and_opened_again_has_everything() {
    let folder = Folder::new();
    folder.open().write(|tx| tx.set_meta("kept", "yes")).unwrap();
    assert_eq!(folder.open().read(|tx| tx.meta("kept")).unwrap().as_deref(), Some("yes"));
}

#[test]
fn jobs_that_wait_when_the_store_is_dropped_are_still_done() {
    let folder = Folder::new();
    let store = folder.open();
    let pending: Vec<_> = (0..50)
        .map(|number| store.write_later(move |tx| tx.set_meta(&format!("k{number}"), "done")).unwrap())
        .collect();
    drop(store);
    for job in pending {
        job.wait().unwrap();
    }
    assert_eq!(folder.open().read(|tx| tx.meta("k49")).unwrap().as_deref(), Some("done"));
}

#[test]
fn a_newer_schema_is_refused_with_both_numbers() {
    let folder = Folder::new();
    drop(folder.open());
    Connection::open(folder.path()).unwrap().pragma_update(None, "user_version", 1000).unwrap();
    let error = SqliteStore::open(&folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { found: 1000, .. }));
    assert!(error.to_string().contains("schema 1000"), "{error}");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = Folder::new();
    std::fs::write(folder.path(), "not a database, but long enough to be read as one".repeat(100)).unwrap();
    let before = std::fs::read(folder.path()).unwrap();
    assert!(SqliteStore::open(&folder.path()).is_err());
    assert_eq!(std::fs::read(folder.path()).unwrap(), before);
}

#[test]
fn statements_and_holds_are_append_only_for_every_program() {
    let folder = Folder::new();
    let store = folder.open();
    store
        .write(|tx| {
            tx.append_statement(&NewStatement {
                account: None,
                version: 0,
                kind: "policy".to_owned(),
                at: at(1),
                commitment: [1; 32],
                sealed: vec![],
            })?;
            tx.insert_hold(&HoldRow {
                id: "h".to_owned(),
                version: 1,
                placed_at: at(1),
                released_at: None,
                may_tell: false,
                scope: "{}".to_owned(),
            })
        })
        .unwrap();
    drop(store);
    let raw = Connection::open(folder.path()).unwrap();
    for sql in [
        "UPDATE statements SET kind = 'other'",
        "DELETE FROM statements",
        "UPDATE holds SET scope = '[]'",
        "UPDATE holds SET may_tell = 1, released_at = 5",
        "DELETE FROM holds",
    ] {
        let error = raw.execute(sql, []).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{sql}: {error}");
    }
    raw.execute("UPDATE holds SET released_at = 5", []).unwrap();
}

#[test]
fn a_reader_in_the_way_makes_scrubbing_say_so() {
    let folder = Folder::new();
    let store = folder.open();
    store.write(|tx| tx.set_meta("a", "1")).unwrap();
    store
        .read(|tx| {
            tx.meta("a")?;
            store.write(|tx| tx.set_meta("a", "2"))?;
            assert!(!store.scrub()?);
            Ok::<_, StoreError>(())
        })
        .unwrap();
    assert!(store.scrub().unwrap());
    let wal = folder.folder.path().join("store.db-wal");
    assert_eq!(std::fs::metadata(wal).unwrap().len(), 0);
}

#[test]
fn a_value_that_was_overwritten_is_in_no_file_after_scrubbing() {
    let folder = Folder::new();
    let store = folder.open();
    let marker = "planted-marker-planted-marker".repeat(20);
    let planted = marker.clone();
    store.write(move |tx| tx.set_meta("secret", &planted)).unwrap();
    store.write(|tx| tx.set_meta("secret", "gone")).unwrap();
    assert!(store.scrub().unwrap());
    for entry in std::fs::read_dir(folder.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(marker.len()).any(|window| window == marker.as_bytes()));
    }
}

#[test]
fn damage_is_found_without_telling_what_was_stored() {
    let folder = Folder::new();
    drop(folder.open());
    let raw = Connection::open(folder.path()).unwrap();
    raw.execute_batch(
        "PRAGMA foreign_keys = OFF;
         INSERT INTO statements (seq, account, version, kind, at, commitment, sealed) VALUES (5, NULL, 0, 'lost', 1, zeroblob(32), x'');
         INSERT INTO segments VALUES (1, zeroblob(16), 0, zeroblob(16), 0, 1);
         INSERT INTO conversations VALUES (77, zeroblob(16), zeroblob(32), 'chat', 1);",
    )
    .unwrap();
    drop(raw);
    let told: Vec<String> = folder.open().integrity().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "1 rows of `conversations` refer to a row that does not exist",
            "1 rows of `segments` refer to a row that does not exist",
            "a segment of record `r-00000000000000000000000000000000` lies in pack \
             `k-00000000000000000000000000000000`, which is unknown or removed",
            "statements are missing: 1 of 6 are there",
        ]
    );
}

#[cfg(unix)]
#[test]
fn only_its_owner_reads_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let store = folder.open();
    store.write(|tx| tx.set_meta("a", "1")).unwrap();
    for name in ["store.db", "store.db-wal"] {
        let mode = std::fs::metadata(folder.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
}
