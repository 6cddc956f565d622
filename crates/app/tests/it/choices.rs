//! What people decide is taken as they gave it, and nothing late or replayed undoes an `off`.

use tenure_app::{AccountFacts, Answer, Error, Reply};
use tenure_model::Choice;

use crate::world::{EXAMPLE, World, at, conversation};

fn answer(reply: Reply) -> Answer {
    Answer { purpose: "train".to_owned(), reply, version: None }
}

/// An `on` by someone who has just read the account.
fn on(world: &World) -> Answer {
    world.tenure.answer("a1", "train", Choice::On, None).unwrap()
}

#[test]
fn an_on_that_follows_an_older_head_is_refused_and_an_off_is_always_taken() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let seen = world.tenure.account("a1").unwrap().chain.head;
    world.tenure.decide("a1", answer(Reply::Off), at("2025-09-01T00:00:00Z")).unwrap();
    let late = world.tenure.decide("a1", answer(Reply::On { follows: seen }), at("2025-09-02T00:00:00Z"));
    assert!(matches!(late, Err(Error::ChainMoved)));
    world.tenure.decide("a1", answer(Reply::Off), at("2025-09-03T00:00:00Z")).unwrap();
    let now = world.tenure.account("a1").unwrap().chain.head;
    world.tenure.decide("a1", answer(Reply::On { follows: now }), at("2025-09-04T00:00:00Z")).unwrap();
    world.integrity();
}

#[test]
fn a_purpose_that_two_policies_ask_about_needs_the_policy_named() {
    let other = EXAMPLE.replace("= \"consumer\"\nversion", "= \"other\"\nversion");
    let other = ["free", "pro", "code", "team", "api"]
        .iter()
        .fold(other, |text, surface| text.replace(&format!("\n{surface} "), &format!("\n{surface}-2 ")))
        .replace("\napi-zdr ", "\nzdr-2 ");
    let policies = [("a.toml".to_owned(), EXAMPLE.to_owned()), ("b.toml".to_owned(), other)];
    let world = World::with(&policies, at("2025-08-01T00:00:00Z"));
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let vague = world.tenure.decide("a1", on(&world), at("2025-09-01T00:00:00Z"));
    assert!(matches!(vague, Err(Error::SeveralPolicies(_))));
    // A no that names none is a no to both.
    let before = world.tenure.account("a1").unwrap().chain.version;
    world.tenure.decide("a1", answer(Reply::Off), at("2025-09-01T00:00:00Z")).unwrap();
    assert_eq!(world.tenure.account("a1").unwrap().chain.version, before + 2);
    let named = Answer { version: Some("other@2025-10-08".to_owned()), ..on(&world) };
    world.tenure.decide("a1", named, at("2025-09-01T00:00:00Z")).unwrap();
}

#[test]
fn nothing_is_decided_before_it_is_announced_or_after_the_account_is_closed() {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let early = world.tenure.decide("a1", on(&world), at("2025-08-27T00:00:00Z"));
    assert!(matches!(early, Err(Error::NotAnnounced(_))));
    world.tenure.delete(tenure_app::Deletion::Account("a1".to_owned()), at("2025-09-01T00:00:00Z")).unwrap();
    let closed = world.tenure.decide("a1", on(&world), at("2025-09-02T00:00:00Z"));
    assert!(matches!(closed, Err(Error::AccountClosed)));
    // A no is always taken, whenever it comes.
    world.tenure.decide("a1", answer(Reply::Off), at("2025-09-03T00:00:00Z")).unwrap();
}

#[test]
fn a_clock_that_was_set_back_lets_no_earlier_on_count_as_the_later_one() {
    let world = World::real();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let said = conversation("a1", "c1", "pro", &["2025-10-10T00:00:00Z"]);
    world.import(vec![said], at("2025-10-10T01:00:00Z"));
    let usable = |now| world.tenure.usable("a1", at(now)).unwrap().1.get("train").copied().unwrap_or(0);
    world.decide("a1", Choice::On, at("2025-10-10T12:00:05Z"));
    world.tenure.decide("a1", answer(Reply::Off), at("2025-10-10T12:00:01Z")).unwrap();
    assert_eq!(usable("2025-10-12T00:00:00Z"), 0);
    world.tenure.decide("a1", on(&world), at("2025-10-10T12:00:02Z")).unwrap();
    world.tenure.decide("a1", answer(Reply::Off), at("2025-10-10T12:00:03Z")).unwrap();
    assert_eq!(usable("2025-10-12T00:00:00Z"), 0);
    assert!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());
}

#[test]
fn an_account_that_is_opened_as_closed_is_stated_as_closed() {
    let world = World::new();
    let closed_at = Some(at("2025-07-01T00:00:00Z"));
    let facts = AccountFacts { closed_at, ..AccountFacts::default() };
    world.tenure.set_account("a1", facts, at("2025-08-01T00:00:00Z")).unwrap();
    assert_eq!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().faults, []);
}

/// What was sealed beside the writer must not be appended under a key that has been destroyed meanwhile.
#[test]
fn an_off_that_comes_while_the_evidence_is_destroyed_is_refused_or_can_be_opened() {
    for _ in 0..6 {
        let world = std::sync::Arc::new(World::new());
        world.open_account("a1", at("2025-08-01T00:00:00Z"));
        world
            .tenure
            .delete(tenure_app::Deletion::Account("a1".to_owned()), at("2025-09-01T00:00:00Z"))
            .unwrap();
        let other = std::sync::Arc::clone(&world);
        let saying_off = std::thread::spawn(move || {
            let refused = |_| other.tenure.decide("a1", answer(Reply::Off), at("2031-10-02T00:00:00Z")).err();
            (0..10_000).find_map(refused)
        });
        std::thread::sleep(std::time::Duration::from_millis(20));
        world.sweep(at("2032-01-01T00:00:00Z"));
        assert!(matches!(saying_off.join().unwrap(), Some(Error::ProofDestroyed)));
        assert_eq!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().faults, []);
    }
}
