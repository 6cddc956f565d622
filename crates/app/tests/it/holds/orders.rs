//! The dates that orders bear, and what they came too late for.

use rusqlite::Connection;
use tenure_app::{Error, Lost};
use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::BatchStage;
use tenure_store::faults::Fault;

use super::{assert_sound, content, cut_short, of_accounts, quietly, with_faults, world_of};
use crate::world::{World, at};

fn lost(world: &World, now: Instant, limit: usize) -> Lost {
    world.tenure.lost_to_hold("order", limit, now, &mut |_| {}).unwrap()
}

#[test]
fn an_order_bears_a_date_and_has_effect_when_it_is_recorded() {
    let world = world_of(&["a1"]);
    let (placed, signed) = (at("2025-09-10T00:00:00Z"), at("2025-09-08T00:00:00Z"));
    let ahead =
        world.tenure.place_hold_dated("order", content(), true, Some(at("2025-09-11T00:00:00Z")), placed);
    assert!(matches!(ahead, Err(Error::Refused(_))));
    world.tenure.place_hold_dated("order", content(), true, Some(signed), placed).unwrap();
    world.tenure.amend_hold("order", of_accounts(&["a1"]), None, at("2025-09-20T00:00:00Z")).unwrap();
    world.sweep(at("2026-01-01T00:00:00Z"));
    let (ended, recorded) = (at("2026-01-02T00:00:00Z"), at("2026-02-01T00:00:00Z"));
    world.tenure.release_hold_dated("order", Some(ended), recorded).unwrap();
    let hold = world.tenure.hold("order").unwrap();
    assert_eq!(
        (hold.placed_at, hold.versions[0].dated, hold.versions[1].dated),
        (placed, Some(signed), None)
    );
    assert_eq!((hold.released_at, hold.release_dated), (Some(recorded), Some(ended)));
    assert_eq!(world.tenure.holds().unwrap(), [hold]);
    let stated = world.tenure.operator_statements(&["hold_released"]).unwrap();
    assert_eq!(stated[0].statement, Statement::HoldReleased { hold: "order".to_owned(), dated: Some(ended) });
    // The grace counts from the recording, not from the date on the paper.
    assert_eq!(world.sweep(at("2026-03-02T00:00:00Z")).total(), 0);
    assert_eq!(world.sweep(at("2026-03-03T00:00:00Z")).total(), 1);
    assert_sound(&world);
}

#[test]
fn whether_people_may_be_told_is_stated_and_held_against_the_store() {
    let world = world_of(&["a1"]);
    world.tenure.place_hold("order", content(), false, at("2025-09-10T00:00:00Z")).unwrap();
    world.tenure.amend_hold("order", content(), Some(true), at("2025-09-11T00:00:00Z")).unwrap();
    world.tenure.publish_checkpoint(at("2025-09-11T00:00:00Z")).unwrap();
    assert_sound(&world);
    let database = Connection::open(world.folder.path().join("data/tenure.db")).unwrap();
    database.execute_batch("DROP TRIGGER holds_are_only_released").unwrap();
    for version in [1, 2] {
        let swap = "UPDATE holds SET may_tell = 1 - may_tell WHERE version = ?1";
        assert_eq!(database.execute(swap, [version]).unwrap(), 1);
        assert!(!world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound(), "version {version}");
        database.execute(swap, [version]).unwrap();
    }
    assert_sound(&world);
}

#[test]
fn an_order_says_what_it_came_too_late_for() {
    let world = world_of(&["one", "two", "other"]);
    world.sweep(at("2025-10-01T00:00:00Z"));
    let now = at("2025-10-05T00:00:00Z");
    let scope = of_accounts(&["one", "two"]);
    let preview = world.tenure.preview_hold("order", &scope, now, quietly()).unwrap();
    assert_eq!((preview.covered.records, preview.lost.copies), (0, 2));
    world.tenure.place_hold("order", scope, true, now).unwrap();
    let all = lost(&world, now, 10);
    assert_eq!(all, preview.lost);
    assert_eq!((all.accounts, all.records, all.copies, all.more), (2, 2, 2, false));
    assert_eq!(all.classes["content"]["2025-10-01"], 2);
    assert!(all.listed.iter().all(|copy| copy.gone_at == at("2025-10-01T00:00:00Z")));
    let some = lost(&world, now, 1);
    assert_eq!((some.copies, some.listed.len(), some.more), (2, 1, true));
    // Only what is in scope is looked at.
    let mut looked_at = 0;
    world.tenure.lost_to_hold("order", 10, now, &mut |records| looked_at = records).unwrap();
    assert_eq!(looked_at, 2);
    world.tenure.amend_hold("order", of_accounts(&["other"]), None, now).unwrap();
    assert_eq!(lost(&world, now, 10).copies, 1);
}

#[test]
fn what_is_only_sealed_is_rescued_and_what_is_past_return_is_lost() {
    let due = at("2025-10-02T00:00:00Z");
    let (mut rescued, mut too_late) = (0, 0);
    for commits in 0.. {
        let (world, faults) = with_faults(world_of(&["a1"]));
        faults.arm(commits, Fault::Lost);
        let options = tenure_app::SweepOptions::everything(due);
        let _cut_short = world.tenure.sweep(due, options, &mut |_| {});
        if faults.is_armed() {
            break;
        }
        faults.disarm();
        let stage = cut_short(&world);
        world.tenure.place_hold("order", content(), true, due).unwrap();
        let said = lost(&world, due, 10).copies;
        world.sweep(due);
        let is_live = world.live("a1").contains(&"content".to_owned());
        assert_eq!(u64::from(!is_live), said, "after {commits} commits, {stage:?}");
        if said == 0 && matches!(stage, Some(BatchStage::Sealed { .. })) {
            rescued += 1;
        }
        too_late += said;
    }
    assert!(rescued > 0 && too_late > 0);
}
