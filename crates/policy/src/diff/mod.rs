//! What changes from one version to another, and for whom.

mod asked;
mod never;
mod purposes;
mod settings;
mod surfaces;
mod terms;

use crate::cells::Space;
use crate::language::Version;
use crate::surfaces::Surfaces;

pub use asked::Asked;
pub use never::{condition_words, nevers};
pub use purposes::{ground_words, standing_words};
pub use settings::{Setting, Value};
pub use surfaces::{RegionChange, SurfaceChange};
pub use terms::{Direction, TermChange};

use asked::asked;
use purposes::purpose_changes;
use settings::settings;
use surfaces::{region_changes, surface_changes};
use terms::term_changes;

/// Everything that differs between two versions of a lineage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    /// What the file says once: dates, titles, grace.
    pub settings: Vec<Setting>,
    /// For each regime that both versions have surfaces of: who must be asked.
    pub regimes: Vec<Asked>,
    /// Surfaces added, removed and renamed.
    pub surfaces: Vec<SurfaceChange>,
    /// Countries whose region changes.
    pub regions: Vec<RegionChange>,
    /// Purposes added, removed and changed, each in words.
    pub purposes: Vec<(String, String)>,
    /// What changes for records, from the most ordinary situation to the most special.
    pub terms: Vec<TermChange>,
    /// What can never happen any more, in words.
    pub nevers_added: Vec<String>,
    /// What could never happen before, in words.
    pub nevers_removed: Vec<String>,
}

/// Compares two versions of a lineage, by their places in it, whether or not a compiler would accept it.
///
/// The versions may be given in any order of the list; `None` if one does not exist, or they tell too
/// many surfaces and countries apart to be compared.
pub fn between(versions: &[Version], from: &str, to: &str) -> Option<Diff> {
    let older = versions.iter().find(|version| version.name == from)?;
    let newer = versions.iter().find(|version| version.name == to)?;
    let mut ordered = versions.to_vec();
    ordered.sort_by(|a, b| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
    let surfaces = Surfaces::link(&ordered, &mut Vec::new());
    let space = Space::new(&[older, newer], &surfaces)?;
    let before = nevers(older);
    let after = nevers(newer);
    Some(Diff {
        settings: settings(older, newer),
        regimes: asked(older, newer, &surfaces),
        surfaces: surface_changes(older, newer, &surfaces),
        regions: region_changes(older, newer),
        purposes: purpose_changes(older, newer),
        terms: term_changes(&space, older, newer, &surfaces),
        nevers_added: after.iter().filter(|never| !before.contains(never)).cloned().collect(),
        nevers_removed: before.iter().filter(|never| !after.contains(never)).cloned().collect(),
    })
}
