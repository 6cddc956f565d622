//! `kill -9` at any point leaves a folder that `doctor` finds sound, and asking again finishes the work.
//!
//! Each command is first run undisturbed, to know how long it takes and what it leaves. Then it is
//! killed at moments spread over that time, on folders of its own, and asked again.

mod destruction;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenure_store::{ReadTx, SqliteStore, StoreError, StoreExt as _};

use super::folder::Folder;

const CONVERSATIONS: usize = 6_000;
const IMPORTED: &str = "2025-10-20T00:00:00Z";
const SWEPT: &str = "2026-06-01T00:00:00Z";

/// Conversations of 200 people, of whom a fifth does not allow training: what they said falls due by [`SWEPT`].
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

/// A folder with the export beside it.
fn prepared() -> (Folder, String) {
    let folder = Folder::new();
    let export = export(&folder);
    (folder, export)
}

fn decide(folder: &Folder) {
    let yes = (0..200)
        .filter(|id| id % 5 > 0)
        .map(|id| json!({"account": format!("a{id}"), "purpose": "train", "choice": "on"}));
    let file = folder.file("decisions.jsonl", super::folder::jsonl(&yes.collect::<Vec<_>>()));
    folder.done(&["decide", "--from", &file, "--at", "2025-10-09T00:00:00Z"]);
}

fn started(folder: &Folder, args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_tenure"))
        .arg("--data")
        .arg(folder.data())
        .args(args)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .stdin(Stdio::null())
        .spawn()
        .unwrap()
}

/// Starts a command and kills it after a while. Says whether it was killed before it ended by itself.
fn killed(folder: &Folder, args: &[&str], after: Duration) -> bool {
    let mut child = started(folder, args);
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

/// Kills a command at a moment of its life, on a folder made for it. If the command ends before the moment
/// comes, because the machine is quicker now, it is tried again sooner on another folder.
fn killed_at<T>(
    mut moment: Duration,
    prepared: impl Fn() -> (Folder, T),
    args: impl Fn(&Folder, &T) -> Vec<String>,
) -> (Folder, T) {
    loop {
        let (folder, with) = prepared();
        let args = args(&folder, &with);
        if killed(&folder, &args.iter().map(String::as_str).collect::<Vec<_>>(), moment) {
            return (folder, with);
        }
        moment = moment * 2 / 3;
    }
}

/// Moments spread over a command's life.
fn moments(whole: Duration) -> impl Iterator<Item = Duration> {
    (1..=5).map(move |part| whole * part / 6)
}

fn owned(args: &[&str]) -> Vec<String> {
    args.iter().map(|arg| (*arg).to_owned()).collect()
}

/// What a folder holds: rows of each kind, and copies by class and stage.
fn figures(folder: &Folder) -> (Vec<u64>, Vec<(String, &'static str, u64)>) {
    let store = SqliteStore::observe(&folder.data().join("tenure.db")).unwrap();
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
    let args = |_: &Folder, export: &String| owned(&["import", "tenure", export, "--at", IMPORTED]);
    let import = |folder: &Folder, export: &str| folder.done(&["import", "tenure", export, "--at", IMPORTED]);
    let (whole, export) = prepared();
    let time = timed(|| drop(import(&whole, &export)));
    for moment in moments(time) {
        let (folder, export) = killed_at(moment, prepared, args);
        folder.done(&["doctor", "--full"]);
        import(&folder, &export);
        folder.done(&["doctor", "--repair"]);
        assert_eq!(figures(&folder), figures(&whole));
    }
}

/// A folder with everything imported, in which most people allow training.
fn imported() -> (Folder, ()) {
    let (folder, export) = prepared();
    folder.done(&["import", "tenure", &export, "--at", IMPORTED]);
    decide(&folder);
    (folder, ())
}

#[test]
fn a_killed_sweep_leaves_a_sound_folder_and_is_finished_by_asking_again() {
    let sweep = ["sweep", "--yes", "--share", "100", "--at", SWEPT];
    let (whole, ()) = imported();
    let time = timed(|| drop(whole.done(&sweep)));
    for moment in moments(time) {
        let (folder, ()) = killed_at(moment, imported, |_, ()| owned(&sweep));
        folder.done(&["doctor", "--full"]);
        folder.done(&sweep);
        folder.done(&["doctor", "--full"]);
        assert_eq!(figures(&folder), figures(&whole));
        let again = folder.json(&["sweep", "--dry-run", "--at", SWEPT]);
        assert_eq!(again["sweep"]["destroyed"], json!({}));
    }
}

/// The messages that a run wrote, in the order of their ids.
fn rows(out: &str) -> Vec<String> {
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(out).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let text = std::fs::read_to_string(&path).unwrap();
            rows.extend(
                text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].to_string()),
            );
        }
    }
    rows.sort();
    rows
}

#[test]
fn a_killed_run_leaves_a_sound_folder_and_is_finished_by_asking_again() {
    let beside = |folder: &Folder| folder.data().with_file_name("run").to_str().unwrap().to_owned();
    let run = |folder: &Folder, (): &()| {
        owned(&[
            "run",
            "open",
            "--purpose",
            "train",
            "--out",
            &beside(folder),
            "--at",
            "2025-10-21T00:00:00Z",
        ])
    };
    let open = |folder: &Folder| {
        let args = run(folder, &());
        folder.done(&args.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (whole, ()) = imported();
    let time = timed(|| drop(open(&whole)));
    let expected = rows(&beside(&whole));
    assert_eq!(expected.len(), CONVERSATIONS / 5 * 4 * 8);
    for moment in moments(time) {
        let (folder, ()) = killed_at(moment, imported, run);
        let out = beside(&folder);
        folder.done(&["doctor", "--full"]);
        if Path::new(&out).join("manifest.json").exists() {
            // The kill came after the seal, so there is nothing to ask again.
            folder.done(&["run", "status"]);
        } else {
            open(&folder);
        }
        assert_eq!(rows(&out), expected);
        folder.done(&["run", "verify", &out]);
        folder.done(&["doctor", "--full"]);
    }
}
