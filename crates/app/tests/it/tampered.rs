//! Whatever is done to any statement or tile of the log in the store, `ledger verify` finds it, as long as the
//! log's checkpoint was published: what an insider with all keys can do is in the tests of `tenure-server`.

mod insider;
mod returned;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, params};
use tenure_app::{Deletion, Entropy, Error, Fault, HoldScope, Rows, Tenure, Verification};
use tenure_model::Choice;
use tenure_store::{RecordId, SqliteStore, Store, StoreError, StoreExt as _};
use tenure_vault::{LogKeys, Vault};

use crate::world::{World, at, conversation};
use insider::{Described, TAMPERINGS, connect, cover_up, described};

/// Something that is done to a database.
type Change<'c> = &'c dyn Fn(&Connection);

/// Whoever only looks draws nothing.
struct Nothing;

impl Entropy for Nothing {
    fn fill(&self, _: &mut [u8]) -> Result<(), Error> {
        Err(Error::Entropy)
    }
}

/// A log that nobody writes to any more, of which each tampering gets a copy of its own.
struct Log {
    folder: tempfile::TempDir,
    vault: Arc<Vault>,
    keys: LogKeys,
}

impl Log {
    fn of(world: World) -> Self {
        let World { folder, store, tenure } = world;
        drop((store, tenure));
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        // One file with everything in it is quicker to copy.
        Connection::open(data.join("tenure.db"))
            .unwrap()
            .execute_batch("PRAGMA journal_mode = DELETE")
            .unwrap();
        let vault = Arc::new(Vault::open(&data, &keys).unwrap());
        Self { vault, keys: LogKeys::open(&keys).unwrap(), folder }
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join("data/tenure.db")
    }

    /// What the verification says of a copy of the database to which something was done.
    fn after(&self, tampering: impl FnOnce(&Connection)) -> Result<Verification, Error> {
        let scratch = tempfile::tempdir().unwrap();
        let copy = scratch.path().join("tenure.db");
        std::fs::copy(self.database(), &copy).unwrap();
        tampering(&connect(&copy));
        self.verify(&copy)
    }

    fn verify(&self, database: &Path) -> Result<Verification, Error> {
        // Opened for writing, a log that does not verify is refused.
        let store: Arc<dyn Store> = Arc::new(SqliteStore::observe(database)?);
        let vault = Arc::clone(&self.vault);
        let tenure = Tenure::new(store, vault, self.keys.clone(), Arc::new(Nothing));
        tenure.verify_ledger(1, &|_, _, _| {})
    }
}

/// The name of a fault in a report.
fn name(fault: &Fault) -> String {
    serde_json::to_value(fault).unwrap()["fault"].as_str().unwrap().to_owned()
}

/// The kinds of faults that were found; none if the log looks sound.
fn found(verified: &Result<Verification, Error>) -> BTreeSet<String> {
    match verified {
        Ok(verification) => verification.faults.iter().map(name).collect(),
        Err(_) => ["cannot be read".to_owned()].into(),
    }
}

/// A small world in which every kind of thing has happened, with a published checkpoint.
fn eventful() -> World {
    let world = World::new();
    for (account, choice) in [("a1", Choice::On), ("a2", Choice::Off), ("a3", Choice::On)] {
        world.open_account(account, at("2025-08-29T00:00:00Z"));
        world.tenure.inform(account, "2025-10-08", at("2025-08-29T12:00:00Z")).unwrap();
        world.decide(account, choice, at("2025-08-30T00:00:00Z"));
    }
    world
        .import(vec![conversation("a1", "c1", "pro", &["2025-09-01T10:00:00Z"])], at("2025-09-01T11:00:00Z"));
    let scope = HoldScope { classes: vec!["history".to_owned()], ..HoldScope::default() };
    world.tenure.place_hold("order", scope, true, at("2025-09-02T00:00:00Z")).unwrap();
    let out = world.folder.path().join("run");
    world.tenure.open_run("train", &out, Rows::Jsonl, at("2025-09-03T00:00:00Z"), &mut |_| {}).unwrap();
    world.decide("a1", Choice::Off, at("2025-09-04T00:00:00Z"));
    let key = world.tenure.account("a1").unwrap().key;
    let first = |tx: &mut dyn tenure_store::ReadTx| Ok::<_, StoreError>(tx.records_of(key, None, 1)?[0].id);
    let record: RecordId = world.store.read(first).unwrap();
    world.tenure.delete(Deletion::ConversationOf(record), at("2025-09-05T00:00:00Z")).unwrap();
    world.tenure.delete(Deletion::Account("a3".to_owned()), at("2025-09-06T00:00:00Z")).unwrap();
    assert!(world.sweep(at("2025-12-01T00:00:00Z")).total() > 0);
    world.tenure.release_hold("order", at("2025-12-02T00:00:00Z")).unwrap();
    assert_eq!(world.sweep(at("2032-01-01T00:00:00Z")).proofs, 1);
    world.decide("a2", Choice::On, at("2032-01-02T00:00:00Z"));
    world.decide("a2", Choice::Off, at("2032-01-03T00:00:00Z"));
    world.tenure.publish_checkpoint(at("2032-01-03T00:00:00Z")).unwrap();
    world
}

/// Whether nobody can find what was done to a statement whose evidence is gone: what can't be opened was never
/// vouched for by the leaf, and means nothing any more. Its commitment, its place and its account still count.
fn is_moot(what: &str, statement: &Described) -> bool {
    statement.destroyed && matches!(what, "its evidence altered" | "its kind altered" | "its time altered")
}

#[test]
fn whatever_is_done_to_any_one_statement_is_found() {
    let log = Log::of(eventful());
    let database = connect(&log.database());
    let sound = log.verify(&log.database()).unwrap();
    assert!(sound.is_sound(), "{:?}", sound.faults);
    let statements = described(&database);
    let destroyed = statements.iter().filter(|statement| statement.destroyed).count();
    assert_eq!((destroyed, sound.destroyed), (4, 4));
    let count = statements.len();
    assert!(count >= 25, "{count}");
    println!("{count} statements of {} chains; how many of each are found by what", sound.chains);
    for (what, tampering) in TAMPERINGS {
        let (mut finders, mut moot) = (BTreeMap::<String, u32>::new(), 0);
        for (seq, statement) in (0..).zip(&statements) {
            let verified = log.after(|database| tampering(database, seq));
            let found = found(&verified);
            if found.is_empty() {
                assert!(is_moot(what, statement), "{what}: leaf {seq}, {statement:?}");
                moot += 1;
            }
            for fault in found {
                *finders.entry(fault).or_default() += 1;
            }
        }
        println!("{what:>31}: {finders:?}, without evidence {moot}");
    }
}

#[test]
fn a_cover_up_without_the_keys_is_found_by_the_published_checkpoint() {
    let log = Log::of(eventful());
    let database = connect(&log.database());
    let statements = described(&database);
    let forget = |database: &Connection| {
        database.execute_batch("DELETE FROM meta WHERE key = 'log/checkpoint'").unwrap();
    };
    // What stands in the tree alone; the rest leaves the tree as it was, and covering up changes nothing.
    let of_tree =
        ["removed", "its commitment altered", "swapped with its neighbour", "another one put before it"];
    for (what, tampering) in TAMPERINGS.iter().filter(|(what, _)| of_tree.contains(what)) {
        let mut unseen = Vec::new();
        for (seq, statement) in (0..).zip(&statements) {
            let covered = |database: &Connection| {
                tampering(database, seq);
                cover_up(database);
            };
            let verified = log.after(covered).unwrap();
            let by_checkpoint =
                |fault: &Fault| matches!(fault, Fault::Forked { .. } | Fault::RolledBack { .. });
            assert!(verified.faults.iter().any(by_checkpoint), "{what}: leaf {seq}");
            assert!(
                !verified.faults.iter().any(|fault| matches!(fault, Fault::Tile { .. } | Fault::Root { .. }))
            );
            // Without the checkpoint that the operator published, only what the chains and the store say is left.
            let verified = log.after(|database| {
                covered(database);
                forget(database);
            });
            if found(&verified).is_empty() {
                unseen.push(statement);
            }
        }
        let kinds: Vec<&str> = unseen.iter().map(|statement| statement.kind.as_str()).collect();
        println!("{what:>31}: unseen if the published checkpoint goes too: {kinds:?}");
        let explained = |statement: &&Described| match *what {
            // The order of two chains is in the tree alone.
            "swapped with its neighbour" => true,
            // So is the end of a chain, where the store has no state that it speaks of.
            "removed" => statement.newest,
            // And a commitment that nobody can open any more.
            _ => statement.destroyed,
        };
        assert!(unseen.iter().all(explained), "{what}: {unseen:?}");
    }
}

#[test]
fn whatever_the_operator_stated_is_in_the_store_as_it_was_stated() {
    let log = Log::of(eventful());
    let changes = [
        ("a policy", "UPDATE policies SET source = replace(source, '30 days', '90 days')"),
        ("a policy's digest", "UPDATE policies SET digest = randomblob(32)"),
        ("a policy that goes", "DELETE FROM policies"),
        ("a policy that is withdrawn", "UPDATE policies SET withdrawn_at = 0"),
        ("what a hold covers", "UPDATE holds SET scope = json_set(scope, '$.classes[0]', 'content')"),
        ("when a hold began", "UPDATE holds SET placed_at = placed_at - 1"),
        ("when a hold ended", "UPDATE holds SET released_at = released_at + 1"),
        ("a hold that lasts", "UPDATE holds SET released_at = NULL"),
        ("a hold that goes", "DELETE FROM holds"),
        ("a run's manifest", "UPDATE runs SET manifest = replace(manifest, 'train', 'other')"),
        ("a run's digest", "UPDATE runs SET digest = randomblob(32)"),
        ("a run that goes", "DELETE FROM runs"),
        ("which copies were destroyed", "UPDATE copies SET class = class + 10 WHERE batch IS NOT NULL"),
        ("copies that go", "DELETE FROM copies WHERE batch IS NOT NULL"),
        ("a destruction that goes", "DELETE FROM batches"),
        ("an account that is closed", "UPDATE accounts SET closed_at = 0 WHERE id = 'a2'"),
        ("an account that is open again", "UPDATE accounts SET closed_at = NULL WHERE id = 'a3'"),
        (
            "an account's evidence",
            "UPDATE accounts SET (proof_page, proof_wrap) = (NULL, NULL) WHERE id = 'a1'",
        ),
        ("an account that goes", "DELETE FROM accounts WHERE id = 'a2'"),
    ];
    let mut unseen = Vec::new();
    for (what, sql) in changes {
        let found = found(&log.after(|database| assert!(database.execute(sql, []).unwrap() > 0, "{what}")));
        println!("{what:>31}: {found:?}");
        if found.is_empty() {
            unseen.push(what);
        }
    }
    assert!(unseen.is_empty(), "{unseen:?}");
}

/// A log with two full tiles, and two levels.
fn wide() -> World {
    let world = World::new();
    std::thread::scope(|scope| {
        for caller in 0..8 {
            let world = &world;
            scope.spawn(move || {
                (0..75).for_each(|number| {
                    world.open_account(&format!("a{caller}-{number}"), at("2025-08-29T00:00:00Z"));
                });
            });
        }
    });
    world.tenure.publish_checkpoint(at("2025-08-29T00:00:00Z")).unwrap();
    world
}

#[test]
fn whatever_is_done_to_a_tile_is_found() {
    let log = Log::of(wide());
    let database = connect(&log.database());
    let tiles: Vec<(i64, i64, Vec<u8>)> = database
        .prepare("SELECT level, place, hashes FROM tiles")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(tiles.len(), 3, "two full ones, and the partial one above them");
    let finds = |what: &str, tampering: &dyn Fn(&Connection)| {
        let found = found(&log.after(tampering));
        assert_eq!(found, BTreeSet::from(["tile".to_owned()]), "{what}");
    };
    for (level, place, hashes) in &tiles {
        let put = |hashes: &[u8], database: &Connection| {
            let sql = "UPDATE tiles SET hashes = ?3 WHERE level = ?1 AND place = ?2";
            assert_eq!(database.execute(sql, params![level, place, hashes]).unwrap(), 1);
        };
        for at in [0, hashes.len() / 2, hashes.len() - 1] {
            let mut altered = hashes.clone();
            altered[at] ^= 0x80;
            finds("altered", &|database| put(&altered, database));
        }
        let mut swapped = hashes.clone();
        swapped.rotate_left(32);
        finds("hashes swapped", &|database| put(&swapped, database));
        finds("cut", &|database| put(&hashes[..hashes.len() - 32], database));
        finds("removed", &|database| {
            let sql = "DELETE FROM tiles WHERE level = ?1 AND place = ?2";
            assert_eq!(database.execute(sql, params![level, place]).unwrap(), 1);
        });
    }
    finds("two tiles swapped", &|database| {
        for (from, to) in [(0, 9), (1, 0), (9, 1)] {
            let sql = "UPDATE tiles SET place = ?2 WHERE level = 0 AND place = ?1";
            assert_eq!(database.execute(sql, [from, to]).unwrap(), 1);
        }
    });
}

#[test]
fn whatever_is_done_to_the_head_or_the_checkpoint_is_found() {
    let log = Log::of(eventful());
    let database = connect(&log.database());
    let sql = "SELECT value FROM meta WHERE key = 'log/checkpoint'";
    let checkpoint: String = database.query_row(sql, [], |row| row.get(0)).unwrap();
    let show = |text: &str, database: &Connection| {
        database.execute("UPDATE meta SET value = ?1 WHERE key = 'log/checkpoint'", [text]).unwrap();
    };
    let signature = checkpoint.rfind("— ").unwrap() + "— tenure.example/test ".len() + 40;
    let mut forged = checkpoint.clone();
    let other = if forged.as_bytes()[signature] == b'A' { "B" } else { "A" };
    forged.replace_range(signature..=signature, other);
    let sized = checkpoint.lines().nth(1).unwrap();
    let smaller = checkpoint.replacen(sized, &(sized.parse::<u64>().unwrap() - 1).to_string(), 1);
    let cases: [(&str, &str, Change<'_>); 7] = [
        ("a smaller head", "rolled_back", &|database| {
            database.execute_batch("UPDATE log SET size = size - 1").unwrap();
        }),
        ("a larger head", "statement_missing", &|database| {
            database.execute_batch("UPDATE log SET size = size + 1").unwrap();
        }),
        ("another root", "root", &|database| {
            database.execute_batch("UPDATE log SET root = randomblob(32)").unwrap();
        }),
        ("no head", "no_head", &|database| database.execute_batch("DELETE FROM log").unwrap()),
        ("a forged signature", "checkpoint_signature", &|database| show(&forged, database)),
        ("another size", "checkpoint_signature", &|database| show(&smaller, database)),
        ("no checkpoint at all", "cannot be read", &|database| show("gone\n", database)),
    ];
    for (what, fault, tampering) in cases {
        let found = found(&log.after(tampering));
        assert!(found.contains(fault), "{what}: {found:?}");
    }
}

#[test]
fn a_database_that_is_rolled_back_is_found_by_what_was_published_since() {
    let world = eventful();
    let old = tempfile::tempdir().unwrap();
    let old = old.path().join("tenure.db");
    let database = world.folder.path().join("data/tenure.db");
    Connection::open(&database).unwrap().execute("VACUUM INTO ?1", [old.to_str().unwrap()]).unwrap();
    world.decide("a2", Choice::On, at("2032-02-01T00:00:00Z"));
    let published = world.tenure.publish_checkpoint(at("2032-02-01T00:00:00Z")).unwrap();
    let log = Log::of(world);
    // The key folder remembers what was published, and the log is not signed again.
    let rolled_back = [Fault::RolledBack { size: published.checkpoint().size() }];
    assert_eq!(log.verify(&old).unwrap().faults, rolled_back);
    let vault = Arc::clone(&log.vault);
    let store = Arc::new(SqliteStore::open(&old).unwrap());
    let restored = Tenure::new(store, vault, log.keys.clone(), Arc::new(Nothing));
    let again = restored.publish_checkpoint(at("2032-02-02T00:00:00Z"));
    assert!(matches!(again, Err(Error::LogRolledBack(_))), "{again:?}");
    drop(restored);
    // Without that, everything of then, its checkpoint too, is sound by itself: someone outside remembers more.
    std::fs::remove_file(log.folder.path().join("keys/log-mark")).unwrap();
    assert!(log.verify(&old).unwrap().is_sound());
    let kept = "UPDATE meta SET value = ?1 WHERE key = 'log/checkpoint'";
    connect(&old).execute(kept, [published.to_string()]).unwrap();
    assert_eq!(log.verify(&old).unwrap().faults, rolled_back);
}
