//! Holds: orders to preserve, placed, amended and released.
//!
//! A hold is a list of versions, each of which begins where the one before it ends. To a verdict every version
//! is a hold of its own: what an amendment leaves out was covered by a hold that was released at that instant,
//! and has its grace; what it takes in is covered from then on; what both cover is held without a gap.

mod cover;
mod folder;
mod history;
mod lost;
mod preview;
mod readers;
mod reading;
mod right;
mod scope;
mod walk;

use serde::Serialize;
use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{HoldRow, ReadTx, StoreExt as _, Tx};

pub(crate) use cover::{Covering, Versions};
pub use history::OperatorStatement;
pub(crate) use history::house;
pub use lost::{Lost, LostCopy};
pub use preview::{Extent, Falls, HoldPreview, Previewing};
pub use readers::HoldReaderView;
pub use reading::{HeldAccess, HeldEntry, HeldOut, HeldTarget};
pub use right::HeldReading;
pub use scope::HoldScope;

use crate::{Error, Tenure};
use history::Dates;
use scope::know_accounts;

/// The epoch of the latest release or amendment after which copies under holds must be looked at again; empty
/// once that was done.
pub(crate) const REVIEW_HELD: &str = "review-held";

/// A hold as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldView {
    /// Its id.
    pub id: String,
    /// The number of its newest version.
    pub version: u32,
    /// Since when it holds, in whatever scope.
    pub placed_at: Instant,
    /// When it was released.
    pub released_at: Option<Instant>,
    /// The date on the order that released it, where it was named.
    pub release_dated: Option<Instant>,
    /// Whether the people concerned may be told.
    pub may_tell: bool,
    /// What it covers, or covered last.
    pub scope: HoldScope,
    /// Every version, the first one first.
    pub versions: Vec<HoldVersion>,
}

/// A hold from its placement or an amendment to the next one, or to its release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldVersion {
    /// Its number, from 1.
    pub version: u32,
    /// When it began.
    pub from: Instant,
    /// When it ended, if it did.
    pub until: Option<Instant>,
    /// The date on the order that began it, where it was named.
    pub dated: Option<Instant>,
    /// Whether the people concerned might be told.
    pub may_tell: bool,
    /// What it covered.
    pub scope: HoldScope,
}

impl Tenure {
    /// Places a hold. It takes effect at once, also against destruction that is under way.
    pub fn place_hold(&self, id: &str, scope: HoldScope, may_tell: bool, now: Instant) -> Result<(), Error> {
        self.place_hold_dated(id, scope, may_tell, None, now)
    }

    /// Places a hold by an order that bears a date. It takes effect when it is recorded, which is now.
    pub fn place_hold_dated(
        &self,
        id: &str,
        scope: HoldScope,
        may_tell: bool,
        dated: Option<Instant>,
        now: Instant,
    ) -> Result<(), Error> {
        not_ahead(dated, now)?;
        self.policies()?.understand(&scope)?;
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            unknown(tx, &id)?;
            know_accounts(tx, &scope)?;
            let scope = serde_json::to_value(&scope)?;
            tx.insert_hold(&HoldRow {
                id: id.clone(),
                version: 1,
                placed_at: now,
                released_at: None,
                may_tell,
                scope: scope.to_string(),
            })?;
            let statement = Statement::HoldPlaced { hold: id, scope, may_tell: Some(may_tell), dated };
            tenure.state_by_house(tx, statement, now).map(drop)
        })
    }

    /// Gives a hold another scope from now on. What the old one covered and the new one does not is released;
    /// what the new one covers is held at once. Whether people may be told stays as it is unless said.
    pub fn amend_hold(
        &self,
        id: &str,
        scope: HoldScope,
        may_tell: Option<bool>,
        now: Instant,
    ) -> Result<(), Error> {
        self.amend_hold_dated(id, scope, may_tell, None, now)
    }

    /// Gives a hold another scope by an order that bears a date. It takes effect when it is recorded.
    pub fn amend_hold_dated(
        &self,
        id: &str,
        scope: HoldScope,
        may_tell: Option<bool>,
        dated: Option<Instant>,
        now: Instant,
    ) -> Result<(), Error> {
        not_ahead(dated, now)?;
        self.policies()?.understand(&scope)?;
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| tenure.amend_in(tx, id, &scope, (may_tell, dated), now).map(drop))
    }

    /// Amends a hold in a transaction, and gives the version that it has then.
    pub(crate) fn amend_in(
        &self,
        tx: &mut dyn Tx,
        id: String,
        scope: &HoldScope,
        (may_tell, dated): (Option<bool>, Option<Instant>),
        now: Instant,
    ) -> Result<u32, Error> {
        not_ahead(dated, now)?;
        let newest = in_force(tx, &id, now)?;
        know_accounts(tx, scope)?;
        let may_tell = may_tell.unwrap_or(newest.may_tell);
        if may_tell == newest.may_tell && *scope == serde_json::from_str(&newest.scope)? {
            return Err(Error::Refused(format!("hold `{id}` has this scope already: nothing was changed")));
        }
        let (scope, version) = (serde_json::to_value(scope)?, newest.version + 1);
        tx.amend_hold(&HoldRow {
            id: id.clone(),
            version,
            placed_at: now,
            released_at: None,
            may_tell,
            scope: scope.to_string(),
        })?;
        ask_for_review(tx)?;
        let statement = Statement::HoldAmended { hold: id, scope, may_tell: Some(may_tell), dated };
        self.state_by_house(tx, statement, now)?;
        Ok(version)
    }

    /// Releases a hold. What it alone kept has the grace of its terms left, from now.
    pub fn release_hold(&self, id: &str, now: Instant) -> Result<(), Error> {
        self.release_hold_dated(id, None, now)
    }

    /// Releases a hold by an order that bears a date. The grace counts from now, when it is recorded.
    pub fn release_hold_dated(&self, id: &str, dated: Option<Instant>, now: Instant) -> Result<(), Error> {
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| tenure.release_in(tx, id, dated, now))
    }

    /// Releases a hold in a transaction.
    pub(crate) fn release_in(
        &self,
        tx: &mut dyn Tx,
        id: String,
        dated: Option<Instant>,
        now: Instant,
    ) -> Result<(), Error> {
        not_ahead(dated, now)?;
        in_force(tx, &id, now)?;
        tx.release_hold(&id, now)?;
        ask_for_review(tx)?;
        self.state_by_house(tx, Statement::HoldReleased { hold: id, dated }, now).map(drop)
    }

    /// Every hold by id, released ones too.
    pub fn holds(&self) -> Result<Vec<HoldView>, Error> {
        let (rows, dates) = self.store.read(|tx| Ok::<_, Error>((tx.holds()?, self.dates(tx)?)))?;
        let view = |rows: &[HoldRow]| view(rows, rows.first().and_then(|row| dates.get(&row.id)));
        rows.chunk_by(|one, next| one.id == next.id).filter_map(|rows| view(rows).transpose()).collect()
    }

    /// One hold.
    pub fn hold(&self, id: &str) -> Result<HoldView, Error> {
        let (rows, dates) = self.store.read(|tx| Ok::<_, Error>((tx.hold_versions(id)?, self.dates(tx)?)))?;
        view(&rows, dates.get(id))?.ok_or(Error::UnknownHold)
    }
}

/// Refuses a date that an order recorded now can't bear. One that speaks of a later day is recorded on that day,
/// since it has effect from then on.
fn not_ahead(dated: Option<Instant>, now: Instant) -> Result<(), Error> {
    match dated {
        Some(dated) if dated > now => Err(Error::Refused(format!(
            "the order is dated {dated}, which is later than now: effects start when it is recorded, so record it then"
        ))),
        _ => Ok(()),
    }
}

/// Refuses an id that a hold has already, or had.
fn unknown(tx: &mut dyn ReadTx, id: &str) -> Result<(), Error> {
    if tx.hold_versions(id)?.is_empty() {
        return Ok(());
    }
    Err(Error::Refused(format!("there is a hold `{id}` already: give this one another name")))
}

/// The version of a hold that is in force. One that begins later can't be ended before that.
fn in_force(tx: &mut dyn ReadTx, id: &str, now: Instant) -> Result<HoldRow, Error> {
    let newest = tx.hold_versions(id)?.pop().filter(|newest| newest.released_at.is_none());
    let newest = newest.ok_or(Error::UnknownHold)?;
    if now < newest.placed_at {
        let begins = newest.placed_at;
        return Err(Error::Refused(format!(
            "version {} of hold `{id}` begins at {begins}: name a later instant",
            newest.version
        )));
    }
    Ok(newest)
}

/// The version of a hold that is in force, if it is the one that somebody saw.
pub(crate) fn at_version(
    tx: &mut dyn ReadTx,
    id: &str,
    version: u32,
    now: Instant,
) -> Result<HoldRow, Error> {
    let newest = in_force(tx, id, now)?;
    if newest.version == version {
        return Ok(newest);
    }
    Err(Error::HoldMoved { hold: id.to_owned(), version: newest.version })
}

/// Lets the next sweep look again at what holds keep past its term.
fn ask_for_review(tx: &mut dyn Tx) -> Result<(), Error> {
    let epoch = tx.holds_epoch()?;
    Ok(tx.set_meta(REVIEW_HELD, &epoch.to_string())?)
}

/// The versions of a hold as people see it; nothing if there are none.
fn view(rows: &[HoldRow], dates: Option<&Dates>) -> Result<Option<HoldView>, Error> {
    let dated = |place: usize| dates.and_then(|dates| dates.versions.get(place).copied().flatten());
    let version = |(place, row): (usize, &HoldRow)| -> Result<HoldVersion, Error> {
        Ok(HoldVersion {
            version: row.version,
            from: row.placed_at,
            until: row.released_at,
            dated: dated(place),
            may_tell: row.may_tell,
            scope: serde_json::from_str(&row.scope)?,
        })
    };
    let versions = rows.iter().enumerate().map(version).collect::<Result<Vec<_>, Error>>()?;
    let (Some(first), Some(last), Some(row)) = (versions.first(), versions.last(), rows.first()) else {
        return Ok(None);
    };
    Ok(Some(HoldView {
        id: row.id.clone(),
        version: last.version,
        placed_at: first.from,
        released_at: last.until,
        release_dated: dates.and_then(|dates| dates.release),
        may_tell: last.may_tell,
        scope: last.scope.clone(),
        versions,
    }))
}
