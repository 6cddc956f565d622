//! How what is kept or allowed changes for the records in each situation.

use std::collections::BTreeSet;

use tenure_model::{MonthLength, Regime};

use crate::cells::{Cells, Situation, Space, cover, rarity};
use crate::language::Version;
use crate::matrix::everything;
use crate::reading::{Column, Entry, Reading, additions, covers_all};
use crate::surfaces::Surfaces;

/// How many cases one column may be asked about.
const CELLS_MAX: usize = 1 << 22;

/// How what is kept or allowed changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Kept longer.
    Longer,
    /// Kept shorter.
    Shorter,
    /// Kept by other dates, longer for some records and shorter for others.
    Different,
    /// A purpose may use what it could not.
    Allowed,
    /// A purpose may no longer use what it could.
    Stopped,
}

impl Direction {
    /// The direction as a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Longer => "longer",
            Self::Shorter => "shorter",
            Self::Different => "different",
            Self::Allowed => "allowed",
            Self::Stopped => "stopped",
        }
    }
}

/// One change for the records in some situations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermChange {
    /// The class or purpose.
    pub column: Column,
    /// The regimes of the records.
    pub regimes: Vec<Regime>,
    /// When.
    pub situations: Vec<Situation>,
    /// What the older version says.
    pub before: Entry,
    /// What the newer version says.
    pub after: Entry,
    /// How it changes.
    pub direction: Direction,
}

/// A change before situations that change alike are gathered.
struct Found {
    rarity: u32,
    regime: Regime,
    situation: Situation,
    before: Entry,
    after: Entry,
}

pub(super) fn term_changes(
    space: &Space<'_>,
    older: &Version,
    newer: &Version,
    surfaces: &Surfaces,
) -> Vec<TermChange> {
    let all = everything(space, &[older, newer], surfaces);
    let columns_of = |place: usize, version| reading(space, place, [older, newer], version, &all).columns();
    let mut columns = columns_of(0, older);
    columns.extend(columns_of(1, newer));
    columns.sort_by_key(|column| match column {
        Column::Class(_) => 0,
        Column::Also(_) => 1,
        Column::Purpose(_) => 2,
    });
    let mut seen = BTreeSet::new();
    columns.retain(|column| seen.insert(column.clone()));
    let months = (older.months, newer.months);
    let mut changes = Vec::new();
    for column in columns {
        let mut found: Vec<Found> = Vec::new();
        for &regime in Regime::ALL {
            let within = space.in_regimes(&[regime], &all);
            found.extend(changed(space, [older, newer], &column, regime, &within));
        }
        found.sort_by_key(|found| found.rarity);
        changes.extend(gathered(&column, found, months));
    }
    changes
}

/// One of two versions, with the rules that only add told apart where that is so in both.
fn reading<'v>(
    space: &Space<'v>,
    place: usize,
    versions: [&Version; 2],
    version: &'v Version,
    within: &Cells,
) -> Reading<'v> {
    let in_both = |class: &str| versions.iter().all(|version| !additions(version, class).is_empty());
    Reading::new(space, place, version, within).with_additions_apart(in_both)
}

/// Where a column changes, within the surfaces of one regime.
fn changed(
    space: &Space<'_>,
    versions: [&Version; 2],
    column: &Column,
    regime: Regime,
    within: &Cells,
) -> Vec<Found> {
    let [older, newer] = versions;
    let readings = [reading(space, 0, versions, older, within), reading(space, 1, versions, newer, within)];
    let relevant: Vec<(usize, usize)> = readings
        .iter()
        .enumerate()
        .flat_map(|(side, reading)| reading.relevant(column).into_iter().map(move |index| (side, index)))
        .collect();
    let predicates: Vec<&Cells> =
        relevant.iter().filter_map(|(side, index)| readings.get(*side)?.predicates().get(*index)).collect();
    let found = cover(within, &predicates, CELLS_MAX, |alive| {
        let entry = |side: usize, reading: &Reading<'_>| {
            reading.entry(column, &|index| {
                let place = relevant.binary_search(&(side, index)).ok();
                place.and_then(|place| alive.get(place)).copied().unwrap_or(false)
            })
        };
        let [old, new] = &readings;
        let (before, after) = (entry(0, old), entry(1, new));
        // Everything that stays as it is counts as one outcome, so that it is described once or never.
        let unchanged = before.to_string() == after.to_string() && older.months == newer.months;
        (!unchanged).then_some((before, after))
    });
    let changed = found.unwrap_or_default().into_iter().filter_map(|(cells, pair)| {
        let (before, after) = pair?;
        let (rarity, situation) = (rarity(&cells), space.situation(&cells, within));
        Some(Found { rarity, regime, situation, before, after })
    });
    changed.collect()
}

/// Gathers the situations and the regimes that change alike.
fn gathered(column: &Column, found: Vec<Found>, months: (MonthLength, MonthLength)) -> Vec<TermChange> {
    let mut changes: Vec<TermChange> = Vec::new();
    for one in found {
        let Some(direction) = direction(&one.before, &one.after, months) else { continue };
        let alike = |change: &&mut TermChange| {
            change.before.to_string() == one.before.to_string()
                && change.after.to_string() == one.after.to_string()
        };
        let mergeable = changes
            .iter_mut()
            .filter(alike)
            .find(|change| change.regimes == [one.regime] || change.situations == [one.situation.clone()]);
        match mergeable {
            Some(change) if change.regimes == [one.regime] => change.situations.push(one.situation),
            Some(change) => change.regimes.push(one.regime),
            None => changes.push(TermChange {
                column: column.clone(),
                regimes: vec![one.regime],
                situations: vec![one.situation],
                before: one.before,
                after: one.after,
                direction,
            }),
        }
    }
    changes
}

fn direction(before: &Entry, after: &Entry, months: (MonthLength, MonthLength)) -> Option<Direction> {
    match (before, after) {
        (Entry::Kept(before), Entry::Kept(after)) => {
            let no_longer = covers_all(before, months.0, after, months.1);
            let no_shorter = covers_all(after, months.1, before, months.0);
            match (no_longer, no_shorter) {
                (true, true) => None,
                (true, false) => Some(Direction::Shorter),
                (false, true) => Some(Direction::Longer),
                (false, false) => Some(Direction::Different),
            }
        }
        (Entry::Used(before), Entry::Used(after)) => {
            let more = after.iter().any(|class| !before.contains(class));
            let less = before.iter().any(|class| !after.contains(class));
            match (more, less) {
                (true, false) => Some(Direction::Allowed),
                (false, true) => Some(Direction::Stopped),
                (true, true) => Some(Direction::Different),
                (false, false) => None,
            }
        }
        _ => Some(Direction::Different),
    }
}
