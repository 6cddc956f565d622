//! What changes from one version to another, and for whom.

use std::collections::BTreeSet;

use tenure_model::{Instant, MonthLength, Regime};

use crate::cells::{Cells, Situation, Space, cover, rarity};
use crate::check;
use crate::language::{Flag, Forbidden, Ground, Position, Purpose, Reach, Standing, Undecided, Version};
use crate::matrix::everything;
use crate::reading::{Column, Entry, Reading, additions, covers_all};
use crate::surfaces::Surfaces;
use crate::widening::widenings;

/// How many cases one column may be asked about.
const CELLS_MAX: usize = 1 << 22;

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

/// A value that the file gives once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The key in the file.
    pub name: &'static str,
    /// The older value.
    pub before: Value,
    /// The newer value.
    pub after: Value,
}

/// A value of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// There is none.
    Absent,
    /// Words.
    Words(String),
    /// An instant.
    Instant(Instant),
}

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

/// How what is kept or allowed changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Kept longer.
    Longer,
    /// Kept shorter.
    Shorter,
    /// Kept by other dates, longer for some records and shorter for others.
    Different,
    /// A purpose may use what it could not.
    Allowed,
    /// A purpose may no longer use what it could.
    Stopped,
}

impl Direction {
    /// The direction as a word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Longer => "longer",
            Self::Shorter => "shorter",
            Self::Different => "different",
            Self::Allowed => "allowed",
            Self::Stopped => "stopped",
        }
    }
}

/// One change for the records in some situations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermChange {
    /// The class or purpose.
    pub column: Column,
    /// The regimes of the records.
    pub regimes: Vec<Regime>,
    /// When.
    pub situations: Vec<Situation>,
    /// What the older version says.
    pub before: Entry,
    /// What the newer version says.
    pub after: Entry,
    /// How it changes.
    pub direction: Direction,
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

fn settings(older: &Version, newer: &Version) -> Vec<Setting> {
    let words = |of: String| Value::Words(of);
    let instant = |of: Option<Instant>| of.map_or(Value::Absent, Value::Instant);
    let undecided = |version: &Version| {
        words(match version.undecided {
            Undecided::Block => "block".to_owned(),
            Undecided::Remind => "remind".to_owned(),
        })
    };
    let months = |version: &Version| {
        words(match version.months {
            MonthLength::Calendar => "calendar".to_owned(),
            MonthLength::ThirtyDays => "30 days".to_owned(),
        })
    };
    let of = |version: &Version| {
        [
            ("title", words(version.title.clone())),
            ("announced", instant(Some(version.announced))),
            ("effective", instant(Some(version.effective))),
            ("decide_by", instant(version.decide_by)),
            ("undecided", undecided(version)),
            ("grace", words(version.grace.to_string())),
            ("proof", words(version.proof.to_string())),
            ("months", months(version)),
            ("bodies", words(version.bodies.join(", "))),
            ("facts", words(version.facts.join(", "))),
        ]
    };
    let pairs = of(older).into_iter().zip(of(newer));
    pairs
        .filter(|((_, before), (_, after))| before != after)
        .map(|((name, before), (_, after))| Setting { name, before, after })
        .collect()
}

fn asked(older: &Version, newer: &Version, surfaces: &Surfaces) -> Vec<Asked> {
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

fn surface_changes(older: &Version, newer: &Version, surfaces: &Surfaces) -> Vec<SurfaceChange> {
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

fn region_changes(older: &Version, newer: &Version) -> Vec<RegionChange> {
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

fn regimes_words(purpose: &Purpose) -> String {
    purpose.regimes.as_ref().map_or_else(
        || "every regime".to_owned(),
        |regimes| regimes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    )
}

const fn reach_words(reach: Reach) -> &'static str {
    match reach {
        Reach::Message => "single messages",
        Reach::Conversation => "whole conversations",
    }
}

/// The ground, as words for people.
pub fn ground_words(ground: Ground) -> String {
    match ground {
        Ground::Consent => "only after a yes".to_owned(),
        Ground::Objection { wait } => format!("unless a person objects, {wait} after they were informed"),
        Ground::None => "not a matter of choice".to_owned(),
    }
}

fn purpose_changes(older: &Version, newer: &Version) -> Vec<(String, String)> {
    let mut changes = Vec::new();
    for purpose in &newer.purposes {
        let mut say = |words: String| changes.push((purpose.name.clone(), words));
        let Some(before) = older.purpose(&purpose.name) else {
            say(format!("new, in {}: {}", regimes_words(purpose), ground_words(purpose.ground)));
            continue;
        };
        if before.title != purpose.title {
            say(format!("its title was \"{}\" and is \"{}\"", before.title, purpose.title));
        }
        if before.ground != purpose.ground {
            say(format!("was: {}; is: {}", ground_words(before.ground), ground_words(purpose.ground)));
        }
        if before.regimes != purpose.regimes {
            say(format!("was for {} and is for {}", regimes_words(before), regimes_words(purpose)));
        }
        if before.reach != purpose.reach {
            say(format!("took in {} and takes in {}", reach_words(before.reach), reach_words(purpose.reach)));
        }
    }
    for purpose in older.purposes.iter().filter(|purpose| newer.purpose(&purpose.name).is_none()) {
        changes.push((purpose.name.clone(), "is no longer a purpose".to_owned()));
    }
    changes
}

/// What each `never` of a version rules out, in words.
pub fn nevers(version: &Version) -> Vec<String> {
    let say = |never: &crate::language::Never| {
        let what = match &never.what {
            Forbidden::Use { purpose } => format!("`{purpose}` uses nothing"),
            Forbidden::Keep { class, longer_than: None } => format!("`{class}` is not kept"),
            Forbidden::Keep { class, longer_than: Some(span) } => {
                format!("`{class}` is not kept longer than {span}")
            }
        };
        let when = condition_words(&never.when);
        if when.is_empty() { what } else { format!("{what} where {when}") }
    };
    version.nevers.iter().map(say).collect()
}

/// A condition, in words; empty if it asks for nothing.
pub fn condition_words(when: &crate::language::Condition) -> String {
    fn words<T: ToString>(name: &str, values: Option<&Vec<T>>, parts: &mut Vec<String>) {
        if let Some(values) = values {
            let values: Vec<_> = values.iter().map(ToString::to_string).collect();
            parts.push(format!("{name} is {}", crate::cells::joined(&values, "or")));
        }
    }
    let mut parts = Vec::new();
    words("regime", when.regime.as_ref(), &mut parts);
    words("surface", when.surface.as_ref(), &mut parts);
    words("kind", when.kind.as_ref(), &mut parts);
    words("mode", when.mode.as_ref(), &mut parts);
    words("region", when.region.as_ref(), &mut parts);
    for (purpose, standings) in &when.standing {
        words(&format!("standing toward {purpose}"), Some(standings), &mut parts);
    }
    for (flag, values) in &when.flags {
        if let [value] = values.as_slice() {
            parts.push(flag_words(*flag, *value).to_owned());
        }
    }
    parts.join(", ")
}

const fn flag_words(flag: Flag, value: bool) -> &'static str {
    match (flag, value) {
        (Flag::Deleted, true) => "deleted",
        (Flag::Deleted, false) => "not deleted",
        (Flag::Flagged, true) => "flagged",
        (Flag::Flagged, false) => "not flagged",
        (Flag::Feedback, true) => "with feedback",
        (Flag::Feedback, false) => "without feedback",
        (Flag::Minor, true) => "from a minor",
        (Flag::Minor, false) => "from an adult",
        (Flag::Closed, true) => "the account is closed",
        (Flag::Closed, false) => "the account is open",
    }
}

/// A change before situations that change alike are gathered.
struct Found {
    rarity: u32,
    regime: Regime,
    situation: Situation,
    before: Entry,
    after: Entry,
}

fn term_changes(space: &Space<'_>, older: &Version, newer: &Version, surfaces: &Surfaces) -> Vec<TermChange> {
    let all = everything(space, &[older, newer], surfaces);
    let columns_of = |place: usize, version| reading(space, place, [older, newer], version, &all).columns();
    let mut columns = columns_of(0, older);
    columns.extend(columns_of(1, newer));
    columns.sort_by_key(|column| match column {
        Column::Class(_) => 0,
        Column::Also(_) => 1,
        Column::Purpose(_) => 2,
    });
    let mut seen = BTreeSet::new();
    columns.retain(|column| seen.insert(column.clone()));
    let months = (older.months, newer.months);
    let mut changes = Vec::new();
    for column in columns {
        let mut found: Vec<Found> = Vec::new();
        for &regime in Regime::ALL {
            let within = space.in_regimes(&[regime], &all);
            found.extend(changed(space, [older, newer], &column, regime, &within));
        }
        found.sort_by_key(|found| found.rarity);
        changes.extend(gathered(&column, found, months));
    }
    changes
}

/// One of two versions, with the rules that only add told apart where that is so in both.
fn reading<'v>(
    space: &Space<'v>,
    place: usize,
    versions: [&Version; 2],
    version: &'v Version,
    within: &Cells,
) -> Reading<'v> {
    let in_both = |class: &str| versions.iter().all(|version| !additions(version, class).is_empty());
    Reading::new(space, place, version, within).with_additions_apart(in_both)
}

/// Where a column changes, within the surfaces of one regime.
fn changed(
    space: &Space<'_>,
    versions: [&Version; 2],
    column: &Column,
    regime: Regime,
    within: &Cells,
) -> Vec<Found> {
    let [older, newer] = versions;
    let readings = [reading(space, 0, versions, older, within), reading(space, 1, versions, newer, within)];
    let relevant: Vec<(usize, usize)> = readings
        .iter()
        .enumerate()
        .flat_map(|(side, reading)| reading.relevant(column).into_iter().map(move |index| (side, index)))
        .collect();
    let predicates: Vec<&Cells> =
        relevant.iter().filter_map(|(side, index)| readings.get(*side)?.predicates().get(*index)).collect();
    let found = cover(within, &predicates, CELLS_MAX, |alive| {
        let entry = |side: usize, reading: &Reading<'_>| {
            reading.entry(column, &|index| {
                let place = relevant.binary_search(&(side, index)).ok();
                place.and_then(|place| alive.get(place)).copied().unwrap_or(false)
            })
        };
        let [old, new] = &readings;
        let (before, after) = (entry(0, old), entry(1, new));
        // Everything that stays as it is counts as one outcome, so that it is described once or never.
        let unchanged = before.to_string() == after.to_string() && older.months == newer.months;
        (!unchanged).then_some((before, after))
    });
    let changed = found.unwrap_or_default().into_iter().filter_map(|(cells, pair)| {
        let (before, after) = pair?;
        let (rarity, situation) = (rarity(&cells), space.situation(&cells, within));
        Some(Found { rarity, regime, situation, before, after })
    });
    changed.collect()
}

/// Gathers the situations and the regimes that change alike.
fn gathered(column: &Column, found: Vec<Found>, months: (MonthLength, MonthLength)) -> Vec<TermChange> {
    let mut changes: Vec<TermChange> = Vec::new();
    for one in found {
        let Some(direction) = direction(&one.before, &one.after, months) else { continue };
        let alike = |change: &&mut TermChange| {
            change.before.to_string() == one.before.to_string()
                && change.after.to_string() == one.after.to_string()
        };
        let mergeable = changes
            .iter_mut()
            .filter(alike)
            .find(|change| change.regimes == [one.regime] || change.situations == [one.situation.clone()]);
        match mergeable {
            Some(change) if change.regimes == [one.regime] => change.situations.push(one.situation),
            Some(change) => change.regimes.push(one.regime),
            None => changes.push(TermChange {
                column: column.clone(),
                regimes: vec![one.regime],
                situations: vec![one.situation],
                before: one.before,
                after: one.after,
                direction,
            }),
        }
    }
    changes
}

fn direction(before: &Entry, after: &Entry, months: (MonthLength, MonthLength)) -> Option<Direction> {
    match (before, after) {
        (Entry::Kept(before), Entry::Kept(after)) => {
            let no_longer = covers_all(before, months.0, after, months.1);
            let no_shorter = covers_all(after, months.1, before, months.0);
            match (no_longer, no_shorter) {
                (true, true) => None,
                (true, false) => Some(Direction::Shorter),
                (false, true) => Some(Direction::Longer),
                (false, false) => Some(Direction::Different),
            }
        }
        (Entry::Used(before), Entry::Used(after)) => {
            let more = after.iter().any(|class| !before.contains(class));
            let less = before.iter().any(|class| !after.contains(class));
            match (more, less) {
                (true, false) => Some(Direction::Allowed),
                (false, true) => Some(Direction::Stopped),
                (true, true) => Some(Direction::Different),
                (false, false) => None,
            }
        }
        _ => Some(Direction::Different),
    }
}

/// What a standing means, for people.
pub const fn standing_words(standing: Standing) -> &'static str {
    match standing {
        Standing::Undecided => "no answer so far",
        Standing::Off => "the answer is no, and it was not yes when this was said",
        Standing::Withdrawn => "the answer is no now, and was yes when this was said",
        Standing::On => "the answer is yes, and was yes when this was said",
        Standing::Unopposed => "informed, the waiting time is over, and not objected",
        Standing::Unreached => "the answer is yes now, but not for what was said before it",
    }
}
