//! The one question, asked by everybody about everything.

use tenure_access::{
    About, By, Caller, Change, Evidence, Operation, Refusal, Role, Said, Scope, Target, TokenPurpose, View,
    allows, decide,
};

use crate::{bearer, holder, only, principal, subject, user};

/// Asks about a target that every role which has the operation may reach.
fn asked(caller: &Caller<'_>, operation: Operation) -> Result<tenure_access::Permit, Refusal> {
    let (ada, readers, somebody) = (subject("acme", "ada"), [principal("owner")], principal("somebody"));
    let evidence = Evidence([1; 32]);
    let target = match operation.about() {
        About::House => Target::House,
        About::Account => Target::Account(&ada),
        About::OnBehalf => Target::OnBehalf { subject: &ada, said: Said::On, evidence: Some(&evidence) },
        About::Held => Target::Held { readers: &readers },
        About::Reader => Target::Reader(&somebody),
        About::Change => Target::Change(Change::ReleasesHold),
    };
    decide(caller, operation, &target)
}

#[test]
fn a_key_may_what_the_table_says_of_its_role_and_nothing_else() {
    for role in Role::ALL {
        let holder = holder(*role, Scope::default());
        for operation in Operation::ALL {
            let permitted = asked(&Caller::Key(&holder), *operation);
            // Whoever may not release a hold may not propose it either.
            let proposes = *operation == Operation::ProposeChange;
            let may = allows(*role, *operation) && (!proposes || allows(*role, Operation::ReleaseHold));
            assert_eq!(permitted.is_ok(), may || operation.is_public(), "{role} {operation}");
            if let Ok(permit) = permitted {
                assert_eq!(permit.operation(), *operation);
            }
        }
    }
}

#[test]
fn a_user_of_the_console_may_what_any_of_their_roles_may() {
    let both = user("owner", &[Role::Ml, Role::Admin]);
    for operation in Operation::ALL {
        let may = allows(Role::Ml, *operation) || allows(Role::Admin, *operation) || operation.is_public();
        assert_eq!(asked(&Caller::User(&both), *operation).is_ok(), may, "{operation}");
        let nobody = user("owner", &[]);
        assert_eq!(asked(&Caller::User(&nobody), *operation).is_ok(), operation.is_public());
    }
}

#[test]
fn without_a_credential_only_the_log_is_open() {
    for operation in Operation::ALL {
        let permitted = asked(&Caller::Anyone, *operation);
        if operation.is_public() {
            assert_eq!(permitted.unwrap().by(), &By::Anyone);
        } else {
            assert_eq!(permitted.unwrap_err(), Refusal::CredentialMissing);
        }
    }
}

#[test]
fn what_an_operation_is_not_about_is_refused_to_everybody() {
    let (ada, owner) = (subject("acme", "ada"), principal("owner"));
    let readers = [owner.clone()];
    let targets = [
        Target::House,
        Target::Organisation(ada.organisation.as_ref().unwrap()),
        Target::Account(&ada),
        Target::OnBehalf { subject: &ada, said: Said::Off, evidence: None },
        Target::Held { readers: &readers },
        Target::Reader(&owner),
        Target::Change(Change::WidensUse),
    ];
    let all = user("owner", Role::ALL);
    for operation in Operation::ALL {
        for target in targets.iter().filter(|target| target.about() != operation.about()) {
            let refused = decide(&Caller::User(&all), *operation, target).unwrap_err();
            assert_eq!(refused, Refusal::TargetMismatch, "{operation}");
        }
    }
}

#[test]
fn a_scope_leaves_out_what_it_does_not_name() {
    let sweeper = holder(Role::Privacy, only(&[Operation::RunSweep]));
    for operation in Operation::ALL.iter().filter(|operation| allows(Role::Privacy, **operation)) {
        let permitted = asked(&Caller::Key(&sweeper), *operation).map(drop);
        let expected =
            if *operation == Operation::RunSweep { Ok(()) } else { Err(Refusal::ScopeInsufficient) };
        assert_eq!(permitted, expected, "{operation}");
    }
}

#[test]
fn a_key_for_one_organisation_stays_within_it() {
    let (own, other, alone) = (subject("acme", "ada"), subject("other", "ada"), subject("", "ada"));
    let scope = Scope { operations: None, organisation: own.organisation.clone() };
    let holder = holder(Role::App, scope);
    let asked = |operation, target: &Target<'_>| decide(&Caller::Key(&holder), operation, target).map(drop);
    assert_eq!(asked(Operation::ReadAccount, &Target::Account(&own)), Ok(()));
    for beyond in [&other, &alone] {
        assert_eq!(asked(Operation::ReadAccount, &Target::Account(beyond)), Err(Refusal::OrganisationOther));
        let target = Target::OnBehalf { subject: beyond, said: Said::Off, evidence: None };
        assert_eq!(asked(Operation::DecideOnBehalf, &target), Err(Refusal::OrganisationOther));
    }
    assert_eq!(asked(Operation::IngestBulk, &Target::House), Err(Refusal::OrganisationOther));
    let organisation = Target::Organisation(own.organisation.as_ref().unwrap());
    assert_eq!(asked(Operation::IngestBulk, &organisation), Ok(()));
}

#[test]
fn somebody_elses_yes_needs_evidence_and_their_no_does_not() {
    let app = holder(Role::App, Scope::default());
    let (ada, evidence) = (subject("", "ada"), Evidence([1; 32]));
    let asked = |said, evidence| {
        let target = Target::OnBehalf { subject: &ada, said, evidence };
        decide(&Caller::Key(&app), Operation::DecideOnBehalf, &target).map(|permit| permit.subject().cloned())
    };
    for said in [Said::On, Said::Acknowledged] {
        assert_eq!(asked(said, None), Err(Refusal::EvidenceMissing));
        assert_eq!(asked(said, Some(&evidence)), Ok(Some(ada.clone())));
    }
    assert_eq!(asked(Said::Off, None), Ok(Some(ada.clone())));
    let alone = decide(&Caller::Key(&app), Operation::Decide, &Target::Account(&ada));
    assert_eq!(alone.map(drop), Err(Refusal::PersonOnly));
}

#[test]
fn only_a_reader_reads_what_a_hold_keeps_and_nobody_makes_themselves_one() {
    let (lawyer, all) = (user("counsel", &[Role::Legal]), user("chief", Role::ALL));
    let readers = [principal("counsel")];
    let read =
        |user, readers| decide(&Caller::User(user), Operation::ReadHeld, &Target::Held { readers }).map(drop);
    assert_eq!(read(&lawyer, &readers), Ok(()));
    assert_eq!(read(&lawyer, &[]), Err(Refusal::ReaderOnly));
    assert_eq!(read(&all, &readers), Err(Refusal::ReaderOnly));
    // The right does not outlive the role.
    assert_eq!(read(&user("counsel", &[Role::Auditor]), &readers), Err(Refusal::RoleInsufficient));

    let give =
        |to| decide(&Caller::User(&lawyer), Operation::GiveReader, &Target::Reader(&principal(to))).map(drop);
    assert_eq!((give("counsel"), give("second")), (Err(Refusal::ReaderSelf), Ok(())));
}

#[test]
fn whoever_may_not_see_holds_sees_what_the_person_may_be_told() {
    let ada = subject("", "ada");
    let target = Target::Account(&ada);
    for role in Role::ALL.iter().filter(|role| allows(**role, Operation::Explain)) {
        let holder = holder(*role, Scope::default());
        let view = decide(&Caller::Key(&holder), Operation::Explain, &target).unwrap().view();
        let expected = if allows(*role, Operation::ListHolds) { View::Whole } else { View::Told };
        assert_eq!(view, expected, "{role}");
    }
    let narrow = holder(Role::Privacy, only(&[Operation::Explain]));
    assert_eq!(decide(&Caller::Key(&narrow), Operation::Explain, &target).unwrap().view(), View::Told);
    let bearer = bearer(&ada, TokenPurpose::Read);
    assert_eq!(decide(&Caller::Person(&bearer), Operation::Explain, &target).unwrap().view(), View::Told);
}

#[test]
fn a_person_is_told_apart_what_is_not_theirs_to_ask() {
    let (ada, bob) = (subject("", "ada"), subject("", "bob"));
    let bearer = bearer(&ada, TokenPurpose::Read);
    let asked =
        |operation, whom| decide(&Caller::Person(&bearer), operation, &Target::Account(whom)).map(drop);
    assert_eq!(asked(Operation::ReadStanding, &ada), Ok(()));
    assert_eq!(asked(Operation::ReadStanding, &bob), Err(Refusal::AccountOther));
    assert_eq!(asked(Operation::Decide, &ada), Err(Refusal::PurposeOther));
    assert_eq!(asked(Operation::Flag, &ada), Err(Refusal::StaffOnly));
}

#[test]
fn minting_a_token_is_permitted_for_one_purpose_at_a_time() {
    let reads = holder(Role::App, only(&[Operation::MintReadToken]));
    for purpose in TokenPurpose::ALL {
        let permitted = asked(&Caller::Key(&reads), purpose.minting()).is_ok();
        assert_eq!(permitted, *purpose == TokenPurpose::Read, "{purpose}");
    }
}
