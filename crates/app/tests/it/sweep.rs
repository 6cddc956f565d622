//! Copies go when their basis ends, not before, and nothing else goes with them.

use tenure_app::{Deletion, HoldScope, Scan};
use tenure_model::{Choice, Regime};
use tenure_store::{CopyStage, ReadTx, RecordId, StoreExt as _};

use crate::world::{World, at, contains, conversation};

fn first_record(world: &World, account: &str) -> RecordId {
    let key = world.tenure.account(account).unwrap().key;
    let read = |tx: &mut dyn ReadTx| Ok::<_, tenure_store::StoreError>(tx.records_of(key, None, 1)?[0].id);
    world.store.read(read).unwrap()
}

#[test]
fn a_chat_of_someone_who_said_nothing_leaves_the_back_end_after_thirty_days() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let ingested = world.import(
        vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z", "2025-09-01T10:01:00Z"])],
        at("2025-09-01T10:02:00Z"),
    );
    assert_eq!((ingested.conversations, ingested.records, ingested.messages), (1, 1, 2));
    assert_eq!(world.live("a1"), ["content", "history"]);

    assert_eq!(world.sweep(at("2025-10-01T10:00:59Z")).total(), 0);
    let swept = world.sweep(at("2025-10-01T10:01:00Z"));
    assert_eq!(swept.total(), 1);
    assert_eq!(world.live("a1"), ["history"]);
    assert_eq!(world.copies("a1", |stage| stage == CopyStage::Verified), ["content"]);
    world.integrity();
    // What is done is done once.
    assert_eq!(world.sweep(at("2025-10-02T00:00:00Z")), tenure_app::Swept::default());
}

#[test]
fn what_was_allowed_stays_five_years_and_withdrawing_shortens_it() {
    let world = World::new();
    for account in ["yes", "changed"] {
        world.open_account(account, at("2025-08-01T00:00:00Z"));
        world.decide(account, Choice::On, at("2025-08-30T00:00:00Z"));
        world.import(
            vec![conversation(account, "c1", "pro", &["2025-09-01T10:00:00Z"])],
            at("2025-09-01T10:02:00Z"),
        );
    }
    assert_eq!(world.sweep(at("2026-09-01T00:00:00Z")).total(), 0);
    world.decide("changed", Choice::Off, at("2026-09-02T00:00:00Z"));
    let swept = world.sweep(at("2026-10-01T23:59:59Z"));
    assert_eq!((swept.total(), swept.refiled_accounts), (0, 1));
    assert_eq!(world.sweep(at("2026-10-02T00:00:00Z")).total(), 1);
    assert_eq!(world.live("changed"), ["history"]);
    assert_eq!(world.live("yes"), ["content", "history"]);
    assert_eq!(world.sweep(at("2030-09-01T10:00:00Z")).total(), 1);
    world.integrity();
}

#[test]
fn a_hold_keeps_what_is_past_its_term_and_its_release_gives_grace() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T10:02:00Z"));
    let scope = HoldScope {
        classes: vec!["content".to_owned()],
        regimes: Some(vec![Regime::Consumer]),
        ..HoldScope::default()
    };
    world.tenure.place_hold("order", scope, true, at("2025-09-10T00:00:00Z")).unwrap();
    let swept = world.sweep(at("2025-12-01T00:00:00Z"));
    assert_eq!((swept.total(), swept.held), (0, 1));
    // It is filed under the hold, so the next sweep does not even look at it.
    assert_eq!(world.sweep(at("2026-01-01T00:00:00Z")).examined, 0);
    world.tenure.release_hold("order", at("2026-02-01T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2026-02-02T00:00:00Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-03-02T23:59:59Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-03-03T00:00:00Z")).total(), 1);
    assert_eq!(world.live("a1"), ["history"]);
    world.integrity();
}

#[test]
fn deletion_takes_history_at_once_and_the_back_end_after_thirty_days() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T10:02:00Z"));
    let record = first_record(&world, "a1");
    assert_eq!(world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-05T00:00:00Z")).unwrap(), 1);
    world.sweep(at("2025-09-05T00:00:00Z"));
    assert_eq!(world.live("a1"), ["content"]);
    world.sweep(at("2025-10-05T00:00:00Z"));
    assert_eq!(world.live("a1"), Vec::<String>::new());
    // The last copy took the body with it, and the pack in which nothing else lived.
    assert_eq!(
        std::fs::read_dir(world.folder.path().join("data/packs"))
            .unwrap()
            .filter(|entry| { entry.as_ref().unwrap().path().extension().is_some() })
            .count(),
        0
    );
    world.integrity();
    // The same file again brings nothing back.
    let again = world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-10-06T00:00:00Z"));
    assert_eq!((again.unchanged, again.messages), (1, 0));
}

#[test]
fn a_flag_keeps_content_two_years_and_scores_seven() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T10:02:00Z"));
    let record = first_record(&world, "a1");
    world.tenure.scan(record, Scan::Flagged, at("2025-09-02T00:00:00Z")).unwrap();
    assert_eq!(world.live("a1"), ["content", "history", "scores"]);
    world.sweep(at("2027-09-01T23:59:59Z"));
    assert_eq!(world.live("a1"), ["content", "history", "scores"]);
    world.sweep(at("2027-09-02T00:00:00Z"));
    assert_eq!(world.live("a1"), ["history", "scores"]);
    world.sweep(at("2032-09-02T00:00:00Z"));
    assert_eq!(world.live("a1"), ["history"]);
    world.integrity();
}

#[test]
fn survivors_of_a_page_that_goes_early_still_open_after_a_restart() {
    let world = World::new();
    for account in ["a1", "a2", "a3"] {
        world.open_account(account, at("2025-08-01T00:00:00Z"));
        world.import(
            vec![conversation(account, "c1", "pro", &["2025-09-01T10:00:00Z"])],
            at("2025-09-01T10:02:00Z"),
        );
    }
    let record = first_record(&world, "a2");
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-05T00:00:00Z")).unwrap();
    let swept = world.sweep(at("2025-09-05T00:00:00Z"));
    assert_eq!((swept.total(), swept.rewrapped, swept.pages), (1, 2, 1));
    let world = world.reopened();
    // Going on needs the body's key, so the survivor's wrap must open on its new page.
    let resumed = world.import(
        vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z", "2025-09-06T10:00:00Z"])],
        at("2025-09-06T10:00:01Z"),
    );
    assert_eq!((resumed.resumed, resumed.records, resumed.messages), (1, 0, 1));
    world.integrity();
}

#[test]
fn no_plaintext_lies_in_any_file() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T10:02:00Z"));
    let world = world.reopened();
    assert!(!contains(world.folder.path(), "text 0 of c1"));
    assert!(!contains(world.folder.path(), "title of c1"));
    // The search does find what is there.
    assert!(contains(world.folder.path(), "c1-0"));
}

#[test]
fn zero_retention_is_refused_at_the_door() {
    let world = World::new();
    let ingested = world.import(
        vec![conversation("a1", "c1", "api-zdr", &["2025-09-01T10:00:00Z"])],
        at("2025-09-01T10:02:00Z"),
    );
    assert_eq!(ingested.conversations, 0);
    assert_eq!(ingested.refused_conversations.values().sum::<u64>(), 1);
}
