//! The comparison of two versions: where the newer one allows what the older one did not.

use tenure_model::{MonthLength, Regime, Term};

use crate::cells::{Cells, Space};
use crate::language::{Condition, Ground, Keep, Reach, Version};
use crate::surfaces::Surfaces;

/// One way in which a newer version goes beyond an older one in a regime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Widening {
    /// A use rule allows what no use rule of the older version allowed.
    Use {
        /// The index of the newer version's use rule.
        rule: usize,
        /// A case in which it does, in words.
        case: String,
    },
    /// A keep rule keeps what no keep rule of the older version covered.
    Keep {
        /// The index of the newer version's keep rule.
        rule: usize,
        /// A case in which it does, in words.
        case: String,
    },
    /// A purpose takes in whole conversations where it took in messages.
    Reach {
        /// The purpose.
        purpose: String,
    },
    /// A purpose stands on a looser ground.
    Ground {
        /// The purpose.
        purpose: String,
        /// The older ground.
        from: Ground,
        /// The newer ground.
        to: Ground,
    },
}

/// Everything in which `newer` widens against `older` in a regime, in the order of its file.
pub(crate) fn widenings<'v>(
    older: &'v Version,
    newer: &'v Version,
    surfaces: &'v Surfaces,
    regime: Regime,
) -> Vec<Widening> {
    let mut found = Vec::new();
    // So many surfaces that they can't be told apart are refused by the compiler, so no verdict rests
    // on this. Many regions are not: two versions that cross theirs tell more countries apart than
    // either does, which is why the space comes in parts.
    let Some(spaces) = Space::parts(&[older, newer], surfaces) else { return found };
    let is_shared = |surface| {
        surfaces.regime(surface) == regime
            && surfaces.name_in(surface, older).is_some()
            && surfaces.name_in(surface, newer).is_some()
    };
    let with_shared = |space: Space<'v>| {
        let shared = space.all(is_shared);
        (space, shared)
    };
    let parts: Vec<Part<'_>> = spaces.into_iter().map(with_shared).collect();
    found.extend(wider_uses(&parts, older, newer));
    found.extend(wider_keeps(&parts, older, newer));
    found.extend(wider_purposes(older, newer, regime));
    found
}

/// A part of the space of two versions, with its cells on the surfaces that both have.
type Part<'v> = (Space<'v>, Cells);

/// A case that a condition of the newer version matches and none of those of the older one, in words.
fn beyond<'w>(
    parts: &[Part<'_>],
    newer: &Condition,
    older: &(impl Iterator<Item = &'w Condition> + Clone),
) -> Option<String> {
    parts.iter().find_map(|(space, shared)| {
        let covers: Vec<Cells> = older.clone().map(|when| space.matching(0, when, shared)).collect();
        let left = space.matching(1, newer, shared).uncovered(&covers)?;
        Some(space.describe(&left))
    })
}

fn wider_uses(parts: &[Part<'_>], older: &Version, newer: &Version) -> Vec<Widening> {
    let wider = newer.uses.iter().enumerate().filter_map(|(index, rule)| {
        let same = older.uses.iter().filter(|old| old.purpose == rule.purpose && old.class == rule.class);
        let case = beyond(parts, &rule.when, &same.map(|old| &old.when))?;
        Some(Widening::Use { rule: index, case })
    });
    wider.collect()
}

fn wider_keeps(parts: &[Part<'_>], older: &Version, newer: &Version) -> Vec<Widening> {
    let wider = newer.keeps.iter().enumerate().filter_map(|(index, rule)| {
        let longer = older.keeps.iter().filter(|old| covers(old, older.months, rule, newer.months));
        let case = beyond(parts, &rule.when, &longer.map(|old| &old.when))?;
        Some(Widening::Keep { rule: index, case })
    });
    wider.collect()
}

/// Whether a keep rule keeps at least as long as another, wherever both match.
fn covers(old: &Keep, old_months: MonthLength, new: &Keep, new_months: MonthLength) -> bool {
    old.class == new.class
        && new.from.iter().all(|anchor| old.from.contains(anchor))
        && half_hours(old.term, old_months) >= half_hours(new.term, new_months)
}

/// The length of a term for comparison; indefinite is longer than all.
pub(crate) const fn half_hours(term: Term, months: MonthLength) -> u64 {
    match term {
        Term::For(span) => span.nominal_half_hours(months),
        Term::Indefinite => u64::MAX,
    }
}

fn wider_purposes(older: &Version, newer: &Version, regime: Regime) -> Vec<Widening> {
    let mut found = Vec::new();
    for purpose in &newer.purposes {
        let Some(before) = older.purpose(&purpose.name) else { continue };
        if !purpose.lists(regime) && !before.lists(regime) {
            continue;
        }
        if before.reach == Reach::Message && purpose.reach == Reach::Conversation {
            found.push(Widening::Reach { purpose: purpose.name.clone() });
        }
        if purpose.ground.looseness() > before.ground.looseness() {
            found.push(Widening::Ground {
                purpose: purpose.name.clone(),
                from: before.ground,
                to: purpose.ground,
            });
        }
    }
    found
}
