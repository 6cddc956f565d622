//! Receipts: files that prove a statement offline.

mod extra;
mod verify;

pub use verify::{Proven, Unproven};

use std::fmt;

use tenure_tlog::proof::{ProofError, TlogProof};

use crate::{Evidence, ItemProof, Link, Opening, Subject};

/// The longest receipt that is read, in bytes.
const MAX_BYTES: usize = 8 << 20;

/// What a person keeps: a statement, what opens its leaf, and the proof that the leaf is in the log.
///
/// As text it is a file as c2sp.org/tlog-proof describes it, whose `extra` holds everything but the proof.
/// Until [`Receipt::verify`] has passed, it may say anything.
#[derive(Clone, PartialEq, Eq)]
pub struct Receipt {
    organisation: Option<String>,
    account: String,
    link: Link,
    opening: Opening,
    statement: String,
    item: Option<ItemProof>,
    /// Its `extra` is that of the fields above.
    proof: TlogProof,
}

/// A file that is not a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// It is longer than a reader takes.
    #[error("the receipt is {bytes} bytes long; at most {MAX_BYTES} are read")]
    TooLong {
        /// How long it is.
        bytes: usize,
    },
    /// It is not a proof.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// What it adds to the proof is not what a receipt adds.
    #[error(
        "the `extra` line of the receipt does not hold a statement and its opening in the form of version 1"
    )]
    Extra,
    /// The statement is no text.
    #[error("the statement is not UTF-8 text, so no receipt can hold it")]
    NotText,
}

impl Receipt {
    /// A receipt for a statement whose leaf a proof is about. Whatever the proof has as `extra` is replaced.
    pub fn new(
        subject: Subject<'_>,
        link: Link,
        evidence: Evidence,
        item: Option<ItemProof>,
        proof: TlogProof,
    ) -> Result<Self, ReceiptError> {
        let mut receipt = Self {
            organisation: subject.organisation.filter(|name| !name.is_empty()).map(str::to_owned),
            account: subject.account.to_owned(),
            link,
            opening: evidence.opening,
            statement: String::from_utf8(evidence.statement).map_err(|_| ReceiptError::NotText)?,
            item,
            proof,
        };
        receipt.proof.extra = receipt.extra()?;
        Ok(receipt)
    }

    /// Reads a receipt, and refuses another spelling of it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReceiptError> {
        if bytes.len() > MAX_BYTES {
            return Err(ReceiptError::TooLong { bytes: bytes.len() });
        }
        Self::of_proof(TlogProof::parse(bytes)?).ok_or(ReceiptError::Extra)
    }

    /// Whose chain the statement is in.
    pub fn subject(&self) -> Subject<'_> {
        Subject { organisation: self.organisation.as_deref(), account: &self.account }
    }

    /// Its place in that chain.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// What opens its leaf.
    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// The statement in its canonical form.
    pub fn statement(&self) -> &[u8] {
        self.statement.as_bytes()
    }

    /// The one item, of those that the statement speaks of, that the receipt is about.
    pub fn item(&self) -> Option<&ItemProof> {
        self.item.as_ref()
    }

    /// The proof that the leaf is in the log.
    pub fn proof(&self) -> &TlogProof {
        &self.proof
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.proof.fmt(f)
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the person nor what they said reaches a log.
        f.debug_struct("Receipt").field("index", &self.proof.index).finish_non_exhaustive()
    }
}
