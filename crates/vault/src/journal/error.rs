//! What can go wrong with a journal. Paths stay out of every message, because they may name a person.

use std::io;

use crate::cipher::CipherError;
use crate::error::{KeyError, TransitError};

/// Why a journal did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalFault {
    /// The key folder has a journal already, or what is left of one.
    #[error("the key folder has a journal already, or the rest of one whose key is gone")]
    AlreadyThere,
    /// Another process has it open.
    #[error("the journal is open in another process; stop that one first")]
    InUse,
    /// Others on the machine can read it.
    #[error("others can read `{0}` in the key folder; take their rights away with `chmod go-rwx`")]
    TooOpen(&'static str),
    /// An entry is not what was written, or is gone.
    #[error("the journal can't be read after entry {after}; restore it from its own copy")]
    Damaged {
        /// The last entry before that, or 0.
        after: u64,
    },
    /// What was asked for was dropped.
    #[error("the journal begins after entry {begins_after}")]
    Short {
        /// The last entry that was dropped.
        begins_after: u64,
    },
    /// Another history than the one that was asked about.
    #[error("entry {number} of the journal is another than the one that was asked about")]
    Parted {
        /// The entry.
        number: u64,
    },
    /// An append failed, or came out of turn.
    #[error("a write to the journal failed, so it takes no more until it is opened again")]
    Stopped,
    /// The folder could not be reached.
    #[error(
        "could not {operation} ({kind}); check that the key folder is mounted and has room, and try again"
    )]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// What the operating system answered.
        kind: io::ErrorKind,
    },
    /// The root key could not be had, under which the journal's own is sealed.
    #[error(transparent)]
    Keys(KeyError),
    /// The cryptographic library refused.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// Whatever can't be reached is told alike, wherever it lies.
impl From<KeyError> for JournalFault {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unreachable { operation, kind }
            | KeyError::Transit(TransitError::Unreachable { operation, kind }) => {
                Self::Unreachable { operation, kind }
            }
            other => Self::Keys(other),
        }
    }
}

impl JournalFault {
    /// Turns a failure of the operating system into an error that tells no path.
    pub(super) fn from_io(operation: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Unreachable { operation, kind: error.kind() }
    }
}
