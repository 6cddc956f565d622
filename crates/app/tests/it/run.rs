//! A run holds what is permitted and nothing else, says what it left out, and survives a crash.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenure_app::run::{LeftOut, Limits, Problem, Rows, RunReport, RunStage};
use tenure_app::{AccountFacts, Deletion, Scan};
use tenure_formats::Conversation;
use tenure_model::{Choice, Instant, Mode};
use tenure_policy::Exclusion;
use tenure_store::{ReadTx, RecordId, RunId, RunRow, RunState, StoreError, StoreExt as _};

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
        let leaf: String = statement.commitment.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(row["leaf"].as_str(), Some(leaf.as_str()));
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
