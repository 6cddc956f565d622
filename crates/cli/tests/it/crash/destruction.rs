//! `kill -9` of what destroys, keeps and rotates: at chosen moments, when the store shows a stage of the work, and at
//! random ones.

use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tenure_store::{BatchStage, ReadTx, SqliteStore, StoreError, StoreExt as _};

use super::super::folder::{Folder, account, conversation, jsonl};
use super::super::{code, stderr, stdout};
use super::{SWEPT, figures, killed, moments, started, timed};

const PEOPLE: usize = 40;
const IMPORTED: &str = "2025-10-20T00:00:00Z";
const LEFT: &str = "2025-10-25T00:00:00Z";
const LATER: &str = "2026-06-02T00:00:00Z";

/// A folder from which others are copied.
struct Image(Folder);

impl Image {
    /// Forty people with chats, of whom five said nothing and five have left: so much of the packs dies in the next
    /// sweep that they are written anew.
    fn new() -> Self {
        let folder = Folder::new();
        let name = |id: usize| format!("a{id}");
        let accounts = (0..PEOPLE).map(|id| account(&name(id)));
        let chats = (0..PEOPLE * 15).map(|id| {
            let time = format!("2025-10-{:02}T10:00:00Z", 10 + id % 9);
            conversation(&name(id % PEOPLE), &id.to_string(), &[&time])
        });
        folder.import(&accounts.chain(chats).collect::<Vec<_>>(), IMPORTED);
        let on = (5..PEOPLE).map(|id| json!({"account": name(id), "purpose": "train", "choice": "on"}));
        let decisions = folder.file("decisions.jsonl", jsonl(&on.collect::<Vec<_>>()));
        folder.done(&["decide", "--from", &decisions, "--at", "2025-10-09T00:00:00Z"]);
        for id in PEOPLE - 5..PEOPLE {
            folder.done(&["erase", "--account", &name(id), "--yes", "--at", LEFT]);
        }
        Self(folder)
    }

    /// The folder after something was done in it.
    fn after(self, commands: &[&[&str]]) -> Self {
        for command in commands {
            self.0.done(command);
        }
        Self(self.0)
    }

    fn copy(&self) -> Folder {
        let folder = Folder::new();
        for (from, to) in [(self.0.data(), folder.data()), (self.0.keys(), folder.keys())] {
            fs::remove_dir_all(&to).unwrap();
            copy(&from, &to);
        }
        folder
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (from, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// A few moments of a command's life that no two runs share.
fn random_moments(whole: Duration) -> Vec<Duration> {
    let draw = || RandomState::new().build_hasher().finish() % 1_000;
    let drawn = (0..2).map(|_| u32::try_from(draw()).unwrap());
    let moments: Vec<_> = drawn.map(|part| whole * part / 1_000).collect();
    println!("killed at {moments:?} of {whole:?} too");
    moments
}

/// What a store shows of work that is under way.
type Sign = fn(&mut dyn ReadTx) -> Result<bool, StoreError>;

fn stands(tx: &mut dyn ReadTx, stage: fn(&BatchStage) -> bool) -> Result<bool, StoreError> {
    Ok(tx.unfinished_batches()?.iter().any(|batch| stage(&batch.stage)))
}

/// The stages of a sweep, and the pack that it is about to fill with what lives in others.
const SIGNS: [(&str, Sign); 5] = [
    ("gathering", |tx| stands(tx, |stage| *stage == BatchStage::Gathering)),
    ("sealed", |tx| stands(tx, |stage| matches!(stage, BatchStage::Sealed { .. }))),
    ("shredding", |tx| stands(tx, |stage| matches!(stage, BatchStage::Shredding { .. }))),
    ("shredded", |tx| stands(tx, |stage| matches!(stage, BatchStage::Shredded { .. }))),
    ("compacting", |tx| {
        let packs = tx.packs(None, 1_000)?;
        Ok(packs.iter().any(|pack| pack.removed_at.is_none() && pack.bytes > 0 && pack.segments == 0))
    }),
];

/// Starts a command and kills it once the store shows a sign. Says whether it was seen before the command ended.
fn killed_on(folder: &Folder, args: &[&str], sign: Sign) -> bool {
    let store = SqliteStore::observe(&folder.data().join("tenure.db")).unwrap();
    let mut child = started(folder, args);
    let clock = Instant::now();
    let mut seen = false;
    while !seen && child.try_wait().unwrap().is_none() {
        assert!(clock.elapsed() < Duration::from_mins(1), "{args:?} does not end");
        seen = store.read(|tx| sign(tx)).unwrap();
    }
    if seen {
        child.kill().unwrap();
    }
    child.wait().unwrap();
    seen
}

/// Holds a folder to what it must be after any kill.
fn assert_sound(folder: &Folder) {
    folder.done(&["doctor", "--full"]);
    folder.done(&["ledger", "verify"]);
}

/// Runs a command again that may have been done already, which it then says.
fn again(folder: &Folder, args: &[&str]) {
    let output = folder.run(args);
    let said = format!("{}{}", stdout(&output), stderr(&output));
    assert!(code(&output) == 0 || said.contains("already") || said.contains("no hold"), "{args:?}: {said}");
}

/// Kills a command at moments spread over its life and at random ones, asks it again, sweeps, and compares with what
/// is left where nothing was killed.
fn survives(image: &Image, args: &[&str], outcome: fn(&Folder) -> Value) {
    let sweep = ["sweep", "--yes", "--at", LATER];
    let whole = image.copy();
    let time = timed(|| drop(whole.done(args)));
    whole.done(&sweep);
    let expected = (figures(&whole), outcome(&whole));
    for moment in moments(time).step_by(3).chain(random_moments(time)) {
        let folder = image.copy();
        // One that ended before its moment came is asked again all the same.
        killed(&folder, args, moment);
        assert_sound(&folder);
        again(&folder, args);
        folder.done(&sweep);
        assert_sound(&folder);
        assert_eq!((figures(&folder), outcome(&folder)), expected, "{args:?}, {moment:?}");
    }
}

fn holds(folder: &Folder) -> Value {
    folder.json(&["hold", "list", "--at", LATER])
}

fn nothing_else(_: &Folder) -> Value {
    Value::Null
}

/// How many packs there are; what a kill left of others is removed.
fn packs(folder: &Folder) -> Value {
    folder.done(&["doctor", "--repair"]);
    folder.counts()["packs"].clone()
}

const SWEEP: [&str; 4] = ["sweep", "--yes", "--at", SWEPT];

#[test]
fn a_sweep_that_is_killed_at_any_stage_or_moment_is_finished_by_asking_again() {
    let image = Image::new();
    let whole = image.copy();
    let swept = whole.json(&["sweep", "--yes", "--at", SWEPT]);
    assert!(swept["sweep"]["compacted"].as_u64().unwrap() > 0, "{swept}");
    let expected = (figures(&whole), packs(&whole));
    for (stage, sign) in SIGNS {
        let mut tries = (0..8).map(|_| image.copy());
        let Some(folder) = tries.find(|folder| killed_on(folder, &SWEEP, sign)) else {
            println!("{stage} is too short to be seen on this machine");
            continue;
        };
        assert_sound(&folder);
        folder.done(&SWEEP);
        assert_sound(&folder);
        assert_eq!((figures(&folder), packs(&folder)), expected, "{stage}");
    }
    survives(&image, &SWEEP, nothing_else);
}

#[test]
fn the_erasure_of_an_account_that_is_killed_is_finished_by_asking_again() {
    // Nothing but history is left of who said nothing, so that it goes at once with the key of the account.
    let image = Image::new().after(&[&SWEEP]);
    survives(&image, &["erase", "--account", "a0", "--yes", "--at", LATER], nothing_else);
}

#[test]
fn a_rotation_of_the_root_that_is_killed_leaves_everything_that_lives_readable() {
    survives(&Image::new(), &["keys", "rotate"], nothing_else);
}

#[test]
fn a_change_to_a_hold_that_is_killed_while_a_batch_is_sealed_is_done_by_asking_again() {
    let image = Image::new();
    let (sealed, (_, sign)) = ((0..8).map(|_| image.copy()), SIGNS[1]);
    let sealed = sealed.into_iter().find(|folder| killed_on(folder, &SWEEP, sign));
    let image = sealed.map_or(image, Image);
    let place = ["hold", "place", "order", "--class", "content", "--account", "a0", "--at", SWEPT];
    survives(&image, &place, holds);
    let image = image.after(&[&place]);
    let amend = ["hold", "amend", "order", "--class", "content", "--account", "a1", "--at", SWEPT];
    survives(&image, &amend, holds);
    survives(&image, &["hold", "release", "order", "--at", SWEPT], holds);
}
