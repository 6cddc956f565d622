//! A lineage: its versions in order, and which names mean the same surface.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use tenure_model::Regime;
use tenure_policy::language::{Surface, Version};

use crate::widening::{self, Widening};

/// The versions of one policy, in order.
#[derive(Debug)]
pub struct Lineage {
    versions: Vec<Version>,
    /// The surface that each name means; names linked by `was` have the same number.
    surfaces: BTreeMap<String, usize>,
    /// What is known of each pair of versions in each regime, worked out when first asked.
    widenings: Vec<OnceLock<Widening>>,
}

impl Lineage {
    /// Puts versions in order: "by `announced`, then by name".
    pub fn new(mut versions: Vec<Version>) -> Result<Self, String> {
        if versions.is_empty() {
            return Err("a lineage needs at least one version".to_owned());
        }
        versions.sort_by(|a, b| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
        let surfaces = linked_names(&versions);
        let pairs = versions.len() * versions.len() * Regime::ALL.len();
        Ok(Self { versions, surfaces, widenings: vec![OnceLock::new(); pairs] })
    }

    /// The versions, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The place of a version in the order, by its name.
    pub fn position(&self, version: &str) -> Option<usize> {
        self.versions.iter().position(|known| known.name == version)
    }

    /// The surface that a name means, if any version knows it under any of its names.
    ///
    /// "`was` links two names both ways, through the whole lineage."
    pub(crate) fn surface(&self, name: &str) -> Option<usize> {
        self.surfaces.get(name).copied()
    }

    /// What a version calls a surface.
    pub(crate) fn surface_in(&self, version: usize, surface: usize) -> Option<&Surface> {
        let version = self.versions.get(version)?;
        version.surfaces.iter().find(|known| self.surface(&known.name) == Some(surface))
    }

    /// "For a record only those that know its surface are considered."
    pub(crate) fn considered(&self, surface: usize) -> Vec<usize> {
        (0..self.versions.len()).filter(|version| self.surface_in(*version, surface).is_some()).collect()
    }

    /// The regime of a surface, which never changes in a lineage.
    pub(crate) fn regime(&self, surface: usize) -> Option<Regime> {
        (0..self.versions.len())
            .find_map(|version| self.surface_in(version, surface))
            .map(|known| known.regime)
    }

    /// Whether a version widens against an older one in a regime; versions by their place in the order.
    pub fn widens(&self, older: usize, newer: usize, regime: Regime) -> bool {
        self.widening(older, newer, regime).widens()
    }

    /// In what way a version widens against an older one in a regime, if it does.
    pub fn widening(&self, older: usize, newer: usize, regime: Regime) -> Widening {
        let (Some(old), Some(new)) = (self.versions.get(older), self.versions.get(newer)) else {
            return Widening::default();
        };
        let slot = (older * self.versions.len() + newer) * Regime::ALL.len() + regime as usize;
        match self.widenings.get(slot) {
            Some(known) => *known.get_or_init(|| widening::compare(self, old, new, regime)),
            None => widening::compare(self, old, new, regime),
        }
    }
}

/// Gives one number to all names that are linked by `was`, directly or through others.
fn linked_names(versions: &[Version]) -> BTreeMap<String, usize> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    for surface in versions.iter().flat_map(|version| &version.surfaces) {
        for name in [Some(&surface.name), surface.was.as_ref()].into_iter().flatten() {
            let next = numbers.len();
            numbers.entry(name.clone()).or_insert(next);
        }
    }
    for surface in versions.iter().flat_map(|version| &version.surfaces) {
        let Some(was) = &surface.was else { continue };
        let (Some(here), Some(there)) = (numbers.get(&surface.name).copied(), numbers.get(was).copied())
        else {
            continue;
        };
        for number in numbers.values_mut() {
            if *number == there {
                *number = here;
            }
        }
    }
    numbers
}
