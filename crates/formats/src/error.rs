//! Why a file is refused as a whole. Messages name places, never content and never names of files.

use std::fmt;
use std::io;

use crate::{Format, Place};

/// Why nothing, or nothing more, can be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The operating system said no.
    #[error("cannot read {place}")]
    Io {
        /// Where.
        place: Place,
        /// What it said.
        source: io::Error,
    },
    /// A folder where a file is needed, or something that is neither.
    #[error("this is not a regular file; name {}", .0.expected())]
    NotAFile(Format),
    /// There is nothing in it.
    #[error("the file is empty; name {}", .0.expected())]
    Empty(Format),
    /// It begins like something else.
    #[error("this is {found}, not {}; check the file, or name another format", .format.expected())]
    WrongFile {
        /// What was asked for.
        format: Format,
        /// What the file looks like.
        found: &'static str,
    },
    /// Not one record of it is of this format.
    #[error(
        "none of the {seen} records is of the format `{format}` (the first, at {place}: {why}); name another format"
    )]
    NothingUnderstood {
        /// What was asked for.
        format: Format,
        /// How many records there were.
        seen: u64,
        /// The first of them.
        place: Place,
        /// What was wrong with it.
        why: &'static str,
    },
    /// A zip without its directory, or with damaged contents.
    #[error("the zip archive is cut short or damaged ({place}); download it again")]
    DamagedZip {
        /// Where the damage showed.
        place: Place,
    },
    /// A zip of something else.
    #[error("the zip archive holds no `conversations.json`; name {}", .0.expected())]
    NoConversations(Format),
    /// An entry that would be written outside the folder it is unpacked into.
    #[error("entry {entry} of the zip archive has a path that leaves the archive; it is refused as a whole")]
    UnsafePath {
        /// The number of the entry.
        entry: u64,
    },
    /// An entry that needs a password or an unknown method.
    #[error(
        "entry {entry} of the zip archive is encrypted or packed in an unknown way; unpack it and import the JSON file"
    )]
    UnreadableEntry {
        /// The number of the entry.
        entry: u64,
    },
    /// An entry that unpacks to far more than an export would, or than it declares.
    #[error(
        "entry {entry} of the zip archive unpacks to more than it may (a zip bomb); it is refused as a whole"
    )]
    ZipBomb {
        /// The number of the entry.
        entry: u64,
    },
    /// Not JSON.
    #[error("not valid JSON at {place}")]
    Syntax {
        /// Where.
        place: Place,
    },
    /// JSON that stops in the middle.
    #[error("the JSON ends in the middle, at {place}; the file was cut short, get it again")]
    CutShort {
        /// Where.
        place: Place,
    },
    /// JSON nested so deeply that only an attacker would write it.
    #[error("the JSON is nested more than {limit} levels deep at {place}; it is refused as a whole")]
    TooDeep {
        /// Where.
        place: Place,
        /// The deepest level that is read.
        limit: u32,
    },
    /// One conversation that would not fit in memory.
    #[error("the conversation at {place} is larger than {limit} bytes; it is refused")]
    TooLarge {
        /// Where.
        place: Place,
        /// The most that is read as one conversation.
        limit: u64,
    },
    /// A folder of something else.
    #[error("the folder holds no Claude Code session; name a `.jsonl` file or a `projects` folder")]
    NoSessions,
}

/// Why reading ended early: the input, or the one who was handed its items.
#[derive(Debug, thiserror::Error)]
pub enum Failure<E> {
    /// The input can't be read further.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The sink refused an item.
    #[error("{0}")]
    Sink(E),
}

/// Why a reader stops; the sink's own reason is kept by the one who called.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The input is at fault.
    Read(ReadError),
    /// The sink wants no more.
    Stopped,
}

impl From<ReadError> for Halt {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}

/// What a guarding reader found; it travels as the inside of an [`io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    TooDeep { line: u64, column: u64, limit: u32 },
    TooLarge { line: u64, limit: u64 },
    ZipBomb,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooDeep { .. } => "nested too deeply",
            Self::TooLarge { .. } => "too large",
            Self::ZipBomb => "a zip bomb",
        })
    }
}

impl std::error::Error for Violation {}

impl From<Violation> for io::Error {
    fn from(violation: Violation) -> Self {
        Self::other(violation)
    }
}

impl ReadError {
    /// What a failed read of a file, or of an entry of an archive, means.
    pub(crate) fn from_io(source: io::Error, file: Option<u64>) -> Self {
        let place = Place::file(file);
        let inner = source.get_ref().and_then(|inner| inner.downcast_ref::<Violation>()).copied();
        match inner {
            Some(Violation::TooDeep { line, column, limit }) => {
                Self::TooDeep { place: place.line(line).column(column), limit }
            }
            Some(Violation::TooLarge { line, limit }) => Self::TooLarge { place: place.line(line), limit },
            Some(Violation::ZipBomb) => Self::ZipBomb { entry: file.unwrap_or(0) },
            // Only an entry of an archive has a number here and is unpacked on the way.
            None if file.is_some() => Self::DamagedZip { place },
            None => Self::Io { place, source },
        }
    }

    /// What a failed parse means. The parser's own words are not used: they may quote the content.
    pub(crate) fn from_json(error: serde_json::Error, file: Option<u64>) -> Self {
        let number = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        let place = Place::file(file).line(number(error.line())).column(number(error.column()));
        match error.classify() {
            serde_json::error::Category::Io => Self::from_io(error.into(), file),
            serde_json::error::Category::Eof => Self::CutShort { place },
            serde_json::error::Category::Syntax | serde_json::error::Category::Data => Self::Syntax { place },
        }
    }
}
