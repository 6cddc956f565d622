//! The key folder's journal, as the store takes it.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tenure_store::journal::Replaying;
use tenure_store::{Journal, JournalError, JournalMark, SqliteStore, StoreError};
use tenure_vault::{JournalFault, JournalPlace};

use crate::Error;

/// A journal that the store's writer and whoever takes backups share.
#[derive(Debug, Clone)]
pub struct SharedJournal(Arc<Mutex<tenure_vault::Journal>>);

impl SharedJournal {
    pub(super) fn new(journal: tenure_vault::Journal) -> Self {
        Self(Arc::new(Mutex::new(journal)))
    }

    /// A panic elsewhere leaves it as a failed write does: it refuses the next one itself.
    fn lock(&self) -> MutexGuard<'_, tenure_vault::Journal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The group after which it begins.
    pub fn begins_after(&self) -> u64 {
        self.lock().begins_after()
    }

    pub(super) fn drop_up_to(&self, number: u64) -> Result<(), Error> {
        self.lock().drop_up_to(number).map_err(|fault| told(&fault, number).into())
    }
}

/// What a fault of the journal means to a store that is at a group.
fn told(fault: &JournalFault, store: u64) -> JournalError {
    match *fault {
        JournalFault::InUse => JournalError::InUse,
        JournalFault::TooOpen(what) => JournalError::TooOpen(what),
        JournalFault::Damaged { after } => JournalError::Damaged { after },
        JournalFault::Short { begins_after } => JournalError::Short { store, begins: begins_after },
        JournalFault::Parted { number } => JournalError::Parted { number },
        JournalFault::Stopped => JournalError::Stopped,
        JournalFault::Unreachable { operation, kind } => JournalError::Unreachable { operation, kind },
        JournalFault::Cipher(_) => JournalError::Cipher,
        // Also what is left of one whose key is gone.
        _ => JournalError::Missing,
    }
}

/// What keeps a journal from being opened: its key may be what can't be had.
fn opening(fault: JournalFault, store: u64) -> Error {
    match fault {
        JournalFault::Keys(error) => error.into(),
        fault => told(&fault, store).into(),
    }
}

/// What a replay ends with: a fault of the journal, or of the store.
enum Ended {
    Journal(JournalFault),
    Store(StoreError),
}

impl From<JournalFault> for Ended {
    fn from(fault: JournalFault) -> Self {
        Self::Journal(fault)
    }
}

const fn mark(place: JournalPlace) -> JournalMark {
    JournalMark { number: place.number, link: place.tag }
}

impl Journal for SharedJournal {
    fn name(&self) -> [u8; 16] {
        self.lock().name()
    }

    fn newest(&self) -> JournalMark {
        mark(self.lock().newest())
    }

    fn settle(&mut self, store: JournalMark) -> Result<(), JournalError> {
        self.lock().settle(store.number).map_err(|fault| told(&fault, store.number))
    }

    fn append(&mut self, number: u64, group: &[u8]) -> Result<[u8; 16], JournalError> {
        self.lock().append(number, group).map_err(|fault| told(&fault, number))
    }

    fn replay(&mut self, after: JournalMark, visit: Replaying<'_>) -> Result<(), StoreError> {
        let place = JournalPlace { number: after.number, tag: after.link };
        let replayed =
            self.lock().replay(place, &mut |place, group| visit(mark(place), group).map_err(Ended::Store));
        replayed.map_err(|ended| match ended {
            Ended::Journal(fault) => told(&fault, after.number).into(),
            Ended::Store(error) => error,
        })
    }
}

/// A store that goes together with its journal.
#[derive(Debug)]
pub struct OpenedStore {
    /// The store.
    pub store: Arc<SqliteStore>,
    /// Its journal.
    pub journal: SharedJournal,
    /// How many groups were done again, which a restored database lacked.
    pub replayed: u64,
}

/// Opens the database in a file with the journal in a key folder, and does again what the database lacks. A new
/// database, or one from before there was a journal, gets one. The vault of the key folder should be open: its lock
/// keeps other processes away.
///
/// # Errors
/// [`JournalError`] where the two do not go together. Then nothing of the data may be relied on.
pub fn open_store(database: &Path, keys: &Path) -> Result<OpenedStore, Error> {
    let found = tenure_vault::Journal::open(keys).map_err(|fault| opening(fault, 0))?;
    let journal = match found {
        Some(journal) => journal,
        None if database.exists() && SqliteStore::journalled_up_to(database)?.is_some() => {
            return Err(JournalError::Missing.into());
        }
        None => tenure_vault::Journal::create(keys).map_err(|fault| opening(fault, 0))?,
    };
    let journal = SharedJournal::new(journal);
    let store = SqliteStore::open_journalled(database, Box::new(journal.clone()))?;
    Ok(OpenedStore { replayed: store.replayed(), store: Arc::new(store), journal })
}

/// Whether a database that is only looked at lacks more than the group that may be on its way into it, as one that
/// was restored and not opened yet does. It needs no key.
pub fn is_behind_its_journal(database: &Path, keys: &Path) -> Result<bool, Error> {
    // The journal first: what is written meanwhile makes the database newer than what was read of the journal.
    let Some(journal) = tenure_vault::Journal::peek(keys).map_err(|fault| opening(fault, 0))? else {
        return Ok(false);
    };
    let store = SqliteStore::journalled_up_to(database)?.unwrap_or_default().number;
    Ok(store.saturating_add(1) < journal)
}

/// Looks through a key folder's journal for all that comes after a mark, so that nothing is restored that could not
/// be brought up to date.
pub(super) fn check_reaches_back(keys: &Path, name: [u8; 16], after: JournalMark) -> Result<(), Error> {
    let found = tenure_vault::Journal::open(keys).map_err(|fault| opening(fault, after.number))?;
    let journal = found.ok_or(JournalError::Missing)?;
    if journal.name() != name {
        return Err(JournalError::Foreign.into());
    }
    let newest = journal.newest().number;
    if journal.is_broken() {
        // It was acknowledged, for all that is known here.
        return Err(JournalError::Damaged { after: newest }.into());
    }
    if newest < after.number {
        return Err(JournalError::Behind { store: after.number, journal: newest }.into());
    }
    let mut journal = SharedJournal::new(journal);
    Ok(journal.replay(after, &mut |_, _| Ok(()))?)
}
