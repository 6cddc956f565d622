//! Calendar spans, terms, and where a term ends.

use std::fmt;
use std::str::FromStr;

use super::Instant;

/// How long a month is, where a policy counts in months. Years are always calendar years.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum MonthLength {
    /// The same day of a later month, clamped to its end.
    #[default]
    Calendar,
    /// Exactly thirty days, as some terms count.
    ThirtyDays,
}

/// The unit of a [`Span`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Unit {
    /// Sixty minutes.
    Hours,
    /// Twenty-four hours.
    Days,
    /// Seven days.
    Weeks,
    /// See [`MonthLength`].
    Months,
    /// Twelve calendar months.
    Years,
}

impl Unit {
    const fn word(self) -> &'static str {
        match self {
            Self::Hours => "hour",
            Self::Days => "day",
            Self::Weeks => "week",
            Self::Months => "month",
            Self::Years => "year",
        }
    }
}

/// A calendar span such as "30 days" or "5 years".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    /// How many of the unit.
    pub count: u32,
    /// The unit.
    pub unit: Unit,
}

/// Why a text is not a span.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a duration: write a whole number up to 100000 and hours, days, weeks, months or years, such as `30 days`"
)]
pub struct SpanError(pub String);

impl Span {
    /// The longest count that a span may have; enough for any term, and small enough to never overflow.
    pub const COUNT_MAX: u32 = 100_000;

    /// A span of whole days.
    pub const fn days(count: u32) -> Self {
        Self { count, unit: Unit::Days }
    }

    /// A span of calendar years.
    pub const fn years(count: u32) -> Self {
        Self { count, unit: Unit::Years }
    }

    /// The span in half hours, to compare spans of different units: a year is 8,766 hours and a month
    /// 730.5, or 720 where months are 30 days.
    pub const fn nominal_half_hours(self, months: MonthLength) -> u64 {
        let each = match (self.unit, months) {
            (Unit::Hours, _) => 2,
            (Unit::Days, _) => 48,
            (Unit::Weeks, _) => 336,
            (Unit::Months, MonthLength::Calendar) => 1_461,
            (Unit::Months, MonthLength::ThirtyDays) => 1_440,
            (Unit::Years, _) => 17_532,
        };
        self.count as u64 * each
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = || SpanError(text.to_owned());
        let (count, unit) = text.split_once(' ').ok_or_else(error)?;
        if count.is_empty() || !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(error());
        }
        let count = count.parse().ok().filter(|count| *count <= Self::COUNT_MAX).ok_or_else(error)?;
        let unit = match unit {
            "hours" | "hour" => Unit::Hours,
            "days" | "day" => Unit::Days,
            "weeks" | "week" => Unit::Weeks,
            "months" | "month" => Unit::Months,
            "years" | "year" => Unit::Years,
            _ => return Err(error()),
        };
        Ok(Self { count, unit })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.count, self.unit.word(), if self.count == 1 { "" } else { "s" })
    }
}

/// How long something may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Term {
    /// Until the calendar span has passed.
    For(Span),
    /// Without an end.
    Indefinite,
}

impl FromStr for Term {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        if text == "indefinite" { Ok(Self::Indefinite) } else { text.parse().map(Self::For) }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::For(span) => span.fmt(f),
            Self::Indefinite => f.write_str("indefinite"),
        }
    }
}

/// The end of a term that began at some anchor. Ordered, so that the latest is the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Anchored {
    /// Ends at this instant; half-open, so a copy may exist only before it.
    Until(Instant),
    /// Never ends.
    Indefinite,
}

impl Anchored {
    /// The end of `term` begun at `anchor`.
    pub fn end(anchor: Instant, term: Term, months: MonthLength) -> Self {
        match term {
            Term::For(span) => Self::Until(anchor.plus(span, months)),
            Term::Indefinite => Self::Indefinite,
        }
    }

    /// Whether the term still runs at `at`.
    pub fn is_live(self, at: Instant) -> bool {
        match self {
            Self::Until(until) => until > at,
            Self::Indefinite => true,
        }
    }
}
