//! Everything that can be stated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_model::{Choice, Instant};
use tenure_tlog::note::VerifierKey;

use super::{LeafRanges, vkeys};
use crate::Digest;

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
        /// Where somebody else passed it on: the SHA-256 of what shows how the person said it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Digest>,
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
        /// Where somebody else passed it on: the SHA-256 of what shows how the person said it, or of nothing for a
        /// no that came without.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        evidence: Option<Digest>,
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
    /// A version was published.
    PolicyPublished {
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
        /// The SHA-256 of the file.
        digest: Digest,
    },
    /// A version was withdrawn, and counts as never published.
    PolicyWithdrawn {
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
    },
    /// What people are shown about a version, in one language.
    NoticePublished {
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
        /// The notice.
        notice: String,
        /// The language of its text, as a BCP 47 tag.
        language: String,
        /// The SHA-256 of its text.
        text: Digest,
        /// The SHA-256 of its layout.
        layout: Digest,
        /// What each control, named by its purpose, is set to before the person touches it.
        defaults: BTreeMap<String, Choice>,
        /// The SHA-256 of the code that shows it.
        code: Digest,
    },
    /// Accounts began to be asked about a version.
    Campaign {
        /// The campaign.
        campaign: String,
        /// The lineage.
        policy: String,
        /// The version.
        version: String,
        /// By when they are to decide.
        decide_by: Instant,
        /// How many accounts are asked.
        count: u64,
        /// The root over the accounts, blinded as items are.
        root: Digest,
    },
    /// A hold was placed.
    HoldPlaced {
        /// The hold.
        hold: String,
        /// Its scope, as it was given.
        scope: serde_json::Value,
        /// Whether the people concerned may be told; older statements do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        may_tell: Option<bool>,
        /// The date that the order bears, where it was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Instant>,
    },
    /// The scope of a hold was changed.
    HoldAmended {
        /// The hold.
        hold: String,
        /// Its scope from here on, as it was given.
        scope: serde_json::Value,
        /// Whether the people concerned may be told from here on; older statements do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        may_tell: Option<bool>,
        /// The date that the order bears, where it was named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Instant>,
    },
    /// A hold was released.
    HoldReleased {
        /// The hold.
        hold: String,
        /// The date that the order bears, where it was named. What follows from it begins when it was received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Instant>,
    },
    /// Somebody may read what a hold keeps, or may no longer.
    HoldReader {
        /// The hold.
        hold: String,
        /// Who: a role or a pseudonym.
        reader: String,
        /// Whether they may read from here on.
        may_read: bool,
    },
    /// Records that a hold keeps were read by one of its readers.
    HoldRead {
        /// The hold.
        hold: String,
        /// Who read: a role or a pseudonym.
        reader: String,
        /// How many records.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// A change that needs two people is made, as both of them wanted it.
    ChangeApproved {
        /// What kind of change it is.
        change: String,
        /// The digest of exactly what is done.
        what: Digest,
        /// Who proposed it: a role or a pseudonym.
        proposed_by: String,
        /// Who approved it: somebody else.
        approved_by: String,
    },
    /// Copies are due to be destroyed.
    CopiesDue {
        /// How many.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// Copies are about to be destroyed.
    CopiesSealed {
        /// How many.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// The keys of copies were destroyed.
    CopiesShredded {
        /// How many.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// The bytes of copies were removed.
    CopiesRemoved {
        /// How many.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// Copies were verified to be absent.
    CopiesVerified {
        /// How many.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// The openings and statements of leaves were destroyed, which is why nobody can open these any more.
    ProofsDestroyed {
        /// The indexes of the leaves.
        leaves: LeafRanges,
        /// How many they are.
        count: u64,
    },
    /// A training run was sealed.
    RunSealed {
        /// The run.
        run: String,
        /// The SHA-256 of its manifest.
        manifest: Digest,
    },
    /// Rows of a training run lost their permission.
    RowsRevoked {
        /// The run.
        run: String,
        /// How many.
        count: u64,
        /// The root over their blinded items.
        root: Digest,
    },
    /// The keys that sign the log changed.
    SigningKeysChanged {
        /// The keys that sign from here on, beside those that stay.
        #[serde(with = "vkeys")]
        added: Vec<VerifierKey>,
        /// The keys that sign no longer.
        #[serde(with = "vkeys")]
        retired: Vec<VerifierKey>,
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
            Self::Flagged { .. } => "flagged",
            Self::Feedback { .. } => "feedback",
            Self::DeletionAsked { .. } => "deletion_asked",
            Self::PolicyPublished { .. } => "policy_published",
            Self::PolicyWithdrawn { .. } => "policy_withdrawn",
            Self::NoticePublished { .. } => "notice_published",
            Self::Campaign { .. } => "campaign",
            Self::HoldPlaced { .. } => "hold_placed",
            Self::HoldAmended { .. } => "hold_amended",
            Self::HoldReleased { .. } => "hold_released",
            Self::HoldReader { .. } => "hold_reader",
            Self::HoldRead { .. } => "hold_read",
            Self::ChangeApproved { .. } => "change_approved",
            Self::CopiesDue { .. } => "copies_due",
            Self::CopiesSealed { .. } => "copies_sealed",
            Self::CopiesShredded { .. } => "copies_shredded",
            Self::CopiesRemoved { .. } => "copies_removed",
            Self::CopiesVerified { .. } => "copies_verified",
            Self::ProofsDestroyed { .. } => "proofs_destroyed",
            Self::RunSealed { .. } => "run_sealed",
            Self::RowsRevoked { .. } => "rows_revoked",
            Self::SigningKeysChanged { .. } => "signing_keys_changed",
        }
    }

    /// How many records the statement speaks of at once, and the root over their blinded items; none if it is
    /// not about items.
    pub const fn items(&self) -> Option<(u64, &Digest)> {
        match self {
            Self::HoldRead { count, root, .. }
            | Self::CopiesDue { count, root }
            | Self::CopiesSealed { count, root }
            | Self::CopiesShredded { count, root }
            | Self::CopiesRemoved { count, root }
            | Self::CopiesVerified { count, root }
            | Self::RowsRevoked { count, root, .. } => Some((*count, root)),
            _ => None,
        }
    }

    /// Whether what is counted is what is listed.
    pub(super) fn adds_up(&self) -> bool {
        match self {
            Self::ProofsDestroyed { leaves, count } => leaves.count() == *count,
            _ => true,
        }
    }
}
