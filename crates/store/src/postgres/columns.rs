//! Columns of a row in their order, parsed into the port's types.

use crate::{PageId, StoreError, Stored, Wrap};
use postgres::Row;
use postgres::types::FromSql;
use std::str::FromStr;
use tenure_model::{Day, Instant};

/// Reads the columns of one row from left to right. Every read names the column, for the error.
pub(super) struct Columns<'r> {
    row: &'r Row,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(super) fn of(row: &'r Row) -> Self {
        Self { row, next: 0 }
    }

    /// A value as PostgreSQL gives it.
    pub(super) fn get<T: FromSql<'r>>(&mut self, column: &'static str) -> Stored<T> {
        let at = self.next;
        self.next += 1;
        self.row.try_get(at).map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn int(&mut self, column: &'static str) -> Stored<i64> {
        self.get(column)
    }

    pub(super) fn int_if_any(&mut self, column: &'static str) -> Stored<Option<i64>> {
        self.get(column)
    }

    /// A number of a narrower kind.
    pub(super) fn small<T: TryFrom<i64>>(&mut self, column: &'static str) -> Stored<T> {
        T::try_from(self.int(column)?).map_err(|_| StoreError::Unreadable { column })
    }

    /// So many bytes.
    pub(super) fn bytes<const N: usize>(&mut self, column: &'static str) -> Stored<[u8; N]> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn bytes_if_any<const N: usize>(&mut self, column: &'static str) -> Stored<Option<[u8; N]>> {
        let bytes: Option<&[u8]> = self.get(column)?;
        bytes.map(TryInto::try_into).transpose().map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn count(&mut self, column: &'static str) -> Stored<u64> {
        self.small(column)
    }

    pub(super) fn day(&mut self, column: &'static str) -> Stored<Day> {
        self.small(column).map(Day)
    }

    pub(super) fn instant(&mut self, column: &'static str) -> Stored<Instant> {
        Instant::from_micros(self.int(column)?).map_err(|_| StoreError::Unreadable { column })
    }

    pub(super) fn instant_if_any(&mut self, column: &'static str) -> Stored<Option<Instant>> {
        let micros = self.int_if_any(column)?;
        micros.map(Instant::from_micros).transpose().map_err(|_| StoreError::Unreadable { column })
    }

    /// A word of one of the closed vocabularies.
    pub(super) fn word<T: FromStr>(&mut self, column: &'static str) -> Stored<T> {
        self.get::<&str>(column)?.parse().map_err(|_| StoreError::Unreadable { column })
    }

    /// A page and what lies on it, in two columns.
    pub(super) fn wrap(&mut self, column: &'static str) -> Stored<Option<Wrap>> {
        let page = self.bytes_if_any(column)?;
        let sealed: Option<Vec<u8>> = self.get(column)?;
        match (page, sealed) {
            (Some(page), Some(sealed)) => Ok(Some(Wrap { page: PageId(page), sealed })),
            // The page may still be named, for the slot on it is given back later.
            (_, None) => Ok(None),
            (None, Some(_)) => Err(StoreError::Unreadable { column }),
        }
    }
}
