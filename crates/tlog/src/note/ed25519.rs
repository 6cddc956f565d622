//! Signature type 0x01: Ed25519 over the text.

use super::{
    KeyError, KeyName, NoteSignature, RawSigner, RawVerifier, SignatureType, SigningError, Verifier,
    VerifierKey,
};

/// Signs the texts of notes with Ed25519.
#[derive(Debug)]
pub struct Ed25519Signer<K> {
    key: VerifierKey,
    raw: K,
}

impl<K: RawSigner> Ed25519Signer<K> {
    /// A signer of this name.
    pub fn new(name: KeyName, raw: K) -> Result<Self, KeyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureType::Ed25519, raw.public_key())?, raw })
    }

    /// What others need to verify its signatures.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Signs a text, which includes the newline at its end.
    pub fn sign(&self, text: &str) -> Result<NoteSignature, SigningError> {
        signature_of(&self.key, self.raw.sign(text.as_bytes())?)
    }
}

/// The signature of a key, if it made one at all.
pub(crate) fn signature_of(key: &VerifierKey, bytes: Vec<u8>) -> Result<NoteSignature, SigningError> {
    NoteSignature::new(key.name().clone(), key.id(), bytes)
        .map_err(|error| SigningError::Key { reason: error.to_string() })
}

/// Checks Ed25519 signatures over the texts of notes.
#[derive(Debug)]
pub struct Ed25519Verifier<K> {
    key: VerifierKey,
    raw: K,
}

impl<K: RawVerifier> Ed25519Verifier<K> {
    /// A verifier for the key of this name.
    pub fn new(name: KeyName, raw: K) -> Result<Self, KeyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureType::Ed25519, raw.public_key())?, raw })
    }
}

impl<K: RawVerifier> Verifier for Ed25519Verifier<K> {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn verify(&self, text: &str, signature: &[u8]) -> bool {
        self.raw.verify(text.as_bytes(), signature)
    }
}
