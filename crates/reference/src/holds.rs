//! Holds, as facts of a case.

use tenure_model::{Instant, Regime};
use tenure_policy::case::{Hold, Text};

use crate::binding::Considered;
use crate::tally::{Clause, Tally};

impl<'c> Considered<'c> {
    /// The holds on the class now, "ids sorted".
    pub(crate) fn held(&self, class: &str, tally: &mut Tally) -> Vec<&'c str> {
        let at = self.checked.case.at;
        let mut ids = Vec::new();
        for hold in holds_of(self.checked.case, class) {
            if hold.placed_at > at {
                tally.add(Clause::FutureEvent);
            } else if self.checked.has_happened(hold.released_at).is_some() {
                tally.add(Clause::HoldOver);
            } else if self.scope_matches(hold, tally) && self.deleted_matches(hold, at) {
                tally.add(Clause::HoldHeld);
                ids.push(&*hold.id);
            } else {
                tally.add(Clause::HoldOutside);
            }
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// The latest release of a hold that "had covered the copy".
    ///
    /// "A released hold had covered a record if its scope matches the record as it stood at the release
    /// (created before it; with `deleted_only`, deleted by it)."
    pub(crate) fn latest_release(&self, class: &str, tally: &mut Tally) -> Option<Instant> {
        let mut latest = None;
        for hold in holds_of(self.checked.case, class) {
            let Some(released) = self.checked.has_happened(hold.released_at) else { continue };
            let existed = self.checked.case.record.created_at < released;
            if existed && self.scope_matches(hold, tally) && self.deleted_matches(hold, released) {
                latest = latest.max(Some(released));
            }
        }
        latest
    }

    /// Whether the scope matches, but for `deleted_only`: "null means any and an empty list none;
    /// surfaces and countries are those of the record as given; windows are half-open; an unknown
    /// country is in every list of `countries` that is not empty and in none of `not_countries`". And a
    /// hold covers "never `zero`".
    fn scope_matches(&self, hold: &Hold<'_>, tally: &mut Tally) -> bool {
        let case = self.checked.case;
        let record = &case.record;
        let named = |list: &[Text<'_>], name: &str| list.iter().any(|listed| **listed == *name);
        let any =
            |list: &Option<Vec<Text<'_>>>, name: &str| list.as_ref().is_none_or(|list| named(list, name));
        let elsewhere = self.regime != Regime::Zero
            && hold.regimes.as_ref().is_none_or(|regimes| regimes.contains(&self.regime))
            && any(&hold.surfaces, &record.surface)
            && any(&hold.accounts, &case.account.id)
            && hold.kinds.as_ref().is_none_or(|kinds| kinds.contains(&record.kind))
            && hold.created_from.is_none_or(|from| from <= record.created_at)
            && hold.created_to.is_none_or(|to| record.created_at < to);
        let countries = match &record.country {
            Some(country) => {
                any(&hold.countries, country)
                    && hold.not_countries.as_ref().is_none_or(|list| !named(list, country))
            }
            None => hold.countries.as_ref().is_none_or(|list| !list.is_empty()),
        };
        let told = hold.countries.is_some() || hold.not_countries.is_some();
        if elsewhere && record.country.is_none() && told {
            tally.add(Clause::HoldUnknownCountry);
        }
        elsewhere && countries
    }

    fn deleted_matches(&self, hold: &Hold<'_>, by: Instant) -> bool {
        !hold.deleted_only.unwrap_or(false)
            || self.checked.case.record.deleted_at.is_some_and(|deleted| deleted <= by)
    }
}

/// The holds that name the class.
fn holds_of<'c>(case: &'c tenure_policy::case::Case<'c>, class: &str) -> impl Iterator<Item = &'c Hold<'c>> {
    case.holds.iter().filter(move |hold| match &hold.classes {
        None => true,
        Some(classes) => classes.iter().any(|named| **named == *class),
    })
}
