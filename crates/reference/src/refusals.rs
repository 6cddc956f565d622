//! What a compiler must refuse, found by looking at every cell.

use std::collections::BTreeSet;

use tenure_model::{Regime, Term};
use tenure_policy::language::{Condition, Forbidden, Ground, Never, Purpose, Standing, Use, Version};

use crate::cell::{Cell, Place, Space, Unknown, matches};
use crate::lineage::Lineage;
use crate::widening::{Pair, length, looser};

/// One thing for which a version must be refused. Each begins with the name of the version; rules are
/// counted from zero, in file order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The version belongs to another policy than the oldest.
    OtherPolicy(String),
    /// Two versions have one name.
    SameName(String),
    /// Two surfaces of the version are the same one, by `was`.
    SameSurface(String, String),
    /// The surface, under one of its names, had another regime in an earlier version.
    RegimeChanges(String, String),
    /// The surface says that it was one that no earlier version has, and is itself in none.
    WasNothing(String, String),
    /// A keep rule matches no cell.
    KeepMatchesNothing(String, usize),
    /// A use rule matches no cell.
    UseMatchesNothing(String, usize),
    /// A `never` fails.
    NeverFails(String, usize),
    /// A use rule lets a purpose through on a standing that is not enough for its ground.
    UseWithoutStanding(String, usize),
    /// A use rule lets a purpose through in a regime that the purpose does not list.
    UseInUnlistedRegime(String, usize, Regime),
    /// A keep rule keeps a body under `zero`.
    BodyUnderZero(String, usize),
    /// The version widens against the previous one in a regime where it does not ask for consent.
    WidensWithoutConsent(String, Regime),
    /// A use rule widens a use for a purpose that nobody can refuse there.
    WidensUnchosenUse(String, usize, Regime),
    /// The ground of a purpose loosens against the previous version.
    GroundLoosens(String, String),
}

impl Lineage {
    /// Everything for which the lineage must be refused, words and values aside.
    pub fn refusals(&self) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for (index, version) in self.versions().iter().enumerate() {
            let (earlier, _) = self.versions().split_at_checked(index).unwrap_or_default();
            self.check_names(version, earlier, &mut refusals);
            self.check_keeps(version, &mut refusals);
            self.check_uses(version, &mut refusals);
            self.check_nevers(version, &mut refusals);
            if let Some(previous) = earlier.last() {
                self.check_against_previous(previous, version, &mut refusals);
            }
        }
        refusals
    }

    fn check_names(&self, version: &Version, earlier: &[Version], refusals: &mut Vec<Refusal>) {
        let name = || version.name.clone();
        if earlier.first().is_some_and(|oldest| oldest.policy != version.policy) {
            refusals.push(Refusal::OtherPolicy(name()));
        }
        if earlier.iter().any(|other| other.name == version.name) {
            refusals.push(Refusal::SameName(name()));
        }
        let mut seen = BTreeSet::new();
        let earlier_surfaces = || earlier.iter().flat_map(|version| &version.surfaces);
        for surface in &version.surfaces {
            let of = || (name(), surface.name.clone());
            let number = self.surface(&surface.name);
            if !seen.insert(number) {
                let (version, surface) = of();
                refusals.push(Refusal::SameSurface(version, surface));
            }
            let mut before = earlier_surfaces().filter(|other| self.surface(&other.name) == number);
            if before.any(|other| other.regime != surface.regime) {
                let (version, surface) = of();
                refusals.push(Refusal::RegimeChanges(version, surface));
            }
            // A name that only `was` tells is a name of the surface too.
            let is_known = |name: &String| {
                earlier_surfaces().any(|other| other.name == *name || other.was.as_ref() == Some(name))
            };
            let unknown_was = surface.was.as_ref().is_some_and(|was| !is_known(was));
            if !earlier.is_empty() && unknown_was && !is_known(&surface.name) {
                let (version, surface) = of();
                refusals.push(Refusal::WasNothing(version, surface));
            }
        }
    }

    fn check_keeps(&self, version: &Version, refusals: &mut Vec<Refusal>) {
        for (rule, keep) in version.keeps.iter().enumerate() {
            let space = self.space(version, &[&keep.when], possible);
            let name = || version.name.clone();
            if !space.any(|cell| self.rule_matches(version, &keep.when, cell)) {
                refusals.push(Refusal::KeepMatchesNothing(name(), rule));
            }
            let is_body = version.bodies.contains(&keep.class);
            if is_body
                && space
                    .any(|cell| cell.regime == Regime::Zero && self.rule_matches(version, &keep.when, cell))
            {
                refusals.push(Refusal::BodyUnderZero(name(), rule));
            }
        }
    }

    fn check_uses(&self, version: &Version, refusals: &mut Vec<Refusal>) {
        for (rule, used) in version.uses.iter().enumerate() {
            let name = || version.name.clone();
            let space = self.space(version, &[&used.when], possible);
            if !space.any(|cell| self.rule_matches(version, &used.when, cell)) {
                refusals.push(Refusal::UseMatchesNothing(name(), rule));
            }
            let Some(purpose) = version.purpose(&used.purpose) else { continue };
            if self.lets_through(version, purpose, used) {
                refusals.push(Refusal::UseWithoutStanding(name(), rule));
            }
            for regime in Regime::ALL.iter().copied().filter(|regime| !purpose.lists(*regime)) {
                if space.any(|cell| cell.regime == regime && self.rule_matches(version, &used.when, cell)) {
                    refusals.push(Refusal::UseInUnlistedRegime(name(), rule, regime));
                }
            }
        }
    }

    /// "A use rule that lets a consent purpose through without `standing = "on"` (or an objection
    /// purpose without `on` or `unopposed`)", over all six standings.
    fn lets_through(&self, version: &Version, purpose: &Purpose, used: &Use) -> bool {
        let enough: &[Standing] = match purpose.ground {
            Ground::Consent => &[Standing::On],
            Ground::Objection { .. } => &[Standing::On, Standing::Unopposed],
            Ground::None => return false,
        };
        // The standing toward the purpose itself is looked at whether or not the rule names it.
        let own = Condition {
            standing: vec![(purpose.name.clone(), Standing::ALL.to_vec())],
            ..Condition::default()
        };
        let space = self.space(version, &[&used.when, &own], |_| Standing::ALL.to_vec());
        space.any(|cell| {
            let sufficient = cell.standing(&purpose.name).is_some_and(|standing| enough.contains(&standing));
            !sufficient && self.rule_matches(version, &used.when, cell)
        })
    }

    fn check_nevers(&self, version: &Version, refusals: &mut Vec<Refusal>) {
        for (rule, never) in version.nevers.iter().enumerate() {
            if self.never_fails(version, never) {
                refusals.push(Refusal::NeverFails(version.name.clone(), rule));
            }
        }
    }

    /// Whether some cell matches the `never` and a rule that does what it forbids.
    fn never_fails(&self, version: &Version, never: &Never) -> bool {
        let offending: Vec<&Condition> = match &never.what {
            Forbidden::Use { purpose } => {
                version.uses.iter().filter(|used| used.purpose == *purpose).map(|used| &used.when).collect()
            }
            Forbidden::Keep { class, longer_than } => {
                let too_long = |term: Term| {
                    longer_than.is_none_or(|longest| {
                        length(term, version.months) > length(Term::For(longest), version.months)
                    })
                };
                let keeps = version.keeps.iter().filter(|keep| keep.class == *class && too_long(keep.term));
                keeps.map(|keep| &keep.when).collect()
            }
        };
        offending.into_iter().any(|when| {
            let space = self.space(version, &[&never.when, when], possible);
            space.any(|cell| {
                self.rule_matches(version, &never.when, cell) && self.rule_matches(version, when, cell)
            })
        })
    }

    fn check_against_previous(&self, older: &Version, newer: &Version, refusals: &mut Vec<Refusal>) {
        let name = || newer.name.clone();
        for regime in Regime::ALL.iter().copied() {
            let asks = newer
                .purposes
                .iter()
                .any(|purpose| matches!(purpose.ground, Ground::Consent) && purpose.lists(regime));
            if !asks && crate::widening::compare(self, older, newer, regime).widens() {
                refusals.push(Refusal::WidensWithoutConsent(name(), regime));
            }
            let pair = Pair { lineage: self, older, newer, regime };
            for (rule, used) in newer.uses.iter().enumerate() {
                let chosen_there = newer
                    .purpose(&used.purpose)
                    .is_some_and(|purpose| purpose.is_chosen() && purpose.lists(regime));
                if !chosen_there && pair.newly_allows(used) {
                    refusals.push(Refusal::WidensUnchosenUse(name(), rule, regime));
                }
            }
        }
        for purpose in &newer.purposes {
            if older.purpose(&purpose.name).is_some_and(|old| looser(old.ground, purpose.ground)) {
                refusals.push(Refusal::GroundLoosens(name(), purpose.name.clone()));
            }
        }
    }

    fn rule_matches(&self, version: &Version, when: &Condition, cell: &Cell<'_>) -> bool {
        matches(self, version, when, cell, Unknown::DoesNotMatch)
    }

    /// The cells of one version: its own surfaces, its own regions and `other`, and the standings that
    /// are asked for.
    fn space<'a>(
        &self,
        version: &'a Version,
        conditions: &[&Condition],
        standings: impl Fn(&Purpose) -> Vec<Standing>,
    ) -> Space<'a> {
        let surfaces = version.surfaces.iter();
        let surfaces =
            surfaces.filter_map(|surface| Some((self.surface(&surface.name)?, surface.regime))).collect();
        let regions = version.regions.iter().map(|region| region.name.as_str());
        let places = regions.chain(["other"]).map(Place::Region).collect();
        let chosen = version.purposes.iter().filter(|purpose| purpose.is_chosen());
        let standings: Vec<_> = chosen.map(|purpose| (purpose.name.as_str(), standings(purpose))).collect();
        Space::new(surfaces, places, &standings, conditions)
    }
}

/// The standings that a record can have toward a purpose: without a ground of objection, silence is
/// never taken for anything.
fn possible(purpose: &Purpose) -> Vec<Standing> {
    let unopposed_exists = matches!(purpose.ground, Ground::Objection { .. });
    Standing::ALL
        .iter()
        .copied()
        .filter(|standing| *standing != Standing::Unopposed || unopposed_exists)
        .collect()
}
