//! The journal: what is written to a store, once more, where losing the store does not lose it.
//!
//! Every group of jobs is appended as the calls that it made of the port's write methods, and is durable there
//! before the store commits it. A store that was restored from a backup does again what the journal has beyond
//! it, so that no deletion, decision or hold made since is undone by the restore.
//!
//! The numbers tell where the two stand. The store holds the number of its last group and the link that the
//! journal gave for it:
//!
//! | Store and journal | What happened | What opening does |
//! |---|---|---|
//! | at the same group | nothing | goes on |
//! | journal ahead | a crash or a failed commit after an append, or the store was restored | does those groups again |
//! | store ahead, other links, a journal that begins later or is gone | the key folder is not this store's newest | refuses |
//!
//! A group of which the commit failed after its append is done again on the next opening, though its jobs were
//! told of a failure. [`crate::StoreError::Commit`] says as much: whoever gets it looks before repeating. Until it
//! is opened again the store takes no more writes, so that nobody repeats anything in between.

mod recorder;
mod replay;
mod write;

pub use recorder::Redo;
pub use write::{Outcome, Write};

pub(crate) use recorder::Recorder;
pub(crate) use replay::apply_group;

use std::io::ErrorKind;

use crate::StoreError;

/// What the journal made of a group: no other history gives the same.
pub type Link = [u8; 16];

/// A place in a journal: the group that was appended last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalMark {
    /// The group's number, from 1; 0 where there is none.
    pub number: u64,
    /// Its link; zeros where there is no group.
    pub link: Link,
}

/// What a group does when a journal is read.
pub type Replaying<'r> = &'r mut dyn FnMut(JournalMark, &[u8]) -> Result<(), StoreError>;

/// Where groups are written before they are committed.
pub trait Journal: Send {
    /// What no other journal is called.
    fn name(&self) -> [u8; 16];

    /// The newest group.
    fn newest(&self) -> JournalMark;

    /// Says which group the store has, before anything else is asked. An end that can't be read was never
    /// acknowledged if the store is just before it, and is dropped; otherwise it is damage.
    fn settle(&mut self, store: JournalMark) -> Result<(), JournalError>;

    /// Appends a group, whose number is the next. It is durable on return.
    ///
    /// After a failure it may be there or not, and nothing more is taken until the journal is opened again.
    fn append(&mut self, number: u64, group: &[u8]) -> Result<Link, JournalError>;

    /// Gives the groups after a mark, in order, once all that lies between is known to be unbroken.
    fn replay(&mut self, after: JournalMark, visit: Replaying<'_>) -> Result<(), StoreError>;
}

/// Why a journal and a store do not go on together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JournalError {
    /// The store is journalled and there is no journal.
    #[error(
        "the journal of this data folder is missing, so nobody can tell whether what was deleted and decided since \
         is in it; nothing is served: put `journal` and `journal.key` back into the key folder"
    )]
    Missing,
    /// The journal is another store's.
    #[error(
        "the journal in the key folder belongs to another data folder: put the two that go together in place"
    )]
    Foreign,
    /// The journal began after the store was set aside.
    #[error(
        "the data folder is from before its journal began, so it can't be brought up to date: restore a later backup"
    )]
    Earlier,
    /// The journal ends before what the store has.
    #[error(
        "the data folder has {store} groups of writes and the journal ends at {journal}: the key folder is older \
         than the data folder; put the newest key folder back"
    )]
    Behind {
        /// The store's group.
        store: u64,
        /// The journal's.
        journal: u64,
    },
    /// The journal no longer has what comes after the store.
    #[error(
        "the journal begins after group {begins} and the data folder ends at {store}, so what lies between is \
         nowhere: restore a later backup"
    )]
    Short {
        /// The store's group.
        store: u64,
        /// The last group that the journal no longer has.
        begins: u64,
    },
    /// The store's history is not the journal's.
    #[error(
        "group {number} of the data folder is not the one in the journal: the two have parted; restore a backup"
    )]
    Parted {
        /// The group.
        number: u64,
    },
    /// The journal can't be read.
    #[error(
        "the journal is damaged after group {after}, so what was written since can't be brought back: put `journal` \
         back into the key folder from its own copy"
    )]
    Damaged {
        /// The last group that can be read.
        after: u64,
    },
    /// A group gave another result than when it was written.
    #[error(
        "group {number} of the journal does not lead where it led: the data folder or the program is another"
    )]
    Diverged {
        /// The group.
        number: u64,
    },
    /// Groups of another version of the program.
    #[error(
        "the journal has writes of another version of tenure: open the folder once with the version that wrote them, \
         and take a backup after each upgrade"
    )]
    OtherVersion,
    /// A write failed, so that nobody knows whether the last group is in the journal.
    #[error(
        "a write to the journal or the commit after it failed, so nothing more is written: run the command again"
    )]
    Stopped,
    /// The journal is open elsewhere.
    #[error("the journal is open in another process: stop that one first")]
    InUse,
    /// Others can read the journal or its key.
    #[error("others can read `{0}` in the key folder: take their rights away with `chmod go-rwx`")]
    TooOpen(&'static str),
    /// The place where it lies can't be reached.
    #[error(
        "could not {operation} ({kind}): check that the key folder is mounted and has room, and try again"
    )]
    Unreachable {
        /// What was attempted.
        operation: &'static str,
        /// What the operating system said.
        kind: ErrorKind,
    },
    /// It could not be encrypted.
    #[error("the cryptographic library refused to encrypt for the journal: nothing was written")]
    Cipher,
}
