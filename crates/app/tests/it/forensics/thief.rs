//! Whoever has a saved data folder, and today's key folder with its journal.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tenure_app::open_store;
use tenure_store::RecordId;
use tenure_vault::{
    CopyName, Journal, JournalFault, JournalPlace, PageId, Place, SegmentName, Vault, Wrap, keylog,
};

use super::crypt::{Pair, Pick, Sealed, names_of_copy};
use super::needles::files;

pub(crate) type Secret = [u8; 32];

/// What can be had from a key folder.
pub(crate) struct Keys {
    pub(crate) pages: HashMap<PageId, Secret>,
    /// Those of the root, of recognition and of the journal, which lie there as they are.
    pub(crate) others: Vec<Secret>,
}

impl Keys {
    pub(crate) fn read(folder: &Path) -> Self {
        let others: Vec<Secret> = ["root.key", "identity.key", "journal.key"]
            .map(|name| *fs::read(folder.join(name)).unwrap().last_chunk().unwrap())
            .into();
        let mut pages = HashMap::new();
        for (number, bundle) in bundles(folder) {
            pages.extend(keylog::open_bundle(number, &bundle, &others[0]).unwrap());
        }
        Self { pages, others }
    }

    /// Everything that could be a key.
    pub(crate) fn secrets(&self) -> HashSet<Secret> {
        self.pages.values().chain(&self.others).copied().collect()
    }
}

/// The files of page keys in a key folder, by number.
pub(crate) fn bundles(folder: &Path) -> Vec<(u64, Vec<u8>)> {
    let numbered = |file: &std::path::PathBuf| {
        let stem = file.file_name()?.to_str()?.strip_suffix(".bundle")?.to_owned();
        Some((u64::from_str_radix(&stem, 16).unwrap(), fs::read(file).unwrap()))
    };
    files(folder).iter().filter_map(numbered).collect()
}

/// A copy's wrap, as it lay there at some time.
pub(crate) struct CopyWrap {
    pub(crate) account: String,
    pub(crate) record: RecordId,
    pub(crate) class: String,
    pub(crate) page: PageId,
    names: Vec<u8>,
    wrap: Wrap,
}

impl CopyWrap {
    /// The body's key, if the keys of an account and of a page open it.
    pub(crate) fn try_pair(&self, pair: &Pair) -> Option<Secret> {
        pair.open(&self.names, self.wrap.as_bytes())
    }

    /// The same through the vault's own door.
    fn open(&self, account_key: &Secret, page_key: &Secret) -> Option<Secret> {
        let record = self.record.to_string();
        let (account, class) = (&*self.account, &*self.class);
        let name = CopyName { organisation: None, account, record: &record, class };
        keylog::try_wrap(&name, &self.wrap, self.page, account_key, page_key)
    }
}

/// The wrap of an account's own key, as it lay there at some time.
pub(crate) struct KeyWrap {
    pub(crate) account: String,
    pub(crate) kind: Sealed,
    pub(crate) page: PageId,
    pub(crate) wrap: Vec<u8>,
}

/// Wraps that lay in a database.
pub(crate) struct Loot {
    pub(crate) copies: Vec<CopyWrap>,
    pub(crate) keys: Vec<KeyWrap>,
}

impl Loot {
    /// The wraps that lie in a data folder.
    pub(crate) fn of(data: &Path) -> Self {
        with_database(data, |database| {
            let now = "CREATE TEMP TABLE seen_copies AS SELECT account, record, class, page, wrap FROM copies
                    WHERE wrap IS NOT NULL;
                CREATE TEMP TABLE seen_keys AS
                    SELECT id, 0 AS kind, account_page AS page, account_wrap AS wrap FROM accounts
                    WHERE account_wrap IS NOT NULL
                    UNION ALL SELECT id, 1, proof_page, proof_wrap FROM accounts WHERE proof_wrap IS NOT NULL";
            database.execute_batch(now).unwrap();
            Self::seen(database)
        })
    }

    /// Does the journal of a key folder again on a data folder from before, as opening the two together does, and
    /// notes each wrap that it writes.
    pub(crate) fn of_journal(data: &Path, keys: &Path) -> Self {
        let file = data.join("tenure.db");
        let tables = "CREATE TABLE seen_copies (account, record, class, page, wrap);
            CREATE TABLE seen_keys (id, kind, page, wrap);";
        let triggers = ["INSERT", "UPDATE"].map(|event| {
            format!(
                "CREATE TRIGGER seen_copies_{event} AFTER {event} ON copies WHEN new.wrap IS NOT NULL BEGIN
                    INSERT INTO seen_copies VALUES (new.account, new.record, new.class, new.page, new.wrap); END;
                CREATE TRIGGER seen_keys_{event} AFTER {event} ON accounts BEGIN
                    INSERT INTO seen_keys VALUES
                        (new.id, 0, new.account_page, new.account_wrap), (new.id, 1, new.proof_page, new.proof_wrap);
                END;"
            )
        });
        let noting = tables.to_owned() + &triggers.concat();
        Connection::open(&file).unwrap().execute_batch(&noting).unwrap();
        assert!(open_store(&file, keys).unwrap().replayed > 100);
        Self::seen(&Connection::open(&file).unwrap())
    }

    /// All of the wraps in several, each once.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut copies, mut keys) = (HashMap::new(), HashMap::new());
        for part in parts {
            copies.extend(
                part.copies.into_iter().map(|it| ((it.names.clone(), it.wrap.as_bytes().to_vec()), it)),
            );
            keys.extend(part.keys.into_iter().map(|it| ((it.kind, it.account.clone(), it.wrap.clone()), it)));
        }
        Self { copies: copies.into_values().collect(), keys: keys.into_values().collect() }
    }

    fn seen(database: &Connection) -> Self {
        let copies = "SELECT DISTINCT a.id, s.record, k.name, s.page, s.wrap FROM seen_copies s
            JOIN accounts a ON a.key = s.account JOIN classes k ON k.id = s.class";
        let keys = "SELECT DISTINCT id, kind, page, wrap FROM seen_keys WHERE wrap IS NOT NULL";
        let mut of_copies = database.prepare(copies).unwrap();
        let copies = of_copies.query_map([], |row| {
            let wrap: Vec<u8> = row.get(4)?;
            let (account, class): (String, String) = (row.get(0)?, row.get(2)?);
            let (record, page) = (RecordId(row.get(1)?), PageId::from_bytes(row.get(3)?));
            let names = names_of_copy(&account, &record.to_string(), &class, page);
            Ok(CopyWrap { account, record, class, page, names, wrap: Wrap::try_from(&*wrap).unwrap() })
        });
        let copies = copies.unwrap().map(Result::unwrap).collect();
        let mut of_keys = database.prepare(keys).unwrap();
        let keys = of_keys.query_map([], |row| {
            let kind = if row.get::<_, i64>(1)? == 0 { Sealed::Account } else { Sealed::Proof };
            Ok(KeyWrap {
                account: row.get(0)?,
                kind,
                page: PageId::from_bytes(row.get(2)?),
                wrap: row.get(3)?,
            })
        });
        Self { copies, keys: keys.unwrap().map(Result::unwrap).collect() }
    }

    /// The keys of accounts that the pages' keys open, each wrap tried with the key of the page that it names.
    pub(crate) fn keys_of(&self, kind: Sealed, keys: &Keys) -> HashMap<&str, Secret> {
        let picks: HashMap<_, _> =
            keys.pages.iter().map(|(page, key)| (*page, Pick::new(key, kind))).collect();
        let of_kind = self.keys.iter().filter(|wrap| wrap.kind == kind);
        let opened = |wrap: &'_ KeyWrap| picks.get(&wrap.page)?.open(&wrap.account, wrap.page, &wrap.wrap);
        of_kind.filter_map(|wrap| Some((&*wrap.account, opened(wrap)?))).collect()
    }

    /// The body keys that come of all that: each wrap tried with its account's key and the key of its page.
    pub(crate) fn bodies(&self, keys: &Keys) -> HashMap<RecordId, Secret> {
        let accounts = self.keys_of(Sealed::Account, keys);
        let opened = |wrap: &CopyWrap| wrap.open(accounts.get(&*wrap.account)?, keys.pages.get(&wrap.page)?);
        self.copies.iter().filter_map(|wrap| Some((wrap.record, opened(wrap)?))).collect()
    }
}

/// The bodies in a data folder, for whoever has their keys.
pub(crate) struct Bodies {
    vault: Vault,
    _keys: tempfile::TempDir,
    segments: HashMap<RecordId, (String, Vec<(u64, Place)>)>,
}

impl Bodies {
    pub(crate) fn of(data: &Path, keys: &Path) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let keys_there = scratch.path().join("keys");
        copy(keys, &keys_there);
        let sql = "SELECT s.record, a.id, s.segment, s.pack, s.\"offset\", s.length FROM segments s
            JOIN accounts a ON a.key = s.account ORDER BY s.record, s.segment";
        let mut segments: HashMap<RecordId, (String, Vec<_>)> = HashMap::new();
        with_database(data, |database| {
            let mut query = database.prepare(sql).unwrap();
            let mut rows = query.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let pack = tenure_vault::PackId::from_bytes(row.get(3).unwrap());
                let number = |column| u64::try_from(row.get::<_, i64>(column).unwrap()).unwrap();
                let place = Place { pack, offset: number(4), length: u32::try_from(number(5)).unwrap() };
                let of_record = segments.entry(RecordId(row.get(0).unwrap()));
                of_record.or_insert((row.get(1).unwrap(), Vec::new())).1.push((number(2), place));
            }
        });
        Self { vault: Vault::open(data, &keys_there).unwrap(), _keys: scratch, segments }
    }

    /// What was said in a record: the title and the texts.
    pub(crate) fn said(&self, record: RecordId, key: &Secret) -> Vec<String> {
        let (account, segments) = &self.segments[&record];
        let (key, id) = (keylog::open_body(key).unwrap(), record.to_string());
        let read = |(number, place): &(u64, Place)| {
            let name = SegmentName { organisation: None, account, record: &id, number: *number };
            self.vault.read(place, &key, &name).unwrap()
        };
        let body: Vec<u8> = segments.iter().flat_map(read).collect();
        let values = serde_json::Deserializer::from_slice(&body).into_iter::<serde_json::Value>();
        let word = |value: serde_json::Value| {
            let said = value.get("title").or_else(|| value.get("text")).unwrap();
            said.as_str().unwrap().to_owned()
        };
        values.map(|value| word(value.unwrap())).collect()
    }
}

/// Everything that the journal of a key folder says, decrypted.
pub(crate) fn journal(keys: &Path) -> Vec<u8> {
    let scratch = tempfile::tempdir().unwrap();
    let there = scratch.path().join("keys");
    copy(keys, &there);
    let journal = Journal::open(&there).unwrap().unwrap();
    assert_eq!(journal.begins_after(), 0);
    let mut content = Vec::new();
    let visited = journal.replay::<JournalFault>(JournalPlace::default(), &mut |_, group| {
        content.extend_from_slice(group);
        content.push(0);
        Ok(())
    });
    visited.unwrap();
    content
}

/// Opens a copy of the database, since SQLite would change the write-ahead log of the one that lies there.
pub(crate) fn with_database<T>(data: &Path, look: impl FnOnce(&Connection) -> T) -> T {
    let scratch = tempfile::tempdir().unwrap();
    for file in files(data).iter().filter(|file| file.parent() == Some(data)) {
        fs::copy(file, scratch.path().join(file.file_name().unwrap())).unwrap();
    }
    look(&Connection::open(scratch.path().join("tenure.db")).unwrap())
}

/// Copies a folder with all that is in it and all rights.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, place) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() {
            copy(&path, &place);
        } else {
            fs::copy(path, place).unwrap();
        }
    }
}
