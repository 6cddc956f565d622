//! Proofs that something is in a log, as c2sp.org/tlog-proof describes them: a file to verify offline.

use std::fmt;

use crate::checkpoint::{CheckpointError, Origin, SignedCheckpoint, UntrustedCheckpoint};
use crate::merkle::{Hash, verify_inclusion};
use crate::note::{NoteSignature, Verifier};
use crate::text::{decimal, from_base64, hash, to_base64};

/// The first line of every proof.
const HEADER: &str = "c2sp.org/tlog-proof@v1";
/// No tree of up to 2^64 leaves has a longer path.
const MAX_PATH: usize = 64;

/// A proof as it is in the file; nothing in it has been checked yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// Whatever the application adds. It is not authenticated. If it is empty, it is not in the file.
    pub extra: Vec<u8>,
    /// The place of the entry in the log.
    pub index: u64,
    /// The hashes from the leaf's sibling up to the root's child.
    pub path: Vec<Hash>,
    /// The checkpoint whose root the path leads to.
    pub checkpoint: SignedCheckpoint,
}

/// A file that is not a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProofError {
    /// It is not text.
    #[error("the proof is not UTF-8 text")]
    NotText,
    /// It begins otherwise.
    #[error("the proof does not begin with the line `{HEADER}`")]
    Header,
    /// The extra line is not as it should be.
    #[error("the `extra` line of the proof is not base64, or is empty")]
    Extra,
    /// The index line is not as it should be.
    #[error("the `index` line of the proof is missing or not a decimal")]
    Index,
    /// A line of the path is not as it should be.
    #[error("hash {position} of the proof is not the base64 of 32 bytes")]
    Hash {
        /// Which one, counted from 1.
        position: usize,
    },
    /// The path is too long for any tree.
    #[error("the proof has more than {MAX_PATH} hashes")]
    TooManyHashes,
    /// There is no checkpoint after a blank line.
    #[error("the proof has no checkpoint after a blank line")]
    NoCheckpoint,
    /// The checkpoint is not as it should be.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// Why a proof does not prove that a leaf is in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// Its checkpoint is not to be believed.
    #[error(transparent)]
    Checkpoint(#[from] UntrustedCheckpoint),
    /// Its path does not lead from this leaf to the checkpoint's root.
    #[error("the path does not lead from this leaf to the root of the checkpoint")]
    Inclusion,
}

impl TlogProof {
    /// Reads a proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofError> {
        let file = str::from_utf8(bytes).map_err(|_| ProofError::NotText)?;
        let rest =
            file.strip_prefix(HEADER).and_then(|rest| rest.strip_prefix('\n')).ok_or(ProofError::Header)?;
        let (head, checkpoint) = rest.split_once("\n\n").ok_or(ProofError::NoCheckpoint)?;
        let mut lines = head.split('\n').peekable();
        let extra = match lines.next_if(|line| line.starts_with("extra ")) {
            Some(line) => extra(line).ok_or(ProofError::Extra)?,
            None => Vec::new(),
        };
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?));
        let index = index.ok_or(ProofError::Index)?;
        let path = path(lines)?;
        Ok(Self { extra, index, path, checkpoint: SignedCheckpoint::parse(checkpoint.as_bytes())? })
    }

    /// Verifies that the leaf of this hash is in the log of this origin, and gives the log's signatures.
    ///
    /// Cosignatures are a matter of policy: see [`SignedCheckpoint::cosignatures`].
    pub fn verify(
        &self,
        leaf: &Hash,
        origin: &Origin,
        log_keys: &[&dyn Verifier],
    ) -> Result<Vec<&NoteSignature>, Unproven> {
        let signatures = self.checkpoint.verify(origin, log_keys)?;
        let checkpoint = self.checkpoint.checkpoint();
        if verify_inclusion(self.index, checkpoint.size(), leaf, &self.path, checkpoint.root()) {
            Ok(signatures)
        } else {
            Err(Unproven::Inclusion)
        }
    }
}

fn extra(line: &str) -> Option<Vec<u8>> {
    from_base64(line.strip_prefix("extra ")?).filter(|extra| !extra.is_empty())
}

fn path<'l>(lines: impl Iterator<Item = &'l str>) -> Result<Vec<Hash>, ProofError> {
    let mut path = Vec::new();
    for (line, position) in lines.zip(1..) {
        if path.len() == MAX_PATH {
            return Err(ProofError::TooManyHashes);
        }
        path.push(hash(line).ok_or(ProofError::Hash { position })?);
    }
    Ok(path)
}

impl fmt::Display for TlogProof {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{HEADER}")?;
        if !self.extra.is_empty() {
            writeln!(out, "extra {}", to_base64(&self.extra))?;
        }
        writeln!(out, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(out, "{}", to_base64(hash)))?;
        write!(out, "\n{}", self.checkpoint)
    }
}
