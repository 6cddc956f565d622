//! The schema and its versions. `user_version` says which migrations a file has had.

use super::failure::failed;
use crate::{StoreError, Stored};
use rusqlite::{Connection, TransactionBehavior};

/// In order; the first takes an empty file to version 1.
const MIGRATIONS: &[&str] = &[
    include_str!("../../migrations/sqlite/0001_foundation.sql"),
    include_str!("../../migrations/sqlite/0002_log.sql"),
    include_str!("../../migrations/sqlite/0003_erasure.sql"),
    include_str!("../../migrations/sqlite/0004_journal.sql"),
    include_str!("../../migrations/sqlite/0005_hold_readers.sql"),
    include_str!("../../migrations/sqlite/0006_reports.sql"),
    include_str!("../../migrations/sqlite/0007_release.sql"),
    include_str!("../../migrations/sqlite/0008_access.sql"),
];

/// Marks the file as ours (`TENU`), so that another program's database is not migrated by mistake.
const APPLICATION_ID: i64 = 0x5445_4e55;

/// Brings the schema up to date, all of it or nothing.
pub(super) fn migrate(connection: &mut Connection) -> Stored<()> {
    const WHAT: &str = "migrate the schema";
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed(WHAT))?;
    let found = pragma(&transaction, "user_version")?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    let ours = pragma(&transaction, "application_id")? == APPLICATION_ID;
    if !ours && (found != 0 || tables(&transaction)? != 0) {
        let reason = "the file is another program's database: use another path".to_owned();
        return Err(StoreError::Engine { operation: WHAT, reason });
    }
    if found < known {
        let done = usize::try_from(found).unwrap_or(0);
        for migration in MIGRATIONS.iter().skip(done) {
            transaction.execute_batch(migration).map_err(failed(WHAT))?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed(WHAT))?;
        transaction.pragma_update(None, "user_version", known).map_err(failed(WHAT))?;
    }
    transaction.commit().map_err(failed(WHAT))
}

/// Refuses a file whose schema is not the one that this program knows.
pub(super) fn check(connection: &Connection) -> Stored<()> {
    let found = pragma(connection, "user_version")?;
    match found.cmp(&i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(StoreError::OlderSchema),
        std::cmp::Ordering::Greater => {
            Err(StoreError::NewerSchema { found, known: i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX) })
        }
    }
}

fn pragma(connection: &Connection, name: &str) -> Stored<i64> {
    connection.pragma_query_value(None, name, |row| row.get(0)).map_err(failed("read the schema's version"))
}

fn tables(connection: &Connection) -> Stored<i64> {
    connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed("read the schema"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_gets_the_whole_schema_and_a_second_time_changes_nothing() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let (version, made) = (pragma(&connection, "user_version").unwrap(), tables(&connection).unwrap());
        migrate(&mut connection).unwrap();
        assert_eq!(version, i64::try_from(MIGRATIONS.len()).unwrap());
        assert_eq!(
            (version, made),
            (pragma(&connection, "user_version").unwrap(), tables(&connection).unwrap())
        );
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 99).unwrap();
        assert!(matches!(migrate(&mut connection), Err(StoreError::NewerSchema { found: 99, .. })));
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE theirs (x)").unwrap();
        assert!(migrate(&mut connection).is_err());
        assert_eq!(tables(&connection).unwrap(), 1);
    }
}
