//! Signed notes, as c2sp.org/signed-note describes them: a text, and signatures of named keys under it.

mod ed25519;
mod key;
mod signature;

pub(crate) use ed25519::signature_of;
pub use ed25519::{Ed25519Signer, Ed25519Verifier};
pub use key::{KeyError, KeyId, KeyName, SignatureType, VerifierKey};
pub use signature::{NoteSignature, SignatureError};

use std::fmt;

/// The longest note that is read, in bytes: room for a hundred signatures of any kind in use.
pub const MAX_NOTE_BYTES: usize = 1_000_000;
/// The most signatures that a note is read with; the specification asks for at least 16.
pub const MAX_SIGNATURES: usize = 100;

/// One private key, wherever it is kept.
pub trait RawSigner {
    /// The public key: 32 bytes for Ed25519, 1312 for ML-DSA-44.
    fn public_key(&self) -> Vec<u8>;
    /// Signs a message; ML-DSA-44 with an empty context.
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError>;
}

/// One public key that can check signatures.
pub trait RawVerifier {
    /// The public key: 32 bytes for Ed25519, 1312 for ML-DSA-44.
    fn public_key(&self) -> Vec<u8>;
    /// Whether the signature is this key's over the message; ML-DSA-44 with an empty context.
    fn verify(&self, message: &[u8], signature: &[u8]) -> bool;
}

impl<K: RawSigner + ?Sized> RawSigner for Box<K> {
    fn public_key(&self) -> Vec<u8> {
        (**self).public_key()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        (**self).sign(message)
    }
}

impl<K: RawVerifier + ?Sized> RawVerifier for Box<K> {
    fn public_key(&self) -> Vec<u8> {
        (**self).public_key()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        (**self).verify(message, signature)
    }
}

/// A signature could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SigningError {
    /// The key, or the device that holds it, did not sign.
    #[error("the key did not sign: {reason}")]
    Key {
        /// What it said.
        reason: String,
    },
    /// A name is too long to be part of the signed message.
    #[error("the {what} is {bytes} bytes long and an ML-DSA-44 cosignature allows 255")]
    NameTooLong {
        /// Which name.
        what: &'static str,
        /// How long it is.
        bytes: usize,
    },
}

/// Checks the signatures of one named key over the texts of notes.
pub trait Verifier {
    /// The key, with its name.
    fn key(&self) -> &VerifierKey;
    /// Whether the signature is this key's over the text.
    fn verify(&self, text: &str, signature: &[u8]) -> bool;
}

/// A text with signatures of which none has been checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// Bytes that are not a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is longer than a reader takes.
    #[error("the note is {bytes} bytes long; at most {MAX_NOTE_BYTES} are read")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It is not text.
    #[error("the note is not UTF-8 text free of control characters")]
    NotText,
    /// The text does not end with a newline.
    #[error("the text of the note does not end with a newline")]
    UnendedText,
    /// There are no signatures where they should be.
    #[error("the note has no signature lines after a blank line")]
    Unsigned,
    /// The last line is cut off.
    #[error("the last signature line does not end with a newline")]
    UnendedSignature,
    /// There are more signatures than a reader takes.
    #[error("the note has {count} signatures; at most {MAX_SIGNATURES} are read")]
    TooManySignatures {
        /// How many there are.
        count: usize,
    },
    /// A line is no signature.
    #[error("signature {position} of the note is malformed")]
    Signature {
        /// Which one, counted from 1.
        position: usize,
        /// What is wrong with it.
        source: SignatureError,
    },
}

/// Why a note is not to be believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// Two of the known keys cannot be told apart.
    #[error("two known keys share the name `{name}` and the id {id}; give each key once")]
    AmbiguousKey {
        /// Their name.
        name: KeyName,
        /// Their id.
        id: KeyId,
    },
    /// A known key's signature is wrong.
    #[error("the signature of the known key `{name}` ({id}) does not verify")]
    BadSignature {
        /// The key's name.
        name: KeyName,
        /// The key's id.
        id: KeyId,
    },
    /// No known key has signed.
    #[error("no known key has signed the note")]
    NoKnownKey,
}

impl Note {
    /// A note of a text and its signatures, of which there must be at least one.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(NoteError::NotText);
        }
        if !text.ends_with('\n') {
            return Err(NoteError::UnendedText);
        }
        match signatures.len() {
            0 => Err(NoteError::Unsigned),
            count if count > MAX_SIGNATURES => Err(NoteError::TooManySignatures { count }),
            _ => Self { text, signatures }.readable(),
        }
    }

    /// This note, if it is not longer than a reader takes.
    fn readable(self) -> Result<Self, NoteError> {
        let bytes = self.to_string().len();
        if bytes > MAX_NOTE_BYTES { Err(NoteError::TooLong { bytes }) } else { Ok(self) }
    }

    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let whole = str::from_utf8(bytes).map_err(|_| NoteError::NotText)?;
        // The text may hold blank lines itself; the last one ends it.
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Unsigned)?;
        Self::new(format!("{text}\n"), parse_signatures(lines)?)
    }

    /// The text, with the newline at its end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signatures, known or not.
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Adds signatures that were made here, or verified; one of a key that has signed already takes the old
    /// one's place.
    ///
    /// Nothing is added if the note would then have more than a reader takes.
    pub fn add(&mut self, signatures: impl IntoIterator<Item = NoteSignature>) -> Result<(), NoteError> {
        let mut all = self.signatures.clone();
        for signature in signatures {
            match all.iter_mut().find(|known| known.key() == signature.key()) {
                Some(known) => *known = signature,
                None => all.push(signature),
            }
        }
        *self = Self::new(self.text.clone(), all)?;
        Ok(())
    }

    /// The signatures of known keys, all verified; those of unknown keys are passed over.
    ///
    /// A wrong signature of a known key fails the whole note, and so does the lack of any known one.
    pub fn verify(&self, known: &[&dyn Verifier]) -> Result<Vec<&NoteSignature>, VerifyError> {
        let mut verified: Vec<&NoteSignature> = Vec::new();
        for signature in &self.signatures {
            let (name, id) = signature.key();
            let mut matching =
                known.iter().filter(|verifier| (verifier.key().name(), verifier.key().id()) == (name, id));
            let Some(verifier) = matching.next() else { continue };
            if matching.next().is_some() {
                return Err(VerifyError::AmbiguousKey { name: name.clone(), id });
            }
            if !verifier.verify(&self.text, signature.bytes()) {
                return Err(VerifyError::BadSignature { name: name.clone(), id });
            }
            if verified.iter().all(|known| known.key() != (name, id)) {
                verified.push(signature);
            }
        }
        if verified.is_empty() { Err(VerifyError::NoKnownKey) } else { Ok(verified) }
    }
}

/// Reads signature lines, each ended by a newline.
pub(crate) fn parse_signatures(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    if lines.is_empty() {
        return Err(NoteError::Unsigned);
    }
    let lines = lines.strip_suffix('\n').ok_or(NoteError::UnendedSignature)?;
    let count = lines.split('\n').count();
    if count > MAX_SIGNATURES {
        return Err(NoteError::TooManySignatures { count });
    }
    lines
        .split('\n')
        .zip(1..)
        .map(|(line, position)| line.parse().map_err(|source| NoteError::Signature { position, source }))
        .collect()
}

impl fmt::Display for Note {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(out, "{signature}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signature(name: &str, id: u32, bytes: usize) -> NoteSignature {
        let id = KeyId::from_bytes(id.to_be_bytes());
        NoteSignature::new(name.parse().unwrap(), id, vec![1; bytes]).unwrap()
    }

    #[test]
    fn a_note_takes_no_more_signatures_than_a_reader_does() {
        let junk = (0..100).map(|id| signature("junk", id, 8)).collect();
        let mut note = Note::new("text\n".to_owned(), junk).unwrap();
        let before = note.clone();
        let two = [signature("witness", 1, 8), signature("witness", 2, 8)];
        assert_eq!(note.add(two), Err(NoteError::TooManySignatures { count: 102 }));
        assert_eq!(note, before, "nothing is added");
        note.add([signature("junk", 7, 9)]).unwrap();
        assert_eq!(
            Note::parse(note.to_string().as_bytes()),
            Ok(note),
            "one that takes another's place has room"
        );
    }

    #[test]
    fn a_note_grows_no_longer_than_a_reader_takes() {
        let text = "x".repeat(MAX_NOTE_BYTES - 200) + "\n";
        let mut note = Note::new(text.clone(), vec![signature("a", 1, 8)]).unwrap();
        assert!(matches!(note.add([signature("b", 2, 300)]), Err(NoteError::TooLong { .. })));
        assert_eq!(note.signatures().len(), 1);
        assert!(matches!(Note::new(text, vec![signature("b", 2, 300)]), Err(NoteError::TooLong { .. })));
        note.add([signature("b", 2, 8)]).unwrap();
        assert_eq!(Note::parse(note.to_string().as_bytes()), Ok(note));
    }
}
