//! A copy of one state of the database, made while others write.

use super::failure::failed;
use super::open;
use crate::{StoreError, Stored};
use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use std::path::Path;

/// How much is copied between two tellings: 16 MiB.
const PAGES: i32 = 4096;

/// Copies what a connection sees. It must be in a transaction that has read: then it sees one state for as long as
/// the copy takes, and nobody's writes make the copy begin anew.
pub(super) fn to_file(from: &Connection, file: &Path, progress: &mut dyn FnMut(u64, u64)) -> Stored<()> {
    const WHAT: &str = "copy the database";
    let mut to = open::for_copy(file)?;
    let backup = Backup::new(from, &mut to).map_err(failed(WHAT))?;
    loop {
        let step = backup.step(PAGES).map_err(failed(WHAT))?;
        let told = backup.progress();
        let all = u64::try_from(told.pagecount).unwrap_or(0);
        progress(all.saturating_sub(u64::try_from(told.remaining).unwrap_or(0)), all);
        match step {
            StepResult::Done => break,
            StepResult::More => {}
            _ => return Err(StoreError::Busy),
        }
    }
    drop(backup);
    // One file, and nothing beside it, until someone writes to it.
    to.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get::<_, String>(0)).map_err(failed(WHAT))?;
    to.close().map_err(|(_, error)| failed(WHAT)(error))?;
    std::fs::File::open(file)
        .and_then(|copy| copy.sync_all())
        .map_err(|error| StoreError::Engine { operation: WHAT, reason: error.kind().to_string() })
}
