//! Holds: orders to preserve, placed and released.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tenure_model::{Instant, Kind, Regime, is_iso_3166};
use tenure_policy::case::{Hold, Text};
use tenure_receipts::Statement;
use tenure_store::{HoldRow, StoreExt as _};

use crate::accounts::account_of;
use crate::{Error, Policies, Tenure};

/// The epoch of the latest release after which copies under holds must be looked at again; empty once that
/// was done.
pub(crate) const REVIEW_HELD: &str = "review-held";

/// What a hold covers. `None` means any.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoldScope {
    /// The classes whose destruction it suspends.
    pub classes: Vec<String>,
    /// Regimes; `zero` is never covered.
    pub regimes: Option<Vec<Regime>>,
    /// Surfaces.
    pub surfaces: Option<Vec<String>>,
    /// Accounts.
    pub accounts: Option<Vec<String>>,
    /// Countries to include.
    pub countries: Option<Vec<String>>,
    /// Countries to leave out.
    pub not_countries: Option<Vec<String>>,
    /// Kinds.
    pub kinds: Option<Vec<Kind>>,
    /// Records created at this instant or later.
    pub created_from: Option<Instant>,
    /// Records created before this instant.
    pub created_to: Option<Instant>,
    /// Only what people deleted.
    #[serde(default)]
    pub deleted_only: bool,
}

impl HoldScope {
    /// The hold as a verdict takes it.
    pub(crate) fn hold<'a>(&'a self, row: &'a HoldRow) -> Hold<'a> {
        let text = |word: &'a String| Text(Cow::Borrowed(word.as_str()));
        let texts = |list: &'a Option<Vec<String>>| list.as_ref().map(|list| list.iter().map(text).collect());
        Hold {
            id: Text(Cow::Borrowed(&row.id)),
            placed_at: row.placed_at,
            released_at: row.released_at,
            classes: Some(self.classes.iter().map(text).collect()),
            regimes: self.regimes.clone(),
            surfaces: texts(&self.surfaces),
            accounts: texts(&self.accounts),
            countries: texts(&self.countries),
            not_countries: texts(&self.not_countries),
            kinds: self.kinds.clone(),
            created_from: self.created_from,
            created_to: self.created_to,
            deleted_only: Some(self.deleted_only),
        }
    }
}

impl Policies {
    /// Refuses a scope with a word that nothing stored can ever match: such a hold would hold nothing, and
    /// nobody would know.
    fn understand(&self, scope: &HoldScope) -> Result<(), Error> {
        let versions = || self.lineages().iter().flat_map(|lineage| lineage.versions());
        let is_class =
            |class: &&String| versions().any(|(_, version)| version.classes().any(|of| of == **class));
        if let Some(class) = scope.classes.iter().find(|class| !is_class(class)) {
            return Err(Error::Refused(format!(
                "no published policy has a class `{class}`: see `tenure policy show` for those that there are"
            )));
        }
        let mut surfaces = scope.surfaces.iter().flatten();
        if let Some(surface) = surfaces.find(|surface| self.of_surface(surface).is_none()) {
            return Err(Error::UnknownSurface(surface.clone()));
        }
        let mut countries = scope.countries.iter().chain(&scope.not_countries).flatten();
        match countries.find(|code| !is_iso_3166(code)) {
            None => Ok(()),
            Some(code) => Err(Error::Refused(format!(
                "`{code}` is not an assigned ISO 3166 code of two capitals, such as US or DE"
            ))),
        }
    }
}

/// A hold as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldView {
    /// Its id.
    pub id: String,
    /// Its version.
    pub version: u32,
    /// Since when it holds.
    pub placed_at: Instant,
    /// When it was released.
    pub released_at: Option<Instant>,
    /// Whether the people concerned may be told.
    pub may_tell: bool,
    /// What it covers.
    pub scope: HoldScope,
}

impl Tenure {
    /// Places a hold. It takes effect at once, also against destruction that is under way.
    pub fn place_hold(&self, id: &str, scope: HoldScope, may_tell: bool, now: Instant) -> Result<(), Error> {
        if scope.classes.is_empty() {
            return Err(Error::Refused("name at least one class that the hold preserves".to_owned()));
        }
        self.policies()?.understand(&scope)?;
        if scope.regimes.as_ref().is_some_and(|regimes| regimes.iter().all(|regime| *regime == Regime::Zero))
        {
            return Err(Error::Refused("a hold never covers zero retention: name another regime".to_owned()));
        }
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            if !tx.hold_versions(&id)?.is_empty() {
                return Err(Error::Refused(format!(
                    "there is a hold `{id}` already: give this one another name"
                )));
            }
            for account in scope.accounts.iter().flatten() {
                account_of(tx, account)?;
            }
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

    /// Releases a hold. What it alone kept has the grace of its terms left, from now.
    pub fn release_hold(&self, id: &str, now: Instant) -> Result<(), Error> {
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            let versions = tx.hold_versions(&id)?;
            if versions.last().is_none_or(|newest| newest.released_at.is_some()) {
                return Err(Error::UnknownHold);
            }
            tx.release_hold(&id, now)?;
            let epoch = tx.holds_epoch()?;
            tx.set_meta(REVIEW_HELD, &epoch.to_string())?;
            tenure.state_by_house(tx, Statement::HoldReleased { hold: id }, now).map(drop)
        })
    }

    /// Every hold, released ones too.
    pub fn holds(&self) -> Result<Vec<HoldView>, Error> {
        self.store.read(|tx| {
            let view = |row: HoldRow| -> Result<HoldView, Error> {
                Ok(HoldView {
                    scope: serde_json::from_str(&row.scope)?,
                    id: row.id,
                    version: row.version,
                    placed_at: row.placed_at,
                    released_at: row.released_at,
                    may_tell: row.may_tell,
                })
            };
            tx.holds()?.into_iter().map(view).collect()
        })
    }
}
