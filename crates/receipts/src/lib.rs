//! What the ledger says: statements in one canonical form, and the blind commitments to them.
//!
//! A decision is one bit, so anything less than a commitment that is opened by 32 random bytes could
//! be guessed. The opening lives with the statement, encrypted under the account's proof key; when it
//! goes, what remains in the log can be tested by nobody.

mod commitment;
mod statement;

pub use commitment::{Commitment, Opening, commit};
pub use statement::{Stated, Statement, StatementError};
