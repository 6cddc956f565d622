//! Thirty hours for thirty days: the guard stops it; what passed the guard rests in quarantine, and withdrawing the
//! version brings every copy back.

use std::collections::BTreeMap;

use tenure_app::explain::{CopyView, Ending};
use tenure_app::{Allowance, Error, SweepOptions, Swept, Withdrawal};
use tenure_model::{Choice, Instant};
use tenure_store::RecordId;

use crate::plan::{NOW, file, records_of};
use crate::world::{EXAMPLE, World, at, conversation};

const EFFECTIVE: &str = "2025-09-22T12:00:00Z";
/// After the mistake took effect, and before its quarantine ends.
const RESTING: &str = "2025-09-24T00:00:00Z";
/// After the quarantine, and before anything ends by the terms that were meant.
const RESTED: &str = "2025-09-29T00:00:00Z";
const ACCOUNTS: [&str; 10] = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];
/// Conversations of each account, one a day from 2 September on.
const DAYS: u32 = 14;

/// The example with content of thirty days at most, and a grace of five.
fn meant() -> String {
    let years = "standing.train = \"on\" }\nfor   = \"5 years\"";
    assert!(EXAMPLE.contains(years));
    let days = EXAMPLE.replacen(years, "standing.train = \"on\" }\nfor   = \"30 days\"", 1);
    days.replace("grace     = \"30 days\"", "grace     = \"5 days\"")
}

/// The next version, with the mistake in both rules.
fn mistyped() -> String {
    let term = "for   = \"30 days\"\nfrom  = \"last_activity\"";
    assert_eq!(meant().matches(term).count(), 2);
    meant()
        .replace(term, &term.replace("30 days", "30 hours"))
        .replace("version   = \"2025-10-08\"", "version   = \"2025-09-22\"")
        .replace("announced = 2025-08-28T00:00:00Z", &format!("announced = {NOW}"))
        .replace("effective = 2025-10-08T00:00:00Z", &format!("effective = {EFFECTIVE}"))
}

/// Ten people who allowed training, with a history and a content copy of each of their conversations.
fn peopled() -> World {
    let policies = [("meant.toml".to_owned(), meant())];
    let world = World::with(&policies, at("2025-08-01T00:00:00Z"));
    for account in ACCOUNTS {
        world.open_account(account, at("2025-08-29T00:00:00Z"));
        world.decide(account, Choice::On, at("2025-08-30T00:00:00Z"));
        let said = |day: u32| {
            conversation(
                account,
                &format!("{account}-{day}"),
                "pro",
                &[&format!("2025-09-{day:02}T10:00:00Z")],
            )
        };
        world.import((2..2 + DAYS).map(said).collect(), at("2025-09-19T00:00:00Z"));
    }
    world
}

/// Every copy as it is explained at an instant.
fn explained(world: &World, now: &str) -> BTreeMap<(RecordId, String), CopyView> {
    let records = ACCOUNTS.iter().flat_map(|account| records_of(world, account));
    let copies = records.flat_map(|record| {
        let explained = world.tenure.explain(record, at(now)).unwrap();
        explained.copies.into_iter().map(move |copy| ((record, copy.class.clone()), copy))
    });
    copies.collect()
}

/// The same as JSON, to compare as a whole.
fn as_told(world: &World, now: &str) -> Vec<serde_json::Value> {
    explained(world, now).values().map(|copy| serde_json::to_value(copy).unwrap()).collect()
}

fn usable(world: &World, now: &str) -> u64 {
    ACCOUNTS.iter().map(|account| world.tenure.usable(account, at(now)).unwrap().1["train"]).sum()
}

/// A sweep as the job runs it.
fn sweep(world: &World, now: &str) -> Result<Swept, Error> {
    let options = SweepOptions { allow: Allowance::default(), ..SweepOptions::everything(at(now)) };
    world.tenure.sweep(at(now), options, &mut |_| {})
}

const COPIES: u64 = ACCOUNTS.len() as u64 * DAYS as u64;

#[test]
fn the_guard_stops_the_publication_and_says_what_it_would_have_destroyed() {
    let world = peopled();
    let refused = world.tenure.publish(&file(&mistyped()), at(NOW)).unwrap_err();
    let said = refused.to_string();
    let Error::LosesTooMuch(loss) = refused else { panic!("{said}") };
    assert_eq!((loss.copies, loss.live), (COPIES, 2 * COPIES));
    for words in [
        "consumer@2025-09-22 takes effect on 2025-09-22T12:00:00Z",
        "140 of 280 live copies, 50.0%,",
        "(140 content): hidden at once, and destroyed from 2025-09-27T12:00:00Z on",
        "nothing was published",
        "`--expect 140`",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(world.tenure.published(at(NOW)).unwrap().len(), 1);
    let fewer = world.tenure.publish_allowing(&file(&mistyped()), Allowance::Copies(COPIES - 1), at(NOW));
    assert!(matches!(fewer, Err(Error::LosesTooMuch(_))));
    // So is a version that would do it only once the copies of today are gone.
    let later = mistyped().replace(EFFECTIVE, "2026-01-01T00:00:00Z");
    let refused = world.tenure.publish(&file(&later), at(NOW)).unwrap_err().to_string();
    assert!(refused.starts_with("if consumer@2025-09-22 took effect today, 140 of 280"), "{refused}");
    world.tenure.publish(&file(&meant().replace("2025-10-08\"", "other\"")), at(NOW)).unwrap();
}

#[test]
fn what_passed_the_guard_is_hidden_and_two_people_bring_every_copy_back() {
    let world = peopled();
    let (before, was) = (as_told(&world, RESTING), usable(&world, RESTING));
    assert_eq!(was, COPIES);
    assert_eq!(sweep(&world, NOW).unwrap().total(), 0);
    world.tenure.publish_allowing(&file(&mistyped()), Allowance::Copies(COPIES), at(NOW)).unwrap();
    let expected = world.tenure.published(at(NOW)).unwrap()[1].expected.unwrap();
    assert_eq!((expected.planned, expected.expected), (COPIES, Some(COPIES)));

    assert_eq!((usable(&world, NOW), usable(&world, RESTING)), (COPIES, 0));
    for ((_, class), copy) in explained(&world, RESTING) {
        if class == "content" {
            let rest = copy.quarantine.unwrap();
            assert!(copy.bases.is_empty());
            assert_eq!((rest.since, rest.until), (at(EFFECTIVE), at("2025-09-27T12:00:00Z")));
            assert_eq!(copy.kept, Ending::Due(rest.until));
        } else {
            assert!(copy.quarantine.is_none() && !copy.bases.is_empty());
        }
    }
    let swept = sweep(&world, RESTING).unwrap();
    assert_eq!((swept.total(), swept.quarantined), (0, COPIES));

    // One person alone can't, however often they ask.
    for _ in 0..3 {
        let asked = world.tenure.withdraw("consumer@2025-09-22", "ops", at(RESTING)).unwrap();
        assert!(matches!(asked, Withdrawal::Asked(_)));
    }
    assert_eq!(usable(&world, RESTING), 0);
    let withdrawn = world.tenure.withdraw("consumer@2025-09-22", "legal", at(RESTING)).unwrap();
    assert!(matches!(withdrawn, Withdrawal::Withdrawn { .. }));
    assert_eq!(usable(&world, RESTING), COPIES);
    assert_eq!(as_told(&world, RESTING), before);
    assert!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());

    // Nothing goes early, and everything goes in its time.
    assert_eq!(sweep(&world, RESTED).unwrap().total(), 0);
    let last: Instant = at("2025-10-02T09:59:59Z");
    assert_eq!(world.sweep(last).total(), 0);
    let world = world.reopened();
    let swept = world.sweep(at("2025-10-02T10:00:00Z"));
    assert_eq!((swept.total(), swept.causes["time"]), (10, 10));
    let swept = world.sweep(at("2025-10-20T00:00:00Z"));
    assert_eq!((swept.total(), swept.causes["time"]), (COPIES - 10, COPIES - 10));
    assert!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());
    world.integrity();
}

#[test]
fn the_guard_of_the_sweep_stops_what_nobody_withdrew() {
    let world = peopled();
    world.tenure.publish_allowing(&file(&mistyped()), Allowance::Anything, at(NOW)).unwrap();
    let stopped = sweep(&world, RESTED).unwrap_err();
    let Error::Guarded(excess) = stopped else { panic!("{stopped}") };
    assert_eq!((excess.copies, excess.live, excess.causes["terms"]), (COPIES, 2 * COPIES, COPIES));
    // It is not too late.
    world.tenure.withdraw("consumer@2025-09-22", "ops", at(RESTED)).unwrap();
    world.tenure.withdraw("consumer@2025-09-22", "legal", at(RESTED)).unwrap();
    assert_eq!(sweep(&world, RESTED).unwrap().total(), 0);
    assert_eq!(usable(&world, RESTED), COPIES);
}
