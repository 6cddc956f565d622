//! Subject tokens: forged, altered, late, early, misdirected and replayed ones are told apart and refused.

use proptest::prelude::*;
use tenure_access::{
    Caller, Claim, Operation, Refusal, Subject, Target, TokenId, TokenKey, TokenPurpose, TokenRing, Used,
    decide, used,
};

use crate::{AUDIENCE, at, bearer, grant, ring, subject};

fn minted() -> String {
    ring().mint(&grant(&subject("acme", "ada"), TokenPurpose::Decide), TokenId([3; 16])).unwrap().to_string()
}

fn opened(text: &str, audience: &str, seconds: i64) -> Result<Subject, Refusal> {
    ring().open(text, audience, at(seconds)).map(|token| token.subject().clone())
}

#[test]
fn a_token_is_good_for_its_account_from_its_first_instant_to_before_its_last() {
    let text = minted();
    assert_eq!(opened(&text, AUDIENCE, -1), Err(Refusal::TokenNotYet));
    assert_eq!(opened(&text, AUDIENCE, 0), Ok(subject("acme", "ada")));
    assert_eq!(opened(&text, AUDIENCE, 599), Ok(subject("acme", "ada")));
    assert_eq!(opened(&text, AUDIENCE, 600), Err(Refusal::TokenExpired));
}

#[test]
fn every_bit_of_a_token_counts() {
    let text = minted();
    for place in 0..text.len() {
        for bit in 0..8 {
            let mut bytes = text.clone().into_bytes();
            bytes[place] ^= 1 << bit;
            let Ok(altered) = String::from_utf8(bytes) else { continue };
            let refusal = opened(&altered, AUDIENCE, 1).unwrap_err();
            let forged = [Refusal::TokenForged, Refusal::TokenMalformed, Refusal::TokenKeyUnknown];
            assert!(forged.contains(&refusal), "{place} {bit} {refusal}");
        }
    }
}

#[test]
fn a_token_of_another_key_is_unknown_and_under_the_same_id_forged() {
    let text = minted();
    let opened = |id, secret| {
        let ring = TokenRing::new(TokenKey::new(id, &[secret; 32]), Vec::new());
        ring.open(&text, AUDIENCE, at(1)).map(drop)
    };
    assert_eq!(opened(1, 9), Ok(()));
    assert_eq!(opened(2, 9), Err(Refusal::TokenKeyUnknown));
    assert_eq!(opened(1, 8), Err(Refusal::TokenForged));
}

#[test]
fn after_a_rotation_tokens_of_the_old_key_open_and_new_ones_are_of_the_new() {
    let before = minted();
    let rotated = TokenRing::new(TokenKey::new(2, &[8; 32]), vec![TokenKey::new(1, &[9; 32])]);
    assert!(rotated.open(&before, AUDIENCE, at(1)).is_ok());
    let after = rotated.mint(&grant(&subject("", "ada"), TokenPurpose::Read), TokenId([4; 16])).unwrap();
    assert_eq!(opened(&after, AUDIENCE, 1), Err(Refusal::TokenKeyUnknown));
    let later = TokenRing::new(TokenKey::new(2, &[8; 32]), Vec::new());
    assert!(later.open(&after, AUDIENCE, at(1)).is_ok());
    assert_eq!(later.open(&before, AUDIENCE, at(1)).map(drop), Err(Refusal::TokenKeyUnknown));
}

#[test]
fn a_token_for_another_service_is_refused() {
    assert_eq!(opened(&minted(), "https://privacy.example.com", 1), Err(Refusal::TokenAudience));
}

#[test]
fn a_token_lives_for_an_hour_at_most() {
    let ada = subject("", "ada");
    for (seconds, fits) in [(-1, false), (0, false), (1, true), (3600, true), (3601, false)] {
        let grant = tenure_access::Grant { until: at(seconds), ..grant(&ada, TokenPurpose::Read) };
        assert_eq!(ring().mint(&grant, TokenId([3; 16])).is_ok(), fits, "{seconds}");
    }
}

#[test]
fn a_token_that_decides_is_good_for_one_request() {
    let open = || ring().open(&minted(), AUDIENCE, at(1)).unwrap();
    let claim = open().claim([1; 32]).unwrap();
    assert!(!open().present([1; 32], None).unwrap().is_again());
    assert!(open().present([1; 32], Some(&claim)).unwrap().is_again());
    assert_eq!(open().present([2; 32], Some(&claim)).unwrap_err(), Refusal::TokenSpent);
    let another = Claim { token: TokenId([4; 16]), ..claim };
    assert_eq!(
        used(&claim, Some(&another)),
        Used::Spent,
        "a store that gives back the wrong claim lets nothing in"
    );
    assert!(!claim.is_forgettable(at(600)) && claim.is_forgettable(at(600 + 3600)));
}

#[test]
fn a_token_that_reads_is_good_for_many() {
    let ada = subject("", "ada");
    let text = ring().mint(&grant(&ada, TokenPurpose::Read), TokenId([3; 16])).unwrap();
    let token = ring().open(&text, AUDIENCE, at(1)).unwrap();
    assert_eq!(token.claim([1; 32]), None);
    let earlier = Claim { token: token.id(), request: [2; 32], until: token.until() };
    assert!(token.present([1; 32], Some(&earlier)).is_ok());
}

#[test]
fn neither_the_text_of_a_token_nor_what_is_shown_of_it_names_the_account() {
    let token = ring().open(&minted(), AUDIENCE, at(1)).unwrap();
    let shown = format!("{:?} {token:?} {:?}", ring(), bearer(&subject("acme", "ada"), TokenPurpose::Read));
    assert!(!shown.contains("ada") && !shown.contains("acme"), "{shown}");
    assert!(!format!("{:?}", TokenKey::new(1, &[0xAB; 32])).contains("171"));
}

fn name() -> impl Strategy<Value = String> {
    "[a-z0-9äß -]{1,12}"
}

fn subjects() -> impl Strategy<Value = Subject> {
    (proptest::option::of(name()), name()).prop_map(|(organisation, account)| Subject {
        organisation: organisation.map(|name| name.parse().unwrap()),
        account: account.parse().unwrap(),
    })
}

fn purposes() -> impl Strategy<Value = TokenPurpose> {
    proptest::sample::select(TokenPurpose::ALL)
}

fn operations() -> impl Strategy<Value = Operation> {
    proptest::sample::select(Operation::ALL)
}

proptest! {
    #[test]
    fn a_token_permits_what_it_is_for_on_its_own_account_and_nothing_else(
        own in subjects(), other in subjects(), purpose in purposes(), operation in operations(),
    ) {
        let bearer = bearer(&own, purpose);
        let caller = Caller::Person(&bearer);
        let permitted = decide(&caller, operation, &Target::Account(&own));
        prop_assert_eq!(permitted.is_ok(), operation.purpose() == Some(purpose));
        if let Ok(permit) = permitted {
            prop_assert_eq!(permit.subject(), Some(&own));
        }
        if own != other {
            prop_assert!(decide(&caller, operation, &Target::Account(&other)).is_err());
        }
    }

    #[test]
    fn the_same_pseudonym_in_another_organisation_is_another_account(name in name(), purpose in purposes()) {
        let own = Subject { organisation: None, account: name.parse().unwrap() };
        let other = Subject { organisation: Some("acme".parse().unwrap()), ..own.clone() };
        for operation in Operation::ALL.iter().filter(|operation| operation.purpose() == Some(purpose)) {
            for (own, other) in [(&own, &other), (&other, &own)] {
                let bearer = bearer(own, purpose);
                let asked = decide(&Caller::Person(&bearer), *operation, &Target::Account(other));
                prop_assert_eq!(asked.map(drop), Err(Refusal::AccountOther));
            }
        }
    }

    #[test]
    fn what_was_minted_is_opened_as_it_was(own in subjects(), purpose in purposes(), id: [u8; 16]) {
        let text = ring().mint(&grant(&own, purpose), TokenId(id)).unwrap();
        let token = ring().open(&text, AUDIENCE, at(1)).unwrap();
        prop_assert_eq!((token.id(), token.purpose(), token.subject()), (TokenId(id), purpose, &own));
    }

    #[test]
    fn no_text_makes_the_reader_stumble(text in "(tns_)?[A-Za-z0-9_-]{0,300}") {
        prop_assert!(opened(&text, AUDIENCE, 1).is_err());
    }

    #[test]
    fn tokens_cut_or_spliced_are_refused(cut in 0_usize..220, other in 0_usize..220) {
        let one = minted();
        let two = ring().mint(&grant(&subject("acme", "bob"), TokenPurpose::Delete), TokenId([5; 16])).unwrap();
        let spliced: String = one.chars().take(cut).chain(two.chars().skip(other)).collect();
        prop_assume!(spliced != one && spliced != *two);
        prop_assert!(opened(&spliced, AUDIENCE, 1).is_err());
    }
}
