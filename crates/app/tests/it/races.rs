//! Use cases that meet. Each is a sequence of transactions, snapshots and calls of the vault; here it stops before
//! every one of them, and whatever can come between comes between. `docs/design/0006-races.md` says why these are
//! all the places that matter, and which test fails for which check that is left out.

mod choices;
mod erased;
mod explore;
mod held;
mod pages;
mod policies;
mod ports;
mod restored;
mod runs;
mod stage;
mod sweepers;
mod threads;
mod turns;

use tenure_app::{Deletion, Error, HoldScope};
use tenure_model::Instant;

use crate::world::{World, at, conversation};
use explore::{Act, Played};
use stage::{Ground, Stage};

/// When the content of the people here is due.
const DUE: &str = "2025-10-02T00:00:00Z";
/// When everything that was released then is due too.
const GRACE_OVER: &str = "2025-11-02T00:00:00Z";

/// The content of accounts.
fn content_of(accounts: &[&str]) -> HoldScope {
    HoldScope {
        classes: vec!["content".to_owned()],
        accounts: Some(accounts.iter().map(|account| (*account).to_owned()).collect()),
        ..HoldScope::default()
    }
}

/// People who each said one thing on 1 September. Their bodies lie in one pack and their keys on one page for each
/// class; the first of them has deleted it.
fn people(accounts: &[&str]) -> World {
    people_in(World::new(), accounts)
}

fn people_in(world: World, accounts: &[&str]) -> World {
    for account in accounts {
        world.open_account(account, at("2025-08-01T00:00:00Z"));
    }
    let said = accounts.iter().map(|account| conversation(account, "c1", "pro", &["2025-09-01T00:00:00Z"]));
    world.import(said.collect(), at("2025-09-01T00:01:00Z"));
    let record = first_record(&world, accounts[0]);
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-02T00:00:00Z")).unwrap();
    world.sweep(at("2025-09-02T00:00:00Z"));
    world
}

fn first_record(world: &World, account: &str) -> tenure_store::RecordId {
    use tenure_store::StoreExt as _;
    let key = world.tenure.account(account).unwrap().key;
    world.store.read(|tx| tx.records_of(key, None, 1)).unwrap()[0].id
}

/// Boxes what one thread does.
fn act(act: impl FnOnce() -> Result<(), Error> + Send + 'static) -> Act {
    Box::new(act)
}

/// A sweep of everything that is due at an instant.
fn sweeps(stage: &Stage, now: Instant) -> Act {
    let tenure = stage.tenure.clone();
    act(move || stage::sweep(&tenure, now).map(drop))
}

/// That every thread did what it was to do.
fn all_did(played: &Played) {
    assert!(played.ended.iter().all(Result::is_ok), "somebody failed");
}
