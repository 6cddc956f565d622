//! The `add-checkpoint` call of a witness, as c2sp.org/tlog-witness describes it: what goes over the wire, and
//! when a witness cosigns.

use std::fmt;

use crate::checkpoint::{Checkpoint, CheckpointError, SignedCheckpoint};
use crate::merkle::{Hash, root, verify_consistency};
use crate::note::{NoteError, NoteSignature, Verifier, parse_signatures};
use crate::text::{decimal, hash, to_base64};

/// The most hashes that a request may carry.
pub const MAX_PROOF: usize = 63;
/// The media type of the answer to a request with another old size than the witness knows.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// What a log asks a witness to cosign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the tree that the witness cosigned last, as far as the log knows.
    pub old_size: u64,
    /// The proof that the new tree continues that one.
    pub proof: Vec<Hash>,
    /// The new checkpoint.
    pub checkpoint: SignedCheckpoint,
}

/// A body that is not what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It is not text.
    #[error("the request is not UTF-8 text")]
    NotText,
    /// The first line is not as it should be.
    #[error("the request does not begin with `old` and a size")]
    OldSize,
    /// A line of the proof is not as it should be.
    #[error("hash {position} of the request is not the base64 of 32 bytes")]
    Hash {
        /// Which one, counted from 1.
        position: usize,
    },
    /// The proof is too long.
    #[error("the request has more than {MAX_PROOF} hashes")]
    TooManyHashes,
    /// There is no checkpoint after a blank line.
    #[error("the request has no checkpoint after a blank line")]
    NoCheckpoint,
    /// The checkpoint is not as it should be.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

impl AddCheckpoint {
    /// Reads the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        let body = str::from_utf8(body).map_err(|_| RequestError::NotText)?;
        let (head, checkpoint) = body.split_once("\n\n").ok_or(RequestError::NoCheckpoint)?;
        let mut lines = head.split('\n');
        let old_size = lines.next().and_then(|line| decimal(line.strip_prefix("old ")?));
        let old_size = old_size.ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        for (line, position) in lines.zip(1..) {
            if proof.len() == MAX_PROOF {
                return Err(RequestError::TooManyHashes);
            }
            proof.push(hash(line).ok_or(RequestError::Hash { position })?);
        }
        Ok(Self { old_size, proof, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "old {}", self.old_size)?;
        self.proof.iter().try_for_each(|hash| writeln!(out, "{}", to_base64(hash)))?;
        write!(out, "\n{}", self.checkpoint)
    }
}

/// The checkpoint of a log that a witness cosigned last: all that it must remember of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latest {
    /// The size of the tree.
    pub size: u64,
    /// The root of the tree.
    pub root: Hash,
}

impl Latest {
    /// What a witness knows of a log whose checkpoints it has never cosigned.
    pub fn none() -> Self {
        Self { size: 0, root: root(&[]) }
    }
}

/// Why a witness does not cosign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The witness does not know the log.
    #[error("the log of this origin is not known here")]
    UnknownLog,
    /// No known key of the log has signed, or one's signature is wrong.
    #[error("the checkpoint is not signed by a known key of its log")]
    Untrusted,
    /// The old tree is larger than the new one.
    #[error("the old size is larger than the checkpoint's")]
    OldSizeTooLarge,
    /// The witness has cosigned another size than the request starts from.
    #[error("the latest checkpoint cosigned here has size {latest}; prove consistency from there")]
    Stale {
        /// The size to start from.
        latest: u64,
    },
    /// The log shows two trees of one size: a fork.
    #[error("the log has shown another root for a tree of this size")]
    Fork,
    /// The new tree is not shown to continue the old one.
    #[error("the proof does not show that the tree continues the one cosigned here last")]
    Inconsistent,
}

impl Refusal {
    /// The HTTP status that tells it.
    pub fn status(self) -> u16 {
        match self {
            Self::OldSizeTooLarge => 400,
            Self::Untrusted => 403,
            Self::UnknownLog => 404,
            Self::Stale { .. } | Self::Fork => 409,
            Self::Inconsistent => 422,
        }
    }
}

/// Whether a witness may cosign: gives the checkpoint that is then its latest.
///
/// `log_keys` are the keys that it trusts for the checkpoint's origin; none if it does not know the log.
/// `latest` must be read, and the new one stored, in one step, before any cosignature leaves the house: two
/// requests at once could otherwise roll the witness back.
pub fn judge<'r>(
    request: &'r AddCheckpoint,
    log_keys: Option<&[&dyn Verifier]>,
    latest: &Latest,
) -> Result<&'r Checkpoint, Refusal> {
    let log_keys = log_keys.ok_or(Refusal::UnknownLog)?;
    let signed = &request.checkpoint;
    let checkpoint = signed.checkpoint();
    signed.verify(checkpoint.origin(), log_keys).map_err(|_| Refusal::Untrusted)?;
    if request.old_size > checkpoint.size() {
        return Err(Refusal::OldSizeTooLarge);
    }
    if request.old_size != latest.size {
        return Err(Refusal::Stale { latest: latest.size });
    }
    if latest.size == checkpoint.size() && latest.root != *checkpoint.root() {
        return Err(Refusal::Fork);
    }
    let consistent = if latest.size == 0 {
        request.proof.is_empty()
    } else {
        let (old, new) = (&latest.root, checkpoint.root());
        verify_consistency(latest.size, checkpoint.size(), &request.proof, old, new)
    };
    if consistent { Ok(checkpoint) } else { Err(Refusal::Inconsistent) }
}

/// The body of a witness's answer: its cosignatures, a line each.
pub fn write_cosignatures(signatures: &[NoteSignature]) -> String {
    let mut body = String::new();
    for signature in signatures {
        body.push_str(&signature.to_string());
        body.push('\n');
    }
    body
}

/// The cosignatures in a witness's answer, none of them checked: see [`SignedCheckpoint::add_cosignatures`].
pub fn parse_cosignatures(body: &[u8]) -> Result<Vec<NoteSignature>, NoteError> {
    parse_signatures(str::from_utf8(body).map_err(|_| NoteError::NotText)?)
}

/// The body of the answer [`Refusal::Stale`]: the size to start from.
pub fn write_size(size: u64) -> String {
    format!("{size}\n")
}

/// The size in the body of the answer [`Refusal::Stale`].
pub fn parse_size(body: &[u8]) -> Option<u64> {
    decimal(str::from_utf8(body).ok()?.strip_suffix('\n')?)
}
