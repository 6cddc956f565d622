//! Reads conversations from the files that people and providers have: exports of Claude.ai and
//! ChatGPT, Claude Code sessions, OpenAI and ShareGPT files, and Tenure's own JSONL.
//!
//! Reading is streaming (one conversation in memory, or one group of sessions) and lenient: what is
//! not understood is counted in a [`Report`] with its place, and the rest goes on. It takes two passes.
//! [`inspect`] refuses, before anything is handed out, what is not of the format or is not whole;
//! [`read`] hands out the items. Consent is never read from an export, and a missing time stays unknown.

mod archive;
mod chatgpt;
mod claude;
mod claude_code;
mod conversation;
mod error;
mod fields;
mod format;
mod native;
mod nesting;
mod openai;
mod pass;
mod report;
mod sharegpt;
mod sniff;
mod stream;
mod tree;

use std::io::Read;
use std::path::Path;

pub use conversation::{Account, Conversation, Item, Message, Role};
pub use error::{Failure, ReadError};
pub use format::{Format, UnknownFormat};
pub use pass::Progress;
pub use report::{Place, Report, Tally, Trouble};

use error::Halt;
use pass::Pass;

/// Checks that `path` is whole and holds the format, without handing anything out.
///
/// Arrays and archives are read to their end; a file of lines, of which each is checked when it is
/// read, only to its first line that is understood.
pub fn inspect(format: Format, path: &Path) -> Result<(), ReadError> {
    inspect_with_progress(format, path, &mut |_| ())
}

/// As [`inspect`], and tells how far it is.
pub fn inspect_with_progress(
    format: Format,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), ReadError> {
    let mut pass = Pass::inspecting(format, progress);
    match pass.run(path) {
        Ok(()) | Err(Halt::Stopped) => Ok(()),
        Err(Halt::Read(error)) => Err(error),
    }
}

/// Hands every item of `path` to `sink`, in the order of the file, and says what became of the rest.
pub fn read<E>(
    format: Format,
    path: &Path,
    sink: &mut dyn FnMut(Item) -> Result<(), E>,
) -> Result<Report, Failure<E>> {
    read_with_progress(format, path, &mut |_| (), sink)
}

/// As [`read`], and tells how far it is.
pub fn read_with_progress<E>(
    format: Format,
    path: &Path,
    progress: &mut dyn FnMut(Progress),
    sink: &mut dyn FnMut(Item) -> Result<(), E>,
) -> Result<Report, Failure<E>> {
    let mut refusal = None;
    let mut hand_out = |item| {
        sink(item).map_err(|error| {
            refusal = Some(error);
            Halt::Stopped
        })
    };
    let mut pass = Pass::reading(format, progress, &mut hand_out);
    let outcome = pass.run(path);
    settle(outcome, pass.into_report(), refusal)
}

/// Hands every item of a stream of Tenure's own lines to `sink`, in its order, and says what became of the rest.
///
/// A stream is read once, so what is wrong with it shows when it is reached: what came before was handed out.
pub fn read_stream<E>(
    stream: impl Read,
    sink: &mut dyn FnMut(Item) -> Result<(), E>,
) -> Result<Report, Failure<E>> {
    let mut refusal = None;
    let mut hand_out = |item| {
        sink(item).map_err(|error| {
            refusal = Some(error);
            Halt::Stopped
        })
    };
    let mut untold = |_| ();
    let mut pass = Pass::reading(Format::Tenure, &mut untold, &mut hand_out);
    let outcome = pass.run_stream(stream);
    settle(outcome, pass.into_report(), refusal)
}

fn settle<E>(outcome: Result<(), Halt>, report: Report, refusal: Option<E>) -> Result<Report, Failure<E>> {
    match (outcome, refusal) {
        (_, Some(error)) => Err(Failure::Sink(error)),
        (Err(Halt::Read(error)), None) => Err(Failure::Read(error)),
        (Ok(()) | Err(Halt::Stopped), None) => Ok(report),
    }
}
