//! When the versions of a lineage live: from their publication until, if they were a mistake, their withdrawal.
//!
//! Between two publications or withdrawals the same versions live; such a stretch is an *epoch*. What is judged
//! at an instant sees only the versions of its epoch.

use std::collections::BTreeSet;

use tenure_model::Instant;

use crate::language::Version;
use crate::lineage::{VersionIx, version_ix};
use crate::surfaces::{SurfaceId, Surfaces};

/// When a version counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Life {
    /// From when on.
    pub published: Instant,
    /// Until when, if it was withdrawn; from then on it counts as never published.
    pub withdrawn: Option<Instant>,
}

impl Default for Life {
    fn default() -> Self {
        Self { published: Instant::MIN, withdrawn: None }
    }
}

impl Life {
    /// Whether the version counts for what is judged at an instant.
    pub fn covers(self, at: Instant) -> bool {
        self.published <= at && self.withdrawn.is_none_or(|withdrawn| at < withdrawn)
    }
}

/// A stretch of time during which the same versions live.
#[derive(Debug)]
pub(crate) struct Epoch {
    from: Instant,
    /// For each version, whether it lives; empty where all do.
    living: Vec<bool>,
    /// For each surface, the living versions that know it, in order.
    knowing: Vec<Vec<VersionIx>>,
    /// For each surface that none of them knows, the place of the epoch as in which it is seen; empty where
    /// there is no such surface.
    instead: Vec<Option<usize>>,
}

impl Epoch {
    fn new(from: Instant, mut living: Vec<bool>, versions: &[Version], surfaces: &Surfaces) -> Self {
        let knows = |id: SurfaceId| {
            let lives = versions.iter().zip(&living).enumerate().filter(|(_, (_, lives))| **lives);
            lives
                .filter(|(_, (version, _))| surfaces.name_in(id, version).is_some())
                .map(|(index, _)| version_ix(index))
                .collect()
        };
        let knowing = surfaces.ids().iter().map(|id| knows(*id)).collect();
        if living.iter().all(|lives| *lives) {
            living.clear();
        }
        Self { from, living, knowing, instead: Vec::new() }
    }

    /// From when on it lasts.
    pub(crate) const fn from(&self) -> Instant {
        self.from
    }

    /// Whether a version lives in this epoch.
    pub(crate) fn has(&self, version: VersionIx) -> bool {
        self.living.is_empty() || self.living.get(version.index()).copied().unwrap_or(false)
    }

    /// The living versions that know a surface, in order.
    pub(crate) fn knowing(&self, surface: SurfaceId) -> &[VersionIx] {
        self.knowing.get(surface.index()).map_or(&[], Vec::as_slice)
    }
}

/// How a surface is seen at an instant.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    /// The epoch whose versions are considered.
    pub(crate) epoch: &'a Epoch,
    /// Whether none of the versions that live at the instant knows the surface. Its copies are then judged as
    /// in the last epoch in which one did, or, before the first, as in that one; and nothing may be used.
    pub(crate) is_orphan: bool,
}

/// The epochs of a lineage.
#[derive(Debug)]
pub(crate) struct Epochs {
    first: Epoch,
    /// In order of time; then, if some surface is never known by a living version, one in which all live.
    later: Vec<Epoch>,
    /// How many of `later` are in order of time.
    timed: usize,
}

impl Epochs {
    pub(crate) fn new(versions: &[Version], lives: &[Life], surfaces: &Surfaces) -> Self {
        let epoch = |from: Instant| {
            let living = lives.iter().map(|life| life.covers(from)).collect();
            Epoch::new(from, living, versions, surfaces)
        };
        let starts = changes(lives).into_iter().filter(|start| *start > Instant::MIN);
        let mut epochs = Self { first: epoch(Instant::MIN), later: starts.map(epoch).collect(), timed: 0 };
        epochs.timed = epochs.later.len();
        let everyone = || Epoch::new(Instant::MIN, vec![true; versions.len()], versions, surfaces);
        epochs.stand_in(surfaces, everyone);
        epochs
    }

    /// Says of each surface, in each epoch that does not know it, which epoch is looked at instead.
    fn stand_in(&mut self, surfaces: &Surfaces, everyone: impl FnOnce() -> Epoch) {
        let known: Vec<Vec<bool>> = std::iter::once(&self.first)
            .chain(&self.later)
            .map(|epoch| surfaces.ids().iter().map(|id| !epoch.knowing(*id).is_empty()).collect())
            .collect();
        let never = known.len();
        let knows = |epoch: usize, surface: usize| {
            known.get(epoch).and_then(|known| known.get(surface)).copied().unwrap_or(false)
        };
        let instead = |epoch: usize, surface: usize| {
            if knows(epoch, surface) {
                return None;
            }
            let before = (0..epoch).rev().find(|other| knows(*other, surface));
            let nearest = before.or_else(|| (epoch..never).find(|other| knows(*other, surface)));
            Some(nearest.unwrap_or(never))
        };
        let mut is_lost = false;
        for (place, epoch) in std::iter::once(&mut self.first).chain(&mut self.later).enumerate() {
            let of_surfaces: Vec<_> = (0..surfaces.len()).map(|surface| instead(place, surface)).collect();
            is_lost |= of_surfaces.contains(&Some(never));
            if of_surfaces.iter().any(Option::is_some) {
                epoch.instead = of_surfaces;
            }
        }
        if is_lost {
            self.later.push(everyone());
        }
    }

    /// The epoch of an instant.
    pub(crate) fn at(&self, at: Instant) -> &Epoch {
        if self.later.is_empty() {
            return &self.first;
        }
        let timed = self.later.get(..self.timed).unwrap_or_default();
        let begun = timed.partition_point(|epoch| epoch.from <= at);
        self.of_place(begun)
    }

    fn of_place(&self, place: usize) -> &Epoch {
        place.checked_sub(1).and_then(|place| self.later.get(place)).unwrap_or(&self.first)
    }

    /// How a surface is seen at an instant.
    pub(crate) fn seen(&self, surface: SurfaceId, at: Instant) -> Seen<'_> {
        let epoch = self.at(at);
        match epoch.instead.get(surface.index()).copied().flatten() {
            None => Seen { epoch, is_orphan: false },
            Some(place) => Seen { epoch: self.of_place(place), is_orphan: true },
        }
    }
}

/// Every instant at which a version is published or withdrawn, and the first of all instants.
pub(crate) fn changes(lives: &[Life]) -> BTreeSet<Instant> {
    let each = lives.iter().flat_map(|life| [Some(life.published), life.withdrawn]);
    each.flatten().chain([Instant::MIN]).collect()
}

/// The pairs of versions that are neighbours in some epoch: older and newer, by their place in the order.
pub(crate) fn neighbours(lives: &[Life]) -> BTreeSet<(usize, usize)> {
    let mut pairs = BTreeSet::new();
    for start in changes(lives) {
        let living = lives.iter().enumerate().filter(|(_, life)| life.covers(start)).map(|(index, _)| index);
        let living: Vec<usize> = living.collect();
        pairs.extend(living.iter().copied().zip(living.iter().copied().skip(1)));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i32) -> Instant {
        tenure_model::Day(day).start()
    }

    #[test]
    fn a_life_is_half_open() {
        let life = Life { published: day(1), withdrawn: Some(day(2)) };
        let covers = [day(0), day(1), day(2)].map(|at| life.covers(at));
        assert_eq!(covers, [false, true, false]);
        assert!(Life::default().covers(Instant::MIN) && Life::default().covers(Instant::MAX));
    }

    #[test]
    fn a_version_is_no_neighbour_of_one_that_was_withdrawn_before_it_came() {
        let life = |published, withdrawn: Option<i32>| Life {
            published: day(published),
            withdrawn: withdrawn.map(day),
        };
        let lives = [life(0, None), life(1, Some(2)), life(3, None)];
        assert_eq!(neighbours(&lives), BTreeSet::from([(0, 1), (0, 2)]));
        let all = [Life::default(); 3];
        assert_eq!(neighbours(&all), BTreeSet::from([(0, 1), (1, 2)]));
    }
}
