//! What a row says: one message, and what permitted it.

use serde::Serialize;
use serde_json::value::RawValue;
use tenure_model::Instant;

/// The decision that a row relies on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// Its place in the ledger.
    pub seq: u64,
    /// The commitment of its leaf, in hexadecimal.
    pub leaf: String,
}

/// What the rows of one record are bound to, besides the policy that the permission names.
#[derive(Debug, Clone, Copy)]
pub struct Bound<'a> {
    /// The record.
    pub record: &'a str,
    /// The decision; `None` where the record is used because nobody objected, or nobody chooses.
    pub decision: Option<&'a Decided>,
}

/// A message as it was said.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    /// Its id in the conversation.
    pub id: &'a str,
    /// When it was sent.
    pub at: Option<Instant>,
    /// Who spoke.
    pub role: &'a str,
    /// What was said.
    pub text: &'a str,
    /// The original content, where it holds more than the text.
    pub content: Option<&'a RawValue>,
}

/// One row.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Row<'a> {
    /// The record.
    pub record: &'a str,
    /// The version that judged, such as `consumer@2025-10-08`.
    pub policy: &'a str,
    /// The decision's place in the ledger.
    pub decision: Option<u64>,
    /// The commitment of the decision's leaf, in hexadecimal.
    pub leaf: Option<&'a str>,
    /// The message.
    pub message: &'a str,
    /// When it was sent.
    pub at: Instant,
    /// Who spoke.
    pub role: &'a str,
    /// What was said.
    pub text: &'a str,
    /// The original content, where it holds more than the text.
    pub content: Option<&'a RawValue>,
    /// The shard.
    pub shard: u32,
    /// The row's number in the whole export, from 0.
    pub row: u64,
}

impl Row<'_> {
    /// About how many bytes the row has.
    pub(crate) fn size(&self) -> u64 {
        let content = self.content.map_or(0, |content| content.get().len());
        // What every row repeats: ids, the policy, the leaf and the numbers.
        let fixed = self.record.len() + self.policy.len() + self.leaf.map_or(0, str::len) + 64;
        (fixed + self.message.len() + self.role.len() + self.text.len() + content) as u64
    }
}
