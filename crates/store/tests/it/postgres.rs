//! The suite on PostgreSQL, and what only a server can show.

use crate::postgres_server::{Server, Version};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tenure_model::Instant;
use tenure_store::conformance::{Engine, Instance};
use tenure_store::{
    AccountFacts, AccountKey, AccountKeys, HoldRow, NewAccount, NewStatement, PostgresStore, Seq, Store,
    StoreError, StoreExt,
};

struct Postgres(Version);

fn oldest() -> Postgres {
    Postgres(Version::Oldest)
}

fn newest() -> Postgres {
    Postgres(Version::Newest)
}

impl Engine for Postgres {
    fn fresh(&self) -> Instance {
        let server = Server::start(self.0);
        let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&server.address()).unwrap());
        // A server that is killed loses all that it had not written out, as with the power.
        let after_power_loss = Box::new(move || -> Arc<dyn Store> {
            server.crash();
            Arc::new(PostgresStore::open(&server.address()).unwrap())
        });
        Instance { store, after_power_loss }
    }
}

mod conformance_15 {
    tenure_store::conformance_tests!(crate::postgres::oldest);
}

mod conformance_18 {
    tenure_store::conformance_tests!(crate::postgres::newest);
}

fn at(micros: i64) -> Instant {
    Instant::from_micros(micros).unwrap()
}

fn account(id: &str) -> NewAccount {
    NewAccount {
        id: id.to_owned(),
        organisation: None,
        facts: AccountFacts::default(),
        keys: AccountKeys::default(),
    }
}

fn statement(account: Option<AccountKey>, version: u64, mark: u8) -> NewStatement {
    NewStatement {
        account,
        version,
        kind: "decision".to_owned(),
        at: at(1),
        commitment: [mark; 32],
        sealed: vec![mark],
    }
}

fn open(server: &Server) -> PostgresStore {
    PostgresStore::open(&server.address()).unwrap()
}

#[test]
fn what_was_answered_before_the_server_was_killed_is_there() {
    let server = Server::start(Version::Oldest);
    let store = open(&server);
    let stop = AtomicBool::new(false);
    let answered: Vec<u64> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u64)
            .map(|writer| {
                let (store, stop) = (&store, &stop);
                scope.spawn(move || {
                    let mut answered = 0;
                    for number in 1.. {
                        if stop.load(Ordering::SeqCst) {
                            break;
                        }
                        let wrote: Result<(), StoreError> = store.write(move |tx| {
                            tx.append_statement(&statement(None, 0, 7))?;
                            tx.set_meta(&format!("writer{writer}"), &number.to_string())
                        });
                        // What was reported as failed may have been kept, but what is behind it was not tried.
                        if wrote.is_ok() {
                            answered = number;
                        }
                    }
                    answered
                })
            })
            .collect();
        for _ in 0..4 {
            std::thread::sleep(std::time::Duration::from_millis(300));
            server.crash();
        }
        stop.store(true, Ordering::SeqCst);
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let later = open(&server);
    for (writer, answered) in answered.iter().enumerate() {
        let kept = later.read(|tx| tx.meta(&format!("writer{writer}"))).unwrap().unwrap();
        let kept: u64 = kept.parse().unwrap();
        assert!(*answered > 0 && kept >= *answered, "{answered} was answered, {kept} is there");
    }
    assert_eq!(later.integrity().unwrap(), []);
}

#[test]
fn several_stores_over_one_database_go_on_with_one_log() {
    const EACH: i64 = 40;
    let server = Server::start(Version::Newest);
    let stores = [open(&server), open(&server), open(&server)];
    let mut places: Vec<i64> = std::thread::scope(|scope| {
        let writers: Vec<_> = stores
            .iter()
            .map(|store| {
                scope.spawn(move || {
                    let append = |_| store.write(|tx| tx.append_statement(&statement(None, 0, 3))).unwrap().0;
                    (0..EACH).map(append).collect::<Vec<_>>()
                })
            })
            .collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    places.sort_unstable();
    assert!(places.into_iter().eq(0..3 * EACH), "each place is given once");
    let head = stores[0].read(|tx| tx.tree_head()).unwrap().unwrap();
    assert_eq!(head.size, 120);
    // Every one of them proves every leaf, also those that another added.
    for store in &stores {
        for leaf in [0, 1, 59, 118, 119] {
            store.prove_inclusion(Seq(leaf), head.size).unwrap();
        }
        assert_eq!(store.integrity().unwrap(), []);
    }
}

#[test]
fn stores_that_are_opened_at_once_make_the_schema_once() {
    let server = Server::start(Version::Oldest);
    std::thread::scope(|scope| {
        let opening: Vec<_> = (0..6).map(|_| scope.spawn(|| drop(open(&server)))).collect();
        for opened in opening {
            opened.join().unwrap();
        }
    });
    assert_eq!(open(&server).integrity().unwrap(), []);
}

#[test]
fn a_newer_schema_and_one_in_another_form_are_refused() {
    let server = Server::start(Version::Oldest);
    drop(open(&server));
    let mut raw = server.client();
    raw.batch_execute("INSERT INTO schema_versions (id, digest) SELECT max(id) + 1, '' FROM schema_versions")
        .unwrap();
    let error = PostgresStore::open(&server.address()).unwrap_err();
    assert!(matches!(error, StoreError::NewerSchema { .. }), "{error}");
    raw.batch_execute(
        "DELETE FROM schema_versions WHERE id > 1 AND digest = ''; UPDATE schema_versions SET digest = '' WHERE id = 1",
    )
    .unwrap();
    let error = PostgresStore::open(&server.address()).unwrap_err();
    assert!(error.to_string().contains("migration 1 was run in another form"), "{error}");
}

#[test]
fn another_programs_database_is_left_alone() {
    let server = Server::start(Version::Oldest);
    server.client().batch_execute("CREATE TABLE theirs (x int)").unwrap();
    let error = PostgresStore::open(&server.address()).unwrap_err();
    assert!(error.to_string().contains("another program's tables"), "{error}");
    let found = PostgresStore::observe(&server.address()).unwrap_err();
    assert_eq!(found, StoreError::OlderSchema);
}

#[test]
fn a_server_that_does_not_write_durably_is_refused() {
    let server = Server::start_with(Version::Oldest, &["fsync=off"]);
    let error = PostgresStore::open(&server.address()).unwrap_err();
    assert!(error.to_string().contains("fsync"), "{error}");
}

#[test]
fn what_the_server_does_by_default_does_not_make_a_commit_less_durable() {
    let server = Server::start_with(Version::Oldest, &["synchronous_commit=off"]);
    let store = open(&server);
    for round in 0..5 {
        store.write(move |tx| tx.set_meta("round", &round.to_string())).unwrap();
        server.crash();
        assert_eq!(store.read(|tx| tx.meta("round")).unwrap(), Some(round.to_string()));
    }
}

#[test]
fn a_wrong_address_is_refused_without_being_repeated() {
    for address in
        ["postgresql://user:hunter2@[", "host=/nowhere user=hunter2", "sslmode=require password=hunter2"]
    {
        let error = PostgresStore::open(address).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn a_value_that_is_refused_is_in_no_message() {
    let server = Server::start(Version::Oldest);
    let store = open(&server);
    let secret = "account-4711\0";
    let error = store.write(move |tx| tx.insert_account(&account(secret))).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("4711"), "{error:?}");
}

#[test]
fn what_is_append_only_is_so_for_every_program() {
    let server = Server::start(Version::Newest);
    let store = open(&server);
    store
        .write(|tx| {
            tx.append_statement(&statement(None, 0, 1))?;
            tx.insert_hold(&HoldRow {
                id: "h".to_owned(),
                version: 1,
                placed_at: at(1),
                released_at: None,
                may_tell: false,
                scope: "{}".to_owned(),
            })
        })
        .unwrap();
    let mut raw = server.client();
    for sql in [
        "UPDATE statements SET kind = 'other'",
        "UPDATE statements SET seq = 5",
        "UPDATE statements SET seq = NULL",
        "DELETE FROM statements",
        "UPDATE holds SET scope = '[]'",
        "UPDATE holds SET may_tell = TRUE, released_at = 5",
        "DELETE FROM holds",
        "UPDATE log SET size = 0",
        "DELETE FROM log",
    ] {
        let error = raw.batch_execute(sql).unwrap_err();
        assert!(error.as_db_error().is_some_and(|said| said.message() == "append-only"), "{sql}: {error}");
    }
    raw.batch_execute("UPDATE holds SET released_at = 5").unwrap();
}

#[test]
fn a_job_that_submits_another_is_told_so_instead_of_waiting_forever() {
    let server = Server::start(Version::Oldest);
    let store = Arc::new(open(&server));
    let inner = Arc::clone(&store);
    let outcome: Result<(), StoreError> = store.write(move |_| inner.write(|tx| tx.set_meta("a", "1")));
    assert_eq!(outcome, Err(StoreError::Nested));
}

#[test]
fn a_failure_that_a_job_takes_lightly_is_not_committed() {
    let server = Server::start(Version::Oldest);
    let store = open(&server);
    let outcome: Result<(), StoreError> = store.write(|tx| {
        tx.insert_account(&account("a"))?;
        drop(tx.insert_account(&account("a")));
        Ok(())
    });
    assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
    assert_eq!(store.read(|tx| tx.account_by_id(None, "a")).unwrap(), None);
}

#[test]
fn those_who_look_only_write_nothing() {
    let server = Server::start(Version::Oldest);
    let store = open(&server);
    store.write(|tx| tx.set_meta("a", "1")).unwrap();
    let looking = PostgresStore::observe(&server.address()).unwrap();
    assert_eq!(looking.read(|tx| tx.meta("a")).unwrap().as_deref(), Some("1"));
    let outcome: Result<(), StoreError> = looking.write(|tx| tx.set_meta("a", "2"));
    assert_eq!(outcome, Err(StoreError::OnlyLooking));
}
