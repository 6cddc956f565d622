//! The matrix that a lawyer can read: for each situation, what is kept and what it may be used for.

use std::collections::BTreeSet;

use tenure_model::Regime;

use crate::cells::{Cells, Space, cover};
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
            match sections.iter_mut().find(|known| known.always == section.always && known.grids == section.grids)
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
    let reading = Reading::new(space, 0, tree, within);
    let classes = tree.classes().map(|class| Column::Class(class.to_owned()));
    let purposes = tree.purposes.iter().map(|purpose| Column::Purpose(purpose.name.clone()));
    let mut always = Vec::new();
    let mut grids: Vec<Grid> = Vec::new();
    for column in classes.chain(purposes) {
        let alone = grid(space, &reading, vec![column.clone()], within, CELLS_MAX).unwrap_or_default();
        if let [row] = alone.rows.as_slice()
            && let [entry] = row.entries.as_slice()
        {
            always.push((column, entry.clone()));
            continue;
        }
        let joint = grids.iter_mut().find_map(|known| {
            let columns = known.columns.iter().cloned().chain([column.clone()]).collect();
            let joint = grid(space, &reading, columns, within, JOINT_MAX)?;
            belong_together(known.rows.len(), alone.rows.len(), joint.rows.len()).then_some((known, joint))
        });
        match joint {
            Some((known, joint)) => *known = joint,
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

/// Whether columns are easier to read together: in one grid they need few more rows than in two.
const fn belong_together(known: usize, alone: usize, joint: usize) -> bool {
    2 * joint <= 3 * (known + alone)
}

impl Default for Grid {
    fn default() -> Self {
        Self { columns: Vec::new(), rows: Vec::new() }
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
    rows.sort_by_key(|row| space.rarity(&row.cells));
    Some(Grid { columns, rows })
}
