//! Subject tokens: one account, one purpose, one request, and no longer than they were minted for.

use tenure_access::{Caller, Operation, Refusal, SubjectToken, Target, decide};
use tenure_app::{Error, Tenure, TokenTerms};
use tenure_model::Instant;
use tenure_store::StoreExt as _;

use super::{may, subject};
use crate::world::{World, at};

const NOW: &str = "2025-09-01T00:00:00Z";
const AUDIENCE: &str = "https://tenure.example";

fn minutes(minutes: i64) -> Instant {
    Instant::from_micros(at(NOW).micros() + minutes * 60_000_000).unwrap()
}

fn mint(tenure: &Tenure, operation: Operation, from: i64) -> String {
    let ada = subject("ada");
    let permit = may("backend", operation, &Target::Account(&ada));
    let terms = TokenTerms { audience: AUDIENCE, from: minutes(from), until: minutes(from + 60) };
    tenure.mint_token(&permit, terms, minutes(from)).unwrap().to_string()
}

fn open(tenure: &Tenure, token: &str, minute: i64) -> Result<SubjectToken, Refusal> {
    match tenure.open_token(token, AUDIENCE, minutes(minute)) {
        Ok(token) => Ok(token),
        Err(Error::Access(refusal)) => Err(refusal),
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn a_token_is_for_its_account_and_purpose_and_for_no_other() {
    let world = World::new();
    let token = mint(&world.tenure, Operation::MintReadToken, 0);
    let bearer = world.tenure.claim_token(open(&world.tenure, &token, 1).unwrap(), [1; 32]).unwrap();
    let (ada, eve) = (subject("ada"), subject("eve"));
    let caller = Caller::Person(&bearer);
    assert!(decide(&caller, Operation::ReadStanding, &Target::Account(&ada)).is_ok());
    let other = decide(&caller, Operation::ReadStanding, &Target::Account(&eve));
    assert_eq!(other.unwrap_err(), Refusal::AccountOther);
    assert_eq!(
        decide(&caller, Operation::Decide, &Target::Account(&ada)).unwrap_err(),
        Refusal::PurposeOther
    );
    let elsewhere = world.tenure.open_token(&token, "https://other.example", minutes(1));
    assert!(matches!(elsewhere, Err(Error::Access(Refusal::TokenAudience))));
}

#[test]
fn without_a_ring_nothing_opens_and_a_permit_for_something_else_mints_nothing() {
    let world = World::new();
    let other = World::new();
    let token = mint(&other.tenure, Operation::MintReadToken, 0);
    assert_eq!(open(&world.tenure, &token, 1).unwrap_err(), Refusal::TokenKeyUnknown);
    let ada = subject("ada");
    let reading = may("backend", Operation::ReadAccount, &Target::Account(&ada));
    let terms = TokenTerms { audience: AUDIENCE, from: minutes(0), until: minutes(60) };
    let minted = world.tenure.mint_token(&reading, terms, minutes(0));
    assert!(matches!(minted, Err(Error::Access(Refusal::PermitOther))));
}

#[test]
fn a_token_for_one_request_serves_it_again_and_no_other_also_after_a_restart() {
    let world = World::new();
    let token = mint(&world.tenure, Operation::MintDecideToken, 0);
    let present = |tenure: &Tenure, request| tenure.claim_token(open(tenure, &token, 1).unwrap(), request);
    assert!(!present(&world.tenure, [1; 32]).unwrap().is_again());
    assert!(present(&world.tenure, [1; 32]).unwrap().is_again());
    let other = present(&world.tenure, [2; 32]);
    assert!(matches!(other, Err(Error::Access(Refusal::TokenSpent))));
    let world = world.reopened();
    assert!(present(&world.tenure, [1; 32]).unwrap().is_again());
    assert!(matches!(present(&world.tenure, [2; 32]), Err(Error::Access(Refusal::TokenSpent))));
}

#[test]
fn of_many_who_present_one_token_at_once_one_is_the_first() {
    let world = World::new();
    let token = mint(&world.tenure, Operation::MintDecideToken, 0);
    let outcomes: Vec<bool> = std::thread::scope(|scope| {
        let presenting = (0..8_u8).map(|number| {
            let (tenure, token) = (&world.tenure, &token);
            scope.spawn(move || tenure.claim_token(open(tenure, token, 1).unwrap(), [number; 32]).is_ok())
        });
        let presenting: Vec<_> = presenting.collect();
        presenting.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|served| **served).count(), 1);
}

#[test]
fn a_claim_is_kept_until_every_clock_refuses_the_token_and_forgotten_then() {
    let world = World::new();
    let token = mint(&world.tenure, Operation::MintDecideToken, 0);
    world.tenure.claim_token(open(&world.tenure, &token, 1).unwrap(), [1; 32]).unwrap();
    assert_eq!(world.tenure.forget_requests(minutes(120)).unwrap(), 0);
    let late = Instant::from_micros(minutes(120).micros() + 1).unwrap();
    assert_eq!(world.tenure.forget_requests(late).unwrap(), 1);
    assert_eq!(open(&world.tenure, &token, 120).unwrap_err(), Refusal::TokenExpired);
}

#[test]
fn after_a_rotation_older_tokens_open_until_they_end() {
    let world = World::new();
    let before = mint(&world.tenure, Operation::MintReadToken, 0);
    world.tenure.rotate_token_keys(false, minutes(10)).unwrap();
    let after = mint(&world.tenure, Operation::MintReadToken, 11);
    assert!(open(&world.tenure, &before, 59).is_ok() && open(&world.tenure, &after, 59).is_ok());
    world.tenure.rotate_token_keys(false, minutes(30)).unwrap();
    assert!(open(&world.tenure, &before, 59).is_ok() && open(&world.tenure, &after, 59).is_ok());
    let world = world.reopened();
    assert!(open(&world.tenure, &before, 59).is_ok() && open(&world.tenure, &after, 70).is_ok());
    assert_eq!(
        open(&world.tenure, &before, 71).unwrap_err(),
        Refusal::TokenKeyUnknown,
        "its key was dropped"
    );
}

#[test]
fn keys_that_leaked_end_at_once_with_all_their_tokens() {
    let world = World::new();
    let token = mint(&world.tenure, Operation::MintDecideToken, 0);
    assert!(open(&world.tenure, &token, 1).is_ok());
    world.tenure.rotate_token_keys(true, minutes(1)).unwrap();
    assert_eq!(open(&world.tenure, &token, 1).unwrap_err(), Refusal::TokenKeyUnknown);
    assert!(open(&world.tenure, &mint(&world.tenure, Operation::MintDecideToken, 1), 1).is_ok());
}

#[test]
fn the_keys_of_tokens_are_sealed_in_the_store_and_a_damaged_ring_opens_nothing() {
    let world = World::new();
    let token = mint(&world.tenure, Operation::MintReadToken, 0);
    let ring = world.store.read(|tx| tx.meta("access/token-keys")).unwrap().unwrap();
    assert!(ring.len() > 90 && ring.bytes().all(|digit| digit.is_ascii_hexdigit()));
    let damaged = format!("{ring}00");
    world.store.write(move |tx| tx.set_meta("access/token-keys", &damaged)).unwrap();
    let world = world.reopened();
    assert!(world.tenure.open_token(&token, AUDIENCE, minutes(1)).is_err());
}
