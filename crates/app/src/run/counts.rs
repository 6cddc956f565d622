//! What a run has seen, written and left out, and why.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tenure_policy::Exclusion;

/// Why something is not in a run, or may not be used any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum LeftOut {
    /// The rules say no, for this reason.
    Rule(Exclusion),
    /// The rules would allow it, but no copy of the class that they name can be read.
    NoCopy,
    /// Something about it changed after the run had frozen the ledger.
    Moved,
    /// No published policy knows it, or the store does not.
    Unknown,
}

impl LeftOut {
    /// The one spelling of this reason.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Rule(exclusion) => exclusion.word(),
            Self::NoCopy => "no_copy",
            Self::Moved => "moved",
            Self::Unknown => "unknown",
        }
    }
}

impl From<LeftOut> for String {
    fn from(reason: LeftOut) -> Self {
        reason.word().to_owned()
    }
}

/// A word that is no reason.
#[derive(Debug, thiserror::Error)]
#[error("not a reason that this version of tenure knows")]
pub struct UnknownReason;

impl TryFrom<String> for LeftOut {
    type Error = UnknownReason;

    fn try_from(word: String) -> Result<Self, UnknownReason> {
        let rules = Exclusion::ALL.into_iter().map(Self::Rule);
        let mut all = rules.chain([Self::NoCopy, Self::Moved, Self::Unknown]);
        all.find(|reason| reason.word() == word).ok_or(UnknownReason)
    }
}

/// How many records and messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Amount {
    /// Records of which nothing was written.
    pub records: u64,
    /// Messages, also of records of which something was written.
    pub messages: u64,
}

/// What a run has counted. What was written and what was left out make up what was seen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts {
    /// Accounts that have records.
    pub accounts_seen: u64,
    /// Records that were judged.
    pub records_seen: u64,
    /// Their messages.
    pub messages_seen: u64,
    /// Records of which something was written.
    pub records_written: u64,
    /// Messages that were written, a row for each.
    pub messages_written: u64,
    /// What was left out, by reason.
    pub left_out: BTreeMap<LeftOut, Amount>,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        self.accounts_seen += other.accounts_seen;
        self.records_seen += other.records_seen;
        self.messages_seen += other.messages_seen;
        self.records_written += other.records_written;
        self.messages_written += other.messages_written;
        for (reason, amount) in &other.left_out {
            let sum = self.left_out.entry(*reason).or_default();
            sum.records += amount.records;
            sum.messages += amount.messages;
        }
    }

    pub(super) fn leave_out_record(&mut self, reason: LeftOut) {
        self.left_out.entry(reason).or_default().records += 1;
    }

    pub(super) fn leave_out_messages(&mut self, reason: LeftOut, messages: u64) {
        if messages > 0 {
            self.left_out.entry(reason).or_default().messages += messages;
        }
    }

    /// A record that was permitted and is not written after all, with its permitted messages.
    pub(super) fn leave_out_candidate(&mut self, reason: LeftOut, messages: u64) {
        self.leave_out_record(reason);
        self.leave_out_messages(reason, messages);
    }

    /// Whether what was written and what was left out make up what was seen.
    pub fn add_up(&self) -> bool {
        let records: u64 = self.left_out.values().map(|amount| amount.records).sum();
        let messages: u64 = self.left_out.values().map(|amount| amount.messages).sum();
        self.records_written + records == self.records_seen
            && self.messages_written + messages == self.messages_seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_reads_back_as_it_was_written() {
        for reason in Exclusion::ALL.into_iter().map(LeftOut::Rule).chain([LeftOut::NoCopy, LeftOut::Moved]) {
            assert_eq!(LeftOut::try_from(reason.word().to_owned()).unwrap(), reason);
        }
        assert!(LeftOut::try_from("because".to_owned()).is_err());
    }
}
