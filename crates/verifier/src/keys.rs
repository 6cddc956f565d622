//! The public keys that the person who checks was given, one a line.

use std::fmt;

use serde::Serialize;
use tenure_tlog::checkpoint::Origin;
use tenure_tlog::crypto;
use tenure_tlog::note::{SignatureType, Verifier, VerifierKey};

use crate::Problem;

/// Whose keys a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// The log's own.
    Log,
    /// Those of witnesses, who cosign what they have seen of the log.
    Witness,
}

impl fmt::Display for Owner {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Log => "log",
            Self::Witness => "witness",
        })
    }
}

/// Keys that can check signatures, each of them once.
pub(crate) struct Keys(Vec<Box<dyn Verifier + Send + Sync>>);

impl Keys {
    /// Reads a list; blank lines and those that begin with `#` are passed over.
    pub(crate) fn parse(text: &str, owner: Owner) -> Result<Self, Problem> {
        let mut keys: Vec<Box<dyn Verifier + Send + Sync>> = Vec::new();
        // An editor may have put a byte order mark in front of the first line.
        let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).zip(1_u32..);
        for (line, number) in lines.filter(|(line, _)| !line.is_empty() && !line.starts_with('#')) {
            let malformed =
                |error: &dyn fmt::Display| Problem::Key { owner, line: number, reason: error.to_string() };
            let key: VerifierKey = line.parse().map_err(|error| malformed(&error))?;
            if owner == Owner::Log && key.signature_type() == SignatureType::Ed25519Cosignature {
                return Err(Problem::KeyOfWitness);
            }
            if owner == Owner::Witness && key.signature_type() == SignatureType::Ed25519 {
                return Err(Problem::KeyOfLog);
            }
            if keys.iter().all(|known| *known.key() != key) {
                keys.push(crypto::verifier(&key).map_err(|error| malformed(&error))?);
            }
        }
        Ok(Self(keys))
    }

    /// The log that these keys are of: a log's keys bear its origin as their name.
    pub(crate) fn origin(&self) -> Result<Origin, Problem> {
        let mut names = self.0.iter().map(|key| key.key().name());
        let first = names.next().ok_or(Problem::NoKey)?;
        if names.any(|name| name != first) {
            return Err(Problem::TwoLogs);
        }
        first.as_str().parse().map_err(|_| Problem::NoKey)
    }

    /// As those who verify take them.
    pub(crate) fn verifiers(&self) -> Vec<&dyn Verifier> {
        self.0.iter().map(|key| -> &dyn Verifier { &**key }).collect()
    }

    /// The keys themselves.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &VerifierKey> {
        self.0.iter().map(|key| key.key())
    }
}

/// What a key signs with, in the words of the standards.
pub(crate) const fn algorithm(signature_type: SignatureType) -> &'static str {
    match signature_type {
        SignatureType::Ed25519 | SignatureType::Ed25519Cosignature => "Ed25519",
        SignatureType::MlDsa44Cosignature => "ML-DSA-44",
        _ => "unknown",
    }
}
