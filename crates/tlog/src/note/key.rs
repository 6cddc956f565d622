//! Named keys.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::text::{from_base64, is_one_line, to_base64};

/// The name of a key: not empty, without spaces and `+`. A URL without its scheme is recommended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyError;

    fn from_str(name: &str) -> Result<Self, KeyError> {
        let valid = !name.is_empty()
            && is_one_line(name)
            && !name.contains(|letter: char| letter.is_whitespace() || letter == '+');
        if valid { Ok(Self(name.to_owned())) } else { Err(KeyError::Name) }
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The short id of a key. With the name it says which key signed, and how; it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(u32);

impl KeyId {
    /// The id from the bytes before a signature.
    pub fn from_bytes(bytes: [u8; 4]) -> Self {
        Self(u32::from_be_bytes(bytes))
    }

    /// The bytes before a signature.
    pub fn to_bytes(self) -> [u8; 4] {
        self.0.to_be_bytes()
    }

    /// The id that the specification recommends for a key.
    fn of(name: &KeyName, signature_type: SignatureType, public_key: &[u8]) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(name.as_str())
            .chain_update(b"\n")
            .chain_update([signature_type.byte()])
            .chain_update(public_key)
            .finalize()
            .into();
        let [first, second, third, fourth, ..] = digest;
        Self::from_bytes([first, second, third, fourth])
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:08x}", self.0)
    }
}

/// How a key signs notes. Each type has a byte of its own, so one key may serve several without confusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureType {
    /// 0x01: Ed25519 over the text, as c2sp.org/signed-note describes it.
    Ed25519,
    /// 0x04: a timestamped Ed25519 cosignature, as c2sp.org/tlog-cosignature describes it.
    Ed25519Cosignature,
    /// 0x06: a timestamped ML-DSA-44 cosignature, as c2sp.org/tlog-cosignature describes it. Logs sign their
    /// own checkpoints with it too.
    MlDsa44Cosignature,
}

impl SignatureType {
    /// The byte that stands for it.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Ed25519Cosignature => 0x04,
            Self::MlDsa44Cosignature => 0x06,
        }
    }

    /// The type that a byte stands for, if it is one of these.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Ed25519Cosignature),
            0x06 => Some(Self::MlDsa44Cosignature),
            _ => None,
        }
    }

    /// How long its public keys are.
    pub const fn public_key_len(self) -> usize {
        match self {
            Self::Ed25519 | Self::Ed25519Cosignature => 32,
            Self::MlDsa44Cosignature => 1312,
        }
    }

    /// How long its signatures are, without a timestamp.
    pub const fn raw_signature_len(self) -> usize {
        match self {
            Self::Ed25519 | Self::Ed25519Cosignature => 64,
            Self::MlDsa44Cosignature => 2420,
        }
    }
}

/// Something that is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is not one.
    #[error("a key name must not be empty or contain spaces, control characters or `+`")]
    Name,
    /// The text is not in the form of a verifier key.
    #[error(
        "a verifier key has the form `name+id+key` with an id of eight hexadecimal digits and a base64 key"
    )]
    Form,
    /// The signature type is not known.
    #[error("the signature type {byte:#04x} is not supported; use 0x01, 0x04 or 0x06")]
    UnknownType {
        /// The byte that stands for it.
        byte: u8,
    },
    /// The public key has the wrong length.
    #[error("a public key of this signature type is {expected} bytes long and this one is {found}")]
    Length {
        /// How long it should be.
        expected: usize,
        /// How long it is.
        found: usize,
    },
    /// The id is not that of the key.
    #[error("the id in the verifier key is not that of its name and key; copy it again from its source")]
    Id,
    /// The bytes are no point of the curve.
    #[error("the public key is not a valid one")]
    Invalid,
}

/// A public key with its name and what it signs: what a verifier is told to trust.
///
/// As text it is the `vkey` `name+id+base64(type || public key)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct VerifierKey {
    name: KeyName,
    id: KeyId,
    signature_type: SignatureType,
    public_key: Vec<u8>,
}

impl VerifierKey {
    /// A key with the id that the specification recommends.
    pub fn new(name: KeyName, signature_type: SignatureType, public_key: Vec<u8>) -> Result<Self, KeyError> {
        let (expected, found) = (signature_type.public_key_len(), public_key.len());
        if expected != found {
            return Err(KeyError::Length { expected, found });
        }
        let id = KeyId::of(&name, signature_type, &public_key);
        Ok(Self { name, id, signature_type, public_key })
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// How the key signs.
    pub fn signature_type(&self) -> SignatureType {
        self.signature_type
    }

    /// The public key's bytes.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut key = vec![self.signature_type.byte()];
        key.extend_from_slice(&self.public_key);
        write!(out, "{}+{}+{}", self.name, self.id, to_base64(&key))
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        // Base64 may contain `+` itself.
        let (name, rest) = text.split_once('+').ok_or(KeyError::Form)?;
        let (id, key) = rest.split_once('+').ok_or(KeyError::Form)?;
        let key = from_base64(key).ok_or(KeyError::Form)?;
        let (byte, public_key) = key.split_first().ok_or(KeyError::Form)?;
        let signature_type = SignatureType::from_byte(*byte).ok_or(KeyError::UnknownType { byte: *byte })?;
        let key = Self::new(name.parse()?, signature_type, public_key.to_vec())?;
        if key.id.to_string() == id { Ok(key) } else { Err(KeyError::Id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key from the documentation and tests of Go's `sumdb/note`.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn a_verifier_key_has_the_id_of_its_name_type_and_key() {
        let key: VerifierKey = PETER.parse().unwrap();
        assert_eq!(key.signature_type(), SignatureType::Ed25519);
        assert_eq!(key.to_string(), PETER);
        assert_eq!(PETER.replace("Peter", "Petra").parse::<VerifierKey>(), Err(KeyError::Id));
        assert_eq!(PETER.replace("c74f20a3", "C74F20A3").parse::<VerifierKey>(), Err(KeyError::Id));
        assert_eq!(PETER.replace("+ARpc", "+BBpc").parse::<VerifierKey>(), Err(KeyError::Id));
    }

    #[test]
    fn a_verifier_key_of_another_form_is_refused() {
        assert_eq!("name+c74f20a3".parse::<VerifierKey>(), Err(KeyError::Form));
        assert_eq!("name+c74f20a3+".parse::<VerifierKey>(), Err(KeyError::Form));
        assert_eq!("name+c74f20a3+AR".parse::<VerifierKey>(), Err(KeyError::Form));
        assert_eq!("name+c74f20a3+Ag==".parse::<VerifierKey>(), Err(KeyError::UnknownType { byte: 2 }));
        let short = Err(KeyError::Length { expected: 32, found: 0 });
        assert_eq!("name+c74f20a3+AQ==".parse::<VerifierKey>(), short);
        assert_eq!(format!("a name{PETER}").parse::<VerifierKey>(), Err(KeyError::Name));
    }

    #[test]
    fn a_key_name_is_one_word_without_plus() {
        for wrong in ["", " ", "a b", "a+b", "a\nb", "a\u{a0}b", "a\u{3000}", "a\u{1}"] {
            assert_eq!(wrong.parse::<KeyName>(), Err(KeyError::Name), "{wrong:?}");
        }
        assert_eq!(
            "öffentlich.example/wörter".parse::<KeyName>().unwrap().as_str(),
            "öffentlich.example/wörter"
        );
    }
}
