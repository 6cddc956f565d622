//! Decisions, sweeps and erasures over PostgreSQL.

use std::sync::Arc;

use tenure_app::{Deletion, TimeKeeping};
use tenure_model::Choice;
use tenure_store::{PostgresStore, StoreExt as _};

use crate::postgres_server::{Server, Version};
use crate::world::{EXAMPLE, World, at, conversation};

fn world(server: &Server) -> World {
    let store = Arc::new(PostgresStore::open(&server.address()).unwrap());
    let example = [("example.toml".to_owned(), EXAMPLE.to_owned())];
    let kept = (TimeKeeping::Simulated, at("2025-08-01T00:00:00Z"));
    World::over(store, tempfile::tempdir().unwrap(), kept, &example)
}

#[test]
fn what_many_people_decide_at_once_stands_with_its_receipts_and_is_swept_by() {
    let server = Server::start(Version::Newest);
    let world = world(&server);
    let people: Vec<String> = (0..6).map(|number| format!("a{number}")).collect();
    for id in &people {
        world.open_account(id, at("2025-08-01T00:00:00Z"));
    }
    let conversations =
        people.iter().map(|id| conversation(id, &format!("c-{id}"), "pro", &["2025-09-01T10:00:00Z"]));
    world.import(conversations.collect(), at("2025-09-01T12:00:00Z"));
    std::thread::scope(|scope| {
        for (number, id) in people.iter().enumerate() {
            let world = &world;
            scope.spawn(move || {
                for round in 0..5 {
                    let choice = if (number + round) % 2 == 0 { Choice::On } else { Choice::Off };
                    let now = at(&format!("2025-10-0{}T00:00:00Z", round + 1));
                    let answer = world.tenure.answer(id, "train", choice, None).unwrap();
                    let receipts = world.tenure.decide(id, answer, now).unwrap();
                    assert_eq!(receipts.len(), 1);
                }
                // The opening, and what was decided.
                assert_eq!(world.tenure.receipts(id, at("2025-10-06T00:00:00Z")).unwrap().len(), 6);
            });
        }
    });
    server.crash();
    for (number, id) in people.iter().enumerate() {
        let key = world.tenure.account(id).unwrap().key;
        let stated = world.store.read(|tx| tx.statements_of(key, &["decision"])).unwrap();
        assert_eq!(stated.len(), 5);
        world.sweep(at("2025-10-07T00:00:00Z"));
        assert!(!world.live(id).is_empty(), "person {number} has nothing left");
    }
    world.sweep(at("2031-01-01T00:00:00Z"));
    for id in &people {
        // The history is its person's to delete; what it was used for is gone.
        assert_eq!(world.live(id), ["history"]);
    }
    assert_eq!(world.tenure.verify_ledger(2, &|_, _, _| {}).unwrap().faults, []);
    world.integrity();
}

#[test]
fn an_account_is_erased_and_nothing_of_it_opens() {
    let server = Server::start(Version::Oldest);
    let world = world(&server);
    world.open_account("a1", at("2025-08-01T00:00:00Z"));
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T12:00:00Z"));
    world.decide("a1", Choice::On, at("2025-09-02T00:00:00Z"));
    world.tenure.delete(Deletion::Account("a1".to_owned()), at("2025-09-03T00:00:00Z")).unwrap();
    world.sweep(at("2025-12-01T00:00:00Z"));
    assert_eq!(world.live("a1"), Vec::<String>::new());
    // A no is taken also afterwards.
    world.decide("a1", Choice::Off, at("2025-12-02T00:00:00Z"));
    assert_eq!(world.tenure.verify_ledger(2, &|_, _, _| {}).unwrap().faults, []);
    world.integrity();
}
