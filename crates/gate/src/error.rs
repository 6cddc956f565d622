//! What can go wrong while rows are written. No message carries a path or anything of a row.

use std::io;

/// Why an export could not go on. What was written of it is not to be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GateError {
    /// A file could not be made; an export never writes over one that is there.
    #[error("could not make `{name}` ({kind}): give the export an empty folder that can be written to")]
    Create {
        /// The file's name within the export.
        name: String,
        /// What the operating system answered.
        kind: io::ErrorKind,
    },
    /// A file could not be written or synced.
    #[error("could not write `{name}` ({kind}): check that the disk has room, and begin again")]
    Write {
        /// The file's name within the export.
        name: String,
        /// What the operating system answered.
        kind: io::ErrorKind,
    },
    /// A row could not be written as JSON.
    #[error("a row of `{name}` could not be written as JSON")]
    Json {
        /// The file's name within the export.
        name: String,
        /// What the writer says.
        #[source]
        source: serde_json::Error,
    },
    /// A row could not be written as Parquet.
    #[error("rows of `{name}` could not be written as Parquet")]
    Parquet {
        /// The file's name within the export.
        name: String,
        /// What the writer says.
        #[source]
        source: parquet::errors::ParquetError,
    },
    /// A folder or a file could not be read.
    #[error("could not read the export ({0})")]
    Read(io::ErrorKind),
    /// A message that may be used has no time, which the rules exclude.
    #[error("a permitted message has no time: run `tenure doctor`")]
    Timeless,
    /// There are more shards than a number of 32 bits counts.
    #[error("the export has too many shards: allow more rows in each")]
    TooManyShards,
}
