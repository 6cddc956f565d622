//! What can go wrong in a store. No message carries a value that was stored.

/// A failure of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A row of the same key exists already.
    #[error("a row of this key exists already in `{table}`")]
    Conflict {
        /// The table, or the constraint where the engine names that.
        table: String,
    },
    /// A row names another one that does not exist.
    #[error("a row refers to one that does not exist")]
    Dangling,
    /// Something tried to change or delete what may only be added to.
    #[error("`{table}` is append-only: add a row instead")]
    AppendOnly {
        /// The table.
        table: &'static str,
    },
    /// The row that should be changed does not exist.
    #[error("no such row in `{table}`")]
    Missing {
        /// The table.
        table: &'static str,
    },
    /// A stored value can't be understood.
    #[error("column `{column}` holds a value that this version does not understand: run `tenure doctor`")]
    Unreadable {
        /// The column.
        column: &'static str,
    },
    /// A value can't be stored because it is too large.
    #[error("the value for `{column}` is too large to be stored")]
    OutOfRange {
        /// The column.
        column: &'static str,
    },
    /// The data were written by a newer version of the program.
    #[error("the data have schema {found}, this program knows up to {known}: use a newer version of tenure")]
    NewerSchema {
        /// The schema that was found.
        found: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The log is not what the statements make it, so nothing may be added to it.
    #[error(
        "the log does not verify, so nothing is written: {0}; see `tenure ledger verify`, or restore a backup"
    )]
    Log(#[from] Unsound),
    /// The store and its journal do not go on together.
    #[error(transparent)]
    Journal(#[from] crate::JournalError),
    /// The data were written by an older version of the program, and are only looked at.
    #[error(
        "the data have an older schema: open them once with a command that writes, such as `tenure doctor`"
    )]
    OlderSchema,
    /// Another program has the data open for writing.
    #[error("the data are in use by another process: stop it and try again")]
    Busy,
    /// Other transactions stood in the way as often as the job was tried, and nothing of it was kept.
    #[error("others change the same rows at this moment, and nothing was kept: try again")]
    Contended,
    /// The job gave up and was rolled back. The extension trait turns this into the job's own error.
    #[error("the job was rolled back")]
    Aborted,
    /// The job panicked and was rolled back.
    #[error("the job failed unexpectedly and was rolled back")]
    Panicked,
    /// The engine said that it could not make the group durable to which the job belonged. Almost always nothing
    /// of it was kept; a disk that fails while it answers may have kept all of it.
    #[error("the commit was reported as failed, so look before you repeat it: {reason}")]
    Commit {
        /// What the engine says.
        reason: String,
    },
    /// A write job tried to hand in another one, which would wait for itself.
    #[error("a job can't wait for another job: write within the same transaction")]
    Nested,
    /// The store was opened to look only.
    #[error("the store was opened to look only")]
    OnlyLooking,
    /// The store is closing.
    #[error("the store is closed")]
    Closed,
    /// Any other failure of the engine.
    #[error("the store failed to {operation}: {reason}")]
    Engine {
        /// What was being done.
        operation: &'static str,
        /// What the engine says, without any value.
        reason: String,
    },
}

/// Why a log does not verify. It names places in the log only.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsound {
    /// The log says nothing of itself.
    #[error("its head is missing")]
    NoHead,
    /// A statement that should be there is not.
    #[error("statement {at} is missing")]
    StatementMissing {
        /// Its place.
        at: u64,
    },
    /// A tile that should be there is not, or has another length.
    #[error("`{tile}` is missing or has another length")]
    Tile {
        /// Its path.
        tile: String,
    },
    /// The statements and tiles give another root than the head says.
    #[error("the statements and tiles give another root than the head of {size} leaves says")]
    Root {
        /// The size of the tree.
        size: u64,
    },
    /// The head was moved by someone else meanwhile.
    #[error("another process moved its head of {size} leaves")]
    Moved {
        /// The size that it had.
        size: u64,
    },
}
