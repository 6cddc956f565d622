//! What is held is not destroyed, what is released goes when its grace ends, and every version of a hold counts.

mod order;
mod orders;
mod reading;
mod told;

use std::sync::Arc;

use rusqlite::Connection;
use tenure_app::{Deletion, Error, Falls, HoldScope, Previewing};
use tenure_model::Regime;
use tenure_store::faults::{Fault, Faults};
use tenure_store::{BatchStage, CopyStage, ReadTx, RecordId, SqliteStore, Store, StoreExt as _};
use tenure_vault::Vault;

use crate::auditor::opened;
use crate::world::{World, at, conversation};

fn content() -> HoldScope {
    HoldScope { classes: vec!["content".to_owned()], ..HoldScope::default() }
}

fn of_accounts(accounts: &[&str]) -> HoldScope {
    HoldScope { accounts: Some(accounts.iter().map(|account| (*account).to_owned()).collect()), ..content() }
}

/// A preview of which nobody watches the progress.
fn quietly() -> Previewing<'static> {
    Previewing { limit: 10, progress: Box::leak(Box::new(|_| {})) }
}

/// Accounts of which each said one thing on 1 September: its content is due on 1 October.
fn world_of(accounts: &[&str]) -> World {
    let world = World::new();
    for account in accounts {
        world.open_account(account, at("2025-08-01T00:00:00Z"));
        let said = conversation(account, "c1", "pro", &["2025-09-01T00:00:00Z"]);
        world.import(vec![said], at("2025-09-01T00:01:00Z"));
    }
    world
}

fn first_record(world: &World, account: &str) -> RecordId {
    let key = world.tenure.account(account).unwrap().key;
    let read = |tx: &mut dyn ReadTx| Ok::<_, tenure_store::StoreError>(tx.records_of(key, None, 1)?[0].id);
    world.store.read(read).unwrap()
}

fn assert_sound(world: &World) {
    world.integrity();
    let verified = world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap();
    assert!(verified.is_sound(), "{:?}", verified.faults);
}

#[test]
fn what_an_amendment_leaves_out_has_its_grace_and_what_it_keeps_is_held_without_a_gap() {
    let world = world_of(&["both", "left"]);
    world.tenure.place_hold("order", content(), true, at("2025-09-10T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2025-12-01T00:00:00Z")).held, 2);
    let amended = at("2026-02-01T00:00:00Z");
    world.tenure.amend_hold("order", of_accounts(&["both"]), None, amended).unwrap();
    // Judged at the instant itself, one is held and the other has all of its grace.
    let due = |account: &str| {
        let inventory = world.tenure.inventory(amended).unwrap();
        let copy = inventory.into_iter().find(|copy| copy.account == account && copy.class == "content");
        copy.map(|copy| (copy.held, copy.due_at)).unwrap()
    };
    assert_eq!(due("both"), (true, None));
    assert_eq!(due("left"), (false, Some(at("2026-03-03T00:00:00Z"))));
    assert_eq!(world.sweep(amended).total(), 0);
    assert_eq!(world.sweep(at("2026-03-02T23:59:59Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-03-03T00:00:00Z")).total(), 1);
    assert_eq!((world.live("left"), world.live("both").len()), (vec!["history".to_owned()], 2));
    // Its own grace begins when the hold ends, not when it was amended.
    world.tenure.release_hold("order", at("2026-06-01T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-06-30T23:59:59Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-07-01T00:00:00Z")).total(), 1);
    assert_sound(&world);
}

#[test]
fn what_an_amendment_takes_in_is_held_at_once() {
    let world = world_of(&["a1", "a2"]);
    world.tenure.place_hold("order", of_accounts(&["a1"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    // The instant at which the content of the other is due.
    let due = at("2025-10-01T00:00:00Z");
    world.tenure.amend_hold("order", of_accounts(&["a1", "a2"]), None, due).unwrap();
    let swept = world.sweep(due);
    assert_eq!((swept.total(), swept.held), (0, 2));
    assert_eq!(world.sweep(at("2027-01-01T00:00:00Z")).total(), 0);
    assert_sound(&world);
}

#[test]
fn a_class_that_is_left_out_goes_and_the_other_stays() {
    let world = world_of(&["a1"]);
    let classes = ["history", "content"].map(str::to_owned).to_vec();
    let scope = HoldScope { classes, ..HoldScope::default() };
    world.tenure.place_hold("order", scope, true, at("2025-09-10T00:00:00Z")).unwrap();
    let record = first_record(&world, "a1");
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-20T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-01-01T00:00:00Z")).total(), 0);
    world.tenure.amend_hold("order", content(), None, at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-03-02T00:00:00Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-03-03T00:00:00Z")).total(), 1);
    assert_eq!(world.live("a1"), ["content"]);
    assert_sound(&world);
}

#[test]
fn an_amendment_takes_nothing_from_what_another_hold_or_an_earlier_grace_keeps() {
    let world = world_of(&["held", "grace"]);
    world.tenure.place_hold("one", content(), true, at("2025-09-10T00:00:00Z")).unwrap();
    world.tenure.place_hold("two", of_accounts(&["held"]), true, at("2025-09-11T00:00:00Z")).unwrap();
    world.tenure.place_hold("three", of_accounts(&["grace"]), true, at("2025-09-11T00:00:00Z")).unwrap();
    world.sweep(at("2025-12-01T00:00:00Z"));
    // The first hold lets go of both, and then the third of one.
    let nobody = HoldScope { countries: Some(vec!["FR".to_owned()]), ..content() };
    world.tenure.amend_hold("one", nobody.clone(), None, at("2026-01-01T00:00:00Z")).unwrap();
    world.tenure.release_hold("three", at("2026-01-20T00:00:00Z")).unwrap();
    let nowhere = HoldScope { countries: Some(vec!["IT".to_owned()]), ..nobody };
    world.tenure.amend_hold("one", nowhere, None, at("2026-01-25T00:00:00Z")).unwrap();
    for now in ["2026-01-26T00:00:00Z", "2026-02-18T23:59:59Z"] {
        assert_eq!(world.sweep(at(now)).total(), 0, "{now}");
    }
    assert_eq!(world.sweep(at("2026-02-19T00:00:00Z")).total(), 1);
    assert_eq!(world.live("held"), ["content", "history"]);
    assert_sound(&world);
}

#[test]
fn what_leaves_a_hold_and_comes_back_in_its_grace_is_held_again() {
    let world = world_of(&["a1", "a2"]);
    world.tenure.place_hold("order", content(), true, at("2025-09-10T00:00:00Z")).unwrap();
    world.sweep(at("2025-12-01T00:00:00Z"));
    world.tenure.amend_hold("order", of_accounts(&["a2"]), None, at("2026-01-01T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-01-02T00:00:00Z")).total(), 0);
    world.tenure.amend_hold("order", content(), None, at("2026-01-20T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-06-01T00:00:00Z")).total(), 0);
    world.tenure.release_hold("order", at("2026-06-02T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-07-01T23:59:59Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-07-02T00:00:00Z")).total(), 2);
    assert_sound(&world);
}

#[test]
fn an_amendment_that_would_hold_nothing_or_change_nothing_is_refused() {
    let world = world_of(&["a1"]);
    let placed = at("2025-09-10T00:00:00Z");
    let now = at("2025-09-11T00:00:00Z");
    world.tenure.place_hold("order", content(), true, placed).unwrap();
    let before = world.tenure.holds().unwrap();
    let amend = |id: &str, scope, now| world.tenure.amend_hold(id, scope, None, now);
    assert!(matches!(amend("other", content(), now), Err(Error::UnknownHold)));
    assert!(matches!(amend("order", of_accounts(&["nobody"]), now), Err(Error::UnknownAccount)));
    let refused = [
        content(),
        HoldScope::default(),
        HoldScope { regimes: Some(vec![Regime::Zero]), ..content() },
        HoldScope { classes: vec!["contents".to_owned()], ..HoldScope::default() },
    ];
    for scope in refused {
        assert!(matches!(amend("order", scope, now), Err(Error::Refused(_))));
    }
    let early = amend("order", of_accounts(&["a1"]), at("2025-09-09T00:00:00Z"));
    assert!(matches!(early, Err(Error::Refused(_))));
    assert_eq!(world.tenure.holds().unwrap(), before);
    // The same scope may be told of from now on, or no longer.
    world.tenure.amend_hold("order", content(), Some(false), now).unwrap();
    world.tenure.release_hold("order", now).unwrap();
    assert!(matches!(amend("order", of_accounts(&["a1"]), now), Err(Error::UnknownHold)));
    let hold = world.tenure.hold("order").unwrap();
    assert_eq!(
        (hold.version, hold.may_tell, hold.placed_at, hold.released_at),
        (2, false, placed, Some(now))
    );
    assert_eq!((hold.versions[0].may_tell, hold.versions[0].until), (true, Some(now)));
    assert_sound(&world);
}

/// The same world, with a store whose commits can be made to fail.
fn with_faults(world: World) -> (World, Faults) {
    let World { folder, store, tenure } = world;
    drop((store, tenure));
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    let faults = Faults::default();
    let store = SqliteStore::open_with_faults(&data.join("tenure.db"), faults.clone()).unwrap();
    let store: Arc<dyn Store> = Arc::new(store);
    let vault = Vault::open(&data, &keys).unwrap();
    let tenure = opened(folder.path(), Arc::clone(&store), vault, 5);
    (World { folder, store, tenure }, faults)
}

/// The copy that a sweep was destroying when it was cut short, and how far it had come.
fn cut_short(world: &World) -> Option<BatchStage> {
    world.store.read(|tx| tx.unfinished_batches()).unwrap().first().map(|batch| batch.stage)
}

#[test]
fn an_amendment_wins_against_a_destruction_until_the_point_of_no_return() {
    let due = at("2025-10-02T00:00:00Z");
    let (mut saved, mut too_late) = (Vec::new(), 0);
    for commits in 0.. {
        let world = world_of(&["held", "due"]);
        world.tenure.place_hold("order", of_accounts(&["held"]), true, at("2025-09-10T00:00:00Z")).unwrap();
        let (world, faults) = with_faults(world);
        faults.arm(commits, Fault::Lost);
        let options = tenure_app::SweepOptions::everything(due);
        let swept = world.tenure.sweep(due, options, &mut |_| {});
        if faults.is_armed() {
            break;
        }
        faults.disarm();
        let stage = cut_short(&world);
        world.tenure.amend_hold("order", of_accounts(&["held", "due"]), None, due).unwrap();
        world.sweep(due);
        world.sweep(at("2026-10-02T00:00:00Z"));
        let is_live = world.live("due") == ["content", "history"];
        match stage {
            None if swept.is_err() && is_live => saved.push("before"),
            Some(BatchStage::Gathering) if is_live => saved.push("gathered"),
            Some(BatchStage::Sealed { .. }) if is_live => saved.push("sealed"),
            _ => {
                // It was gone, or as good as gone, when the amendment came: then it is, and the ledger says so.
                assert!(
                    !matches!(stage, Some(BatchStage::Gathering | BatchStage::Sealed { .. })),
                    "destroyed under a hold after {commits} commits"
                );
                let gone = world.copies("due", |stage| stage >= CopyStage::Shredded);
                assert_eq!(gone, ["content"], "after {commits} commits, {stage:?}");
                too_late += 1;
            }
        }
        assert_eq!(world.live("held"), ["content", "history"]);
        assert_sound(&world);
    }
    assert!(saved.contains(&"gathered") && saved.contains(&"sealed"), "{saved:?}");
    assert!(too_late > 0);
}

#[test]
fn a_preview_says_what_a_hold_would_cover_and_what_would_be_due_without_it() {
    let world = world_of(&["silent", "deleted", "left"]);
    let record = first_record(&world, "deleted");
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-02T00:00:00Z")).unwrap();
    world.sweep(at("2025-09-02T00:00:00Z"));
    let now = at("2025-09-10T00:00:00Z");
    let classes = ["history", "content"].map(str::to_owned).to_vec();
    let all = HoldScope { classes, ..HoldScope::default() };
    let before = world.tenure.figures().unwrap();
    let preview = world.tenure.preview_hold("order", &all, now, quietly()).unwrap();
    assert_eq!(world.tenure.figures().unwrap(), before);
    assert!(world.tenure.holds().unwrap().is_empty());
    assert_eq!((preview.covered.accounts, preview.covered.records), (3, 3));
    assert!(preview.covered.bytes > 0 && preview.left_out.is_none());
    let falls = |class: &str| preview.covered.classes[class];
    assert_eq!(falls("content"), Falls { copies: 3, within_30_days: 3, ..Falls::default() });
    assert_eq!(falls("history"), Falls { copies: 2, never: 2, ..Falls::default() });
    // A hold of what people deleted covers one record, and a window may cover none.
    let deleted = HoldScope { deleted_only: true, ..content() };
    assert_eq!(world.tenure.preview_hold("order", &deleted, now, quietly()).unwrap().covered.records, 1);
    let window = HoldScope { created_from: Some(now), ..content() };
    assert_eq!(world.tenure.preview_hold("order", &window, now, quietly()).unwrap().covered.records, 0);

    world.tenure.place_hold("order", all.clone(), true, now).unwrap();
    assert!(world.tenure.preview_hold("order", &all, now, quietly()).is_err());
    world.sweep(at("2026-01-01T00:00:00Z"));
    let narrower = HoldScope { accounts: of_accounts(&["silent", "deleted"]).accounts, ..all };
    let then = at("2026-01-02T00:00:00Z");
    let preview = world.tenure.preview_amendment("order", &narrower, then, quietly()).unwrap();
    assert_eq!((preview.covered.accounts, preview.covered.classes["content"].copies), (2, 2));
    let left_out = preview.left_out.unwrap();
    assert_eq!(left_out.accounts, 1);
    assert_eq!(left_out.classes["content"], Falls { copies: 1, within_30_days: 1, ..Falls::default() });
    assert_eq!(left_out.classes["history"], Falls { copies: 1, never: 1, ..Falls::default() });
    assert_eq!(world.tenure.hold("order").unwrap().version, 1);
    // What the preview said is what comes of it.
    world.tenure.amend_hold("order", narrower, None, then).unwrap();
    assert_eq!(world.sweep(at("2026-02-01T00:00:00Z")).total(), 1);
    assert_sound(&world);
}

#[test]
fn whatever_is_done_to_a_version_of_a_hold_is_found() {
    let world = world_of(&["a1"]);
    world.tenure.place_hold("order", content(), true, at("2025-09-10T00:00:00Z")).unwrap();
    world.tenure.amend_hold("order", of_accounts(&["a1"]), None, at("2025-09-20T00:00:00Z")).unwrap();
    world.tenure.release_hold("order", at("2025-09-30T00:00:00Z")).unwrap();
    world.tenure.publish_checkpoint(at("2025-09-30T00:00:00Z")).unwrap();
    assert_sound(&world);
    let database = Connection::open(world.folder.path().join("data/tenure.db")).unwrap();
    database
        .execute_batch(
            "DROP TRIGGER holds_are_only_released; DROP TRIGGER holds_never_go;
             CREATE TEMP TABLE kept AS SELECT * FROM holds",
        )
        .unwrap();
    let changes = [
        "DELETE FROM holds WHERE version = 1",
        "DELETE FROM holds WHERE version = 2",
        "UPDATE holds SET scope = (SELECT scope FROM kept WHERE version = 2) WHERE version = 1",
        "UPDATE holds SET scope = (SELECT scope FROM kept WHERE version = 1) WHERE version = 2",
        "UPDATE holds SET released_at = released_at + 1 WHERE version = 1",
        "UPDATE holds SET released_at = NULL WHERE version = 1",
        "UPDATE holds SET placed_at = placed_at + 1 WHERE version = 2",
        "UPDATE holds SET version = version + 1 WHERE version = 2",
    ];
    for change in changes {
        assert_eq!(database.execute(change, []).unwrap(), 1, "{change}");
        let verified = world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap();
        assert!(!verified.is_sound(), "{change}");
        database.execute_batch("DELETE FROM holds; INSERT INTO holds SELECT * FROM kept").unwrap();
    }
    assert_sound(&world);
}
