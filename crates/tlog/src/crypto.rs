//! Keys in pure Rust: Ed25519 (RFC 8032) and ML-DSA-44 (FIPS 204).
//!
//! Randomness is not made here: a key comes from 32 random bytes that the caller brings, and both algorithms
//! sign without any.

use std::fmt;

use ed25519_dalek::Signer as _;
use ml_dsa::{KeyInit as _, Keypair as _, MlDsa44};

use crate::cosignature::CosignatureVerifier;
use crate::note::{
    Ed25519Verifier, KeyError, RawSigner, RawVerifier, SignatureType, SigningError, Verifier, VerifierKey,
};

/// A verifier for any of the known signature types.
pub fn verifier(key: &VerifierKey) -> Result<Box<dyn Verifier + Send + Sync>, KeyError> {
    let (name, bytes) = (key.name().clone(), key.public_key());
    Ok(match key.signature_type() {
        SignatureType::Ed25519 => Box::new(Ed25519Verifier::new(name, Ed25519PublicKey::from_bytes(bytes)?)?),
        SignatureType::Ed25519Cosignature => {
            Box::new(CosignatureVerifier::ed25519(name, Ed25519PublicKey::from_bytes(bytes)?)?)
        }
        SignatureType::MlDsa44Cosignature => {
            Box::new(CosignatureVerifier::ml_dsa_44(name, MlDsa44PublicKey::from_bytes(bytes)?)?)
        }
    })
}

/// An Ed25519 private key; it is wiped from memory when dropped.
pub struct Ed25519SecretKey(ed25519_dalek::SigningKey);

impl Ed25519SecretKey {
    /// The key of 32 secret bytes.
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(seed))
    }
}

impl RawSigner for Ed25519SecretKey {
    fn public_key(&self) -> Vec<u8> {
        self.0.verifying_key().to_bytes().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.0.try_sign(message).map_err(failed)?;
        Ok(signature.to_bytes().to_vec())
    }
}

/// An Ed25519 public key.
#[derive(Clone, Debug)]
pub struct Ed25519PublicKey(ed25519_dalek::VerifyingKey);

impl Ed25519PublicKey {
    /// The key of 32 bytes; refused if they are no point of the curve, or one that verifies too much.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let array = bytes.try_into().map_err(|_| KeyError::Length { expected: 32, found: bytes.len() })?;
        let key = ed25519_dalek::VerifyingKey::from_bytes(array).map_err(|_| KeyError::Invalid)?;
        if key.is_weak() { Err(KeyError::Invalid) } else { Ok(Self(key)) }
    }
}

impl RawVerifier for Ed25519PublicKey {
    fn public_key(&self) -> Vec<u8> {
        self.0.to_bytes().to_vec()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_slice(signature);
        signature.is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

/// An ML-DSA-44 private key; it is wiped from memory when dropped.
pub struct MlDsa44SecretKey(ml_dsa::SigningKey<MlDsa44>);

impl MlDsa44SecretKey {
    /// The key of 32 secret bytes (FIPS 204 algorithm 6).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(ml_dsa::SigningKey::from_seed(&(*seed).into()))
    }
}

impl RawSigner for MlDsa44SecretKey {
    fn public_key(&self) -> Vec<u8> {
        self.0.verifying_key().encode().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.0.expanded_key().sign_deterministic(message, &[]).map_err(failed)?;
        Ok(signature.encode().to_vec())
    }
}

/// An ML-DSA-44 public key.
#[derive(Clone, Debug)]
pub struct MlDsa44PublicKey(ml_dsa::VerifyingKey<MlDsa44>);

impl MlDsa44PublicKey {
    /// The key of 1312 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = ml_dsa::VerifyingKey::new_from_slice(bytes);
        key.map(Self).map_err(|_| KeyError::Length { expected: 1312, found: bytes.len() })
    }
}

impl RawVerifier for MlDsa44PublicKey {
    fn public_key(&self) -> Vec<u8> {
        self.0.encode().to_vec()
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let signature = ml_dsa::Signature::<MlDsa44>::try_from(signature);
        signature.is_ok_and(|signature| self.0.verify_with_context(message, &[], &signature))
    }
}

fn failed(error: impl fmt::Display) -> SigningError {
    SigningError::Key { reason: error.to_string() }
}

impl fmt::Debug for Ed25519SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Ed25519SecretKey(..)")
    }
}

impl fmt::Debug for MlDsa44SecretKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("MlDsa44SecretKey(..)")
    }
}
