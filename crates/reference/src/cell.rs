//! What a rule can ask about, and whether it matches.

use tenure_model::{Kind, Mode, Regime};
use tenure_policy::language::{Condition, Flag, Standing, Version};

use crate::lineage::Lineage;

/// Where a record was sent from, or its account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// Nobody told.
    Unknown,
    /// A country, by its code.
    Country(&'a str),
    /// Any country of a region of the version that is asked, or of its `other`.
    Region(&'a str),
}

/// One combination of the values that rules ask about; `None` is unknown.
#[derive(Debug, Clone)]
pub(crate) struct Cell<'a> {
    /// The surface, as the number of all the names that it has had.
    pub(crate) surface: usize,
    pub(crate) regime: Regime,
    pub(crate) kind: Kind,
    pub(crate) mode: Mode,
    pub(crate) place: Place<'a>,
    pub(crate) standings: Vec<(&'a str, Standing)>,
    /// In the order of [`Flag::ALL`].
    pub(crate) flags: [Option<bool>; 5],
}

impl Cell<'_> {
    fn flag(&self, flag: Flag) -> Option<bool> {
        self.flags.get(flag as usize).copied().flatten()
    }

    /// The standing toward a purpose.
    pub(crate) fn standing(&self, purpose: &str) -> Option<Standing> {
        self.standings.iter().find(|(name, _)| *name == purpose).map(|(_, standing)| *standing)
    }
}

/// "Unknown matches whatever a keep rule or a hold asks and nothing that a use rule asks."
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unknown {
    Matches,
    DoesNotMatch,
}

impl Unknown {
    fn or<T>(self, value: Option<T>, asked: impl FnOnce(T) -> bool) -> bool {
        match value {
            Some(value) => asked(value),
            None => self == Self::Matches,
        }
    }
}

/// Whether the cell has what a condition of `version` asks: "a value, or a list meaning any of them;
/// an attribute left out means any".
pub(crate) fn matches(
    lineage: &Lineage,
    version: &Version,
    when: &Condition,
    cell: &Cell<'_>,
    unknown: Unknown,
) -> bool {
    let regime = when.regime.as_ref().is_none_or(|asked| asked.contains(&cell.regime));
    let surface = when
        .surface
        .as_ref()
        .is_none_or(|asked| asked.iter().any(|name| lineage.surface(name) == Some(cell.surface)));
    let kind = when.kind.as_ref().is_none_or(|asked| asked.contains(&cell.kind));
    let mode = when.mode.as_ref().is_none_or(|asked| asked.contains(&cell.mode));
    let region = when.region.as_ref().is_none_or(|asked| {
        unknown.or(region(version, cell.place), |region| asked.iter().any(|name| name == region))
    });
    let standing = when
        .standing
        .iter()
        .all(|(purpose, asked)| cell.standing(purpose).is_some_and(|standing| asked.contains(&standing)));
    let flags =
        when.flags.iter().all(|(flag, asked)| unknown.or(cell.flag(*flag), |value| asked.contains(&value)));
    regime && surface && kind && mode && region && standing && flags
}

/// "A group, or `other`", as the version groups countries.
fn region<'a>(version: &'a Version, place: Place<'a>) -> Option<&'a str> {
    match place {
        Place::Unknown => None,
        Place::Region(name) => Some(name),
        Place::Country(country) => {
            Some(version.region_of(country).map_or("other", |region| region.name.as_str()))
        }
    }
}

/// Every known cell over which some conditions are compared.
///
/// An attribute that none of the conditions names is given one value only. That is sound, because
/// none of them can tell its values apart: what holds in a cell of one value holds in all.
pub(crate) struct Space<'a> {
    /// Each surface with its regime.
    pub(crate) surfaces: Vec<(usize, Regime)>,
    places: Vec<Place<'a>>,
    kinds: Vec<Kind>,
    modes: Vec<Mode>,
    standings: Vec<Vec<(&'a str, Standing)>>,
    flags: Vec<[Option<bool>; 5]>,
}

impl<'a> Space<'a> {
    /// The space over these surfaces, places and the standings that are possible toward each purpose.
    pub(crate) fn new(
        surfaces: Vec<(usize, Regime)>,
        places: Vec<Place<'a>>,
        standings: &[(&'a str, Vec<Standing>)],
        conditions: &[&Condition],
    ) -> Self {
        let named = |names: &dyn Fn(&Condition) -> bool| conditions.iter().any(|when| names(when));
        let places = if named(&|when| when.region.is_some()) { places } else { vec![Place::Unknown] };
        let kinds = if named(&|when| when.kind.is_some()) { Kind::ALL.to_vec() } else { vec![Kind::Chat] };
        let modes = if named(&|when| when.mode.is_some()) { Mode::ALL.to_vec() } else { vec![Mode::Normal] };
        let mut combinations = vec![Vec::new()];
        for (purpose, possible) in standings {
            if named(&|when| when.standing.iter().any(|(name, _)| name == purpose)) {
                combinations = extended(&combinations, possible, |standing| (*purpose, standing));
            }
        }
        let mut flags = vec![[Some(false); 5]];
        for flag in Flag::ALL {
            if named(&|when| when.flags.iter().any(|(name, _)| name == flag)) {
                let mut set = flags.clone();
                for values in &mut set {
                    if let Some(value) = values.get_mut(*flag as usize) {
                        *value = Some(true);
                    }
                }
                flags.extend(set);
            }
        }
        Self { surfaces, places, kinds, modes, standings: combinations, flags }
    }

    /// Whether there is a cell for which `found` holds.
    pub(crate) fn any(&self, mut found: impl FnMut(&Cell<'a>) -> bool) -> bool {
        for (surface, regime) in &self.surfaces {
            for place in &self.places {
                for kind in &self.kinds {
                    for mode in &self.modes {
                        for standings in &self.standings {
                            let mut cell = Cell {
                                surface: *surface,
                                regime: *regime,
                                kind: *kind,
                                mode: *mode,
                                place: *place,
                                standings: standings.clone(),
                                flags: [None; 5],
                            };
                            for flags in &self.flags {
                                cell.flags = *flags;
                                if found(&cell) {
                                    return true;
                                }
                            }
                        }
                    }
                }
            }
        }
        false
    }
}

/// Each combination with each further value.
fn extended<'a>(
    combinations: &[Vec<(&'a str, Standing)>],
    values: &[Standing],
    entry: impl Fn(Standing) -> (&'a str, Standing),
) -> Vec<Vec<(&'a str, Standing)>> {
    let mut longer = Vec::new();
    for combination in combinations {
        for value in values {
            let mut combination = combination.clone();
            combination.push(entry(*value));
            longer.push(combination);
        }
    }
    longer
}
