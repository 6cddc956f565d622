//! What a hold keeps is read by its readers alone, and the ledger says so first.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;
use tenure_app::{Deletion, Error, HeldAccess, HeldTarget, HoldScope, Rows};
use tenure_model::Choice;
use tenure_receipts::{Item, Opening, Statement, root_of};
use tenure_store::faults::Fault;

use super::{assert_sound, content, first_record, of_accounts, with_faults, world_of};
use crate::world::{World, at, contains, conversation};

const NOW: &str = "2025-09-20T00:00:00Z";

fn out(world: &World, name: &str) -> PathBuf {
    world.folder.path().join(name)
}

fn read(world: &World, reader: &str, what: &HeldTarget, out: &Path) -> Result<HeldAccess, Error> {
    world.tenure.read_held(("order", reader), what, out, at(NOW), &mut |_| {})
}

fn index(out: &Path) -> Vec<Value> {
    let lines = fs::read_to_string(out.join("index.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A hold of two accounts' content of three, and its reader.
fn held_world() -> World {
    let world = world_of(&["one", "two", "other"]);
    world
        .tenure
        .place_hold("order", of_accounts(&["one", "two"]), false, at("2025-09-10T00:00:00Z"))
        .unwrap();
    world.tenure.add_hold_reader("order", "counsel", at("2025-09-11T00:00:00Z")).unwrap();
    world
}

#[test]
fn a_reader_reads_what_the_hold_covers_and_nothing_else() {
    let world = held_world();
    let folder = out(&world, "read");
    let access = read(&world, "counsel", &HeldTarget::All, &folder).unwrap();
    assert_eq!((access.read, access.destroyed, access.leaves.len()), (2, 0, 2));
    let lines = index(&folder);
    assert_eq!(lines.len(), 2);
    for line in &lines {
        assert_eq!((line["state"].as_str(), line["class"].as_str()), (Some("read"), Some("content")));
        let body = fs::read_to_string(folder.join(line["file"].as_str().unwrap())).unwrap();
        assert!(body.contains("text 0 of c1") && body.contains("title of c1"), "{body}");
    }
    assert!(lines.iter().all(|line| line["account"] != "other"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&folder.join("index.jsonl"))), (0o700, 0o600));
    }
    // What it does not cover is refused by name, and nothing is stated or written.
    let before = world.tenure.figures().unwrap().statements;
    let other = first_record(&world, "other");
    let refused = read(&world, "counsel", &HeldTarget::Record(other), &out(&world, "other"));
    assert!(matches!(refused, Err(Error::Refused(_))));
    let nothing = read(&world, "counsel", &HeldTarget::Account("other".to_owned()), &out(&world, "nothing"));
    assert!(nothing.unwrap().leaves.is_empty());
    assert_eq!(world.tenure.figures().unwrap().statements, before);
    assert!(read(&world, "counsel", &HeldTarget::All, &folder).is_err(), "a folder is used once");
    assert_sound(&world);
}

#[test]
fn whoever_is_no_reader_of_this_hold_reads_nothing() {
    let world = held_world();
    world.tenure.place_hold("second", content(), true, at("2025-09-12T00:00:00Z")).unwrap();
    world.tenure.add_hold_reader("second", "auditor", at("2025-09-12T00:00:00Z")).unwrap();
    let before = world.tenure.figures().unwrap().statements;
    for reader in ["auditor", "nobody", "Counsel", ""] {
        let folder = out(&world, "refused");
        assert!(
            matches!(read(&world, reader, &HeldTarget::All, &folder), Err(Error::Refused(_))),
            "{reader}"
        );
        assert!(!folder.exists());
    }
    assert_eq!(world.tenure.figures().unwrap().statements, before);
    world.tenure.remove_hold_reader("order", "counsel", at("2025-09-13T00:00:00Z")).unwrap();
    assert!(read(&world, "counsel", &HeldTarget::All, &out(&world, "late")).is_err());
    assert!(world.tenure.remove_hold_reader("order", "counsel", at(NOW)).is_err());
    // Once the hold is released, nobody is added any more; whoever may read may go on with what lives.
    world.tenure.add_hold_reader("order", "counsel", at("2025-09-14T00:00:00Z")).unwrap();
    world.tenure.release_hold("order", at("2025-09-15T00:00:00Z")).unwrap();
    assert!(world.tenure.add_hold_reader("order", "clerk", at("2025-09-16T00:00:00Z")).is_err());
    assert_eq!(read(&world, "counsel", &HeldTarget::All, &out(&world, "after")).unwrap().read, 2);
    assert_sound(&world);
}

#[test]
fn the_ledger_states_an_access_before_anything_is_read() {
    for fault in [Fault::Lost, Fault::DoneButFailed] {
        let (world, faults) = with_faults(held_world());
        let folder = out(&world, "read");
        faults.arm(0, fault);
        assert!(read(&world, "counsel", &HeldTarget::All, &folder).is_err());
        faults.disarm();
        // Whatever became of the commit that failed, nothing was written.
        assert_eq!(index(&folder).len(), 0);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        assert!(!contains(&folder, "text 0"));
        assert_sound(&world);
    }
}

#[test]
fn each_access_is_proved_by_its_items_and_counted_in_the_list() {
    let world = held_world();
    let folder = out(&world, "read");
    let access = read(&world, "counsel", &HeldTarget::Account("one".to_owned()), &folder).unwrap();
    let stated = world.tenure.operator_statements(&["hold_read"]).unwrap();
    assert_eq!(stated.iter().map(|stated| stated.leaf).collect::<Vec<_>>(), access.leaves);
    let Statement::HoldRead { count, root, reader, .. } = &stated[0].statement else { panic!() };
    assert_eq!((*count, reader.as_str()), (1, "counsel"));
    let line = &index(&folder)[0];
    let hex = line["opening"].as_str().unwrap();
    let bytes: Vec<u8> = (0..32)
        .map(|place| u8::from_str_radix(hex.get(2 * place..2 * place + 2).unwrap(), 16).unwrap())
        .collect();
    let item = Item {
        opening: Opening(bytes.try_into().unwrap()),
        record: line["record"].as_str().unwrap().to_owned(),
        class: line["class"].as_str().unwrap().to_owned(),
    };
    assert_eq!(root_of(&[item.blind()]), root.0);
    let readers = world.tenure.hold_readers("order").unwrap();
    assert_eq!((readers[0].accesses, readers[0].records, readers[0].until), (1, 1, None));
}

#[test]
fn what_was_destroyed_under_an_earlier_version_is_listed_as_such() {
    let world = world_of(&["one", "two"]);
    world.tenure.place_hold("order", content(), true, at("2025-09-05T00:00:00Z")).unwrap();
    world.tenure.amend_hold("order", of_accounts(&["one"]), None, at("2025-09-06T00:00:00Z")).unwrap();
    world.sweep(at("2025-12-01T00:00:00Z"));
    let now = at("2025-12-02T00:00:00Z");
    world.tenure.add_hold_reader("order", "counsel", now).unwrap();
    let folder = out(&world, "read");
    let access =
        world.tenure.read_held(("order", "counsel"), &HeldTarget::All, &folder, now, &mut |_| {}).unwrap();
    assert_eq!((access.read, access.destroyed), (1, 1));
    let gone = index(&folder).into_iter().find(|line| line["account"] == "two").unwrap();
    assert!(gone["gone_at"].is_string() && gone["file"].is_null() && gone["opening"].is_null());
    assert_eq!(gone["versions"], serde_json::json!([1]));
    assert_sound(&world);
}

#[test]
fn what_only_a_hold_keeps_is_in_no_run_and_opens_for_no_one_else() {
    let world = world_of(&["one"]);
    world.decide("one", Choice::On, at("2025-09-01T12:00:00Z"));
    let said = conversation("one", "c2", "pro", &["2025-09-02T00:00:00Z"]);
    world.import(vec![said], at("2025-09-02T00:01:00Z"));
    let both =
        HoldScope { classes: ["history", "content", "training"].map(str::to_owned).to_vec(), ..content() };
    let classes = world.tenure.policies().unwrap();
    let known = |class: &String| {
        classes.lineages().iter().any(|lineage| {
            lineage.versions().any(|(_, version)| version.classes().any(|of| of == class.as_str()))
        })
    };
    let both = HoldScope { classes: both.classes.into_iter().filter(known).collect(), ..both };
    world.tenure.place_hold("order", both, true, at("2025-09-10T00:00:00Z")).unwrap();
    for record in world.tenure.records("one", 10).unwrap() {
        // Each is a conversation of its own.
        world.tenure.delete(Deletion::ConversationOf(record.id), at("2025-09-11T00:00:00Z")).unwrap();
    }
    let now = at("2026-09-12T00:00:00Z");
    world.sweep(now);
    assert!(!world.live("one").is_empty(), "the hold keeps them");
    let folder = out(&world, "run");
    let run = world.tenure.open_run("train", &folder, Rows::Jsonl, now, &mut |_| {});
    assert!(!contains(&folder, "text 0"), "{}", run.is_ok());
    let told = world.tenure.explain(first_record(&world, "one"), now).unwrap();
    assert!(told.uses.iter().all(|of| !of.allowed));
    assert!(!serde_json::to_string(&told).unwrap().contains("text 0"));
    assert_sound(&world);
}

#[test]
fn whatever_is_done_to_the_readers_or_to_what_they_read_is_found() {
    let world = held_world();
    read(&world, "counsel", &HeldTarget::All, &out(&world, "read")).unwrap();
    world.tenure.publish_checkpoint(at(NOW)).unwrap();
    assert_sound(&world);
    let database = Connection::open(world.folder.path().join("data/tenure.db")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER hold_readers_are_only_ended; DROP TRIGGER hold_readers_never_go;
             DROP TRIGGER hold_reads_never_change; DROP TRIGGER hold_reads_never_go;
             CREATE TEMP TABLE readers AS SELECT * FROM hold_readers;
             CREATE TEMP TABLE reads AS SELECT * FROM hold_reads",
        )
        .unwrap();
    let changes = [
        "DELETE FROM hold_readers",
        "UPDATE hold_readers SET reader = 'clerk'",
        "UPDATE hold_readers SET until = since + 1",
        "UPDATE hold_readers SET since = since - 1",
        "DELETE FROM hold_reads WHERE place = 0",
        "UPDATE hold_reads SET class = (SELECT min(id) FROM classes WHERE id <> hold_reads.class)",
    ];
    for change in changes {
        assert!(database.execute(change, []).unwrap() > 0, "{change}");
        let verified = world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap();
        assert!(!verified.is_sound(), "{change}");
        database
            .execute_batch(
                "DELETE FROM hold_readers; INSERT INTO hold_readers SELECT * FROM readers;
                 DELETE FROM hold_reads; INSERT INTO hold_reads SELECT * FROM reads",
            )
            .unwrap();
    }
    assert_sound(&world);
}
