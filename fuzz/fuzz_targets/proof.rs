//! Proof files: what is taken is written back byte for byte, and its path leads to one root at most.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_tlog::proof::TlogProof;
use tenure_tlog::{leaf_hash, verify_consistency, verify_inclusion};

fuzz_target!(|bytes: &[u8]| {
    let Ok(proof) = TlogProof::parse(bytes) else { return };
    assert_eq!(proof.to_string().as_bytes(), bytes);

    let (index, path) = (proof.index, &proof.path);
    let (size, root) = (proof.checkpoint.checkpoint().size(), *proof.checkpoint.checkpoint().root());
    let leaf = leaf_hash(&proof.extra);
    let included = verify_inclusion(index, size, &leaf, path, &root);
    assert!(!included || !verify_inclusion(index, size, &leaf_hash(&root), path, &root));
    assert!(!included || !verify_inclusion(index, size, &leaf, path, &leaf_hash(&root)));
    // The same hashes as a proof of consistency, from a size that the file chose: it must only not panic, and
    // hold for one root.
    let consistent = verify_consistency(index, size, path, &leaf, &root);
    assert!(!consistent || !verify_consistency(index, size, path, &leaf, &leaf_hash(&root)));
    assert!(proof.verify(&leaf, proof.checkpoint.checkpoint().origin(), &[]).is_err(), "nobody is known");
});
