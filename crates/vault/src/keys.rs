//! Key types. Their bytes are wiped when they are dropped and never printed.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::{hmac, rand};
use zeroize::Zeroize;

use crate::cipher::{Algorithm, Cipher, CipherError};
use crate::error::OpenError;
use crate::keylog::{self, Kind};
use crate::names::{Fields, length_prefix};

/// 32 secret bytes. They lie on the heap, so that moving the value leaves no copy behind.
pub(crate) struct Secret(Box<[u8; Self::LEN]>);

impl Secret {
    pub(crate) const LEN: usize = 32;

    pub(crate) fn zero() -> Self {
        Self(Box::new([0; Self::LEN]))
    }

    pub(crate) fn random(kind: Kind) -> Result<Self, CipherError> {
        let mut secret = Self::zero();
        rand::fill(secret.as_mut_bytes()).map_err(|_| CipherError)?;
        keylog::note(kind, secret.as_bytes());
        Ok(secret)
    }

    /// The secret of these bytes, if they are 32.
    pub(crate) fn from_slice(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; Self::LEN] = bytes.try_into().ok()?;
        let mut secret = Self::zero();
        secret.0.copy_from_slice(bytes);
        Some(secret)
    }

    pub(crate) fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    pub(crate) fn as_mut_bytes(&mut self) -> &mut [u8; Self::LEN] {
        &mut self.0
    }
}

/// A copy on the heap of its own, which is wiped like the first.
impl Clone for Secret {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret with its cipher, which is made ready on first use and then kept.
#[derive(Debug)]
struct Sealer {
    secret: Secret,
    cipher: OnceLock<Cipher>,
}

impl Sealer {
    const fn new(secret: Secret) -> Self {
        Self { secret, cipher: OnceLock::new() }
    }

    fn cipher(&self, algorithm: Algorithm) -> Result<&Cipher, CipherError> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(cipher);
        }
        let cipher = Cipher::new(algorithm, &self.secret)?;
        Ok(self.cipher.get_or_init(|| cipher))
    }
}

/// The key of one record's body.
#[derive(Debug)]
pub struct BodyKey(Sealer);

impl BodyKey {
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(Sealer::new(secret))
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// What opens segments that were sealed whole, before there were chunks.
    pub(crate) fn whole_cipher(&self) -> Result<&Cipher, CipherError> {
        self.0.cipher(Algorithm::Gcm)
    }
}

/// The key of one account, needed for every wrap of the account's records.
#[derive(Debug)]
pub struct AccountKey(Secret);

impl AccountKey {
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(secret)
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0
    }
}

/// The key that seals an account's decisions, statements and openings, and outlives its bodies.
#[derive(Debug)]
pub struct ProofKey(Sealer);

impl ProofKey {
    pub(crate) const fn new(secret: Secret) -> Self {
        Self(Sealer::new(secret))
    }

    pub(crate) const fn secret(&self) -> &Secret {
        &self.0.secret
    }

    /// Encrypts a small text, bound to the names given: the same list opens it.
    pub fn seal(&self, names: &[&[u8]], plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
        self.cipher()?.seal(Self::bind(names).as_bytes(), plaintext)
    }

    /// Opens what [`ProofKey::seal`] made under the same names.
    pub fn open(&self, names: &[&[u8]], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        self.cipher()?.open(Self::bind(names).as_bytes(), sealed)
    }

    fn cipher(&self) -> Result<&Cipher, CipherError> {
        self.0.cipher(Algorithm::GcmSiv)
    }

    fn bind(names: &[&[u8]]) -> Fields {
        let mut fields = Fields::new("tenure/proof-blob/v1", Algorithm::GcmSiv);
        for name in names {
            fields.add(name);
        }
        fields
    }
}

/// The key by which the same content is recognised when it is imported twice.
///
/// A plain hash in SQL would let anyone who holds the database test a guess at what was said.
#[derive(Debug)]
pub struct IdentityKey(hmac::Key);

impl IdentityKey {
    pub(crate) fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()))
    }

    /// HMAC-SHA-256 over the parts, each with its length before it: the same for the same content, and
    /// of no use to anyone without the key.
    pub fn identify(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(&length_prefix(part));
            context.update(part);
        }
        let mut fingerprint = [0; 32];
        // The lengths agree: SHA-256 has 32 bytes.
        for (byte, of_tag) in fingerprint.iter_mut().zip(context.sign().as_ref()) {
            *byte = *of_tag;
        }
        fingerprint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_never_print_their_bytes() {
        let secret = Secret::from_slice(&[0xAB; 32]).unwrap();
        let key = BodyKey::new(secret);
        key.whole_cipher().unwrap();
        let printed = format!("{key:?} {:?}", AccountKey::new(Secret::from_slice(&[0xAB; 32]).unwrap()));
        assert!(!printed.contains("171") && !printed.to_lowercase().contains("abab"), "{printed}");
    }

    #[test]
    fn the_same_parts_are_recognised_and_parts_do_not_slide() {
        let key = IdentityKey::new(&Secret::from_slice(&[3; 32]).unwrap());
        assert_eq!(key.identify(&[b"ab", b"c"]), key.identify(&[b"ab", b"c"]));
        assert_ne!(key.identify(&[b"ab", b"c"]), key.identify(&[b"a", b"bc"]));
        let other = IdentityKey::new(&Secret::from_slice(&[4; 32]).unwrap());
        assert_ne!(key.identify(&[b"ab"]), other.identify(&[b"ab"]));
    }

    #[test]
    fn a_proof_key_opens_only_under_the_names_it_sealed() {
        let key = ProofKey::new(Secret::random(Kind::Proof).unwrap());
        let sealed = key.seal(&[b"decision", b"7"], b"on").unwrap();
        assert_eq!(key.open(&[b"decision", b"7"], &sealed).unwrap(), b"on");
        assert!(matches!(key.open(&[b"decision7"], &sealed), Err(OpenError::Refused)));
        assert!(matches!(key.open(&[b"decision", b"8"], &sealed), Err(OpenError::Refused)));
    }
}
