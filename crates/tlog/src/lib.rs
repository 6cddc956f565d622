//! A transparency log as the C2SP specifications describe it, one module for each of them.
//!
//! | Module | Specification |
//! |---|---|
//! | [`merkle`] | RFC 6962 section 2.1 (hashes, roots, proofs), RFC 9162 section 2.1 (their checks) |
//! | [`tile`] | c2sp.org/tlog-tiles |
//! | [`note`] | c2sp.org/signed-note |
//! | [`checkpoint`] | c2sp.org/tlog-checkpoint |
//! | [`cosignature`] | c2sp.org/tlog-cosignature |
//! | [`proof`] | c2sp.org/tlog-proof |
//! | [`witness`] | c2sp.org/tlog-witness, `add-checkpoint` |
//! | [`incremental`] | none: appending to a tree with no more than its right edge in memory |
//!
//! No I/O, no clock, no randomness: times are arguments, storage is behind [`merkle::HashReader`] and
//! [`tile::TileReader`], and keys are behind [`note::RawSigner`] and [`note::RawVerifier`]. The feature
//! `verify` (on by default) adds `crypto`: Ed25519 and ML-DSA-44 in pure Rust, which also run in a browser.
//!
//! Every form that is parsed here has one spelling: what is parsed is written back byte for byte.

pub mod checkpoint;
pub mod cosignature;
#[cfg(feature = "verify")]
pub mod crypto;
pub mod incremental;
pub mod merkle;
pub mod note;
pub mod proof;
mod text;
pub mod tile;
pub mod witness;

pub use merkle::{Hash, leaf_hash, node_hash, root, verify_consistency, verify_inclusion};
