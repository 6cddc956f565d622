//! What a receipt proves, in facts and in the same plain words on every face: the command line says them, and
//! so does the page that runs this in a browser.
//!
//! [`verify`] is a function of its arguments alone. To say something new, add it to [`Proved`] or [`Problem`]
//! and give it words beside them; a face only lays them out.

mod keys;
mod problem;
mod proved;
mod words;

pub use keys::Owner;
pub use problem::Problem;
pub use proved::{Item, Proved, Signature};
pub use words::{Line, Words};

use std::error::Error;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use tenure_receipts::{Receipt, Unproven};
use tenure_tlog::note::VerifyError;

use crate::keys::Keys;

/// What came of checking a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// The receipt proves its statement.
    Proved(Box<Proved>),
    /// It proves nothing.
    NotProved(Problem),
}

/// Checks a receipt, byte by byte as it was given, with the public keys of its log and of witnesses.
///
/// Both lists have one key a line and may have blank lines and comments, which begin with `#`; the one of
/// witnesses may be empty.
pub fn verify(receipt: &[u8], keys: &str, witnesses: &str) -> Report {
    check(receipt, keys, witnesses).map_or_else(Report::NotProved, |proved| Report::Proved(Box::new(proved)))
}

fn check(receipt: &[u8], keys: &str, witnesses: &str) -> Result<Proved, Problem> {
    if receipt.trim_ascii().is_empty() {
        return Err(Problem::NoReceipt);
    }
    let keys = Keys::parse(keys, Owner::Log)?;
    let origin = keys.origin()?;
    let witnesses = Keys::parse(witnesses, Owner::Witness)?;
    if witnesses.iter().any(|key| key.name().as_str() == origin.as_str()) {
        return Err(Problem::KeyOfLog);
    }
    let receipt =
        Receipt::parse(receipt).map_err(|error| Problem::Receipt { reason: with_sources(&error) })?;
    let proven = receipt.verify(&origin, &keys.verifiers()).map_err(|why| match why {
        Unproven::OtherLog => Problem::OtherLog {
            receipt: receipt.proof().checkpoint.checkpoint().origin().to_string(),
            key: origin.to_string(),
        },
        Unproven::WrongKey => Problem::OtherKey,
        Unproven::Signature(error) => wrong_signature(Owner::Log, error),
        Unproven::Path { .. } | Unproven::Altered => Problem::NotInLog { index: receipt.proof().index },
        Unproven::Statement(error) => Problem::Statement { reason: error.to_string() },
        Unproven::NoItems | Unproven::ItemNotUnderRoot => Problem::Item,
        other => Problem::Receipt { reason: with_sources(&other) },
    })?;
    let checkpoint = &receipt.proof().checkpoint;
    let cosignatures = checkpoint
        .cosignatures(&witnesses.verifiers())
        .map_err(|error| wrong_signature(Owner::Witness, error))?;
    Ok(Proved::new(&proven, &origin, &keys, &cosignatures, &witnesses))
}

fn wrong_signature(owner: Owner, error: VerifyError) -> Problem {
    match error {
        VerifyError::BadSignature { name, id } => {
            Problem::Signature { owner, name: name.to_string(), id: id.to_string() }
        }
        other => Problem::Receipt { reason: other.to_string() },
    }
}

/// An error with what lies under it.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}

impl Report {
    /// Whether the receipt proves its statement.
    pub const fn is_proved(&self) -> bool {
        matches!(self, Self::Proved(_))
    }

    /// The report in plain words.
    pub fn words(&self) -> Words {
        match self {
            Self::Proved(proved) => proved.words(),
            Self::NotProved(problem) => problem.words(),
        }
    }

    /// The facts and the words as JSON: `{"proved":true,"words":…,"facts":…}` with the fields of [`Proved`], or
    /// `{"proved":false,"words":…,"problem":…}` with those of [`Problem`].
    pub fn to_json(&self) -> String {
        // Every key is a string and every number finite, so there is always a form.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_struct("Report", 3)?;
        report.serialize_field("proved", &self.is_proved())?;
        report.serialize_field("words", &self.words())?;
        match self {
            Self::Proved(proved) => report.serialize_field("facts", proved)?,
            Self::NotProved(problem) => report.serialize_field("problem", problem)?,
        }
        report.end()
    }
}
