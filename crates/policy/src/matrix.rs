//! The matrix that a lawyer can read: for each situation, what is kept and what it may be used for.

use std::collections::BTreeSet;

use tenure_model::Regime;

use crate::cells::{Cells, Space, cover, rarity};
use crate::language::{Ground, Standing, Version};
use crate::lineage::{Lineage, VersionIx};
use crate::reading::Reading;
use crate::surfaces::Surfaces;

pub use crate::cells::{Aspect, Situation};
pub use crate::reading::{Column, Entry, KeptTerm};

/// How many cases one column may be asked about.
const CELLS_MAX: usize = 1 << 22;
/// How many cases several columns may be asked about together.
const JOINT_MAX: usize = 1 << 15;

/// What a version says, in rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// One section for the surfaces that are treated alike.
    pub sections: Vec<Section>,
}

/// The part of a matrix that is about the surfaces of one regime, or of several that are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The regimes.
    pub regimes: Vec<Regime>,
    /// The surfaces, by the version's names for them.
    pub surfaces: Vec<String>,
    /// What is the same in every situation.
    pub always: Vec<(Column, Entry)>,
    /// What depends on the situation. Columns that depend on different things are in different grids.
    pub grids: Vec<Grid>,
}

/// Columns that depend on the same things; every situation is in exactly one row.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grid {
    /// What the entries of a row are about.
    pub columns: Vec<Column>,
    /// The rows, from the most ordinary situation to the most special.
    pub rows: Vec<Row>,
}

/// A situation and what it means.
#[derive(Debug, Clone)]
pub struct Row {
    /// When.
    pub situation: Situation,
    /// One entry for each column of the grid.
    pub entries: Vec<Entry>,
    cells: Cells,
}

impl PartialEq for Row {
    /// Rows are alike if they say the same, on whatever surfaces.
    fn eq(&self, other: &Self) -> bool {
        self.situation == other.situation && self.entries == other.entries
    }
}

impl Eq for Row {}

impl Lineage {
    /// The matrix of a version.
    pub fn matrix(&self, version: VersionIx) -> Matrix {
        let tree = self.tree(version);
        let mut sections: Vec<Section> = Vec::new();
        // The compiler refuses what has too many values to be told apart.
        let Some(space) = Space::new(&[tree], self.surfaces()) else { return Matrix { sections } };
        let everything = everything(&space, &[tree], self.surfaces());
        for &regime in Regime::ALL {
            let within = space.in_regimes(&[regime], &everything);
            if within.is_empty() {
                continue;
            }
            let section = section(&space, tree, regime, &within);
            match sections
                .iter_mut()
                .find(|known| known.always == section.always && known.grids == section.grids)
            {
                Some(alike) => alike.join(section),
                None => sections.push(section),
            }
        }
        Matrix { sections }
    }
}

impl Section {
    fn join(&mut self, other: Self) {
        self.regimes.extend(other.regimes);
        self.surfaces.extend(other.surfaces);
        for (grid, theirs) in self.grids.iter_mut().zip(other.grids) {
            for (row, theirs) in grid.rows.iter_mut().zip(theirs.rows) {
                row.cells = row.cells.joined(&theirs.cells);
            }
        }
    }
}

/// The cells on the surfaces that all versions know, in which every standing is one that can be.
pub(crate) fn everything(space: &Space<'_>, versions: &[&Version], surfaces: &Surfaces) -> Cells {
    let shared =
        space.all(|surface| versions.iter().all(|version| surfaces.name_in(surface, version).is_some()));
    let mut cells = shared;
    let purposes: BTreeSet<&str> =
        versions.iter().flat_map(|version| &version.purposes).map(|purpose| purpose.name.as_str()).collect();
    let given: Vec<_> =
        Standing::ALL.iter().copied().filter(|standing| *standing != Standing::Unopposed).collect();
    for purpose in purposes {
        let objection = |version: &&Version| {
            version.purpose(purpose).is_some_and(|purpose| matches!(purpose.ground, Ground::Objection { .. }))
        };
        if !versions.iter().any(objection) {
            cells = space.with_standing(&cells, purpose, &given);
        }
    }
    cells
}

fn section(space: &Space<'_>, tree: &Version, regime: Regime, within: &Cells) -> Section {
    let reading = Reading::new(space, 0, tree, within).with_additions_apart(|_| true);
    let mut always = Vec::new();
    let mut grids: Vec<Grid> = Vec::new();
    for column in reading.columns() {
        let alone = grid(space, &reading, vec![column.clone()], within, CELLS_MAX).unwrap_or_default();
        if let [row] = alone.rows.as_slice()
            && let [entry] = row.entries.as_slice()
        {
            // That nothing is added anywhere goes without saying.
            if !matches!((&column, entry), (Column::Also(_), Entry::Kept(terms)) if terms.is_empty()) {
                always.push((column, entry.clone()));
            }
            continue;
        }
        let joints = grids.iter().enumerate().filter_map(|(place, known)| {
            if !known.shares_attribute(&alone) {
                return None;
            }
            let columns = known.columns.iter().cloned().chain([column.clone()]).collect();
            let joint = grid(space, &reading, columns, within, JOINT_MAX)?;
            let rows = (known.rows.len(), alone.rows.len(), joint.rows.len());
            belong_together(rows).then_some((rows.2 - rows.0.min(rows.2), place, joint))
        });
        match joints.min_by_key(|(more, place, _)| (*more, *place)) {
            Some((_, place, joint)) => {
                if let Some(known) = grids.get_mut(place) {
                    *known = joint;
                }
            }
            None => grids.push(alone),
        }
    }
    let surfaces = tree.surfaces.iter().filter(|surface| surface.regime == regime);
    Section {
        regimes: vec![regime],
        surfaces: surfaces.map(|surface| surface.name.clone()).collect(),
        always,
        grids,
    }
}

/// Whether columns are easier to read together: in one grid they need no more rows than in two.
const fn belong_together((known, alone, joint): (usize, usize, usize)) -> bool {
    joint <= known + alone
}

impl Grid {
    /// Whether the rows of both depend on some attribute; if not, one grid would only multiply them.
    fn shares_attribute(&self, other: &Self) -> bool {
        let attributes = |grid: &Self| -> BTreeSet<String> {
            let aspects = grid.rows.iter().flat_map(|row| &row.situation.0);
            aspects.map(|aspect| aspect.attribute.clone()).collect()
        };
        !attributes(self).is_disjoint(&attributes(other))
    }
}

fn grid(
    space: &Space<'_>,
    reading: &Reading<'_>,
    columns: Vec<Column>,
    within: &Cells,
    cells_max: usize,
) -> Option<Grid> {
    let relevant: BTreeSet<usize> = columns.iter().flat_map(|column| reading.relevant(column)).collect();
    let relevant: Vec<usize> = relevant.into_iter().collect();
    let predicates: Vec<&Cells> =
        relevant.iter().filter_map(|index| reading.predicates().get(*index)).collect();
    let found = cover(within, &predicates, cells_max, |alive| {
        let holds = |index: usize| {
            relevant.binary_search(&index).ok().and_then(|place| alive.get(place)).copied().unwrap_or(false)
        };
        columns.iter().map(|column| reading.entry(column, &holds)).collect::<Vec<_>>()
    })?;
    let mut rows: Vec<_> = found
        .into_iter()
        .map(|(cells, entries)| Row { situation: space.situation(&cells, within), entries, cells })
        .collect();
    rows.sort_by_key(|row| rarity(&row.cells));
    Some(Grid { columns, rows })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tenure_model::{Anchored, Instant, Kind, Mode};

    use super::*;
    use crate::language::{Flag, parse};
    use crate::table::{Known, Outcome, anchor_slot};

    fn shipped() -> Vec<Lineage> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let lineages = [
            "policies/example.toml",
            "policies/claude-consumer",
            "policies/gemini-apps",
            "corpora/policies/message-reach.toml",
            "corpora/policies/months-30.toml",
            "corpora/policies/regions.toml",
            "corpora/policies/three-purposes.toml",
            "corpora/policies/renamed",
            "corpora/policies/widened",
        ];
        let read = |path: &Path| parse("policy", &std::fs::read_to_string(path).unwrap()).unwrap();
        let lineage = |path: &&str| {
            let path = root.join(path);
            let versions = if path.is_dir() {
                std::fs::read_dir(&path).unwrap().map(|entry| read(&entry.unwrap().path())).collect()
            } else {
                vec![read(&path)]
            };
            Lineage::compile(versions).unwrap()
        };
        lineages.iter().map(lineage).collect()
    }

    /// Every single cell of a product, as one bit for each attribute.
    fn singles(cells: &Cells) -> Vec<Vec<u32>> {
        cells.bits().into_iter().fold(vec![Vec::new()], |found, bits| {
            found.iter().flat_map(|cell| bits.iter().map(|bit| [cell.as_slice(), &[*bit]].concat())).collect()
        })
    }

    /// The place in the table of a cell whose every fact is known.
    fn outcome<'l>(lineage: &'l Lineage, version: VersionIx, space: &Space<'_>, cell: &[u32]) -> &'l Outcome {
        let (tree, table) = (lineage.tree(version), &lineage.compiled(version).table);
        let surface = lineage.surfaces().ids()[cell[0] as usize];
        let country = space.country(cell[1] as usize).unwrap_or("ZZ");
        let mut index = table.surface(surface)
            + table.region(Some(country))
            + table.kind(Kind::ALL[cell[2] as usize])
            + table.mode(Mode::ALL[cell[3] as usize]);
        for (flag, bit) in Flag::ALL.iter().zip(&cell[4..]) {
            index += table.flag(*flag, Known::from(Some(*bit == 1)));
        }
        let chosen = tree.purposes.iter().enumerate().filter(|(_, purpose)| purpose.is_chosen());
        for ((place, _), bit) in chosen.zip(&cell[4 + Flag::ALL.len()..]) {
            index += table.standing(place, Standing::ALL[*bit as usize]);
        }
        table.outcome(index)
    }

    /// Dates for the anchors that a cell has; creation is never after the last activity.
    fn anchors(tree: &Version, cell: &[u32], seed: u64) -> Vec<Option<Instant>> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut any = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            Instant::from_micros(i64::try_from(state % 300_000_000_000_000).unwrap()).unwrap()
        };
        let (a, b) = (any(), any());
        let flagged = |flag: Flag| cell[4 + flag as usize] == 1;
        let mut slots = vec![Some(a.min(b)), Some(a.max(b))];
        for flag in [Flag::Deleted, Flag::Flagged, Flag::Feedback, Flag::Closed] {
            let instant = any();
            slots.push(flagged(flag).then_some(instant));
        }
        let mut bits = cell[4 + Flag::ALL.len()..].iter();
        for purpose in &tree.purposes {
            let standing = purpose.is_chosen().then(|| Standing::ALL[*bits.next().unwrap() as usize]);
            let decided = !matches!(standing, Some(Standing::Undecided | Standing::Unopposed));
            let instant = any();
            slots.push(decided.then_some(instant));
        }
        slots
    }

    fn latest_end(
        tree: &Version,
        slots: &[Option<Instant>],
        terms: impl Iterator<Item = (Vec<crate::language::Anchor>, tenure_model::Term)>,
    ) -> Option<Anchored> {
        let ends = terms.filter_map(|(from, term)| {
            let latest = from.iter().filter_map(|anchor| slots[anchor_slot(anchor, tree).unwrap()]).max()?;
            Some(Anchored::end(latest, term, tree.months))
        });
        ends.max()
    }

    /// Checks one cell against the rows that it lies in.
    fn check(lineage: &Lineage, version: VersionIx, space: &Space<'_>, section: &Section, cell: &[u32]) {
        let tree = lineage.tree(version);
        let outcome = outcome(lineage, version, space, cell);
        let rows = section.grids.iter().flat_map(|grid| {
            let rows: Vec<_> = grid.rows.iter().filter(|row| row.cells.contains(cell)).collect();
            assert_eq!(rows.len(), 1, "{cell:?} lies in {} rows of one grid", rows.len());
            grid.columns.iter().zip(&rows[0].entries).collect::<Vec<_>>()
        });
        let always = section.always.iter().map(|(column, entry)| (column, entry));
        let said: Vec<_> = rows.chain(always).collect();
        let mut kept = BTreeSet::new();
        for class in tree.classes() {
            let alive: Vec<_> = outcome
                .keeps
                .iter()
                .map(|rule| &tree.keeps[*rule as usize])
                .filter(|r| r.class == class)
                .collect();
            let terms: Vec<_> = said
                .iter()
                .filter(|(column, _)| matches!(column, Column::Class(c) | Column::Also(c) if c == class))
                .flat_map(|(_, entry)| match entry {
                    Entry::Kept(terms) => terms.clone(),
                    Entry::Used(_) => panic!("a class is never used"),
                })
                .collect();
            for seed in 0..3 {
                let slots = anchors(tree, cell, seed + u64::from(cell.iter().sum::<u32>()) * 7);
                let by_table = latest_end(tree, &slots, alive.iter().map(|r| (r.from.clone(), r.term)));
                let by_rows =
                    latest_end(tree, &slots, terms.iter().map(|term| (term.from.clone(), term.term)));
                assert_eq!(by_table, by_rows, "{class} in {cell:?}: {terms:?}");
            }
            if !terms.is_empty() {
                kept.insert(class);
            }
        }
        for (place, purpose) in tree.purposes.iter().enumerate() {
            let by_table: BTreeSet<&str> = tree
                .classes()
                .enumerate()
                .filter(|(index, class)| outcome.uses[place] >> index & 1 == 1 && kept.contains(class))
                .map(|(_, class)| class)
                .collect();
            let by_rows: BTreeSet<&str> = said
                .iter()
                .filter(|(column, _)| *column == &Column::Purpose(purpose.name.clone()))
                .flat_map(|(_, entry)| match entry {
                    Entry::Used(classes) => classes.iter().map(String::as_str).collect::<Vec<_>>(),
                    Entry::Kept(_) => panic!("a purpose is never kept"),
                })
                .collect();
            assert_eq!(by_table, by_rows, "{} in {cell:?}", purpose.name);
        }
    }

    /// Each known case lies in exactly one row of each grid, and there the rows say what the table does:
    /// the same end for the same dates, and the same uses.
    #[test]
    fn the_rows_say_of_every_case_what_the_table_says() {
        let mut checked = 0;
        for lineage in shipped() {
            for (version, tree) in lineage.versions() {
                let space = Space::new(&[tree], lineage.surfaces()).unwrap();
                let everything = everything(&space, &[tree], lineage.surfaces());
                let matrix = lineage.matrix(version);
                for section in &matrix.sections {
                    let within = space.in_regimes(&section.regimes, &everything);
                    for cell in singles(&within) {
                        check(&lineage, version, &space, section, &cell);
                        checked += 1;
                    }
                }
            }
        }
        assert!(checked > 100_000, "only {checked} cases");
    }

    #[test]
    fn a_matrix_is_short_enough_to_be_read() {
        for lineage in shipped() {
            for (version, tree) in lineage.versions() {
                for section in lineage.matrix(version).sections {
                    for grid in section.grids {
                        assert!(
                            grid.rows.len() <= 40,
                            "{} {}: {} rows",
                            tree.policy,
                            tree.name,
                            grid.rows.len()
                        );
                    }
                }
            }
        }
    }
}
