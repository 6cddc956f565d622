//! What a hold covers, in the words of an order.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use tenure_model::{Instant, Kind, Regime, is_iso_3166};
use tenure_policy::case::{Hold, Text};
use tenure_store::{HoldRow, ReadTx};

use crate::accounts::account_of;
use crate::{Error, Policies};

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
    pub(super) fn understand(&self, scope: &HoldScope) -> Result<(), Error> {
        if scope.classes.is_empty() {
            return Err(Error::Refused("name at least one class that the hold preserves".to_owned()));
        }
        let is_zero = |regimes: &Vec<Regime>| regimes.iter().all(|regime| *regime == Regime::Zero);
        if scope.regimes.as_ref().is_some_and(is_zero) {
            return Err(Error::Refused("a hold never covers zero retention: name another regime".to_owned()));
        }
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

/// Refuses a scope with an account that does not exist.
pub(super) fn know_accounts(tx: &mut dyn ReadTx, scope: &HoldScope) -> Result<(), Error> {
    scope.accounts.iter().flatten().try_for_each(|account| account_of(tx, account).map(drop))
}
