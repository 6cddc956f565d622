//! What the ledger says: statements in one canonical form, the blind commitments to them, and the receipts
//! that prove them.
//!
//! A decision is one bit, so anything less than a commitment that is opened by 32 random bytes could
//! be guessed. The opening lives with the statement, encrypted under the account's proof key; when it
//! goes, what remains in the log can be tested by nobody.
//!
//! | Form | Type |
//! |---|---|
//! | what is stated, as canonical JSON | [`Stated`], [`Statement`] |
//! | what is sealed under the proof key | [`Evidence`] |
//! | what the log holds | [`commit`], [`leaf_data`] |
//! | many copies under one statement | [`Item`], [`root_of`], [`ItemProof`] |
//! | the file that a person keeps | [`Receipt`] |
//!
//! `docs/ledger-format.md` describes each of them for whoever writes another verifier. Nothing here does I/O,
//! reads a clock or draws a random number.

mod commitment;
mod digest;
mod evidence;
mod item;
mod receipt;
mod statement;

pub use commitment::{Commitment, Link, Opening, Subject, commit, leaf, leaf_data};
pub use digest::{Digest, DigestError};
pub use evidence::Evidence;
pub use item::{Item, ItemProof, path_of, root_of};
pub use receipt::{Proven, Receipt, ReceiptError, Unproven};
pub use statement::{Heading, LeafRanges, RangesError, Stated, Statement, StatementError};
