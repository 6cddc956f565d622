//! What a receipt proves.

use serde::Serialize;
use tenure_model::Instant;
use tenure_receipts::{Proven, Stated};
use tenure_tlog::checkpoint::Origin;
use tenure_tlog::cosignature;
use tenure_tlog::note::NoteSignature;

use crate::keys::{Keys, algorithm};
use crate::words::{Line, Name, Words, date, grouped};

/// What a receipt proves, and whose word it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proved {
    /// What was stated, and when the operator says that it was received.
    pub stated: Stated,
    /// The organisation of the account, if it has one.
    pub organisation: Option<String>,
    /// The account's pseudonym; none if the operator speaks about nobody in particular.
    pub account: Option<String>,
    /// The statement's number among those of the account, counted from 1.
    pub version: u64,
    /// The one copy, of those that the statement is about, that the receipt is for.
    pub item: Option<Item>,
    /// The log's name.
    pub log: String,
    /// The place of the statement in the log, counted from 0.
    pub index: u64,
    /// How many statements the log had when it signed.
    pub size: u64,
    /// The signatures of the log, all verified and at least one.
    pub signatures: Vec<Signature>,
    /// The ids of keys that were given and did not sign.
    pub silent: Vec<String>,
    /// The signatures of witnesses, all verified.
    pub cosignatures: Vec<Signature>,
}

/// One copy among many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Item {
    /// The record that it is a copy of.
    pub record: String,
    /// Its class.
    pub class: String,
    /// How many the statement is about.
    pub of: u64,
}

/// A signature that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: String,
    /// The algorithm.
    pub algorithm: &'static str,
    /// When it was made, by the word of whoever made it.
    pub at: Option<Instant>,
}

impl Proved {
    pub(crate) fn new(
        proven: &Proven<'_>,
        origin: &Origin,
        keys: &Keys,
        cosignatures: &[&NoteSignature],
        witnesses: &Keys,
    ) -> Self {
        let of = proven.stated.statement.items().map_or(0, |(count, _)| count);
        let signatures = signatures(&proven.signatures, keys);
        let signed = |id: &String| signatures.iter().any(|signature| signature.id == *id);
        Self {
            stated: proven.stated.clone(),
            organisation: proven.subject.organisation.map(str::to_owned),
            account: (!proven.subject.is_house()).then(|| proven.subject.account.to_owned()),
            version: proven.link.version,
            item: proven.item.map(|proof| Item {
                record: proof.item.record.clone(),
                class: proof.item.class.clone(),
                of,
            }),
            log: origin.to_string(),
            index: proven.index,
            size: proven.size,
            silent: keys.iter().map(|key| key.id().to_string()).filter(|id| !signed(id)).collect(),
            signatures,
            cosignatures: self::signatures(cosignatures, witnesses),
        }
    }

    pub(crate) fn words(&self) -> Words {
        let who = if self.account.is_some() { "the account" } else { "the operator" };
        let mut lines = vec![
            Line { label: "Who", text: self.who() },
            Line {
                label: if self.account.is_some() { "Received" } else { "Stated" },
                text: date(self.stated.at),
            },
        ];
        if let Some(Item { record, class, of }) = &self.item {
            let (record, class, of) = (Name(record), Name(class), grouped(*of));
            let text = format!("record {record}, class {class}: one of the {of} that this is about");
            lines.push(Line { label: "Which", text });
        }
        lines.extend([
            Line { label: "Log", text: self.log_in_words() },
            Line { label: "Signed by", text: listed(&self.signatures) },
            Line { label: "Witnessed by", text: self.witnessed() },
        ]);
        let headline = format!("Proved: {who} {}.", self.stated.statement.describe());
        Words { headline, lines, notes: self.notes() }
    }

    fn who(&self) -> String {
        let Some(account) = &self.account else {
            return "the operator, about nobody in particular".to_owned();
        };
        let of = self.organisation.as_ref().map(|name| format!(" of organisation {}", Name(name)));
        let number = grouped(self.version);
        format!("account {}{}, its statement number {number}", Name(account), of.unwrap_or_default())
    }

    fn log_in_words(&self) -> String {
        let (log, index, size) = (Name(&self.log), grouped(self.index), grouped(self.size));
        format!("{log}, place {index}, when it held {size} {}", plural(self.size, "statement"))
    }

    fn witnessed(&self) -> String {
        if self.cosignatures.is_empty() {
            "no one that you named".to_owned()
        } else {
            listed(&self.cosignatures)
        }
    }

    /// What the reader should know before relying on it.
    fn notes(&self) -> Vec<String> {
        let first_seen = self.cosignatures.iter().filter_map(|signature| signature.at).min();
        let seen = first_seen.map_or_else(
            || "No witness that you named confirms it, or that others are shown the same log.".to_owned(),
            |at| format!("A witness saw that the log held this by {}.", date(at)),
        );
        let mut notes = vec![format!("The time above is the operator's word. {seen}")];
        if self.account.is_some() {
            notes.push(
                "A receipt does not show what came later. If you have receipts with higher numbers for the same \
                 account, the highest says what holds."
                    .to_owned(),
            );
        }
        if !self.silent.is_empty() {
            let (keys, has) = match self.silent.as_slice() {
                [_] => ("Key", "has"),
                _ => ("Keys", "have"),
            };
            notes.push(format!(
                "{keys} {} {has} not signed this receipt. That is usual for a key that the log began to use later, or \
                 no longer used.",
                self.silent.join(", ")
            ));
        }
        notes
    }
}

/// What verified signatures say, with what their keys tell about them.
fn signatures(verified: &[&NoteSignature], keys: &Keys) -> Vec<Signature> {
    let known = |signature: &&NoteSignature| {
        let key = keys.iter().find(|key| (key.name(), key.id()) == signature.key())?;
        // A time of zero says that none is given.
        let at = cosignature::timestamp(key, signature)
            .and_then(|time| i64::try_from(time.seconds()).ok()?.checked_mul(1_000_000))
            .filter(|micros| *micros > 0)
            .and_then(|micros| Instant::from_micros(micros).ok());
        Some(Signature {
            name: key.name().to_string(),
            id: key.id().to_string(),
            algorithm: algorithm(key.signature_type()),
            at,
        })
    };
    verified.iter().filter_map(known).collect()
}

/// Signatures, one a line.
fn listed(signatures: &[Signature]) -> String {
    let line = |signature: &Signature| {
        let at = signature.at.map(|at| format!(", on {}", date(at)));
        let Signature { name, id, algorithm, .. } = signature;
        format!("{} (key {id}, {algorithm}){}", Name(name), at.unwrap_or_default())
    };
    signatures.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn plural(count: u64, thing: &str) -> String {
    if count == 1 { thing.to_owned() } else { format!("{thing}s") }
}
