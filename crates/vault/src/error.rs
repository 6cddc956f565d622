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
    /// A file that says how the root key is had says nothing of the kind.
    #[error("`{0}` in the key folder is damaged; restore it from its backup")]
    RootDamaged(&'static str),
    /// A file that is sealed under the root key is not what this vault wrote.
    #[error(
        "a sealed file of the key folder is damaged or belongs to another root key; restore it from its backup"
    )]
    SealedDamaged,
    /// An earlier root key is still there after it was to be destroyed.
    #[error("the earlier root key is not gone yet; run `tenure keys rotate` again")]
    RootRemains,
    /// The server that holds the root key did not do what was asked.
    #[error(transparent)]
    Transit(#[from] TransitError),
    /// A file of page keys is not what this vault wrote.
    #[error("key bundle {0} is damaged or belongs to another root key; restore it from its backup")]
    Damaged(u64),
    /// The cryptographic library refused.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}

/// Why a server with a Transit engine did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransitError {
    /// This build can't use one.
    #[error(
        "the root key lies in a Transit engine, and this build of tenure can't use one; take another build"
    )]
    NotBuilt,
    /// No server was named.
    #[error("the root key lies in a Transit engine; say where with `VAULT_ADDR`")]
    NoAddress,
    /// No token was given.
    #[error("the server of the root key asks for a token; give it in `VAULT_TOKEN`")]
    NoToken,
    /// The server's address can't be used.
    #[error("`VAULT_ADDR` must begin with `https://`; only a server on this machine may go without")]
    Address,
    /// The token can't be one.
    #[error("`VAULT_TOKEN` is no token; look for spaces and line ends in it")]
    Token,
    /// The system has no certificates to check servers with.
    #[error(
        "the system has no certificates to check the server of the root key with; install its CA certificates"
    )]
    NoCertificates,
    /// The name of a mount or a key has letters that no path takes.
    #[error(
        "a mount and a key of a Transit engine are named with letters, digits, `-`, `_` and `.`; choose such names"
    )]
    Name,
    /// Another vault may use that key.
    #[error("the Transit key exists already; name one that doesn't, since no two vaults may share one")]
    KeyExists,
    /// The server says that the key is gone. What it wrapped can never be opened again.
    #[error(
        "the server of the root key has no such key: check `VAULT_ADDR` and the namespace; if it was deleted, nothing of this vault can be opened again"
    )]
    KeyGone,
    /// Destroying a version of the key would not destroy all that there is of it.
    #[error(
        "the Transit key can be exported, backed up in the clear or derived, so destroying it would prove nothing; use a key that can't"
    )]
    Unfit,
    /// The server could not be asked, so nothing is known.
    #[error(
        "could not {operation} ({kind}); check that the server of the root key is up and unsealed, and try again"
    )]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// How it failed.
        kind: io::ErrorKind,
    },
    /// The token may not do that.
    #[error("may not {0}; check `VAULT_TOKEN` and its policy")]
    Denied(&'static str),
    /// The server would not do that.
    #[error(
        "the server of the root key refused to {operation} (status {status}); its audit log says why: the key or the version of it may be gone"
    )]
    Refused {
        /// What was attempted.
        operation: &'static str,
        /// The status of the answer.
        status: u16,
    },
    /// The server answered something else than was asked.
    #[error(
        "could not {0}: the server's answer was not understood; check that `VAULT_ADDR` names a Vault or OpenBao server"
    )]
    Unexpected(&'static str),
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
        "could not {operation} ({kind}); check that the place of the packs can be reached and written to, and try again"
    )]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// What the operating system or the remote store answered.
        kind: io::ErrorKind,
    },
    /// The store lacks the mark that a vault leaves, so what is missing from it proves nothing.
    #[error(
        "this is not the place where the vault's packs lie; check the data folder's mount, or the bucket"
    )]
    Unmarked,
    /// The packs were written under another key folder.
    #[error(
        "the packs in the data folder belong to another key folder; give the two that were made together"
    )]
    Foreign,
    /// A new vault would have adopted packs whose keys it does not have.
    #[error("the place already holds packs; choose an empty folder, or another prefix in the bucket")]
    NotEmpty,
    /// Another vault was made in the place, or its making broke off.
    #[error(
        "the place in the bucket bears the mark of another vault; choose another prefix, or remove the object `vault-mark` there if setting up broke off"
    )]
    Taken,
    /// The object store does not let these credentials do it.
    #[error(
        "the object store refused to {operation}; check `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and what they permit (docs/operate.md)"
    )]
    Denied {
        /// What was attempted.
        operation: &'static str,
    },
    /// Nothing in the environment says who asks the object store.
    #[error("no credentials for the object store; set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`")]
    NoCredentials,
    /// The bucket is not there.
    #[error("the object store has no such bucket; make it first, or check its name")]
    NoBucket,
    /// A version of a pack may not be deleted yet.
    #[error(
        "pack {0} may not be removed yet: a retention period or a legal hold of Object Lock lies on it; end that, or wait for its end, and sweep again"
    )]
    Locked(PackId),
    /// The place of the packs is not written as it should be.
    #[error("the place of the packs is not written as expected: {0}")]
    Address(&'static str),
    /// The system has no certificates to check a server with.
    #[error("the system has no certificates to check the object store with; install its CA certificates")]
    NoCertificates,
    /// This program was built without support for object stores.
    #[error("this program was built without S3; build it with the feature `s3`")]
    NotBuilt,
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
