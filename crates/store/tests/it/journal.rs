//! The journal: what was written is done again from it, to the last row, and a store that does not go together with
//! its journal serves nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rusqlite::Connection;
use tempfile::TempDir;
use tenure_model::Instant;
use tenure_store::conformance::{self, Engine, Instance};
use tenure_store::faults::{Fault, Faults};
use tenure_store::journal::Replaying;
use tenure_store::{
    AccountFacts, AccountKeys, ApiKeyId, ApiKeyRow, ApiKeySecrets, ClaimRow, Journal, JournalError,
    JournalMark, NewAccount, SqliteStore, Store, StoreError, StoreExt,
};

use crate::log::statement;

/// How the next append goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fail {
    Lost,
    DoneButFailed,
}

#[derive(Debug, Clone, Default)]
struct Groups {
    name: [u8; 16],
    /// How many groups from the first on are no longer there.
    dropped: usize,
    appended: Vec<Vec<u8>>,
    fail: Option<Fail>,
}

/// A journal that outlives every store that is opened with it.
#[derive(Debug, Clone, Default)]
struct Memory(Arc<Mutex<Groups>>);

impl Memory {
    fn named(name: u8) -> Self {
        let memory = Self::default();
        memory.0.lock().unwrap().name = [name; 16];
        memory
    }

    /// What it has now, apart from what comes later.
    fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().unwrap().clone())))
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().appended.len()
    }

    fn fail(&self, how: Fail) {
        self.0.lock().unwrap().fail = Some(how);
    }

    fn boxed(&self) -> Box<dyn Journal> {
        Box::new(self.clone())
    }
}

impl Groups {
    fn mark(&self, number: usize) -> JournalMark {
        let mut link = [0; 16];
        for (place, byte) in self.appended.iter().take(number).flatten().enumerate() {
            let slot: &mut u8 = link.get_mut(place % 16).unwrap();
            *slot = slot.wrapping_mul(31).wrapping_add(*byte);
        }
        JournalMark { number: number as u64, link }
    }
}

const UNREACHABLE: JournalError =
    JournalError::Unreachable { operation: "write to the journal", kind: std::io::ErrorKind::StorageFull };

impl Journal for Memory {
    fn name(&self) -> [u8; 16] {
        self.0.lock().unwrap().name
    }

    fn newest(&self) -> JournalMark {
        let groups = self.0.lock().unwrap();
        groups.mark(groups.appended.len())
    }

    fn settle(&mut self, _: JournalMark) -> Result<(), JournalError> {
        Ok(())
    }

    fn append(&mut self, number: u64, group: &[u8]) -> Result<[u8; 16], JournalError> {
        let mut groups = self.0.lock().unwrap();
        assert_eq!(number, groups.appended.len() as u64 + 1);
        let fail = groups.fail.take();
        if fail != Some(Fail::Lost) {
            groups.appended.push(group.to_vec());
        }
        if fail.is_some() { Err(UNREACHABLE) } else { Ok(groups.mark(groups.appended.len()).link) }
    }

    fn replay(&mut self, after: JournalMark, visit: Replaying<'_>) -> Result<(), StoreError> {
        let groups = self.0.lock().unwrap().clone();
        let from = usize::try_from(after.number).unwrap();
        if from < groups.dropped {
            return Err(JournalError::Short { store: after.number, begins: groups.dropped as u64 }.into());
        }
        if groups.mark(from) != after {
            return Err(JournalError::Parted { number: after.number }.into());
        }
        for (number, group) in groups.appended.iter().enumerate().skip(from) {
            visit(groups.mark(number + 1), group)?;
        }
        Ok(())
    }
}

/// Every row of every table, in words.
fn rows(path: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(path).unwrap();
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    names
        .into_iter()
        .map(|name| {
            let mut statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
            let columns = statement.column_count();
            let words = |row: &rusqlite::Row<'_>| {
                let value = |column| row.get::<_, rusqlite::types::Value>(column).unwrap();
                Ok(format!("{:?}", (0..columns).map(value).collect::<Vec<_>>()))
            };
            let mut rows: Vec<String> = statement.query_map([], words).unwrap().map(Result::unwrap).collect();
            rows.sort();
            (name, rows)
        })
        .collect()
}

struct Folder {
    folder: TempDir,
    journal: Memory,
}

impl Folder {
    fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), journal: Memory::named(1) }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("store.db")
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open_journalled(&self.path(), self.journal.boxed())
    }

    fn faulty(&self) -> (SqliteStore, Faults) {
        let faults = Faults::default();
        let store =
            SqliteStore::open_journalled_with_faults(&self.path(), self.journal.boxed(), faults.clone());
        (store.unwrap(), faults)
    }

    /// A backup of the store as it is.
    fn backup(&self, store: &SqliteStore) -> PathBuf {
        let file = self.folder.path().join(format!("backup-{}.db", self.journal.len()));
        store.copy_to(&file, &mut |done, all| assert!(done <= all)).unwrap();
        file
    }

    /// Puts a backup in the store's place.
    fn restore(&self, backup: &Path) {
        for ending in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(self.folder.path().join(format!("store.db{ending}"))));
        }
        std::fs::copy(backup, self.path()).unwrap();
    }
}

fn account(id: &str) -> NewAccount {
    NewAccount {
        id: id.to_owned(),
        organisation: None,
        facts: AccountFacts::default(),
        keys: AccountKeys::default(),
    }
}

fn add(store: &SqliteStore, id: &'static str) -> Result<(), StoreError> {
    store.write(move |tx| {
        tx.insert_account(&account(id))?;
        tx.append_statement(&statement(id.len() as u64)).map(drop)
    })
}

fn has(store: &SqliteStore, id: &str) -> bool {
    store.read(|tx| tx.account_by_id(None, id)).unwrap().is_some()
}

/// Makes journalled stores, and keeps the last one's journal and file.
#[derive(Default)]
struct Journalled(Mutex<Option<Arc<Folder>>>);

impl Engine for Journalled {
    fn fresh(&self) -> Instance {
        let folder = Arc::new(Folder::new());
        let store: Arc<dyn Store> = Arc::new(folder.open().unwrap());
        *self.0.lock().unwrap() = Some(Arc::clone(&folder));
        let after_power_loss = Box::new(move || -> Arc<dyn Store> {
            let copy = TempDir::new_in(folder.folder.path()).unwrap().keep();
            // The journal is copied last: it is never behind.
            for name in ["store.db", "store.db-wal"] {
                std::fs::copy(folder.folder.path().join(name), copy.join(name)).unwrap();
            }
            let journal = folder.journal.copy();
            Arc::new(SqliteStore::open_journalled(&copy.join("store.db"), journal.boxed()).unwrap())
        });
        Instance { store, after_power_loss }
    }
}

#[test]
fn whatever_the_suite_writes_is_done_again_from_the_journal_to_the_last_row() {
    let mut groups = 0;
    for (name, _) in conformance::CASES {
        let engine = Journalled::default();
        conformance::run(&engine, name).unwrap();
        let folder = engine.0.into_inner().unwrap().unwrap();
        let again = folder.folder.path().join("again.db");
        let fresh = SqliteStore::open_journalled(&again, Memory::named(1).boxed()).unwrap();
        drop(fresh);
        let store = SqliteStore::open_journalled(&again, folder.journal.boxed()).unwrap();
        assert_eq!(store.replayed(), folder.journal.len() as u64, "{name}");
        let expected = folder.open().unwrap();
        assert_eq!(store.head(), expected.head(), "{name}");
        drop((store, expected));
        let (left, right) = (rows(&again), rows(&folder.path()));
        for (table, rows) in &right {
            assert_eq!(left.get(table), Some(rows), "{name}: {table}");
        }
        assert_eq!(left.len(), right.len());
        groups += folder.journal.len();
    }
    assert!(groups > 100, "{groups} groups");
}

#[test]
fn a_restored_store_has_all_that_came_after_its_backup() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    add(&store, "before").unwrap();
    let backup = folder.backup(&store);
    add(&store, "after").unwrap();
    store.write(|tx| tx.set_meta("later", "1")).unwrap();
    drop(store);
    let whole = rows(&folder.path());
    folder.restore(&backup);
    let store = folder.open().unwrap();
    assert_eq!((store.replayed(), has(&store, "after")), (2, true));
    add(&store, "then").unwrap();
    drop(store);
    let store = folder.open().unwrap();
    assert_eq!((store.replayed(), has(&store, "then")), (0, true));
    drop(store);
    let mut now = rows(&folder.path());
    assert_ne!(now, whole);
    folder.restore(&backup);
    drop(folder.open().unwrap());
    let again = rows(&folder.path());
    assert_eq!(now, again);
    now.clear();
}

#[test]
fn a_restored_store_forgets_no_revocation_and_for_what_no_token_was_used() {
    let (folder, at) = (Folder::new(), Instant::saturating_from_micros(1));
    let store = folder.open().unwrap();
    let key = ApiKeyRow {
        id: ApiKeyId([1; 8]),
        environment: "live".to_owned(),
        owner: "ops".to_owned(),
        role: "admin".to_owned(),
        operations: None,
        organisation: None,
        minted_at: at,
        expires_at: Instant::MAX,
        secrets: ApiKeySecrets::Live { hash: [1; 32] },
    };
    let (minted, revoked) = (key.clone(), ApiKeySecrets::Revoked { at });
    store.write(move |tx| tx.insert_api_key(&minted)).unwrap();
    let backup = folder.backup(&store);
    let claim = ClaimRow { token: [2; 16], request: [3; 32], until: Instant::MAX };
    store
        .write(move |tx| {
            tx.set_api_key_secrets(key.id, &revoked)?;
            tx.claim(&claim)
        })
        .unwrap();
    drop(store);
    folder.restore(&backup);
    let store = folder.open().unwrap();
    let found = store.read(|tx| tx.api_key(key.id)).unwrap();
    assert_eq!(found.map(|key| key.secrets), Some(revoked));
    let other = ClaimRow { request: [4; 32], ..claim };
    assert_eq!(store.write(move |tx| tx.claim(&other)), Ok(Some(claim)));
}

#[test]
fn an_append_that_fails_fails_its_whole_group_and_the_store_takes_no_more_until_it_is_opened_again() {
    for (fail, kept) in [(Fail::Lost, false), (Fail::DoneButFailed, true)] {
        let folder = Folder::new();
        let store = folder.open().unwrap();
        add(&store, "first").unwrap();
        folder.journal.fail(fail);
        assert_eq!(add(&store, "failed"), Err(StoreError::Journal(UNREACHABLE)));
        assert!(!has(&store, "failed"));
        assert_eq!(add(&store, "refused"), Err(StoreError::Journal(JournalError::Stopped)));
        assert!(has(&store, "first"), "what is there can still be read");
        drop(store);
        let store = folder.open().unwrap();
        assert_eq!((has(&store, "failed"), has(&store, "refused")), (kept, false), "{fail:?}");
        add(&store, "next").unwrap();
        assert_eq!(store.integrity().unwrap(), []);
    }
}

#[test]
fn a_commit_that_is_lost_after_its_append_is_done_again_and_one_that_was_done_is_not_done_twice() {
    for (fault, replayed) in [(Fault::Lost, 1), (Fault::DoneButFailed, 0)] {
        let folder = Folder::new();
        let (store, faults) = folder.faulty();
        add(&store, "first").unwrap();
        faults.arm(0, fault);
        assert!(matches!(add(&store, "failed"), Err(StoreError::Commit { .. })));
        assert_eq!(has(&store, "failed"), fault == Fault::DoneButFailed);
        assert_eq!(add(&store, "refused"), Err(StoreError::Journal(JournalError::Stopped)));
        drop(store);
        let store = folder.open().unwrap();
        assert_eq!((store.replayed(), has(&store, "failed")), (replayed, true), "{fault:?}");
        // A caller that looked, as the error says, does not do it twice; one that did not is refused.
        assert!(matches!(add(&store, "failed"), Err(StoreError::Conflict { .. })));
        add(&store, "next").unwrap();
        assert_eq!(store.integrity().unwrap(), []);
    }
}

#[test]
fn a_log_that_refuses_a_group_leaves_nothing_of_it_in_the_journal() {
    let folder = Folder::new();
    let (store, faults) = folder.faulty();
    add(&store, "first").unwrap();
    faults.arm(0, Fault::Log { writes: 0 });
    assert!(matches!(add(&store, "refused"), Err(StoreError::Commit { .. })));
    assert_eq!(folder.journal.len(), 1);
    add(&store, "next").unwrap();
    drop(store);
    let store = folder.open().unwrap();
    assert_eq!((has(&store, "refused"), has(&store, "next")), (false, true));
}

#[test]
fn a_job_that_is_rolled_back_leaves_nothing_in_the_journal_and_one_that_goes_on_after_a_refusal_does() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    let backup = folder.backup(&store);
    let failed: Result<(), StoreError> = store.write(|tx| {
        tx.insert_account(&account("gone"))?;
        Err(StoreError::Aborted)
    });
    failed.unwrap_err();
    assert_eq!(folder.journal.len(), 0, "nothing was written, so there is no group");
    store
        .write(|tx| {
            tx.insert_account(&account("twice"))?;
            assert!(tx.insert_account(&account("twice")).is_err());
            tx.insert_account(&account("once")).map(drop)
        })
        .unwrap();
    drop(store);
    let whole = rows(&folder.path());
    folder.restore(&backup);
    drop(folder.open().unwrap());
    assert_eq!(rows(&folder.path()), whole);
}

#[test]
fn a_store_without_its_journal_serves_nothing() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    add(&store, "first").unwrap();
    let backup = folder.backup(&store);
    let behind = folder.journal.copy();
    add(&store, "second").unwrap();
    drop(store);
    let open = |journal: &Memory| {
        SqliteStore::open_journalled(&folder.path(), journal.boxed()).map(drop).unwrap_err()
    };
    let whole = rows(&folder.path());
    assert_eq!(SqliteStore::open(&folder.path()).unwrap_err(), JournalError::Missing.into());
    assert_eq!(open(&Memory::named(2)), JournalError::Foreign.into());
    assert_eq!(open(&behind), JournalError::Behind { store: 2, journal: 1 }.into());
    // Another second group, written by a copy of the store.
    let copy = Folder { folder: TempDir::new().unwrap(), journal: behind.copy() };
    copy.restore(&backup);
    add(&copy.open().unwrap(), "another").unwrap();
    assert_eq!(open(&copy.journal), JournalError::Parted { number: 2 }.into());
    add(&copy.open().unwrap(), "and one more").unwrap();
    assert_eq!(open(&copy.journal), JournalError::Parted { number: 2 }.into());
    assert_eq!(rows(&folder.path()), whole, "a refusal changes nothing");
    // A journal that was pruned beyond the backup.
    folder.restore(&backup);
    folder.journal.0.lock().unwrap().dropped = 2;
    assert_eq!(folder.open().unwrap_err(), JournalError::Short { store: 1, begins: 2 }.into());
}

#[test]
fn a_store_is_journalled_from_where_it_is_and_what_was_set_aside_before_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(&folder.path()).unwrap();
    add(&store, "before").unwrap();
    let before = folder.backup(&store);
    assert_eq!(SqliteStore::journalled_up_to(&folder.path()).unwrap(), None);
    drop(store);
    let store = folder.open().unwrap();
    add(&store, "after").unwrap();
    assert_eq!(folder.journal.len(), 1);
    assert_eq!(SqliteStore::journalled_up_to(&folder.path()).unwrap(), Some(folder.journal.newest()));
    drop(store);
    folder.restore(&before);
    assert_eq!(folder.open().unwrap_err(), JournalError::Earlier.into());
}

#[test]
fn a_group_that_leads_elsewhere_is_refused_and_leaves_nothing() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    let backup = folder.backup(&store);
    add(&store, "first").unwrap();
    drop(store);
    folder.restore(&backup);
    // Somebody put a row into the backup, so that the account gets another key.
    let connection = Connection::open(folder.path()).unwrap();
    connection.execute("INSERT INTO accounts (id) VALUES ('theirs')", []).unwrap();
    drop(connection);
    let before = rows(&folder.path());
    assert_eq!(folder.open().unwrap_err(), JournalError::Diverged { number: 1 }.into());
    assert_eq!(rows(&folder.path()), before);
    // A group of another form.
    folder.restore(&backup);
    *folder.journal.0.lock().unwrap().appended.first_mut().unwrap().first_mut().unwrap() ^= 1;
    assert_eq!(folder.open().unwrap_err(), JournalError::OtherVersion.into());
}

#[test]
fn a_copy_is_of_one_state_though_others_write_meanwhile() {
    let folder = Folder::new();
    let store = Arc::new(folder.open().unwrap());
    for number in 0..200_u32 {
        store.write(move |tx| tx.set_meta(&format!("k{number}"), &"x".repeat(4_000))).unwrap();
    }
    let writing = Arc::clone(&store);
    let writer = std::thread::spawn(move || {
        for number in 0..200_u32 {
            writing
                .write(move |tx| {
                    tx.set_meta("left", &number.to_string())?;
                    tx.set_meta("right", &number.to_string())
                })
                .unwrap();
        }
    });
    for _ in 0..5 {
        let copy = folder.folder.path().join("copy.db");
        store.copy_to(&copy, &mut |_, _| {}).unwrap();
        let copied = SqliteStore::observe(&copy).unwrap();
        let (left, right) =
            copied.read(|tx| Ok::<_, StoreError>((tx.meta("left")?, tx.meta("right")?))).unwrap();
        assert_eq!(left, right);
        drop(copied);
        for ending in ["", "-wal", "-shm"] {
            drop(std::fs::remove_file(folder.folder.path().join(format!("copy.db{ending}"))));
        }
    }
    writer.join().unwrap();
}
