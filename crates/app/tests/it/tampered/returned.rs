//! A fact that was destroyed may become known again: it leaves the batch with which it went, and the evidence
//! of that destruction stays what it was.

use tenure_app::{Scan, Verification};
use tenure_model::Instant;
use tenure_receipts::Receipt;
use tenure_store::{RecordId, StoreError, StoreExt as _};

use super::{Log, found};
use crate::world::{World, at, conversation};

/// A world in which the scores of two flagged records were destroyed together, and the records.
fn scored() -> (World, [RecordId; 2]) {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let conversations = ["c1", "c2"].map(|id| conversation("a1", id, "pro", &["2025-10-10T00:00:00Z"]));
    world.import(conversations.into(), at("2025-10-10T01:00:00Z"));
    let key = world.tenure.account("a1").unwrap().key;
    let records = world
        .store
        .read(|tx| Ok::<_, StoreError>([0, 1].map(|nth| tx.records_of(key, None, 2).unwrap()[nth].id)))
        .unwrap();
    for record in records {
        world.tenure.scan(record, Scan::Flagged, at("2025-10-11T00:00:00Z")).unwrap();
    }
    assert_eq!(live_scores(&world), 2);
    sweep_through(&world, 2026..=2033);
    assert_eq!(live_scores(&world), 0);
    (world, records)
}

fn live_scores(world: &World) -> usize {
    world.live("a1").iter().filter(|class| *class == "scores").count()
}

fn sweep_through(world: &World, years: std::ops::RangeInclusive<i32>) {
    for year in years {
        world.sweep(at(&format!("{year}-01-01T00:00:00Z")));
    }
}

fn flag_again(world: &World, record: RecordId) {
    world.tenure.scan(record, Scan::Clear, at("2033-01-02T00:00:00Z")).unwrap();
    world.tenure.scan(record, Scan::Flagged, at("2033-01-03T00:00:00Z")).unwrap();
    assert_eq!(live_scores(world), 1);
}

fn verified(world: &World) -> Verification {
    world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap()
}

/// The receipt for the destruction of a record's scores, which verifies.
fn receipt(world: &World, record: RecordId, now: Instant) -> Receipt {
    let receipt = world.tenure.receipt_of_destruction(record, "scores", now).unwrap();
    let keys = world.tenure.log_keys();
    let keys: Vec<_> = keys.iter().map(|key| tenure_tlog::crypto::verifier(&key.key).unwrap()).collect();
    let keys: Vec<_> = keys.iter().map(|key| &**key as _).collect();
    receipt.verify(&"tenure.example/test".parse().unwrap(), &keys).unwrap();
    assert_eq!(receipt.item().unwrap().item.record, record.to_string());
    receipt
}

#[test]
fn a_fact_that_returns_leaves_the_evidence_of_its_batch_as_it_was() {
    let (world, [returning, other]) = scored();
    let now = at("2033-01-04T00:00:00Z");
    let before = [returning, other].map(|record| receipt(&world, record, now));
    assert_eq!(before[0].proof().index, before[1].proof().index, "one statement is about both");
    flag_again(&world, returning);
    assert_eq!(verified(&world).faults, []);
    for (record, before) in [returning, other].into_iter().zip(&before) {
        let after = receipt(&world, record, now);
        assert_eq!((after.statement(), after.item()), (before.statement(), before.item()));
    }
    sweep_through(&world, 2034..=2041);
    assert_eq!(live_scores(&world), 0);
    assert_eq!(verified(&world).faults, []);
    let later = at("2041-01-02T00:00:00Z");
    let (again, still) = (receipt(&world, returning, later), receipt(&world, other, later));
    assert!(again.proof().index > before[0].proof().index, "the newest destruction has its own statement");
    assert_ne!(again.item().unwrap().item.opening, before[0].item().unwrap().item.opening);
    assert_eq!((still.statement(), still.item()), (before[1].statement(), before[1].item()));
    world.integrity();
}

#[test]
fn whatever_is_done_to_what_was_destroyed_is_found() {
    let (world, [returning, _]) = scored();
    flag_again(&world, returning);
    let log = Log::of(world);
    assert!(found(&log.after(|_| ())).is_empty());
    let revived = "UPDATE copies SET (state, batch, due_at, cause, sealed_at, shredded_at, removed_at, verified_at) =
        (0, NULL, NULL, NULL, NULL, NULL, NULL, NULL) WHERE state = 5 AND class <> (SELECT id FROM classes WHERE name = 'scores')";
    let shredded = "UPDATE copies SET (state, batch, due_at, cause, sealed_at, shredded_at, page, wrap) =
        (3, (SELECT max(batch) FROM destroyed), 1, 'time', 1, 1, NULL, NULL) WHERE state = 0";
    for (what, sql) in [
        ("an item that goes", "DELETE FROM destroyed WHERE place = 0"),
        ("all items", "DELETE FROM destroyed"),
        ("an item's record", "UPDATE destroyed SET record = zeroblob(16) WHERE place = 0"),
        ("an item's class", "UPDATE destroyed SET class = class + 10 WHERE place = 0"),
        ("the order of items", "UPDATE destroyed SET place = 1000 - place"),
        ("an item of another batch", "UPDATE destroyed SET (batch, place) = (99, batch * 10 + place)"),
        (
            "an item that was never stated",
            "INSERT INTO destroyed SELECT batch, 99, account, zeroblob(16), class FROM destroyed LIMIT 1",
        ),
        ("a live copy that is called destroyed", shredded),
        ("a copy that is called destroyed by nothing", "UPDATE copies SET batch = 99 WHERE state = 5"),
        ("a body's copy that lives again", revived),
    ] {
        let verified = log.after(|database| {
            assert!(database.execute(sql, []).unwrap() > 0, "{what}");
        });
        let found = found(&verified);
        println!("{what:>42}: {found:?}");
        assert!(found.contains("unstated"), "{what}: {found:?}");
    }
}
