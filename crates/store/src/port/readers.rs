//! Who may read what a hold keeps, and what they read.

use crate::{CopyKey, Seq, Stored};
use tenure_model::Instant;

/// That somebody may read what a hold keeps, or might once.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HoldReaderRow {
    /// The hold.
    pub hold: String,
    /// Who: a role or a pseudonym.
    pub reader: String,
    /// The statement that gave the right.
    pub given: Seq,
    /// Since when.
    pub since: Instant,
    /// Until when; nothing while they may.
    pub until: Option<Instant>,
}

/// Reads who may read under holds.
pub trait HoldReaderRead {
    /// Everybody who may read what a hold keeps, or might once, in the order in which they were given the right.
    fn hold_readers(&mut self, hold: &str) -> Stored<Vec<HoldReaderRow>>;
    /// The copies that an access names, in the order of its items.
    fn hold_read(&mut self, statement: Seq) -> Stored<Vec<CopyKey>>;
}

/// Writes who may read under holds.
pub trait HoldReaderWrite {
    /// Gives the right. Somebody who has it can't be given it again.
    fn add_hold_reader(&mut self, reader: &HoldReaderRow) -> Stored<()>;
    /// Takes the right from somebody who has it.
    fn end_hold_reader(&mut self, hold: &str, reader: &str, at: Instant) -> Stored<()>;
    /// Keeps which copies an access names, in the order of its items: once for each, and for good.
    fn insert_hold_read(&mut self, statement: Seq, copies: &[CopyKey]) -> Stored<()>;
}
