//! Two people, exactly this, in time, once.

use proptest::prelude::*;
use tenure_access::{
    Approval, Caller, Change, Digest, Operation, Permit, Refusal, Role, State, Target, allows, decide,
};

use crate::{at, principal, user};

const DAY: i64 = 86_400;

fn step(name: &str, role: Role, operation: Operation, change: Change) -> Result<Permit, Refusal> {
    decide(&Caller::User(&user(name, &[role])), operation, &Target::Change(change))
}

fn proposing(change: Change) -> Permit {
    let role = Role::ALL.iter().find(|role| allows(**role, change.operations()[0])).unwrap();
    step("first", *role, Operation::ProposeChange, change).unwrap()
}

fn approving(name: &str, change: Change) -> Permit {
    step(name, Role::Legal, Operation::ApproveChange, change).unwrap()
}

fn rejecting(name: &str, change: Change) -> Permit {
    step(name, Role::Privacy, Operation::RejectChange, change).unwrap()
}

fn doing(change: Change) -> Permit {
    let all = user("first", Role::ALL);
    decide(&Caller::User(&all), change.operations()[0], &Target::House).unwrap()
}

fn what(change: Change) -> Digest {
    Digest::of(change, b"exactly this")
}

fn proposed(change: Change) -> Approval {
    Approval::propose(&proposing(change), what(change), at(0)).unwrap()
}

fn approved(change: Change) -> Approval {
    proposed(change).approve(&approving("second", change), what(change), at(10)).unwrap()
}

#[test]
fn two_people_who_want_exactly_this_may_do_it_once() {
    for change in Change::ALL.iter().copied() {
        let (done, two) = approved(change).execute(&doing(change), what(change), at(20)).unwrap();
        assert_eq!((two.change(), two.what()), (change, what(change)));
        assert_eq!((two.proposed_by().as_str(), two.approved_by().as_str()), ("first", "second"));
        assert_eq!(done.state, State::Executed { approved_by: principal("second"), at: at(20) });
        let again = done.execute(&doing(change), what(change), at(21));
        assert_eq!(again.unwrap_err(), Refusal::ApprovalClosed);
    }
}

#[test]
fn nobody_approves_what_they_proposed() {
    let change = Change::WidensUse;
    let own = proposed(change).approve(&approving("first", change), what(change), at(10));
    assert_eq!(own.unwrap_err(), Refusal::ApproverSame);
    let mut stored = approved(change);
    stored.state = State::Approved { by: principal("first"), at: at(10) };
    let forged = stored.execute(&doing(change), what(change), at(20));
    assert_eq!(forged.unwrap_err(), Refusal::ApproverSame);
}

#[test]
fn what_is_done_is_what_was_seen_and_approved() {
    let change = Change::ReleasesHold;
    let other = Digest::of(change, b"exactly that");
    let blind = proposed(change).approve(&approving("second", change), other, at(10));
    assert_eq!(blind.unwrap_err(), Refusal::ApprovalOther);
    let swapped = approved(change).execute(&doing(change), other, at(20));
    assert_eq!(swapped.unwrap_err(), Refusal::ApprovalOther);
    assert_ne!(Digest::of(Change::WidensUse, b"x"), Digest::of(Change::ShortensRetention, b"x"));
}

#[test]
fn a_proposal_lapses_after_a_week_and_an_approval_after_a_day() {
    let change = Change::OverridesGuard;
    let late =
        |seconds| proposed(change).approve(&approving("second", change), what(change), at(seconds)).map(drop);
    assert_eq!((late(7 * DAY - 1), late(7 * DAY)), (Ok(()), Err(Refusal::ApprovalLapsed)));
    let late = |seconds| approved(change).execute(&doing(change), what(change), at(seconds)).map(drop);
    assert_eq!((late(DAY + 9), late(DAY + 10)), (Ok(()), Err(Refusal::ApprovalLapsed)));
    assert_eq!(approved(change).at(at(9 * DAY)).state, State::Lapsed { at: at(DAY + 10) });
    assert_eq!(
        proposed(change).reject(&rejecting("second", change), at(8 * DAY)).unwrap_err(),
        Refusal::ApprovalLapsed
    );
}

#[test]
fn what_was_rejected_is_not_done() {
    let change = Change::WithdrawsVersion;
    for approval in [proposed(change), approved(change)] {
        let rejected = approval.reject(&rejecting("first", change), at(20)).unwrap();
        assert_eq!(rejected.state, State::Rejected { by: principal("first"), at: at(20) });
        let approve = rejected.clone().approve(&approving("second", change), what(change), at(21));
        assert_eq!(approve.unwrap_err(), Refusal::ApprovalClosed);
        assert_eq!(
            rejected.clone().reject(&rejecting("second", change), at(21)).unwrap_err(),
            Refusal::ApprovalClosed
        );
        let done = rejected.execute(&doing(change), what(change), at(21));
        assert_eq!(done.unwrap_err(), Refusal::ApprovalClosed);
    }
}

#[test]
fn one_person_alone_does_nothing() {
    let change = Change::ShortensRetention;
    let alone = proposed(change).execute(&doing(change), what(change), at(10));
    assert_eq!(alone.unwrap_err(), Refusal::ApprovalMissing);
}

#[test]
fn only_who_may_do_it_proposes_it_and_only_legal_and_privacy_approve() {
    for change in Change::ALL.iter().copied() {
        for role in Role::ALL.iter().copied() {
            let does = change.operations().iter().any(|operation| allows(role, *operation));
            assert_eq!(step("a", role, Operation::ProposeChange, change).is_ok(), does, "{role} {change}");
            let second = [Role::Legal, Role::Privacy].contains(&role);
            assert_eq!(step("a", role, Operation::ApproveChange, change).is_ok(), second, "{role} {change}");
        }
    }
}

#[test]
fn a_permit_for_another_step_or_change_is_no_good() {
    let change = Change::ReleasesHold;
    let other = approving("second", Change::WidensUse);
    assert_eq!(Approval::propose(&other, what(change), at(0)).unwrap_err(), Refusal::PermitOther);
    assert_eq!(Approval::propose(&doing(change), what(change), at(0)).unwrap_err(), Refusal::PermitOther);
    assert_eq!(proposed(change).approve(&other, what(change), at(1)).unwrap_err(), Refusal::PermitOther);
    assert_eq!(proposed(change).reject(&other, at(1)).unwrap_err(), Refusal::PermitOther);
    let publishing = doing(Change::WidensUse);
    assert_eq!(
        approved(change).execute(&publishing, what(change), at(20)).unwrap_err(),
        Refusal::PermitOther
    );
}

proptest! {
    /// Whatever is tried in whatever order, it is done only after somebody else approved it in time.
    #[test]
    fn nothing_is_done_without_two(steps in proptest::collection::vec((0..4_u8, 0..2_u8, 0..2 * DAY), 1..12)) {
        let change = Change::ReleasesHold;
        let (mut approval, mut now, mut approved_at) = (proposed(change), 0, None);
        for (kind, who, passed) in steps {
            now += passed;
            let name = ["first", "second"][usize::from(who)];
            let before = approval.clone();
            let after = match kind {
                0 | 1 => approval.approve(&approving(name, change), what(change), at(now)),
                2 => approval.reject(&rejecting(name, change), at(now)),
                _ => approval.execute(&doing(change), what(change), at(now)).map(|(approval, _)| approval),
            };
            match after.as_ref().map(|approval| &approval.state) {
                Ok(State::Approved { by, .. }) => {
                    prop_assert_eq!(by.as_str(), "second");
                    approved_at = Some(now);
                }
                Ok(State::Executed { .. }) => {
                    prop_assert!(approved_at.is_some_and(|approved| now < approved + DAY));
                }
                Ok(State::Rejected { .. }) => approved_at = None,
                Ok(state) => prop_assert!(false, "{state:?}"),
                Err(_) => {}
            }
            approval = after.unwrap_or(before);
        }
    }
}
