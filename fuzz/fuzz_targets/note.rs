//! Signed notes, their signature lines and keys: what is taken is written back byte for byte, and no stranger's
//! note is believed.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_tlog::crypto::verifier;
use tenure_tlog::note::{KeyName, Note, NoteSignature, VerifierKey, VerifyError};

/// The key of `golden/peter-neumann.txt`, a note that is in the corpus.
const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// The text that this key has signed, and no other.
const SIGNED: &str = "If you think cryptography is the answer to your problem,\n\
                      then you don't know what your problem is.\n";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(note) = Note::parse(bytes) {
        assert_eq!(note.to_string().as_bytes(), bytes);
        assert_eq!(Note::new(note.text().to_owned(), note.signatures().to_vec()).as_ref(), Ok(&note));
        believed_only_if_signed(&note);
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(signature) = text.parse::<NoteSignature>() {
        assert_eq!(signature.to_string(), text);
    }
    if let Ok(name) = text.parse::<KeyName>() {
        assert_eq!(name.to_string(), text);
    }
    if let Ok(key) = text.parse::<VerifierKey>() {
        assert_eq!(key.to_string(), text);
        // Whether its bytes are a key is for the algorithm to say, and it must say so without a panic.
        drop(verifier(&key));
    }
});

fn believed_only_if_signed(note: &Note) {
    let peter = verifier(&PETER.parse().unwrap()).unwrap();
    match note.verify(&[&*peter]) {
        Ok(signatures) => {
            assert_eq!(signatures.len(), 1);
            assert_eq!(note.text(), SIGNED);
        }
        Err(error) => assert!(!matches!(error, VerifyError::AmbiguousKey { .. })),
    }
}
