//! Instants that are likely to lie exactly on a boundary.

use tenure_model::{Instant, MonthLength, Span, Term};
use tenure_policy::language::{Ground, Version};

use super::draft::{DAY, HOUR, SECOND};
use super::rng::Rng;
use crate::lineage::Lineage;

/// The 29th of February of 2024 and of 2028, and the last day of a month that clamps onto it.
const LEAP_DAYS: &[Instant] = &[
    Instant::saturating_from_micros(1_709_164_800 * SECOND),
    Instant::saturating_from_micros(1_835_395_200 * SECOND),
    Instant::saturating_from_micros(1_725_062_400 * SECOND),
];

/// The instants and spans of a lineage, and the instants that a case already has.
#[derive(Debug)]
pub(super) struct Moments {
    pub(super) at: Instant,
    known: Vec<Instant>,
    spans: Vec<(Span, MonthLength)>,
    floor: i64,
}

impl Moments {
    /// Draws the instant of the verdict.
    pub(super) fn new(rng: &mut Rng, lineage: &Lineage) -> Self {
        let known: Vec<Instant> = lineage
            .versions()
            .iter()
            .flat_map(|version| [Some(version.announced), Some(version.effective), version.decide_by])
            .flatten()
            .collect();
        let spans = lineage.versions().iter().flat_map(spans).collect();
        let first = known.iter().min().copied().unwrap_or(Instant::MIN);
        let last = known.iter().max().copied().unwrap_or(Instant::MIN);
        let mut moments = Self { at: last, known, spans, floor: first.micros() - 60 * DAY };
        let base = if rng.percent(2) {
            // At the end of the calendar, where every term is cut short.
            Instant::saturating_from_micros(Instant::MAX.micros() - rng.pick_or(&[0, 1, 400], 0) * DAY)
        } else if rng.percent(30) {
            rng.pick_or(&moments.known, last)
        } else {
            let days = rng.pick_or(&[0, 1, 31, 100, 400, 2_000], 0);
            Instant::saturating_from_micros(last.micros() + days * DAY)
        };
        moments.at = moments.after(rng, base);
        moments
    }

    /// An instant before everything in the lineage.
    pub(super) const fn earliest(&self) -> Instant {
        Instant::saturating_from_micros(self.floor)
    }

    /// An instant up to that of the verdict.
    pub(super) fn past(&mut self, rng: &mut Rng) -> Instant {
        let mut moment = match rng.below(20) {
            0..=5 => rng.pick_or(&self.known, self.at),
            6..=9 => self.before(rng),
            10 => self.at,
            11 => rng.pick_or(LEAP_DAYS, self.at),
            _ => {
                let range = usize::try_from((self.at.micros() - self.floor) / HOUR).unwrap_or(1).max(1);
                let hours = i64::try_from(rng.below(range)).unwrap_or(0);
                Instant::saturating_from_micros(self.floor + hours * HOUR)
            }
        };
        if rng.percent(6) {
            let by = rng.pick_or(&[-1, 1], 1);
            moment = Instant::saturating_from_micros(moment.micros() + by);
        }
        let moment = moment.min(self.at);
        self.known.push(moment);
        moment
    }

    /// An instant between two others, at times one of them.
    pub(super) fn within(&mut self, rng: &mut Rng, low: Instant, high: Instant) -> Instant {
        match rng.below(10) {
            0..=1 => low,
            2..=3 => high,
            _ => self.past(rng).clamp(low, high),
        }
    }

    /// An instant up to that of the verdict, or now and then a later one.
    pub(super) fn any(&mut self, rng: &mut Rng) -> Instant {
        if rng.percent(6) {
            let later = rng.pick_or(&[1, HOUR, 40 * DAY], 1);
            Instant::saturating_from_micros(self.at.micros() + later)
        } else {
            self.past(rng)
        }
    }

    /// One that happened, or did not.
    pub(super) fn perhaps(&mut self, rng: &mut Rng, percent: usize) -> Option<Instant> {
        rng.percent(percent).then(|| self.any(rng))
    }

    /// Some known instant, or one span of the lineage after it.
    fn after(&self, rng: &mut Rng, base: Instant) -> Instant {
        match rng.pick(&self.spans) {
            Some((span, months)) if rng.percent(50) => base.plus(*span, *months),
            _ => base,
        }
    }

    /// An instant from which one of the spans ends at the verdict, as exactly as the calendar has it.
    fn before(&self, rng: &mut Rng) -> Instant {
        let Some((span, months)) = rng.pick(&self.spans).copied() else { return self.at };
        let half_hours = i64::try_from(span.nominal_half_hours(months)).unwrap_or(0);
        let guess = Instant::saturating_from_micros(self.at.micros() - half_hours * (HOUR / 2));
        let miss = guess.plus(span, months).micros() - self.at.micros();
        Instant::saturating_from_micros(guess.micros() - miss)
    }
}

/// Every span from which something runs.
fn spans(version: &Version) -> Vec<(Span, MonthLength)> {
    let terms = version.keeps.iter().filter_map(|keep| match keep.term {
        Term::For(span) => Some(span),
        Term::Indefinite => None,
    });
    let waits = version.purposes.iter().filter_map(|purpose| match purpose.ground {
        Ground::Objection { wait } => Some(wait),
        Ground::Consent | Ground::None => None,
    });
    terms.chain(waits).chain([version.grace]).map(|span| (span, version.months)).collect()
}
