//! Checkpoints, signed and not: what is taken is written back byte for byte, and signing it again changes nothing.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_tlog::checkpoint::{Checkpoint, Origin, SignedCheckpoint};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(signed) = SignedCheckpoint::parse(bytes) {
        assert_eq!(signed.to_string().as_bytes(), bytes);
        assert_eq!(signed.checkpoint().to_string(), signed.note().text());
        let (checkpoint, signatures) = (signed.checkpoint().clone(), signed.note().signatures().to_vec());
        let mut again = SignedCheckpoint::new(checkpoint, signatures.clone()).unwrap();
        assert_eq!(again, signed);
        again.add(signatures).expect("what was there once fits again");
        assert_eq!(again, signed, "a signature that is there already takes its own place");
        assert!(signed.verify(signed.checkpoint().origin(), &[]).is_err(), "nobody is known");
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(checkpoint) = text.parse::<Checkpoint>() {
        assert_eq!(checkpoint.to_string(), text);
    }
    if let Ok(origin) = text.parse::<Origin>() {
        assert_eq!(origin.to_string(), text);
    }
});
