//! Cosignatures, as c2sp.org/tlog-cosignature describes them: someone's word that a checkpoint continues all
//! that they have seen of the log, as of a time.
//!
//! Logs, too, sign their own checkpoints with the ML-DSA-44 form. Of that form only whole trees are signed
//! here (`start` is zero), not subtrees from the middle of a log.

use crate::checkpoint::Checkpoint;
use crate::note::{
    KeyError, KeyName, NoteSignature, RawSigner, RawVerifier, SignatureType, SigningError, Verifier,
    VerifierKey, signature_of,
};
use crate::text::split_u64;

/// What an ML-DSA-44 cosigner signs begins with this, as nothing else does.
const LABEL: &[u8; 12] = b"subtree/v1\n\0";
/// The first line of what an Ed25519 cosigner signs.
const HEADER: &str = "cosignature/v1";

/// A time in whole seconds since 1970, at most 2^63 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// No time: no word is given that the tree is the largest one seen.
    pub const NONE: Self = Self(0);

    /// A time, unless it is after 2^63 - 1 seconds.
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        i64::try_from(seconds).is_ok().then_some(Self(seconds))
    }

    /// The seconds.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// Splits the time from the signature proper.
fn split(signature_type: SignatureType, bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (seconds, raw) = split_u64(bytes)?;
    let timestamp = Timestamp::from_seconds(seconds)?;
    (raw.len() == signature_type.raw_signature_len()).then_some((timestamp, raw))
}

/// The message that a cosigner's key signs.
fn message(
    key: &VerifierKey,
    timestamp: Timestamp,
    checkpoint: &Checkpoint,
) -> Result<Vec<u8>, SigningError> {
    if key.signature_type() != SignatureType::MlDsa44Cosignature {
        return Ok(format!("{HEADER}\ntime {}\n{checkpoint}", timestamp.seconds()).into_bytes());
    }
    let mut message = LABEL.to_vec();
    push_name(&mut message, "name of the cosigner", key.name().as_str())?;
    message.extend_from_slice(&timestamp.seconds().to_be_bytes());
    push_name(&mut message, "origin of the log", checkpoint.origin().as_str())?;
    let (start, end) = (0_u64, checkpoint.size());
    message.extend_from_slice(&start.to_be_bytes());
    message.extend_from_slice(&end.to_be_bytes());
    message.extend_from_slice(checkpoint.root());
    Ok(message)
}

fn push_name(message: &mut Vec<u8>, what: &'static str, name: &str) -> Result<(), SigningError> {
    let length =
        u8::try_from(name.len()).map_err(|_| SigningError::NameTooLong { what, bytes: name.len() })?;
    message.push(length);
    message.extend_from_slice(name.as_bytes());
    Ok(())
}

/// Cosigns checkpoints.
#[derive(Debug)]
pub struct Cosigner<K> {
    key: VerifierKey,
    raw: K,
}

impl<K: RawSigner> Cosigner<K> {
    /// A cosigner with an Ed25519 key, which must be used under this one name: the name is not signed.
    pub fn ed25519(name: KeyName, raw: K) -> Result<Self, KeyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureType::Ed25519Cosignature, raw.public_key())?, raw })
    }

    /// A cosigner with an ML-DSA-44 key. A log that signs its own checkpoints has its origin as the name.
    pub fn ml_dsa_44(name: KeyName, raw: K) -> Result<Self, KeyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureType::MlDsa44Cosignature, raw.public_key())?, raw })
    }

    /// What others need to verify its cosignatures.
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// Cosigns a checkpoint as of a time.
    ///
    /// An ML-DSA-44 cosignature says nothing about extension lines.
    pub fn cosign(
        &self,
        checkpoint: &Checkpoint,
        timestamp: Timestamp,
    ) -> Result<NoteSignature, SigningError> {
        let raw = self.raw.sign(&message(&self.key, timestamp, checkpoint)?)?;
        let mut bytes = timestamp.seconds().to_be_bytes().to_vec();
        bytes.extend_from_slice(&raw);
        signature_of(&self.key, bytes)
    }
}

/// Checks the cosignatures of one cosigner.
#[derive(Debug)]
pub struct CosignatureVerifier<K> {
    key: VerifierKey,
    raw: K,
}

impl<K: RawVerifier> CosignatureVerifier<K> {
    /// A verifier for the Ed25519 cosigner of this name.
    pub fn ed25519(name: KeyName, raw: K) -> Result<Self, KeyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureType::Ed25519Cosignature, raw.public_key())?, raw })
    }

    /// A verifier for the ML-DSA-44 cosigner of this name.
    pub fn ml_dsa_44(name: KeyName, raw: K) -> Result<Self, KeyError> {
        Ok(Self { key: VerifierKey::new(name, SignatureType::MlDsa44Cosignature, raw.public_key())?, raw })
    }
}

impl<K: RawVerifier> Verifier for CosignatureVerifier<K> {
    fn key(&self) -> &VerifierKey {
        &self.key
    }

    fn verify(&self, text: &str, signature: &[u8]) -> bool {
        let Some((timestamp, raw)) = split(self.key.signature_type(), signature) else { return false };
        let Ok(checkpoint) = text.parse() else { return false };
        message(&self.key, timestamp, &checkpoint).is_ok_and(|message| self.raw.verify(&message, raw))
    }
}

/// The time of a cosignature by this key; none if the signature is not this key's or not built like one.
///
/// It can be believed once the cosignature has been verified.
pub fn timestamp(key: &VerifierKey, signature: &NoteSignature) -> Option<Timestamp> {
    let own = signature.key() == (key.name(), key.id()) && key.signature_type() != SignatureType::Ed25519;
    let (timestamp, _) = split(key.signature_type(), signature.bytes()).filter(|_| own)?;
    Some(timestamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
            .parse()
            .unwrap()
    }

    #[test]
    fn an_ed25519_cosigner_signs_the_message_of_the_specification() {
        let key =
            VerifierKey::new("w".parse().unwrap(), SignatureType::Ed25519Cosignature, vec![0; 32]).unwrap();
        let message = message(&key, Timestamp::from_seconds(1_679_315_147).unwrap(), &checkpoint()).unwrap();
        assert_eq!(
            String::from_utf8(message).unwrap(),
            "cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n\
             CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
        );
    }

    #[test]
    fn an_ml_dsa_44_cosigner_signs_the_structure_of_the_specification() {
        let name: KeyName = "witness.example/w1".parse().unwrap();
        let key = VerifierKey::new(name, SignatureType::MlDsa44Cosignature, vec![0; 1312]).unwrap();
        let message = message(&key, Timestamp(0x0102_0304_0506_0708), &checkpoint()).unwrap();
        let expected = [
            b"subtree/v1\n\0",
            &b"\x12witness.example/w1"[..],
            &[1, 2, 3, 4, 5, 6, 7, 8],
            b"\x1bexample.com/behind-the-sofa",
            &[0; 8],
            &[0, 0, 0, 0, 0x01, 0x3e, 0x2d, 0xc3],
            checkpoint().root(),
        ]
        .concat();
        assert_eq!(message, expected);
    }

    #[test]
    fn names_too_long_for_the_structure_are_refused() {
        let name: KeyName = "w".repeat(256).parse().unwrap();
        let key = VerifierKey::new(name, SignatureType::MlDsa44Cosignature, vec![0; 1312]).unwrap();
        let refused = message(&key, Timestamp::NONE, &checkpoint());
        assert!(matches!(refused, Err(SigningError::NameTooLong { bytes: 256, .. })));
    }

    #[test]
    fn a_time_beyond_63_bits_is_none() {
        assert_eq!(Timestamp::from_seconds(i64::MAX.unsigned_abs() + 1), None);
        assert!(Timestamp::from_seconds(i64::MAX.unsigned_abs()).is_some());
    }
}
