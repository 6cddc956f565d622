//! A person who leaves, against what else goes on.

use tenure_store::CopyStage;

use super::explore::Race;
use super::*;

const LEFT: &str = "2025-09-20T00:00:00Z";

fn erases(stage: &Stage, account: &'static str, now: &'static str) -> Act {
    let tenure = stage.tenure.clone();
    act(move || tenure.erase_account(account, at(now)).map(drop))
}

pub(super) fn ground() -> Ground {
    let world = people(&["gone", "leaves", "stays"]);
    // Only the history of `bare` is left, so that everything goes at once with the account's key.
    world.open_account("bare", at("2025-08-01T00:00:00Z"));
    let said = conversation("bare", "c1", "pro", &["2025-08-02T00:00:00Z"]);
    world.import(vec![said], at("2025-08-02T00:01:00Z"));
    world.sweep(at("2025-09-10T00:00:00Z"));
    Ground::of(world)
}

pub(super) fn erases_and_holds(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    let scope = HoldScope {
        classes: ["history", "content"].map(str::to_owned).to_vec(),
        accounts: Some(vec!["bare".to_owned(), "leaves".to_owned()]),
        ..HoldScope::default()
    };
    let hold = act(move || tenure.place_hold("order", scope, true, at(LEFT)));
    vec![erases(stage, "bare", LEFT), hold]
}

#[test]
fn a_hold_that_comes_while_a_person_leaves_keeps_all_or_finds_all_gone() {
    let ground = ground();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(LEFT), at("2026-01-01T00:00:00Z"));
        let left = stage.copy("bare", "history");
        assert!(matches!(left, CopyStage::Live | CopyStage::Verified), "{left:?}");
    };
    let count = Race { ground: &ground, acts: &erases_and_holds, check: &check }.explore(10);
    assert!(count.exhaustive > 10, "{count:?}");
}

fn erases_and_opens(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    let open = act(move || {
        tenure.set_account("new", tenure_app::AccountFacts::default(), at(LEFT))?;
        let mut ingester = tenure.ingester("race", tenure_app::Defaults::default(), at(LEFT))?;
        let said = conversation("new", "c9", "pro", &["2025-09-19T00:00:00Z"]);
        ingester.push(tenure_formats::Item::Conversation(said))?;
        ingester.finish().map(drop)
    });
    vec![erases(stage, "bare", LEFT), open]
}

#[test]
fn who_comes_while_another_leaves_keeps_the_key_of_their_account() {
    let ground = ground();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(LEFT), at("2025-10-10T00:00:00Z"));
        assert_eq!(stage.copy("new", "content"), CopyStage::Live);
        assert_eq!(stage.copy("stays", "history"), CopyStage::Live);
    };
    let count = Race { ground: &ground, acts: &erases_and_opens, check: &check }.explore(30);
    assert!(count.exhaustive > 10, "{count:?}");
}

pub(super) fn erases_and_sweeps(stage: &Stage) -> Vec<Act> {
    vec![sweeps(stage, at(DUE)), erases(stage, "leaves", DUE)]
}

pub(super) fn left_is_gone(stage: &Stage, played: &Played) {
    all_did(played);
    stage.settle(at(DUE), at(GRACE_OVER));
    assert_eq!(stage.copy("leaves", "content"), CopyStage::Verified);
    assert_eq!(stage.copy("leaves", "history"), CopyStage::Verified);
    assert_eq!(stage.copy("stays", "history"), CopyStage::Live);
}

#[test]
fn a_person_who_leaves_at_any_step_of_a_sweep_is_gone_in_time() {
    let ground = ground();
    let count = Race { ground: &ground, acts: &erases_and_sweeps, check: &left_is_gone }.explore(30);
    assert!(count.exhaustive > 15, "{count:?}");
}

/// A sweep is stopped at each of its steps by a pause; somebody leaves whose history lies on a page with that of
/// another, which the sweep may have sealed; and the sweep is finished.
#[test]
fn a_person_who_leaves_after_a_sweep_was_cut_short_is_gone_and_the_sweep_can_be_finished() {
    let world = people(&["gone", "leaves", "stays", "deleted"]);
    let record = first_record(&world, "deleted");
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-10-01T00:00:00Z")).unwrap();
    let ground = Ground::of(world);
    let acts = |stage: &Stage| {
        let tenure = stage.tenure.clone();
        vec![sweeps(stage, at(DUE)), act(move || tenure.pause("a race", at(DUE)))]
    };
    let check = |stage: &Stage, _: &Played| {
        stage.tenure.resume().unwrap();
        stage.tenure.erase_account("leaves", at(DUE)).unwrap();
        stage.settle(at(DUE), at(GRACE_OVER));
        assert_eq!(stage.copy("leaves", "content"), CopyStage::Verified);
        assert_eq!(stage.copy("deleted", "history"), CopyStage::Verified);
        assert_eq!(stage.copy("stays", "history"), CopyStage::Live);
    };
    Race { ground: &ground, acts: &acts, check: &check }.explore(0);
}

/// Somebody's copy is sealed by a sweep that was cut short; all else of theirs is due when they leave.
#[test]
fn what_a_cut_short_sweep_has_sealed_of_a_person_who_leaves_is_there_or_gone_but_never_in_between() {
    use tenure_store::BatchStage;
    let stage = ground().stage();
    let deletion = Deletion::ConversationOf(stage.record("bare"));
    stage.tenure.delete(deletion, at("2025-10-01T00:00:00Z")).unwrap();
    assert!(cut_short(&stage, |stage| matches!(stage, BatchStage::Sealed { .. })));
    assert_eq!(stage.copy("bare", "history"), CopyStage::Sealed);
    stage.tenure.erase_account("bare", at(DUE)).unwrap();
    let scope = HoldScope { classes: vec!["history".to_owned()], ..content_of(&["bare"]) };
    stage.tenure.place_hold("order", scope, true, at(DUE)).unwrap();
    stage.settle(at(DUE), at("2027-01-01T00:00:00Z"));
    let left = stage.copy("bare", "history");
    assert!(matches!(left, CopyStage::Live | CopyStage::Verified), "{left:?}");
}

/// Sweeps until a batch is in a stage, and stops there as a process that is gone does.
pub(super) fn cut_short(stage: &Stage, at_stage: impl Fn(tenure_store::BatchStage) -> bool) -> bool {
    use super::turns::Turns;
    use tenure_store::StoreExt as _;
    let turns = Turns::of(1);
    let tenure = stage.other(7);
    std::thread::scope(|scope| {
        let turns = &turns;
        scope.spawn(move || turns.take(0, || drop(stage::sweep(&tenure, at(DUE)))));
        let mut stopped = false;
        while let Some((actor, _)) = turns.standing().pop() {
            let batches = stage.store.read(|tx| tx.unfinished_batches()).unwrap();
            if !stopped && batches.iter().any(|batch| at_stage(batch.stage)) {
                // A pause ends it at its next step.
                stage.tenure.pause("a race", at(DUE)).unwrap();
                stopped = true;
            }
            turns.let_go(actor);
        }
        stage.tenure.resume().unwrap();
        stopped
    })
}

/// A last line: with the lines before it this never comes to be refused.
#[test]
fn a_page_of_account_keys_that_was_not_emptied_keeps_its_key() {
    let stage = ground().stage();
    let erased = stage.tenure.erase_account("bare", at(LEFT));
    assert!(matches!(erased, Ok(_) | Err(Error::Refused(_))), "{erased:?}");
    stage.assert_sound();
}
