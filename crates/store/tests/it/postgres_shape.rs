//! The shape that Citus distributes: a test that reads the schema and fails on a table that breaks it.
//!
//! What it claims is the shape: that each account's rows can lie together on one server, with what is the same for
//! everyone on all of them.

use crate::postgres_server::{Server, Version};
use postgres::Client;
use std::collections::BTreeMap;
use tenure_model::Instant;
use tenure_store::{
    AccountFacts, AccountKeys, NewAccount, NewStatement, PostgresStore, Store, StoreError, StoreExt,
};

/// How a table is spread, as its comment says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spread {
    /// By the account, which this column names.
    Account(String),
    /// Nowhere: it is the same for everyone.
    House,
    /// By the name that this column has.
    Directory(String),
}

fn spread(table: &str, comment: Option<&str>) -> Result<Spread, String> {
    let led =
        |rest: &str| rest.strip_prefix("led by ").map(|rest| rest.split(';').next().unwrap().to_owned());
    let comment = comment.unwrap_or_default();
    let (kind, rest) = comment.split_once(": ").unwrap_or((comment, ""));
    match (kind, led(rest)) {
        ("account", Some(column)) => Ok(Spread::Account(column)),
        ("directory", Some(column)) => Ok(Spread::Directory(column)),
        ("house", _) => Ok(Spread::House),
        _ => Err(format!("`{table}` does not say how it is spread")),
    }
}

/// Everything about the tables of a schema that breaks the shape.
fn broken(client: &mut Client) -> Vec<String> {
    let mut found = Vec::new();
    let mut tables = BTreeMap::new();
    let sql = "SELECT relname::TEXT, obj_description(oid, 'pg_class') FROM pg_class
        WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace ORDER BY relname";
    for row in client.query(sql, &[]).unwrap() {
        let (table, comment): (String, Option<String>) = (row.get(0), row.get(1));
        match spread(&table, comment.as_deref()) {
            Ok(spread) => drop(tables.insert(table, spread)),
            Err(reason) => found.push(reason),
        }
    }
    for (table, spread) in &tables {
        keys(client, table, spread, &mut found);
        columns(client, table, spread, &mut found);
    }
    references(client, &tables, &mut found);
    found
}

/// Every unique key of a table that is spread begins with that by which it is.
fn keys(client: &mut Client, table: &str, spread: &Spread, found: &mut Vec<String>) {
    let sql = "SELECT i.indexrelid::regclass::TEXT, i.indisprimary, a.attname::TEXT FROM pg_index i
        LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = $1::TEXT::regclass AND i.indisunique";
    let rows = client.query(sql, &[&table]).unwrap();
    if !rows.iter().any(|row| row.get::<_, bool>(1)) {
        found.push(format!("`{table}` has no primary key"));
    }
    let (Spread::Account(by) | Spread::Directory(by)) = spread else { return };
    for row in rows {
        let (index, first): (String, Option<String>) = (row.get(0), row.get(2));
        if first.as_deref() != Some(by) {
            found.push(format!("`{index}` is unique and is not led by `{by}`"));
        }
    }
}

/// Numbers are BIGINT everywhere, and no table that is spread draws from a sequence.
fn columns(client: &mut Client, table: &str, spread: &Spread, found: &mut Vec<String>) {
    let sql = "SELECT column_name::TEXT, data_type::TEXT, is_identity = 'YES' OR COALESCE(column_default, '') LIKE 'nextval%'
        FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY 1";
    for row in client.query(sql, &[&table]).unwrap() {
        let (column, kind, drawn): (String, String, bool) = (row.get(0), row.get(1), row.get(2));
        if !["bigint", "bytea", "text", "boolean"].contains(&kind.as_str()) {
            found.push(format!("`{table}.{column}` is of type {kind}"));
        }
        if drawn && *spread != Spread::House {
            found.push(format!("`{table}.{column}` is drawn from a sequence"));
        }
    }
}

/// A foreign key leads to what is the same for everyone, or stays with the account.
fn references(client: &mut Client, tables: &BTreeMap<String, Spread>, found: &mut Vec<String>) {
    let sql = "SELECT c.conname::TEXT, f.relname::TEXT, t.relname::TEXT, fa.attname::TEXT, ta.attname::TEXT
        FROM pg_constraint c
        JOIN pg_class f ON f.oid = c.conrelid JOIN pg_class t ON t.oid = c.confrelid
        JOIN pg_attribute fa ON fa.attrelid = c.conrelid AND fa.attnum = c.conkey[1]
        JOIN pg_attribute ta ON ta.attrelid = c.confrelid AND ta.attnum = c.confkey[1]
        WHERE c.contype = 'f' AND c.connamespace = current_schema()::regnamespace ORDER BY 1";
    for row in client.query(sql, &[]).unwrap() {
        let [name, from, to, from_column, to_column] = [0, 1, 2, 3, 4].map(|at| row.get::<_, String>(at));
        let fine = match (tables.get(&from), tables.get(&to)) {
            (Some(_), Some(Spread::House)) => true,
            (Some(Spread::Account(by)), Some(Spread::Account(of))) => *by == from_column && *of == to_column,
            _ => false,
        };
        if !fine {
            found.push(format!("`{name}` leads from `{from}` to rows of `{to}` that may lie elsewhere"));
        }
    }
}

#[test]
fn the_schema_has_the_shape_that_can_be_distributed() {
    for version in [Version::Oldest, Version::Newest] {
        let server = Server::start(version);
        drop(PostgresStore::open(&server.address()).unwrap());
        assert_eq!(broken(&mut server.client()), Vec::<String>::new(), "{version:?}");
    }
}

#[test]
fn a_table_that_breaks_the_shape_is_found() {
    let server = Server::start(Version::Oldest);
    drop(PostgresStore::open(&server.address()).unwrap());
    let mut client = server.client();
    for (table, complaint) in [
        ("CREATE TABLE bad (account BIGINT PRIMARY KEY)", "`bad` does not say how it is spread"),
        (
            "CREATE TABLE bad (account BIGINT); COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad` has no primary key",
        ),
        (
            "CREATE TABLE bad (id BIGINT PRIMARY KEY, account BIGINT);
             COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad_pkey` is unique and is not led by `account`",
        ),
        (
            "CREATE TABLE bad (account BIGINT PRIMARY KEY, other BIGINT UNIQUE);
             COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad_other_key` is unique and is not led by `account`",
        ),
        (
            "CREATE TABLE bad (account BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
             COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad.account` is drawn from a sequence",
        ),
        (
            "CREATE TABLE bad (account BIGSERIAL PRIMARY KEY); COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad.account` is drawn from a sequence",
        ),
        (
            "CREATE TABLE bad (account BIGINT PRIMARY KEY, number INT);
             COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad.number` is of type integer",
        ),
        (
            "CREATE TABLE bad (account BIGINT PRIMARY KEY, other BIGINT REFERENCES accounts (key));
             COMMENT ON TABLE bad IS 'account: led by account'",
            "`bad_other_fkey` leads from `bad` to rows of `accounts` that may lie elsewhere",
        ),
        (
            "CREATE TABLE bad (id BIGINT PRIMARY KEY REFERENCES accounts (key)); COMMENT ON TABLE bad IS 'house'",
            "`bad_id_fkey` leads from `bad` to rows of `accounts` that may lie elsewhere",
        ),
        (
            "CREATE TABLE bad (name TEXT, account BIGINT, PRIMARY KEY (account, name));
             COMMENT ON TABLE bad IS 'directory: led by name'",
            "`bad_pkey` is unique and is not led by `name`",
        ),
    ] {
        client.batch_execute(table).unwrap();
        assert_eq!(broken(&mut client), [complaint], "{table}");
        client.batch_execute("DROP TABLE bad").unwrap();
    }
}

/// What the jobs of one account did that touches rows of others or of the house: the server's log tells.
///
/// Each of their statements takes the account first, and names its tables only.
fn strayed(log: &str, spreads: &BTreeMap<String, Spread>) -> (usize, Vec<String>) {
    // A line of the log begins with the process; what follows until the next such line belongs to it.
    let mut sessions: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut of = "";
    for line in log.lines() {
        match line.strip_prefix("pid=").and_then(|line| line.split_once(' ')) {
            Some((process, said)) => {
                of = process;
                sessions.entry(of).or_default().push(said.to_owned());
            }
            None => {
                if let Some(last) = sessions.get_mut(of).and_then(|said| said.last_mut()) {
                    last.push(' ');
                    last.push_str(line.trim());
                }
            }
        }
    }
    let (mut jobs, mut found) = (0, Vec::new());
    for said in sessions.values() {
        let mut account: Option<String> = None;
        let mut statement = "";
        for line in said {
            if let Some((_, rest)) = line.split_once("READ COMMITTED; SELECT key FROM accounts WHERE key = ")
            {
                account = rest.split(' ').next().map(str::to_owned);
                jobs += 1;
            } else if line.contains("statement: COMMIT") || line.contains("statement: ROLLBACK") {
                account = None;
            } else if let Some(account) = &account {
                match line.split_once("DETAIL:") {
                    Some((_, detail)) if !detail.contains(&format!("$1 = '{account}'")) => {
                        found.push(format!("it does not take the account first: {statement}"));
                    }
                    Some(_) => {}
                    None => {
                        statement = line;
                        let words: Vec<&str> =
                            line.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
                        let house =
                            spreads.iter().filter(|(_, spread)| !matches!(spread, Spread::Account(_)));
                        let named = house.filter(|(table, _)| words.contains(&table.as_str()));
                        found.extend(named.map(|(table, _)| format!("it touches `{table}`")));
                    }
                }
            }
        }
    }
    (jobs, found)
}

#[test]
fn a_job_of_an_account_touches_its_rows_alone_and_one_that_does_not_is_found() {
    let settings = ["log_statement=all", "log_line_prefix=pid=%p "];
    let server = Server::start_with(Version::Oldest, &settings);
    let store = PostgresStore::open(&server.address()).unwrap();
    let account = |id: &str| NewAccount {
        id: id.to_owned(),
        organisation: None,
        facts: AccountFacts::default(),
        keys: AccountKeys::default(),
    };
    let (one, other) = store
        .write(move |tx| {
            Ok::<_, StoreError>((tx.insert_account(&account("one"))?, tx.insert_account(&account("other"))?))
        })
        .unwrap();
    let statement = NewStatement {
        account: Some(one),
        version: 1,
        kind: "decision".to_owned(),
        at: Instant::from_micros(1).unwrap(),
        commitment: [1; 32],
        sealed: vec![1],
    };
    // What a decision does.
    store
        .write_of(one, move |tx| {
            tx.account(one)?;
            tx.mark_refile(one)?;
            tx.append_unplaced(&statement)
        })
        .unwrap();
    store.place_of(one, 1).unwrap();
    let mut spreads = BTreeMap::new();
    let sql = "SELECT relname::TEXT, obj_description(oid, 'pg_class') FROM pg_class
        WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace";
    for row in server.client().query(sql, &[]).unwrap() {
        let (table, comment): (String, Option<String>) = (row.get(0), row.get(1));
        spreads.insert(table.clone(), spread(&table, comment.as_deref()).unwrap());
    }
    assert_eq!(strayed(&server.log(), &spreads), (1, Vec::new()));

    let stray: Result<(), StoreError> = store.write_of(one, move |tx| {
        tx.set_meta("a", "1")?;
        tx.mark_refile(other)
    });
    stray.unwrap();
    let (jobs, found) = strayed(&server.log(), &spreads);
    assert_eq!(jobs, 2);
    assert!(found.iter().any(|found| found == "it touches `meta`"), "{found:?}");
    assert!(found.iter().any(|found| found.starts_with("it does not take the account first")), "{found:?}");
}
