//! What needs two people is done by two people, exactly as both wanted it, once.

use std::collections::BTreeMap;

use tenure_access::{Change, Digest, Operation, Permit, Refusal, Target};
use tenure_app::{Act, ChangeView, Done, Error, HoldScope, seen_digest};
use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{ChangeId, StoreExt as _};

use super::{house, may};
use crate::plan::{NOW, THIRTY_DAYS, next};
use crate::world::{World, at, conversation};

fn hours(hours: i64) -> Instant {
    Instant::from_micros(at(NOW).micros() + hours * 3_600_000_000).unwrap()
}

fn step(name: &str, operation: Operation, change: Change) -> Permit {
    may(name, operation, &Target::Change(change))
}

fn propose(world: &World, change: Change, act: &Act) -> Result<ChangeView, Error> {
    world.tenure.propose_change(&step("first", Operation::ProposeChange, change), act, hours(0))
}

fn id(change: &ChangeView) -> ChangeId {
    change.id.parse().unwrap()
}

fn seen(change: &ChangeView) -> Digest {
    seen_digest(&change.digest).unwrap()
}

fn approve(world: &World, name: &str, change: &ChangeView, hour: i64) -> Result<ChangeView, Error> {
    let kind = world.tenure.change_kind(id(change)).unwrap();
    let permit = step(name, Operation::ApproveChange, kind);
    world.tenure.approve_change(&permit, id(change), seen(change), hours(hour))
}

/// A change that two people want.
fn approved(world: &World, change: Change, act: &Act) -> ChangeId {
    let proposed = propose(world, change, act).unwrap();
    approve(world, "second", &proposed, 1).unwrap();
    id(&proposed)
}

fn carry_out(world: &World, act: &Act, approvals: &[ChangeId]) -> Result<Done, Error> {
    world.tenure.carry_out(&house(act.operation()), act.clone(), approvals, hours(2), &mut |_| {})
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result.unwrap_err() {
        Error::Access(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

fn content() -> HoldScope {
    HoldScope { classes: vec!["content".to_owned()], ..HoldScope::default() }
}

fn only_in(countries: &[&str]) -> HoldScope {
    let countries = countries.iter().map(|country| (*country).to_owned()).collect();
    HoldScope { countries: Some(countries), ..content() }
}

fn held() -> World {
    let world = World::new();
    world.tenure.place_hold("order", content(), true, at("2025-09-10T00:00:00Z")).unwrap();
    world
}

fn release(version: u32) -> Act {
    Act::ReleaseHold { hold: "order".to_owned(), version, dated: None }
}

fn amend(scope: HoldScope) -> Act {
    Act::AmendHold {
        hold: "order".to_owned(),
        version: 1,
        scope: Box::new(scope),
        may_tell: None,
        dated: None,
    }
}

fn is_released(world: &World) -> bool {
    world.tenure.hold("order").unwrap().released_at.is_some()
}

fn stated(world: &World) -> Vec<(String, String, String)> {
    let stated = world.tenure.operator_statements(&["change_approved"]).unwrap().into_iter();
    let parts = stated.map(|stated| match stated.statement {
        Statement::ChangeApproved { change, proposed_by, approved_by, .. } => {
            (change, proposed_by, approved_by)
        }
        other => panic!("{other:?}"),
    });
    parts.collect()
}

#[test]
fn a_hold_is_released_by_two_people_once_and_the_ledger_names_both() {
    let world = held();
    assert_eq!(refused(carry_out(&world, &release(1), &[])), Refusal::ApprovalMissing);
    let proposed = propose(&world, Change::ReleasesHold, &release(1)).unwrap();
    assert_eq!((proposed.state, &proposed.act), ("proposed", &release(1)));
    assert_eq!(refused(carry_out(&world, &release(1), &[id(&proposed)])), Refusal::ApprovalMissing);
    assert_eq!(refused(approve(&world, "first", &proposed, 1)), Refusal::ApproverSame);
    assert!(!is_released(&world));
    let approved = approve(&world, "second", &proposed, 1).unwrap();
    assert_eq!((approved.state, approved.by.as_deref()), ("approved", Some("second")));
    assert_eq!(carry_out(&world, &release(1), &[id(&proposed)]).unwrap(), Done::Released);
    let world = world.reopened();
    assert!(is_released(&world));
    let both = ("releases-hold".to_owned(), "first".to_owned(), "second".to_owned());
    assert_eq!(stated(&world), [both]);
    let listed = world.tenure.changes(&house(Operation::ListApprovals), None, 10, hours(3)).unwrap();
    assert_eq!((listed.len(), listed[0].state, listed[0].by.as_deref()), (1, "executed", Some("second")));
    assert!(matches!(carry_out(&world, &release(1), &[id(&proposed)]), Err(Error::UnknownHold)));
    assert!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());
}

#[test]
fn an_approval_is_of_one_version_of_one_hold_and_of_nothing_else() {
    let world = held();
    let approval = approved(&world, Change::ReleasesHold, &release(1));
    world.tenure.place_hold("other", content(), true, hours(1)).unwrap();
    let other = Act::ReleaseHold { hold: "other".to_owned(), version: 1, dated: None };
    assert_eq!(refused(carry_out(&world, &other, &[approval])), Refusal::ApprovalOther);
    let dated = Act::ReleaseHold { hold: "order".to_owned(), version: 1, dated: Some(hours(-1)) };
    assert_eq!(refused(carry_out(&world, &dated, &[approval])), Refusal::ApprovalOther);
    // The hold was amended meanwhile, by the operator's own shell.
    world.tenure.amend_hold("order", only_in(&["US"]), None, hours(1)).unwrap();
    assert!(matches!(carry_out(&world, &release(1), &[approval]), Err(Error::HoldMoved { version: 2, .. })));
    assert_eq!(refused(carry_out(&world, &release(2), &[approval])), Refusal::ApprovalOther);
    assert!(!is_released(&world) && stated(&world).is_empty());
}

#[test]
fn a_hold_may_be_widened_by_one_person_and_narrowed_by_two() {
    let world = World::new();
    world.tenure.place_hold("order", only_in(&["US", "CA"]), true, at("2025-09-10T00:00:00Z")).unwrap();
    let wider = amend(only_in(&["US", "CA", "MX"]));
    assert!(matches!(propose(&world, Change::ReleasesHold, &wider), Err(Error::Refused(_))));
    let narrower = amend(only_in(&["US"]));
    assert_eq!(refused(carry_out(&world, &narrower, &[])), Refusal::ApprovalMissing);
    let approval = approved(&world, Change::ReleasesHold, &narrower);
    assert_eq!(carry_out(&world, &narrower, &[approval]).unwrap(), Done::Amended { version: 2 });
    assert_eq!(refused(carry_out_amend(&world, 2, &["MX"], &[approval])), Refusal::ApprovalClosed);
    assert_eq!(carry_out_amend(&world, 2, &["US", "CA", "MX"], &[]).unwrap(), Done::Amended { version: 3 });
    assert_eq!(world.tenure.hold("order").unwrap().scope, only_in(&["US", "CA", "MX"]));
}

fn carry_out_amend(
    world: &World,
    version: u32,
    countries: &[&str],
    approvals: &[ChangeId],
) -> Result<Done, Error> {
    let (hold, scope) = ("order".to_owned(), Box::new(only_in(countries)));
    let act = Act::AmendHold { hold, version, scope, may_tell: None, dated: None };
    carry_out(world, &act, approvals)
}

#[test]
fn what_was_rejected_or_has_lapsed_is_not_done() {
    let world = held();
    let approval = approved(&world, Change::ReleasesHold, &release(1));
    let rejecting = step("third", Operation::RejectChange, Change::ReleasesHold);
    world.tenure.reject_change(&rejecting, approval, hours(1)).unwrap();
    assert_eq!(refused(carry_out(&world, &release(1), &[approval])), Refusal::ApprovalClosed);
    let proposed = propose(&world, Change::ReleasesHold, &release(1)).unwrap();
    assert_eq!(refused(approve(&world, "second", &proposed, 7 * 24)), Refusal::ApprovalLapsed);
    let listed =
        world.tenure.proposed_change(&house(Operation::ListApprovals), id(&proposed), hours(7 * 24)).unwrap();
    assert_eq!((listed.state, listed.since), ("lapsed", Some(hours(7 * 24))));
    assert!(!is_released(&world));
}

#[test]
fn whoever_changes_what_was_proposed_in_the_store_changes_nothing_that_is_done() {
    let world = held();
    let proposed = propose(&world, Change::ReleasesHold, &release(1)).unwrap();
    let connection = rusqlite::Connection::open(world.folder.path().join("data/tenure.db")).unwrap();
    let forged = "UPDATE changes SET about = replace(about, 'order', 'other')";
    assert!(connection.execute(forged, []).is_err(), "only what became of it changes");
    connection.execute("DROP TRIGGER changes_only_go_on", []).unwrap();
    connection.execute(forged, []).unwrap();
    let permit = step("second", Operation::ApproveChange, Change::ReleasesHold);
    let approved = world.tenure.approve_change(&permit, id(&proposed), seen(&proposed), hours(1));
    assert!(matches!(approved, Err(Error::Store(_))), "{approved:?}");
}

fn publish(text: &str) -> Act {
    Act::Publish { texts: vec![text.to_owned()], expect: None }
}

#[test]
fn a_version_that_ends_copies_earlier_needs_two_people_and_one_that_changes_nothing_does_not() {
    let world = World::new();
    let same = publish(&next(NOW, NOW, &[]));
    assert!(matches!(propose(&world, Change::ShortensRetention, &same), Err(Error::Refused(_))));
    let shorter = publish(&next(NOW, NOW, &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "20 days"))]));
    assert_eq!(refused(carry_out(&world, &shorter, &[])), Refusal::ApprovalMissing);
    assert!(matches!(propose(&world, Change::WidensUse, &shorter), Err(Error::Refused(_))));
    let approval = approved(&world, Change::ShortensRetention, &shorter);
    let other = publish(&next(NOW, NOW, &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "10 days"))]));
    assert_eq!(refused(carry_out(&world, &other, &[approval])), Refusal::ApprovalOther);
    let done = carry_out(&world, &shorter, &[approval]).unwrap();
    assert_eq!(done, Done::Published { versions: vec!["consumer@next".to_owned()] });
    assert_eq!(stated(&world).len(), 1);
    let world = World::new();
    let done = carry_out(&world, &same, &[]).unwrap();
    assert_eq!(done, Done::Published { versions: vec!["consumer@next".to_owned()] });
    assert!(stated(&world).is_empty());
}

#[test]
fn a_version_that_keeps_longer_is_a_widening_and_one_that_does_both_takes_an_approval_for_each() {
    let world = World::new();
    let longer = publish(&next(NOW, NOW, &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "40 days"))]));
    assert_eq!(refused(carry_out(&world, &longer, &[])), Refusal::ApprovalMissing);
    let grace = |text: &str| text.replace("grace     = \"30 days\"", "grace     = \"20 days\"");
    let both = grace(&next(NOW, NOW, &[(THIRTY_DAYS, &THIRTY_DAYS.replace("30 days", "40 days"))]));
    assert!(both.contains("grace     = \"20 days\""), "{both}");
    let both = publish(&both);
    let widens = approved(&world, Change::WidensUse, &both);
    assert_eq!(refused(carry_out(&world, &both, &[widens])), Refusal::ApprovalMissing);
    let shortens = approved(&world, Change::ShortensRetention, &both);
    carry_out(&world, &both, &[widens, shortens]).unwrap();
    assert_eq!(stated(&world).len(), 2);
}

#[test]
fn a_version_is_withdrawn_by_two_people() {
    let world = World::new();
    world.tenure.publish(&[("next.toml".to_owned(), next(NOW, NOW, &[]))], at(NOW)).unwrap();
    let act = Act::Withdraw { version: "consumer@next".to_owned() };
    assert_eq!(refused(carry_out(&world, &act, &[])), Refusal::ApprovalMissing);
    let approval = approved(&world, Change::WithdrawsVersion, &act);
    assert!(matches!(carry_out(&world, &act, &[approval]), Ok(Done::Withdrawn(_))));
    let policies = world.tenure.policies().unwrap();
    assert!(policies.named("consumer").unwrap().living(hours(2)).all(|(_, version)| version.name != "next"));
}

/// People whose content is due, more than the guard lets through.
fn crowded() -> World {
    let world = World::new();
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    let said = |number: usize| conversation("a1", &format!("c{number}"), "pro", &["2025-08-02T00:00:00Z"]);
    world.import((0..120).map(said).collect(), at("2025-08-02T00:01:00Z"));
    world
}

#[test]
fn the_guard_is_overridden_by_two_people_and_for_no_more_than_they_wanted() {
    let world = crowded();
    let Act::OverrideGuard { copies } = world.tenure.guard_override(hours(0)).unwrap() else { panic!() };
    let due: u64 = copies.values().sum();
    assert!(due > 100, "{copies:?}");
    let fewer: BTreeMap<String, u64> =
        copies.iter().map(|(class, count)| (class.clone(), count - 1)).collect();
    let less = Act::OverrideGuard { copies: fewer };
    let approval = approved(&world, Change::OverridesGuard, &less);
    assert!(matches!(carry_out(&world, &less, &[approval]), Err(Error::Guarded(_))));
    let listed = world.tenure.proposed_change(&house(Operation::ListApprovals), approval, hours(2)).unwrap();
    assert_eq!(listed.state, "approved", "it was not used up");
    let act = Act::OverrideGuard { copies };
    assert_eq!(refused(carry_out(&world, &act, &[])), Refusal::ApprovalMissing);
    let approval = approved(&world, Change::OverridesGuard, &act);
    let Done::Swept(swept) = carry_out(&world, &act, &[approval]).unwrap() else { panic!() };
    assert_eq!(swept.total(), due);
    assert_eq!(refused(carry_out(&world, &act, &[approval])), Refusal::ApprovalClosed);
}

#[test]
fn a_version_is_compared_with_whichever_it_comes_to_stand_beside() {
    let shorter = THIRTY_DAYS.replace("30 days", "20 days");
    let on_pro =
        THIRTY_DAYS.replace("deleted = false }", "deleted = false, surface = [\"free\", \"code\"] }");
    let pro = "pro  = { regime = \"consumer\" }\n";
    let without = next(NOW, NOW, &[(pro, "")]);
    let back = next("2025-09-20T13:00:00Z", "2025-09-20T13:00:00Z", &[(THIRTY_DAYS, &on_pro)]);
    let back = back.replace("version   = \"next\"", "version   = \"next-but-one\"");
    let acts = [
        // A surface is left out, and comes back with less.
        Act::Publish { texts: vec![without, back], expect: None },
        // Announced before all others, so that those who joined before them are bound by it.
        publish(&next("2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z", &[(THIRTY_DAYS, &shorter)])),
        // More may lose their basis than may without being told.
        Act::Publish { texts: vec![next(NOW, NOW, &[])], expect: Some(1_000) },
    ];
    for act in acts {
        let world = World::new();
        let needs = world.tenure.changes_of(&act, hours(0)).unwrap();
        assert!(needs.contains(&Change::ShortensRetention), "{act:?}");
        assert_eq!(refused(carry_out(&world, &act, &[])), Refusal::ApprovalMissing);
    }
}

#[test]
fn what_falls_due_beyond_what_two_people_wanted_waits() {
    let world = crowded();
    let Act::OverrideGuard { mut copies } = world.tenure.guard_override(hours(0)).unwrap() else { panic!() };
    let (class, count) = copies.iter().next().map(|(class, count)| (class.clone(), *count)).unwrap();
    // As if one more had fallen due after the first look, which would have refused it.
    copies.insert(class.clone(), count - 1);
    let swept = world.tenure.sweep_agreed(hours(2), copies, |_| Ok(()), &mut |_| {}).unwrap();
    assert_eq!(swept.destroyed.get(&class).copied().unwrap_or_default(), count - 1);
}

#[test]
fn a_permit_for_another_operation_carries_nothing_out() {
    let world = held();
    let approval = approved(&world, Change::ReleasesHold, &release(1));
    let permit = house(Operation::AmendHold);
    let done = world.tenure.carry_out(&permit, release(1), &[approval], hours(2), &mut |_| {});
    assert_eq!(refused(done), Refusal::PermitOther);
    let unknown = carry_out(&world, &release(1), &[ChangeId([9; 16])]);
    assert!(matches!(unknown, Err(Error::UnknownChange)));
    let rows = world.store.read(|tx| tx.changes(None, 10)).unwrap();
    assert_eq!(rows.len(), 1);
}

#[test]
fn a_reader_reads_under_a_permit_and_somebody_else_does_not() {
    let world = held();
    world.tenure.add_hold_reader("order", "counsel", hours(0)).unwrap();
    let readers = world.tenure.readers_now("order").unwrap();
    assert_eq!(readers, ["counsel".parse().unwrap()]);
    let permit = may("counsel", Operation::ReadHeld, &Target::Held { readers: &readers });
    let out = world.folder.path().join("read");
    let all = ("order", &tenure_app::HeldTarget::All);
    let access = world.tenure.read_held_by(&permit, all, &out, hours(1), &mut |_| {}).unwrap();
    assert_eq!(access.reader, "counsel");
    // The right went between the permit and the reading.
    world.tenure.remove_hold_reader("order", "counsel", hours(2)).unwrap();
    let out = world.folder.path().join("again");
    let refused = world.tenure.read_held_by(&permit, all, &out, hours(3), &mut |_| {});
    assert!(matches!(refused, Err(Error::Refused(_))) && !out.exists());
}
