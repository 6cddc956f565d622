//! How Tenure speaks: dates written out with how far away they are, numbers with their things, and
//! lists as a sentence has them.

use jiff::{Timestamp, Unit, tz::TimeZone};
use tenure_model::Instant;

/// A date written out: "8 October 2025", with the time where it is not midnight UTC.
pub(crate) fn date(instant: Instant) -> String {
    let Ok(timestamp) = Timestamp::from_microsecond(instant.micros()) else { return instant.to_string() };
    let day = TimeZone::UTC.to_datetime(timestamp);
    let seconds = instant.micros().rem_euclid(86_400_000_000) / 1_000_000;
    let form = match (seconds, seconds % 60) {
        (0, _) => "%-d %B %Y",
        (_, 0) => "%-d %B %Y, %H:%M UTC",
        _ => "%-d %B %Y, %H:%M:%S UTC",
    };
    day.strftime(form).to_string()
}

/// How far an instant is from another one: "in 27 days", "4 months ago", "now".
pub(crate) fn distance(instant: Instant, now: Instant) -> String {
    let far = length(instant, now);
    match instant.cmp(&now) {
        _ if far.is_empty() => "now".to_owned(),
        std::cmp::Ordering::Less => format!("{far} ago"),
        _ => format!("in {far}"),
    }
}

/// A date with how far away it is.
pub(crate) fn dated(instant: Instant, now: Instant) -> String {
    format!("{} ({})", date(instant), distance(instant, now))
}

/// The time between two instants, in the two largest units that matter.
fn length(one: Instant, other: Instant) -> String {
    const MINUTE: i64 = 60_000_000;
    let (early, late) = (one.min(other), one.max(other));
    let micros = late.micros().saturating_sub(early.micros());
    let days = micros / (24 * 60 * MINUTE);
    match days {
        0 if micros < MINUTE => String::new(),
        0 if micros < 60 * MINUTE => some(micros / MINUTE, "minute"),
        0 => some(micros / (60 * MINUTE), "hour"),
        1..=60 => some(days, "day"),
        _ => calendar(early, late).unwrap_or_else(|| some(days, "day")),
    }
}

fn calendar(early: Instant, late: Instant) -> Option<String> {
    let civil = |instant: Instant| {
        let timestamp = Timestamp::from_microsecond(instant.micros()).ok()?;
        Some(TimeZone::UTC.to_datetime(timestamp))
    };
    let span = civil(early)?.until((Unit::Year, civil(late)?)).ok()?;
    let (years, months) = (i64::from(span.get_years()), i64::from(span.get_months()));
    Some(match (years, months) {
        (0, months) => some(months, "month"),
        (years, 0) => some(years, "year"),
        (years, months) => format!("{} and {}", some(years, "year"), some(months, "month")),
    })
}

/// A number of things: "1 record", "12 records", "12,000 records".
pub(crate) fn some(count: impl TryInto<i64>, thing: &str) -> String {
    let count = count.try_into().unwrap_or(i64::MAX);
    let plural = match thing {
        _ if count == 1 => thing.to_owned(),
        "copy" => "copies".to_owned(),
        "body" => "bodies".to_owned(),
        "leaf" => "leaves".to_owned(),
        "batch" => "batches".to_owned(),
        "policy" => "policies".to_owned(),
        other => format!("{other}s"),
    };
    format!("{} {plural}", grouped(count))
}

/// A number with its thousands set apart.
pub(crate) fn grouped(count: impl TryInto<i64>) -> String {
    let digits = count.try_into().unwrap_or(i64::MAX).to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A list as a sentence has it: "a, b and c".
pub(crate) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., end] => format!("{} and {end}", start.join(", ")),
    }
}

/// Words with the first letter as a capital, to start a sentence.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// Text in pieces: those that were between backticks are the words of a file.
pub(crate) fn coded(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(index, piece)| (index % 2 == 1, piece)).filter(|(_, p)| !p.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        Instant::parse(text).unwrap()
    }

    #[test]
    fn a_date_is_written_out_and_says_its_time_where_that_matters() {
        assert_eq!(date(at("2030-09-10T00:00:00Z")), "10 September 2030");
        assert_eq!(date(at("2030-09-10T10:05:00Z")), "10 September 2030, 10:05 UTC");
        assert_eq!(date(at("2030-09-10T10:05:09.5Z")), "10 September 2030, 10:05:09 UTC");
    }

    #[test]
    fn a_date_says_how_far_away_it_is() {
        let now = at("2025-11-01T00:00:00Z");
        let far = |text: &str| distance(at(text), now);
        assert_eq!(far("2025-11-28T00:00:00Z"), "in 27 days");
        assert_eq!(far("2025-11-02T00:00:00Z"), "in 1 day");
        assert_eq!(far("2025-11-01T05:30:00Z"), "in 5 hours");
        assert_eq!(far("2025-11-01T00:00:30Z"), "now");
        assert_eq!(far("2030-09-10T10:00:00Z"), "in 4 years and 10 months");
        assert_eq!(far("2030-11-01T00:00:00Z"), "in 5 years");
        assert_eq!(far("2025-06-01T00:00:00Z"), "5 months ago");
    }

    #[test]
    fn numbers_are_read_in_groups_of_three() {
        assert_eq!([grouped(7), grouped(1_000), grouped(-1_234_567)], ["7", "1,000", "-1,234,567"]);
        assert_eq!(
            [some(1, "copy"), some(2, "copy"), some(0, "record")],
            ["1 copy", "2 copies", "0 records"]
        );
    }

    #[test]
    fn the_words_of_a_file_are_told_apart() {
        let pieces: Vec<_> = coded("`train` uses `content`").collect();
        assert_eq!(pieces, [(true, "train"), (false, " uses "), (true, "content")]);
    }
}
