//! The comparison of two versions: where the newer one allows what the older one did not.

use tenure_model::{MonthLength, Regime, Term};

use crate::cells::{Cells, Space};
use crate::language::{Ground, Keep, Reach, Version};
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
pub(crate) fn widenings(
    older: &Version,
    newer: &Version,
    surfaces: &Surfaces,
    regime: Regime,
) -> Vec<Widening> {
    let mut found = Vec::new();
    // A space that can't be told apart is refused by the compiler, so no verdict rests on this.
    let Some(space) = Space::new(&[older, newer], surfaces) else { return found };
    let shared = space.all(|surface| {
        surfaces.regime(surface) == regime
            && surfaces.name_in(surface, older).is_some()
            && surfaces.name_in(surface, newer).is_some()
    });
    found.extend(wider_uses(&space, older, newer, &shared));
    found.extend(wider_keeps(&space, older, newer, &shared));
    found.extend(wider_purposes(older, newer, regime));
    found
}

fn wider_uses(space: &Space<'_>, older: &Version, newer: &Version, shared: &Cells) -> Vec<Widening> {
    let covers = |purpose: &str, class: &str| -> Vec<Cells> {
        let same = older.uses.iter().filter(|rule| rule.purpose == purpose && rule.class == class);
        same.map(|rule| space.matching(0, &rule.when, shared)).collect()
    };
    let beyond = newer.uses.iter().enumerate().filter_map(|(index, rule)| {
        let cells = space.matching(1, &rule.when, shared);
        let left = cells.uncovered(&covers(&rule.purpose, &rule.class))?;
        Some(Widening::Use { rule: index, case: space.describe(&left) })
    });
    beyond.collect()
}

fn wider_keeps(space: &Space<'_>, older: &Version, newer: &Version, shared: &Cells) -> Vec<Widening> {
    let beyond = newer.keeps.iter().enumerate().filter_map(|(index, rule)| {
        let covers: Vec<Cells> = older
            .keeps
            .iter()
            .filter(|old| covers(old, older.months, rule, newer.months))
            .map(|old| space.matching(0, &old.when, shared))
            .collect();
        let left = space.matching(1, &rule.when, shared).uncovered(&covers)?;
        Some(Widening::Keep { rule: index, case: space.describe(&left) })
    });
    beyond.collect()
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
