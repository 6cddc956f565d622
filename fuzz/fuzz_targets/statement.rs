//! Statements and evidence: what is taken is written back byte for byte.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_receipts::{Evidence, Stated};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(stated) = Stated::read(bytes) {
        assert_eq!(stated.canonical().unwrap(), bytes);
        assert!(!stated.statement.describe().is_empty());
    }
    if let Ok(evidence) = Evidence::from_bytes(bytes) {
        assert_eq!(evidence.to_bytes(), bytes);
    }
});
