//! What can be wrong, said so that the person who checks knows what to do next.

use serde::Serialize;

use crate::Owner;
use crate::words::{Line, Name, Words, grouped};

/// Why nothing is proved.
///
/// The message follows the words "Not proved:". It names no part of what is stated, and nobody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Problem {
    /// There is nothing to check.
    #[error("there is no receipt to check")]
    NoReceipt,
    /// It is not a receipt.
    #[error("this is not a whole receipt ({reason})")]
    Receipt {
        /// What does not fit.
        reason: String,
    },
    /// There is nothing to check it with.
    #[error("there is no key of the log to check it with")]
    NoKey,
    /// A line is no key.
    #[error("line {line} of the {owner}'s keys is not a key ({reason})")]
    Key {
        /// Whose it should be.
        owner: Owner,
        /// Which line, counted from 1.
        line: u32,
        /// What does not fit.
        reason: String,
    },
    /// A witness's key is where the log's should be.
    #[error("one of the keys of the log is the key of a witness")]
    KeyOfWitness,
    /// A log's key is where a witness's should be.
    #[error("one of the keys of the witnesses is the key of a log")]
    KeyOfLog,
    /// The keys bear different names.
    #[error("the keys are of more than one log")]
    TwoLogs,
    /// The receipt is from elsewhere.
    #[error("the receipt is from the log {}, and the key is of the log {}", Name(receipt), Name(key))]
    OtherLog {
        /// The log that the receipt names.
        receipt: String,
        /// The log that the key names.
        key: String,
    },
    /// Right log, but another key.
    #[error("none of the keys has signed this receipt, although they bear the name of its log")]
    OtherKey,
    /// A signature is wrong.
    #[error(
        "the signature of the {owner}'s key {} ({id}) is wrong: the receipt was altered, or forged",
        Name(name)
    )]
    Signature {
        /// Whose it is.
        owner: Owner,
        /// The key's name.
        name: String,
        /// The key's id.
        id: String,
    },
    /// What is stated is not what the log holds.
    #[error("place {} of the log does not hold this statement: the receipt was altered, or forged", grouped(*index))]
    NotInLog {
        /// The place that the receipt names.
        index: u64,
    },
    /// The statement is there, but not for this copy.
    #[error(
        "the copy that the receipt names is none of those that the statement is about: the receipt was altered, or forged"
    )]
    Item,
    /// The statement is there, and says nothing that can be read here.
    #[error("what the log holds is not a statement that this version can read ({reason})")]
    Statement {
        /// What does not fit.
        reason: String,
    },
}

impl Problem {
    pub(crate) fn words(&self) -> Words {
        let advice = Line { label: "What to do", text: self.advice().to_owned() };
        Words { headline: format!("Not proved: {self}."), lines: vec![advice], notes: Vec::new() }
    }

    /// What to do next.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::NoReceipt => "Choose the file that you were given, or paste all of its text.",
            Self::Receipt { .. } => {
                "Use the file as it was given to you: it begins with the line `c2sp.org/tlog-proof@v1` and ends \
                 with a line break. If it came by mail or chat, ask for it as a file, since text is often changed \
                 on the way."
            }
            Self::NoKey => {
                "Paste the public key that whoever runs the log has published. It is one line: a name, `+`, eight \
                 digits, `+`, and a long code."
            }
            Self::Key { .. } => "Copy the key again from where it is published, whole and on one line.",
            Self::KeyOfWitness => "Move that key to the keys of the witnesses.",
            Self::KeyOfLog => "Move that key to the keys of the log.",
            Self::TwoLogs => "Give the keys of the one log that the receipt is from.",
            Self::OtherLog { .. } => {
                "Get the key of the log that the receipt names, from whoever runs it. If you expected the other \
                 log, this receipt proves nothing about it."
            }
            Self::OtherKey => {
                "Ask whoever runs the log which key it used then, and why it changed. Do not take a key that came \
                 with the receipt."
            }
            Self::Signature { .. } | Self::NotInLog { .. } | Self::Item => {
                "Get the receipt again from where you first had it, and check that one. If it fails too, keep both \
                 files and the key, and show them to whoever runs the log, or to a regulator."
            }
            Self::Statement { .. } => {
                "Check it with a newer version. The signatures hold; only the meaning is unknown here."
            }
        }
    }
}
