//! Instants, calendar spans and days.
//!
//! Calendar arithmetic is done in UTC and clamped to the end of the month:
//! 2024-02-29 plus five years is 2029-02-28, and 2025-08-31 plus 18 months is 2027-02-28.

mod civil;
mod instant;
mod rfc3339;
mod span;
#[cfg(test)]
mod tests;

pub use instant::{Day, Instant, TimeError};
pub use span::{Anchored, MonthLength, Span, SpanError, Term, Unit};
