//! What the terminal shows: text for people, in lines that fit and with colour where that is seen, JSON
//! for programs, and the same facts in both.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

/// Prints a line, or gives the error back, so that a closed pipe ends the program quietly.
pub(crate) fn say(text: impl std::fmt::Display) -> anyhow::Result<()> {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// Prints one JSON document on one line.
pub(crate) fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    // The document is made before it is written, so that a closed pipe is seen for what it is.
    say(serde_json::to_string(value)?)
}

/// Prints an error with what caused it, one cause a line.
pub(crate) fn complain(error: &anyhow::Error) {
    let mut out = io::stderr().lock();
    // Nothing is left to do where even the complaint can't be written.
    drop(writeln!(out, "error: {error}"));
    for cause in error.chain().skip(1) {
        drop(writeln!(out, "  because {cause}"));
    }
}

/// Whether an error only says that nobody reads any more.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// Whether to use colour: only on a terminal, and never against `NO_COLOR`.
pub(crate) fn has_colour() -> bool {
    io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Text in a colour or weight, on a terminal that shows it.
pub(crate) fn paint(code: &str, text: &str) -> String {
    if has_colour() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// A heading for the terminal.
pub(crate) fn heading(text: &str) -> String {
    paint("1", text)
}

/// A table without boxes: white space, and one line under the heading.
pub(crate) fn table<const N: usize>(heading: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heading);
    // Some terminals report no width at all, which would leave no room for a single column.
    if table.width() == Some(0) {
        table.set_width(80);
    }
    table
}

/// The width that policies are written in: the terminal's, within reason.
pub(crate) fn width() -> usize {
    let asked = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    terminal_width().or_else(asked).unwrap_or(110).clamp(40, 160)
}

/// The width of the terminal, if one is written to.
fn terminal_width() -> Option<usize> {
    table([]).width().map(usize::from)
}

/// Prints a sentence after an indent, broken between words; the lines that follow hang by four more.
pub(crate) fn say_at(indent: usize, text: impl std::fmt::Display) -> anyhow::Result<()> {
    let width = terminal_width().unwrap_or(100).clamp(40, 100);
    say(broken(&text.to_string(), [indent, indent + 4], width))
}

/// Text in lines of at most `width` characters, each after an indent, without what would steer a terminal.
pub(crate) fn wrapped(text: &str, indent: usize, width: usize) -> String {
    broken(&printable(text), [indent, indent], width)
}

/// Text broken between words, after the indents of its first line and of those that follow.
fn broken(text: &str, [first, following]: [usize; 2], width: usize) -> String {
    let mut out = " ".repeat(first);
    let mut column = first;
    for (place, word) in text.split_whitespace().enumerate() {
        let length = word.chars().count();
        if place > 0 && column + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(following));
            column = following;
        } else if place > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

/// Text without what would steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_file_says_never_steers_the_terminal() {
        assert_eq!(wrapped("a\u{1b}[31mb\u{7}", 0, 80), "a [31mb");
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 2, 9), "  one two\n  three");
    }

    #[test]
    fn a_long_sentence_is_broken_between_words_and_hangs() {
        assert_eq!(broken("one two three four", [2, 6], 15), "  one two three\n      four");
    }
}
