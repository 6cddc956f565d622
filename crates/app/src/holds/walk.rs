//! Going through what a scope can concern: the accounts that it names, or all of them.

use tenure_model::Instant;
use tenure_store::{AccountKey, CopyRow, ReadTx};

use super::scope::HoldScope;
use crate::accounts::account_of;
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Loaded, Reader, With};
use crate::{Error, Tenure};

/// How many rows are read at once.
const SLICE: usize = 1_000;

/// The accounts that scopes can concern, in slices by key.
#[derive(Debug)]
pub(super) enum Accounts {
    /// All that there are, after one.
    All(Option<AccountKey>),
    /// Those that every scope names, the last one first.
    Named(Vec<AccountKey>),
}

impl Accounts {
    /// Those of several scopes together.
    pub(super) fn of<'s>(
        tx: &mut dyn ReadTx,
        scopes: impl IntoIterator<Item = &'s HoldScope>,
    ) -> Result<Self, Error> {
        let mut named = Vec::new();
        for scope in scopes {
            let Some(accounts) = &scope.accounts else { return Ok(Self::All(None)) };
            for account in accounts {
                named.push(account_of(tx, account)?.key);
            }
        }
        named.sort_unstable_by(|one, other| other.cmp(one));
        named.dedup();
        Ok(Self::Named(named))
    }

    /// The next of them; none when that was all.
    pub(super) fn next(&mut self, tx: &mut dyn ReadTx, limit: usize) -> Result<Vec<AccountKey>, Error> {
        match self {
            Self::All(after) => {
                let slice = tx.accounts(*after, limit)?;
                *after = slice.last().map(|row| row.key).or(*after);
                Ok(slice.iter().map(|row| row.key).collect())
            }
            Self::Named(left) => {
                let from = left.len().saturating_sub(limit);
                let mut slice = left.split_off(from);
                slice.reverse();
                Ok(slice)
            }
        }
    }
}

/// What is done with each record: it is given with its person and those of its copies that are wanted.
pub(super) type Visit<'v> =
    &'v mut dyn FnMut(&mut dyn ReadTx, &Person, &Loaded, Vec<CopyRow>) -> Result<(), Error>;

impl Tenure {
    /// Visits the records of an account that have copies which are wanted. Others are not judged, and of whoever
    /// has none nothing is opened. Says how many records were looked at.
    pub(super) fn visit_records(
        &self,
        tx: &mut dyn ReadTx,
        (policies, account, now): (&Policies, AccountKey, Instant),
        wanted: &dyn Fn(&CopyRow) -> bool,
        visit: Visit<'_>,
    ) -> Result<u64, Error> {
        let (mut looked_at, mut person, mut after) = (0, None, None);
        loop {
            let records = tx.records_of(account, after, SLICE)?;
            let Some(last) = records.last() else { return Ok(looked_at) };
            after = Some(last.id);
            looked_at += records.len() as u64;
            let mut concerned = Vec::new();
            for record in records.into_iter().filter(|record| record.created_at <= now) {
                let mut copies = tx.copies_of_record(account, record.id)?;
                copies.retain(|copy| wanted(copy));
                if !copies.is_empty() {
                    concerned.push((record, copies));
                }
            }
            if concerned.is_empty() {
                continue;
            }
            let person = match &mut person {
                Some(person) => person,
                none => none.insert(self.person_of(tx, account)?),
            };
            let mut reader = Reader::new(policies, person);
            for (record, copies) in concerned {
                let loaded = reader.load(tx, record, With::Nothing)?;
                visit(tx, person, &loaded, copies)?;
            }
        }
    }
}
