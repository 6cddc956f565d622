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
    /// Whether it covers all that another covers, whatever there is. Where that can't be told from the two alone, it
    /// is taken not to.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.classes_cover(other)
            && lists_all(self.regimes.as_ref(), other.regimes.as_ref())
            && lists_all(self.surfaces.as_ref(), other.surfaces.as_ref())
            && lists_all(self.accounts.as_ref(), other.accounts.as_ref())
            && lists_all(self.countries.as_ref(), other.countries.as_ref())
            && lists_all(self.kinds.as_ref(), other.kinds.as_ref())
            && other_leaves_out(self.not_countries.as_deref(), other.not_countries.as_deref())
            && self.created_from.is_none_or(|from| other.created_from.is_some_and(|later| from <= later))
            && self.created_to.is_none_or(|to| other.created_to.is_some_and(|earlier| earlier <= to))
            && (!self.deleted_only || other.deleted_only)
    }

    fn classes_cover(&self, other: &Self) -> bool {
        other.classes.iter().all(|class| self.classes.contains(class))
    }

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

/// Whether a list has all of another; none means any.
fn lists_all<T: PartialEq>(all: Option<&Vec<T>>, of: Option<&Vec<T>>) -> bool {
    match (all, of) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(all), Some(of)) => of.iter().all(|one| all.contains(one)),
    }
}

/// Whether all that one leaves out, another leaves out too.
fn other_leaves_out(one: Option<&[String]>, other: Option<&[String]>) -> bool {
    let other = other.unwrap_or_default();
    one.unwrap_or_default().iter().all(|country| other.contains(country))
}

impl Policies {
    /// Refuses a scope with a word that nothing stored can ever match: such a hold would hold nothing, and
    /// nobody would know.
    pub(crate) fn understand(&self, scope: &HoldScope) -> Result<(), Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(change: impl FnOnce(&mut HoldScope)) -> HoldScope {
        let mut scope = HoldScope { classes: vec!["content".to_owned()], ..HoldScope::default() };
        change(&mut scope);
        scope
    }

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn what_covers_another_leaves_nothing_of_it_out() {
        let whole = scope(|_| ());
        let narrower = [
            scope(|scope| scope.regimes = Some(vec![Regime::Consumer])),
            scope(|scope| scope.surfaces = Some(list(&["pro"]))),
            scope(|scope| scope.accounts = Some(list(&[]))),
            scope(|scope| scope.countries = Some(list(&["US"]))),
            scope(|scope| scope.not_countries = Some(list(&["DE"]))),
            scope(|scope| scope.kinds = Some(vec![Kind::Chat])),
            scope(|scope| scope.created_from = Some(at("2025-01-01T00:00:00Z"))),
            scope(|scope| scope.created_to = Some(at("2025-01-01T00:00:00Z"))),
            scope(|scope| scope.deleted_only = true),
            scope(|scope| scope.classes.clear()),
        ];
        for narrow in narrower {
            assert!(whole.covers(&narrow) && narrow.covers(&narrow), "{narrow:?}");
            assert!(!narrow.covers(&whole), "{narrow:?}");
        }
    }

    #[test]
    fn scopes_of_which_each_has_something_of_its_own_cover_neither_other() {
        let pairs = [
            (
                scope(|one| one.accounts = Some(list(&["a"]))),
                scope(|other| other.accounts = Some(list(&["b"]))),
            ),
            (
                scope(|one| one.not_countries = Some(list(&["DE"]))),
                scope(|other| other.not_countries = Some(list(&["FR"]))),
            ),
            (
                scope(|one| one.created_from = Some(at("2025-01-01T00:00:00Z"))),
                scope(|other| other.created_to = Some(at("2026-01-01T00:00:00Z"))),
            ),
        ];
        for (one, other) in pairs {
            assert!(!one.covers(&other) && !other.covers(&one), "{one:?} {other:?}");
        }
        let (wide, narrow) = (
            scope(|one| one.accounts = Some(list(&["a", "b"]))),
            scope(|other| other.accounts = Some(list(&["b"]))),
        );
        assert!(wide.covers(&narrow) && !narrow.covers(&wide));
        let (earlier, later) = (
            scope(|one| one.created_from = Some(at("2025-01-01T00:00:00Z"))),
            scope(|other| other.created_from = Some(at("2025-02-01T00:00:00Z"))),
        );
        assert!(earlier.covers(&later) && !later.covers(&earlier));
    }
}
