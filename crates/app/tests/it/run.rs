//! A run holds what is permitted and nothing else, says what it left out, and survives a crash.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tenure_app::run::{LeftOut, Limits, Problem, Rows, RunReport, RunStage};
use tenure_app::{AccountFacts, Deletion, Entropy, Error, Scan, Tenure};
use tenure_formats::Conversation;
use tenure_model::{Choice, Instant, Mode};
use tenure_policy::Exclusion;
use tenure_store::{
    ReadTx, RecordId, RunId, RunRow, RunState, SqliteStore, Store, StoreError, StoreExt as _,
};
use tenure_vault::{LogKeys, Vault};

use crate::world::{World, at, contains, conversation};

const SAID: [&str; 2] = ["2025-09-01T10:00:00Z", "2025-09-01T10:01:00Z"];
const IMPORTED: &str = "2025-09-01T11:00:00Z";

fn first_record(world: &World, account: &str) -> RecordId {
    let key = world.tenure.account(account).unwrap().key;
    let read = |tx: &mut dyn ReadTx| Ok::<_, StoreError>(tx.records_of(key, None, 1)?[0].id);
    world.store.read(read).unwrap()
}

fn marked(account: &str, surface: &str) -> Conversation {
    let mut conversation = conversation(account, &format!("{account}-1"), surface, &SAID);
    for message in &mut conversation.messages {
        message.text = format!("MARKER-{account}-END {}", message.text);
    }
    conversation
}

/// Accounts that differ in one thing each; `yes` and `also` may be trained on.
fn peopled() -> World {
    let world = World::new();
    let opened = at("2025-08-29T00:00:00Z");
    for account in
        ["yes", "also", "silent", "no", "withdrawn", "flagged", "deleted", "incognito", "commercial"]
    {
        world.open_account(account, opened);
    }
    let facts = AccountFacts { country: Some("US".to_owned()), ..AccountFacts::default() };
    world.tenure.set_account("unknown_age", facts, opened).unwrap();
    world.open_account("unscanned", opened);
    for account in ["yes", "also", "withdrawn", "flagged", "deleted", "incognito", "unknown_age", "unscanned"]
    {
        world.decide(account, Choice::On, at("2025-08-30T00:00:00Z"));
    }
    world.decide("no", Choice::Off, at("2025-08-30T00:00:00Z"));
    let mut conversations: Vec<Conversation> = [
        "yes",
        "also",
        "silent",
        "no",
        "withdrawn",
        "flagged",
        "deleted",
        "incognito",
        "unknown_age",
        "unscanned",
    ]
    .map(|account| marked(account, "pro"))
    .into();
    conversations[7].mode = Some(Mode::Incognito);
    conversations[9].scanned = None;
    conversations.push(marked("commercial", "team"));
    world.import(conversations, at(IMPORTED));
    world.decide("withdrawn", Choice::Off, at("2025-09-02T00:00:00Z"));
    world.tenure.scan(first_record(&world, "flagged"), Scan::Flagged, at("2025-09-02T00:00:00Z")).unwrap();
    let deletion = Deletion::ConversationOf(first_record(&world, "deleted"));
    world.tenure.delete(deletion, at("2025-09-02T00:00:00Z")).unwrap();
    world
}

const NOW: &str = "2025-09-03T00:00:00Z";

fn open(world: &World, out: &str, rows: Rows, now: &str) -> (RunReport, PathBuf) {
    let out = world.folder.path().join(out);
    (world.tenure.open_run("train", &out, rows, at(now), &mut |_| {}).unwrap(), out)
}

fn rows(out: &Path) -> Vec<Value> {
    let mut files: Vec<PathBuf> = fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "jsonl"));
    files.sort();
    let text: String = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn id(report: &RunReport) -> RunId {
    report.manifest.run.parse().unwrap()
}

#[test]
fn a_run_holds_the_permitted_messages_and_counts_the_rest_by_reason() {
    let world = peopled();
    let (report, out) = open(&world, "run", Rows::Both, NOW);
    let rows = rows(&out);
    let mut texts: Vec<&str> = rows.iter().map(|row| row["text"].as_str().unwrap()).collect();
    texts.sort_unstable();
    assert_eq!(texts.len(), 4);
    assert!(texts[..2].iter().all(|text| text.starts_with("MARKER-also-END")));
    assert!(texts[2..].iter().all(|text| text.starts_with("MARKER-yes-END")));
    for account in [
        "silent",
        "no",
        "withdrawn",
        "flagged",
        "deleted",
        "incognito",
        "commercial",
        "unknown_age",
        "unscanned",
    ] {
        assert!(!contains(&out, &format!("MARKER-{account}-END")), "{account} was exported");
    }
    let counts = &report.manifest.counts;
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!((counts.accounts_seen, counts.records_seen, counts.messages_seen), (11, 11, 22));
    let reasons: BTreeMap<&str, u64> =
        counts.left_out.iter().map(|(reason, amount)| (reason.word(), amount.messages)).collect();
    let expected = [
        "deleted",
        "flagged",
        "incognito",
        "minor_or_unknown",
        "not_scanned",
        "off",
        "regime",
        "undecided",
        "withdrawn",
    ];
    assert_eq!(reasons, expected.into_iter().map(|reason| (reason, 2)).collect());
    assert_eq!((report.manifest.rows, report.manifest.accounts, report.copies), (4, 2, 2));
    world.integrity();
}

#[test]
fn every_row_is_bound_to_its_record_version_decision_and_leaf() {
    let world = peopled();
    let (_, out) = open(&world, "run", Rows::Jsonl, NOW);
    let rows = rows(&out);
    for (number, row) in rows.iter().enumerate() {
        assert_eq!(
            (row["row"].as_u64(), row["policy"].as_str()),
            (Some(number as u64), Some("consumer@2025-10-08"))
        );
        let seq = tenure_store::Seq(row["decision"].as_i64().unwrap());
        let statement = world.store.read(|tx| tx.statement(seq)).unwrap().unwrap().statement;
        assert_eq!(statement.kind, "decision");
        let leaf = row["leaf"].as_str().unwrap();
        let pairs = leaf.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
        let bytes = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap());
        assert_eq!((leaf.len(), bytes.collect::<Vec<_>>()), (64, statement.commitment.to_vec()));
        let record: RecordId = row["record"].as_str().unwrap().parse().unwrap();
        let owner = world.store.read(|tx| tx.record(record)).unwrap().unwrap().account;
        assert_eq!(statement.account, Some(owner));
    }
}

#[test]
fn what_was_written_gets_a_training_copy_and_only_that() {
    let world = peopled();
    let (report, _) = open(&world, "run", Rows::Jsonl, NOW);
    assert_eq!(report.copies, 2);
    assert_eq!(world.live("yes"), ["content", "history", "training_copy"]);
    assert_eq!(world.live("silent"), ["content", "history"]);
    let (again, _) = open(&world, "again", Rows::Jsonl, NOW);
    assert_eq!((again.manifest.rows, again.copies), (4, 0));
    world.integrity();
}

#[test]
fn a_body_is_never_read_through_another_classs_copy() {
    let world = peopled();
    // Five years on, the content is gone and the history is not.
    let later = at("2030-10-01T00:00:00Z");
    world.sweep(later);
    assert_eq!(world.live("yes"), ["history"]);
    let (report, out) = open(&world, "run", Rows::Jsonl, "2030-10-01T00:00:00Z");
    assert_eq!((report.manifest.rows, report.copies), (0, 0));
    assert!(report.manifest.counts.add_up());
    assert!(!contains(&out, "MARKER"));
}

#[test]
fn what_takes_permission_away_is_listed_and_leaves_the_manifest_as_it_is() {
    let world = peopled();
    let (report, out) = open(&world, "run", Rows::Both, NOW);
    assert_eq!(world.tenure.revocations(id(&report), at(NOW)).unwrap().revoked, []);
    world.decide("yes", Choice::Off, at("2025-09-04T00:00:00Z"));
    let deletion = Deletion::ConversationOf(first_record(&world, "also"));
    world.tenure.delete(deletion, at("2025-09-05T00:00:00Z")).unwrap();
    let found = world.tenure.revocations(id(&report), at("2025-09-06T00:00:00Z")).unwrap();
    assert_eq!((found.records, found.rows, found.revoked_rows), (2, 4, 4));
    let why = |account: &str| {
        let record = first_record(&world, account).to_string();
        let revoked = found.revoked.iter().find(|revoked| revoked.record == record).unwrap();
        (revoked.why, revoked.when.unwrap(), revoked.shards.clone())
    };
    let [withdrawn, deleted] = [Exclusion::Withdrawn, Exclusion::Deleted].map(LeftOut::Rule);
    assert_eq!(why("yes"), (withdrawn, at("2025-09-04T00:00:00Z"), vec![0]));
    assert_eq!(why("also"), (deleted, at("2025-09-05T00:00:00Z"), vec![0]));
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems, []);
    let (later, _) = open(&world, "later", Rows::Jsonl, "2025-09-06T00:00:00Z");
    assert_eq!(later.manifest.rows, 0);
}

#[test]
fn a_minor_who_is_discovered_later_is_revoked_and_kept_out_of_later_runs() {
    let world = peopled();
    let (report, _) = open(&world, "run", Rows::Jsonl, NOW);
    let facts = AccountFacts { minor: Some(true), ..AccountFacts::default() };
    world.tenure.set_account("yes", facts, at("2025-09-04T00:00:00Z")).unwrap();
    let found = world.tenure.revocations(id(&report), at("2025-09-05T00:00:00Z")).unwrap();
    let [revoked] = found.revoked.as_slice() else { panic!("{found:?}") };
    assert_eq!(revoked.why, LeftOut::Rule(Exclusion::MinorOrUnknown));
    let (_, out) = open(&world, "later", Rows::Jsonl, "2025-09-05T00:00:00Z");
    assert!(!contains(&out, "MARKER-yes-END") && contains(&out, "MARKER-also-END"));
}

#[test]
fn a_conversation_that_goes_on_under_the_same_yes_is_not_revoked_and_the_next_run_has_the_rest() {
    let world = peopled();
    let (report, _) = open(&world, "run", Rows::Jsonl, NOW);
    let mut more = conversation("yes", "yes-1", "pro", &[SAID[0], SAID[1], "2025-09-10T00:00:00Z"]);
    more.messages[2].text = "MARKER-later-END".to_owned();
    world.import(vec![more], at("2025-09-10T00:01:00Z"));
    // The conversation's last activity is covered by the yes too, so nothing is revoked.
    assert_eq!(world.tenure.revocations(id(&report), at("2025-09-11T00:00:00Z")).unwrap().revoked, []);
    let (later, out) = open(&world, "later", Rows::Jsonl, "2025-09-11T00:00:00Z");
    assert_eq!(later.manifest.rows, 5);
    assert!(contains(&out, "MARKER-later-END"));
}

#[test]
fn a_run_that_was_touched_does_not_verify() {
    let world = peopled();
    let (report, out) = open(&world, "run", Rows::Both, NOW);
    let verified = world.tenure.verify_run(&out).unwrap();
    assert_eq!((verified.problems, verified.files), (Vec::new(), 2));
    fs::write(out.join("shard-00007.jsonl"), "{}").unwrap();
    let jsonl = out.join("shard-00000.jsonl");
    let changed = fs::read_to_string(&jsonl).unwrap().replacen("MARKER", "MARKEE", 1);
    fs::write(&jsonl, changed).unwrap();
    fs::remove_file(out.join("shard-00000.parquet")).unwrap();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        world.tenure.verify_run(&out).unwrap().problems,
        [
            Problem::FileDiffers { name: name("shard-00000.jsonl") },
            Problem::FileMissing { name: name("shard-00000.parquet") },
            Problem::FileUnlisted { name: name("shard-00007.jsonl") },
        ]
    );
    let manifest = fs::read_to_string(out.join("manifest.json")).unwrap();
    fs::write(out.join("manifest.json"), manifest.replace("\"rows\":4", "\"rows\":5")).unwrap();
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems[0], Problem::ManifestDiffers);
    assert!(matches!(world.tenure.run_status(id(&report)).unwrap().stage, RunStage::Sealed { .. }));
}

/// The state that a `kill -9` in the middle of a run leaves.
fn broken_off(world: &World, out: &Path, purpose: &str) -> RunId {
    let run = RunId([9; 16]);
    fs::create_dir_all(out).unwrap();
    fs::write(out.join("unfinished-run"), run.to_string()).unwrap();
    fs::write(out.join("shard-00000.jsonl"), "{\"half\":").unwrap();
    fs::write(out.join("shard-00001.jsonl"), "").unwrap();
    let row = RunRow {
        id: run,
        purpose: purpose.to_owned(),
        opened_at: at(NOW),
        position: 3,
        state: RunState::Opening,
    };
    world.store.write(move |tx| tx.insert_run(&row)).unwrap();
    run
}

#[test]
fn a_run_that_broke_off_is_dropped_and_begun_anew() {
    let world = peopled();
    let out = world.folder.path().join("run");
    let broken = broken_off(&world, &out, "train");
    assert_eq!(world.tenure.runs().unwrap()[0].stage, RunStage::Opening);
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems, [Problem::NoManifest]);
    let (report, out) = open(&world, "run", Rows::Jsonl, NOW);
    assert_eq!((report.manifest.rows, report.resumed), (4, false));
    assert!(world.tenure.run_status(broken).is_err());
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems, []);
    assert!(!out.join("unfinished-run").exists());
    world.integrity();
}

#[test]
fn a_run_that_was_sealed_before_the_crash_is_finished_and_not_written_twice() {
    let world = peopled();
    let (report, out) = open(&world, "run", Rows::Jsonl, NOW);
    let run = id(&report);
    // The crash came after the seal: the mark is there still, and the copies are due.
    fs::write(out.join("unfinished-run"), run.to_string()).unwrap();
    let key = format!("copies-of-{run}");
    world.store.write(move |tx| tx.set_meta(&key, "due")).unwrap();
    let world = world.reopened();
    let (again, out) = open(&world, "run", Rows::Jsonl, NOW);
    assert_eq!((again.resumed, &again.digest), (true, &report.digest));
    assert_eq!(world.tenure.runs().unwrap().len(), 1);
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems, []);
    assert!(!out.join("unfinished-run").exists());
}

#[test]
fn a_folder_of_another_purpose_or_a_finished_run_is_refused() {
    let world = peopled();
    let out = world.folder.path().join("other");
    broken_off(&world, &out, "safety");
    let mut quiet = |_| {};
    assert!(world.tenure.open_run("train", &out, Rows::Jsonl, at(NOW), &mut quiet).is_err());
    assert!(out.join("shard-00000.jsonl").exists());
    let (_, out) = open(&world, "run", Rows::Jsonl, NOW);
    assert!(world.tenure.open_run("train", &out, Rows::Jsonl, at(NOW), &mut quiet).is_err());
    assert!(world.tenure.open_run("selling", &out, Rows::Jsonl, at(NOW), &mut quiet).is_err());
}

#[test]
fn an_account_that_moves_on_while_the_run_is_written_is_left_out() {
    let world = World::new();
    // More records than one slice takes, so that the second account is judged after the first was written.
    let opened = at("2025-08-29T00:00:00Z");
    for account in ["first", "second"] {
        world.open_account(account, opened);
        world.decide(account, Choice::On, at("2025-08-30T00:00:00Z"));
        let many = (0..300).map(|n| conversation(account, &format!("{account}-{n}"), "pro", &SAID[..1]));
        world.import(many.collect(), at(IMPORTED));
    }
    let mut moved = false;
    let mut move_on = |_| {
        if !std::mem::replace(&mut moved, true) {
            world.decide("second", Choice::Off, at(NOW));
        }
    };
    let out = world.folder.path().join("run");
    let report = world.tenure.open_run("train", &out, Rows::Jsonl, at(NOW), &mut move_on).unwrap();
    let counts = &report.manifest.counts;
    assert!(counts.add_up(), "{counts:?}");
    assert_eq!(counts.messages_written, 300);
    assert_eq!(counts.left_out[&LeftOut::Moved].messages, 300);
    assert!(!contains(&out, "second-"));
}

#[test]
fn a_version_that_is_published_while_a_run_is_written_keeps_it_from_being_sealed() {
    let world = peopled();
    let out = world.folder.path().join("run");
    let other = crate::world::EXAMPLE.replacen("2025-10-08\"", "2025-10-09\"", 1);
    let mut publish = |_| {
        world.tenure.publish(&[("other.toml".to_owned(), other.clone())], at(NOW)).unwrap();
    };
    let refused = world.tenure.open_run("train", &out, Rows::Jsonl, at(NOW), &mut publish).unwrap_err();
    assert!(refused.to_string().contains("published"), "{refused}");
    assert_eq!(world.tenure.runs().unwrap()[0].stage, RunStage::Opening);
    assert!(!world.live("yes").contains(&"training_copy".to_owned()));
    let (report, out) = open(&world, "run", Rows::Jsonl, NOW);
    assert_eq!((report.manifest.rows, world.tenure.runs().unwrap().len()), (4, 1));
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems, []);
}

#[test]
fn long_runs_are_written_in_shards_that_cover_every_row() {
    let world = World::new();
    world.open_account("yes", at("2025-08-29T00:00:00Z"));
    world.decide("yes", Choice::On, at("2025-08-30T00:00:00Z"));
    let many = (0..600).map(|n| conversation("yes", &format!("c-{n}"), "pro", &SAID));
    world.import(many.collect(), at(IMPORTED));
    let out = world.folder.path().join("run");
    let how = (Rows::Both, Limits { rows: 500, bytes: u64::MAX });
    let now: Instant = at(NOW);
    let report = world.tenure.open_run_sharded("train", &out, how, now, &mut |_| {}).unwrap();
    assert_eq!((report.manifest.rows, report.manifest.files.len(), report.copies), (1_200, 6, 600));
    let numbers: Vec<u64> = rows(&out).iter().map(|row| row["row"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..1_200).collect::<Vec<_>>());
    assert_eq!(world.tenure.verify_run(&out).unwrap().problems, []);
    world.decide("yes", Choice::Off, at("2025-09-04T00:00:00Z"));
    let found = world.tenure.revocations(id(&report), at("2025-09-05T00:00:00Z")).unwrap();
    assert_eq!(found.revoked_rows, 1_200);
    assert_eq!(found.revoked.last().unwrap().shards, [2]);
}

const WORLD: &str = "TENURE_RUN_WORLD";

/// Random enough, and another sequence for each process that opens the folder.
struct Seeded(AtomicU64);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            let drawn = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            *byte = (drawn.wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 56) as u8;
        }
        Ok(())
    }
}

fn opened_in(folder: &Path, seed: u64) -> (Arc<dyn Store>, Tenure) {
    let data = folder.join("data");
    let vault = Vault::open(&data, &folder.join("keys")).unwrap();
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db")).unwrap());
    let log = LogKeys::open(&folder.join("keys")).unwrap();
    let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::new(Seeded(seed.into())));
    (store, tenure)
}

/// Not a test of its own: it is the process that the test below starts and kills.
#[test]
fn child_that_opens_a_run_until_it_is_killed() {
    let Ok(folder) = std::env::var(WORLD) else { return };
    let folder = Path::new(&folder);
    let (_, tenure) = opened_in(folder, 4_242);
    let mut progress = |progress: tenure_app::run::Progress| eprintln!("judged {}", progress.records);
    let how = (Rows::Both, Limits { rows: 700, bytes: u64::MAX });
    eprintln!("judged 0");
    tenure.open_run_sharded("train", &folder.join("run"), how, at(NOW), &mut progress).unwrap();
    eprintln!("judged all");
}

fn run_and_kill(folder: &Path, kill_at: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "run::child_that_opens_a_run_until_it_is_killed", "--nocapture"])
        .env(WORLD, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = said.map_while(Result::ok).any(|line| line == kill_at);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(reached, "the run never said `{kill_at}`");
}

#[test]
fn killed_at_any_moment_a_run_is_finished_when_it_is_asked_for_again() {
    for kill_at in ["judged 0", "judged 256", "judged 1024", "judged 1500"] {
        let world = World::new();
        world.open_account("yes", at("2025-08-29T00:00:00Z"));
        world.decide("yes", Choice::On, at("2025-08-30T00:00:00Z"));
        let many = (0..1_500).map(|n| conversation("yes", &format!("c-{n}"), "pro", &SAID[..1]));
        world.import(many.collect(), at(IMPORTED));
        let World { folder, store, tenure } = world;
        drop((store, tenure));
        run_and_kill(folder.path(), kill_at);
        let (store, tenure) = opened_in(folder.path(), 77);
        let world = World { folder, store, tenure };
        world.integrity();
        let out = world.folder.path().join("run");
        // A machine that is slow to kill may let the last of them finish, which is as good.
        if !out.join("manifest.json").exists() || out.join("unfinished-run").exists() {
            let (report, _) = open(&world, "run", Rows::Both, NOW);
            assert_eq!(report.manifest.rows, 1_500, "{kill_at}");
        }
        let mut messages: Vec<String> = rows(&out).iter().map(|row| row["message"].to_string()).collect();
        messages.sort();
        messages.dedup();
        assert_eq!(messages.len(), 1_500, "{kill_at}");
        assert_eq!(world.tenure.verify_run(&out).unwrap().problems, [], "{kill_at}");
        assert_eq!(world.tenure.runs().unwrap().len(), 1, "{kill_at}");
        let copies = world.live("yes").into_iter().filter(|class| class == "training_copy").count();
        assert_eq!(copies, 1_500, "{kill_at}");
        world.integrity();
    }
}
