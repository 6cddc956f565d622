//! The surfaces of a lineage: `was` links two names both ways, through every version.

use std::collections::BTreeMap;

use tenure_model::Regime;

use crate::language::{Diagnostic, Version};

/// A surface of a lineage, under whatever names it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SurfaceId(pub(crate) u16);

impl SurfaceId {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Every surface that a lineage has known.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surfaces {
    by_name: BTreeMap<String, SurfaceId>,
    ids: Vec<SurfaceId>,
    regimes: Vec<Regime>,
    newest_names: Vec<String>,
}

impl Surfaces {
    /// Links the names of all versions, which must be in order, and reports what is impossible.
    pub(crate) fn link(versions: &[Version], complaints: &mut Vec<Diagnostic>) -> Self {
        let linked = Self::group(versions);
        linked.check(versions, complaints);
        for (index, version) in versions.iter().enumerate().skip(1) {
            let known = |name: &str| {
                versions
                    .iter()
                    .take(index)
                    .flat_map(|version| &version.surfaces)
                    .any(|surface| surface.name == name || surface.was.as_deref() == Some(name))
            };
            for surface in &version.surfaces {
                let Some(was) = &surface.was else { continue };
                if !known(was) && !known(&surface.name) {
                    complaints.push(Diagnostic {
                        file: version.file.clone(),
                        at: surface.at,
                        message: format!("unknown surface `{was}`: no earlier version knows it, so `{}` can't have been it", surface.name),
                    });
                }
            }
        }
        linked
    }

    /// Gives every set of linked names one id.
    fn group(versions: &[Version]) -> Self {
        let mut groups: Vec<(Vec<&str>, Regime)> = Vec::new();
        for surface in versions.iter().flat_map(|version| &version.surfaces) {
            let names = [Some(surface.name.as_str()), surface.was.as_deref()];
            let (mut joined, rest): (Vec<_>, Vec<_>) = groups
                .into_iter()
                .partition(|(group, _)| names.iter().flatten().any(|name| group.contains(name)));
            groups = rest;
            let regime = joined.first().map_or(surface.regime, |(_, regime)| *regime);
            let mut group: Vec<&str> = joined.drain(..).flat_map(|(names, _)| names).collect();
            for name in names.into_iter().flatten() {
                if !group.contains(&name) {
                    group.push(name);
                }
            }
            groups.push((group, regime));
        }
        let mut linked = Self::default();
        for (index, (names, regime)) in groups.into_iter().enumerate() {
            let Ok(id) = u16::try_from(index).map(SurfaceId) else { break };
            let newest = versions.iter().rev().flat_map(|version| &version.surfaces);
            let newest = newest.map(|surface| surface.name.as_str()).find(|name| names.contains(name));
            linked.newest_names.push(newest.unwrap_or_default().to_owned());
            linked.regimes.push(regime);
            linked.ids.push(id);
            linked.by_name.extend(names.into_iter().map(|name| (name.to_owned(), id)));
        }
        linked
    }

    /// Whether a version says that two surfaces, which were apart up to it, are one.
    pub(crate) fn joined_by(versions: &[Version], index: usize) -> bool {
        let (before, _) = versions.split_at_checked(index).unwrap_or((versions, &[]));
        let (with, _) = versions.split_at_checked(index + 1).unwrap_or((versions, &[]));
        let (before, with) = (Self::group(before), Self::group(with));
        let mut places: BTreeMap<SurfaceId, SurfaceId> = BTreeMap::new();
        before.by_name.iter().any(|(name, apart)| {
            with.id(name).and_then(|id| places.insert(id, *apart)).is_some_and(|other| other != *apart)
        })
    }

    fn check(&self, versions: &[Version], complaints: &mut Vec<Diagnostic>) {
        let mut first_seen: BTreeMap<SurfaceId, (Regime, &str)> = BTreeMap::new();
        for version in versions {
            let mut in_version: BTreeMap<SurfaceId, &str> = BTreeMap::new();
            for surface in &version.surfaces {
                let mut complain = |message: String| {
                    complaints.push(Diagnostic { file: version.file.clone(), at: surface.at, message });
                };
                let Some(id) = self.id(&surface.name) else { continue };
                if let Some(other) = in_version.insert(id, &surface.name) {
                    complain(format!(
                        "`{}` and `{other}` are the same surface by `was`: one version can't have both",
                        surface.name
                    ));
                }
                let (regime, name) = *first_seen.entry(id).or_insert((surface.regime, &version.name));
                if regime != surface.regime {
                    complain(format!(
                        "surface `{}` is {} here and was {regime} in version {name}: a regime never changes in a lineage, \
                         so give the new offer a new name",
                        surface.name, surface.regime
                    ));
                }
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(crate) fn ids(&self) -> &[SurfaceId] {
        &self.ids
    }

    /// The surface of that name, whichever version gave it.
    pub(crate) fn id(&self, name: &str) -> Option<SurfaceId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn regime(&self, id: SurfaceId) -> Regime {
        self.regimes.get(id.index()).copied().unwrap_or(Regime::Zero)
    }

    pub(crate) fn newest_name(&self, id: SurfaceId) -> &str {
        self.newest_names.get(id.index()).map_or("", String::as_str)
    }

    /// The name that a version has for the surface, if it knows it.
    pub(crate) fn name_in<'v>(&self, id: SurfaceId, version: &'v Version) -> Option<&'v str> {
        version.surfaces.iter().map(|surface| surface.name.as_str()).find(|name| self.id(name) == Some(id))
    }
}
