//! Columns of a row in their order, parsed into the port's types.

use crate::{
    AccountKey, BackupId, BatchId, ClassId, ConversationId, PackId, PageId, RecordId, RunId, Seq,
    SituationId, StoreError, Stored, Wrap,
};
use rusqlite::Row;
use rusqlite::types::{FromSql, ToSql, ToSqlOutput};
use std::str::FromStr;
use tenure_model::{Day, Instant};

macro_rules! stored_as_its_only_field {
    ($($id:ident),+) => {
        $(impl ToSql for $id {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                self.0.to_sql()
            }
        })+
    };
}
stored_as_its_only_field!(
    AccountKey,
    BackupId,
    BatchId,
    ClassId,
    ConversationId,
    PackId,
    PageId,
    RecordId,
    RunId,
    Seq,
    SituationId
);

/// Reads the columns of one row from left to right. Every read names the column, for the error.
pub(super) struct Columns<'r, 's> {
    row: &'r Row<'s>,
    next: usize,
}

impl<'r, 's> Columns<'r, 's> {
    pub(super) fn of(row: &'r Row<'s>) -> Self {
        Self { row, next: 0 }
    }

    /// A value as SQLite gives it.
    pub(super) fn get<T: FromSql>(&mut self, column: &'static str) -> Stored<T> {
        let at = self.next;
        self.next += 1;
        self.row.get(at).map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn int(&mut self, column: &'static str) -> Stored<i64> {
        self.get(column)
    }

    pub(super) fn bytes16(&mut self, column: &'static str) -> Stored<[u8; 16]> {
        self.get(column)
    }

    pub(super) fn bytes32(&mut self, column: &'static str) -> Stored<[u8; 32]> {
        self.get(column)
    }

    pub(super) fn count(&mut self, column: &'static str) -> Stored<u64> {
        u64::try_from(self.int(column)?).map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn day(&mut self, column: &'static str) -> Stored<Day> {
        self.get(column).map(Day)
    }

    pub(super) fn instant(&mut self, column: &'static str) -> Stored<Instant> {
        Instant::from_micros(self.int(column)?).map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn instant_if_any(&mut self, column: &'static str) -> Stored<Option<Instant>> {
        let micros: Option<i64> = self.get(column)?;
        micros.map(Instant::from_micros).transpose().map_err(|_| StoreError::Unreadable { column })
    }

    /// A word of one of the closed vocabularies.
    pub(super) fn word<T: FromStr>(&mut self, column: &'static str) -> Stored<T> {
        let text: String = self.get(column)?;
        text.parse().map_err(|_| StoreError::Unreadable { column })
    }

    /// A page and what lies on it, in two columns.
    pub(super) fn wrap(&mut self, column: &'static str) -> Stored<Option<Wrap>> {
        let page: Option<[u8; 16]> = self.get(column)?;
        let sealed: Option<Vec<u8>> = self.get(column)?;
        match (page, sealed) {
            (Some(page), Some(sealed)) => Ok(Some(Wrap { page: PageId(page), sealed })),
            // The page may still be named, for the slot on it is given back later.
            (_, None) => Ok(None),
            (None, Some(_)) => Err(StoreError::Unreadable { column }),
        }
    }
}
