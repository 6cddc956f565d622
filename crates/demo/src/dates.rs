//! Dates of the story, and how they are written out.

use tenure_model::Instant;

const MINUTE: i64 = 60_000_000;
pub(crate) const DAY: i64 = 24 * 60 * MINUTE;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The start of a date of the story, such as `2025-08-28`.
pub(crate) fn date(text: &str) -> Instant {
    Instant::parse(&format!("{text}T00:00:00Z")).unwrap_or(Instant::MIN)
}

pub(crate) fn days_after(at: Instant, days: i64) -> Instant {
    Instant::saturating_from_micros(at.micros().saturating_add(days.saturating_mul(DAY)))
}

pub(crate) fn minutes_after(at: Instant, minutes: i64) -> Instant {
    Instant::saturating_from_micros(at.micros().saturating_add(minutes.saturating_mul(MINUTE)))
}

/// The whole days from one instant to another; negative where the other is earlier.
pub(crate) const fn days_between(from: Instant, to: Instant) -> i64 {
    to.micros().saturating_sub(from.micros()).div_euclid(DAY)
}

/// Year, month and day of the month.
pub(crate) fn parts(at: Instant) -> (i64, usize, i64) {
    let text = at.to_string();
    let mut numbers = text.split(['-', 'T']).map(|part| part.parse::<i64>().unwrap_or(0));
    let (year, month, day) = (numbers.next(), numbers.next(), numbers.next());
    (year.unwrap_or(0), usize::try_from(month.unwrap_or(1)).unwrap_or(1), day.unwrap_or(1))
}

/// The date in words, such as `28 August 2025`.
pub(crate) fn long(at: Instant) -> String {
    let (year, month, day) = parts(at);
    format!("{day} {} {year}", MONTHS.get(month.saturating_sub(1)).copied().unwrap_or_default())
}

/// The date in few characters, such as `28 Aug 2025`.
pub fn short(at: Instant) -> String {
    let (year, month, day) = parts(at);
    let name = MONTHS.get(month.saturating_sub(1)).copied().unwrap_or_default();
    format!("{day:>2} {} {year}", name.get(..3).unwrap_or_default())
}

/// The first instant of the month that follows.
pub(crate) fn next_month(at: Instant) -> Instant {
    let (year, month, _) = parts(at);
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    date(&format!("{year:04}-{month:02}-01"))
}

/// A count with its noun, in the form that the count asks for.
pub(crate) fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A number with its thousands set apart.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_out() {
        let at = minutes_after(date("2025-08-28"), 90);
        assert_eq!((long(at).as_str(), short(at).as_str()), ("28 August 2025", "28 Aug 2025"));
        assert_eq!(next_month(date("2025-12-31")), date("2026-01-01"));
        assert_eq!(days_between(date("2025-10-08"), date("2030-10-08")), 1826);
        assert_eq!(days_between(at, date("2025-08-28")), -1);
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!((grouped(7).as_str(), grouped(1_234_567).as_str()), ("7", "1,234,567"));
        assert_eq!(count(1, "copy", "copies"), "1 copy");
    }
}
