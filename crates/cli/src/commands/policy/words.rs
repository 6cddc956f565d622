//! Text for people: styles, and lines that fit.

use tenure_model::Instant;

use crate::output;

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

/// Text without what would steer a terminal.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Text in lines of at most `width` characters, each after an indent.
pub(super) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    let text = printable(text);
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

/// Text in pieces: those that were between backticks are the words of a file.
pub(super) fn coded(text: &str) -> impl Iterator<Item = (bool, &str)> {
    text.split('`').enumerate().map(|(index, piece)| (index % 2 == 1, piece)).filter(|(_, p)| !p.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_file_are_told_apart() {
        let pieces: Vec<_> = coded("`train` uses `content`").collect();
        assert_eq!(pieces, [(true, "train"), (false, " uses "), (true, "content")]);
    }

    #[test]
    fn what_a_file_says_never_steers_the_terminal() {
        assert_eq!(wrapped("a\u{1b}[31mb\u{7}", 0, 80), "a [31mb");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 2, 9), "  one two\n  three");
    }
}
