//! The suite on the embedded store, and what only the embedded store can show.

#![expect(clippy::unwrap_used, reason = "a helper of tests fails by panicking, as a test does")]

mod crash;
mod faults;
mod journal;
mod log;
mod postgres;
mod postgres_server;
mod postgres_shape;
mod sqlite;

use std::sync::Arc;
use tempfile::TempDir;
use tenure_store::conformance::{Engine, Instance};
use tenure_store::{SqliteStore, Store};

struct Sqlite;

fn sqlite_engine() -> Sqlite {
    Sqlite
}

impl Engine for Sqlite {
    fn fresh(&self) -> Instance {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("store.db");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&path).unwrap());
        // The copy of a database and its WAL while nobody writes is what a power loss would leave at least:
        // everything in it was written before the copy began.
        let after_power_loss = Box::new(move || -> Arc<dyn Store> {
            let copy = TempDir::new_in(folder.path()).unwrap().keep();
            for name in ["store.db", "store.db-wal"] {
                std::fs::copy(folder.path().join(name), copy.join(name)).unwrap();
            }
            Arc::new(SqliteStore::open(&copy.join("store.db")).unwrap())
        });
        Instance { store, after_power_loss }
    }
}

mod conformance {
    tenure_store::conformance_tests!(crate::sqlite_engine);
}
