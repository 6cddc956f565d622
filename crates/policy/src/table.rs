//! The dense table: every case of a version, looked up by one index.
//!
//! Values that no rule tells apart share a class, so the table has one cell for each combination of
//! classes. Each value of an attribute contributes a precomputed offset; the index is their sum. Here
//! *unknown* is a value of its own, which matches whatever a keep rule asks and nothing that a use
//! rule asks.

use std::collections::HashMap;

use tenure_model::{Kind, Mode, Term};

use crate::language::{Anchor, Condition, Diagnostic, Flag, Position, Standing, Version};
use crate::surfaces::{SurfaceId, Surfaces};

/// The most cells that a table may have.
const CELLS_MAX: usize = 1 << 24;
/// The most classes, and the most anchors, that fit a mask.
const MASK_MAX: usize = 64;

/// A value that is true, false or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    False,
    True,
    Unknown,
}

impl From<Option<bool>> for Known {
    fn from(value: Option<bool>) -> Self {
        match value {
            Some(false) => Self::False,
            Some(true) => Self::True,
            None => Self::Unknown,
        }
    }
}

/// A keep rule, ready for arithmetic.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeepRule {
    /// The index of its class.
    pub(crate) class: usize,
    /// A bit for each anchor slot: the six fixed ones, then one for each purpose of the version.
    pub(crate) anchors: u64,
    /// Its term.
    pub(crate) term: Term,
}

/// What holds in the cells that share it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// The keep rules that match, in file order.
    pub(crate) keeps: Vec<u16>,
    /// For each purpose of the version, a bit for each class that it may use.
    pub(crate) uses: Vec<u64>,
}

/// A version, compiled.
#[derive(Debug)]
pub(crate) struct Table {
    /// The keep rules, in file order.
    pub(crate) rules: Vec<KeepRule>,
    surfaces: Vec<u32>,
    /// Region offsets: the regions in file order, then `other`, then unknown.
    regions: Vec<u32>,
    countries: Vec<(String, usize)>,
    kinds: [u32; 2],
    modes: [u32; 2],
    flags: [[u32; 3]; 5],
    /// For each purpose of the version, an offset for each standing; zero where nobody chooses.
    standings: Vec<[u32; 6]>,
    /// For each purpose of the version, its index among those of the lineage.
    pub(crate) purposes: Vec<u16>,
    cells: Vec<u16>,
    outcomes: Vec<Outcome>,
}

/// One attribute while the table is built: which rules accept each of its values.
struct Attribute {
    /// A bit for each rule, keep rules first, for each value.
    accepted: Vec<Vec<bool>>,
}

impl Table {
    /// Builds the table of a version that the compiler found sound.
    pub(crate) fn build(
        version: &Version,
        surfaces: &Surfaces,
        purposes: &[String],
    ) -> Result<Self, Diagnostic> {
        let attributes = attributes(version, surfaces);
        let mut offsets: Vec<Vec<u32>> = Vec::with_capacity(attributes.len());
        let mut classes: Vec<Vec<&[bool]>> = Vec::with_capacity(attributes.len());
        let mut size = 1_usize;
        for attribute in &attributes {
            let mut distinct: Vec<&[bool]> = Vec::new();
            let mut of_value = Vec::with_capacity(attribute.accepted.len());
            for accepted in &attribute.accepted {
                let class = distinct.iter().position(|known| known == accepted).unwrap_or_else(|| {
                    distinct.push(accepted);
                    distinct.len() - 1
                });
                of_value.push(u32::try_from(class * size).map_err(|_| too_many(version))?);
            }
            size = size.saturating_mul(distinct.len().max(1));
            if size > CELLS_MAX {
                return Err(too_many(version));
            }
            offsets.push(of_value);
            classes.push(distinct);
        }
        let (cells, outcomes) = fill(version, &classes, size)?;
        Self::assemble(version, purposes, offsets, cells, outcomes).ok_or_else(|| too_many(version))
    }

    fn assemble(
        version: &Version,
        purposes: &[String],
        offsets: Vec<Vec<u32>>,
        cells: Vec<u16>,
        outcomes: Vec<Outcome>,
    ) -> Option<Self> {
        fn fixed<const N: usize>(offsets: Option<Vec<u32>>) -> Option<[u32; N]> {
            offsets?.try_into().ok()
        }
        let mut offsets = offsets.into_iter();
        let surfaces = offsets.next()?;
        let regions = offsets.next()?;
        let kinds = fixed(offsets.next())?;
        let modes = fixed(offsets.next())?;
        let mut flags = [[0; 3]; 5];
        for slot in &mut flags {
            *slot = fixed(offsets.next())?;
        }
        let mut standings = Vec::new();
        let mut places = Vec::new();
        for purpose in &version.purposes {
            standings.push(if purpose.is_chosen() { fixed(offsets.next())? } else { [0; 6] });
            places.push(u16::try_from(purposes.binary_search(&purpose.name).ok()?).ok()?);
        }
        let mut countries = Vec::new();
        for (index, region) in version.regions.iter().enumerate() {
            countries.extend(region.countries.iter().map(|country| (country.clone(), index)));
        }
        countries.sort();
        let rules = rules(version)?;
        Some(Self {
            rules,
            surfaces,
            regions,
            countries,
            kinds,
            modes,
            flags,
            standings,
            purposes: places,
            cells,
            outcomes,
        })
    }

    pub(crate) fn surface(&self, surface: SurfaceId) -> u32 {
        self.surfaces.get(surface.index()).copied().unwrap_or_default()
    }

    pub(crate) fn region(&self, country: Option<&str>) -> u32 {
        let unknown = self.regions.len().saturating_sub(1);
        let other = unknown.saturating_sub(1);
        let value = country.map_or(unknown, |country| {
            let found = self.countries.binary_search_by(|(known, _)| known.as_str().cmp(country));
            found.ok().and_then(|index| self.countries.get(index)).map_or(other, |(_, region)| *region)
        });
        self.regions.get(value).copied().unwrap_or_default()
    }

    pub(crate) const fn kind(&self, kind: Kind) -> u32 {
        match kind {
            Kind::Chat => self.kinds[0],
            Kind::Code => self.kinds[1],
        }
    }

    pub(crate) const fn mode(&self, mode: Mode) -> u32 {
        match mode {
            Mode::Normal => self.modes[0],
            Mode::Incognito => self.modes[1],
        }
    }

    pub(crate) fn flag(&self, flag: Flag, value: Known) -> u32 {
        self.flags
            .get(flag as usize)
            .and_then(|offsets| offsets.get(value as usize))
            .copied()
            .unwrap_or_default()
    }

    /// The offset of a standing toward a purpose of the version, by the purpose's place in the file.
    pub(crate) fn standing(&self, purpose: usize, standing: Standing) -> u32 {
        self.standings
            .get(purpose)
            .and_then(|offsets| offsets.get(standing as usize))
            .copied()
            .unwrap_or_default()
    }

    /// What holds in a cell.
    pub(crate) fn outcome(&self, index: u32) -> &Outcome {
        // INVARIANT: an index is the sum of one offset for each attribute, so it lies in the table.
        #[expect(
            clippy::indexing_slicing,
            reason = "by INVARIANT on `index`, and outcomes are what the cells were filled with"
        )]
        &self.outcomes[self.cells[index as usize] as usize]
    }

    /// How many cells the table has, after merging.
    pub(crate) const fn len(&self) -> usize {
        self.cells.len()
    }
}

fn too_many(version: &Version) -> Diagnostic {
    Diagnostic {
        file: version.file.clone(),
        at: Position { line: 1, column: 1 },
        message: format!(
            "this version tells more than {CELLS_MAX} cases apart: split it into several lineages"
        ),
    }
}

/// The slot of an anchor in the masks.
pub(crate) fn anchor_slot(anchor: &Anchor, version: &Version) -> Option<usize> {
    Some(match anchor {
        Anchor::Created => 0,
        Anchor::LastActivity => 1,
        Anchor::Deleted => 2,
        Anchor::Flagged => 3,
        Anchor::Feedback => 4,
        Anchor::Closed => 5,
        Anchor::Decided(purpose) => 6 + version.purposes.iter().position(|known| known.name == *purpose)?,
    })
}

fn rules(version: &Version) -> Option<Vec<KeepRule>> {
    if version.classes().count() > MASK_MAX || version.purposes.len() + 6 > MASK_MAX {
        return None;
    }
    let compile = |rule: &crate::language::Keep| {
        let class = version.classes().position(|class| class == rule.class)?;
        let anchors =
            rule.from.iter().try_fold(0, |mask, anchor| Some(mask | 1 << anchor_slot(anchor, version)?))?;
        Some(KeepRule { class, anchors, term: rule.term })
    };
    version.keeps.iter().map(compile).collect()
}

/// For every attribute and value, which rules accept it. The order is that of the offsets.
fn attributes(version: &Version, surfaces: &Surfaces) -> Vec<Attribute> {
    let conditions: Vec<(&Condition, bool)> = version
        .keeps
        .iter()
        .map(|rule| (&rule.when, true))
        .chain(version.uses.iter().map(|rule| (&rule.when, false)))
        .collect();
    let attribute = |values: usize, accepts: &dyn Fn(usize, &Condition, bool) -> bool| Attribute {
        accepted: (0..values)
            .map(|value| conditions.iter().map(|(when, is_keep)| accepts(value, when, *is_keep)).collect())
            .collect(),
    };
    let mut all = vec![
        attribute(surfaces.len(), &|value, when, _| surface_accepted(version, surfaces, value, when)),
        attribute(version.regions.len() + 2, &|value, when, is_keep| {
            let Some(asked) = &when.region else { return true };
            let name = version.regions.get(value).map(|region| region.name.as_str());
            match name {
                Some(name) => asked.iter().any(|region| region == name),
                None if value == version.regions.len() => asked.iter().any(|region| region == "other"),
                None => is_keep,
            }
        }),
        attribute(2, &|value, when, _| allows(when.kind.as_ref(), Kind::ALL, value)),
        attribute(2, &|value, when, _| allows(when.mode.as_ref(), Mode::ALL, value)),
    ];
    for flag in Flag::ALL {
        all.push(attribute(3, &|value, when, is_keep| {
            let asked = when.flags.iter().find(|(known, _)| known == flag).map(|(_, values)| values);
            match value {
                2 if matches!(flag, Flag::Flagged | Flag::Minor) => asked.is_none() || is_keep,
                // The other booleans are always known, so their third value repeats the first.
                2 => allows(asked, &[false, true], 0),
                _ => allows(asked, &[false, true], value),
            }
        }));
    }
    for purpose in version.purposes.iter().filter(|purpose| purpose.is_chosen()) {
        all.push(attribute(Standing::ALL.len(), &|value, when, _| {
            let asked =
                when.standing.iter().find(|(name, _)| *name == purpose.name).map(|(_, values)| values);
            allows(asked, Standing::ALL, value)
        }));
    }
    all
}

fn allows<T: PartialEq>(asked: Option<&Vec<T>>, values: &[T], value: usize) -> bool {
    asked.is_none_or(|asked| values.get(value).is_some_and(|value| asked.contains(value)))
}

fn surface_accepted(version: &Version, surfaces: &Surfaces, value: usize, when: &Condition) -> bool {
    let Some(id) = surfaces.ids().get(value) else { return false };
    let regime = surfaces.regime(*id);
    let name = surfaces.name_in(*id, version);
    when.regime.as_ref().is_none_or(|regimes| regimes.contains(&regime))
        && when.surface.as_ref().is_none_or(|names| name.is_some_and(|name| names.iter().any(|n| n == name)))
}

/// A bit for each rule.
type RuleSet = Vec<u64>;

fn rule_set(accepted: &[bool]) -> RuleSet {
    let word = |bits: &[bool]| bits.iter().rev().fold(0, |word, accepted| word << 1 | u64::from(*accepted));
    accepted.chunks(64).map(word).collect()
}

/// Fills every cell, and shares the outcomes that are equal.
fn fill(
    version: &Version,
    classes: &[Vec<&[bool]>],
    size: usize,
) -> Result<(Vec<u16>, Vec<Outcome>), Diagnostic> {
    let rules = version.keeps.len() + version.uses.len();
    let classes: Vec<Vec<RuleSet>> =
        classes.iter().map(|distinct| distinct.iter().map(|accepted| rule_set(accepted)).collect()).collect();
    let everything = rule_set(&vec![true; rules]);
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut by_rules: HashMap<RuleSet, u16> = HashMap::new();
    let mut cells = Vec::with_capacity(size);
    let mut alive = everything.clone();
    for cell in 0..size {
        alive.clone_from(&everything);
        let mut rest = cell;
        for distinct in &classes {
            let count = distinct.len().max(1);
            if let Some(accepted) = distinct.get(rest % count) {
                alive.iter_mut().zip(accepted).for_each(|(alive, accepted)| *alive &= accepted);
            }
            rest /= count;
        }
        let id = match by_rules.get(&alive) {
            Some(id) => *id,
            None => {
                let id = u16::try_from(outcomes.len()).map_err(|_| too_many(version))?;
                let is_alive =
                    |rule: usize| alive.get(rule / 64).is_some_and(|word| word >> (rule % 64) & 1 == 1);
                outcomes.push(outcome(version, &(0..rules).map(is_alive).collect::<Vec<_>>()));
                by_rules.insert(alive.clone(), id);
                id
            }
        };
        cells.push(id);
    }
    Ok((cells, outcomes))
}

fn outcome(version: &Version, alive: &[bool]) -> Outcome {
    let (keeps, uses) = alive.split_at_checked(version.keeps.len()).unwrap_or((alive, &[]));
    let live = keeps.iter().enumerate().filter(|(_, alive)| **alive);
    let mut outcome = Outcome {
        keeps: live.filter_map(|(index, _)| u16::try_from(index).ok()).collect(),
        uses: vec![0; version.purposes.len()],
    };
    for (rule, _) in version.uses.iter().zip(uses).filter(|(_, alive)| **alive) {
        let purpose = version.purposes.iter().position(|purpose| purpose.name == rule.purpose);
        let class = version.classes().position(|class| class == rule.class);
        if let (Some(purpose), Some(class)) = (purpose, class)
            && let Some(mask) = outcome.uses.get_mut(purpose)
        {
            *mask |= 1 << class;
        }
    }
    outcome
}
