//! How a report reads, on every face the same.

use std::fmt;

use serde::Serialize;
use tenure_model::Instant;

/// A report in plain words, in the order in which it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Words {
    /// The one sentence that matters most.
    pub headline: String,
    /// What is proved, or what to do, line by line.
    pub lines: Vec<Line>,
    /// What the reader should know before relying on it.
    pub notes: Vec<String>,
}

/// One line of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What it is about.
    pub label: &'static str,
    /// What is so.
    pub text: String,
}

/// A name between backticks. Whatever could change how a screen shows it is escaped, since a file may have
/// been written by anyone.
pub(crate) struct Name<'a>(pub(crate) &'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}`", self.0.escape_debug().to_string().replace('`', "\\u{60}"))
    }
}

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

/// An instant written out: "2 September 2025, 09:00 UTC".
pub(crate) fn date(instant: Instant) -> String {
    // RFC 3339 in UTC: 2025-09-02T09:00:00Z, with the fraction of a second before the Z if there is one.
    let text = instant.to_string();
    written_out(&text).unwrap_or(text)
}

fn written_out(rfc3339: &str) -> Option<String> {
    let (date, time) = rfc3339.split_once('T')?;
    let (year, month_and_day) = date.split_once('-')?;
    let (month, day) = month_and_day.split_once('-')?;
    let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
    let time = time.strip_suffix('Z')?;
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    let time = time.strip_suffix(":00").unwrap_or(time);
    Some(format!("{} {month} {year}, {time} UTC", day.trim_start_matches('0')))
}

/// A number with its thousands set apart: "20,852,163".
pub(crate) fn grouped(number: u64) -> String {
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
    fn a_date_is_written_out_with_its_time_zone() {
        let date = |text| date(Instant::parse(text).unwrap());
        assert_eq!(date("2025-09-02T09:00:00Z"), "2 September 2025, 09:00 UTC");
        assert_eq!(date("2025-12-31T23:59:59.25Z"), "31 December 2025, 23:59:59 UTC");
        assert_eq!(date("2025-01-10T00:00:00+02:00"), "9 January 2025, 22:00 UTC");
        assert_eq!(date("0001-02-03T04:05:00Z"), "3 February 0001, 04:05 UTC");
    }

    #[test]
    fn a_name_cannot_change_how_the_screen_shows_it() {
        assert_eq!(Name("a\u{1b}[2J`\u{202e}\u{ad}ü").to_string(), r"`a\u{1b}[2J\u{60}\u{202e}\u{ad}ü`");
        assert_eq!(Name("log.example/2025").to_string(), "`log.example/2025`");
    }

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000), "1,000");
        assert_eq!(grouped(20_852_163), "20,852,163");
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }
}
