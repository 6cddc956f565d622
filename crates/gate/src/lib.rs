//! The bulk plane: what goes out of Tenure in rows.
//!
//! For now that is the training export: [`Export`] writes rows in shards, as JSON lines and as Parquet,
//! each file synced to disk and its SHA-256 taken while it is written. It takes a
//! [`tenure_policy::Permitted`] with everything it writes and leaves out whatever that does not name.
//! Only a verdict makes such a token, so an export of what nobody has judged does not compile.
//!
//! # Adding a format
//! Write a module with a type that takes [`Row`]s and ends with a [`FileWritten`], and give it a variant
//! of [`Rows`] and a place in `shard.rs`. It must hold a bounded number of rows in memory and write
//! through `file.rs`, which hashes and syncs.

mod error;
mod export;
mod file;
mod jsonl;
mod parquet_rows;
mod row;
mod shard;

pub use error::GateError;
pub use export::{Export, Limits, Rows, Written};
pub use file::{FileWritten, digest_of, is_shard_name, sync_folder};
pub use row::{Bound, Decided, Row, Said};
