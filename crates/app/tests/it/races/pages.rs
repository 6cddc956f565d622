//! Pages whose keys are about to go, against whatever would lie on them.

use tenure_store::CopyStage;

use super::explore::Race;
use super::*;
use crate::world::EXAMPLE;

const DELETED: &str = "2025-09-05T00:00:00Z";

/// The history of three people lies on one page, and two of them have deleted theirs.
pub(super) fn ground() -> Ground {
    let world = people(&["gone", "one", "two", "three"]);
    for account in ["one", "three"] {
        let record = first_record(&world, account);
        world.tenure.delete(Deletion::ConversationOf(record), at(DELETED)).unwrap();
    }
    world.open_account("new", at(DELETED));
    Ground::of(world)
}

fn imports(stage: &Stage) -> Act {
    let tenure = stage.tenure.clone();
    act(move || {
        let mut ingester = tenure.ingester("race", tenure_app::Defaults::default(), at(DELETED))?;
        let said = conversation("new", "c9", "pro", &["2025-09-04T00:00:00Z"]);
        ingester.push(tenure_formats::Item::Conversation(said))?;
        ingester.finish().map(drop)
    })
}

pub(super) fn sweeps_and_imports(stage: &Stage) -> Vec<Act> {
    vec![sweeps(stage, at(DELETED)), imports(stage)]
}

pub(super) fn all_there(stage: &Stage, played: &Played) {
    all_did(played);
    stage.settle(at(DELETED), at("2025-09-20T00:00:00Z"));
    for (account, class) in [("new", "history"), ("new", "content"), ("two", "history"), ("one", "content")] {
        assert_eq!(stage.copy(account, class), CopyStage::Live, "{class} of {account}");
    }
    assert_eq!(stage.copy("one", "history"), CopyStage::Verified);
}

#[test]
fn what_is_taken_in_while_a_page_goes_never_lies_on_it() {
    let ground = ground();
    let count = Race { ground: &ground, acts: &sweeps_and_imports, check: &all_there }.explore(60);
    assert!(count.exhaustive > 15, "{count:?}");
}

/// A day on which the page of the day before is idle.
const NEXT_DAY: &str = "2025-11-01T00:00:30Z";

/// History is kept for sixty days here. Somebody left on the last of them, and with the key of their account went what
/// lay on the page of that day.
fn idle_ground() -> Ground {
    let sixty = EXAMPLE.replace("for   = \"indefinite\"", "for   = \"60 days\"");
    let world = World::with(&[("example.toml".to_owned(), sixty)], at("2025-08-01T00:00:00Z"));
    for account in ["one", "late"] {
        world.open_account(account, at("2025-08-01T00:00:00Z"));
    }
    world.import(
        vec![conversation("one", "c1", "pro", &["2025-09-01T00:00:00Z"])],
        at("2025-09-01T00:01:00Z"),
    );
    world.sweep(at(DUE));
    world.tenure.erase_account("one", at("2025-10-30T00:00:00Z")).unwrap();
    Ground::of(world)
}

/// A sweep after midnight, and an import that has begun before.
fn sweeps_and_imports_what_ends_by_midnight(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    let import = act(move || {
        let now = at("2025-10-30T12:00:00Z");
        let mut ingester = tenure.ingester("race", tenure_app::Defaults::default(), now)?;
        let said = conversation("late", "c9", "pro", &["2025-09-01T12:00:00Z"]);
        ingester.push(tenure_formats::Item::Conversation(said))?;
        ingester.finish().map(drop)
    });
    vec![sweeps(stage, at(NEXT_DAY)), import]
}

#[test]
fn what_is_taken_in_as_its_day_has_passed_can_be_opened_until_it_goes() {
    let ground = idle_ground();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.assert_sound();
        stage.settle(at(NEXT_DAY), at("2025-12-10T00:00:00Z"));
        assert_eq!(stage.copy("late", "history"), CopyStage::Verified);
    };
    let acts = sweeps_and_imports_what_ends_by_midnight;
    let count = Race { ground: &ground, acts: &acts, check: &check }.explore(20);
    assert!(count.exhaustive > 10, "{count:?}");
}

const PROOFS: &str = "2031-10-01T00:00:00Z";

/// The evidence of one who is gone is due, and that of others lies on the same page.
pub(super) fn proofs_ground() -> Ground {
    let world = people(&["gone", "other"]);
    world.tenure.delete(Deletion::Account("gone".to_owned()), at(DELETED)).unwrap();
    world.sweep(at("2026-01-01T00:00:00Z"));
    Ground::of(world)
}

fn sweeps_and_opens(stage: &Stage) -> Vec<Act> {
    let tenure = stage.tenure.clone();
    let open = act(move || {
        tenure.set_account("new", tenure_app::AccountFacts::default(), at(PROOFS))?;
        let off = tenure.answer("new", "train", tenure_model::Choice::Off, None)?;
        tenure.decide("new", off, at(PROOFS)).map(drop)
    });
    vec![sweeps(stage, at(PROOFS)), open]
}

#[test]
fn who_comes_while_the_evidence_of_another_goes_keeps_theirs() {
    let ground = proofs_ground();
    let check = |stage: &Stage, played: &Played| {
        all_did(played);
        stage.settle(at(PROOFS), at("2031-11-01T00:00:00Z"));
        assert_eq!(stage.tenure.receipts("new", at(PROOFS)).unwrap().len(), 2);
    };
    let count = Race { ground: &ground, acts: &sweeps_and_opens, check: &check }.explore(20);
    assert!(count.exhaustive > 15, "{count:?}");
}

/// A last line: with the lines before it this never comes to be refused.
fn refused_or_done(stage: &Stage, played: &Played) {
    assert!(matches!(played.ended[0], Ok(()) | Err(Error::Refused(_))), "the sweep failed otherwise");
    assert!(played.ended[1].is_ok());
    stage.assert_sound();
}

#[test]
fn a_page_onto_which_something_came_all_the_same_keeps_its_key() {
    let ground = ground();
    Race { ground: &ground, acts: &sweeps_and_imports, check: &refused_or_done }.explore(0);
}

#[test]
fn a_page_of_proof_keys_onto_which_one_came_all_the_same_keeps_its_key() {
    let ground = proofs_ground();
    let check = |stage: &Stage, played: &Played| {
        refused_or_done(stage, played);
        assert_eq!(stage.tenure.receipts("new", at(PROOFS)).unwrap().len(), 2);
    };
    Race { ground: &ground, acts: &sweeps_and_opens, check: &check }.explore(0);
}
