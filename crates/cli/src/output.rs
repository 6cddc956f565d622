//! What the terminal shows: text for people, JSON for programs, and the same facts in both.

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

/// A table without boxes: white space, and one line under the heading.
pub(crate) fn table<const N: usize>(heading: [&str; N]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_header(heading);
    table
}
