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
    /// Another program has the data open for writing.
    #[error("the data are in use by another process: stop it and try again")]
    Busy,
    /// The job gave up and was rolled back. The extension trait turns this into the job's own error.
    #[error("the job was rolled back")]
    Aborted,
    /// The job panicked and was rolled back.
    #[error("the job failed unexpectedly and was rolled back")]
    Panicked,
    /// The group to which the job belonged could not be made durable; nothing of it was kept.
    #[error("the commit failed, nothing was saved: {reason}")]
    Commit {
        /// What the engine says.
        reason: String,
    },
    /// A write job tried to hand in another one, which would wait for itself.
    #[error("a job can't wait for another job: write within the same transaction")]
    Nested,
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
