//! The schema and its versions. `schema_versions` says which migrations a database has had, and in which form.

use super::failure::failed;
use super::link::Link;
use crate::{StoreError, Stored};
use postgres::Transaction;

/// In order; the first takes an empty schema to version 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/postgres/0001_foundation.sql"),
    include_str!("../../migrations/postgres/0002_append_only.sql"),
    include_str!("../../migrations/postgres/0003_access.sql"),
];

const WHAT: &str = "migrate the schema";

/// Row 0 stands for no migration: whoever migrates locks it, so that several who begin at once do it once.
const BOOK: &str = "
    CREATE TABLE IF NOT EXISTS schema_versions (id BIGINT PRIMARY KEY, digest BYTEA NOT NULL);
    COMMENT ON TABLE schema_versions IS 'house: which migrations were run, and in which form';
    INSERT INTO schema_versions (id, digest) VALUES (0, '') ON CONFLICT DO NOTHING;
";

/// Brings the schema up to date, all of it or nothing.
pub(super) fn migrate(link: &mut Link) -> Stored<()> {
    if !has_book(link)? {
        refuse_anothers(link)?;
        // Another process may make it at the same moment, which PostgreSQL reports as a conflict.
        link.client.batch_execute(BOOK).or_else(|_| link.client.batch_execute(BOOK)).map_err(failed(WHAT))?;
    }
    let mut transaction = link.client.transaction().map_err(failed(WHAT))?;
    transaction
        .batch_execute("SELECT id FROM schema_versions WHERE id = 0 FOR UPDATE")
        .map_err(failed(WHAT))?;
    let found = had(&mut transaction)?;
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.batch_execute(migration).map_err(failed(WHAT))?;
    }
    for (version, migration) in (1_i64..).zip(MIGRATIONS).skip(found) {
        let digest = digest(migration);
        transaction
            .execute("INSERT INTO schema_versions (id, digest) VALUES ($1, $2)", &[&version, &digest])
            .map_err(failed(WHAT))?;
    }
    transaction.commit().map_err(failed(WHAT))
}

/// Refuses a database whose schema is not the one that this program knows.
pub(super) fn check(link: &mut Link) -> Stored<()> {
    if !has_book(link)? {
        return Err(StoreError::OlderSchema);
    }
    let mut transaction = link.client.transaction().map_err(failed(WHAT))?;
    if had(&mut transaction)? < MIGRATIONS.len() { Err(StoreError::OlderSchema) } else { Ok(()) }
}

/// How many migrations the database has had, if they are the ones that this program knows.
fn had(transaction: &mut Transaction<'_>) -> Stored<usize> {
    let rows = transaction
        .query("SELECT id, digest FROM schema_versions WHERE id > 0 ORDER BY id", &[])
        .map_err(failed(WHAT))?;
    if rows.len() > MIGRATIONS.len() {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        return Err(StoreError::NewerSchema { found: count(rows.len()), known: count(MIGRATIONS.len()) });
    }
    for (row, (version, migration)) in rows.iter().zip((1_i64..).zip(MIGRATIONS)) {
        let id: i64 = row.try_get(0).map_err(failed(WHAT))?;
        let known: &[u8] = row.try_get(1).map_err(failed(WHAT))?;
        if id != version || known != digest(migration) {
            let reason =
                format!("migration {version} was run in another form: restore what belongs to this program");
            return Err(StoreError::Engine { operation: WHAT, reason });
        }
    }
    Ok(rows.len())
}

fn has_book(link: &mut Link) -> Stored<bool> {
    let row = link
        .client
        .query_one("SELECT to_regclass('schema_versions') IS NOT NULL", &[])
        .map_err(failed("read the schema"))?;
    row.try_get(0).map_err(failed("read the schema"))
}

/// Keeps Tenure's tables from being mixed with those of another program.
fn refuse_anothers(link: &mut Link) -> Stored<()> {
    let sql = "SELECT count(*) FROM pg_catalog.pg_tables
        WHERE schemaname = current_schema() AND tablename <> 'schema_versions'";
    let row = link.client.query_one(sql, &[]).map_err(failed("read the schema"))?;
    let tables: i64 = row.try_get(0).map_err(failed("read the schema"))?;
    if tables == 0 {
        return Ok(());
    }
    let reason =
        "the database has another program's tables: give Tenure a database or a schema of its own".to_owned();
    Err(StoreError::Engine { operation: WHAT, reason })
}

fn digest(migration: &str) -> Vec<u8> {
    tenure_tlog::leaf_hash(migration.as_bytes()).to_vec()
}
