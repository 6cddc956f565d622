//! Who must be asked before the newer version binds them.

use tenure_model::Regime;

use crate::check;
use crate::language::{Ground, Position, Version};
use crate::surfaces::Surfaces;
use crate::widening::widenings;

/// Whether the people of a regime must be asked before the newer version binds them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The regime.
    pub regime: Regime,
    /// The surfaces that both versions know, by the newer names.
    pub surfaces: Vec<String>,
    /// What the newer version widens, each with its place in the newer file; if nothing, nobody is asked.
    pub widenings: Vec<(Position, String)>,
    /// Whether the newer version has a purpose of ground consent there.
    pub has_question: bool,
}

pub(super) fn asked(older: &Version, newer: &Version, surfaces: &Surfaces) -> Vec<Asked> {
    let known = |version: &Version, name: &str| {
        surfaces.id(name).is_some_and(|id| surfaces.name_in(id, version).is_some())
    };
    let of_regime = |regime: Regime| {
        let shared: Vec<String> = newer
            .surfaces
            .iter()
            .filter(|surface| surface.regime == regime && known(older, &surface.name))
            .map(|surface| surface.name.clone())
            .collect();
        let found = widenings(older, newer, surfaces, regime);
        (!shared.is_empty() || !found.is_empty()).then(|| Asked {
            regime,
            surfaces: shared,
            widenings: found.iter().map(|widening| check::describe(newer, widening)).collect(),
            has_question: newer
                .purposes
                .iter()
                .any(|purpose| purpose.ground == Ground::Consent && purpose.lists(regime)),
        })
    };
    Regime::ALL.iter().filter_map(|regime| of_regime(*regime)).collect()
}
