//! Who may do what, over the store: API keys, subject tokens, changes that need two people, and requests that are
//! done once.
//!
//! The rules are `tenure-access`. What is here loads, asks them, and saves in one transaction. Whatever is done for
//! somebody takes the [`Permit`] that they were given, so that no handler reaches it unasked.

mod acts;
mod changes;
mod keys;
mod once;
mod opened;
mod publication;
mod tokens;

use std::path::Path;

use tenure_access::{Operation, OrganisationId, Permit, Principal, Refusal};
use tenure_model::Instant;

pub use acts::{Act, Done};
pub use changes::{ChangeView, seen_digest};
pub use keys::{KeyStateView, KeyView, parse_key_id};
pub use once::{Once, OnceAnswer, OnceTicket};
pub(crate) use opened::Opened;
pub use tokens::TokenTerms;

use crate::{Error, HeldAccess, HeldOut, HeldTarget, Tenure};

/// Refuses a permit for something else.
fn ensure_for(permit: &Permit, operation: Operation) -> Result<(), Error> {
    if permit.operation() == operation { Ok(()) } else { Err(Refusal::PermitOther.into()) }
}

/// The member of staff who answers for what is done by a permit.
fn who(permit: &Permit) -> Result<&Principal, Error> {
    permit.principal().ok_or_else(|| Refusal::StaffOnly.into())
}

/// Refuses what lies beyond the one organisation of a permit.
fn ensure_within(permit: &Permit, organisation: Option<&OrganisationId>) -> Result<(), Error> {
    match permit.organisation() {
        Some(only) if organisation != Some(only) => Err(Refusal::OrganisationOther.into()),
        _ => Ok(()),
    }
}

impl Tenure {
    /// Who may read what a hold keeps now, to ask whether somebody is one of them.
    pub fn readers_now(&self, hold: &str) -> Result<Vec<Principal>, Error> {
        let readers = self.hold_readers(hold)?.into_iter().filter(|reader| reader.until.is_none());
        // Names are checked when the right is given; whoever has another reads nothing through a permit.
        Ok(readers.filter_map(|reader| reader.reader.parse().ok()).collect())
    }

    /// Reads what a hold covers, as [`Self::read_held`], for the member of staff who has the permit. Whether they are
    /// one of the hold's readers is asked again in each transaction that says that they read.
    pub fn read_held_by(
        &self,
        permit: &Permit,
        (hold, what): (&str, &HeldTarget),
        out: &Path,
        now: Instant,
        progress: &mut dyn FnMut(u64),
    ) -> Result<HeldAccess, Error> {
        ensure_for(permit, Operation::ReadHeld)?;
        self.read_held((hold, who(permit)?.as_str()), what, out, now, progress)
    }

    /// Hands over what a hold covers record by record, as [`Self::read_held_by`]: what is said of each, and its body,
    /// as it was said, if there is one to read.
    pub fn hand_over_held<E: From<Error>>(
        &self,
        permit: &Permit,
        (hold, what): (&str, &HeldTarget),
        now: Instant,
        out: HeldOut<'_, E>,
    ) -> Result<HeldAccess, E> {
        ensure_for(permit, Operation::ReadHeld)?;
        self.read_held_to((hold, who(permit)?.as_str()), what, now, out)
    }
}
