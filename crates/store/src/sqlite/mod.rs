//! The embedded store: SQLite in WAL with full durability, one writer that commits in groups, and a few
//! connections that read.
//!
//! SQL only ever holds wrapped keys, because deleted rows survive in free pages, the WAL and backups.
//! `secure_delete` and [`Store::scrub`] clear what they can besides.

mod access;
mod accounts;
mod backups;
mod checkpoint;
mod columns;
mod conversations;
mod copies;
mod copy;
mod copy_row;
mod erasure;
mod failure;
mod hold_readers;
mod holds;
mod integrity;
mod journal;
mod leases;
mod log;
mod meta;
mod migrate;
mod once;
mod open;
mod pages;
mod policies;
mod query;
mod readers;
mod reports;
mod runs;
mod statements;
mod writer;

use crate::log::{Recent, Tiles};
use crate::{
    Digest, Finding, Journal, JournalError, JournalMark, ReadTx, Seq, Store, StoreError, Ticket, TreeHead,
    WriteJob,
};
use checkpoint::Checkpoints;
use readers::Readers;
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use tenure_tlog::incremental::Frontier;
use writer::{Started, Writer};

/// A store in one SQLite file (and its WAL beside it).
#[derive(Debug)]
pub struct SqliteStore {
    /// Those who only look have none.
    writer: Option<Writer>,
    readers: Readers,
    recent: Arc<Recent>,
    replayed: u64,
}

impl SqliteStore {
    /// Opens the store in `path`; makes it if there is none, and brings an older schema up to date.
    ///
    /// # Errors
    /// [`StoreError::Log`] if the log is not what the statements make it, and [`crate::JournalError::Missing`] if
    /// the store is journalled: then it may be old, and only its journal says so.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::start(
            path,
            None,
            #[cfg(feature = "faults")]
            crate::faults::Faults::default(),
        )
    }

    /// Opens the store in `path` with its journal, and does again what the journal has beyond it. A store that was
    /// not journalled is from now on.
    ///
    /// # Errors
    /// [`StoreError::Journal`] if the two do not go together; nothing is changed then.
    pub fn open_journalled(path: &Path, journal: Box<dyn Journal>) -> Result<Self, StoreError> {
        Self::start(
            path,
            Some(journal),
            #[cfg(feature = "faults")]
            crate::faults::Faults::default(),
        )
    }

    /// Opens the store in `path` so that its commits fail as the handle says.
    #[cfg(feature = "faults")]
    pub fn open_with_faults(path: &Path, faults: crate::faults::Faults) -> Result<Self, StoreError> {
        Self::start(path, None, faults)
    }

    /// Opens the store in `path` with its journal so that its commits fail as the handle says.
    #[cfg(feature = "faults")]
    pub fn open_journalled_with_faults(
        path: &Path,
        journal: Box<dyn Journal>,
        faults: crate::faults::Faults,
    ) -> Result<Self, StoreError> {
        Self::start(path, Some(journal), faults)
    }

    fn start(
        path: &Path,
        journal: Option<Box<dyn Journal>>,
        #[cfg(feature = "faults")] faults: crate::faults::Faults,
    ) -> Result<Self, StoreError> {
        let mut connection = open::for_writing(path)?;
        if journal.is_none() && journal::is_journalled(&connection)? {
            return Err(JournalError::Missing.into());
        }
        migrate::migrate(&mut connection)?;
        let checkpoints = Checkpoints::beside(&mut connection, path)?;
        let Started { writer, recent, replayed } = Writer::start(
            (connection, checkpoints),
            journal,
            #[cfg(feature = "faults")]
            faults,
        )?;
        Ok(Self { writer: Some(writer), readers: Readers::new(path), recent, replayed })
    }

    /// How many groups of the journal were done again on opening.
    pub const fn replayed(&self) -> u64 {
        self.replayed
    }

    /// What the journal of the store in `path` is called; nothing if it is not journalled. The file must be there.
    pub fn journal_name(path: &Path) -> Result<Option<[u8; 16]>, StoreError> {
        let connection = open::for_reading(path)?;
        if journal::is_journalled(&connection)? { Ok(journal::known(&connection)?.name) } else { Ok(None) }
    }

    /// The group of the journal that the store in `path` ends with, as anyone may look it up; nothing if it is not
    /// journalled. The file must be there.
    pub fn journalled_up_to(path: &Path) -> Result<Option<JournalMark>, StoreError> {
        let connection = open::for_reading(path)?;
        if !journal::is_journalled(&connection)? {
            return Ok(None);
        }
        Ok(Some(journal::known(&connection)?.mark))
    }

    /// Opens the store in `path` to look only, beside another process that may write: nothing can be written,
    /// and the log is taken as it is found.
    pub fn observe(path: &Path) -> Result<Self, StoreError> {
        let readers = Readers::new(path);
        readers.snapshot(migrate::check)?;
        Ok(Self { writer: None, readers, recent: Arc::new(Recent::new(&Frontier::new())), replayed: 0 })
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

    fn waiting(&self) -> usize {
        self.writer.as_ref().map_or(0, Writer::waiting)
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

    fn copy_to(&self, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        self.readers.snapshot(|connection| copy::to_file(connection, file, progress))
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
