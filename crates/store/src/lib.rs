//! Storage: what every use case loads and saves, behind a port that no engine shows through.
//!
//! The store decides nothing. [`port`] has the row types and the repository traits; [`sqlite`] is the
//! embedded store, and `postgres` (a cargo feature) the one for several processes. To add an engine: implement [`port::Store`] and the traits that [`port::Tx`] is made of,
//! with SQL of its own, and run the suite in `conformance` (a cargo feature) against it.
//!
//! Statements are the leaves of a log ([`log`]): a group of jobs commits together with the tiles that its
//! statements complete and the head that the tree then has.
//!
//! Every write is a job on a [`port::Tx`]: it is rolled back alone if it fails, and nobody hears of its
//! success before it is durable.
//!
//! ```
//! use tenure_store::{AccountFacts, AccountKeys, NewAccount, SqliteStore, StoreError, StoreExt};
//!
//! # fn main() -> Result<(), StoreError> {
//! # let folder = tempfile::tempdir().unwrap();
//! let store = SqliteStore::open(&folder.path().join("tenure.db"))?;
//! let account = NewAccount {
//!     id: "a1".to_owned(),
//!     organisation: None,
//!     facts: AccountFacts::default(),
//!     keys: AccountKeys::default(),
//! };
//! // Durable when it answers; `write_later` answers at once and is waited for later.
//! let key = store.write(move |tx| tx.insert_account(&account))?;
//! // A snapshot; it may borrow.
//! let found = store.read(|tx| tx.account(key))?;
//! assert_eq!(found.map(|account| account.id).as_deref(), Some("a1"));
//! # Ok(())
//! # }
//! ```

#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(feature = "faults")]
pub mod faults;
pub mod journal;
pub mod log;
pub mod port;
#[cfg(feature = "postgres")]
pub mod postgres;
mod spread;
pub mod sqlite;

pub use journal::{Journal, JournalError, JournalMark};
pub use port::*;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
pub use sqlite::SqliteStore;
