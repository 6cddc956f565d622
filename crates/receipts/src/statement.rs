//! The statements that the ledger makes, versioned and canonical (RFC 8785).

mod kinds;
mod ranges;
mod vkeys;
mod words;

pub use kinds::Statement;
pub use ranges::{LeafRanges, RangesError};

use serde::{Deserialize, Serialize};
use tenure_model::Instant;

/// The version of the form that is written here, and the only one that is read.
const VERSION: u8 = 1;

/// A statement that can't be written or read.
///
/// What was read is never repeated in a message, since it may be about a person.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// It has no canonical form.
    #[error("the statement has no canonical form")]
    Write(#[source] serde_json::Error),
    /// It is not a statement that this version knows.
    #[error("not a statement that this version of tenure knows; read it with a newer one")]
    Unknown,
    /// It is of another version.
    #[error("a statement in version {found} of the form, and this version of tenure reads {VERSION}")]
    Version {
        /// The version that it names.
        found: u8,
    },
    /// It is spelled otherwise than it would be written.
    #[error("the statement is not in its canonical form, or has a field that it should not have")]
    NotCanonical,
    /// Its parts contradict each other.
    #[error("the count in the statement is not that of what it lists")]
    Count,
    /// The sealed bytes are not evidence.
    #[error("the sealed evidence is not in the form of version 1")]
    Evidence,
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
        Self { v: VERSION, at, statement }
    }

    /// The canonical form: written once, stored and verified as bytes.
    pub fn canonical(&self) -> Result<Vec<u8>, StatementError> {
        serde_json_canonicalizer::to_vec(self).map_err(StatementError::Write)
    }

    /// Reads the canonical form, and nothing else: an unknown kind, field or version, or another spelling of
    /// the same, is refused.
    pub fn read(bytes: &[u8]) -> Result<Self, StatementError> {
        let stated: Self = serde_json::from_slice(bytes).map_err(|_| unreadable(bytes))?;
        version(stated.v)?;
        if stated.canonical()? != bytes {
            return Err(StatementError::NotCanonical);
        }
        if !stated.statement.adds_up() {
            return Err(StatementError::Count);
        }
        Ok(stated)
    }
}

/// The part of a statement that a reader of a whole log needs, borrowed from its bytes.
///
/// The rest is passed over, so this says nothing about whether it can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Heading<'a> {
    /// The version of the form.
    pub v: u8,
    /// When the statement was received.
    pub at: Instant,
    /// Its kind, as [`Statement::kind`] writes it.
    pub kind: &'a str,
}

impl<'a> Heading<'a> {
    /// Reads the heading of a statement in its canonical form.
    pub fn read(bytes: &'a [u8]) -> Result<Self, StatementError> {
        let heading: Self = serde_json::from_slice(bytes).map_err(|_| unreadable(bytes))?;
        version(heading.v)?;
        Ok(heading)
    }
}

fn version(found: u8) -> Result<(), StatementError> {
    if found == VERSION { Ok(()) } else { Err(StatementError::Version { found }) }
}

/// Why bytes can't be read: a later version may hold anything, so its number is looked for alone.
fn unreadable(bytes: &[u8]) -> StatementError {
    #[derive(Deserialize)]
    struct Numbered {
        v: u8,
    }
    let numbered = serde_json::from_slice::<Numbered>(bytes);
    numbered.ok().and_then(|numbered| version(numbered.v).err()).unwrap_or(StatementError::Unknown)
}

#[cfg(test)]
mod tests {
    use tenure_model::Choice;

    use super::*;

    const DECISION: &str = r#"{"at":"2025-09-02T09:00:00Z","choice":"on","kind":"decision","policy":"consumer","purpose":"train","v":1,"version":"2025-10-08"}"#;

    #[test]
    fn a_statement_has_one_form_and_reads_back() {
        let at = Instant::parse("2025-09-02T09:00:00Z").unwrap();
        let statement = Statement::Decision {
            policy: "consumer".to_owned(),
            version: "2025-10-08".to_owned(),
            purpose: "train".to_owned(),
            choice: Choice::On,
            evidence: None,
        };
        let stated = Stated::new(at, statement);
        assert_eq!(String::from_utf8(stated.canonical().unwrap()).unwrap(), DECISION);
        assert_eq!(Stated::read(DECISION.as_bytes()).unwrap(), stated);
        assert_eq!(Heading::read(DECISION.as_bytes()).unwrap(), Heading { v: 1, at, kind: "decision" });
    }

    #[test]
    fn another_spelling_is_refused() {
        let spellings = [
            DECISION.replace(r#""at":"#, r#""at": "#),
            DECISION.replace("09:00:00Z", "11:00:00+02:00"),
            DECISION.replace("09:00:00Z", "09:00:00.0Z"),
            DECISION.replace("train", r"tr\u0061in"),
            DECISION.replace(r#""v":1,"#, "").replace(r#"{"at""#, r#"{"v":1,"at""#),
            DECISION.replace(r#","v""#, r#","unknown":1,"v""#),
        ];
        for spelling in spellings {
            let read = Stated::read(spelling.as_bytes());
            assert!(matches!(read, Err(StatementError::NotCanonical)), "{spelling}: {read:?}");
        }
    }

    #[test]
    fn what_is_not_known_is_refused() {
        let unknown = [
            DECISION.replace("decision", "indecision"),
            DECISION.replace(r#""choice":"on""#, r#""choice":"maybe""#),
            DECISION.replace(r#""choice":"on","#, ""),
            DECISION.replace(r#""v":1"#, r#""v":1.0"#),
            DECISION.replace(r#""v":1"#, r#""v":1,"v":1"#),
            format!("{DECISION}\n{{}}"),
            String::new(),
        ];
        for text in unknown {
            let read = Stated::read(text.as_bytes());
            assert!(matches!(read, Err(StatementError::Unknown)), "{text}: {read:?}");
        }
        let later = DECISION.replace(r#""v":1"#, r#""v":2"#);
        for text in [later.clone(), later.replace("decision", "indecision")] {
            assert!(matches!(Stated::read(text.as_bytes()), Err(StatementError::Version { found: 2 })));
            assert!(matches!(Heading::read(later.as_bytes()), Err(StatementError::Version { found: 2 })));
        }
    }

    #[test]
    fn a_count_is_that_of_what_it_counts() {
        let text = |count| {
            format!(
                r#"{{"at":"2025-09-02T09:00:00Z","count":{count},"kind":"proofs_destroyed","leaves":[[0,3],[7,7]],"v":1}}"#
            )
        };
        assert!(Stated::read(text(5).as_bytes()).is_ok());
        assert!(matches!(Stated::read(text(4).as_bytes()), Err(StatementError::Count)));
    }
}
