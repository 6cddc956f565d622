//! Holds against destruction, at every stage of it.

use tenure_store::CopyStage;

use super::explore::{Count, Race};
use super::*;

/// The content of all three lies on one page; a hold keeps that of one.
pub(super) fn ground() -> Ground {
    let world = people(&["gone", "due", "held"]);
    world.tenure.place_hold("order", content_of(&["held"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    Ground::of(world)
}

pub(super) fn places(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    let place = act(move || tenure.place_hold("new", content_of(&["due"]), true, at(DUE)));
    vec![sweeps(stage, at(DUE)), place]
}

pub(super) fn held_or_gone(stage: &Stage, played: &Played) {
    all_did(played);
    stage.settle(at(DUE), at("2027-01-01T00:00:00Z"));
    // It is wholly there, or it passed the point of no return before the hold came, which the watch has seen.
    let left = stage.copy("due", "content");
    assert!(matches!(left, CopyStage::Live | CopyStage::Verified), "{left:?}");
    assert_eq!(stage.copy("gone", "content"), CopyStage::Verified);
    assert_eq!(stage.copy("held", "content"), CopyStage::Live);
}

#[test]
fn a_hold_that_is_placed_at_any_step_of_a_sweep_keeps_what_can_still_be_kept() {
    let ground = ground();
    let count = Race { ground: &ground, acts: &places, check: &held_or_gone }.explore_bounded(2, 0);
    assert!(count.exhaustive > 30, "{count:?}");
}

pub(super) fn amends(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    let scope = content_of(&["held", "due"]);
    let amend = act(move || tenure.amend_hold("order", scope, None, at(DUE)));
    vec![sweeps(stage, at(DUE)), amend]
}

#[test]
fn a_hold_that_is_amended_at_any_step_of_a_sweep_keeps_what_can_still_be_kept() {
    let ground = ground();
    let count = Race { ground: &ground, acts: &amends, check: &held_or_gone }.explore(20);
    assert!(count.exhaustive > 30, "{count:?}");
}

/// Two holds keep the content of two people past its term, and the first has just been released.
fn ground_of_two_holds() -> Ground {
    let world = people(&["gone", "one", "two"]);
    world.tenure.place_hold("one", content_of(&["one"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    world.tenure.place_hold("two", content_of(&["two"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    world.sweep(at(DUE));
    world.tenure.release_hold("one", at(DUE)).unwrap();
    Ground::of(world)
}

fn releases(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    vec![sweeps(stage, at(DUE)), act(move || tenure.release_hold("two", at(DUE)))]
}

#[test]
fn what_is_released_at_any_step_of_a_sweep_has_its_grace_and_goes_when_that_ends() {
    let ground = ground_of_two_holds();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        assert_eq!(stage.copy("two", "content"), CopyStage::Live);
        stage.settle(at("2025-10-31T23:59:59Z"), at(GRACE_OVER));
        for account in ["one", "two"] {
            assert_eq!(stage.copy(account, "content"), CopyStage::Verified);
        }
    };
    let Count { exhaustive, .. } = Race { ground: &ground, acts: &releases, check: &check }.explore(20);
    assert!(exhaustive > 10, "{exhaustive}");
}

fn places_flags_and_deletes(stage: &Stage) -> Vec<Act> {
    let mut acts = places(stage);
    let (tenure, record) = (stage.tenure.clone(), stage.record("due"));
    acts.push(act(move || {
        tenure.delete(Deletion::ConversationOf(record), at(DUE))?;
        tenure.scan(record, tenure_app::Scan::Flagged, at(DUE))?;
        tenure.scan(record, tenure_app::Scan::Clear, at(DUE))
    }));
    acts
}

#[test]
fn a_hold_a_deletion_a_flag_and_a_sweep_meet_in_drawn_schedules() {
    let ground = ground();
    let check = |stage: &Stage, played: &Played| held_or_gone(stage, played);
    Race { ground: &ground, acts: &places_flags_and_deletes, check: &check }.explore_bounded(0, 60);
}

/// A last line: with the lines before it this never comes to be refused.
#[test]
fn a_verdict_on_one_copy_destroys_no_other() {
    let ground = ground();
    let check = |stage: &Stage, played: &Played| {
        assert!(matches!(played.ended[0], Ok(()) | Err(Error::Refused(_))), "the sweep failed otherwise");
        assert!(played.ended[1].is_ok());
        stage.assert_sound();
    };
    Race { ground: &ground, acts: &places, check: &check }.explore(0);
}
