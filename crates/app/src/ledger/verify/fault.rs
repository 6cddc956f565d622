//! What can be wrong with a log.

use serde::Serialize;

/// Something in the log, or in the store, that should not be. It names places, never anything about a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, thiserror::Error)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The log says nothing of itself.
    #[error("the log has no head")]
    NoHead,
    /// A statement is gone.
    #[error("the statement of leaf {leaf} is missing")]
    StatementMissing {
        /// The leaf.
        leaf: u64,
    },
    /// A tile is not what the statements make it.
    #[error("`{tile}` is not what the statements make it")]
    Tile {
        /// Its path.
        tile: String,
    },
    /// The head is not what the statements make it.
    #[error("the statements give another root than the log's head of {size} leaves says")]
    Root {
        /// The size of the tree.
        size: u64,
    },
    /// The published checkpoint is not signed by the log's keys.
    #[error("the published checkpoint is not signed by the keys of the log")]
    CheckpointSignature,
    /// The published checkpoint is of a larger log than this.
    #[error("a checkpoint of {size} leaves was published, and the log has fewer: it was rolled back")]
    RolledBack {
        /// Its size.
        size: u64,
    },
    /// The published checkpoint has another root.
    #[error(
        "a checkpoint of {size} leaves was published with another root: the log was changed since, or forked"
    )]
    Forked {
        /// Its size.
        size: u64,
    },
    /// A statement belongs to nobody's chain.
    #[error("{statements} statements belong to no account's chain")]
    Astray {
        /// How many.
        statements: u64,
    },
    /// A chain has a gap.
    #[error("leaf {leaf} is not the next of its account's chain")]
    ChainBroken {
        /// The leaf.
        leaf: u64,
    },
    /// A chain ends otherwise than its account says.
    #[error("the chain of account number {account} ends elsewhere than the account says")]
    ChainHead {
        /// The account's number.
        account: i64,
    },
    /// A leaf can't be opened, and nothing says that its evidence was destroyed.
    #[error("leaf {leaf} can't be opened, and no statement says that its evidence was destroyed")]
    Unexplained {
        /// The leaf.
        leaf: u64,
    },
    /// A leaf opens, and is not a commitment to what was stated.
    #[error("leaf {leaf} is not a commitment to what its statement says")]
    Differs {
        /// The leaf.
        leaf: u64,
    },
    /// What the store says of a statement is not what it says itself.
    #[error("the row of leaf {leaf} gives another kind or time than its statement")]
    Heading {
        /// The leaf.
        leaf: u64,
    },
    /// Something in the store is stated nowhere in the ledger, or stated otherwise.
    #[error("{what} is not stated in the ledger as it is in the store")]
    Unstated {
        /// What it is.
        what: String,
    },
    /// Something is stated in the ledger and missing in the store.
    #[error("{what} is stated in the ledger and missing in the store")]
    Missing {
        /// What it is.
        what: String,
    },
}
