//! Holds: orders to preserve, placed, amended and released.
//!
//! A hold is a list of versions, each of which begins where the one before it ends. To a verdict every version
//! is a hold of its own: what an amendment leaves out was covered by a hold that was released at that instant,
//! and has its grace; what it takes in is covered from then on; what both cover is held without a gap.

mod preview;
mod scope;

use serde::Serialize;
use tenure_model::Instant;
use tenure_receipts::Statement;
use tenure_store::{HoldRow, ReadTx, StoreExt as _, Tx};

pub use preview::{Extent, Falls, HoldPreview};
pub use scope::HoldScope;

use crate::{Error, Tenure};
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
    /// Whether the people concerned might be told.
    pub may_tell: bool,
    /// What it covered.
    pub scope: HoldScope,
}

impl Tenure {
    /// Places a hold. It takes effect at once, also against destruction that is under way.
    pub fn place_hold(&self, id: &str, scope: HoldScope, may_tell: bool, now: Instant) -> Result<(), Error> {
        self.policies()?.understand(&scope)?;
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            unknown(tx, &id)?;
            know_accounts(tx, &scope)?;
            let json = serde_json::to_value(&scope)?;
            tx.insert_hold(&HoldRow {
                id: id.clone(),
                version: 1,
                placed_at: now,
                released_at: None,
                may_tell,
                scope: json.to_string(),
            })?;
            tenure.state_by_house(tx, Statement::HoldPlaced { hold: id, scope: json }, now).map(drop)
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
        self.policies()?.understand(&scope)?;
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            let newest = in_force(tx, &id, now)?;
            know_accounts(tx, &scope)?;
            let may_tell = may_tell.unwrap_or(newest.may_tell);
            if may_tell == newest.may_tell && scope == serde_json::from_str(&newest.scope)? {
                return Err(Error::Refused(format!(
                    "hold `{id}` has this scope already: nothing was changed"
                )));
            }
            let json = serde_json::to_value(&scope)?;
            tx.amend_hold(&HoldRow {
                id: id.clone(),
                version: newest.version + 1,
                placed_at: now,
                released_at: None,
                may_tell,
                scope: json.to_string(),
            })?;
            ask_for_review(tx)?;
            tenure.state_by_house(tx, Statement::HoldAmended { hold: id, scope: json }, now).map(drop)
        })
    }

    /// Releases a hold. What it alone kept has the grace of its terms left, from now.
    pub fn release_hold(&self, id: &str, now: Instant) -> Result<(), Error> {
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            in_force(tx, &id, now)?;
            tx.release_hold(&id, now)?;
            ask_for_review(tx)?;
            tenure.state_by_house(tx, Statement::HoldReleased { hold: id }, now).map(drop)
        })
    }

    /// Every hold by id, released ones too.
    pub fn holds(&self) -> Result<Vec<HoldView>, Error> {
        let rows = self.store.read(|tx| Ok::<_, Error>(tx.holds()?))?;
        rows.chunk_by(|one, next| one.id == next.id).filter_map(|rows| view(rows).transpose()).collect()
    }

    /// One hold.
    pub fn hold(&self, id: &str) -> Result<HoldView, Error> {
        let rows = self.store.read(|tx| Ok::<_, Error>(tx.hold_versions(id)?))?;
        view(&rows)?.ok_or_else(|| {
            Error::Refused(format!(
                "there is no hold `{id}`: see `tenure hold list` for those that there are"
            ))
        })
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

/// Lets the next sweep look again at what holds keep past its term.
fn ask_for_review(tx: &mut dyn Tx) -> Result<(), Error> {
    let epoch = tx.holds_epoch()?;
    Ok(tx.set_meta(REVIEW_HELD, &epoch.to_string())?)
}

/// The versions of a hold as people see it; nothing if there are none.
fn view(rows: &[HoldRow]) -> Result<Option<HoldView>, Error> {
    let version = |row: &HoldRow| -> Result<HoldVersion, Error> {
        Ok(HoldVersion {
            version: row.version,
            from: row.placed_at,
            until: row.released_at,
            may_tell: row.may_tell,
            scope: serde_json::from_str(&row.scope)?,
        })
    };
    let versions = rows.iter().map(version).collect::<Result<Vec<_>, Error>>()?;
    let (Some(first), Some(last), Some(row)) = (versions.first(), versions.last(), rows.first()) else {
        return Ok(None);
    };
    Ok(Some(HoldView {
        id: row.id.clone(),
        version: last.version,
        placed_at: first.from,
        released_at: last.until,
        may_tell: last.may_tell,
        scope: last.scope.clone(),
        versions,
    }))
}
