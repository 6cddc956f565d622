//! Events as lines on standard error: JSON for programs, text for people.
//!
//! Only events of Tenure itself are written. What libraries say could hold a path or an address.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::{Layer, fmt};

/// How many lines may wait to be written. More are given up, and counted: a reader that has stopped must not stop
/// the service.
const WAITING_MAX: usize = 16_384;
/// How many bytes are written at once at most.
const BLOCK: usize = 64 * 1024;

/// What is shown of Tenure's own crates begins so.
const OURS: &str = "tenure";

static GIVEN_UP: AtomicU64 = AtomicU64::new(0);

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// The log could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// There is one already.
    #[error("this process has a log already")]
    Twice,
    /// The thread that writes could not be started.
    #[error("the thread that writes the log can't be started")]
    Thread(#[source] io::Error),
}

/// Writes what waits, when it is dropped.
#[derive(Debug)]
pub struct LogEnd {
    lines: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    End,
}

/// Another layer, which gets the same events and spans.
pub type More = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts the log of this process, on standard error. What waits is written when the answer is dropped.
pub fn start_log(form: Form, level: Level, more: Option<More>) -> Result<LogEnd, LogError> {
    let (lines, waiting) = sync_channel(WAITING_MAX);
    let thread = thread::Builder::new()
        .name("tenure-log".to_owned())
        .spawn(move || write_all(&waiting, io::stderr()))
        .map_err(LogError::Thread)?;
    let writer = Lines(lines.clone());
    let ours = Targets::new().with_target(OURS, level);
    let shown = fmt::layer().with_writer(writer);
    let shown: More = match form {
        Form::Json => shown
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(ours)
            .boxed(),
        Form::Text => shown.with_ansi(false).with_filter(ours).boxed(),
    };
    let layers: Vec<More> = more.into_iter().chain([shown]).collect();
    tracing::subscriber::set_global_default(Registry::default().with(layers)).map_err(|_| LogError::Twice)?;
    Ok(LogEnd { lines, thread: Some(thread) })
}

/// How many lines were given up because nobody read those before.
pub(super) fn given_up() -> u64 {
    GIVEN_UP.load(Ordering::Relaxed)
}

impl Drop for LogEnd {
    fn drop(&mut self) {
        if self.lines.send(Message::End).is_ok()
            && let Some(thread) = self.thread.take()
        {
            drop(thread.join());
        }
    }
}

/// Makes a line of each event.
#[derive(Clone)]
struct Lines(SyncSender<Message>);

/// One line that is being made.
struct OneLine {
    lines: SyncSender<Message>,
    line: Vec<u8>,
}

impl<'l> MakeWriter<'l> for Lines {
    type Writer = OneLine;

    fn make_writer(&'l self) -> OneLine {
        OneLine { lines: self.0.clone(), line: Vec::with_capacity(256) }
    }
}

impl Write for OneLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for OneLine {
    fn drop(&mut self) {
        let line = std::mem::take(&mut self.line);
        if let Err(TrySendError::Full(_)) = self.lines.try_send(Message::Line(line)) {
            GIVEN_UP.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn write_all(waiting: &Receiver<Message>, mut out: impl Write) {
    let mut block = Vec::with_capacity(BLOCK);
    while let Ok(first) = waiting.recv() {
        let mut next = Some(first);
        let mut ended = false;
        while let Some(message) = next {
            match message {
                Message::Line(line) => block.extend_from_slice(&line),
                Message::End => ended = true,
            }
            next = if ended || block.len() >= BLOCK { None } else { waiting.try_recv().ok() };
        }
        // Nobody is left to be told that standard error can't be written.
        drop(out.write_all(&block));
        block.clear();
        if ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_in_order_and_all_of_them_before_the_end() {
        let (lines, waiting) = sync_channel(8);
        for line in ["a\n", "b\n"] {
            drop(OneLine { lines: lines.clone(), line: line.into() });
        }
        lines.send(Message::End).unwrap();
        let mut out = Vec::new();
        write_all(&waiting, &mut out);
        assert_eq!(out, b"a\nb\n");
    }

    #[test]
    fn a_reader_that_has_stopped_costs_lines_and_stops_nobody() {
        let (lines, _waiting) = sync_channel(1);
        let before = given_up();
        for _ in 0..3 {
            drop(OneLine { lines: lines.clone(), line: b"x\n".to_vec() });
        }
        assert_eq!(given_up() - before, 2);
    }
}
