//! Dates and styles, for people.

use tenure_model::Instant;

use crate::output;

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

/// A date written out: "8 October 2025", with the time where it is not midnight UTC.
pub(super) fn date(instant: Instant) -> String {
    let mut bytes = Vec::new();
    instant.write_rfc3339(&mut bytes);
    let text = String::from_utf8(bytes).unwrap_or_default();
    let written = || {
        let (day, time) = text.split_once('T')?;
        let mut parts = day.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
        let date = format!("{} {month} {year}", day.trim_start_matches('0'));
        let time = time.trim_end_matches('Z');
        if time == "00:00:00" {
            return Some(date);
        }
        Some(format!("{date}, {} UTC", time.strip_suffix(":00").unwrap_or(time)))
    };
    written().unwrap_or_else(|| text.clone())
}

/// An instant for programs.
pub(super) fn rfc3339(instant: Instant) -> String {
    let mut bytes = Vec::new();
    instant.write_rfc3339(&mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Text in a colour or weight, on a terminal that shows it.
pub(super) fn paint(code: &str, text: &str) -> String {
    if output::has_colour() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A heading for the terminal.
pub(super) fn heading(text: &str) -> String {
    paint("1", text)
}

/// Words with the first letter as a capital, to start a sentence.
pub(super) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A list as a sentence has it: "a, b and c".
pub(super) fn and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., end] => format!("{} and {end}", start.join(", ")),
    }
}

/// Text in lines of at most `width` characters, each after an indent.
pub(super) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    let indent = " ".repeat(indent);
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}

/// The width to write in: the terminal's, within reason.
pub(super) fn width() -> usize {
    let terminal = output::table([]).width().map(usize::from);
    let asked = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal.or(asked).unwrap_or(110).clamp(40, 160)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_out_and_says_its_time_where_that_matters() {
        let date = |text: &str| date(Instant::parse(text).unwrap());
        assert_eq!(date("2025-10-08T00:00:00Z"), "8 October 2025");
        assert_eq!(date("2025-10-08T09:30:00Z"), "8 October 2025, 09:30 UTC");
        assert_eq!(date("2025-12-31T23:59:59.5Z"), "31 December 2025, 23:59:59.5 UTC");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 2, 9), "  one two\n  three");
    }
}
