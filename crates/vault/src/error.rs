//! What can go wrong. Paths and names stay out of every message, because they may name a person.

use std::io;

use crate::cipher::CipherError;
use crate::ids::{PackId, PageId};

/// Why a key store did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store was read, and holds no such page: it was destroyed, or never made.
    #[error("page {0} has no key: it was destroyed or never made")]
    Unknown(PageId),
    /// The store could not be asked, so nothing is known about the page.
    #[error(
        "could not {operation} ({kind}); check that the key folder is mounted and writable, and try again"
    )]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// What the operating system or the remote store answered.
        kind: io::ErrorKind,
    },
    /// Another process, or another vault of this one, has the key folder open.
    #[error("the key folder is open in another process; stop that one first")]
    Locked,
    /// The folder lacks a file without which it is no key folder, so what is missing from it proves
    /// nothing.
    #[error("the key folder has no `{0}`; check its mount, run `tenure init`, or restore the file")]
    Missing(&'static str),
    /// A new vault would have written over an earlier one.
    #[error("the key folder already holds a vault; choose an empty folder")]
    AlreadyThere,
    /// Others on the machine can read the keys.
    #[error("others can read `{0}` in the key folder; take their rights away with `chmod go-rwx`")]
    TooOpen(&'static str),
    /// A file of page keys is not what this vault wrote.
    #[error("key bundle {0} is damaged or belongs to another root key; restore it from its backup")]
    Damaged(u64),
    /// The cryptographic library refused.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl KeyError {
    /// Turns a failure of the operating system into an error that tells no path.
    pub(crate) fn from_io(operation: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Unreachable { operation, kind: error.kind() }
    }
}

/// Why a store of packs did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The store answered that it has no such pack. That alone is no proof of its absence.
    #[error("pack {0} was not found; run `tenure doctor`")]
    NotFound(PackId),
    /// A pack of that name is there already. Names are random, so this is a defect or a replay.
    #[error("pack {0} exists already; import again to draw a new name")]
    AlreadyThere(PackId),
    /// The pack is shorter than a place in it says.
    #[error("pack {0} is shorter than it should be; restore it from its backup")]
    Short(PackId),
    /// The store could not be asked.
    #[error(
        "could not {operation} ({kind}); check that the data folder is mounted and writable, and try again"
    )]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// What the operating system or the remote store answered.
        kind: io::ErrorKind,
    },
    /// The store lacks the mark that a vault leaves, so what is missing from it proves nothing.
    #[error("this is not the folder where the vault's packs lie; check the data folder's mount")]
    Unmarked,
    /// The packs were written under another key folder.
    #[error(
        "the packs in the data folder belong to another key folder; give the two that were made together"
    )]
    Foreign,
    /// A new vault would have adopted packs whose keys it does not have.
    #[error("the data folder already holds packs; choose an empty folder")]
    NotEmpty,
}

/// Why something did not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The page's key is gone, so the wrap can never be opened again.
    #[error("page {0} was destroyed, so this can no longer be opened")]
    Destroyed(PageId),
    /// The page belongs to a tree that holds other things.
    #[error("page {0} is of another tree; ask for a page of the right one")]
    WrongTree(PageId),
    /// Wrong key, wrong names, or altered bytes: which of them cannot be told.
    #[error("the key, the names or the bytes are not those that were sealed")]
    Refused,
    /// Too short to be anything that the vault sealed.
    #[error("the bytes are too short to have been sealed by the vault")]
    Malformed,
    /// Sealed by an algorithm that this key is not for, or by a later version.
    #[error("algorithm id {0} is not the one of this key; a later version may have written it")]
    UnknownAlgorithm(u8),
    /// The key store failed.
    #[error(transparent)]
    Keys(KeyError),
    /// The store of packs failed.
    #[error(transparent)]
    Bodies(#[from] BodyError),
    /// The cryptographic library refused.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

impl From<KeyError> for OpenError {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::Unknown(page) => Self::Destroyed(page),
            other => Self::Keys(other),
        }
    }
}

/// Why the vault could not be opened or written to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VaultError {
    /// The key store failed.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store of packs failed.
    #[error(transparent)]
    Bodies(#[from] BodyError),
    /// The cryptographic library refused.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}
