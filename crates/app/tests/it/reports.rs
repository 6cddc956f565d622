//! Reports say what was destroyed in time and what is late, and certificates what became of each copy.

use tenure_app::reports::{Certificate, ErasureReport, Fated, Of};
use tenure_app::{Deletion, HoldScope, Scan, SweepOptions};
use tenure_model::Instant;
use tenure_receipts::{Proven, Receipt, Stated, Unproven};
use tenure_store::{CopyStage, ReadTx, RecordId, StoreExt as _};
use tenure_tlog::crypto::verifier;
use tenure_tlog::note::Verifier;

use crate::world::{World, at, conversation};

const OPENED: &str = "2025-08-01T00:00:00Z";
/// When a chat of these tests leaves the back end: thirty days after its only message.
const DUE: &str = "2025-10-01T10:00:00Z";

/// A world with one conversation of each of these accounts, all in one pack.
fn world_of(accounts: &[&str]) -> World {
    let world = World::new();
    for account in accounts {
        world.open_account(account, at(OPENED));
    }
    let conversations =
        accounts.iter().map(|account| conversation(account, "c1", "pro", &["2025-09-01T10:00:00Z"]));
    world.import(conversations.collect(), at("2025-09-01T10:02:00Z"));
    world
}

fn record(world: &World, account: &str) -> RecordId {
    let key = world.tenure.account(account).unwrap().key;
    let read = |tx: &mut dyn ReadTx| Ok::<_, tenure_store::StoreError>(tx.records_of(key, None, 1)?[0].id);
    world.store.read(read).unwrap()
}

fn report(world: &World, now: &str) -> ErasureReport {
    world.tenure.erasure_report(Instant::MIN, Instant::MAX, at(now)).unwrap()
}

fn certificate(world: &World, account: &str, now: &str) -> Certificate {
    let of = Of::Account(account.to_owned());
    let certificate = world.tenure.certificate(&of, None, at(now)).unwrap();
    // What is written is what is read.
    let text = serde_json::to_string(&certificate).unwrap();
    assert_eq!(serde_json::from_str::<Certificate>(&text).unwrap(), certificate);
    certificate
}

fn fate<'c>(certificate: &'c Certificate, class: &str) -> &'c Fated {
    &certificate.copies.iter().find(|copy| copy.class == class).unwrap().fate
}

fn verify<'r>(world: &World, receipt: &'r Receipt) -> Result<Proven<'r>, Unproven> {
    let keys: Vec<_> = world.tenure.log_keys().iter().map(|key| verifier(&key.key).unwrap()).collect();
    let keys: Vec<&dyn Verifier> = keys.iter().map(|key| &**key as &dyn Verifier).collect();
    receipt.verify(&"tenure.example/test".parse().unwrap(), &keys)
}

/// Verifies every receipt of a certificate, and gives the stages of each destroyed copy.
fn proved(world: &World, certificate: &Certificate) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for copy in &certificate.copies {
        let Fated::Destroyed { stages, .. } = &copy.fate else { continue };
        let mut names = Vec::new();
        for stage in stages {
            let receipt = certificate.receipt_of(copy, stage.leaf.unwrap()).unwrap().unwrap();
            let proven = verify(world, &receipt).unwrap();
            assert_eq!(proven.stated.statement.kind(), format!("copies_{}", stage.stage));
            assert_eq!((proven.stated.at, Some(proven.index)), (stage.at, stage.leaf));
            let item = &proven.item.unwrap().item;
            assert_eq!((&item.record, &item.class), (&copy.record, &copy.class));
            names.push(stage.stage.clone());
        }
        found.push((copy.class.clone(), names));
    }
    found
}

#[test]
fn what_is_verified_within_the_time_for_erasure_is_on_time_and_the_rest_is_late() {
    let world = world_of(&["a1"]);
    world.sweep(at("2025-10-01T13:00:00Z"));
    let told = report(&world, "2025-10-02T00:00:00Z");
    assert_eq!((told.verified.copies, told.verified.on_time, told.verified.late), (1, 1, 0));
    assert_eq!(
        (told.verified.p50, told.verified.p99, told.verified.worst),
        (3 * 3_600, 3 * 3_600, 3 * 3_600)
    );
    assert_eq!((told.kinds[0].class.as_str(), told.kinds[0].surface.as_str()), ("content", "pro"));
    assert_eq!(told.overdue.copies, 0);

    world.open_account("a2", at(OPENED));
    world.import(
        vec![conversation("a2", "c2", "free", &["2025-10-01T10:00:00Z"])],
        at("2025-10-02T00:00:00Z"),
    );
    world.sweep(at("2025-12-15T00:00:00Z"));
    let told = report(&world, "2025-12-16T00:00:00Z");
    assert_eq!((told.verified.copies, told.verified.on_time, told.verified.late), (2, 1, 1));
    let late: Vec<_> = told.kinds.iter().map(|row| (row.surface.as_str(), row.timing.late)).collect();
    assert_eq!(late, [("free", 1), ("pro", 0)]);
    assert_eq!(told.histogram.iter().map(|bar| bar.on_time + bar.late).sum::<u64>(), 2);

    // A period has its first instant and not its last.
    let of = |from, to| {
        world.tenure.erasure_report(at(from), at(to), at("2025-12-16T00:00:00Z")).unwrap().verified.copies
    };
    assert_eq!(of("2025-10-01T13:00:00Z", "2025-12-15T00:00:00Z"), 1);
    assert_eq!(of("2025-10-01T13:00:01Z", "2025-12-15T00:00:01Z"), 1);
    assert_eq!(of("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"), 0);
}

#[test]
fn what_no_sweep_has_taken_up_in_time_is_overdue_and_the_oldest_is_named() {
    let world = world_of(&["a1", "a2"]);
    world.tenure.pause("a test", at("2025-09-10T00:00:00Z")).unwrap();
    let told = report(&world, "2025-10-31T10:00:00Z");
    assert_eq!((told.under_way.due, told.overdue.copies), (2, 0), "the last instant is in time");
    let told = report(&world, "2025-10-31T10:00:01Z");
    assert_eq!((told.under_way.due, told.overdue.copies), (2, 2));
    let oldest = told.overdue.oldest.unwrap();
    assert_eq!((oldest.stage, oldest.class.as_str(), oldest.surface.as_str()), ("live", "content", "pro"));
    assert_eq!((oldest.due_at, oldest.deadline), (at(DUE), at("2025-10-31T10:00:00Z")));
    assert_eq!(told.paused.unwrap().why, "a test");
    world.tenure.set_erase_within("60 days".parse().unwrap()).unwrap();
    assert_eq!(report(&world, "2025-10-31T10:00:01Z").overdue.copies, 0);
}

#[test]
fn what_waits_for_a_pack_is_under_way_until_its_bytes_are_gone() {
    // Everything of the second account stays, and its body lies in the same pack.
    let world = world_of(&["a1", "a2"]);
    world.tenure.delete(Deletion::ConversationOf(record(&world, "a1")), at("2025-09-02T00:00:00Z")).unwrap();
    let swept = world.sweep(at("2025-10-02T00:00:00Z"));
    assert!(swept.total() > 0);
    let told = report(&world, "2025-10-02T00:00:00Z");
    let shredded = world.copies("a1", |stage| stage == CopyStage::Shredded).len() as u64
        + world.copies("a2", |stage| stage == CopyStage::Shredded).len() as u64;
    assert_eq!(told.under_way.shredded, shredded);
    let certified = certificate(&world, "a1", "2025-10-02T00:00:00Z");
    assert_eq!(proved(&world, &certified).len(), 2);
    // Late enough, the pack is written anew for the sake of what waits.
    world.sweep(at("2025-10-30T00:00:00Z"));
    let told = report(&world, "2025-10-30T00:00:00Z");
    assert_eq!((told.under_way.shredded, told.overdue.copies, told.verified.late), (0, 0, 0));
    let certified = certificate(&world, "a1", "2025-10-30T00:00:00Z");
    for (class, stages) in proved(&world, &certified) {
        assert_eq!(stages, ["sealed", "shredded", "removed", "verified"], "{class}");
    }
}

#[test]
fn what_rests_and_what_is_held_is_counted_by_class() {
    let world = world_of(&["a1", "a2"]);
    let flagged = record(&world, "a1");
    world.tenure.scan(flagged, Scan::Flagged, at("2025-09-02T00:00:00Z")).unwrap();
    world.tenure.scan(flagged, Scan::Clear, at("2025-11-02T00:00:00Z")).unwrap();
    let scope = HoldScope {
        accounts: Some(vec!["a2".to_owned()]),
        classes: vec!["content".to_owned()],
        ..HoldScope::default()
    };
    world.tenure.place_hold("order", scope, true, at("2025-09-10T00:00:00Z")).unwrap();
    world.sweep(at("2025-11-03T00:00:00Z"));
    let told = report(&world, "2025-11-03T00:00:00Z");
    let held: Vec<_> = told.held.iter().map(|held| (held.class.as_str(), held.copies)).collect();
    assert_eq!(held, [("content", 1)]);
    let content = told.quarantine.iter().find(|rests| rests.class == "content").unwrap();
    assert_eq!((content.copies, content.last), (1, at("2025-12-02T00:00:00Z")));
    assert!(
        matches!(fate(&certificate(&world, "a1", "2025-11-03T00:00:00Z"), "content"), Fated::Quarantined { until } if *until == at("2025-12-02T00:00:00Z"))
    );
}

#[test]
fn a_certificate_proves_each_stage_of_a_destroyed_copy_and_says_why_another_is_kept() {
    let world = world_of(&["a1", "a2", "a3"]);
    world.sweep(at("2025-10-01T10:00:00Z"));
    let certified = certificate(&world, "a2", "2025-10-02T00:00:00Z");
    let stages = ["sealed", "shredded", "removed", "verified"].map(str::to_owned).to_vec();
    let reached = proved(&world, &certified);
    assert_eq!(reached.len(), 1);
    assert!(stages.starts_with(&reached[0].1), "{reached:?}");
    let Fated::Destroyed { why, due_at, .. } = fate(&certified, "content") else { panic!("it is destroyed") };
    assert_eq!((why.as_str(), *due_at), ("time", at(DUE)));
    assert!(matches!(fate(&certified, "history"), Fated::Kept { because, .. } if !because.is_empty()));
    // One statement serves all copies of its batch, and nobody else's are named.
    let text = serde_json::to_string(&certified).unwrap();
    for other in ["a1", "a3"] {
        assert!(!text.contains(&record(&world, other).to_string()));
    }
    // The receipt of one copy is none for another.
    let mut forged = certified.clone();
    let copy = forged.copies.iter_mut().find(|copy| matches!(copy.fate, Fated::Destroyed { .. })).unwrap();
    copy.record = record(&world, "a1").to_string();
    let copy = copy.clone();
    let Fated::Destroyed { stages, .. } = &copy.fate else { panic!("it is destroyed") };
    let receipt = forged.receipt_of(&copy, stages[1].leaf.unwrap()).unwrap().unwrap();
    assert!(verify(&world, &receipt).is_err());
}

#[test]
fn receipts_can_be_had_for_every_stage_of_a_destruction() {
    let world = world_of(&["a1"]);
    world.sweep(at("2025-10-01T10:00:00Z"));
    world.tenure.delete(Deletion::ConversationOf(record(&world, "a1")), at("2025-10-02T00:00:00Z")).unwrap();
    world.sweep(at("2025-12-01T00:00:00Z"));
    let now = at("2025-12-02T00:00:00Z");
    let receipts = world.tenure.receipts_of_destruction(record(&world, "a1"), "history", now).unwrap();
    let kinds: Vec<_> = receipts
        .iter()
        .map(|(stage, receipt)| (*stage, Stated::read(receipt.statement()).unwrap().statement.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            (CopyStage::Sealed, "copies_sealed"),
            (CopyStage::Shredded, "copies_shredded"),
            (CopyStage::Removed, "copies_removed"),
            (CopyStage::Verified, "copies_verified"),
        ]
    );
    let leaves: Vec<u64> = receipts.iter().map(|(_, receipt)| receipt.proof().index).collect();
    assert!(leaves.is_sorted());
}

#[test]
fn an_order_of_which_nobody_may_be_told_does_not_show_in_a_certificate() {
    let world = world_of(&["a1", "a2", "a3"]);
    let place = |id: &str, account: &str, may_tell| {
        let scope = HoldScope {
            accounts: Some(vec![account.to_owned()]),
            classes: vec!["content".to_owned()],
            ..HoldScope::default()
        };
        world.tenure.place_hold(id, scope, may_tell, at("2025-09-10T00:00:00Z")).unwrap();
    };
    place("secret", "a1", false);
    place("open", "a2", true);
    world.tenure.pause("so that the third waits too", at("2025-09-10T00:00:00Z")).unwrap();
    let now = "2025-10-02T00:00:00Z";
    assert_eq!(*fate(&certificate(&world, "a1", now), "content"), Fated::Due);
    assert_eq!(*fate(&certificate(&world, "a3", now), "content"), Fated::Due);
    let told = certificate(&world, "a2", now);
    assert_eq!(*fate(&told, "content"), Fated::UnderOrder { since: at("2025-09-10T00:00:00Z") });
    assert!(!serde_json::to_string(&told).unwrap().contains("\"open\""));
}

#[test]
fn a_certificate_outlives_the_evidence_of_its_account_and_says_so() {
    let world = world_of(&["a1"]);
    world.tenure.erase_account("a1", at("2025-09-05T00:00:00Z")).unwrap();
    world.sweep(at("2025-10-06T00:00:00Z"));
    assert!(!certificate(&world, "a1", "2025-10-07T00:00:00Z").evidence_destroyed);
    let swept = world.sweep(at("2033-01-01T00:00:00Z"));
    assert_eq!(swept.proofs, 1);
    let certified = certificate(&world, "a1", "2033-01-02T00:00:00Z");
    assert!(certified.evidence_destroyed);
    assert_eq!(proved(&world, &certified).len(), 2);
}

#[test]
fn a_sweep_that_was_allowed_too_little_changes_nothing_that_a_report_says() {
    let world = world_of(&["a1", "a2"]);
    let now = at("2025-10-02T00:00:00Z");
    let options = SweepOptions { allow: tenure_app::Allowance::Copies(1), ..SweepOptions::everything(now) };
    let before = report(&world, "2025-10-02T00:00:00Z");
    assert!(world.tenure.sweep(now, options, &mut |_| {}).is_err());
    assert_eq!(report(&world, "2025-10-02T00:00:00Z"), before);
    assert_eq!(before.under_way.due, 2);
}
