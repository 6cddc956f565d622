//! Instants and days.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::civil::{civil_from_days, days_from_civil, days_in_month};
use super::{MonthLength, Span, Unit};

pub(super) const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_HOUR: i64 = 3_600 * MICROS_PER_SECOND;
pub(super) const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// A point in time: microseconds since the Unix epoch, UTC.
///
/// Always within the years 0000 to 9999, so that it can be written as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

/// Why a text or a number is not an instant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The text is not of the form that RFC 3339 asks for.
    #[error("`{0}` is not an RFC 3339 instant such as 2025-10-08T00:00:00Z")]
    Malformed(String),
    /// The form is right, but there is no such date or time of day.
    #[error("`{0}` does not exist in the calendar")]
    Impossible(String),
    /// The number lies outside the years 0000 to 9999.
    #[error("an instant must lie within the years 0000 to 9999")]
    OutOfRange,
}

impl Instant {
    /// The first instant of the year 0000.
    pub const MIN: Self = Self(-62_167_219_200 * MICROS_PER_SECOND);
    /// The last microsecond of the year 9999.
    pub const MAX: Self = Self(253_402_300_800 * MICROS_PER_SECOND - 1);

    /// The instant that many microseconds after the Unix epoch, if it lies in the years 0000 to 9999.
    pub const fn from_micros(micros: i64) -> Result<Self, TimeError> {
        if micros < Self::MIN.0 || micros > Self::MAX.0 {
            return Err(TimeError::OutOfRange);
        }
        Ok(Self(micros))
    }

    /// The nearest instant that can be written, for arithmetic that runs off the calendar.
    pub const fn saturating_from_micros(micros: i64) -> Self {
        if micros < Self::MIN.0 {
            Self::MIN
        } else if micros > Self::MAX.0 {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The UTC day that this instant lies in.
    pub const fn day(self) -> Day {
        #[expect(clippy::cast_possible_truncation, reason = "ten thousand years have 3.7 million days")]
        Day(self.0.div_euclid(MICROS_PER_DAY) as i32)
    }

    /// This instant plus a calendar span, clamped to the end of the month and to the year 9999.
    #[must_use]
    pub fn plus(self, span: Span, months: MonthLength) -> Self {
        let count = i64::from(span.count);
        match (span.unit, months) {
            (Unit::Hours, _) => self.plus_micros(count * MICROS_PER_HOUR),
            (Unit::Days, _) => self.plus_micros(count * MICROS_PER_DAY),
            (Unit::Weeks, _) => self.plus_micros(count * 7 * MICROS_PER_DAY),
            (Unit::Months, MonthLength::ThirtyDays) => self.plus_micros(count * 30 * MICROS_PER_DAY),
            (Unit::Months, MonthLength::Calendar) => self.plus_months(count),
            (Unit::Years, _) => self.plus_months(count * 12),
        }
    }

    const fn plus_micros(self, micros: i64) -> Self {
        Self::saturating_from_micros(self.0.saturating_add(micros))
    }

    fn plus_months(self, months: i64) -> Self {
        let midnight = self.0.div_euclid(MICROS_PER_DAY);
        let within_day = self.0.rem_euclid(MICROS_PER_DAY);
        let (year, month, day) = civil_from_days(midnight);
        let months_since_zero = year * 12 + (month - 1) + months;
        let (year, month) = (months_since_zero.div_euclid(12), months_since_zero.rem_euclid(12) + 1);
        if year > 9_999 {
            return Self::MAX;
        }
        let day = day.min(days_in_month(year, month));
        Self::saturating_from_micros(days_from_civil(year, month, day) * MICROS_PER_DAY + within_day)
    }
}

/// A UTC day, counted from the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Day(pub i32);

impl Day {
    /// The first instant of the day.
    pub const fn start(self) -> Instant {
        Instant::saturating_from_micros(self.0 as i64 * MICROS_PER_DAY)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_from_days(i64::from(self.0));
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}
