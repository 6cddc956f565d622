//! Surfaces added, removed and renamed, and countries that move between regions.

use std::collections::BTreeSet;

use tenure_model::Regime;

use crate::language::Version;
use crate::surfaces::Surfaces;

/// A change of a surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SurfaceChange {
    /// Only the newer version knows it.
    Added(String, Regime),
    /// Only the older version knows it.
    Removed(String, Regime),
    /// It has another name.
    Renamed {
        /// The older name.
        from: String,
        /// The newer name.
        to: String,
        /// Its regime.
        regime: Regime,
    },
}

/// Countries that move from one region to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionChange {
    /// The older region, or `other`.
    pub from: String,
    /// The newer region, or `other`.
    pub to: String,
    /// The countries, sorted.
    pub countries: Vec<String>,
}

pub(super) fn surface_changes(older: &Version, newer: &Version, surfaces: &Surfaces) -> Vec<SurfaceChange> {
    let mut changes = Vec::new();
    for surface in &newer.surfaces {
        let before = surfaces.id(&surface.name).and_then(|id| surfaces.name_in(id, older));
        match before {
            None => changes.push(SurfaceChange::Added(surface.name.clone(), surface.regime)),
            Some(before) if before != surface.name => changes.push(SurfaceChange::Renamed {
                from: before.to_owned(),
                to: surface.name.clone(),
                regime: surface.regime,
            }),
            Some(_) => {}
        }
    }
    for surface in &older.surfaces {
        if surfaces.id(&surface.name).is_none_or(|id| surfaces.name_in(id, newer).is_none()) {
            changes.push(SurfaceChange::Removed(surface.name.clone(), surface.regime));
        }
    }
    changes
}

pub(super) fn region_changes(older: &Version, newer: &Version) -> Vec<RegionChange> {
    let countries: BTreeSet<&String> =
        older.regions.iter().chain(&newer.regions).flat_map(|region| &region.countries).collect();
    let region = |version: &Version, country: &str| {
        version.region_of(country).map_or_else(|| "other".to_owned(), |region| region.name.clone())
    };
    let mut changes: Vec<RegionChange> = Vec::new();
    for country in countries {
        let (from, to) = (region(older, country), region(newer, country));
        if from == to {
            continue;
        }
        match changes.iter_mut().find(|change| change.from == from && change.to == to) {
            Some(change) => change.countries.push(country.clone()),
            None => changes.push(RegionChange { from, to, countries: vec![country.clone()] }),
        }
    }
    changes
}
