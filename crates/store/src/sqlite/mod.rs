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
mod log;
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

use crate::log::{Recent, Tiles};
use crate::{Digest, Finding, ReadTx, Seq, Store, StoreError, Ticket, TreeHead, WriteJob};
use readers::Readers;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use tenure_tlog::incremental::Frontier;
use writer::Writer;

/// A store in one SQLite file (and its WAL beside it).
#[derive(Debug)]
pub struct SqliteStore {
    /// Those who only look have none.
    writer: Option<Writer>,
    readers: Readers,
    recent: Arc<Recent>,
}

impl SqliteStore {
    /// Opens the store in `path`; makes it if there is none, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Log`] if the log is not what the statements make it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(
            path,
            #[cfg(feature = "faults")]
            crate::faults::Faults::default(),
        )
    }

    /// Opens the store in `path` so that its commits fail as the handle says.
    #[cfg(feature = "faults")]
    pub fn open_with_faults(path: &Path, faults: crate::faults::Faults) -> Result<Self, StoreError> {
        Self::start(path, faults)
    }

    fn start(
        path: &Path,
        #[cfg(feature = "faults")] faults: crate::faults::Faults,
    ) -> Result<Self, StoreError> {
        let mut connection = open::for_writing(path)?;
        migrate::migrate(&mut connection)?;
        let (writer, recent) = Writer::start(
            connection,
            #[cfg(feature = "faults")]
            faults,
        )?;
        Ok(Self { writer: Some(writer), readers: Readers::new(path), recent })
    }

    /// Opens the store in `path` to look only, beside another process that may write: nothing can be written,
    /// and the log is taken as it is found.
    pub fn observe(path: &Path) -> Result<Self, StoreError> {
        let readers = Readers::new(path);
        readers.snapshot(migrate::check)?;
        Ok(Self { writer: None, readers, recent: Arc::new(Recent::new(&Frontier::new())) })
    }
}

impl Store for SqliteStore {
    fn submit(&self, job: WriteJob) -> Result<Ticket, StoreError> {
        self.writer.as_ref().ok_or(StoreError::OnlyLooking)?.submit(job)
    }

    fn snapshot(&self, job: &mut dyn FnMut(&mut dyn ReadTx)) -> Result<(), StoreError> {
        self.readers.snapshot(|connection| {
            job(&mut SqliteTx(connection));
            Ok(())
        })
    }

    fn head(&self) -> TreeHead {
        self.recent.head()
    }

    fn prove_inclusion(&self, leaf: Seq, size: u64) -> Result<Vec<Digest>, StoreError> {
        let place = u64::try_from(leaf.0).map_err(|_| StoreError::OutOfRange { column: "seq" })?;
        match self.recent.prove_inclusion(place, size) {
            Some(path) => Ok(path),
            None => self
                .readers
                .snapshot(|connection| Tiles::new(&mut SqliteTx(connection)).prove_inclusion(leaf, size)),
        }
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
