//! Signature lines.

use std::fmt;
use std::str::FromStr;

use super::{KeyError, KeyId, KeyName};
use crate::text::{from_base64, to_base64};

/// One signature of a note, on its line: an em dash, the key's name, and base64 of the key's id and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    id: KeyId,
    bytes: Vec<u8>,
}

/// A line that is not a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// It is not built like one.
    #[error("a signature line is an em dash, the key name and base64, with a space between them")]
    Form,
    /// The name is not one.
    #[error(transparent)]
    Name(#[from] KeyError),
    /// Nothing follows the key's id.
    #[error("the signature is empty")]
    Empty,
}

impl NoteSignature {
    /// A signature by the key of this name and id.
    pub fn new(name: KeyName, id: KeyId, bytes: Vec<u8>) -> Result<Self, SignatureError> {
        if bytes.is_empty() { Err(SignatureError::Empty) } else { Ok(Self { name, id, bytes }) }
    }

    /// Name and id, which together say whose key it is.
    pub fn key(&self) -> (&KeyName, KeyId) {
        (&self.name, self.id)
    }

    /// The signature: what it consists of is up to the key's type.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Display for NoteSignature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut whole = self.id.to_bytes().to_vec();
        whole.extend_from_slice(&self.bytes);
        write!(out, "\u{2014} {} {}", self.name, to_base64(&whole))
    }
}

impl FromStr for NoteSignature {
    type Err = SignatureError;

    fn from_str(line: &str) -> Result<Self, SignatureError> {
        let rest = line.strip_prefix("\u{2014} ").ok_or(SignatureError::Form)?;
        let (name, encoded) = rest.split_once(' ').ok_or(SignatureError::Form)?;
        let whole = from_base64(encoded).ok_or(SignatureError::Form)?;
        let (id, bytes) = whole.split_first_chunk().ok_or(SignatureError::Form)?;
        Self::new(name.parse()?, KeyId::from_bytes(*id), bytes.to_vec())
    }
}
