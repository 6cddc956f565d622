//! A plan says what publishing will do, and what then happens is just that.

use std::collections::BTreeMap;

use tenure_app::explain::{CopyView, StageView};
use tenure_app::{Allowance, Deletion, Error, HoldScope, Plan, Scan, SweepOptions, Tally};
use tenure_model::{Choice, Instant};
use tenure_policy::explain::Ending;
use tenure_store::{RecordId, StoreError, StoreExt as _};

use crate::world::{EXAMPLE, World, at, conversation};

pub(crate) const NOW: &str = "2025-09-20T12:00:00Z";

/// The rule of the example that keeps content for thirty days after the last activity.
pub(crate) const THIRTY_DAYS: &str =
    "when  = { regime = \"consumer\", deleted = false }\nfor   = \"30 days\"\nfrom  = \"last_activity\"";

/// The example as a new version, with something said otherwise.
pub(crate) fn next(announced: &str, effective: &str, changes: &[(&str, &str)]) -> String {
    let dated = EXAMPLE
        .replace("version   = \"2025-10-08\"", "version   = \"next\"")
        .replace("announced = 2025-08-28T00:00:00Z", &format!("announced = {announced}"))
        .replace("effective = 2025-10-08T00:00:00Z", &format!("effective = {effective}"))
        .replace("decide_by = 2025-10-08T00:00:00Z", &format!("decide_by = {effective}"));
    changes.iter().fold(dated, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

pub(crate) fn file(text: &str) -> [(String, String); 1] {
    [("next.toml".to_owned(), text.to_owned())]
}

/// People of several minds, each with a conversation every other day, of whom something was deleted, flagged and
/// held.
fn peopled() -> World {
    let world = World::new();
    let accounts = ["yes", "changed", "no", "silent", "deleted", "flagged"];
    for account in accounts {
        world.open_account(account, at("2025-08-29T00:00:00Z"));
    }
    for (account, choice) in [("yes", Choice::On), ("changed", Choice::On), ("no", Choice::Off)] {
        world.decide(account, choice, at("2025-08-30T00:00:00Z"));
    }
    for account in accounts {
        let said = |day: u32| {
            let surface = if day % 4 == 1 { "pro" } else { "free" };
            let time = format!("2025-09-{day:02}T{:02}:30:00Z", day % 24);
            conversation(account, &format!("{account}-{day}"), surface, &[&time])
        };
        world.import((1..=19).step_by(2).map(said).collect(), at("2025-09-19T23:00:00Z"));
    }
    world.decide("changed", Choice::Off, at("2025-09-20T00:00:00Z"));
    let records = |account: &str| records_of(&world, account);
    for (place, record) in records("deleted").into_iter().enumerate().filter(|(place, _)| place % 3 == 0) {
        let deleted = Deletion::ConversationOf(record);
        assert_eq!(world.tenure.delete(deleted, at("2025-09-20T01:00:00Z")).unwrap(), 1, "{place}");
    }
    world.tenure.scan(records("flagged")[0], Scan::Flagged, at("2025-09-20T02:00:00Z")).unwrap();
    let scope = HoldScope {
        classes: vec!["content".to_owned()],
        accounts: Some(vec!["silent".to_owned()]),
        ..HoldScope::default()
    };
    world.tenure.place_hold("order", scope, true, at("2025-09-20T03:00:00Z")).unwrap();
    world
}

pub(crate) fn records_of(world: &World, account: &str) -> Vec<RecordId> {
    let key = world.tenure.account(account).unwrap().key;
    world
        .store
        .read(|tx| tx.records_of(key, None, 10_000))
        .unwrap()
        .into_iter()
        .map(|record| record.id)
        .collect()
}

/// Every live copy, by record and class, with the surface of its record.
fn copies(world: &World, now: Instant) -> BTreeMap<(RecordId, String), (String, CopyView)> {
    let accounts = world.store.read(|tx| tx.accounts(None, 1_000)).unwrap();
    let mut copies = BTreeMap::new();
    for account in accounts.iter().filter(|account| !account.id.is_empty()) {
        for record in records_of(world, &account.id) {
            let explained = world.tenure.explain(record, now).unwrap();
            for copy in explained.copies {
                if matches!(copy.stage, StageView { stage: "live", .. }) {
                    copies.insert((record, copy.class.clone()), (explained.record.surface.clone(), copy));
                }
            }
        }
    }
    copies
}

/// The end that the terms give, whatever a hold does.
fn end(copy: &CopyView) -> Option<Instant> {
    let until = |ending: &Ending| match ending {
        Ending::Until(until) => *until,
        _ => Instant::MAX,
    };
    copy.bases.iter().map(|basis| until(&basis.until)).max()
}

/// What really comes of it, judged copy by copy at each instant.
fn truth(world: &World, text: &str, moments: &[Instant], now: Instant) -> BTreeMap<(String, String), Tally> {
    let before: Vec<_> = moments.iter().map(|moment| copies(world, *moment)).collect();
    world.tenure.publish_allowing(&file(text), Allowance::Anything, now).unwrap();
    let after: Vec<_> = moments.iter().map(|moment| copies(world, *moment)).collect();
    let mut tallies = BTreeMap::<_, Tally>::new();
    for (copy, (surface, _)) in &before[0] {
        let tally = tallies.entry((copy.1.clone(), surface.clone())).or_default();
        tally.live += 1;
        let views = before.iter().zip(&after).map(|(was, is)| (&was[copy].1, &is[copy].1));
        let views: Vec<(&CopyView, &CopyView)> = views.collect();
        let lost = views.iter().position(|(was, is)| end(was).is_some() && end(is).is_none());
        if let Some(place) = lost {
            let goes = views[place].1.quarantine.map_or(moments[place], |rest| rest.until);
            tally.lost += 1;
            tally.held += u64::from(!views[place].1.holds.is_empty());
            tally.first = Some(tally.first.map_or(goes, |first| first.min(goes)));
            tally.last = tally.last.max(Some(goes));
        } else if let Some((was, is)) = views.last()
            && let Some((was, is)) = end(was).zip(end(is))
        {
            tally.sooner += u64::from(is < was);
            tally.longer += u64::from(is > was);
        }
    }
    tallies
}

fn by_name(plan: &Plan) -> BTreeMap<(String, String), Tally> {
    let tally = |class: &tenure_app::PlannedClass| {
        ((class.class.clone(), class.surface.clone()), Tally { today: 0, ..class.tally.clone() })
    };
    plan.classes.iter().map(tally).collect()
}

fn total(tallies: &BTreeMap<(String, String), Tally>, count: fn(&Tally) -> u64) -> u64 {
    tallies.values().map(count).sum()
}

/// Announced, effective, what is replaced by what, and whether anything loses its basis by it.
type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], bool);

#[test]
fn what_is_planned_is_what_happens_copy_by_copy() {
    let hours = THIRTY_DAYS.replace("30 days", "30 hours");
    let ten = THIRTY_DAYS.replace("30 days", "10 days");
    let free_only =
        THIRTY_DAYS.replace("deleted = false }", "deleted = false, surface = [\"free\", \"code\"] }");
    let days = "for   = \"indefinite\"\nfrom  = \"created\"";
    let finite = days.replace("indefinite", "12 days");
    let five = "standing.train = \"on\" }\nfor   = \"5 years\"";
    let weeks = five.replace("5 years", "2 weeks");
    let (soon, at_once) = ("2025-09-25T06:00:00Z", NOW);
    let cases: [Case<'_>; 9] = [
        (at_once, soon, &[(THIRTY_DAYS, &hours)], true),
        (at_once, at_once, &[(THIRTY_DAYS, &hours)], true),
        ("2025-09-10T00:00:00Z", "2025-09-12T00:00:00Z", &[(THIRTY_DAYS, &hours)], true),
        ("2025-09-10T00:00:00Z", soon, &[(THIRTY_DAYS, &ten)], true),
        (at_once, soon, &[(THIRTY_DAYS, &free_only)], true),
        (at_once, soon, &[(days, &finite), (five, &weeks)], true),
        (at_once, soon, &[("grace     = \"30 days\"", "grace     = \"3 days\"")], false),
        (at_once, soon, &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "60 days"))], false),
        (at_once, soon, &[], false),
    ];
    for (announced, effective, changes, loses) in cases {
        let world = peopled();
        let text = next(announced, effective, changes);
        let plan = world.tenure.plan(&file(&text), at(NOW)).unwrap();
        let at_most = world.tenure.plan_by_index(&file(&text), at(NOW)).unwrap();
        assert!(plan.exact);
        assert!(at_most.lost >= plan.lost && at_most.today >= plan.today, "{text}");
        let mut moments = vec![at(NOW), at(effective).max(at(NOW))];
        moments.dedup();
        let truth = truth(&world, &text, &moments, at(NOW));
        assert_eq!(by_name(&plan), truth, "{announced} {effective} {changes:?}");
        assert_eq!(plan.lost > 0, loses, "{changes:?}");
        assert_eq!((plan.live, plan.lost), (total(&truth, |of| of.live), total(&truth, |of| of.lost)));
    }
}

#[test]
fn what_loses_its_basis_goes_when_the_plan_says_and_not_before() {
    let world = peopled();
    let text =
        next(NOW, "2025-09-25T06:00:00Z", &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "30 hours"))]);
    let plan = world.tenure.plan(&file(&text), at(NOW)).unwrap();
    let content = |count: fn(&Tally) -> Option<Instant>| {
        plan.classes.iter().filter(|class| class.tally.lost > 0).filter_map(move |class| count(&class.tally))
    };
    let (first, last) = (content(|of| of.first).min().unwrap(), content(|of| of.last).max().unwrap());
    world.tenure.publish_allowing(&file(&text), Allowance::Anything, at(NOW)).unwrap();
    let sweep = |now: Instant| {
        let options = SweepOptions { allow: Allowance::Anything, ..SweepOptions::everything(now) };
        world.tenure.sweep(now, options, &mut |_| {}).unwrap().causes.get("terms").copied().unwrap_or(0)
    };
    let before = Instant::from_micros(first.micros() - 1).unwrap();
    assert_eq!(sweep(before), 0);
    let held: u64 = plan.classes.iter().map(|class| class.tally.held).sum();
    let gone = sweep(first);
    assert!(gone > 0 && gone < plan.lost - held && held > 0);
    // By then some go too that lost their basis only later.
    assert!(gone + sweep(last) >= plan.lost - held);
}

#[test]
fn a_version_that_waits_until_all_copies_of_today_are_gone_says_what_it_would_do_today() {
    let world = peopled();
    let text =
        next(NOW, "2027-01-01T00:00:00Z", &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "30 hours"))]);
    let plan = world.tenure.plan(&file(&text), at(NOW)).unwrap();
    assert_eq!(plan.lost, 0);
    let at_once = next(NOW, NOW, &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "30 hours"))]);
    let at_once = world.tenure.plan(&file(&at_once), at(NOW)).unwrap();
    assert_eq!((plan.today, plan.loss(), at_once.today), (at_once.lost, at_once.lost, 0));
    assert!(plan.today > 0);
}

#[test]
fn a_plan_says_whom_a_version_asks_and_in_what_it_widens() {
    let world = peopled();
    let longer = THIRTY_DAYS.replace("30 days", "60 days");
    let text = next(NOW, "2025-11-01T00:00:00Z", &[(THIRTY_DAYS, &longer)]);
    let plan = world.tenure.plan(&file(&text), at(NOW)).unwrap();
    let version = &plan.versions[0];
    // An `on` does not carry over to wider terms, and a `no` is remembered.
    assert_eq!((version.undecided, version.asks.as_slice()), (4, &["train".to_owned()][..]));
    assert_eq!(version.decide_by, Some(at("2025-11-01T00:00:00Z")));
    assert_eq!((version.before.as_deref(), version.widens.len()), (Some("2025-10-08"), 1));
    assert!(!version.widens[0].what.is_empty() && version.blocks && !version.reaches_back);
    let same = world.tenure.plan(&file(&next(NOW, "2025-11-01T00:00:00Z", &[])), at(NOW)).unwrap();
    assert_eq!((same.versions[0].undecided, same.versions[0].widens.len()), (3, 0));
}

#[test]
fn accounts_that_wait_to_be_filed_anew_are_planned_for_as_they_are() {
    let world = peopled();
    let text =
        next(NOW, "2025-09-25T06:00:00Z", &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "30 hours"))]);
    world.decide("silent", Choice::On, at("2025-09-20T05:00:00Z"));
    world.decide("yes", Choice::Off, at("2025-09-20T05:00:00Z"));
    let waiting = world.tenure.plan(&file(&text), at(NOW)).unwrap();
    world.sweep(at("2025-09-20T06:00:00Z"));
    let filed = world.tenure.plan(&file(&text), at(NOW)).unwrap();
    assert_eq!((waiting.lost, waiting.today), (filed.lost, filed.today));
}

#[test]
fn planning_changes_nothing_and_refuses_what_publishing_would() {
    let world = peopled();
    let before =
        world.store.read(|tx| Ok::<_, StoreError>((tx.statement_count()?, tx.policies()?.len()))).unwrap();
    world.tenure.plan(&file(&next(NOW, NOW, &[])), at(NOW)).unwrap();
    let refused = world.tenure.plan(&file("policy = 1"), at(NOW));
    assert!(matches!(refused, Err(Error::Policy(_))));
    let other = EXAMPLE.replace("Stored prompts and outputs", "Something else");
    assert!(matches!(world.tenure.plan(&file(&other), at(NOW)), Err(Error::PublishedOtherwise(_))));
    let after =
        world.store.read(|tx| Ok::<_, StoreError>((tx.statement_count()?, tx.policies()?.len()))).unwrap();
    assert_eq!(before, after);
}
