//! Receipts: what is taken is written back byte for byte, can be put together again from its parts, and proves
//! nothing to whoever knows no key of the log.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_receipts::{Evidence, Receipt};
use tenure_tlog::proof::TlogProof;

/// A proof to which the bytes are added, since nearly all changes to base64 end before what is in it is read.
const PROOF: &[u8] = include_bytes!("../corpus/receipt/proof-alone");

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let mut proof = TlogProof::parse(PROOF).unwrap();
    proof.extra = bytes.to_vec();
    read(proof.to_string().as_bytes());
});

fn read(bytes: &[u8]) {
    let Ok(receipt) = Receipt::parse(bytes) else { return };
    assert_eq!(receipt.to_string().as_bytes(), bytes);

    let evidence = Evidence { opening: receipt.opening().clone(), statement: receipt.statement().to_vec() };
    let (link, item, proof) = (*receipt.link(), receipt.item().cloned(), receipt.proof().clone());
    let again = Receipt::new(receipt.subject(), link, evidence, item, proof).unwrap();
    assert_eq!(again.to_string(), receipt.to_string());

    let origin = receipt.proof().checkpoint.checkpoint().origin();
    assert!(receipt.verify(origin, &[]).is_err(), "nobody is known");
}
