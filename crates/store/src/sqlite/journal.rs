//! Where the journal stands, and what brings the database up to it.

use super::SqliteTx;
use super::failure::failed;
use super::query::{change_one, first, number};
use super::writer::control;
use crate::journal::{Redo, apply_group};
use crate::log::Sequencer;
use crate::{Journal, JournalError, JournalMark, LogRead, StoreError, Stored, Unsound};
use rusqlite::{Connection, params};

/// The journal as the database knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Known {
    /// Its name; nothing where the database was never journalled.
    pub(super) name: Option<[u8; 16]>,
    /// The last group that is in the database.
    pub(super) mark: JournalMark,
}

pub(super) fn known(connection: &Connection) -> Stored<Known> {
    let sql = "SELECT name, number, link FROM journal WHERE id = 0";
    let found = first(connection, "read where the journal stands", sql, [], |row| {
        let name = row.get("name")?;
        let mark = JournalMark { number: row.count("number")?, link: row.get("link")? };
        Ok(Known { name, mark })
    })?;
    found.ok_or(StoreError::Missing { table: "journal" })
}

/// Whether a file says that it is journalled; a file that is not there, or from before there was a journal, does
/// not.
pub(super) fn is_journalled(connection: &Connection) -> Stored<bool> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name = 'journal'";
    let there: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(failed("read the schema"))?;
    Ok(there > 0 && known(connection)?.name.is_some())
}

fn stand_at(connection: &Connection, mark: JournalMark) -> Stored<()> {
    let sql = "UPDATE journal SET number = ?1, link = ?2 WHERE id = 0";
    let values = params![number(mark.number, "number")?, mark.link];
    change_one(connection, "move to a group of the journal", "journal", sql, values)
}

/// The journal, and what the present group has written.
pub(super) struct Journalling {
    journal: Box<dyn Journal>,
    mark: JournalMark,
    pub(super) redo: Redo,
    /// Set by whatever leaves it open whether the database and the journal are at the same group.
    stopped: bool,
}

impl Journalling {
    /// Joins a database with its journal: does again what the journal has beyond it. Says how many groups that
    /// were.
    pub(super) fn join(
        connection: &Connection,
        sequencer: &mut Sequencer,
        mut journal: Box<dyn Journal>,
    ) -> Stored<(Self, u64)> {
        let Known { name, mark } = known(connection)?;
        match name {
            None => adopt(connection, journal.as_ref())?,
            Some(name) if name != journal.name() => return Err(JournalError::Foreign.into()),
            Some(_) => {}
        }
        journal.settle(mark)?;
        let newest = journal.newest();
        if newest.number < mark.number {
            return Err(JournalError::Behind { store: mark.number, journal: newest.number }.into());
        }
        if newest.number == mark.number && newest.link != mark.link {
            return Err(JournalError::Parted { number: mark.number }.into());
        }
        if newest.number > mark.number {
            journal.replay(mark, &mut |group_mark, group| {
                redo_group(connection, sequencer, group_mark, group)
            })?;
        }
        let replayed = newest.number - mark.number;
        Ok((Self { journal, mark: newest, redo: Redo::default(), stopped: false }, replayed))
    }

    /// Whether anything may be written.
    pub(super) fn check(&self) -> Stored<()> {
        if self.stopped { Err(JournalError::Stopped.into()) } else { Ok(()) }
    }

    /// Appends what the group has written, and says so in the database. The commit comes next; until
    /// [`Journalling::committed`] says that it came, nothing more is written.
    pub(super) fn append(&mut self, connection: &Connection) -> Stored<()> {
        let head = SqliteTx(connection).tree_head()?.ok_or(Unsound::NoHead)?;
        let Some(group) = self.redo.finish(head) else { return Ok(()) };
        self.stopped = true;
        let number = self.mark.number + 1;
        let link = self.journal.append(number, &group)?;
        self.mark = JournalMark { number, link };
        stand_at(connection, self.mark)
    }

    pub(super) const fn committed(&mut self) {
        self.stopped = false;
    }
}

/// Makes a database the journal's, from where it is now on.
fn adopt(connection: &Connection, journal: &dyn Journal) -> Stored<()> {
    if journal.newest().number != 0 {
        return Err(JournalError::Earlier.into());
    }
    // The check above is what keeps two databases from sharing one journal; a transaction of its own makes this
    // durable before the first group is appended.
    control(connection, "BEGIN IMMEDIATE")?;
    let sql = "UPDATE journal SET name = ?1 WHERE id = 0";
    change_one(connection, "begin to be journalled", "journal", sql, [journal.name()])?;
    control(connection, "COMMIT")
}

/// Does a group again, in a transaction of its own.
fn redo_group(
    connection: &Connection,
    sequencer: &mut Sequencer,
    mark: JournalMark,
    group: &[u8],
) -> Stored<()> {
    control(connection, "BEGIN IMMEDIATE")?;
    let done = (|| {
        let head = apply_group(&mut SqliteTx(connection), mark.number, group)?;
        let growth = sequencer.integrate(&mut SqliteTx(connection))?;
        if SqliteTx(connection).tree_head()? != Some(head) {
            return Err(JournalError::Diverged { number: mark.number }.into());
        }
        stand_at(connection, mark)?;
        control(connection, "COMMIT")?;
        Ok(growth)
    })();
    match done {
        Ok(growth) => {
            if let Some(mut growth) = growth {
                sequencer.committed(&mut growth);
            }
            Ok(())
        }
        Err(error) => {
            // If this fails too, closing the connection rolls back.
            drop(control(connection, "ROLLBACK"));
            Err(error)
        }
    }
}
