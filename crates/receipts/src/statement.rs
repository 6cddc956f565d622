//! The statements that the ledger makes, versioned and canonical (RFC 8785).

use serde::{Deserialize, Serialize};
use tenure_model::{Choice, Instant};

/// A statement that can't be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StatementError {
    /// It has no canonical form.
    #[error("the statement has no canonical form")]
    Write(#[source] serde_json::Error),
    /// It is not a statement that this version knows.
    #[error("not a statement that this version of tenure knows")]
    Read(#[source] serde_json::Error),
}

/// What is stated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Statement {
    /// The account exists from here on.
    AccountOpened,
    /// The account's facts were told anew.
    AccountChanged,
    /// The account was closed.
    AccountClosed,
    /// The account was told of a version.
    Informed {
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
    },
    /// The account acknowledged a version without deciding.
    Acknowledged {
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
    },
    /// The account decided.
    Decision {
        /// The lineage.
        policy: String,
        /// The version that the person saw.
        version: String,
        /// The purpose.
        purpose: String,
        /// The answer.
        choice: Choice,
    },
    /// A version was published.
    PolicyPublished {
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
        /// The SHA-256 of the file, in hexadecimal.
        digest: String,
    },
    /// A record was flagged, or the flag cleared.
    Flagged {
        /// The record.
        record: String,
        /// Whether it is flagged now.
        flagged: bool,
    },
    /// Feedback was given on a record.
    Feedback {
        /// The record.
        record: String,
    },
    /// The person asked for records to be deleted.
    DeletionAsked {
        /// The records.
        records: Vec<String>,
    },
    /// A hold was placed.
    HoldPlaced {
        /// The hold.
        hold: String,
        /// Its scope, as it was given.
        scope: serde_json::Value,
    },
    /// A hold was released.
    HoldReleased {
        /// The hold.
        hold: String,
    },
    /// Copies are about to be destroyed.
    CopiesSealed {
        /// How many.
        count: u64,
        /// The root over their blinded items, in hexadecimal.
        root: String,
    },
    /// The keys of copies were destroyed.
    CopiesShredded {
        /// How many.
        count: u64,
        /// The root that sealed them, in hexadecimal.
        root: String,
    },
    /// A training run was sealed.
    RunSealed {
        /// The run.
        run: String,
        /// The SHA-256 of its manifest, in hexadecimal.
        manifest: String,
    },
}

impl Statement {
    /// The kind, as it is written.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AccountOpened => "account_opened",
            Self::AccountChanged => "account_changed",
            Self::AccountClosed => "account_closed",
            Self::Informed { .. } => "informed",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Decision { .. } => "decision",
            Self::PolicyPublished { .. } => "policy_published",
            Self::Flagged { .. } => "flagged",
            Self::Feedback { .. } => "feedback",
            Self::DeletionAsked { .. } => "deletion_asked",
            Self::HoldPlaced { .. } => "hold_placed",
            Self::HoldReleased { .. } => "hold_released",
            Self::CopiesSealed { .. } => "copies_sealed",
            Self::CopiesShredded { .. } => "copies_shredded",
            Self::RunSealed { .. } => "run_sealed",
        }
    }
}

/// A statement with the instant at which it was received.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// The version of this form.
    v: u8,
    /// When it was received.
    pub at: Instant,
    /// What is stated.
    #[serde(flatten)]
    pub statement: Statement,
}

impl Stated {
    /// A statement received at an instant.
    pub const fn new(at: Instant, statement: Statement) -> Self {
        Self { v: 1, at, statement }
    }

    /// The canonical form: written once, stored and verified as bytes.
    pub fn canonical(&self) -> Result<Vec<u8>, StatementError> {
        serde_json_canonicalizer::to_vec(self).map_err(StatementError::Write)
    }

    /// Reads the canonical form.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        serde_json::from_slice(bytes).map_err(StatementError::Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_one_form_and_reads_back() {
        let at = Instant::parse("2025-09-02T09:00:00Z").unwrap();
        let statement = Statement::Decision {
            policy: "consumer".to_owned(),
            version: "2025-10-08".to_owned(),
            purpose: "train".to_owned(),
            choice: Choice::On,
        };
        let stated = Stated::new(at, statement);
        let bytes = stated.canonical().unwrap();
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            r#"{"at":"2025-09-02T09:00:00Z","choice":"on","kind":"decision","policy":"consumer","purpose":"train","v":1,"version":"2025-10-08"}"#
        );
        assert_eq!(Stated::read(&bytes).unwrap(), stated);
    }
}
