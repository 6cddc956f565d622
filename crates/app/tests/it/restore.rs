//! After the data folder is lost and a backup restored: whatever was decided, deleted, held and destroyed since still
//! is, the log goes on from what was published, and without the journal nothing is served.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;
use tenure_app::doctor::Thoroughness;
use tenure_app::{
    BackupError, BackupRequest, BackupTaken, Deletion, Entropy, Error, HoldScope, OpenedStore, RESTORING,
    Restore, Restored, Tenure, TimeKeeping, open_store,
};
use tenure_model::{Choice, Instant};
use tenure_store::{JournalError, PackId, PackRow, SegmentRow, Store, StoreExt as _};
use tenure_vault::{LogKeys, Vault};

use crate::world::{EXAMPLE, World, at, conversation};

/// Never the same twice in a test process.
struct Drawn;

static DRAWN: AtomicU64 = AtomicU64::new(1);

impl Entropy for Drawn {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        for byte in bytes {
            let state = DRAWN.fetch_add(1, Ordering::SeqCst).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            *byte = (state ^ state >> 29).to_be_bytes()[2];
        }
        Ok(())
    }
}

const START: &str = "2025-08-01T00:00:00Z";
const THEN: &str = "2025-09-12T00:00:00Z";

/// A journalled world, its folders, and what it was opened with.
struct Site {
    world: World,
    opened: OpenedStore,
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn keys(folder: &Path) -> PathBuf {
    folder.join("keys")
}

fn join(folder: &Path, vault: Vault) -> Result<(Tenure, OpenedStore), Error> {
    let opened = open_store(&data(folder).join("tenure.db"), &keys(folder))?;
    let store: Arc<dyn Store> = Arc::<tenure_store::SqliteStore>::clone(&opened.store);
    let tenure = Tenure::new(store, Arc::new(vault), LogKeys::open(&keys(folder)).unwrap(), Arc::new(Drawn));
    Ok((tenure, opened))
}

fn site(folder: tempfile::TempDir, tenure: Tenure, opened: OpenedStore) -> Site {
    let store: Arc<dyn Store> = Arc::<tenure_store::SqliteStore>::clone(&opened.store);
    Site { world: World { folder, store, tenure }, opened }
}

impl Site {
    /// Two people with conversations, of whom one has allowed training.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(data(folder.path())).unwrap();
        let vault = Vault::create(&data(folder.path()), &keys(folder.path())).unwrap();
        let origin = "tenure.example/test".parse().unwrap();
        LogKeys::create(&keys(folder.path()), &origin, at(START)).unwrap();
        let (tenure, opened) = join(folder.path(), vault).unwrap();
        tenure.init(TimeKeeping::Simulated, at(START)).unwrap();
        tenure.publish(&[("example.toml".to_owned(), EXAMPLE.to_owned())], at(START)).unwrap();
        let site = site(folder, tenure, opened);
        for account in ["a1", "a2", "a3"] {
            site.world.open_account(account, at("2025-09-01T00:00:00Z"));
            let said = conversation(account, &format!("of-{account}"), "pro", &["2025-09-01T10:00:00Z"]);
            site.world.import(vec![said], at("2025-09-10T00:00:00Z"));
        }
        site.world.decide("a1", Choice::On, at("2025-09-11T00:00:00Z"));
        site.world.tenure.publish_checkpoint(at("2025-09-11T00:00:00Z")).unwrap();
        site
    }

    fn folder(&self) -> &Path {
        self.world.folder.path()
    }

    fn backup(&self, name: &str) -> BackupTaken {
        let request = BackupRequest {
            data: &data(self.folder()),
            folder: &self.folder().join(name),
            journal: &self.opened.journal,
            keep_until: None,
            note: None,
        };
        self.world.tenure.backup(&request, at(THEN), &mut |_, _, _| {}).unwrap()
    }

    /// What happens after the backup: a choice is switched off, a conversation deleted and destroyed, a hold placed.
    fn live_on(&self) {
        let tenure = &self.world.tenure;
        self.world.decide("a1", Choice::Off, at("2025-09-13T00:00:00Z"));
        self.world.decide("a3", Choice::On, at("2025-09-13T00:00:00Z"));
        let classes = ["history", "content"].map(str::to_owned).to_vec();
        let scope = HoldScope { classes, accounts: Some(vec!["a3".to_owned()]), ..HoldScope::default() };
        tenure.place_hold("order", scope, true, at("2025-09-14T00:00:00Z")).unwrap();
        let record = self.record("a2");
        tenure.delete(Deletion::ConversationOf(record), at("2025-09-14T00:00:00Z")).unwrap();
        assert!(self.world.sweep(at("2025-12-01T00:00:00Z")).total() > 0);
        assert_eq!(self.world.live("a2"), [] as [String; 0]);
        tenure.publish_checkpoint(at("2025-12-01T00:00:00Z")).unwrap();
    }

    fn record(&self, account: &str) -> tenure_store::RecordId {
        let key = self.world.tenure.account(account).unwrap().key;
        self.world.store.read(|tx| tx.records_of(key, None, 1)).unwrap()[0].id
    }

    /// Stops everything; the folder stays.
    fn stopped(self) -> tempfile::TempDir {
        let Self { world: World { folder, store, tenure }, opened } = self;
        drop((store, tenure, opened));
        folder
    }

    /// Stops everything and loses the data folder.
    fn lost(self) -> tempfile::TempDir {
        let folder = self.stopped();
        fs::remove_dir_all(data(folder.path())).unwrap();
        folder
    }

    fn assert_sound(&self) {
        let tenure = &self.world.tenure;
        assert_eq!(tenure.verify_ledger(1, &|_, _, _| {}).unwrap().faults, []);
        let how = Thoroughness { full: true, repair: false };
        assert_eq!(tenure.examine(how, &mut |_, _, _| {}).unwrap().findings, [] as [String; 0]);
    }
}

fn begin(folder: &Path, backup: &str) -> Result<Restore, Error> {
    Restore::begin(&folder.join(backup), &data(folder), &keys(folder), &mut |_, _, _| {})
}

fn restore(folder: tempfile::TempDir, backup: &str) -> Result<(Site, Restored), (Error, tempfile::TempDir)> {
    let restored = begin(folder.path(), backup).and_then(|begun| {
        let vault = Vault::open(&data(folder.path()), &keys(folder.path())).unwrap();
        let (tenure, opened) = join(folder.path(), vault)?;
        let restored = begun.finish(&tenure, &opened, at("2025-12-02T00:00:00Z"))?;
        Ok((tenure, opened, restored))
    });
    match restored {
        Ok((tenure, opened, restored)) => Ok((site(folder, tenure, opened), restored)),
        Err(error) => Err((error, folder)),
    }
}

/// Every row of every table, in words.
fn rows(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let connection = Connection::open(data(folder).join("tenure.db")).unwrap();
    let mut names = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
    let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let read = |name: String| {
        let mut statement = connection.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = statement.column_count();
        let words = |row: &rusqlite::Row<'_>| {
            let value = |column| row.get::<_, rusqlite::types::Value>(column).unwrap();
            Ok(format!("{:?}", (0..columns).map(value).collect::<Vec<_>>()))
        };
        let mut rows: Vec<String> = statement.query_map([], words).unwrap().map(Result::unwrap).collect();
        rows.sort();
        (name, rows)
    };
    names.into_iter().map(read).collect()
}

#[test]
fn whatever_was_done_since_the_backup_still_stands() {
    let site = Site::new();
    site.backup("monday");
    site.live_on();
    let head = site.world.store.head();
    let folder = site.stopped();
    let before = rows(folder.path());
    fs::remove_dir_all(data(folder.path())).unwrap();
    let (site, restored) = restore(folder, "monday").map_err(|(error, _)| error).unwrap();
    assert!(restored.replayed > 0);
    assert_eq!((restored.packs_lost, restored.bodies_lost, restored.statements), (0, 0, head.size));
    assert_eq!(site.world.store.head(), head);
    for (table, rows) in rows(site.folder()) {
        assert_eq!(Some(&rows), before.get(&table), "{table}");
    }
    let tenure = &site.world.tenure;
    // What was destroyed is unreadable, the hold holds, the later choices count.
    assert_eq!(site.world.live("a2"), [] as [String; 0]);
    assert_eq!(tenure.holds().unwrap().len(), 1);
    assert_eq!(site.world.live("a3"), ["content", "history"]);
    site.world.sweep(at("2031-12-01T00:00:00Z"));
    assert_eq!(site.world.live("a3"), ["content", "history"]);
    site.assert_sound();
    // The log goes on from what was published, and does not fork.
    site.world.decide("a2", Choice::Off, at("2032-01-01T00:00:00Z"));
    tenure.publish_checkpoint(at("2032-01-01T00:00:00Z")).unwrap();
    site.assert_sound();
}

#[test]
fn a_backup_that_is_copied_in_place_is_brought_up_to_date_by_whatever_opens_it() {
    let site = Site::new();
    site.backup("monday");
    site.live_on();
    let folder = site.lost();
    fs::create_dir_all(data(folder.path()).join("packs")).unwrap();
    for name in ["tenure.db", "packs/vault-mark"] {
        fs::copy(folder.path().join("monday").join(name), data(folder.path()).join(name)).unwrap();
    }
    let database = data(folder.path()).join("tenure.db");
    assert!(tenure_app::is_behind_its_journal(&database, &keys(folder.path())).unwrap());
    let vault = Vault::open(&data(folder.path()), &keys(folder.path())).unwrap();
    let (tenure, opened) = join(folder.path(), vault).unwrap();
    assert!(opened.replayed > 0);
    assert!(!tenure_app::is_behind_its_journal(&database, &keys(folder.path())).unwrap());
    tenure.resume_log(at("2025-12-02T00:00:00Z")).unwrap();
    assert_eq!(tenure.verify_ledger(1, &|_, _, _| {}).unwrap().faults, []);
}

#[test]
fn without_its_journal_a_backup_is_refused_and_nothing_is_left_that_could_be_opened() {
    let site = Site::new();
    site.backup("monday");
    site.live_on();
    let mut folder = site.lost();
    let journal = keys(folder.path()).join("journal");
    let segment = journal.join(format!("{:016x}.journal", 1));
    let whole = fs::read(&segment).unwrap();
    let refused = |folder: tempfile::TempDir| {
        let (error, folder) = restore(folder, "monday").map(drop).unwrap_err();
        assert!(!data(folder.path()).exists(), "{error}");
        (error, folder)
    };
    // Damaged in the middle, or at the end.
    for place in [whole.len() / 2, whole.len() - 1] {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        fs::write(&segment, damaged).unwrap();
        let (error, kept) = refused(folder);
        assert!(matches!(error, Error::Journal(JournalError::Damaged { .. })), "{error}");
        folder = kept;
    }
    // From before the backup.
    fs::write(&segment, &whole[..48]).unwrap();
    let (error, kept) = refused(folder);
    assert!(matches!(error, Error::Journal(JournalError::Behind { .. })), "{error}");
    fs::remove_dir_all(&journal).unwrap();
    fs::remove_file(keys(kept.path()).join("journal.key")).unwrap();
    let (error, kept) = refused(kept);
    assert!(matches!(error, Error::Journal(JournalError::Missing)), "{error}");
    // Nor is one that was copied in place opened.
    fs::create_dir_all(data(kept.path()).join("packs")).unwrap();
    for name in ["tenure.db", "packs/vault-mark"] {
        fs::copy(kept.path().join("monday").join(name), data(kept.path()).join(name)).unwrap();
    }
    let vault = Vault::open(&data(kept.path()), &keys(kept.path())).unwrap();
    let opened = join(kept.path(), vault).map(drop);
    assert!(matches!(opened, Err(Error::Journal(JournalError::Missing))), "{opened:?}");
}

#[test]
fn the_journal_reaches_back_to_the_oldest_backup_that_is_kept_and_no_further() {
    let site = Site::new();
    let first = site.backup("first");
    let filler: String = "x".repeat(1 << 20);
    for number in 0..12_u32 {
        let filler = filler.clone();
        site.world.store.write(move |tx| tx.set_meta(&format!("filler {}", number % 2), &filler)).unwrap();
    }
    let second = site.backup("second");
    assert_eq!((first.journal_begins_after, second.journal_begins_after), (0, 0));
    let backups = site.world.tenure.backups().unwrap();
    assert_eq!(backups.len(), 2);
    let thrown_away = at("2025-09-12T01:00:00Z");
    site.world.tenure.end_backup(backups[0].id, thrown_away, &site.opened.journal, thrown_away).unwrap();
    let begins = site.opened.journal.begins_after();
    assert!(first.number < begins && begins <= second.number, "{begins}");
    let unknown = site.world.tenure.end_backup(
        tenure_store::BackupId(9),
        thrown_away,
        &site.opened.journal,
        thrown_away,
    );
    assert!(matches!(unknown, Err(Error::Backup(BackupError::Unknown(9)))));
    let folder = site.lost();
    let (error, folder) = restore(folder, "first").map(drop).unwrap_err();
    assert!(matches!(error, Error::Journal(JournalError::Short { .. })), "{error}");
    let (site, _) = restore(folder, "second").map_err(|(error, _)| error).unwrap();
    site.assert_sound();
}

#[test]
fn a_restore_that_is_cut_short_is_not_opened_and_is_finished_by_asking_again() {
    let site = Site::new();
    site.backup("monday");
    site.live_on();
    let folder = site.lost();
    // After each of its steps: the mark, some files, all of them, and the replay.
    fs::create_dir(data(folder.path())).unwrap();
    fs::write(data(folder.path()).join(RESTORING), b"").unwrap();
    fs::write(data(folder.path()).join("tenure.db"), b"half").unwrap();
    drop(begin(folder.path(), "monday").unwrap());
    assert!(data(folder.path()).join(RESTORING).exists());
    let vault = Vault::open(&data(folder.path()), &keys(folder.path())).unwrap();
    drop(join(folder.path(), vault).unwrap());
    assert!(data(folder.path()).join(RESTORING).exists());
    let (site, restored) = restore(folder, "monday").map_err(|(error, _)| error).unwrap();
    assert!(restored.replayed > 0, "it is begun anew");
    assert!(!data(site.folder()).join(RESTORING).exists());
    site.assert_sound();
    // A folder in which anything else lies is left alone.
    let folder = site.stopped();
    let before = rows(folder.path());
    let (error, folder) = restore(folder, "monday").map(drop).unwrap_err();
    assert!(matches!(error, Error::Backup(BackupError::DataTaken)), "{error}");
    assert_eq!(rows(folder.path()), before);
}

#[test]
fn a_damaged_backup_is_never_served() {
    let site = Site::new();
    site.backup("monday");
    let mut folder = site.lost();
    let backup = folder.path().join("monday");
    let pack = fs::read_dir(backup.join("packs")).unwrap().map(|entry| entry.unwrap().path());
    let pack = pack.into_iter().find(|path| !path.ends_with("vault-mark")).unwrap();
    for name in ["tenure.db".into(), pack] {
        let path = backup.join(name);
        let whole = fs::read(&path).unwrap();
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&path, damaged).unwrap();
        let (error, kept) = restore(folder, "monday").map(drop).unwrap_err();
        assert!(matches!(error, Error::Backup(BackupError::Damaged(_)) | Error::Store(_)), "{error}");
        assert!(!data(kept.path()).exists() || data(kept.path()).join(RESTORING).exists());
        fs::write(&path, whole).unwrap();
        folder = kept;
    }
    // A manifest that someone made to fit.
    let manifest = backup.join("manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("2025-09-12", "2025-09-11")).unwrap();
    let (error, folder) = restore(folder, "monday").map(drop).unwrap_err();
    assert!(matches!(error, Error::Backup(BackupError::Foreign)), "{error}");
    assert!(data(folder.path()).join(RESTORING).exists());
    fs::remove_file(&manifest).unwrap();
    let (error, _folder) = restore(folder, "monday").map(drop).unwrap_err();
    assert!(matches!(error, Error::Backup(BackupError::NoManifest)), "{error}");
}

#[test]
fn bodies_that_came_after_the_backup_are_counted_as_lost() {
    let site = Site::new();
    site.backup("monday");
    for number in 0..3 {
        let said = conversation("a1", &format!("later-{number}"), "pro", &["2025-09-13T10:00:00Z"]);
        site.world.import(vec![said], at("2025-09-14T00:00:00Z"));
    }
    let folder = site.lost();
    let (site, restored) = restore(folder, "monday").map_err(|(error, _)| error).unwrap();
    assert_eq!((restored.packs_lost, restored.bodies_lost, restored.packs_made_again), (3, 3, 0));
    assert_eq!(site.world.tenure.verify_ledger(1, &|_, _, _| {}).unwrap().faults, []);
    let how = Thoroughness { full: true, repair: false };
    assert!(!site.world.tenure.examine(how, &mut |_, _, _| {}).unwrap().is_sound(), "they are findings");
}

#[test]
fn a_pack_that_only_took_over_what_older_ones_had_is_made_again() {
    let site = Site::new();
    site.backup("monday");
    let packs = data(site.folder()).join("packs");
    let name = |pack: PackId| packs.join(tenure_vault::PackId::from_bytes(pack.0).to_string());
    let (account, record) = (site.world.tenure.account("a1").unwrap().key, site.record("a1"));
    let from = site.world.store.read(|tx| tx.segments(account, record)).unwrap()[0];
    let to = SegmentRow { pack: PackId([9; 16]), offset: 100, ..from };
    let old = fs::read(name(from.pack)).unwrap();
    let mut new = old[..8].to_vec();
    new.resize(100, 0);
    new.extend_from_slice(
        &old[usize::try_from(from.offset).unwrap()..][..usize::try_from(from.length).unwrap()],
    );
    fs::write(name(to.pack), &new).unwrap();
    let row = PackRow {
        id: to.pack,
        bytes: new.len() as u64,
        segments: 0,
        live: 0,
        created_at: at(THEN),
        removed_at: None,
    };
    let moved = site.world.store.write(move |tx| {
        tx.insert_pack(&row)?;
        let moved = tx.move_segment(account, record, &from, &to)?;
        tx.set_pack_removed(from.pack, at(THEN))?;
        Ok::<_, tenure_store::StoreError>(moved)
    });
    assert!(moved.unwrap());
    fs::remove_file(name(from.pack)).unwrap();
    site.assert_sound();
    let folder = site.lost();
    let (site, restored) = restore(folder, "monday").map_err(|(error, _)| error).unwrap();
    assert_eq!((restored.packs_made_again, restored.packs_lost), (1, 0));
    // The old pack came back with the backup, and no row mentions it.
    site.world.tenure.examine(Thoroughness { full: false, repair: true }, &mut |_, _, _| {}).unwrap();
    site.assert_sound();
}

#[test]
fn a_backup_that_was_cut_short_is_begun_anew_and_a_whole_one_is_never_written_over() {
    let site = Site::new();
    let folder = site.folder().join("monday");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("unfinished"), b"").unwrap();
    fs::write(folder.join("tenure.db"), b"half").unwrap();
    site.backup("monday");
    assert!(folder.join("manifest.json").exists() && !folder.join("unfinished").exists());
    let request = BackupRequest {
        data: &data(site.folder()),
        folder: &folder,
        journal: &site.opened.journal,
        keep_until: None,
        note: None,
    };
    let again = site.world.tenure.backup(&request, at(THEN), &mut |_, _, _| {});
    assert!(matches!(again, Err(Error::Backup(BackupError::FolderTaken))), "{again:?}");
    let kept: Instant = at("2025-09-13T00:00:00Z");
    assert!(site.world.tenure.backups().unwrap().iter().all(|backup| backup.is_kept(kept)));
}
