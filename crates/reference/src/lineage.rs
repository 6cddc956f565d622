//! A lineage: its versions in order, and which names mean the same surface.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use tenure_model::{Instant, Regime};
use tenure_policy::language::{Surface, Version};

use crate::widening::{self, Widening};

/// The versions of one policy, in order.
#[derive(Debug)]
pub struct Lineage {
    versions: Vec<Version>,
    /// The surface that each name means; names linked by `was` have the same number.
    surfaces: BTreeMap<String, usize>,
    /// When each version was published, and when it was withdrawn, if it was.
    lives: Vec<(Instant, Option<Instant>)>,
    /// What is known of each pair of versions in each regime, worked out when first asked.
    widenings: Vec<OnceLock<Widening>>,
}

impl Lineage {
    /// Puts versions in order: "by `announced`, then by name".
    pub fn new(versions: Vec<Version>) -> Result<Self, String> {
        Self::lived(versions.into_iter().map(|version| (version, (Instant::MIN, None))).collect())
    }

    /// Puts versions in order, each with when it was published and withdrawn.
    pub fn lived(mut versions: Vec<(Version, (Instant, Option<Instant>))>) -> Result<Self, String> {
        if versions.is_empty() {
            return Err("a lineage needs at least one version".to_owned());
        }
        versions.sort_by(|(a, _), (b, _)| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
        let (versions, lives): (Vec<Version>, Vec<_>) = versions.into_iter().unzip();
        let surfaces = linked_names(&versions);
        let pairs = versions.len() * versions.len() * Regime::ALL.len();
        Ok(Self { versions, surfaces, lives, widenings: vec![OnceLock::new(); pairs] })
    }

    /// The versions, oldest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    pub(crate) fn lives(&self) -> &[(Instant, Option<Instant>)] {
        &self.lives
    }

    /// Which versions live at an instant, as seen from a surface, and whether none of those knows it.
    ///
    /// A surface that only versions know that do not live is seen as when one last did, or, before the first was
    /// published, as from then on; one that never had any, as if all lived.
    pub(crate) fn lives_seen(&self, surface: usize, at: Instant) -> (impl Fn(usize) -> bool, bool) {
        let lives = |version: usize, at: Instant| {
            self.lives.get(version).is_some_and(|(published, withdrawn)| {
                *published <= at && withdrawn.is_none_or(|withdrawn| at < withdrawn)
            })
        };
        let knows = |at: &Instant| self.considered(surface).into_iter().any(|version| lives(version, *at));
        let known = knows(&at);
        // Lives begin and end only at these instants, so each stretch between two looks as it does at its start.
        let mut starts: Vec<Instant> = vec![Instant::MIN];
        for (published, withdrawn) in &self.lives {
            starts.extend([Some(*published), *withdrawn].into_iter().flatten());
        }
        let last = starts.iter().copied().filter(|start| *start <= at && knows(start)).max();
        let next = starts.iter().copied().filter(|start| *start > at && knows(start)).min();
        let seen = if known { Some(at) } else { last.or(next) };
        (move |version| seen.is_none_or(|seen| lives(version, seen)), !known)
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
