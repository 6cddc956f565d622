//! The embedded store: SQLite in WAL with full durability, one writer that commits in groups, and a few
//! connections that read.
//!
//! SQL only ever holds wrapped keys, because deleted rows survive in free pages, the WAL and backups.
//! `secure_delete` and [`Store::scrub`] clear what they can besides.

mod accounts;
mod columns;
mod conversations;
mod copies;
mod copy_row;
mod erasure;
mod failure;
mod holds;
mod integrity;
mod meta;
mod migrate;
mod open;
mod pages;
mod policies;
mod query;
mod readers;
mod runs;
mod statements;
mod writer;

use crate::{Finding, ReadTx, Store, StoreError, Ticket, WriteJob};
use readers::Readers;
use rusqlite::Connection;
use std::path::Path;
use writer::Writer;

/// A store in one SQLite file (and its WAL beside it).
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    readers: Readers,
}

impl SqliteStore {
    /// Opens the store in `path`; makes it if there is none, and brings an older schema up to date.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut connection = open::for_writing(path)?;
        migrate::migrate(&mut connection)?;
        Ok(Self { writer: Writer::start(connection)?, readers: Readers::new(path) })
    }
}

impl Store for SqliteStore {
    fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError> {
        self.writer.submit(job)
    }

    fn snapshot(&self, job: &mut dyn FnMut(&mut dyn ReadTx)) -> Result<(), StoreError> {
        self.readers.snapshot(|connection| {
            job(&mut SqliteTx(connection));
            Ok(())
        })
    }

    fn scrub(&self) -> Result<bool, StoreError> {
        self.readers.scrub()
    }

    fn integrity(&self) -> Result<Vec<Finding>, StoreError> {
        self.readers.snapshot(integrity::check)
    }
}

/// A transaction on one connection. The repositories are implemented on it, one file each.
#[derive(Debug)]
struct SqliteTx<'c>(&'c Connection);
