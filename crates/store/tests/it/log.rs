//! The log in the embedded store: stores from before it, files that were altered, and two writers.

use rusqlite::{Connection, params};
use std::path::PathBuf;
use tempfile::TempDir;
use tenure_model::Instant;
use tenure_store::log::Tiles;
use tenure_store::{NewStatement, Seq, SqliteStore, Store, StoreError, StoreExt, TreeHead, Unsound};
use tenure_tlog::tile::Tile;
use tenure_tlog::{Hash, root, verify_inclusion};

const FOUNDATION: &str = include_str!("../../migrations/sqlite/0001_foundation.sql");

pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path().join("store.db")
    }

    pub(crate) fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&self.path())
    }

    /// What someone does who has the file and is stopped by no trigger.
    fn alter(&self, sql: &str) {
        let raw = Connection::open(self.path()).unwrap();
        for trigger in [
            "log_only_grows",
            "log_never_goes",
            "tiles_only_grow",
            "tiles_never_go",
            "statements_never_change",
        ] {
            raw.execute_batch(&format!("DROP TRIGGER IF EXISTS {trigger}")).unwrap();
        }
        raw.execute_batch("DROP TRIGGER IF EXISTS statements_never_go; PRAGMA foreign_keys = OFF").unwrap();
        assert!(raw.execute(sql, []).unwrap() > 0, "{sql}");
    }
}

fn commitment(leaf: u64) -> [u8; 32] {
    let mut commitment = [0x5a; 32];
    commitment[..8].copy_from_slice(&leaf.to_be_bytes());
    commitment
}

pub(crate) fn statement(leaf: u64) -> NewStatement {
    NewStatement {
        account: None,
        version: 0,
        kind: "policy".to_owned(),
        at: Instant::from_micros(1).unwrap(),
        commitment: commitment(leaf),
        sealed: vec![1, 2, 3],
    }
}

pub(crate) fn append(store: &SqliteStore, leaves: std::ops::Range<u64>) -> Result<Vec<Seq>, StoreError> {
    store.write(move |tx| leaves.map(|leaf| tx.append_statement(&statement(leaf))).collect())
}

/// The head of the log of these leaves, by the definition.
pub(crate) fn head_of(leaves: impl IntoIterator<Item = u64>) -> TreeHead {
    let leaves: Vec<Hash> = leaves.into_iter().map(|leaf| tenure_receipts::leaf(&commitment(leaf))).collect();
    TreeHead { size: leaves.len() as u64, root: root(&leaves) }
}

#[test]
fn statements_from_before_the_log_are_its_first_leaves() {
    for count in [0, 1, 256, 5_000] {
        let folder = Folder::new();
        let mut raw = Connection::open(folder.path()).unwrap();
        raw.execute_batch(FOUNDATION).unwrap();
        raw.pragma_update(None, "application_id", 0x5445_4e55).unwrap();
        raw.pragma_update(None, "user_version", 1).unwrap();
        let transaction = raw.transaction().unwrap();
        for leaf in 0..count {
            let seq = i64::try_from(leaf).unwrap();
            let sql = "INSERT INTO statements VALUES (?1, NULL, 0, 'policy', 1, ?2, x'')";
            transaction.execute(sql, params![seq, commitment(leaf)]).unwrap();
        }
        transaction.commit().unwrap();
        drop(raw);
        // Whoever only looks changes nothing, and so can't.
        assert_eq!(SqliteStore::observe(&folder.path()).unwrap_err(), StoreError::OlderSchema);
        let store = folder.open().unwrap();
        assert_eq!(store.head(), head_of(0..count));
        assert_eq!(store.read(|tx| tx.tree_head()).unwrap(), Some(head_of(0..count)));
        append(&store, count..count + 3).unwrap();
        let head = head_of(0..count + 3);
        assert_eq!(store.head(), head);
        for leaf in [0, count / 2, count, count + 2] {
            let path = store.prove_inclusion(Seq(i64::try_from(leaf).unwrap()), head.size).unwrap();
            let hash = tenure_receipts::leaf(&commitment(leaf));
            assert!(verify_inclusion(leaf, head.size, &hash, &path, &head.root), "{leaf} of {count}");
        }
        drop(store);
        assert_eq!(folder.open().unwrap().head(), head);
        assert_eq!(store_findings(&folder), Vec::<String>::new());
    }
}

fn store_findings(folder: &Folder) -> Vec<String> {
    folder.open().unwrap().integrity().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn a_log_that_does_not_verify_is_not_gone_on_with_and_says_why() {
    use Unsound::{NoHead, Root};
    let root = Root { size: 600 };
    let tile = |path: &str| Unsound::Tile { tile: path.to_owned() };
    for (sql, why) in [
        ("UPDATE log SET root = zeroblob(32)", root.clone()),
        ("UPDATE log SET size = 599", Root { size: 599 }),
        ("UPDATE log SET size = 700", tile("tile/0/002.p/188")),
        ("DELETE FROM log", NoHead),
        // The partial tiles at the edge: the second level's is kept, the lowest one's leaves are statements.
        ("UPDATE tiles SET hashes = zeroblob(64) WHERE level = 1", root.clone()),
        ("UPDATE tiles SET hashes = substr(hashes, 1, 32) WHERE level = 1", tile("tile/1/000.p/2")),
        ("DELETE FROM tiles WHERE level = 1", tile("tile/1/000.p/2")),
        ("UPDATE statements SET commitment = zeroblob(32) WHERE seq = 599", root.clone()),
        ("UPDATE statements SET commitment = zeroblob(32) WHERE seq = 512", root),
        ("DELETE FROM statements WHERE seq = 599", tile("tile/0/002.p/88")),
        ("UPDATE statements SET seq = 600 WHERE seq = 550", tile("tile/0/002.p/88")),
    ] {
        let folder = Folder::new();
        append(&folder.open().unwrap(), 0..600).unwrap();
        folder.alter(sql);
        let refused = folder.open().unwrap_err();
        assert_eq!(refused, StoreError::Log(why.clone()), "{sql}");
        let told = refused.to_string();
        assert!(told.contains(&why.to_string()) && told.contains("`tenure ledger verify`"), "{told}");
        // Looking is possible still, so that it can be found out what is wrong.
        let observed = SqliteStore::observe(&folder.path()).unwrap();
        assert!(observed.read(|tx| tx.statement_count()).unwrap() >= 599);
    }
}

#[test]
fn a_log_that_is_altered_while_it_is_open_takes_no_statement() {
    let folder = Folder::new();
    let store = folder.open().unwrap();
    append(&store, 0..600).unwrap();
    folder.alter("UPDATE log SET root = zeroblob(32)");
    for _ in 0..2 {
        let refused = append(&store, 600..601).unwrap_err();
        assert_eq!(refused, StoreError::Log(Unsound::Root { size: 600 }));
        assert_eq!(store.head(), head_of(0..600));
    }
    assert_eq!(store.read(|tx| tx.statement_count()).unwrap(), 600);
}

#[test]
fn two_writers_of_one_file_keep_one_tree() {
    let folder = Folder::new();
    let stores = [folder.open().unwrap(), folder.open().unwrap()];
    let mut size = 0;
    // Widths that let each of them be behind by less than a tile, by a whole one, and by several.
    for (turn, width) in [1, 1, 254, 3, 256, 1, 700, 255, 2, 1, 1, 4_097, 5].into_iter().enumerate() {
        let store = &stores[turn % 2];
        append(store, size..size + width).unwrap();
        let (old, new) = (size, size + width);
        size = new;
        let head = head_of(0..new);
        assert_eq!((store.head(), store.read(|tx| tx.tree_head()).unwrap()), (head, Some(head)));
        // Leaves of either of them are proved by each of them.
        for (leaf, prover) in [(0, 0), (0, 1), (old, 0), (old, 1), (new - 1, 0), (new - 1, 1)] {
            let path = stores[prover].prove_inclusion(Seq(i64::try_from(leaf).unwrap()), new).unwrap();
            let hash = tenure_receipts::leaf(&commitment(leaf));
            assert!(verify_inclusion(leaf, new, &hash, &path, &head.root), "{leaf} of {new} by {prover}");
        }
    }
    drop(stores);
    assert_eq!(folder.open().unwrap().head(), head_of(0..size));
}

#[test]
fn two_writers_at_once_keep_one_tree() {
    let folder = Folder::new();
    let stores = [folder.open().unwrap(), folder.open().unwrap()];
    std::thread::scope(|scope| {
        for (number, store) in (0_u64..).zip(&stores) {
            scope.spawn(move || {
                for turn in 0..60 {
                    let leaf = number << 32 | turn;
                    // The other one may be slow on a busy machine; nothing was written then.
                    while let Err(error) = append(store, leaf..leaf + 1) {
                        assert_eq!(error, StoreError::Busy);
                    }
                }
            });
        }
    });
    let commitments = stores[0].read(|tx| tx.commitments(Seq(0), 1_000)).unwrap();
    let leaves: Vec<Hash> = commitments.iter().map(tenure_receipts::leaf).collect();
    let head = TreeHead { size: 120, root: root(&leaves) };
    drop(stores);
    assert_eq!(folder.open().unwrap().head(), head);
}

#[test]
fn whoever_only_looks_sees_the_tiles_that_another_process_commits() {
    let folder = Folder::new();
    let writer = folder.open().unwrap();
    let observer = SqliteStore::observe(&folder.path()).unwrap();
    for (size, tile) in [(300, "tile/0/001.p/44"), (600, "tile/0/001")] {
        let before = writer.head().size;
        append(&writer, before..size).unwrap();
        let tile: Tile = tile.parse().unwrap();
        let read = |store: &SqliteStore| store.read(|tx| Tiles::new(tx).tile(tile)).unwrap();
        assert!(read(&observer).is_some_and(|hashes| hashes.len() == tile.byte_len()));
        assert_eq!(read(&observer), read(&writer));
    }
    assert_eq!(append(&observer, 600..601).unwrap_err(), StoreError::OnlyLooking);
}
