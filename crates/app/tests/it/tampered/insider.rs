//! An insider who has the database and changes what should never change, by SQL.

use rusqlite::{Connection, params};
use tenure_receipts::leaf;
use tenure_tlog::incremental::TileEdge;

/// Something that is done to one statement of a log.
pub(crate) type Tampering = fn(&Connection, i64);

pub(crate) const TAMPERINGS: [(&str, Tampering); 10] = [
    ("removed", remove),
    ("its commitment altered", |database, seq| flip(database, seq, "commitment")),
    ("its evidence altered", |database, seq| flip(database, seq, "sealed")),
    ("its kind altered", |database, seq| {
        let sql =
            "UPDATE statements SET kind = CASE kind WHEN 'decision' THEN 'acknowledged' ELSE 'decision' END
            WHERE seq = ?1";
        change(database, sql, seq);
    }),
    ("its time altered", |database, seq| {
        change(database, "UPDATE statements SET at = at + 1 WHERE seq = ?1", seq);
    }),
    ("its place in the chain altered", |database, seq| {
        change(database, "UPDATE statements SET version = version + 1000 WHERE seq = ?1", seq);
    }),
    ("given to another account", give_away),
    ("given to nobody", |database, seq| {
        change(database, "UPDATE statements SET account = NULL, version = 0 WHERE seq = ?1", seq);
    }),
    ("swapped with its neighbour", swap),
    ("another one put before it", insert),
];

/// A connection that no trigger and no foreign key holds up.
pub(crate) fn connect(place: &std::path::Path) -> Connection {
    let database = Connection::open(place).unwrap();
    database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF;").unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
    let triggers: Vec<String> =
        database.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    for trigger in triggers {
        database.execute_batch(&format!("DROP TRIGGER {trigger}")).unwrap();
    }
    database
}

fn change(database: &Connection, sql: &str, seq: i64) {
    assert_eq!(database.execute(sql, [seq]).unwrap(), 1);
}

fn remove(database: &Connection, seq: i64) {
    change(database, "DELETE FROM statements WHERE seq = ?1", seq);
}

fn flip(database: &Connection, seq: i64, column: &str) {
    let sql = format!("SELECT {column} FROM statements WHERE seq = ?1");
    let mut bytes: Vec<u8> = database.query_row(&sql, [seq], |row| row.get(0)).unwrap();
    let last = bytes.last_mut().unwrap();
    *last ^= 1;
    let sql = format!("UPDATE statements SET {column} = ?2 WHERE seq = ?1");
    assert_eq!(database.execute(&sql, params![seq, bytes]).unwrap(), 1);
}

/// It becomes the last one of another account's chain.
fn give_away(database: &Connection, seq: i64) {
    let sql = "UPDATE statements SET (account, version) = (
            SELECT account, max(version) + 1 FROM statements
            WHERE account <> (SELECT account FROM statements WHERE seq = ?1) GROUP BY account LIMIT 1
        ) WHERE seq = ?1";
    change(database, sql, seq);
}

fn swap(database: &Connection, seq: i64) {
    let other = if seq == last(database) { seq - 1 } else { seq + 1 };
    for (from, to) in [(seq, -1), (other, seq), (-1, other)] {
        let sql = "UPDATE statements SET seq = ?2 WHERE seq = ?1";
        assert_eq!(database.execute(sql, [from, to]).unwrap(), 1);
    }
}

/// A forgery that looks like the statement which stands there, as the next one of the same account.
fn insert(database: &Connection, seq: i64) {
    for sql in [
        "UPDATE statements SET seq = -seq - 1 WHERE seq >= ?1",
        "UPDATE statements SET seq = -seq WHERE seq < 0 AND ?1 = ?1",
    ] {
        database.execute(sql, [seq]).unwrap();
    }
    let sql = "INSERT INTO statements (seq, account, version, kind, at, commitment, sealed)
        SELECT ?1, account, (SELECT max(version) + 1 FROM statements WHERE account = now.account), kind, at,
            randomblob(32), sealed
        FROM statements now WHERE seq = ?1 + 1";
    change(database, sql, seq);
}

fn last(database: &Connection) -> i64 {
    database.query_row("SELECT max(seq) FROM statements", [], |row| row.get(0)).unwrap()
}

/// Numbers the statements without a gap, and makes head, tiles and ends of chains anew: what someone does who
/// wants nothing to be seen, and who has no keys.
pub(crate) fn cover_up(database: &Connection) {
    let seqs: Vec<i64> = column(database, "SELECT seq FROM statements ORDER BY seq");
    for (place, seq) in (0_i64..).zip(seqs) {
        database.execute("UPDATE statements SET seq = ?2 WHERE seq = ?1", [seq, place]).unwrap();
    }
    database.execute_batch("DELETE FROM tiles").unwrap();
    let commitments: Vec<[u8; 32]> = column(database, "SELECT commitment FROM statements ORDER BY seq");
    let mut edge = TileEdge::new();
    let put = |level: u8, place: u64, hashes: &[u8]| {
        let sql = "INSERT INTO tiles (level, place, hashes) VALUES (?1, ?2, ?3)";
        database.execute(sql, params![level, i64::try_from(place).unwrap(), hashes]).unwrap();
    };
    for commitment in &commitments {
        for (tile, hashes) in edge.append(leaf(commitment)) {
            put(tile.level(), tile.index(), &hashes);
        }
    }
    for (tile, hashes) in edge.partial_tiles().filter(|(tile, _)| tile.level() > 0) {
        put(tile.level(), tile.index(), hashes);
    }
    let size = i64::try_from(edge.size()).unwrap();
    database.execute("UPDATE log SET size = ?1, root = ?2", params![size, edge.root()]).unwrap();
    let ends = "UPDATE accounts SET
            chain_version = COALESCE((SELECT max(version) FROM statements WHERE account = key), 0),
            chain_head = COALESCE(
                (SELECT commitment FROM statements WHERE account = key ORDER BY version DESC LIMIT 1),
                zeroblob(32))";
    database.execute_batch(ends).unwrap();
}

fn column<T: rusqlite::types::FromSql>(database: &Connection, sql: &str) -> Vec<T> {
    database.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// What is known of a statement that was tampered with.
#[derive(Debug)]
pub(crate) struct Described {
    pub(crate) kind: String,
    /// Whether it is the newest of its chain.
    pub(crate) newest: bool,
    /// Whether its evidence was destroyed in its turn.
    pub(crate) destroyed: bool,
}

/// Every statement of a log.
pub(crate) fn described(database: &Connection) -> Vec<Described> {
    let sql = "SELECT kind, proof_page IS NULL AS destroyed, NOT EXISTS (
            SELECT 1 FROM statements later WHERE later.account = now.account AND later.version > now.version
        ) AS newest FROM statements now JOIN accounts ON accounts.key = now.account ORDER BY seq";
    let mut query = database.prepare(sql).unwrap();
    let rows = query.query_map([], |row| {
        Ok(Described { kind: row.get("kind")?, newest: row.get("newest")?, destroyed: row.get("destroyed")? })
    });
    rows.unwrap().map(Result::unwrap).collect()
}
