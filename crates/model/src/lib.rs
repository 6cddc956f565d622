//! The words and the time that every other crate shares.
//!
//! Nothing here does I/O, reads a clock or draws a random number.
//! Words are those of the glossary in `ARCHITECTURE.md`; an instant is a count of microseconds and
//! a term is a calendar span, because "five years" is not a number of seconds.

mod country;
mod time;
mod words;

pub use country::is_iso_3166;
pub use time::{Anchored, Day, Instant, MonthLength, Span, SpanError, Term, TimeError, Unit};
pub use words::{Choice, Kind, Mode, Regime, UnknownWord};
