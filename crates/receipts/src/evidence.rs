//! What is sealed under an account's proof key: the statement, and what opens its leaf.

use std::fmt;

use serde::Deserialize;
use tenure_model::Choice;

use crate::{Opening, StatementError};

/// The version byte of this form.
const VERSION: u8 = 0x01;
/// The version byte, the opening and the length of the statement.
const HEAD: usize = 1 + 32 + 4;
/// Lengths are multiples of this.
const BLOCK: usize = 64;

/// A statement in its canonical form, with the opening of its commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Evidence {
    /// What opens the commitment.
    pub opening: Opening,
    /// The statement in its canonical form.
    pub statement: Vec<u8>,
}

impl fmt::Debug for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What a person decided never reaches a log.
        f.write_str("Evidence")
    }
}

impl Evidence {
    /// The bytes to seal: 0x01, the opening, the statement's length as 32 bits in big endian, the statement,
    /// and zeros up to a multiple of 64.
    ///
    /// Sealing hides the bytes but not how many there are, and `off` is longer than `on`. So each answer is
    /// counted with the length of the longest that could stand in its place.
    pub fn to_bytes(&self) -> Vec<u8> {
        let padded = padded(&self.statement);
        let mut bytes = Vec::with_capacity(padded);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.opening.0);
        // No statement comes near four gigabytes; one that did would not be read back.
        bytes.extend_from_slice(&u32::try_from(self.statement.len()).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend_from_slice(&self.statement);
        bytes.resize(padded, 0);
        bytes
    }

    /// Reads those bytes, and refuses any others.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StatementError> {
        Self::split(bytes).ok_or(StatementError::Evidence)
    }

    fn split(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (opening, rest) = rest.split_first_chunk::<32>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (statement, padding) = rest.split_at_checked(length)?;
        let exact = *version == VERSION && padding.iter().all(|byte| *byte == 0);
        (exact && bytes.len() == padded(statement))
            .then(|| Self { opening: Opening(*opening), statement: statement.to_vec() })
    }
}

/// How long the evidence of a statement is.
fn padded(statement: &[u8]) -> usize {
    (HEAD + statement.len() + slack(statement)).next_multiple_of(BLOCK)
}

/// The words of a statement that only its account may know. Names, records and times lie beside the evidence
/// anyway, and so does the kind.
#[derive(Deserialize, Default)]
struct Secrets {
    choice: Option<Choice>,
    flagged: Option<bool>,
}

/// How much longer the statement would be if each of its secrets were the longest that it could be.
fn slack(statement: &[u8]) -> usize {
    let secrets: Secrets = serde_json::from_slice(statement).unwrap_or_default();
    let longest = Choice::WORDS.iter().map(|word| word.len()).max().unwrap_or_default();
    let of_choice = secrets.choice.map_or(0, |choice| longest - choice.word().len());
    let of_flag = usize::from(secrets.flagged == Some(true));
    of_choice + of_flag
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tenure_model::Instant;

    use super::*;
    use crate::{Stated, Statement};

    fn evidence(at: i64, statement: Statement) -> Evidence {
        let stated = Stated::new(Instant::from_micros(at).unwrap(), statement);
        Evidence { opening: Opening([5; 32]), statement: stated.canonical().unwrap() }
    }

    proptest! {
        #[test]
        fn the_length_never_tells_the_answer(
            policy in ".{0,40}", version in ".{0,40}", purpose in ".{0,40}", record in ".{0,60}",
            at in 0_i64..4_000_000_000_000_000,
        ) {
            let decided = |choice| evidence(at, Statement::Decision {
                policy: policy.clone(), version: version.clone(), purpose: purpose.clone(), choice, evidence: None,
            }).to_bytes().len();
            prop_assert_eq!(decided(Choice::On), decided(Choice::Off));
            let flagged =
                |flagged| evidence(at, Statement::Flagged { record: record.clone(), flagged }).to_bytes().len();
            prop_assert_eq!(flagged(true), flagged(false));
            prop_assert_eq!(flagged(true) % BLOCK, 0);
        }

        #[test]
        fn any_bytes_read_back(statement in proptest::collection::vec(any::<u8>(), 0..200)) {
            let evidence = Evidence { opening: Opening([5; 32]), statement };
            prop_assert_eq!(Evidence::from_bytes(&evidence.to_bytes()).unwrap(), evidence);
        }

        #[test]
        fn what_reads_has_one_spelling(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Ok(evidence) = Evidence::from_bytes(&bytes) {
                prop_assert_eq!(evidence.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn evidence_of_another_form_is_refused() {
        let good = evidence(0, Statement::AccountOpened).to_bytes();
        assert!(Evidence::from_bytes(&good).is_ok());
        let mut changed = vec![good[..good.len() - 1].to_vec(), [&good[..], &[0; 64]].concat(), Vec::new()];
        for (place, value) in [(0, 2), (33, 1), (36, 255), (good.len() - 1, 1)] {
            let mut bytes = good.clone();
            bytes[place] = value;
            changed.push(bytes);
        }
        for (case, bytes) in changed.iter().enumerate() {
            assert!(matches!(Evidence::from_bytes(bytes), Err(StatementError::Evidence)), "{case}");
        }
    }
}
