//! Random pasts: when versions were published and withdrawn, and what was known of an account and a record before.

use tenure_model::Instant;
use tenure_policy::case::Case;
use tenure_policy::language::Version;
use tenure_policy::{Facts, FormerFacts, Life, Lineage, Unflagged};
use tenure_reference::{Before, Former};

pub(crate) const DAY: i64 = 86_400_000_000;

/// A small generator of its own, so that a seed gives the same test.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound.max(1)
    }

    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// An instant between two, now and then one of them.
    pub(crate) fn between(&mut self, low: Instant, high: Instant) -> Instant {
        let share = i64::try_from(self.below(1_001)).unwrap();
        let span = high.micros().saturating_sub(low.micros()).max(0);
        moved(low, span / 1_000 * share).min(high).max(low)
    }
}

pub(crate) fn moved(at: Instant, micros: i64) -> Instant {
    Instant::saturating_from_micros(at.micros().saturating_add(micros))
}

/// When the versions of a lineage live, so that its compiler accepts them; some are withdrawn.
pub(crate) fn lived(
    dice: &mut Dice,
    versions: &[Version],
    withdrawn: usize,
) -> (Lineage, Vec<(Version, Life)>) {
    for _ in 0..4 {
        let lives: Vec<(Version, Life)> = versions
            .iter()
            .map(|version| {
                let published = match dice.below(10) {
                    0..=4 => version.announced,
                    5..=6 => Instant::MIN,
                    7 => version.effective,
                    _ => moved(version.announced, dice.pick(&[-DAY, 1, DAY, 40 * DAY])),
                };
                let after = dice.pick(&[0, 1, DAY, 20 * DAY, 100 * DAY, 400 * DAY]);
                let end = dice.pick(&[version.announced, version.effective]).max(published);
                let withdrawn = dice.percent(withdrawn).then(|| moved(end, after));
                (version.clone(), Life { published, withdrawn })
            })
            .collect();
        if let Ok(lineage) = Lineage::compile_lived(lives.clone()) {
            return (lineage, lives);
        }
    }
    let lives: Vec<_> = versions.iter().map(|version| (version.clone(), Life::default())).collect();
    (Lineage::compile_lived(lives.clone()).unwrap(), lives)
}

/// What was known before, up to the instant of a case.
pub(crate) fn before(dice: &mut Dice, case: &Case<'_>) -> Before {
    let active = case.record.conversation_last_activity_at.unwrap_or(case.record.last_activity_at);
    let mut instant = || match dice.below(6) {
        0 => active,
        1 => case.at,
        _ => dice.between(active, case.at),
    };
    let (mut untils, mut flag) = ([instant(), instant()], [instant(), instant()]);
    untils.sort_unstable();
    flag.sort_unstable();
    let known = dice.pick(&[0, 0, 1, 2]);
    let former = untils.into_iter().take(known).map(|until| Former {
        until,
        country: dice.pick(&[None, Some("DE"), Some("US"), Some("FR"), Some("BR")]).map(str::to_owned),
        minor: dice.pick(&[None, Some(true), Some(false), Some(false)]),
    });
    let former = former.collect();
    Before { former, unflagged: dice.percent(30).then_some((flag[0], flag[1])) }
}

/// The facts of a case with what was known before.
pub(crate) fn with_before<'a>(facts: &Facts<'a>, before: &'a Before) -> Facts<'a> {
    let former = before.former.iter().map(|former| FormerFacts {
        until: former.until,
        country: former.country.as_deref(),
        minor: former.minor,
    });
    let unflagged = before.unflagged.map(|(flagged_at, cleared_at)| Unflagged { flagged_at, cleared_at });
    Facts { former: former.collect(), unflagged, ..facts.clone() }
}

/// Every class that some version has, in order.
pub(crate) fn classes(lineage: &Lineage) -> Vec<String> {
    let mut classes: Vec<String> =
        lineage.versions().flat_map(|(_, version)| version.classes().map(str::to_owned)).collect();
    classes.sort();
    classes.dedup();
    classes
}
