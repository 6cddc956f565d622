//! All generations of a log's keys, and the text that they are kept and backed up as.
//!
//! ```text
//! tenure log keys 1
//! log.example.com/tenure
//! generation 2026-11-24T08:00:00Z retired 2027-01-01T00:00:00Z
//! <verifier key, Ed25519>
//! <verifier key, ML-DSA-44>
//! generation 2026-12-24T08:00:00Z active
//! <verifier key, Ed25519> <seed in hexadecimal>
//! <verifier key, ML-DSA-44> <seed in hexadecimal>
//! ```

use std::sync::Arc;

use tenure_model::Instant;
use tenure_tlog::checkpoint::Origin;
use tenure_tlog::crypto::verifier;
use tenure_tlog::note::{KeyName, SignatureType, VerifierKey};
use zeroize::Zeroizing;

use super::error::LogKeyError;
use super::generation::{Generation, Retired, Seeds, State};
use crate::cipher::CipherError;
use crate::keys::Secret;

const TITLE: &str = "tenure log keys ";
const VERSION: &str = "1";
/// An ML-DSA-44 cosignature writes the length of a name in one byte.
const NAME_BYTES_MAX: usize = 255;
/// More than a generation's text without its two names.
const GENERATION_BYTES: usize = 2400;

/// Why a text is not one of keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    LaterVersion,
    Malformed,
}

/// The generations of one log, oldest first. At least one is active.
#[derive(Debug)]
pub(super) struct Ring {
    origin: Origin,
    name: KeyName,
    generations: Vec<Arc<Generation>>,
}

impl Ring {
    /// A first generation.
    pub(super) fn new(origin: &Origin, now: Instant) -> Result<Self, LogKeyError> {
        let name = key_name(origin).ok_or(LogKeyError::Origin)?;
        let first = Arc::new(Generation::new(&name, now)?);
        Ok(Self { origin: origin.clone(), name, generations: vec![first] })
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn generations(&self) -> impl Iterator<Item = &Generation> {
        self.generations.iter().map(AsRef::as_ref)
    }

    /// These and a new generation.
    pub(super) fn rotated(&self, now: Instant) -> Result<Self, CipherError> {
        let mut generations = self.generations.clone();
        generations.push(Arc::new(Generation::new(&self.name, now)?));
        Ok(self.with(generations))
    }

    /// These with all but the newest retired; none if they are already.
    pub(super) fn retired(&self, now: Instant) -> Option<Self> {
        let mut generations = self.generations.clone();
        let (_, earlier) = generations.split_last_mut()?;
        let mut any = false;
        for generation in earlier {
            if let Some(retired) = generation.retired(now) {
                *generation = Arc::new(retired);
                any = true;
            }
        }
        any.then(|| self.with(generations))
    }

    fn with(&self, generations: Vec<Arc<Generation>>) -> Self {
        Self { origin: self.origin.clone(), name: self.name.clone(), generations }
    }

    /// The text, with all that is secret.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        let room = self.generations.len() * (GENERATION_BYTES + 2 * NAME_BYTES_MAX);
        // All room is made first: growing would leave seeds behind in the old allocation.
        let mut text = Zeroizing::new(String::with_capacity(TITLE.len() + 2 * NAME_BYTES_MAX + room));
        push_line(&mut text, &[TITLE, VERSION]);
        push_line(&mut text, &[self.origin.as_str()]);
        for generation in self.generations() {
            let state = generation.retired_at().map_or("active".to_owned(), |at| format!("retired {at}"));
            push_line(&mut text, &["generation ", &generation.made_at.to_string(), " ", &state]);
            let seeds = generation.signers().map(|signers| signers.seeds().map(Some));
            for (key, seed) in generation.keys().into_iter().zip(seeds.unwrap_or_default()) {
                text.push_str(&key.to_string());
                if let Some(seed) = seed {
                    text.push(' ');
                    push_hexadecimal(&mut text, seed);
                }
                text.push('\n');
            }
        }
        text
    }

    /// Reads the text again.
    pub(super) fn from_text(text: &[u8]) -> Result<Self, Unreadable> {
        let mut lines = str::from_utf8(text)
            .ok()
            .and_then(|text| text.strip_suffix('\n'))
            .ok_or(Unreadable::Malformed)?
            .split('\n');
        let version = lines.next().and_then(|line| line.strip_prefix(TITLE)).ok_or(Unreadable::Malformed)?;
        if version != VERSION {
            return Err(Unreadable::LaterVersion);
        }
        Self::from_lines(lines).ok_or(Unreadable::Malformed)
    }

    fn from_lines<'a>(mut lines: impl Iterator<Item = &'a str>) -> Option<Self> {
        let origin: Origin = lines.next()?.parse().ok()?;
        let name = key_name(&origin)?;
        let mut generations = Vec::new();
        while let Some(line) = lines.next() {
            let generation = generation_from_lines(&name, line, [lines.next()?, lines.next()?])?;
            generations.push(Arc::new(generation));
        }
        // Only a ring whose newest keys sign was ever written.
        generations.last()?.signers()?;
        Some(Self { origin, name, generations })
    }
}

/// The name of the log's keys is its origin, if that can be one.
fn key_name(origin: &Origin) -> Option<KeyName> {
    let name: KeyName = origin.as_str().parse().ok()?;
    (name.as_str().len() <= NAME_BYTES_MAX).then_some(name)
}

fn generation_from_lines(name: &KeyName, head: &str, keys: [&str; 2]) -> Option<Generation> {
    let mut words = head.strip_prefix("generation ")?.split(' ');
    let made_at = words.next()?.parse().ok()?;
    let generation = match (words.next()?, words.next(), words.next()) {
        ("active", None, None) => {
            let [ed25519, ml_dsa_44] = keys.map(|line| line.split_once(' ').map(|(_, seed)| seed));
            let seeds = Seeds { ed25519: secret(ed25519?)?, ml_dsa_44: secret(ml_dsa_44?)? };
            Generation::active(name, made_at, seeds).ok()?
        }
        ("retired", Some(at), None) => {
            let [ed25519, ml_dsa_44] = keys.map(|line| line.parse::<VerifierKey>().ok());
            let retired = Retired { at: at.parse().ok()?, ed25519: ed25519?, ml_dsa_44: ml_dsa_44? };
            Generation { made_at, state: State::Retired(Box::new(retired)) }
        }
        _ => return None,
    };
    // The public keys that are written must be those of the seeds, of the log, and of their types, and such
    // that they can be verified with.
    let types = [SignatureType::Ed25519, SignatureType::MlDsa44Cosignature];
    let written = keys.map(|line| line.split(' ').next().unwrap_or_default());
    for ((key, written), expected) in generation.keys().into_iter().zip(written).zip(types) {
        let right = key.to_string() == written && key.name() == name && key.signature_type() == expected;
        if !right || verifier(key).is_err() {
            return None;
        }
    }
    Some(generation)
}

fn push_line(text: &mut String, parts: &[&str]) {
    text.extend(parts.iter().copied().chain(["\n"]));
}

/// Digit by digit, so that no other string ever holds the seed.
fn push_hexadecimal(text: &mut String, secret: &Secret) {
    let digits = secret.as_bytes().iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
    text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
}

fn secret(hexadecimal: &str) -> Option<Secret> {
    let (pairs, []) = hexadecimal.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != Secret::LEN {
        return None;
    }
    let mut secret = Secret::zero();
    for (byte, pair) in secret.as_mut_bytes().iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Instant {
        Instant::from_micros(hours * 3_600_000_000 + 1).unwrap()
    }

    fn ring() -> Ring {
        Ring::new(&"log.example.com/tenure".parse().unwrap(), at(1)).unwrap()
    }

    #[test]
    fn a_ring_is_read_back_with_its_keys_their_times_and_their_seeds() {
        let ring = ring().rotated(at(2)).unwrap().retired(at(3)).unwrap().rotated(at(4)).unwrap();
        let text = ring.to_text();
        let read = Ring::from_text(text.as_bytes()).unwrap();
        assert_eq!(*read.to_text(), *text);
        assert_eq!(read.origin(), ring.origin());
        let told = |ring: &Ring| -> Vec<_> {
            ring.generations().map(|one| (one.made_at, one.retired_at())).collect()
        };
        assert_eq!(told(&read), [(at(1), Some(at(3))), (at(2), None), (at(4), None)]);
    }

    #[test]
    fn the_room_that_is_made_holds_the_longest_text() {
        let origin = "o".repeat(NAME_BYTES_MAX);
        let ring = Ring::new(&origin.parse().unwrap(), Instant::MAX).unwrap().rotated(Instant::MAX).unwrap();
        let room = TITLE.len() + 2 * NAME_BYTES_MAX + 2 * (GENERATION_BYTES + 2 * NAME_BYTES_MAX);
        assert!(ring.to_text().len() <= room);
    }

    #[test]
    fn a_text_with_another_key_seed_or_form_is_refused() {
        let text = ring().to_text();
        let other = ring().to_text();
        let seed = |text: &str| text.trim_end().rsplit_once(' ').unwrap().1.to_owned();
        assert_eq!(
            Ring::from_text(text.replace("keys 1", "keys 2").as_bytes()).unwrap_err(),
            Unreadable::LaterVersion
        );
        let wrong = [
            text.replace(&seed(&text), &seed(&other)),
            text.replace(" active", " retired"),
            text.replace(" active", " asleep"),
            text.replacen("log.example.com", "log.example.org", 1),
            text.replacen(char::is_alphanumeric, "x", 1),
            text.trim_end().to_owned(),
            text.split_inclusive('\n').take(4).collect(),
            text.split_inclusive('\n').take(2).collect(),
            String::new(),
        ];
        for (case, text) in wrong.iter().enumerate() {
            assert_eq!(Ring::from_text(text.as_bytes()).unwrap_err(), Unreadable::Malformed, "case {case}");
        }
    }

    #[test]
    fn an_origin_that_can_name_no_key_is_refused() {
        for origin in ["a b", "a+b", &"o".repeat(256)] {
            let made = Ring::new(&origin.parse().unwrap(), at(1));
            assert!(matches!(made, Err(LogKeyError::Origin)), "{origin}");
        }
    }

    #[test]
    fn there_is_nothing_to_retire_before_a_rotation() {
        assert!(ring().retired(at(2)).is_none());
        let retired = ring().rotated(at(2)).unwrap().retired(at(3)).unwrap();
        assert!(retired.retired(at(4)).is_none());
    }
}
