//! A version that was a mistake is withdrawn by two people, and then counts as never published.

use tenure_app::{Answer, Error, Fault, Reply, Withdrawal};
use tenure_model::{Choice, Instant};
use tenure_store::StoreExt as _;

use crate::plan::{NOW, file, next, records_of};
use crate::world::{World, at, conversation};

const ASKED: &str = "2025-09-22T09:00:00Z";
const CONFIRMED: &str = "2025-09-22T10:00:00Z";

/// The example, and the same once more under the name `next`.
fn twice() -> World {
    let world = World::new();
    world.open_account("a1", at("2025-08-29T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T11:00:00Z"));
    world.tenure.publish(&file(&next(NOW, NOW, &[])), at(NOW)).unwrap();
    world
}

fn withdraw(world: &World, name: &str, now: &str) -> Result<Withdrawal, Error> {
    world.tenure.withdraw("consumer@next", name, at(now))
}

fn lives(world: &World, now: &str) -> bool {
    let policies = world.tenure.policies().unwrap();
    policies.named("consumer").unwrap().living(at(now)).any(|(_, version)| version.name == "next")
}

#[test]
fn one_person_alone_changes_nothing_and_a_second_one_withdraws() {
    let world = twice();
    let lapses = at("2025-09-29T09:00:00Z");
    for _ in 0..2 {
        let asked = withdraw(&world, "ops", ASKED).unwrap();
        let Withdrawal::Asked(asked) = asked else { panic!("{asked:?}") };
        assert_eq!((asked.by.as_str(), asked.lapses), ("ops", lapses));
    }
    assert!(lives(&world, CONFIRMED));
    let shown = world.tenure.published(at(CONFIRMED)).unwrap();
    assert_eq!(shown[1].asked.as_ref().map(|asked| asked.by.as_str()), Some("ops"));
    let withdrawn = withdraw(&world, "legal", CONFIRMED).unwrap();
    let (at, asked, confirmed) = (at(CONFIRMED), "ops".to_owned(), "legal".to_owned());
    let done = Withdrawal::Withdrawn { at, asked, confirmed };
    assert_eq!(withdrawn, done);
    assert!(!lives(&world, CONFIRMED));
    // Whoever asks again is told how it stands.
    assert_eq!(withdraw(&world, "ops", "2025-10-22T10:00:00Z").unwrap(), done);
    let world = world.reopened();
    assert!(!lives(&world, CONFIRMED));
    let shown = world.tenure.published(at).unwrap();
    assert_eq!((shown[1].withdrawn, shown[1].asked.is_none()), (Some(at), true));
    assert!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());
    assert_eq!(world.sweep(at).refiled_accounts, 2, "the house too");
}

#[test]
fn a_request_lapses_after_seven_days() {
    let world = twice();
    withdraw(&world, "ops", ASKED).unwrap();
    let late = withdraw(&world, "legal", "2025-09-29T09:00:00Z").unwrap();
    assert!(matches!(late, Withdrawal::Asked(ref asked) if asked.by == "legal"), "{late:?}");
    assert!(lives(&world, "2025-09-29T09:00:00Z"));
    let in_time = withdraw(&world, "ops", "2025-10-06T08:59:59Z").unwrap();
    assert!(matches!(in_time, Withdrawal::Withdrawn { .. }), "{in_time:?}");
}

#[test]
fn under_a_withdrawn_version_nothing_but_an_off_is_taken() {
    let world = twice();
    withdraw(&world, "ops", ASKED).unwrap();
    withdraw(&world, "legal", CONFIRMED).unwrap();
    let now = at("2025-09-23T00:00:00Z");
    let answer = |choice| world.tenure.answer("a1", "train", choice, Some("next")).unwrap();
    for refused in [
        world.tenure.decide("a1", answer(Choice::On), now).map(drop),
        world.tenure.acknowledge("a1", "next", now).map(drop),
        world.tenure.inform("a1", "consumer@next", now).map(drop),
    ] {
        assert!(matches!(refused, Err(Error::Withdrawn(ref name)) if name == "next"), "{refused:?}");
    }
    let chosen = |now: Instant| {
        let summary = world.tenure.summary("a1", now).unwrap();
        summary.terms.into_iter().flat_map(|terms| terms.choices).map(|choice| choice.choice).next()
    };
    // One that names no version is given under one that lives.
    world.decide("a1", Choice::On, now);
    assert_eq!(chosen(now), Some("on"));
    world.tenure.decide("a1", answer(Choice::Off), at("2025-09-24T00:00:00Z")).unwrap();
    assert_eq!(chosen(at("2025-09-24T00:00:00Z")), Some("off"));
    let again = world.tenure.publish(&file(&next(NOW, NOW, &[])), now);
    assert!(matches!(again, Err(Error::Withdrawn(_))));
}

#[test]
fn what_was_given_under_a_version_before_it_was_withdrawn_counts_as_nothing_and_an_off_stands() {
    let world = twice();
    for (account, choice) in [("a2", Choice::On), ("a3", Choice::Off)] {
        world.open_account(account, at("2025-08-29T00:00:00Z"));
        let answer = world.tenure.answer(account, "train", choice, Some("next")).unwrap();
        world.tenure.decide(account, answer, at("2025-09-21T00:00:00Z")).unwrap();
    }
    let asked = |account: &str, now: &str| {
        let summary = world.tenure.summary(account, at(now)).unwrap();
        summary.terms.iter().any(|terms| terms.asked.is_some())
    };
    assert_eq!(["a2", "a3"].map(|account| asked(account, "2025-09-22T00:00:00Z")), [false, false]);
    withdraw(&world, "ops", ASKED).unwrap();
    withdraw(&world, "legal", CONFIRMED).unwrap();
    assert_eq!(["a2", "a3"].map(|account| asked(account, CONFIRMED)), [true, false]);
}

#[test]
fn whoever_asks_names_themselves_and_a_version_that_there_is() {
    let world = twice();
    for name in ["", "Jane Doe", "OPS", "9"] {
        let refused = withdraw(&world, name, ASKED).unwrap_err().to_string();
        assert!(refused.starts_with("say who you are by a role or a pseudonym"), "{refused}");
    }
    for version in ["next", "other"] {
        let refused = world.tenure.withdraw(version, "ops", at(ASKED)).unwrap_err().to_string();
        assert!(refused.contains("policy@version"), "{refused}");
    }
    for version in ["consumer@never", "other@next"] {
        let unknown = world.tenure.withdraw(version, "ops", at(ASKED));
        assert!(matches!(unknown, Err(Error::UnknownVersion(_))), "{unknown:?}");
    }
}

#[test]
fn a_version_without_which_nothing_says_what_is_judged_stays() {
    let world = World::new();
    let only = world.tenure.withdraw("consumer@2025-10-08", "ops", at(ASKED)).unwrap_err().to_string();
    assert!(only.contains("is the only one of policy `consumer`: publish the terms"), "{only}");
    let with_app =
        next(NOW, NOW, &[("pro  = { regime", "app  = { regime = \"consumer\" }\npro  = { regime")]);
    world.tenure.publish(&file(&with_app), at(NOW)).unwrap();
    world
        .import(vec![conversation("a1", "c1", "app", &["2025-09-21T10:00:00Z"])], at("2025-09-21T11:00:00Z"));
    let needed = withdraw(&world, "ops", ASKED).unwrap_err().to_string();
    assert!(needed.contains("knows surface `app`, and records on it are stored"), "{needed}");
    let corrected = with_app.replace("version   = \"next\"", "version   = \"next-2\"");
    world.tenure.publish(&file(&corrected), at(ASKED)).unwrap();
    withdraw(&world, "ops", ASKED).unwrap();
    withdraw(&world, "legal", CONFIRMED).unwrap();
    assert_eq!(records_of(&world, "a1").len(), 1);
    world.sweep(at(CONFIRMED));
    assert_eq!(world.live("a1"), ["content", "history"]);
}

#[test]
fn the_ledger_tells_a_version_that_was_withdrawn_behind_its_back() {
    let world = twice();
    world.store.write(|tx| tx.withdraw_policy("consumer", "next", at(ASKED))).unwrap();
    let faults = world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().faults;
    assert!(
        matches!(&faults[..], [Fault::Unstated { what }] if what.contains("consumer@next")),
        "{faults:?}"
    );
}

#[test]
fn an_off_that_names_no_version_goes_also_to_a_policy_whose_only_question_was_withdrawn() {
    let world = twice();
    withdraw(&world, "ops", ASKED).unwrap();
    withdraw(&world, "legal", CONFIRMED).unwrap();
    let off = Answer { purpose: "train".to_owned(), reply: Reply::Off, version: None };
    assert_eq!(world.tenure.decide("a1", off, at("2025-09-23T00:00:00Z")).unwrap().len(), 1);
}
