//! Verifying a receipt against the keys of a log.

use tenure_tlog::checkpoint::{Origin, UntrustedCheckpoint};
use tenure_tlog::note::{NoteSignature, Verifier, VerifyError};
use tenure_tlog::proof;

use super::Receipt;
use crate::{ItemProof, Link, Stated, StatementError, Subject, commit, leaf};

/// What a receipt proves.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Proven<'r> {
    /// Whose chain the statement is in.
    pub subject: Subject<'r>,
    /// Its place in that chain.
    pub link: Link,
    /// What was stated, and when it was received.
    pub stated: Stated,
    /// The one item, of those that the statement speaks of, that the receipt is about.
    pub item: Option<&'r ItemProof>,
    /// The place of the statement's leaf in the log.
    pub index: u64,
    /// The size of the log that was signed, which the leaf is in.
    pub size: u64,
    /// The signatures by known keys of the log.
    pub signatures: Vec<&'r NoteSignature>,
}

/// Why a receipt proves nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unproven {
    /// It is about another log.
    #[error("the receipt is about another log than the one that was asked for")]
    OtherLog,
    /// None of the keys has signed it.
    #[error("none of the given keys has signed this receipt's checkpoint: check that they are the log's")]
    WrongKey,
    /// A signature is not by the key that it names.
    #[error("the checkpoint was altered, or was not signed by the log")]
    Signature(#[source] VerifyError),
    /// No tree has such a path.
    #[error("the path in the receipt is broken: it has {found} hashes, and this leaf's has another number")]
    Path {
        /// How many there are.
        found: usize,
    },
    /// The leaf that the receipt describes is not the one in the log.
    #[error(
        "what the receipt says is not what the log holds: the statement, its opening, its place in the chain or its path was altered"
    )]
    Altered,
    /// The log holds the statement, but it can't be read.
    #[error("the log holds this statement, but it cannot be read")]
    Statement(#[from] StatementError),
    /// The statement is not about items.
    #[error("the receipt has an item, and its statement is not about items")]
    NoItems,
    /// The item is not one of the statement's.
    #[error("the item in the receipt is not one of those that the statement is about")]
    ItemNotUnderRoot,
}

impl Receipt {
    /// Verifies that the log of this origin, as one of its keys signed it, holds what the receipt says.
    pub fn verify(&self, origin: &Origin, log_keys: &[&dyn Verifier]) -> Result<Proven<'_>, Unproven> {
        let commitment = commit(&self.opening, self.subject(), &self.link, self.statement());
        let signatures =
            self.proof.verify(&leaf(&commitment), origin, log_keys).map_err(|why| self.unproven(why))?;
        let stated = Stated::read(self.statement())?;
        if let Some(proof) = &self.item {
            let (count, root) = stated.statement.items().ok_or(Unproven::NoItems)?;
            if !proof.verify(count, &root.0) {
                return Err(Unproven::ItemNotUnderRoot);
            }
        }
        Ok(Proven {
            subject: self.subject(),
            link: self.link,
            stated,
            item: self.item.as_ref(),
            index: self.proof.index,
            size: self.proof.checkpoint.checkpoint().size(),
            signatures,
        })
    }

    fn unproven(&self, why: proof::Unproven) -> Unproven {
        use UntrustedCheckpoint::{OtherOrigin, Signatures};
        match why {
            proof::Unproven::Checkpoint(OtherOrigin) => Unproven::OtherLog,
            proof::Unproven::Checkpoint(Signatures(VerifyError::NoKnownKey)) => Unproven::WrongKey,
            proof::Unproven::Checkpoint(Signatures(error)) => Unproven::Signature(error),
            _ => {
                let (found, size) = (self.proof.path.len(), self.proof.checkpoint.checkpoint().size());
                if path_length(self.proof.index, size) == Some(found) {
                    Unproven::Altered
                } else {
                    Unproven::Path { found }
                }
            }
        }
    }
}

/// How many hashes lead from a leaf to the root of a tree.
fn path_length(index: u64, size: u64) -> Option<usize> {
    let last = size.checked_sub(1)?;
    if index > last {
        return None;
    }
    // Up to where the ways of this leaf and the last one meet there is a hash on each level; above it, only
    // where the way comes from the right.
    let below = u64::BITS - (index ^ last).leading_zeros();
    let above = index.checked_shr(below).unwrap_or(0).count_ones();
    usize::try_from(below + above).ok()
}
