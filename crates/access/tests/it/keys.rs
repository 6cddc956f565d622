//! API keys: minted, read back, rotated, expired, revoked.

use proptest::prelude::*;
use tenure_access::{ApiKey, KeyState, Operation, Refusal, Role, Scope, StoredKey};

use crate::{at, only, terms};

const DAY: i64 = 86_400;

fn minted() -> (StoredKey, ApiKey) {
    StoredKey::mint(terms(Role::App, Scope::default()), [1; 8], [2; 32], at(0)).unwrap()
}

fn code(stored: &StoredKey, key: &ApiKey, seconds: i64) -> Result<(), Refusal> {
    StoredKey::check(Some(stored), key, at(seconds)).map(drop)
}

#[test]
fn a_key_opens_what_it_was_minted_for_until_it_expires() {
    let (stored, key) = minted();
    let holder = StoredKey::check(Some(&stored), &key, at(0)).unwrap();
    assert_eq!((holder.key(), holder.role(), holder.owner().as_str()), (key.id(), Role::App, "owner"));
    assert_eq!(code(&stored, &key, DAY - 1), Ok(()));
    assert_eq!(code(&stored, &key, DAY), Err(Refusal::KeyExpired));
}

#[test]
fn a_wrong_secret_and_an_unknown_id_are_refused_alike() {
    let (stored, key) = minted();
    let (other, guess) = StoredKey::mint(terms(Role::App, Scope::default()), [1; 8], [3; 32], at(0)).unwrap();
    assert_eq!(code(&stored, &guess, 0), Err(Refusal::KeyUnknown));
    assert_eq!(code(&stored, &guess, 2 * DAY), Err(Refusal::KeyUnknown), "nothing of its state is told");
    assert_eq!(StoredKey::check(None, &key, at(0)), Err(Refusal::KeyUnknown));
    let elsewhere = StoredKey { id: tenure_access::KeyId([9; 8]), ..other };
    assert_eq!(code(&elsewhere, &guess, 0), Err(Refusal::KeyUnknown));
}

#[test]
fn after_a_rotation_both_secrets_open_until_the_overlap_ends() {
    let (stored, old) = minted();
    let (stored, new) = stored.rotate([4; 32], at(100), at(10)).unwrap();
    assert_eq!(new.id(), old.id());
    assert_eq!((code(&stored, &old, 99), code(&stored, &new, 99)), (Ok(()), Ok(())));
    assert_eq!((code(&stored, &old, 100), code(&stored, &new, 100)), (Err(Refusal::KeyUnknown), Ok(())));

    let again = stored.clone().rotate([5; 32], at(200), at(99));
    assert_eq!(again.unwrap_err(), Refusal::RotationRunning);
    let (stored, newest) = stored.rotate([5; 32], at(200), at(100)).unwrap();
    assert_eq!((code(&stored, &new, 150), code(&stored, &newest, 150)), (Ok(()), Ok(())));
    assert_eq!(code(&stored, &old, 150), Err(Refusal::KeyUnknown));
}

#[test]
fn a_rotation_without_overlap_ends_the_old_secret_at_once() {
    let (stored, old) = minted();
    let (stored, new) = stored.rotate([4; 32], at(10), at(10)).unwrap();
    assert!(matches!(stored.state, KeyState::Live(_)));
    assert_eq!((code(&stored, &old, 10), code(&stored, &new, 10)), (Err(Refusal::KeyUnknown), Ok(())));
}

#[test]
fn a_revoked_key_opens_nothing_and_does_not_come_back() {
    let (stored, old) = minted();
    let (stored, new) = stored.rotate([4; 32], at(100), at(10)).unwrap();
    let stored = stored.revoke(at(20)).revoke(at(30));
    assert!(matches!(stored.state, KeyState::Revoked { at: since } if since == at(20)));
    assert_eq!(
        (code(&stored, &old, 25), code(&stored, &new, 25)),
        (Err(Refusal::KeyRevoked), Err(Refusal::KeyRevoked))
    );
    assert_eq!(stored.rotate([5; 32], at(40), at(30)).unwrap_err(), Refusal::KeyOver);
}

#[test]
fn a_key_lives_for_a_year_at_most_and_an_overlap_for_a_week() {
    for (seconds, fits) in [(0, false), (1, true), (366 * DAY, true), (366 * DAY + 1, false)] {
        let mut terms = terms(Role::App, Scope::default());
        terms.expires = at(seconds);
        assert_eq!(StoredKey::mint(terms, [1; 8], [2; 32], at(0)).is_ok(), fits, "{seconds}");
    }
    let (stored, _) = minted();
    assert_eq!(stored.clone().rotate([4; 32], at(7 * DAY + 1), at(0)).unwrap_err(), Refusal::KeyOverlap);
    assert_eq!(stored.rotate([4; 32], at(DAY), at(DAY)).unwrap_err(), Refusal::KeyOver);
}

#[test]
fn a_scope_narrows_its_role_and_never_widens_it() {
    let mint =
        |operation| StoredKey::mint(terms(Role::App, only(&[operation])), [1; 8], [2; 32], at(0)).map(drop);
    assert_eq!(mint(Operation::IngestBulk), Ok(()));
    assert_eq!(mint(Operation::PublishPolicy), Err(Refusal::ScopeBeyondRole));
}

proptest! {
    #[test]
    fn every_key_is_read_back_as_it_was_shown(id: [u8; 8], secret: [u8; 32]) {
        let (stored, key) = StoredKey::mint(terms(Role::Ml, Scope::default()), id, secret, at(0)).unwrap();
        let read: ApiKey = key.text().parse().unwrap();
        prop_assert_eq!(&*read.text(), &*key.text());
        prop_assert_eq!(code(&stored, &read, 0), Ok(()));
    }

    #[test]
    fn no_text_makes_the_parser_stumble(text: String) {
        prop_assert_eq!(text.parse::<ApiKey>().map(drop), Err(Refusal::KeyMalformed));
    }

    #[test]
    fn no_other_secret_opens_a_key(secret: [u8; 32], other: [u8; 32]) {
        prop_assume!(secret != other);
        let mint = |secret| StoredKey::mint(terms(Role::Ml, Scope::default()), [1; 8], secret, at(0)).unwrap();
        prop_assert_eq!(code(&mint(secret).0, &mint(other).1, 0), Err(Refusal::KeyUnknown));
    }
}
