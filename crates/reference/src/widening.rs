//! When a version is wider than an older one.

use std::collections::BTreeSet;

use tenure_model::{MonthLength, Regime, Term};
use tenure_policy::language::{Condition, Ground, Keep, Reach, Standing, Use, Version};

use crate::cell::{Place, Space, Unknown, matches};
use crate::lineage::Lineage;

/// In which ways a version widens against an older one; in none, if it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "the four ways are independent of each other")]
pub struct Widening {
    /// There is a cell in which it allows a purpose to use a class that the older one does not.
    pub use_allowed: bool,
    /// There is a cell in which it has a keep rule that no keep rule of the older one covers.
    pub keep_not_covered: bool,
    /// A purpose's reach goes from message to conversation.
    pub reach: bool,
    /// A purpose's ground loosens.
    pub ground: bool,
}

impl Widening {
    /// Whether it widens at all.
    pub const fn widens(self) -> bool {
        self.use_allowed || self.keep_not_covered || self.reach || self.ground
    }
}

pub(crate) fn compare(lineage: &Lineage, older: &Version, newer: &Version, regime: Regime) -> Widening {
    let pair = Pair { lineage, older, newer, regime };
    Widening {
        use_allowed: newer.uses.iter().any(|rule| pair.newly_allows(rule)),
        keep_not_covered: newer.keeps.iter().any(|rule| pair.keeps_more(rule)),
        reach: pair.reach_grows(),
        ground: pair.ground_loosens(),
    }
}

/// Two versions that are compared in a regime.
pub(crate) struct Pair<'a> {
    pub(crate) lineage: &'a Lineage,
    pub(crate) older: &'a Version,
    pub(crate) newer: &'a Version,
    pub(crate) regime: Regime,
}

impl<'a> Pair<'a> {
    /// Whether the rule, of the newer version, "allows a purpose to use a class that the older one does
    /// not" in some cell.
    pub(crate) fn newly_allows(&self, rule: &Use) -> bool {
        let same = |old: &&Use| old.purpose == rule.purpose && old.class == rule.class;
        let older: Vec<&Condition> = self.older.uses.iter().filter(same).map(|old| &old.when).collect();
        self.some_cell_is_only_in(&rule.when, &older)
    }

    /// Whether the rule, of the newer version, is one "that no keep rule of the older one covers" in
    /// some cell.
    fn keeps_more(&self, rule: &Keep) -> bool {
        let covering = |old: &&Keep| old.class == rule.class && self.covers(old, rule);
        let older: Vec<&Condition> = self.older.keeps.iter().filter(covering).map(|old| &old.when).collect();
        self.some_cell_is_only_in(&rule.when, &older)
    }

    /// "A rule covers another if its anchors include all of the other's and its duration is at least
    /// as long."
    fn covers(&self, old: &Keep, new: &Keep) -> bool {
        new.from.iter().all(|anchor| old.from.contains(anchor))
            && length(old.term, self.older.months) >= length(new.term, self.newer.months)
    }

    /// Whether some cell matches the newer condition and none of the older ones.
    fn some_cell_is_only_in(&self, newer: &Condition, older: &[&Condition]) -> bool {
        let mut conditions = older.to_vec();
        conditions.push(newer);
        self.space(&conditions).any(|cell| {
            matches(self.lineage, self.newer, newer, cell, Unknown::DoesNotMatch)
                && !older
                    .iter()
                    .any(|when| matches(self.lineage, self.older, when, cell, Unknown::DoesNotMatch))
        })
    }

    /// The cells: "every surface of that regime that both have (by name or by `was`), every country
    /// that either names and one that neither names, and every value of the other attributes (all six
    /// standings whatever the ground; unknown is no value here)".
    fn space(&self, conditions: &[&Condition]) -> Space<'a> {
        let purposes = self.older.purposes.iter().chain(&self.newer.purposes);
        let chosen: BTreeSet<&str> =
            purposes.filter(|purpose| purpose.is_chosen()).map(|purpose| purpose.name.as_str()).collect();
        let standings: Vec<_> = chosen.into_iter().map(|name| (name, Standing::ALL.to_vec())).collect();
        Space::new(self.shared_surfaces(), self.countries(), &standings, conditions)
    }

    fn shared_surfaces(&self) -> Vec<(usize, Regime)> {
        let surfaces = |version: &'a Version| {
            let here = version.surfaces.iter().filter(|surface| surface.regime == self.regime);
            here.filter_map(|surface| self.lineage.surface(&surface.name)).collect::<BTreeSet<usize>>()
        };
        let (older, newer) = (surfaces(self.older), surfaces(self.newer));
        older.intersection(&newer).map(|surface| (*surface, self.regime)).collect()
    }

    fn countries(&self) -> Vec<Place<'a>> {
        let regions = self.older.regions.iter().chain(&self.newer.regions);
        let named: BTreeSet<&str> =
            regions.flat_map(|region| region.countries.iter().map(String::as_str)).collect();
        // No region can name this one, since it is no country of ISO 3166.
        named.into_iter().chain(["the rest of the world"]).map(Place::Country).collect()
    }

    /// "In the regimes that the purpose lists in either version, if a purpose's reach goes from message
    /// to conversation".
    fn reach_grows(&self) -> bool {
        self.shared_purposes(|old, new| old.reach == Reach::Message && new.reach == Reach::Conversation)
    }

    /// "Or its ground loosens (consent, then objection, then none)."
    fn ground_loosens(&self) -> bool {
        self.shared_purposes(|old, new| looser(old.ground, new.ground))
    }

    fn shared_purposes(
        &self,
        wider: impl Fn(&tenure_policy::language::Purpose, &tenure_policy::language::Purpose) -> bool,
    ) -> bool {
        self.newer.purposes.iter().any(|new| {
            self.older
                .purpose(&new.name)
                .is_some_and(|old| (old.lists(self.regime) || new.lists(self.regime)) && wider(old, new))
        })
    }
}

/// Whether a ground loosens: "consent, then objection, then none".
pub(crate) const fn looser(older: Ground, newer: Ground) -> bool {
    matches!(
        (older, newer),
        (Ground::Consent, Ground::Objection { .. } | Ground::None) | (Ground::Objection { .. }, Ground::None)
    )
}

/// "To compare, a year is 8,766 hours and a month 730.5, or 720 where months are 30 days; indefinite is
/// longer than all." Counted in half hours.
pub(crate) fn length(term: Term, months: MonthLength) -> u64 {
    match term {
        Term::For(span) => span.nominal_half_hours(months),
        Term::Indefinite => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use tenure_policy::language::parse;

    use super::*;
    use crate::generate;

    /// The definition read as one sentence: all cells, and in each of them all rules.
    fn compare_whole(pair: &Pair<'_>) -> (bool, bool) {
        let matching = |version: &Version, when: &Condition, cell: &crate::cell::Cell<'_>| {
            matches(pair.lineage, version, when, cell, Unknown::DoesNotMatch)
        };
        let conditions: Vec<&Condition> = [pair.older, pair.newer]
            .into_iter()
            .flat_map(|version| {
                let keeps = version.keeps.iter().map(|rule| &rule.when);
                keeps.chain(version.uses.iter().map(|rule| &rule.when))
            })
            .collect();
        let (mut use_allowed, mut keep_not_covered) = (false, false);
        let _stopped_early = pair.space(&conditions).any(|cell| {
            let allows = |version: &Version, of: &Use| {
                version.uses.iter().any(|rule| {
                    rule.purpose == of.purpose
                        && rule.class == of.class
                        && matching(version, &rule.when, cell)
                })
            };
            use_allowed |=
                pair.newer.uses.iter().any(|rule| allows(pair.newer, rule) && !allows(pair.older, rule));
            keep_not_covered |= pair.newer.keeps.iter().any(|rule| {
                matching(pair.newer, &rule.when, cell)
                    && !pair.older.keeps.iter().any(|old| {
                        old.class == rule.class
                            && pair.covers(old, rule)
                            && matching(pair.older, &old.when, cell)
                    })
            });
            use_allowed && keep_not_covered
        });
        (use_allowed, keep_not_covered)
    }

    #[test]
    fn rule_by_rule_and_cell_by_cell_come_to_the_same() {
        let mut wider = 0;
        for seed in 0..60 {
            let texts = generate::lineage(seed);
            let versions = texts.iter().map(|text| parse("generated.toml", text).unwrap()).collect();
            let lineage = Lineage::new(versions).unwrap();
            let [older, .., newer] = lineage.versions() else { continue };
            for regime in Regime::ALL.iter().copied() {
                let pair = Pair { lineage: &lineage, older, newer, regime };
                let found = compare(&lineage, older, newer, regime);
                let whole = compare_whole(&pair);
                assert_eq!((found.use_allowed, found.keep_not_covered), whole, "seed {seed}, {regime}");
                wider += usize::from(found.widens());
            }
        }
        assert!(wider > 20, "{wider}");
    }
}
