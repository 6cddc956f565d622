//! Instants a while after others.

use tenure_model::Instant;

const MICROS_PER_HOUR: i64 = 3_600_000_000;

pub(crate) const fn hours_after(instant: Instant, hours: i64) -> Instant {
    Instant::saturating_from_micros(instant.micros().saturating_add(hours.saturating_mul(MICROS_PER_HOUR)))
}

pub(crate) const fn days_after(instant: Instant, days: i64) -> Instant {
    hours_after(instant, days.saturating_mul(24))
}
