//! The first version of a random lineage, and the parts that versions are made of.

use tenure_model::{Instant, Kind, Mode, MonthLength, Regime, Span, Term};
use tenure_policy::language::{
    Anchor, Condition, Flag, Forbidden, Ground, Keep, Never, Position, Purpose, Reach, Region, Standing,
    Surface, Undecided, Use, Version,
};

use super::rng::Rng;

/// Every surface that a lineage can have, always with one regime.
pub(super) const SURFACES: &[(&str, Regime)] = &[
    ("free", Regime::Consumer),
    ("pro", Regime::Consumer),
    ("code", Regime::Consumer),
    ("team", Regime::Commercial),
    ("api", Regime::Commercial),
    ("zdr", Regime::Zero),
];

/// Every country that a region can have; cases use some more.
pub(super) const COUNTRIES: &[&str] = &["DE", "FR", "IT", "GB", "US", "JP"];

const SPANS: &[&str] = &[
    "0 days",
    "1 hours",
    "48 hours",
    "7 days",
    "30 days",
    "2 weeks",
    "1 months",
    "6 months",
    "18 months",
    "1 years",
    "5 years",
    "9999 years",
];

/// When the first version of a lineage is announced: 2024-01-31T00:00:00Z, or on the leap day after it.
const BEGIN_SECONDS: &[i64] = &[1_706_659_200, 1_706_659_200, 1_709_164_800];
pub(super) const SECOND: i64 = 1_000_000;
pub(super) const HOUR: i64 = 3_600 * SECOND;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) fn span(rng: &mut Rng) -> Span {
    rng.pick(SPANS).and_then(|text| text.parse().ok()).unwrap_or(Span::days(30))
}

/// A version that knows no surface and says nothing.
pub(super) fn empty(announced: Instant) -> Version {
    Version {
        file: String::new(),
        policy: "generated".to_owned(),
        name: "v0".to_owned(),
        title: "Generated terms".to_owned(),
        announced,
        effective: announced,
        decide_by: None,
        undecided: Undecided::Remind,
        grace: Span::days(30),
        proof: Span::years(6),
        months: MonthLength::Calendar,
        bodies: Vec::new(),
        facts: Vec::new(),
        regions: Vec::new(),
        surfaces: Vec::new(),
        purposes: Vec::new(),
        keeps: Vec::new(),
        uses: Vec::new(),
        nevers: Vec::new(),
    }
}

pub(super) fn first(rng: &mut Rng) -> Version {
    let begin = rng.pick_or(BEGIN_SECONDS, 0);
    let mut version = empty(Instant::saturating_from_micros(begin * SECOND));
    dates(rng, &mut version);
    version.grace = span(rng);
    version.bodies = vec!["content".to_owned()];
    for class in ["history", "training_copy", "feedback"] {
        if rng.percent(35) {
            version.bodies.push(class.to_owned());
        }
    }
    if rng.percent(50) {
        version.facts.push("scores".to_owned());
    }
    for (name, regime) in SURFACES {
        if *name == "free" || rng.percent(45) {
            let at = Position::default();
            let was = rng.percent(8).then(|| format!("old-{name}"));
            version.surfaces.push(Surface { name: (*name).to_owned(), regime: *regime, was, at });
        }
    }
    regions(rng, &mut version);
    for name in ["train", "ads", "safety"] {
        if rng.percent(65) {
            let purpose = purpose(rng, name);
            version.purposes.push(purpose);
        }
    }
    if version.purposes.is_empty() {
        let purpose = purpose(rng, "train");
        version.purposes.push(purpose);
    }
    // One rule that matches most records, so that uses have something to stand on.
    version.keeps.push(Keep {
        class: "content".to_owned(),
        when: Condition { regime: Some(vec![Regime::Consumer, Regime::Commercial]), ..Condition::default() },
        term: rng.pick_or(
            &[Term::For(Span::days(30)), Term::For(Span::years(1)), Term::Indefinite],
            Term::Indefinite,
        ),
        from: vec![Anchor::LastActivity],
        why: "what was said".to_owned(),
        at: Position::default(),
    });
    for _ in 0..rng.between(1, 6) {
        let keep = keep(rng, &version);
        version.keeps.push(keep);
    }
    for name in version.purposes.iter().map(|purpose| purpose.name.clone()).collect::<Vec<_>>() {
        for _ in 0..rng.between(1, 2) {
            let used = used(rng, &version, &name);
            version.uses.push(used);
        }
    }
    if rng.percent(30) {
        let never = never(rng, &version);
        version.nevers.push(never);
    }
    super::repair::repair(rng, &mut version);
    version
}

/// Draws everything that is a date, after `announced`.
pub(super) fn dates(rng: &mut Rng, version: &mut Version) {
    let after = |rng: &mut Rng, from: Instant| {
        let days = rng.pick_or(&[-3, 0, 0, 14, 40, 41, 90, 400], 0);
        Instant::saturating_from_micros(from.micros() + days * DAY)
    };
    version.effective = after(rng, version.announced);
    version.decide_by = rng.percent(75).then(|| after(rng, version.effective));
    version.undecided = if rng.percent(70) { Undecided::Block } else { Undecided::Remind };
    version.months = if rng.percent(30) { MonthLength::ThirtyDays } else { MonthLength::Calendar };
}

pub(super) fn regions(rng: &mut Rng, version: &mut Version) {
    version.regions = Vec::new();
    for name in ["eea", "asia"] {
        if rng.percent(60) {
            version.regions.push(Region {
                name: name.to_owned(),
                countries: Vec::new(),
                at: Position::default(),
            });
        }
    }
    for country in COUNTRIES {
        let index = rng.below(version.regions.len() + 1);
        if let Some(region) = version.regions.get_mut(index) {
            region.countries.push((*country).to_owned());
        }
    }
    version.regions.retain(|region| !region.countries.is_empty());
}

pub(super) fn ground(rng: &mut Rng, name: &str) -> Ground {
    let consent = if name == "train" { 70 } else { 35 };
    if rng.percent(consent) {
        Ground::Consent
    } else if rng.percent(70) {
        let waits = ["0 days", "1 hours", "30 days", "1 months"];
        let wait = rng.pick(&waits).and_then(|text| text.parse().ok()).unwrap_or(Span::days(30));
        Ground::Objection { wait }
    } else {
        Ground::None
    }
}

pub(super) fn purpose(rng: &mut Rng, name: &str) -> Purpose {
    let ground = ground(rng, name);
    let everywhere = matches!(ground, Ground::None) && rng.percent(60);
    let regimes = if rng.percent(60) { Regime::ALL.to_vec() } else { rng.some(Regime::ALL) };
    Purpose {
        name: name.to_owned(),
        title: "A purpose".to_owned(),
        ground,
        regimes: (!everywhere).then_some(regimes),
        reach: if rng.percent(45) { Reach::Message } else { Reach::Conversation },
        at: Position::default(),
    }
}

pub(super) fn keep(rng: &mut Rng, version: &Version) -> Keep {
    let classes: Vec<&str> = version.classes().collect();
    Keep {
        class: (*rng.pick(&classes).unwrap_or(&"content")).to_owned(),
        when: condition(rng, version, 25),
        term: if rng.percent(12) { Term::Indefinite } else { Term::For(span(rng)) },
        from: anchors(rng, version),
        why: "a reason".to_owned(),
        at: Position::default(),
    }
}

pub(super) fn anchors(rng: &mut Rng, version: &Version) -> Vec<Anchor> {
    let mut all = vec![
        Anchor::Created,
        Anchor::LastActivity,
        Anchor::LastActivity,
        Anchor::Deleted,
        Anchor::Flagged,
        Anchor::Feedback,
        Anchor::Closed,
    ];
    let chosen = version.purposes.iter().filter(|purpose| purpose.is_chosen());
    all.extend(chosen.map(|purpose| Anchor::Decided(purpose.name.clone())));
    let mut anchors: Vec<Anchor> = Vec::new();
    for _ in 0..rng.pick_or(&[1, 1, 1, 2, 3], 1) {
        let anchor = rng.pick_or(&all, Anchor::Created);
        if !anchors.contains(&anchor) {
            anchors.push(anchor);
        }
    }
    anchors
}

pub(super) fn used(rng: &mut Rng, version: &Version, purpose: &str) -> Use {
    let classes: Vec<&str> = version.classes().collect();
    let class = if rng.percent(70) { "content" } else { rng.pick(&classes).copied().unwrap_or("content") };
    Use {
        purpose: purpose.to_owned(),
        class: class.to_owned(),
        when: condition(rng, version, 12),
        at: Position::default(),
    }
}

pub(super) fn never(rng: &mut Rng, version: &Version) -> Never {
    let classes: Vec<&str> = version.classes().collect();
    let purpose = rng.pick(&version.purposes).map(|purpose| purpose.name.clone()).unwrap_or_default();
    let what = if rng.percent(50) {
        Forbidden::Use { purpose }
    } else {
        let class = rng.pick(&classes).copied().unwrap_or("content").to_owned();
        let longer_than = rng.percent(60).then(|| span(rng));
        Forbidden::Keep { class, longer_than }
    };
    let when = if rng.percent(50) {
        Condition { regime: Some(vec![Regime::Zero]), ..Condition::default() }
    } else {
        condition(rng, version, 45)
    };
    Never { what, when, at: Position::default() }
}

/// A condition that names each attribute in about so many of a hundred.
pub(super) fn condition(rng: &mut Rng, version: &Version, percent: usize) -> Condition {
    let surfaces: Vec<String> = version.surfaces.iter().map(|surface| surface.name.clone()).collect();
    let regimes: Vec<Regime> = version.surfaces.iter().map(|surface| surface.regime).collect();
    let mut regimes_offered: Vec<Regime> = Regime::ALL.to_vec();
    regimes_offered.retain(|regime| regimes.contains(regime));
    let regions: Vec<String> =
        version.regions.iter().map(|region| region.name.clone()).chain(["other".to_owned()]).collect();
    let mut when = Condition {
        regime: rng.percent(percent * 2).then(|| rng.some(&regimes_offered)),
        surface: None,
        kind: rng.percent(percent).then(|| rng.some(Kind::ALL)),
        mode: rng.percent(percent).then(|| rng.some(Mode::ALL)),
        region: rng.percent(percent).then(|| rng.some(&regions)),
        standing: Vec::new(),
        flags: Vec::new(),
    };
    if when.regime.is_none() && rng.percent(percent) {
        when.surface = Some(rng.some(&surfaces));
    }
    for purpose in version.purposes.iter().filter(|purpose| purpose.is_chosen()) {
        if rng.percent(percent) {
            when.standing.push((purpose.name.clone(), rng.some(Standing::ALL)));
        }
    }
    for flag in Flag::ALL {
        if rng.percent(percent) {
            let values = if rng.percent(8) { vec![false, true] } else { vec![rng.percent(40)] };
            when.flags.push((*flag, values));
        }
    }
    when
}
