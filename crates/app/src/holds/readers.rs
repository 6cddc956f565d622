//! Who may read what a hold keeps: a right of its own, given and taken by name, and stated in the ledger.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{HoldReaderRow, ReadTx, StoreExt as _, Tx};

use crate::{Error, Tenure};

/// The longest name of a reader.
const NAME_MAX: usize = 64;

/// Somebody who may read what a hold keeps, or might once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldReaderView {
    /// Who: a role or a pseudonym.
    pub reader: String,
    /// Since when.
    pub since: Instant,
    /// Until when, if they may no longer.
    pub until: Option<Instant>,
    /// How often they read, as the ledger says.
    pub accesses: u64,
    /// How many records that were, each counted as often as it was read.
    pub records: u64,
    /// When they read last.
    pub last_read_at: Option<Instant>,
}

impl Tenure {
    /// Gives somebody the right to read what a hold keeps.
    ///
    /// # Errors
    /// Refused for a name that could be a person's, for somebody who has the right, and once the hold was released.
    pub fn add_hold_reader(&self, hold: &str, reader: &str, now: Instant) -> Result<(), Error> {
        know_name(reader)?;
        let (tenure, hold, reader) = (self.clone(), hold.to_owned(), reader.to_owned());
        self.store.write(move |tx| {
            super::in_force(tx, &hold, now)?;
            if is_reader(tx, &hold, &reader)? {
                return Err(Error::Refused(format!(
                    "`{reader}` may read under hold `{hold}` already: nothing was changed"
                )));
            }
            let (given, since) = tenure.state_reader(tx, (&hold, &reader), true, now)?;
            tx.add_hold_reader(&HoldReaderRow { hold, reader, given, since, until: None })?;
            Ok(())
        })
    }

    /// Takes the right to read what a hold keeps, also after its release.
    pub fn remove_hold_reader(&self, hold: &str, reader: &str, now: Instant) -> Result<(), Error> {
        know_name(reader)?;
        let (tenure, hold, reader) = (self.clone(), hold.to_owned(), reader.to_owned());
        self.store.write(move |tx| {
            know_reader(tx, &hold, &reader)?;
            let (_, until) = tenure.state_reader(tx, (&hold, &reader), false, now)?;
            Ok(tx.end_hold_reader(&hold, &reader, until)?)
        })
    }

    /// Everybody who may read what a hold keeps, or might once, with what the ledger says that they read.
    pub fn hold_readers(&self, hold: &str) -> Result<Vec<HoldReaderView>, Error> {
        self.store.read(|tx| {
            known(tx, hold)?;
            let mut reads: BTreeMap<String, Vec<(Instant, u64)>> = BTreeMap::new();
            for (_, stated) in self.stated_by_house(tx, &["hold_read"])? {
                let Statement::HoldRead { hold: of, reader, count, .. } = stated.statement else { continue };
                if of == hold {
                    reads.entry(reader).or_default().push((stated.at, count));
                }
            }
            let view = |row: HoldReaderRow| {
                let mut view = HoldReaderView {
                    since: row.since,
                    until: row.until,
                    accesses: 0,
                    records: 0,
                    last_read_at: None,
                    reader: row.reader,
                };
                // Somebody who was given the right twice is there twice, each time with what they read then.
                let then = |at: Instant| at >= row.since && row.until.is_none_or(|until| at <= until);
                for (at, count) in reads.get(&view.reader).into_iter().flatten().filter(|(at, _)| then(*at)) {
                    view.accesses += 1;
                    view.records += count;
                    view.last_read_at = view.last_read_at.max(Some(*at));
                }
                view
            };
            Ok(tx.hold_readers(hold)?.into_iter().map(view).collect())
        })
    }

    /// States that somebody may read, or may no longer, and gives the place and the time of that.
    fn state_reader(
        &self,
        tx: &mut dyn Tx,
        (hold, reader): (&str, &str),
        may_read: bool,
        now: Instant,
    ) -> Result<(tenure_store::Seq, Instant), Error> {
        let statement = Statement::HoldReader { hold: hold.to_owned(), reader: reader.to_owned(), may_read };
        let seq = self.state_by_house(tx, statement, now)?;
        let stated = tx.statement(seq)?.ok_or(Error::NotIntegrated)?;
        Ok((seq, stated.statement.at))
    }
}

/// Refuses a name that is none, or that could be a person's: it stands in the ledger for good.
fn know_name(name: &str) -> Result<(), Error> {
    let is_plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_inner = |letter: char| is_plain(letter) || matches!(letter, '-' | '_' | '.');
    let is_name = name.len() <= NAME_MAX && name.starts_with(is_plain) && name.chars().all(is_inner);
    if is_name {
        return Ok(());
    }
    Err(Error::Refused(
        "a reader is named by a role or a pseudonym, which the ledger keeps for good: 1 to 64 small letters, \
         digits, `-`, `_` and `.`, such as `counsel-2`, never a person's name or address"
            .to_owned(),
    ))
}

/// Refuses a hold that never was.
pub(super) fn known(tx: &mut dyn ReadTx, hold: &str) -> Result<(), Error> {
    if tx.hold_versions(hold)?.is_empty() { Err(Error::UnknownHold) } else { Ok(()) }
}

/// Refuses whoever may not read what a hold keeps.
pub(super) fn know_reader(tx: &mut dyn ReadTx, hold: &str, reader: &str) -> Result<(), Error> {
    known(tx, hold)?;
    if is_reader(tx, hold, reader)? {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "this is no reader of hold `{hold}`: see `tenure hold reader list {hold}` for those that there are"
    )))
}

fn is_reader(tx: &mut dyn ReadTx, hold: &str, reader: &str) -> Result<bool, Error> {
    Ok(tx.hold_readers(hold)?.iter().any(|row| row.reader == reader && row.until.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_is_named_by_a_role_or_a_pseudonym() {
        for name in ["counsel", "legal-1", "a", "7", "ops.eu_2"] {
            assert!(know_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(65);
        for name in ["", "-a", "Jane Doe", "jane@example.com", "Jane", "a\u{202e}b", "a b", "ä", &long] {
            assert!(matches!(know_name(name), Err(Error::Refused(_))), "{name}");
        }
    }
}
