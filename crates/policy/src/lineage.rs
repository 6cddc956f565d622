//! A lineage: its versions in order, compiled, and how each compares with the others.

use std::collections::BTreeSet;

use tenure_model::{Instant, Regime};

use crate::check;
use crate::language::{Diagnostic, Diagnostics, Position, Version};
use crate::lives::{self, Epochs, Life};
use crate::surfaces::{SurfaceId, Surfaces};
use crate::table::Table;
use crate::widening::{Widening, widenings};

/// A version of a lineage, by its place in the order: by `announced`, then by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionIx(pub(crate) u16);

impl VersionIx {
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A purpose of a lineage, whichever versions have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PurposeIx(pub(crate) u16);

/// A version with its table.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) tree: Version,
    pub(crate) table: Table,
}

/// A lineage that the compiler has accepted.
#[derive(Debug)]
pub struct Lineage {
    compiled: Vec<Compiled>,
    surfaces: Surfaces,
    lives: Vec<Life>,
    epochs: Epochs,
    purposes: Vec<String>,
    /// Whether the newer widens against the older, by regime, older and newer.
    widens: Vec<bool>,
    /// The versions that change how instants before them are seen.
    reach_back: Vec<VersionIx>,
    warnings: Vec<Diagnostic>,
}

impl Lineage {
    /// Compiles a lineage, in any order of its versions.
    ///
    /// Refuses everything that `docs/policy-language.md` says is refused: each version on its own, and each against
    /// the one before it.
    pub fn compile(versions: Vec<Version>) -> Result<Self, Diagnostics> {
        Self::compile_lived(versions.into_iter().map(|version| (version, Life::default())).collect())
    }

    /// Compiles a lineage whose versions were published, and perhaps withdrawn, one after the other.
    ///
    /// Each version is compared with those that were its neighbours at some time, and never with one that was
    /// withdrawn before it came. Names of surfaces stay linked by `was` whatever became of the version that
    /// linked them.
    pub fn compile_lived(mut versions: Vec<(Version, Life)>) -> Result<Self, Diagnostics> {
        versions.sort_by(|(a, _), (b, _)| by_order(a, b));
        let (versions, lives) = versions.into_iter().unzip();
        Self::compile_ordered(versions, lives)
    }

    /// Compiles versions as what follows others, whatever their dates say.
    ///
    /// This is for checking: terms that are compared with the wrong neighbour, because a date was
    /// mistyped, could widen unseen. Where the dates say otherwise, a warning says so.
    pub fn compile_following(
        mut before: Vec<Version>,
        mut following: Vec<Version>,
    ) -> Result<Self, Diagnostics> {
        before.sort_by(by_order);
        following.sort_by(by_order);
        let mistaken = match (before.last(), following.first()) {
            (Some(last), Some(first)) if by_order(last, first).is_gt() => Some(Diagnostic {
                file: first.file.clone(),
                at: Position { line: 1, column: 1 },
                message: format!(
                    "version {} would come before {}, which it should follow: versions are ordered by `announced`, \
                     then by name, so give it a later `announced`",
                    first.name, last.name
                ),
            }),
            _ => None,
        };
        before.append(&mut following);
        let lives = vec![Life::default(); before.len()];
        let mut lineage = Self::compile_ordered(before, lives)?;
        lineage.warnings.extend(mistaken);
        Ok(lineage)
    }

    fn compile_ordered(versions: Vec<Version>, lives: Vec<Life>) -> Result<Self, Diagnostics> {
        let mut complaints = Vec::new();
        lineage_is_one(&versions, &mut complaints);
        let surfaces = Surfaces::link(&versions, &mut complaints);
        for version in &versions {
            complaints.extend(check::refusals(version, &surfaces));
        }
        for (older, newer) in lives::neighbours(&lives) {
            let (Some(older), Some(newer)) = (versions.get(older), versions.get(newer)) else { continue };
            complaints.extend(check::refusals_against(older, newer, &surfaces));
        }
        if !complaints.is_empty() {
            return Err(Diagnostics(complaints));
        }
        let purposes: BTreeSet<_> = versions
            .iter()
            .flat_map(|version| &version.purposes)
            .map(|purpose| purpose.name.clone())
            .collect();
        let purposes: Vec<_> = purposes.into_iter().collect();
        let mut warnings: Vec<_> =
            versions.iter().flat_map(|version| check::warnings(version, &surfaces)).collect();
        warnings.extend(wider_on_return(&versions, &surfaces));
        let widens = widening_matrix(&versions, &surfaces);
        let epochs = Epochs::new(&versions, &lives, &surfaces);
        let reach_back = reach_back(&versions, &lives);
        let mut compiled = Vec::with_capacity(versions.len());
        for tree in versions {
            let table = Table::build(&tree, &surfaces, &purposes)
                .map_err(|complaint| Diagnostics(vec![complaint]))?;
            compiled.push(Compiled { tree, table });
        }
        Ok(Self { compiled, surfaces, lives, epochs, purposes, widens, reach_back, warnings })
    }

    /// What is allowed but probably not meant, for the author.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The name of the lineage.
    pub fn name(&self) -> &str {
        self.compiled.first().map_or("", |version| &version.tree.policy)
    }

    /// The versions, in order: also those that are not published yet, and those that were withdrawn.
    pub fn versions(&self) -> impl ExactSizeIterator<Item = (VersionIx, &Version)> {
        self.compiled.iter().enumerate().map(|(index, version)| (version_ix(index), &version.tree))
    }

    /// The versions that live at an instant, in order.
    pub fn living(&self, at: Instant) -> impl DoubleEndedIterator<Item = (VersionIx, &Version)> {
        let epoch = self.epochs.at(at);
        let all = self.compiled.iter().enumerate().map(|(index, version)| (version_ix(index), &version.tree));
        all.filter(move |(version, _)| epoch.has(*version))
    }

    /// When a version lives.
    pub fn life(&self, version: VersionIx) -> Life {
        self.lives.get(version.index()).copied().unwrap_or_default()
    }

    /// The version of that name, whether or not it lives.
    pub fn version(&self, name: &str) -> Option<VersionIx> {
        self.compiled.iter().position(|version| version.tree.name == name).map(version_ix)
    }

    /// What a version says.
    pub fn tree(&self, version: VersionIx) -> &Version {
        &self.compiled(version).tree
    }

    /// The surface of that name, whichever version gave it.
    pub fn surface(&self, name: &str) -> Option<SurfaceId> {
        self.surfaces.id(name)
    }

    /// The regime of a surface.
    pub fn regime(&self, surface: SurfaceId) -> Regime {
        self.surfaces.regime(surface)
    }

    /// The name that a version has for a surface, if it knows it.
    pub fn surface_name(&self, surface: SurfaceId, version: VersionIx) -> Option<&str> {
        self.surfaces.name_in(surface, self.tree(version))
    }

    /// The purpose of that name.
    pub fn purpose(&self, name: &str) -> Option<PurposeIx> {
        let index = self.purposes.binary_search_by(|known| known.as_str().cmp(name)).ok()?;
        u16::try_from(index).ok().map(PurposeIx)
    }

    /// The name of a purpose.
    pub fn purpose_name(&self, purpose: PurposeIx) -> &str {
        self.purposes.get(purpose.0 as usize).map_or("", String::as_str)
    }

    /// Whether the newer version widens against the older one in a regime.
    pub fn widens(&self, older: VersionIx, newer: VersionIx, regime: Regime) -> bool {
        let count = self.compiled.len();
        let index = (regime as usize * count + older.index()) * count + newer.index();
        self.widens.get(index).copied().unwrap_or(true)
    }

    /// Everything in which the newer version widens against the older one in a regime.
    pub fn widenings(&self, older: VersionIx, newer: VersionIx, regime: Regime) -> Vec<Widening> {
        widenings(self.tree(older), self.tree(newer), &self.surfaces, regime)
    }

    /// A widening, as a sentence without an end.
    pub fn describe(&self, newer: VersionIx, widening: &Widening) -> (Position, String) {
        check::describe(self.tree(newer), widening)
    }

    /// How many cases a version tells apart, after merging values that no rule does.
    pub fn cases(&self, version: VersionIx) -> usize {
        self.compiled(version).table.len()
    }

    /// The versions that change how instants before them are seen, in order: those that take effect before they
    /// are announced, those that are published only after that or after a version that follows them, and those
    /// that say of two surfaces of the past that they are one.
    pub(crate) fn reach_back(&self) -> &[VersionIx] {
        &self.reach_back
    }

    /// The versions that were withdrawn by an instant.
    pub(crate) fn withdrawn(&self, by: Instant) -> impl Iterator<Item = VersionIx> {
        let withdrawn = move |life: &Life| life.withdrawn.is_some_and(|withdrawn| withdrawn <= by);
        self.lives
            .iter()
            .enumerate()
            .filter(move |(_, life)| withdrawn(life))
            .map(|(index, _)| version_ix(index))
    }

    pub(crate) const fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    pub(crate) const fn surfaces(&self) -> &Surfaces {
        &self.surfaces
    }

    pub(crate) fn compiled(&self, version: VersionIx) -> &Compiled {
        #[expect(
            clippy::indexing_slicing,
            reason = "INVARIANT: a `VersionIx` is only made for a version of its lineage"
        )]
        &self.compiled[version.index()]
    }
}

/// The order of versions: by `announced`, then by name.
fn by_order(a: &Version, b: &Version) -> std::cmp::Ordering {
    (a.announced, &a.name).cmp(&(b.announced, &b.name))
}

pub(crate) fn version_ix(index: usize) -> VersionIx {
    VersionIx(u16::try_from(index).unwrap_or(u16::MAX))
}

fn lineage_is_one(versions: &[Version], complaints: &mut Vec<Diagnostic>) {
    let top = Position { line: 1, column: 1 };
    let mut complain =
        |file: &str, message| complaints.push(Diagnostic { file: file.to_owned(), at: top, message });
    let Some(first) = versions.first() else {
        complain("", "a policy needs at least one version".to_owned());
        return;
    };
    if versions.len() > usize::from(u16::MAX) {
        complain(&first.file, "a lineage has too many versions".to_owned());
    }
    for (index, version) in versions.iter().enumerate() {
        if version.policy != first.policy {
            complain(
                &version.file,
                format!(
                    "this is policy `{}`, but the lineage is `{}`: keep one lineage in a folder",
                    version.policy, first.policy
                ),
            );
        }
        if let Some(twin) = versions.iter().take(index).find(|earlier| earlier.name == version.name) {
            complain(
                &version.file,
                format!(
                    "version `{}` is in {} too: give each version a name of its own",
                    version.name, twin.file
                ),
            );
        }
    }
}

fn widening_matrix(versions: &[Version], surfaces: &Surfaces) -> Vec<bool> {
    let mut matrix = Vec::new();
    for &regime in Regime::ALL {
        for (i, older) in versions.iter().enumerate() {
            for (j, newer) in versions.iter().enumerate() {
                matrix.push(i < j && !widenings(older, newer, surfaces, regime).is_empty());
            }
        }
    }
    matrix
}

fn reach_back(versions: &[Version], lives: &[Life]) -> Vec<VersionIx> {
    let reaches = |(index, (version, life)): &(usize, (&Version, &Life))| {
        version.effective < version.announced
            || version.announced.min(version.effective) < life.published
            || lives.iter().skip(*index).any(|later| later.published < life.published)
            || Surfaces::joined_by(versions, *index)
    };
    let each = versions.iter().zip(lives).enumerate();
    each.filter(reaches).map(|(index, _)| version_ix(index)).collect()
}

/// Warns of surfaces that were left out for a while and come back under wider terms: neighbours are compared
/// when a version is checked, and none of them had the surface. Nobody is bound by it unasked, since
/// binding compares with the version that each person had reached.
fn wider_on_return(versions: &[Version], surfaces: &Surfaces) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    for (index, version) in versions.iter().enumerate() {
        for surface in &version.surfaces {
            let Some(id) = surfaces.id(&surface.name) else { continue };
            let knows = |earlier: &&Version| surfaces.name_in(id, earlier).is_some();
            let Some((last, earlier)) = versions.iter().take(index).enumerate().rfind(|(_, v)| knows(v))
            else {
                continue;
            };
            if last + 1 < index && !widenings(earlier, version, surfaces, surface.regime).is_empty() {
                warnings.push(Diagnostic {
                    file: version.file.clone(),
                    at: surface.at,
                    message: format!(
                        "surface `{}` comes back in a version that is wider than {}, the last that had it: whoever is \
                         bound by that one moves only with an answer",
                        surface.name, earlier.name
                    ),
                });
            }
        }
    }
    warnings
}
