//! What the compiler refuses, each with the line and a counter-example case in words.

use tenure_model::Regime;

use crate::cells::{Cells, Space, VALUES_MAX};
use crate::language::{
    Diagnostic, Flag, Forbidden, Ground, Never, Position, Purpose, Standing, Undecided, Use, Version,
};
use crate::surfaces::Surfaces;
use crate::widening::{Widening, half_hours, widenings};
use tenure_model::Term;

/// Complaints about one file, gathered.
struct Complaints<'v> {
    version: &'v Version,
    found: Vec<Diagnostic>,
}

impl Complaints<'_> {
    fn add(&mut self, at: Position, message: String) {
        self.found.push(Diagnostic { file: self.version.file.clone(), at, message });
    }
}

/// Checks a version on its own, over every cell.
pub(crate) fn refusals(version: &Version, surfaces: &Surfaces) -> Vec<Diagnostic> {
    let mut complaints = Complaints { version, found: Vec::new() };
    let Some(space) = Space::new(&[version], surfaces) else {
        let message = format!(
            "this lineage has more than {VALUES_MAX} surfaces, or this version {VALUES_MAX} regions or more: \
             merge some, or split it into several lineages"
        );
        complaints.add(Position { line: 1, column: 1 }, message);
        return complaints.found;
    };
    let everything = space.all(|surface| surfaces.name_in(surface, version).is_some());
    keeps_are_sound(&mut complaints, &space, &everything);
    uses_are_sound(&mut complaints, &space, &everything);
    nevers_hold(&mut complaints, &space, &everything);
    complaints.found
}

/// The cells of a rule in which every standing is one that its purpose's ground can give.
fn possible(space: &Space<'_>, version: &Version, cells: &Cells) -> Cells {
    let consent = version.purposes.iter().filter(|purpose| purpose.ground == Ground::Consent);
    consent.fold(cells.clone(), |cells, purpose| {
        let given: Vec<_> =
            Standing::ALL.iter().copied().filter(|standing| *standing != Standing::Unopposed).collect();
        space.with_standing(&cells, &purpose.name, &given)
    })
}

const MATCHES_NOTHING: &str = "this rule matches no case: no surface, region or standing of this version has all that its `when` asks for";

fn keeps_are_sound(complaints: &mut Complaints<'_>, space: &Space<'_>, everything: &Cells) {
    let version = complaints.version;
    for rule in &version.keeps {
        let cells = space.matching(0, &rule.when, everything);
        if possible(space, version, &cells).is_empty() {
            complaints.add(rule.at, MATCHES_NOTHING.to_owned());
            continue;
        }
        let is_body = version.bodies.contains(&rule.class);
        let zero = cells.and(&space.all(|surface| space.regime(surface) == Regime::Zero));
        if is_body && !zero.is_empty() {
            complaints.add(
                rule.at,
                format!(
                    "this rule keeps the body `{}` under zero retention, for example: {}; add a `regime` that leaves zero out",
                    rule.class,
                    space.describe(&zero)
                ),
            );
        }
    }
}

fn uses_are_sound(complaints: &mut Complaints<'_>, space: &Space<'_>, everything: &Cells) {
    let version = complaints.version;
    for rule in &version.uses {
        let Some(purpose) = version.purpose(&rule.purpose) else { continue };
        let cells = space.matching(0, &rule.when, everything);
        if possible(space, version, &cells).is_empty() {
            complaints.add(rule.at, MATCHES_NOTHING.to_owned());
            continue;
        }
        use_needs_choice(complaints, space, rule, purpose, &cells);
        let unlisted = cells.and(&space.all(|surface| !purpose.lists(space.regime(surface))));
        if !unlisted.is_empty() {
            complaints.add(
                rule.at,
                format!(
                    "this rule allows `{}` in a regime that the purpose does not list, for example: {}; narrow its `regime`",
                    rule.purpose,
                    space.describe(&unlisted)
                ),
            );
        }
    }
}

/// Silence and refusal must not let a purpose of choice through.
fn use_needs_choice(
    complaints: &mut Complaints<'_>,
    space: &Space<'_>,
    rule: &Use,
    purpose: &Purpose,
    cells: &Cells,
) {
    let (enough, fix): (&[Standing], _) = match purpose.ground {
        Ground::None => return,
        Ground::Consent => (&[Standing::On], "\"on\""),
        Ground::Objection { .. } => (&[Standing::On, Standing::Unopposed], "[\"on\", \"unopposed\"]"),
    };
    let others: Vec<_> =
        Standing::ALL.iter().copied().filter(|standing| !enough.contains(standing)).collect();
    let open = space.with_standing(cells, &purpose.name, &others);
    if !open.is_empty() {
        complaints.add(
            rule.at,
            format!(
                "this rule lets `{name}`, a purpose of ground {ground}, through without an answer that allows it, \
                 for example: {case}; add standing.{name} = {fix}",
                name = purpose.name,
                ground = purpose.ground.word(),
                case = space.describe(&open),
            ),
        );
    }
}

fn nevers_hold(complaints: &mut Complaints<'_>, space: &Space<'_>, everything: &Cells) {
    let version = complaints.version;
    for never in &version.nevers {
        let forbidden = space.matching(0, &never.when, everything);
        if let Some((what, at, case)) = broken(space, version, never, &forbidden) {
            let message =
                format!("this `never` does not hold: {what} at line {} does, for example: {case}", at.line);
            complaints.add(never.at, message);
        }
    }
}

/// The first rule that does what a `never` forbids: which, where, and in which case.
fn broken(
    space: &Space<'_>,
    version: &Version,
    never: &Never,
    forbidden: &Cells,
) -> Option<(String, Position, String)> {
    let overlap = |when| {
        let cells = possible(space, version, &space.matching(0, when, forbidden));
        (!cells.is_empty()).then(|| space.describe(&cells))
    };
    match &never.what {
        Forbidden::Use { purpose } => {
            version.uses.iter().filter(|rule| rule.purpose == *purpose).find_map(|rule| {
                Some((format!("the use rule for `{purpose}`"), rule.at, overlap(&rule.when)?))
            })
        }
        Forbidden::Keep { class, longer_than } => version
            .keeps
            .iter()
            .filter(|rule| rule.class == *class)
            .filter(|rule| {
                longer_than.is_none_or(|longest| {
                    half_hours(rule.term, version.months) > half_hours(Term::For(longest), version.months)
                })
            })
            .find_map(|rule| {
                Some((format!("the keep rule for `{class}` ({})", rule.term), rule.at, overlap(&rule.when)?))
            }),
    }
}

/// Checks a version against the one before it.
pub(crate) fn refusals_against(older: &Version, newer: &Version, surfaces: &Surfaces) -> Vec<Diagnostic> {
    let mut complaints = Complaints { version: newer, found: Vec::new() };
    for &regime in Regime::ALL {
        let asks = newer.purposes.iter().any(|purpose| {
            purpose.ground == Ground::Consent && purpose.regimes.as_ref().is_some_and(|r| r.contains(&regime))
        });
        for widening in widenings(older, newer, surfaces, regime) {
            refuse_widening(&mut complaints, older, regime, asks, &widening);
        }
    }
    let mut found = complaints.found;
    found.sort_by(|a, b| (a.at, &a.message).cmp(&(b.at, &b.message)));
    found.dedup();
    found
}

fn refuse_widening(
    complaints: &mut Complaints<'_>,
    older: &Version,
    regime: Regime,
    asks: bool,
    widening: &Widening,
) {
    let newer = complaints.version;
    let (at, what) = describe(newer, widening);
    let before = &older.name;
    if let Widening::Ground { .. } = widening {
        complaints.add(
            at,
            format!("{what} than in version {before}: a ground never loosens; give it a new purpose and ask"),
        );
        return;
    }
    let in_version = if matches!(widening, Widening::Reach { .. }) { "in version" } else { "under version" };
    if !asks {
        complaints.add(
            at,
            format!(
                "{what} than {in_version} {before}, but no purpose of ground consent is asked in regime {regime}: \
                 wider terms need an answer, so ask for one there or narrow the rule"
            ),
        );
        return;
    }
    if let Widening::Use { rule, .. } = widening
        && let Some(purpose) = newer.uses.get(*rule).and_then(|rule| newer.purpose(&rule.purpose))
        && !(purpose.is_chosen() && purpose.lists(regime))
    {
        complaints.add(
            at,
            format!(
                "{what} than {in_version} {before}, but nobody can refuse `{}`: a wider use needs a purpose of ground \
                 consent or objection in regime {regime}",
                purpose.name
            ),
        );
    }
}

/// Where a widening is written, and what it does, as the first half of a sentence.
pub(crate) fn describe(newer: &Version, widening: &Widening) -> (Position, String) {
    let purpose_at = |name: &str| newer.purpose(name).map_or_else(Position::default, |purpose| purpose.at);
    match widening {
        Widening::Use { rule, case } => newer.uses.get(*rule).map_or_else(Default::default, |rule| {
            (
                rule.at,
                format!("this rule lets `{}` use `{}` in more cases ({case})", rule.purpose, rule.class),
            )
        }),
        Widening::Keep { rule, case } => newer.keeps.get(*rule).map_or_else(Default::default, |rule| {
            (rule.at, format!("this rule keeps `{}` longer or in more cases ({case})", rule.class))
        }),
        Widening::Reach { purpose } => (
            purpose_at(purpose),
            format!("purpose `{purpose}` now reaches whole conversations, which is wider"),
        ),
        Widening::Ground { purpose, from, to } => (
            purpose_at(purpose),
            format!(
                "purpose `{purpose}` stands on ground {} instead of {}, which is looser",
                to.word(),
                from.word()
            ),
        ),
    }
}

/// What is allowed but probably not meant.
pub(crate) fn warnings(version: &Version, surfaces: &Surfaces) -> Vec<Diagnostic> {
    let mut complaints = Complaints { version, found: Vec::new() };
    let Some(space) = Space::new(&[version], surfaces) else { return complaints.found };
    let everything = space.all(|surface| surfaces.name_in(surface, version).is_some());
    for never in &version.nevers {
        if space.matching(0, &never.when, &everything).is_empty() {
            complaints.add(
                never.at,
                "this `never` is about no case of this version, so it proves nothing".to_owned(),
            );
        }
    }
    let top = Position { line: 1, column: 1 };
    let asks = version.purposes.iter().any(|purpose| purpose.ground == Ground::Consent);
    match (asks, version.decide_by, version.undecided) {
        (false, Some(_), _) => {
            complaints.add(top, "`decide_by` has no effect: no purpose asks for consent".to_owned());
        }
        (true, None, Undecided::Block) => {
            complaints.add(top, "`undecided = \"block\"` has no effect without a `decide_by`".to_owned());
        }
        _ => {}
    }
    if version.effective < version.announced {
        complaints.add(
            top,
            "`effective` lies before `announced`: the terms would reach back before they were known"
                .to_owned(),
        );
    }
    let minors_train = version.uses.iter().filter(|rule| {
        version.purpose(&rule.purpose).is_some_and(Purpose::is_chosen)
            && !rule.when.flags.iter().any(|(flag, _)| *flag == Flag::Minor)
    });
    for rule in minors_train {
        complaints.add(
            rule.at,
            format!(
                "this rule lets `{}` use what minors wrote: add minor = false if that is not meant",
                rule.purpose
            ),
        );
    }
    complaints.found
}
