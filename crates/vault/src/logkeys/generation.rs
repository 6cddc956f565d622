//! A generation: one Ed25519 key and one ML-DSA-44 key, which sign together until they are retired.

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _, ML_DSA_44_SIGNING, PqdsaKeyPair};
use tenure_model::Instant;
use tenure_tlog::checkpoint::Checkpoint;
use tenure_tlog::cosignature::{Cosigner, Timestamp};
use tenure_tlog::note::{
    Ed25519Signer, KeyName, NoteSignature, RawSigner, SignatureType, SigningError, VerifierKey,
};

use crate::cipher::CipherError;
use crate::keylog::Kind;
use crate::keys::Secret;

/// The length of an ML-DSA-44 signature.
const ML_DSA_44_LEN: usize = SignatureType::MlDsa44Cosignature.raw_signature_len();

/// The seeds of both keys.
#[derive(Debug)]
pub(super) struct Seeds {
    pub(super) ed25519: Secret,
    pub(super) ml_dsa_44: Secret,
}

/// Both keys, ready to sign under the log's name.
#[derive(Debug)]
pub(super) struct Signers {
    seeds: Seeds,
    ed25519: Ed25519Signer<Ed25519>,
    ml_dsa_44: Cosigner<MlDsa44>,
}

/// Both keys of a retired generation: what they signed can be checked forever.
#[derive(Debug)]
pub(super) struct Retired {
    pub(super) at: Instant,
    pub(super) ed25519: VerifierKey,
    pub(super) ml_dsa_44: VerifierKey,
}

#[derive(Debug)]
pub(super) enum State {
    Active(Box<Signers>),
    Retired(Box<Retired>),
}

#[derive(Debug)]
pub(super) struct Generation {
    pub(super) made_at: Instant,
    pub(super) state: State,
}

impl Generation {
    /// New keys.
    pub(super) fn new(name: &KeyName, made_at: Instant) -> Result<Self, CipherError> {
        let seeds = Seeds { ed25519: Secret::random(Kind::Seed)?, ml_dsa_44: Secret::random(Kind::Seed)? };
        Self::active(name, made_at, seeds)
    }

    /// The keys of these seeds.
    pub(super) fn active(name: &KeyName, made_at: Instant, seeds: Seeds) -> Result<Self, CipherError> {
        let state = State::Active(Box::new(Signers::new(name, seeds)?));
        Ok(Self { made_at, state })
    }

    /// The same keys, which sign no more: their seeds are forgotten. What was retired stays as it is.
    pub(super) fn retired(&self, at: Instant) -> Option<Self> {
        let State::Active(signers) = &self.state else { return None };
        let (ed25519, ml_dsa_44) = (signers.ed25519.key().clone(), signers.ml_dsa_44.key().clone());
        let state = State::Retired(Box::new(Retired { at, ed25519, ml_dsa_44 }));
        Some(Self { made_at: self.made_at, state })
    }

    pub(super) fn signers(&self) -> Option<&Signers> {
        match &self.state {
            State::Active(signers) => Some(signers),
            State::Retired(_) => None,
        }
    }

    pub(super) fn retired_at(&self) -> Option<Instant> {
        match &self.state {
            State::Active(_) => None,
            State::Retired(retired) => Some(retired.at),
        }
    }

    /// Both public keys.
    pub(super) fn keys(&self) -> [&VerifierKey; 2] {
        match &self.state {
            State::Active(signers) => [signers.ed25519.key(), signers.ml_dsa_44.key()],
            State::Retired(retired) => [&retired.ed25519, &retired.ml_dsa_44],
        }
    }
}

impl Signers {
    fn new(name: &KeyName, seeds: Seeds) -> Result<Self, CipherError> {
        let ed25519 = Ed25519::from_seed(&seeds.ed25519)?;
        let ml_dsa_44 = MlDsa44::from_seed(&seeds.ml_dsa_44)?;
        // The lengths of public keys agree, so neither can be refused.
        let ed25519 = Ed25519Signer::new(name.clone(), ed25519).map_err(|_| CipherError)?;
        let ml_dsa_44 = Cosigner::ml_dsa_44(name.clone(), ml_dsa_44).map_err(|_| CipherError)?;
        Ok(Self { seeds, ed25519, ml_dsa_44 })
    }

    pub(super) fn seeds(&self) -> [&Secret; 2] {
        [&self.seeds.ed25519, &self.seeds.ml_dsa_44]
    }

    /// Signs a checkpoint, whose text is given so that several generations write it once.
    pub(super) fn sign(
        &self,
        checkpoint: &Checkpoint,
        text: &str,
        timestamp: Timestamp,
    ) -> Result<[NoteSignature; 2], SigningError> {
        Ok([self.ed25519.sign(text)?, self.ml_dsa_44.cosign(checkpoint, timestamp)?])
    }
}

/// An Ed25519 key of the cryptographic library, which wipes it when it is dropped.
#[derive(Debug)]
struct Ed25519(Ed25519KeyPair);

impl Ed25519 {
    fn from_seed(seed: &Secret) -> Result<Self, CipherError> {
        Ed25519KeyPair::from_seed_unchecked(seed.as_bytes()).map(Self).map_err(|_| CipherError)
    }
}

impl RawSigner for Ed25519 {
    fn public_key(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let signature = self.0.try_sign(message).map_err(|_| refused())?;
        Ok(signature.as_ref().to_vec())
    }
}

/// An ML-DSA-44 key of the cryptographic library, which wipes it when it is dropped.
#[derive(Debug)]
struct MlDsa44(PqdsaKeyPair);

impl MlDsa44 {
    fn from_seed(seed: &Secret) -> Result<Self, CipherError> {
        PqdsaKeyPair::from_seed(&ML_DSA_44_SIGNING, seed.as_bytes()).map(Self).map_err(|_| CipherError)
    }
}

impl RawSigner for MlDsa44 {
    fn public_key(&self) -> Vec<u8> {
        self.0.public_key().as_ref().to_vec()
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let mut signature = vec![0; ML_DSA_44_LEN];
        let length = self.0.sign(message, &mut signature).map_err(|_| refused())?;
        signature.truncate(length);
        Ok(signature)
    }
}

fn refused() -> SigningError {
    SigningError::Key { reason: "the cryptographic library refused to sign".to_owned() }
}

#[cfg(test)]
mod tests {
    use tenure_tlog::crypto::{Ed25519PublicKey, Ed25519SecretKey, MlDsa44PublicKey, MlDsa44SecretKey};
    use tenure_tlog::note::RawVerifier;

    use super::*;

    #[test]
    fn both_libraries_derive_the_same_keys_from_a_seed() {
        for _ in 0..8 {
            let seed = Secret::random(Kind::Seed).unwrap();
            let pure = Ed25519SecretKey::from_seed(seed.as_bytes()).public_key();
            assert_eq!(Ed25519::from_seed(&seed).unwrap().public_key(), pure);
            let pure = MlDsa44SecretKey::from_seed(seed.as_bytes()).public_key();
            assert_eq!(MlDsa44::from_seed(&seed).unwrap().public_key(), pure);
        }
    }

    #[test]
    fn what_one_library_signs_the_other_verifies() {
        let seed = Secret::random(Kind::Seed).unwrap();
        let ed25519 = Ed25519::from_seed(&seed).unwrap();
        let known = Ed25519PublicKey::from_bytes(&ed25519.public_key()).unwrap();
        let signature = ed25519.sign(b"message").unwrap();
        assert!(known.verify(b"message", &signature) && !known.verify(b"another", &signature));

        let ml_dsa_44 = MlDsa44::from_seed(&seed).unwrap();
        let known = MlDsa44PublicKey::from_bytes(&ml_dsa_44.public_key()).unwrap();
        let signature = ml_dsa_44.sign(b"message").unwrap();
        assert_eq!(signature.len(), ML_DSA_44_LEN);
        assert!(known.verify(b"message", &signature) && !known.verify(b"another", &signature));
    }

    #[test]
    fn a_retired_generation_keeps_its_public_keys_and_nothing_secret() {
        let at = Instant::from_micros(0).unwrap();
        let made = Generation::new(&"log.example".parse().unwrap(), at).unwrap();
        let retired = made.retired(at).unwrap();
        assert_eq!(retired.keys(), made.keys());
        assert!(retired.signers().is_none() && retired.retired(at).is_none());
    }

    #[test]
    fn no_seed_is_ever_printed() {
        let seeds = Seeds {
            ed25519: Secret::from_slice(&[0xAB; 32]).unwrap(),
            ml_dsa_44: Secret::from_slice(&[0xAB; 32]).unwrap(),
        };
        let at = Instant::from_micros(0).unwrap();
        let generation = Generation::active(&"log.example".parse().unwrap(), at, seeds).unwrap();
        let printed = format!("{generation:?}").to_lowercase();
        assert!(!printed.contains("171, 171") && !printed.contains("abab"), "{printed}");
    }
}
