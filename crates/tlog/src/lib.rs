//! The mathematics of a transparency log: RFC 6962 hashing and tree roots.
//!
//! No I/O, no clock, no randomness. Proofs, tiles, checkpoints and notes join it with the ledger.

mod merkle;

pub use merkle::{Hash, leaf_hash, node_hash, root, verify_inclusion};
