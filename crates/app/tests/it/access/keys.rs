//! API keys open until they are over, and nothing that is over opens again.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenure_access::{
    ApiKey, Caller, Environment, KeyTerms, Operation, Permit, Refusal, Role, Scope, StoredKey, Target, decide,
};
use tenure_app::{Error, KeyStateView, Tenure};
use tenure_model::Instant;
use tenure_vault::{LogKeys, Vault};

use super::house;
use crate::world::{Counting, World, at, contains};

const NOW: &str = "2025-09-01T00:00:00Z";

fn terms(role: Role, organisation: Option<&str>) -> KeyTerms {
    KeyTerms {
        environment: Environment::Test,
        owner: "platform".parse().unwrap(),
        role,
        scope: Scope { operations: None, organisation: organisation.map(|name| name.parse().unwrap()) },
        expires: at("2025-12-01T00:00:00Z"),
    }
}

fn mint(tenure: &Tenure) -> ApiKey {
    tenure.mint_key(&house(Operation::MintKey), terms(Role::App, None), at(NOW)).unwrap()
}

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> Refusal {
    match result.unwrap_err() {
        Error::Access(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

/// Another process over the same store. It has a vault of its own, which keys do not need.
fn beside(world: &World) -> (tempfile::TempDir, Tenure) {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    std::fs::create_dir(&data).unwrap();
    let vault = Arc::new(Vault::create(&data, &keys).unwrap());
    let log = LogKeys::create(&keys, &"tenure.example/test".parse().unwrap(), at(NOW)).unwrap();
    let entropy = Arc::new(Counting(5.into()));
    (folder, Tenure::new(Arc::clone(&world.store), vault, log, entropy))
}

fn micros_after(instant: &str, micros: i64) -> Instant {
    Instant::from_micros(at(instant).micros() + micros).unwrap()
}

#[test]
fn a_key_opens_for_whoever_it_was_minted_and_is_not_in_the_store() {
    let world = World::new();
    let key = mint(&world.tenure);
    let holder = world.tenure.open_key(&key, at(NOW)).unwrap();
    assert_eq!((holder.owner().as_str(), holder.role(), holder.key()), ("platform", Role::App, key.id()));
    let again: ApiKey = key.text().parse().unwrap();
    assert!(world.tenure.open_key(&again, at(NOW)).is_ok());
    let secret = key.text().split('_').nth(3).unwrap().to_owned();
    let world = world.reopened();
    assert!(world.tenure.open_key(&key, at(NOW)).is_ok());
    assert_eq!(refused(world.tenure.open_key(&key, at("2025-12-01T00:00:00Z"))), Refusal::KeyExpired);
    assert!(!contains(world.folder.path(), &secret));
    assert!(world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().is_sound());
}

#[test]
fn a_revoked_key_opens_nothing_from_that_moment_on_here_and_a_second_later_in_another_process() {
    let world = World::new();
    let key = mint(&world.tenure);
    let (_folder, other) = beside(&world);
    let revoke = house(Operation::RevokeKey);
    assert!(world.tenure.open_key(&key, at(NOW)).is_ok() && other.open_key(&key, at(NOW)).is_ok());
    world.tenure.revoke_key(&revoke, key.id(), at(NOW)).unwrap();
    assert_eq!(refused(world.tenure.open_key(&key, at(NOW))), Refusal::KeyRevoked);
    assert_eq!(refused(other.open_key(&key, micros_after(NOW, 1_000_000))), Refusal::KeyRevoked);
    // Nothing brings it back.
    world.tenure.revoke_key(&revoke, key.id(), micros_after(NOW, 5)).unwrap();
    let rotated =
        world.tenure.rotate_key(&house(Operation::RotateKey), key.id(), at(NOW), micros_after(NOW, 6));
    assert_eq!(refused(rotated), Refusal::KeyOver);
    let listed = world.tenure.keys(&house(Operation::ListKeys), None, 10, at(NOW)).unwrap();
    assert_eq!(listed[0].state, KeyStateView::Revoked { at: at(NOW) });
    let world = world.reopened();
    assert_eq!(refused(world.tenure.open_key(&key, at(NOW))), Refusal::KeyRevoked);
}

#[test]
fn both_secrets_open_until_the_overlap_ends() {
    let world = World::new();
    let old = mint(&world.tenure);
    let rotate = house(Operation::RotateKey);
    let until = at("2025-09-01T10:00:00Z");
    let new = world.tenure.rotate_key(&rotate, old.id(), until, at(NOW)).unwrap();
    let opens = |key: &ApiKey, now| world.tenure.open_key(key, now).is_ok();
    assert!(opens(&old, at(NOW)) && opens(&new, at(NOW)));
    assert!(!opens(&old, until) && opens(&new, until));
    assert_eq!(refused(world.tenure.open_key(&old, until)), Refusal::KeyUnknown);
    let newest = world.tenure.rotate_key(&rotate, old.id(), until, until).unwrap();
    assert!(!opens(&new, until) && opens(&newest, until), "without an overlap the one before ends at once");
}

#[test]
fn an_unknown_key_is_refused_like_a_wrong_secret() {
    let world = World::new();
    let key = mint(&world.tenure);
    let (_, stranger) = StoredKey::mint(terms(Role::App, None), [9; 8], [9; 32], at(NOW)).unwrap();
    assert_eq!(refused(world.tenure.open_key(&stranger, at(NOW))), Refusal::KeyUnknown);
    let (_, forged) = StoredKey::mint(terms(Role::App, None), key.id().0, [9; 32], at(NOW)).unwrap();
    assert_eq!(refused(world.tenure.open_key(&forged, at(NOW))), Refusal::KeyUnknown);
}

/// The permit of an admin of one organisation.
fn of_acme(tenure: &Tenure, operation: Operation) -> Permit {
    let key = tenure.mint_key(&house(Operation::MintKey), terms(Role::Admin, Some("acme")), at(NOW)).unwrap();
    let holder = tenure.open_key(&key, at(NOW)).unwrap();
    let acme = "acme".parse().unwrap();
    assert!(decide(&Caller::Key(&holder), operation, &Target::House).is_err());
    decide(&Caller::Key(&holder), operation, &Target::Organisation(&acme)).unwrap()
}

#[test]
fn an_admin_of_one_organisation_reaches_no_key_beyond_it() {
    let world = World::new();
    let (ours, tenure) = (mint(&world.tenure), &world.tenure);
    let minting = of_acme(tenure, Operation::MintKey);
    for beyond in [None, Some("other")] {
        let minted = tenure.mint_key(&minting, terms(Role::App, beyond), at(NOW));
        assert_eq!(refused(minted), Refusal::OrganisationOther);
    }
    let theirs = tenure.mint_key(&minting, terms(Role::App, Some("acme")), at(NOW)).unwrap();
    let revoking = of_acme(tenure, Operation::RevokeKey);
    assert_eq!(refused(tenure.revoke_key(&revoking, ours.id(), at(NOW))), Refusal::OrganisationOther);
    let rotating = of_acme(tenure, Operation::RotateKey);
    let rotated = tenure.rotate_key(&rotating, ours.id(), at(NOW), at(NOW));
    assert_eq!(refused(rotated), Refusal::OrganisationOther);
    tenure.revoke_key(&revoking, theirs.id(), at(NOW)).unwrap();
    let listing = of_acme(tenure, Operation::ListKeys);
    let listed = tenure.keys(&listing, None, 10, at(NOW)).unwrap();
    assert!(listed.len() == 5 && listed.iter().all(|key| key.organisation.as_deref() == Some("acme")));
    let all = tenure.keys(&house(Operation::ListKeys), None, 10, at(NOW)).unwrap();
    assert_eq!(all.len(), 6);
}

#[test]
fn keys_are_listed_in_slices_with_all_that_they_were_minted_for() {
    let world = World::new();
    let operations = BTreeSet::from([Operation::Flag, Operation::IngestBulk]);
    let scoped = KeyTerms {
        scope: Scope { operations: Some(operations.clone()), organisation: None },
        ..terms(Role::App, None)
    };
    let key = world.tenure.mint_key(&house(Operation::MintKey), scoped, at(NOW)).unwrap();
    let others = [mint(&world.tenure), mint(&world.tenure)];
    assert_eq!(world.tenure.open_key(&key, at(NOW)).unwrap().scope().operations, Some(operations));
    let list = house(Operation::ListKeys);
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let slice = world.tenure.keys(&list, after, 1, at(NOW)).unwrap();
        let Some(last) = slice.into_iter().next() else { break };
        after = tenure_app::parse_key_id(&last.id);
        seen.push(last);
    }
    let mut ids: Vec<String> = others.iter().chain([&key]).map(|key| key.id().to_string()).collect();
    ids.sort();
    assert_eq!(seen.iter().map(|key| key.id.clone()).collect::<Vec<_>>(), ids);
    let shown = seen.iter().find(|shown| shown.id == key.id().to_string()).unwrap();
    assert_eq!(shown.operations.as_deref(), Some(&["ingest-bulk".to_owned(), "flag".to_owned()][..]));
}

#[test]
fn a_permit_for_another_operation_reaches_no_key() {
    let world = World::new();
    let key = mint(&world.tenure);
    let list = house(Operation::ListKeys);
    assert_eq!(refused(world.tenure.revoke_key(&list, key.id(), at(NOW))), Refusal::PermitOther);
    assert_eq!(refused(world.tenure.mint_key(&list, terms(Role::App, None), at(NOW))), Refusal::PermitOther);
    let revoke = house(Operation::RevokeKey);
    assert_eq!(refused(world.tenure.keys(&revoke, None, 1, at(NOW))), Refusal::PermitOther);
    let unknown = world.tenure.revoke_key(&revoke, tenure_access::KeyId([9; 8]), at(NOW));
    assert!(matches!(unknown, Err(Error::UnknownKey)));
}
