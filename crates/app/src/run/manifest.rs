//! The manifest: what a run holds, under which terms, and what it relied on.

use serde::{Deserialize, Serialize};
use tenure_gate::FileWritten;
use tenure_model::Instant;
use tenure_receipts::StatementError;
use tenure_tlog::{leaf_hash, root};

use super::{Counts, Opening};
use crate::Error;
use crate::ledger::hex;

/// A version under which rows were written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyUsed {
    /// The version, such as `consumer@2025-10-08`.
    pub policy: String,
    /// The SHA-256 of its file, in hexadecimal.
    pub digest: String,
    /// How many records it judged.
    pub records: u64,
}

/// What a run holds. Its canonical form (RFC 8785) is the file `manifest.json`, and the ledger has the
/// SHA-256 of those bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this form.
    pub v: u8,
    /// The run.
    pub run: String,
    /// The purpose.
    pub purpose: String,
    /// The instant that every row was judged at.
    pub opened_at: Instant,
    /// The position of the ledger that the run froze: how many statements there were.
    pub position: u64,
    /// The versions under which rows were written.
    pub policies: Vec<PolicyUsed>,
    /// The files.
    pub files: Vec<FileWritten>,
    /// How many rows there are; where a run has two formats, each has them all.
    pub rows: u64,
    /// What was seen, written and left out.
    pub counts: Counts,
    /// On how many accounts the rows rely.
    pub accounts: u64,
    /// The root (RFC 6962) over the heads of their chains, each a leaf, in the order of their bytes.
    pub root: String,
}

impl Manifest {
    pub(super) fn new(run: &Opening, files: Vec<FileWritten>) -> Self {
        let digest_of = |policy: &str| {
            let known = run.policies.iter().find(|(name, _)| name == policy);
            known.map_or_else(String::new, |(_, digest)| hex(digest))
        };
        let used = run.used.iter().map(|(policy, records)| PolicyUsed {
            policy: policy.clone(),
            digest: digest_of(policy),
            records: *records,
        });
        let mut heads = run.heads.clone();
        heads.sort_unstable();
        let leaves: Vec<_> = heads.iter().map(|head| leaf_hash(head)).collect();
        Self {
            v: 1,
            run: run.id.to_string(),
            purpose: run.purpose.clone(),
            opened_at: run.now,
            position: run.position,
            policies: used.collect(),
            files,
            rows: run.counts.messages_written,
            counts: run.counts.clone(),
            accounts: heads.len() as u64,
            root: hex(&root(&leaves)),
        }
    }

    /// The bytes that are written, hashed and stated.
    pub(super) fn canonical(&self) -> Result<String, Error> {
        Ok(serde_json_canonicalizer::to_string(self).map_err(StatementError::Write)?)
    }

    /// The shards that hold rows of a range.
    pub(super) fn shards_of(&self, first_row: u64, rows: u64) -> Vec<u32> {
        let end = first_row.saturating_add(rows);
        let holds = |file: &&FileWritten| file.first_row < end && first_row < file.first_row + file.rows;
        let mut shards: Vec<u32> = self.files.iter().filter(holds).map(|file| file.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        shards
    }
}
