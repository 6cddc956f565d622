//! Sets of cells, and the algebra that proves things about every one of them.
//!
//! A *cell* is one value for each attribute. A condition matches a product of value sets, one for
//! each attribute, so a set of cells is kept as one bit mask an attribute. Cutting one product out of
//! another leaves finitely many products, so "no cell is left" is a proof over every cell, and what
//! is left is a counter-example.

mod cover;
mod situation;

use crate::language::{Condition, Flag, Standing, Version};
use crate::surfaces::{SurfaceId, Surfaces};
use tenure_model::{Kind, Mode, Regime};

pub(crate) use cover::cover;
pub use situation::{Aspect, Situation};
pub(crate) use situation::{joined, rarity};

/// The attributes that every space has, before one standing for each purpose.
const SURFACE: usize = 0;
const COUNTRY: usize = 1;
const KIND: usize = 2;
const MODE: usize = 3;
const FLAGS: usize = 4;
const STANDINGS: usize = FLAGS + Flag::ALL.len();

/// More values than this of one attribute can't be told apart by one bit mask.
pub(crate) const VALUES_MAX: usize = 128;

/// A product of value sets: the cells that have, for each attribute, one of the values in its mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cells {
    masks: Vec<u128>,
}

impl Cells {
    pub(crate) fn is_empty(&self) -> bool {
        self.masks.contains(&0)
    }

    /// The cells that are in both.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self { masks: self.masks.iter().zip(&other.masks).map(|(a, b)| a & b).collect() }
    }

    /// The product of the values that either has; that is their union where they differ in one attribute.
    #[must_use]
    pub(crate) fn joined(&self, other: &Self) -> Self {
        Self { masks: self.masks.iter().zip(&other.masks).map(|(a, b)| a | b).collect() }
    }

    /// The cells of this product that are not in the other, as disjoint products.
    fn without(&self, other: &Self) -> Vec<Self> {
        if self.and(other).is_empty() {
            return vec![self.clone()];
        }
        let mut inside = self.clone();
        let mut pieces = Vec::new();
        for (attribute, cut) in other.masks.iter().enumerate() {
            let Some(mask) = inside.masks.get_mut(attribute) else { continue };
            let (kept, left) = (*mask & cut, *mask & !cut);
            if left != 0 {
                *mask = left;
                let piece = inside.clone();
                pieces.push(piece);
            }
            if let Some(mask) = inside.masks.get_mut(attribute) {
                *mask = kept;
            }
        }
        pieces
    }

    /// Some cells of this product that are in none of the others, if there are any.
    pub(crate) fn uncovered(&self, covers: &[Self]) -> Option<Self> {
        if self.is_empty() {
            return None;
        }
        let Some((first, rest)) = covers.split_first() else { return Some(self.clone()) };
        self.without(first).iter().find_map(|piece| piece.uncovered(rest))
    }
}

/// Countries that no version in sight tells apart.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CountryGroup {
    /// A country of the group; `None` stands for one that nobody names.
    example: Option<String>,
    /// The region of the group in each version in sight; `None` is `other`.
    regions: Vec<Option<String>>,
}

/// The space of cells that one version, or two versions together, speak about.
#[derive(Debug)]
pub(crate) struct Space<'v> {
    versions: Vec<&'v Version>,
    surfaces: &'v Surfaces,
    countries: Vec<CountryGroup>,
    /// The purposes that a standing is held toward, by name, over all versions in sight.
    purposes: Vec<&'v str>,
}

impl<'v> Space<'v> {
    /// The space of the given versions; `None` if an attribute has more values than can be told apart.
    pub(crate) fn new(versions: &[&'v Version], surfaces: &'v Surfaces) -> Option<Self> {
        let mut parts = Self::parts(versions, surfaces)?;
        if parts.len() == 1 { parts.pop() } else { None }
    }

    /// The space of the given versions, cut by countries into parts that can each be told apart: what
    /// holds in every part holds everywhere. `None` if there are more surfaces than can be told apart.
    pub(crate) fn parts(versions: &[&'v Version], surfaces: &'v Surfaces) -> Option<Vec<Self>> {
        let mut purposes: Vec<&str> = Vec::new();
        let mut countries = vec![CountryGroup { example: None, regions: vec![None; versions.len()] }];
        for version in versions {
            for purpose in version.purposes.iter().filter(|purpose| purpose.is_chosen()) {
                if !purposes.contains(&purpose.name.as_str()) {
                    purposes.push(&purpose.name);
                }
            }
            for country in version.regions.iter().flat_map(|region| &region.countries) {
                let regions: Vec<_> = versions
                    .iter()
                    .map(|version| version.region_of(country).map(|region| region.name.clone()))
                    .collect();
                if !countries.iter().any(|group| group.regions == regions) {
                    countries.push(CountryGroup { example: Some(country.clone()), regions });
                }
            }
        }
        let part = |countries: &[CountryGroup]| Self {
            versions: versions.to_vec(),
            surfaces,
            countries: countries.to_vec(),
            purposes: purposes.clone(),
        };
        (surfaces.len() <= VALUES_MAX).then(|| countries.chunks(VALUES_MAX).map(part).collect())
    }

    /// Every cell on the surfaces that `on` accepts.
    pub(crate) fn all(&self, on: impl Fn(SurfaceId) -> bool) -> Cells {
        let mut masks = vec![
            bits(self.surfaces.ids(), |surface| on(*surface)),
            bits(&self.countries, |_| true),
            bits(Kind::ALL, |_| true),
            bits(Mode::ALL, |_| true),
        ];
        masks.extend(Flag::ALL.iter().map(|_| 0b11));
        masks.extend(self.purposes.iter().map(|_| bits(Standing::ALL, |_| true)));
        Cells { masks }
    }

    /// The cells that a condition of one of the versions matches, within `within`.
    pub(crate) fn matching(&self, version: usize, when: &Condition, within: &Cells) -> Cells {
        let mut cells = within.clone();
        let Some(of) = self.versions.get(version) else { return cells };
        let surface_asked = |surface: &SurfaceId| {
            let name = self.surfaces.name_in(*surface, of);
            let regime = self.surfaces.regime(*surface);
            when.regime.as_ref().is_none_or(|regimes| regimes.contains(&regime))
                && when
                    .surface
                    .as_ref()
                    .is_none_or(|names| name.is_some_and(|name| names.iter().any(|n| n == name)))
        };
        let region_asked = |group: &CountryGroup| {
            let region = group.regions.get(version).and_then(Option::as_deref).unwrap_or("other");
            when.region.as_ref().is_none_or(|regions| regions.iter().any(|asked| asked == region))
        };
        let mut ask = |attribute: usize, mask: u128| {
            if let Some(current) = cells.masks.get_mut(attribute) {
                *current &= mask;
            }
        };
        ask(SURFACE, bits(self.surfaces.ids(), surface_asked));
        ask(COUNTRY, bits(&self.countries, region_asked));
        ask(KIND, bits(Kind::ALL, |kind| when.kind.as_ref().is_none_or(|kinds| kinds.contains(kind))));
        ask(MODE, bits(Mode::ALL, |mode| when.mode.as_ref().is_none_or(|modes| modes.contains(mode))));
        for (flag, values) in &when.flags {
            let index = Flag::ALL.iter().position(|known| known == flag).unwrap_or_default();
            ask(FLAGS + index, bits(&[false, true], |value| values.contains(value)));
        }
        for (purpose, standings) in &when.standing {
            if let Some(index) = self.purposes.iter().position(|known| known == purpose) {
                ask(STANDINGS + index, bits(Standing::ALL, |standing| standings.contains(standing)));
            }
        }
        cells
    }

    /// The cells of `cells` in which the standing toward a purpose is one of those given.
    pub(crate) fn with_standing(&self, cells: &Cells, purpose: &str, standings: &[Standing]) -> Cells {
        let mut cells = cells.clone();
        if let Some(index) = self.purposes.iter().position(|known| *known == purpose)
            && let Some(mask) = cells.masks.get_mut(STANDINGS + index)
        {
            *mask &= bits(Standing::ALL, |standing| standings.contains(standing));
        }
        cells
    }

    /// One cell of a product that is not empty, in words; attributes that any value would do for are
    /// left out.
    pub(crate) fn describe(&self, cells: &Cells) -> String {
        let mut parts = Vec::new();
        let mask = |attribute: usize| cells.masks.get(attribute).copied().unwrap_or_default();
        if let Some(surface) = first(self.surfaces.ids(), mask(SURFACE)) {
            parts.push(format!(
                "surface {} ({})",
                self.surfaces.newest_name(*surface),
                self.surfaces.regime(*surface)
            ));
        }
        if mask(COUNTRY) != bits(&self.countries, |_| true)
            && let Some(group) = first(&self.countries, mask(COUNTRY))
        {
            let regions: Vec<_> =
                group.regions.iter().map(|region| region.as_deref().unwrap_or("other")).collect();
            let country = group.example.as_deref().unwrap_or("that no region names");
            parts.push(format!("country {country} (region {})", regions.join(", now ")));
        }
        let mut chosen = |attribute: usize, words: &[&str], template: &dyn Fn(&str) -> String| {
            let full = bits(words, |_| true);
            if mask(attribute) != full
                && let Some(word) = first(words, mask(attribute))
            {
                parts.push(template(word));
            }
        };
        chosen(KIND, Kind::WORDS, &|word| format!("kind {word}"));
        chosen(MODE, Mode::WORDS, &|word| format!("mode {word}"));
        for (index, flag) in Flag::ALL.iter().enumerate() {
            let not = format!("not {flag}");
            chosen(FLAGS + index, &[&not, flag.word()], &str::to_owned);
        }
        for (index, purpose) in self.purposes.iter().enumerate() {
            chosen(STANDINGS + index, Standing::WORDS, &|word| format!("standing toward {purpose} {word}"));
        }
        parts.join(", ")
    }

    /// The regime of a surface.
    pub(crate) fn regime(&self, surface: SurfaceId) -> Regime {
        self.surfaces.regime(surface)
    }
}

/// A mask with a bit for each value that is accepted.
fn bits<T>(values: &[T], accept: impl Fn(&T) -> bool) -> u128 {
    values.iter().enumerate().filter(|(_, value)| accept(value)).fold(0, |mask, (bit, _)| mask | 1 << bit)
}

/// The first value whose bit is set.
fn first<T>(values: &[T], mask: u128) -> Option<&T> {
    values.iter().enumerate().find(|(bit, _)| mask >> bit & 1 == 1).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn product(masks: &[u128]) -> Cells {
        Cells { masks: masks.to_vec() }
    }

    /// Every single cell of a product over three attributes of four values.
    fn members(cells: &Cells) -> Vec<[usize; 3]> {
        let has = |attribute: usize, value: usize| cells.masks[attribute] >> value & 1 == 1;
        (0..64)
            .map(|n| [n / 16, n / 4 % 4, n % 4])
            .filter(|[a, b, c]| has(0, *a) && has(1, *b) && has(2, *c))
            .collect()
    }

    fn any_product() -> impl Strategy<Value = Cells> {
        proptest::collection::vec(0_u128..16, 3).prop_map(|masks| product(&masks))
    }

    proptest! {
        /// The proof by cutting agrees with looking at each cell in turn.
        #[test]
        fn uncovered_finds_a_cell_exactly_if_there_is_one(
            region in any_product(),
            covers in proptest::collection::vec(any_product(), 0..5),
        ) {
            let covered = |cell: &[usize; 3]| covers.iter().any(|cover| members(cover).contains(cell));
            let left: Vec<_> = members(&region).into_iter().filter(|cell| !covered(cell)).collect();
            match region.uncovered(&covers) {
                None => prop_assert!(left.is_empty()),
                Some(found) => {
                    let found = members(&found);
                    prop_assert!(!found.is_empty());
                    prop_assert!(found.iter().all(|cell| left.contains(cell)));
                }
            }
        }
    }
}
