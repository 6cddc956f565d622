//! Authenticated encryption, with the algorithm's id as the first byte of every ciphertext.

use aws_lc_rs::aead::{self, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf;
use zeroize::Zeroize;

use crate::error::OpenError;
use crate::keys::Secret;

const NONCE_LEN: usize = aead::NONCE_LEN;
const TAG_LEN: usize = 16;

/// Bytes that sealing adds: the algorithm's id, the nonce and the tag.
pub(crate) const OVERHEAD: usize = 1 + NONCE_LEN + TAG_LEN;

/// The cryptographic library refused, which it does only when it cannot draw random numbers or a
/// text is longer than the algorithm allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cryptographic library refused to encrypt; nothing was written, and trying again is safe")]
pub struct CipherError;

/// The algorithms in use. An id is never given to another algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// AES-256-GCM with a random nonce: what bodies were sealed with at first. Nothing new is.
    Gcm,
    /// AES-256-GCM-SIV: survives a nonce that repeats after a machine is restored, for keys.
    GcmSiv,
    /// Cobblestone-256, in [`chunked`](crate::chunked): readable by range, for bodies.
    Cobblestone,
}

impl Algorithm {
    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Gcm => 1,
            Self::GcmSiv => 2,
            Self::Cobblestone => 3,
        }
    }

    /// The algorithm that a ciphertext begins by naming.
    pub(crate) fn named_by(sealed: &[u8]) -> Result<Self, OpenError> {
        match sealed.first() {
            Some(1) => Ok(Self::Gcm),
            Some(2) => Ok(Self::GcmSiv),
            Some(3) => Ok(Self::Cobblestone),
            Some(other) => Err(OpenError::UnknownAlgorithm(*other)),
            None => Err(OpenError::Malformed),
        }
    }

    /// How a text is sealed whole, which Cobblestone does not do.
    fn implementation(self) -> Option<&'static aead::Algorithm> {
        match self {
            Self::Gcm => Some(&aead::AES_256_GCM),
            Self::GcmSiv => Some(&aead::AES_256_GCM_SIV),
            Self::Cobblestone => None,
        }
    }
}

/// A key made ready for one algorithm that seals a text whole. It opens nothing that another algorithm
/// sealed.
#[derive(Debug)]
pub(crate) struct Cipher {
    algorithm: Algorithm,
    key: RandomizedNonceKey,
}

impl Cipher {
    pub(crate) fn new(algorithm: Algorithm, secret: &Secret) -> Result<Self, CipherError> {
        let implementation = algorithm.implementation().ok_or(CipherError)?;
        let key = RandomizedNonceKey::new(implementation, secret.as_bytes()).map_err(|_| CipherError)?;
        Ok(Self { algorithm, key })
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Appends `id ‖ nonce ‖ ciphertext ‖ tag` to `out`, encrypting where it lies.
    ///
    /// On failure `out` is as long as it was, and nothing of the plaintext is left beyond its end.
    pub(crate) fn seal_into(
        &self,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), CipherError> {
        let start = out.len();
        // Room is made first: growing later would leave plaintext behind in the old allocation.
        out.reserve(plaintext.len() + OVERHEAD);
        out.push(self.algorithm.id());
        out.extend_from_slice(&[0; NONCE_LEN]);
        out.extend_from_slice(plaintext);
        let sealed = self.seal_tail(aad, out, start + 1);
        if sealed.is_err() {
            if let Some(tail) = out.get_mut(start..) {
                tail.zeroize();
            }
            out.truncate(start);
        }
        sealed
    }

    fn seal_tail(&self, aad: &[u8], out: &mut Vec<u8>, nonce_at: usize) -> Result<(), CipherError> {
        let (nonce_place, text) = out
            .get_mut(nonce_at..)
            .and_then(|tail| tail.split_first_chunk_mut::<NONCE_LEN>())
            .ok_or(CipherError)?;
        let (nonce, tag) =
            self.key.seal_in_place_separate_tag(Aad::from(aad), text).map_err(|_| CipherError)?;
        nonce_place.copy_from_slice(nonce.as_ref());
        out.extend_from_slice(tag.as_ref());
        Ok(())
    }

    pub(crate) fn seal(&self, aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, CipherError> {
        let mut out = Vec::new();
        self.seal_into(aad, plaintext, &mut out)?;
        Ok(out)
    }

    /// The plaintext, if key, names and every byte are those of the sealing.
    pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
        let (algorithm, rest) = sealed.split_first().ok_or(OpenError::Malformed)?;
        if *algorithm != self.algorithm.id() {
            return Err(OpenError::UnknownAlgorithm(*algorithm));
        }
        let (nonce, text) = rest.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Malformed)?;
        let mut text = text.to_vec();
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length =
            self.key.open_in_place(nonce, Aad::from(aad), &mut text).map_err(|_| OpenError::Refused)?.len();
        text.truncate(length);
        Ok(text)
    }
}

/// HKDF-SHA-256 without a salt: every input here is already a uniformly random key.
pub(crate) fn derive(input: &[u8], info: &str) -> Result<Secret, CipherError> {
    struct Length;
    impl hkdf::KeyType for Length {
        fn len(&self) -> usize {
            Secret::LEN
        }
    }
    let mut secret = Secret::zero();
    hkdf::Salt::new(hkdf::HKDF_SHA256, &[])
        .extract(input)
        .expand(&[info.as_bytes()], Length)
        .and_then(|output| output.fill(secret.as_mut_bytes()))
        .map_err(|_| CipherError)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keylog::Kind;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_names_only() {
        let (key, other) = (Secret::random(Kind::Body).unwrap(), Secret::random(Kind::Body).unwrap());
        for algorithm in [Algorithm::Gcm, Algorithm::GcmSiv] {
            let cipher = Cipher::new(algorithm, &key).unwrap();
            let sealed = cipher.seal(b"names", b"text").unwrap();
            assert_eq!(sealed.len(), 4 + OVERHEAD);
            assert_eq!(cipher.open(b"names", &sealed).unwrap(), b"text");
            assert!(matches!(cipher.open(b"name", &sealed), Err(OpenError::Refused)));
            let other = Cipher::new(algorithm, &other).unwrap();
            assert!(matches!(other.open(b"names", &sealed), Err(OpenError::Refused)));
        }
    }

    #[test]
    fn every_byte_counts() {
        let cipher = Cipher::new(Algorithm::GcmSiv, &Secret::random(Kind::Body).unwrap()).unwrap();
        let sealed = cipher.seal(b"", b"text").unwrap();
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert!(cipher.open(b"", &altered).is_err(), "byte {place}");
            assert!(cipher.open(b"", &sealed[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn a_key_opens_nothing_that_another_algorithm_sealed() {
        let secret = Secret::random(Kind::Body).unwrap();
        let sealed = Cipher::new(Algorithm::Gcm, &secret).unwrap().seal(b"", b"text").unwrap();
        let siv = Cipher::new(Algorithm::GcmSiv, &secret).unwrap();
        assert!(matches!(siv.open(b"", &sealed), Err(OpenError::UnknownAlgorithm(1))));
    }

    #[test]
    fn a_ciphertext_names_its_algorithm_first() {
        for algorithm in [Algorithm::Gcm, Algorithm::GcmSiv, Algorithm::Cobblestone] {
            assert_eq!(Algorithm::named_by(&[algorithm.id(), 7]), Ok(algorithm));
        }
        assert_eq!(Algorithm::named_by(&[0]), Err(OpenError::UnknownAlgorithm(0)));
        assert_eq!(Algorithm::named_by(&[4]), Err(OpenError::UnknownAlgorithm(4)));
        assert_eq!(Algorithm::named_by(&[]), Err(OpenError::Malformed));
    }

    #[test]
    fn two_purposes_derive_two_keys() {
        let one = derive(&[1; 32], "one").unwrap();
        assert_eq!(one.as_bytes(), derive(&[1; 32], "one").unwrap().as_bytes());
        assert_ne!(one.as_bytes(), derive(&[1; 32], "two").unwrap().as_bytes());
    }
}

#[cfg(test)]
#[path = "cipher_vectors.rs"]
mod vectors;
