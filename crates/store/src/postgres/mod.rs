//! The store on PostgreSQL, for any number of processes at once.
//!
//! Its tables have the shape that Citus distributes: each is one account's in all its keys, or the same for everyone.
//! House jobs, which touch what is not one account's, come one after another; jobs of one account run beside them. See `docs/design/0008-postgresql.md`.

mod access;
mod accounts;
mod attempt;
mod backups;
mod columns;
mod conversations;
mod copies;
mod copy_row;
mod crew;
mod erasure;
mod failure;
mod hold_readers;
mod holds;
mod integrity;
mod leases;
mod link;
mod log;
mod meta;
mod migrate;
mod once;
mod pages;
mod policies;
mod query;
mod readers;
mod reports;
mod runs;
mod sequencer;
mod statements;
mod writer;

use crate::log::Tiles;
use crate::{AccountKey, Digest, Finding, ReadTx, Seq, Store, StoreError, Ticket, TreeHead, WriteJob};
use crew::Crew;
use link::{Link, Server};
use readers::Readers;
use sequencer::{Ledger, Placing};
use std::path::Path;
use std::sync::Arc;
use writer::{Waiting, Worker};

/// A store in a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresStore {
    /// Those who only look have none.
    writers: Option<Writers>,
    readers: Readers,
    ledger: Arc<Ledger>,
}

/// The threads that write. They end in this order once their work is done.
#[derive(Debug)]
struct Writers {
    crew: Crew,
    house: Worker<Waiting>,
    placing: Placing,
}

impl PostgresStore {
    /// Opens the store in the database of an address, such as `postgresql://user@host/database`; makes its tables if
    /// there are none, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Log`] if the log is not what the statements make it.
    pub fn open(address: &str) -> Result<Self, StoreError> {
        let server = Server::parse(address)?;
        migrate::migrate(&mut server.connect()?)?;
        let (readers, ledger) = Self::look(&server)?;
        let crew = Crew::start(&server, &ledger)?;
        let placing = Placing::start(server.clone(), Arc::clone(&ledger))?;
        let house = writer::house(server, Arc::clone(&ledger))?;
        Ok(Self { writers: Some(Writers { crew, house, placing }), readers, ledger })
    }

    /// Opens the store to look only: nothing can be written.
    pub fn observe(address: &str) -> Result<Self, StoreError> {
        let server = Server::parse(address)?;
        migrate::check(&mut server.connect()?)?;
        let (readers, ledger) = Self::look(&server)?;
        Ok(Self { writers: None, readers, ledger })
    }

    fn look(server: &Server) -> Result<(Readers, Arc<Ledger>), StoreError> {
        let readers = Readers::new(server.clone());
        let ledger = Arc::new(readers.snapshot(Ledger::load)?);
        Ok((readers, ledger))
    }
}

impl PostgresStore {
    /// Those who write; none of them may be waited for within a job.
    fn writers(&self) -> Result<&Writers, StoreError> {
        let writers = self.writers.as_ref().ok_or(StoreError::OnlyLooking)?;
        if attempt::in_job() { Err(StoreError::Nested) } else { Ok(writers) }
    }
}

impl Store for PostgresStore {
    fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError> {
        self.writers()?.house.submit(job)
    }

    fn submit_of(&self, account: AccountKey, job: WriteJob) -> Result<Ticket, StoreError> {
        self.writers()?.crew.submit(account, job)
    }

    fn place_of(&self, account: AccountKey, version: u64) -> Result<Seq, StoreError> {
        self.writers()?.placing.place_of(account, version)
    }

    fn repeats(&self) -> bool {
        true
    }

    fn snapshot(&self, job: &mut dyn FnMut(&mut dyn ReadTx)) -> Result<(), StoreError> {
        self.readers.snapshot(|tx| {
            job(tx);
            Ok(())
        })
    }

    fn head(&self) -> TreeHead {
        self.ledger.recent.head()
    }

    fn prove_inclusion(&self, leaf: Seq, size: u64) -> Result<Vec<Digest>, StoreError> {
        let place = u64::try_from(leaf.0).map_err(|_| StoreError::OutOfRange { column: "seq" })?;
        match self.ledger.recent.prove_inclusion(place, size) {
            Some(path) => Ok(path),
            None => self.readers.snapshot(|tx| Tiles::new(tx).prove_inclusion(leaf, size)),
        }
    }

    fn copy_to(&self, _: &Path, _: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        Err(StoreError::Engine {
            operation: "copy the database",
            reason: "PostgreSQL is backed up by its own tools: use `pg_basebackup` or `pg_dump`".to_owned(),
        })
    }

    /// There is nothing that a client can clear: PostgreSQL overwrites dead rows when its vacuum has freed them, and
    /// its log when it is recycled. What lies there is wrapped under keys that are destroyed.
    fn scrub(&self) -> Result<bool, StoreError> {
        Ok(true)
    }

    fn integrity(&self) -> Result<Vec<Finding>, StoreError> {
        self.readers.snapshot(integrity::check)
    }
}

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// To look at one state.
    Look,
    /// To write whatever it wants, in its turn.
    House,
    /// To write one account's rows, beside others.
    Account,
}

/// A transaction on one connection. The repositories are implemented on it, one file each.
#[derive(Debug)]
struct PgTx<'c> {
    link: &'c mut Link,
    work: Work,
    /// The place of the statement that is appended next, once this transaction gives places.
    next: Option<i64>,
}

impl<'c> PgTx<'c> {
    const fn new(link: &'c mut Link, work: Work) -> Self {
        Self { link, work, next: None }
    }

    /// Whether it writes.
    fn writes(&self) -> bool {
        self.work != Work::Look
    }
}
