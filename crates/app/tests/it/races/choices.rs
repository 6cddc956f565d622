//! Choices, flags and deletions against destruction and against each other.

use tenure_app::{Scan, Tenure};
use tenure_model::Choice;
use tenure_store::{CopyKey, CopyStage, ReadTx, StoreError};

use super::explore::Race;
use super::stage::condemned;
use super::*;

/// Blames the destruction of any copy of which the transaction sees that something keeps it.
fn spared(
    stage: &Stage,
    keeps: impl Fn(&mut dyn ReadTx, CopyKey) -> Result<bool, StoreError> + Send + 'static,
) {
    let mut condemned = condemned();
    stage.watch.add(Box::new(move |tx| {
        let mut wrong = Vec::new();
        for key in condemned(tx)? {
            let content = tx.classes()?.into_iter().any(|(id, name)| id == key.class && name == "content");
            if content && keeps(tx, key)? {
                wrong.push("a copy was condemned that something keeps".to_owned());
            }
        }
        Ok(wrong)
    }));
}

/// A day before the content of who is flagged is due: what has ended already comes to no new life.
const FLAGGED: &str = "2025-09-30T00:00:00Z";

fn flags(stage: &Stage) -> Vec<Act> {
    spared(stage, |tx, key| Ok(tx.record(key.record)?.unwrap().facts.flagged_at.is_some()));
    let (tenure, record) = (stage.tenure.clone(), stage.record("due"));
    vec![sweeps(stage, at(DUE)), act(move || tenure.scan(record, Scan::Flagged, at(FLAGGED)))]
}

#[test]
fn a_flag_at_any_step_of_a_sweep_keeps_what_can_still_be_kept() {
    let ground = held::ground();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(DUE), at("2027-09-29T00:00:00Z"));
        let left = stage.copy("due", "content");
        assert!(matches!(left, CopyStage::Live | CopyStage::Verified), "{left:?}");
        stage.settle(at("2027-09-30T00:00:00Z"), at("2027-10-03T00:00:00Z"));
        assert_eq!(stage.copy("due", "content"), CopyStage::Verified);
    };
    let count = Race { ground: &ground, acts: &flags, check: &check }.explore(10);
    assert!(count.exhaustive > 30, "{count:?}");
}

/// A flag is all that keeps somebody's content; it is cleared, and set again.
#[test]
fn a_flag_that_is_cleared_and_set_again_at_any_step_of_a_sweep_keeps_what_it_keeps() {
    let world = people(&["gone", "due"]);
    world.tenure.scan(first_record(&world, "due"), Scan::Flagged, at("2025-09-10T00:00:00Z")).unwrap();
    world.sweep(at("2025-11-01T00:00:00Z"));
    let ground = Ground::of(world);
    let acts = |stage: &Stage| {
        spared(stage, |tx, key| Ok(tx.record(key.record)?.unwrap().facts.flagged_at.is_some()));
        let (tenure, record) = (stage.tenure.clone(), stage.record("due"));
        let clear = act(move || {
            tenure.scan(record, Scan::Clear, at("2025-11-02T00:00:00Z"))?;
            tenure.scan(record, Scan::Flagged, at("2025-11-02T00:00:01Z"))
        });
        vec![sweeps(stage, at("2025-12-03T00:00:00Z")), clear]
    };
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at("2025-12-03T00:00:00Z"), at("2026-11-01T00:00:00Z"));
    };
    Race { ground: &ground, acts: &acts, check: &check }.explore(20);
}

fn deletes(stage: &Stage) -> Vec<Act> {
    let (tenure, record) = (stage.tenure.clone(), stage.record("held"));
    vec![
        sweeps(stage, at(DUE)),
        act(move || tenure.delete(Deletion::ConversationOf(record), at(DUE)).map(drop)),
    ]
}

#[test]
fn what_is_deleted_at_any_step_of_a_sweep_goes_in_time_and_what_a_hold_keeps_of_it_stays() {
    let ground = held::ground();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(DUE), at(GRACE_OVER));
        assert_eq!(stage.copy("held", "history"), CopyStage::Verified);
        assert_eq!(stage.copy("held", "content"), CopyStage::Live);
    };
    let count = Race { ground: &ground, acts: &deletes, check: &check }.explore(10);
    assert!(count.exhaustive > 30, "{count:?}");
}

fn decide(tenure: &Tenure, account: &str, choice: Choice, now: &str) -> Result<(), Error> {
    let answer = tenure.answer(account, "train", choice, None)?;
    tenure.decide(account, answer, at(now)).map(drop)
}

/// Five years after the last word of somebody who allowed training.
const FIVE_YEARS: &str = "2030-09-01T00:00:00Z";

pub(super) fn allowed() -> World {
    let world = World::new();
    for account in ["yes", "also"] {
        world.open_account(account, at("2025-08-29T00:00:00Z"));
        world.decide(account, Choice::On, at("2025-08-30T00:00:00Z"));
    }
    let said = ["yes", "also"].map(|account| conversation(account, "c1", "pro", &["2025-09-01T00:00:00Z"]));
    world.import(said.into(), at("2025-09-01T00:01:00Z"));
    world
}

#[test]
fn a_choice_at_any_step_of_a_sweep_gives_what_it_gives_unless_it_came_too_late() {
    let ground = Ground::of(allowed());
    let acts = |stage: &Stage| {
        // An `off` gives thirty days more, and there were two statements before it.
        let yes = stage.account("yes");
        spared(stage, move |tx, key| {
            Ok(key.account == yes && tx.statements_of(yes, &["decision"])?.len() > 1)
        });
        let tenure = stage.tenure.clone();
        let off = act(move || decide(&tenure, "yes", Choice::Off, "2030-08-31T00:00:00Z"));
        vec![sweeps(stage, at(FIVE_YEARS)), off]
    };
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(FIVE_YEARS), at("2030-10-02T00:00:00Z"));
        assert_eq!(stage.copy("yes", "content"), CopyStage::Verified);
    };
    let count = Race { ground: &ground, acts: &acts, check: &check }.explore(20);
    assert!(count.exhaustive > 30, "{count:?}");
}

/// What was said last of all that is in the chain, if it is a choice.
fn last_choice(stage: &Stage) -> Choice {
    let receipts = stage.tenure.receipts("one", at(DUE)).unwrap();
    let mut statements =
        receipts.iter().map(|receipt| String::from_utf8_lossy(receipt.statement()).into_owned());
    let last = statements.rfind(|text| text.contains("\"kind\":\"decision\"")).unwrap();
    if last.contains("\"choice\":\"on\"") { Choice::On } else { Choice::Off }
}

#[test]
fn an_on_never_follows_an_off_that_it_did_not_know() {
    let ground = Ground::of(people(&["gone", "one"]));
    let acts = |stage: &Stage| {
        let on = stage.tenure.answer("one", "train", Choice::On, None).unwrap();
        let (tenure, other) = (stage.tenure.clone(), stage.tenure.clone());
        vec![
            act(move || tenure.decide("one", on, at(DUE)).map(drop)),
            act(move || decide(&other, "one", Choice::Off, DUE)),
        ]
    };
    let check = |stage: &Stage, played: &Played| {
        assert!(matches!(played.ended[0], Ok(()) | Err(Error::ChainMoved)));
        assert!(played.ended[1].is_ok());
        assert_eq!(last_choice(stage), Choice::Off);
        stage.assert_sound();
    };
    let count = Race { ground: &ground, acts: &acts, check: &check }.explore_bounded(2, 20);
    assert!(count.exhaustive > 10, "{count:?}");
}

#[test]
fn nothing_but_an_off_is_taken_from_an_account_that_is_closed_meanwhile() {
    let ground = Ground::of(people(&["gone", "one"]));
    let acts = |stage: &Stage| {
        let (tenure, other) = (stage.tenure.clone(), stage.tenure.clone());
        vec![
            act(move || tenure.acknowledge("one", "2025-10-08", at(DUE)).map(drop)),
            act(move || other.delete(Deletion::Account("one".to_owned()), at(DUE)).map(drop)),
        ]
    };
    let check = |stage: &Stage, played: &Played| {
        assert!(matches!(played.ended[0], Ok(()) | Err(Error::AccountClosed)));
        assert!(played.ended[1].is_ok());
        let receipts = stage.tenure.receipts("one", at(DUE)).unwrap();
        let last = receipts.last().unwrap();
        assert!(String::from_utf8_lossy(last.statement()).contains("account_closed"));
        stage.assert_sound();
    };
    Race { ground: &ground, acts: &acts, check: &check }.explore_bounded(2, 10);
}
