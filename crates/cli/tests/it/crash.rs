//! `kill -9` at any point leaves a folder that `doctor` finds sound, and asking again finishes the work.
//!
//! Each command is first run undisturbed, to know how long it takes and what it leaves. Then it is
//! killed at moments spread over that time, on folders of its own, and asked again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenure_store::{ReadTx, SqliteStore, StoreError, StoreExt as _};

use super::folder::Folder;

const CONVERSATIONS: usize = 6_000;
const IMPORTED: &str = "2025-10-20T00:00:00Z";
const SWEPT: &str = "2026-06-01T00:00:00Z";

/// Conversations of 200 people, of whom half allow training; half of what there is falls due by [`SWEPT`].
fn export(folder: &Folder) -> String {
    let accounts = (0..200)
        .map(|id| json!({"type": "account", "id": format!("a{id}"), "country": "US", "minor": false}));
    let conversations = (0..CONVERSATIONS).map(|id| {
        let messages: Vec<Value> = (0..8)
            .map(|index| {
                let at = format!("2025-10-{:02}T10:00:{index:02}Z", 10 + id % 9);
                json!({"id": format!("{id}-{index}"), "at": at, "role": "human", "text": format!("words {index} of {id}")})
            })
            .collect();
        json!({"type": "conversation", "id": id.to_string(), "account": format!("a{}", id % 200), "surface": "pro",
            "country": "US", "scanned": true, "messages": messages})
    });
    folder.file("export.jsonl", super::folder::jsonl(&accounts.chain(conversations).collect::<Vec<_>>()))
}

/// A folder in which half of the people have allowed training, with the export beside it.
fn prepared() -> (Folder, String) {
    let folder = Folder::new();
    let export = export(&folder);
    (folder, export)
}

fn decide(folder: &Folder) {
    let yes = (0..200)
        .step_by(2)
        .map(|id| json!({"account": format!("a{id}"), "purpose": "train", "choice": "on"}));
    let file = folder.file("decisions.jsonl", super::folder::jsonl(&yes.collect::<Vec<_>>()));
    folder.done(&["decide", "--from", &file, "--at", "2025-10-09T00:00:00Z"]);
}

/// Starts a command and kills it after a while. Says whether it was killed before it ended by itself.
fn killed(folder: &Folder, args: &[&str], after: Duration) -> bool {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tenure"))
        .arg("--data")
        .arg(folder.data())
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let clock = Instant::now();
    while clock.elapsed() < after {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    true
}

fn timed(run: impl FnOnce()) -> Duration {
    let clock = Instant::now();
    run();
    clock.elapsed()
}

/// Moments spread over a command's life, the first and the last of which are likely to be its edges.
fn moments(whole: Duration) -> impl Iterator<Item = Duration> {
    (1..=6).map(move |part| whole * part / 7)
}

/// What a folder holds: rows of each kind, and copies by class and stage.
fn figures(folder: &Folder) -> (Vec<u64>, Vec<(String, &'static str, u64)>) {
    let store = SqliteStore::open(&folder.data().join("tenure.db")).unwrap();
    let read = |tx: &mut dyn ReadTx| {
        let totals = tx.totals()?;
        let classes = tx.classes()?;
        let name = |id| classes.iter().find(|(known, _)| *known == id).unwrap().1.clone();
        let copies = tx.stage_counts()?;
        let mut copies: Vec<_> =
            copies.iter().map(|count| (name(count.class), count.stage.word(), count.copies)).collect();
        copies.sort();
        let totals = vec![totals.accounts, totals.conversations, totals.records, totals.messages];
        Ok::<_, StoreError>((totals, copies))
    };
    store.read(read).unwrap()
}

#[test]
fn a_killed_import_leaves_a_sound_folder_and_is_finished_by_asking_again() {
    let import = |folder: &Folder, export: &str| folder.done(&["import", "tenure", export, "--at", IMPORTED]);
    let (whole, export) = prepared();
    let time = timed(|| drop(import(&whole, &export)));
    let mut kills = 0;
    for moment in moments(time) {
        let (folder, export) = prepared();
        kills += usize::from(killed(&folder, &["import", "tenure", &export, "--at", IMPORTED], moment));
        folder.done(&["doctor", "--full"]);
        import(&folder, &export);
        folder.done(&["doctor", "--repair"]);
        assert_eq!(figures(&folder), figures(&whole));
    }
    assert!(kills >= 3, "only {kills} imports were killed before they ended");
}

#[test]
fn a_killed_sweep_leaves_a_sound_folder_and_is_finished_by_asking_again() {
    let ready = || {
        let (folder, export) = prepared();
        folder.done(&["import", "tenure", &export, "--at", IMPORTED]);
        decide(&folder);
        folder
    };
    let sweep = ["sweep", "--yes", "--at", SWEPT];
    let whole = ready();
    let time = timed(|| drop(whole.done(&sweep)));
    let mut kills = 0;
    for moment in moments(time) {
        let folder = ready();
        kills += usize::from(killed(&folder, &sweep, moment));
        folder.done(&["doctor", "--full"]);
        folder.done(&sweep);
        folder.done(&["doctor", "--full"]);
        assert_eq!(figures(&folder), figures(&whole));
        let again = folder.json(&["sweep", "--dry-run", "--at", SWEPT]);
        assert_eq!(again["sweep"]["destroyed"], json!({}));
    }
    assert!(kills >= 3, "only {kills} sweeps were killed before they ended");
}

#[test]
fn a_killed_run_leaves_a_sound_folder_and_is_finished_by_asking_again() {
    let ready = || {
        let (folder, export) = prepared();
        folder.done(&["import", "tenure", &export, "--at", IMPORTED]);
        decide(&folder);
        folder
    };
    let beside = |folder: &Folder| folder.data().with_file_name("run").to_str().unwrap().to_owned();
    let rows = |out: &str| -> Vec<Value> {
        let mut files: Vec<_> =
            std::fs::read_dir(Path::new(out)).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
        files.sort();
        let lines = files.iter().flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            text.lines()
                .map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].clone())
                .collect::<Vec<_>>()
        });
        let mut rows: Vec<_> = lines.collect();
        rows.sort_by_key(ToString::to_string);
        rows
    };
    let run = |out: &str| {
        vec![
            "run".to_owned(),
            "open".into(),
            "--purpose".into(),
            "train".into(),
            "--out".into(),
            out.into(),
            "--at".into(),
            "2025-10-21T00:00:00Z".into(),
        ]
    };
    let whole = ready();
    let out = beside(&whole);
    let args = run(&out);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let time = timed(|| drop(whole.done(&args)));
    let expected = rows(&out);
    assert_eq!(expected.len(), CONVERSATIONS / 2 * 8);
    let mut kills = 0;
    for moment in moments(time) {
        let folder = ready();
        let out = beside(&folder);
        let args = run(&out);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let was_killed = killed(&folder, &args, moment);
        kills += usize::from(was_killed);
        folder.done(&["doctor", "--full"]);
        if was_killed && !Path::new(&out).join("manifest.json").exists() {
            folder.done(&args);
        } else {
            // The kill came after the seal: finishing makes the training copies that were still to come.
            folder.done(&["run", "status"]);
        }
        assert_eq!(rows(&out), expected);
        folder.done(&["run", "verify", &out]);
        folder.done(&["doctor", "--full"]);
    }
    assert!(kills >= 3, "only {kills} runs were killed before they ended");
}
