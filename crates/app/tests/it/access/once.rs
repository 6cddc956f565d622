//! Requests that are sent again are done once.

use tenure_access::{Caller, Operation, Permit, Target, decide};
use tenure_app::{Error, Once, OnceAnswer, OnceTicket, Tenure, TokenTerms};
use tenure_model::Instant;
use tenure_store::{OnceState, StoreExt as _};

use super::{may, subject};
use crate::world::{World, at, contains};

const NOW: &str = "2025-09-01T00:00:00Z";

fn seconds(seconds: i64) -> Instant {
    Instant::from_micros(at(NOW).micros() + seconds * 1_000_000).unwrap()
}

fn flagging(name: &str) -> Permit {
    may(name, Operation::Flag, &Target::Account(&subject("a1")))
}

fn begin(tenure: &Tenure, who: &str, request: u8, second: i64) -> Once {
    tenure.begin_once(&flagging(who), ("key-1", [request; 32], false), seconds(second)).unwrap()
}

fn first(once: Once) -> OnceTicket {
    match once {
        Once::First(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

fn answer(body: &[u8]) -> OnceAnswer {
    OnceAnswer { status: 201, body: body.to_vec() }
}

#[test]
fn a_request_that_is_sent_again_gets_the_same_answer_for_a_day() {
    let world = World::new();
    world.open_account("a1", at(NOW));
    let ticket = first(begin(&world.tenure, "backend", 1, 0));
    assert!(matches!(begin(&world.tenure, "backend", 1, 1), Once::UnderWay));
    assert!(matches!(begin(&world.tenure, "backend", 2, 1), Once::Other));
    let said = answer(b"what was said to a person");
    assert!(world.tenure.finish_once(ticket, Some(&subject("a1")), &said).unwrap());
    let world = world.reopened();
    let again = begin(&world.tenure, "backend", 1, 86_399);
    assert!(matches!(&again, Once::Again(answer) if *answer == said), "{again:?}");
    assert!(matches!(begin(&world.tenure, "backend", 2, 86_399), Once::Other));
    assert!(!contains(world.folder.path(), "what was said to a person"), "it is sealed");
    assert!(matches!(begin(&world.tenure, "backend", 2, 86_400), Once::First(_)));
}

#[test]
fn another_sender_with_the_same_key_is_another() {
    let world = World::new();
    world.open_account("a1", at(NOW));
    let _ticket = first(begin(&world.tenure, "backend", 1, 0));
    let _other = first(begin(&world.tenure, "other", 1, 0));
}

#[test]
fn all_tokens_of_an_account_are_one_sender() {
    let world = World::new();
    let ada = subject("ada");
    let permit = |request: u8| {
        let minting = may("backend", Operation::MintDecideToken, &Target::Account(&ada));
        let terms = TokenTerms { audience: "a", from: seconds(0), until: seconds(600) };
        let text = world.tenure.mint_token(&minting, terms, seconds(0)).unwrap();
        let token = world.tenure.open_token(&text, "a", seconds(0)).unwrap();
        let bearer = world.tenure.claim_token(token, [request; 32]).unwrap();
        decide(&Caller::Person(&bearer), Operation::Decide, &Target::Account(&ada)).unwrap()
    };
    let begin = |permit: &Permit| world.tenure.begin_once(permit, ("k", [1; 32], false), seconds(0)).unwrap();
    let _ticket = first(begin(&permit(1)));
    assert!(matches!(begin(&permit(2)), Once::UnderWay));
}

#[test]
fn what_was_cut_short_is_taken_over_after_a_while_and_the_late_one_says_nothing() {
    let world = World::new();
    world.open_account("a1", at(NOW));
    let gone = first(begin(&world.tenure, "backend", 1, 0));
    assert!(matches!(begin(&world.tenure, "backend", 1, 300), Once::UnderWay));
    let ticket = first(begin(&world.tenure, "backend", 1, 301));
    assert!(!world.tenure.finish_once(gone, Some(&subject("a1")), &answer(b"late")).unwrap());
    assert!(world.tenure.finish_once(ticket, Some(&subject("a1")), &answer(b"in time")).unwrap());
    let again = begin(&world.tenure, "backend", 1, 302);
    assert!(matches!(&again, Once::Again(OnceAnswer { body, .. }) if body == b"in time"), "{again:?}");
}

#[test]
fn what_was_abandoned_is_begun_again_at_once() {
    let world = World::new();
    let ticket = first(begin(&world.tenure, "backend", 1, 0));
    world.tenure.abandon_once(ticket).unwrap();
    let ticket = first(begin(&world.tenure, "backend", 2, 0));
    // An answer about nobody is kept for the house.
    assert!(world.tenure.finish_once(ticket, None, &answer(b"")).unwrap());
    assert!(matches!(begin(&world.tenure, "backend", 2, 1), Once::Again(_)));
    assert_eq!(world.tenure.forget_requests(seconds(86_399)).unwrap(), 0);
    assert_eq!(world.tenure.forget_requests(seconds(86_400)).unwrap(), 1);
}

#[test]
fn an_answer_is_sealed_for_the_account_that_it_is_about() {
    let world = World::new();
    world.open_account("a1", at(NOW));
    let ticket = first(begin(&world.tenure, "backend", 1, 0));
    world.tenure.finish_once(ticket, Some(&subject("a1")), &answer(b"on")).unwrap();
    let key = world.tenure.account("a1").unwrap().key;
    let connection = rusqlite::Connection::open(world.folder.path().join("data/tenure.db")).unwrap();
    let (account, length): (i64, i64) = connection
        .query_row("SELECT account, length(answer) FROM once", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(account, key.0);
    assert!(length >= 512, "its length says nothing");
    // Once its evidence is gone, nothing new is kept about an account.
    let ticket =
        world.tenure.begin_once(&flagging("backend"), ("key-2", [1; 32], false), seconds(0)).unwrap();
    world
        .store
        .write(move |tx| {
            let row = tx.account(key)?.unwrap();
            tx.set_account_keys(key, &tenure_store::AccountKeys { proof: None, ..row.keys })
        })
        .unwrap();
    assert!(world.tenure.finish_once(first(ticket), Some(&subject("a1")), &answer(b"off")).unwrap());
    let again = world.tenure.begin_once(&flagging("backend"), ("key-1", [1; 32], false), seconds(1));
    assert!(matches!(again, Err(Error::ProofDestroyed)), "{again:?}");
    let kept: i64 = connection.query_row("SELECT count(*) FROM once", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 1);
}

#[test]
fn a_key_of_a_request_is_short_and_not_empty() {
    let world = World::new();
    for key in [String::new(), "k".repeat(256)] {
        let begun = world.tenure.begin_once(&flagging("backend"), (&key, [1; 32], false), seconds(0));
        assert!(matches!(begun, Err(Error::Refused(_))));
    }
    let done = OnceState::UnderWay { since: seconds(0) };
    let finished = world.store.write(move |tx| tx.finish_once(&[1; 32], seconds(0), &done));
    assert!(finished.is_err(), "what is under way is no answer");
}
