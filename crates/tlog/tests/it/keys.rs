//! Keys for tests, made of a repeated byte.

use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::cosignature::{Cosigner, Timestamp};
use tenure_tlog::crypto::{Ed25519SecretKey, MlDsa44SecretKey, verifier};
use tenure_tlog::note::{Ed25519Signer, Verifier, VerifierKey};

pub(crate) const ORIGIN: &str = "log.example/tenure";

pub(crate) fn log_key(seed: u8) -> Ed25519Signer<Ed25519SecretKey> {
    Ed25519Signer::new(ORIGIN.parse().unwrap(), Ed25519SecretKey::from_seed(&[seed; 32])).unwrap()
}

pub(crate) fn log_cosigner(seed: u8) -> Cosigner<MlDsa44SecretKey> {
    Cosigner::ml_dsa_44(ORIGIN.parse().unwrap(), MlDsa44SecretKey::from_seed(&[seed; 32])).unwrap()
}

pub(crate) fn witness(name: &str, seed: u8) -> Cosigner<Ed25519SecretKey> {
    Cosigner::ed25519(name.parse().unwrap(), Ed25519SecretKey::from_seed(&[seed; 32])).unwrap()
}

pub(crate) fn verifiers(keys: &[&VerifierKey]) -> Vec<Box<dyn Verifier + Send + Sync>> {
    keys.iter().map(|key| verifier(key).unwrap()).collect()
}

pub(crate) fn borrowed(verifiers: &[Box<dyn Verifier + Send + Sync>]) -> Vec<&dyn Verifier> {
    verifiers.iter().map(|verifier| -> &dyn Verifier { &**verifier }).collect()
}

/// A checkpoint of the log, signed with both of its keys.
pub(crate) fn signed(size: u64, root: tenure_tlog::Hash) -> SignedCheckpoint {
    let checkpoint = Checkpoint::new(ORIGIN.parse().unwrap(), size, root);
    let classic = log_key(1).sign(&checkpoint.to_string()).unwrap();
    let quantum =
        log_cosigner(2).cosign(&checkpoint, Timestamp::from_seconds(1_795_000_000).unwrap()).unwrap();
    SignedCheckpoint::new(checkpoint, vec![classic, quantum]).unwrap()
}
