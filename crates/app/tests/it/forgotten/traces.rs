//! Everything about an account that can be seen without a key, and whether any of it tells the answer.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::thief::with_database;

/// How many accounts show a feature, and how many of those said `on`.
#[derive(Default, Clone, Copy)]
pub(crate) struct Shown {
    pub(crate) on: u32,
    pub(crate) all: u32,
}

impl Shown {
    pub(crate) fn add(&mut self, on: bool) {
        self.on += u32::from(on);
        self.all += 1;
    }

    /// Whether the feature would tell so much by chance less often than once in a thousand million worlds,
    /// if half of all accounts said `on` (Hoeffding's inequality).
    pub(crate) fn tells(self) -> bool {
        let (on, all) = (f64::from(self.on), f64::from(self.all));
        (on - all / 2.0).abs() > (all * (2e9_f64).ln() / 2.0).sqrt()
    }
}

/// Each feature that anything of an account has in the database.
pub(crate) fn features(data: &Path, said_on: &HashMap<String, bool>) -> BTreeMap<String, Shown> {
    with_database(data, |database| {
        let answers = by_key(database, said_on);
        let mut features = BTreeMap::new();
        for (table, column) in tables_with_accounts(database) {
            read_table(database, &table, &column, &answers, &mut features);
        }
        features
    })
}

fn by_key(database: &Connection, said_on: &HashMap<String, bool>) -> HashMap<i64, bool> {
    let mut query = database.prepare("SELECT key, id FROM accounts").unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?))).unwrap();
    rows.map(Result::unwrap).filter_map(|(key, id)| Some((key, *said_on.get(&id)?))).collect()
}

pub(crate) fn tables(database: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name";
    let mut query = database.prepare(sql).unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Every table that names an account, and the column in which it does.
fn tables_with_accounts(database: &Connection) -> Vec<(String, String)> {
    let sql = "SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'account'";
    let names = |table: &String| database.query_row(sql, [table], |row| row.get::<_, u32>(0)).unwrap() > 0;
    let mut found: Vec<_> =
        tables(database).into_iter().filter(names).map(|table| (table, "account".to_owned())).collect();
    found.push(("accounts".to_owned(), "key".to_owned()));
    found
}

fn read_table(
    database: &Connection,
    table: &str,
    account: &str,
    answers: &HashMap<i64, bool>,
    features: &mut BTreeMap<String, Shown>,
) {
    let mut query = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns: Vec<String> = query.column_names().map(str::to_owned).collect();
    let key = columns.iter().position(|column| column == account).unwrap();
    let kind = columns.iter().position(|column| column == "kind");
    let mut rows = query.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let Some(on) = row.get::<_, Option<i64>>(key).unwrap().and_then(|key| answers.get(&key)) else {
            continue;
        };
        let kind: String = kind.map(|kind| row.get(kind).unwrap()).unwrap_or_default();
        let mut see = |what: String| features.entry(what).or_default().add(*on);
        see(format!("{table} {kind}"));
        for (place, column) in columns.iter().enumerate() {
            for what in of_value(row.get_ref(place).unwrap()) {
                see(format!("{table} {kind} {column} {what}"));
            }
        }
    }
}

/// What can be seen of a value: itself, about where it lies, how long it is, and how it begins and ends.
fn of_value(value: ValueRef<'_>) -> Vec<String> {
    match value {
        ValueRef::Null => vec!["null".to_owned()],
        ValueRef::Real(number) => vec![format!("is {number}")],
        ValueRef::Integer(number) => {
            vec![format!("is {number}"), format!("near {}", number / 256), format!("rest {}", number % 32)]
        }
        ValueRef::Text(text) => {
            vec![format!("is {}", String::from_utf8_lossy(text)), format!("length {}", text.len())]
        }
        ValueRef::Blob(blob) => {
            let mut seen = vec![format!("length {}", blob.len())];
            seen.extend((blob.len() <= 16).then(|| format!("is {blob:?}")));
            seen.extend(blob.iter().take(3).enumerate().map(|(place, byte)| format!("{place}: {byte}")));
            seen.extend(blob.last().map(|byte| format!("last {byte}")));
            seen
        }
    }
}

/// Every row of every table, in which what is random is replaced by its length, and a page by its number in the
/// order in which accounts came onto pages.
pub(crate) fn outline(data: &Path) -> BTreeMap<String, Vec<String>> {
    with_database(data, |database| {
        let pages = numbered_pages(database);
        let outline = |table: String| {
            let mut rows = outline_of(database, &table, &pages);
            // Rows that are found by a random id lie in a random order.
            rows.sort();
            (table, rows)
        };
        tables(database).into_iter().map(outline).collect()
    })
}

fn numbered_pages(database: &Connection) -> HashMap<Vec<u8>, usize> {
    let sql = "SELECT page FROM (
            SELECT key, 0 AS tree, account_page AS page FROM accounts
            UNION ALL SELECT key, 1 AS tree, proof_page AS page FROM accounts
        ) WHERE page IS NOT NULL ORDER BY tree, key";
    let mut query = database.prepare(sql).unwrap();
    let mut pages = HashMap::new();
    for page in query.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap() {
        let next = pages.len();
        pages.entry(page.unwrap()).or_insert(next);
    }
    pages
}

fn outline_of(database: &Connection, table: &str, pages: &HashMap<Vec<u8>, usize>) -> Vec<String> {
    let mut query = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns = query.column_count();
    let rows = query.query_map([], |row| {
        let outlined = (0..columns).map(|place| match row.get_ref(place).unwrap() {
            ValueRef::Blob(blob) => match pages.get(blob) {
                Some(page) => format!("page {page}"),
                None => format!("{} bytes", blob.len()),
            },
            // The published checkpoint, the log's keys and the names of processes are random too.
            ValueRef::Text(text) if matches!(table, "meta" | "leases") && place == 1 => {
                format!("{} bytes", text.len())
            }
            value => format!("{value:?}"),
        });
        Ok(outlined.collect::<Vec<_>>().join(" | "))
    });
    rows.unwrap().map(Result::unwrap).collect()
}
