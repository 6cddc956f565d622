//! The text of an API key.

use std::fmt;
use std::str::FromStr;

use tenure_model::vocabulary;
use zeroize::Zeroizing;

use crate::Refusal;
use crate::encoding::{crc32, equal, read_hex, sha256, write_hex};

vocabulary!(
    /// What a deployment is for. A key says it, so that whoever finds one knows how bad that is.
    Environment, "environment", {
        /// About real people.
        Live = "live",
        /// For trying out.
        Test = "test",
    }
);

/// What every key begins with.
const PREFIX: &str = "tnr";
/// Sets the hash of a key apart from every other hash.
const HASH_LABEL: &[u8] = b"tenure/api-key/v1\0";

/// The public part of a key, by which it is looked up and spoken of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// An API key as its holder has it: `tnr_live_ID_SECRET_CHECKSUM`.
///
/// The checksum lets a scanner for leaked secrets tell a key from what only looks like one, and finds
/// a typing error before anything is looked up. The secret is 256 random bits.
pub struct ApiKey {
    environment: Environment,
    id: KeyId,
    secret: Zeroizing<[u8; 32]>,
}

impl ApiKey {
    pub(super) fn new(environment: Environment, id: KeyId, secret: [u8; 32]) -> Self {
        Self { environment, id, secret: Zeroizing::new(secret) }
    }

    /// By what it is looked up.
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What it is for.
    pub const fn environment(&self) -> Environment {
        self.environment
    }

    /// The whole text. It is shown once, to whoever had it minted.
    pub fn text(&self) -> Zeroizing<String> {
        let mut text = self.unchecked();
        let checksum = crc32(text.as_bytes());
        text.push('_');
        write_hex(&checksum.to_be_bytes(), &mut text);
        text
    }

    /// What is stored instead of the secret.
    pub fn hash(&self) -> SecretHash {
        SecretHash(sha256(&[HASH_LABEL, self.unchecked().as_bytes()]))
    }

    /// The text without its checksum, with room for that, so that no part of the secret is left behind
    /// where the text had been before it grew.
    fn unchecked(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(128));
        for part in [PREFIX, "_", self.environment.word(), "_"] {
            text.push_str(part);
        }
        write_hex(&self.id.0, &mut text);
        text.push('_');
        write_hex(&*self.secret, &mut text);
        text
    }
}

impl FromStr for ApiKey {
    type Err = Refusal;

    fn from_str(text: &str) -> Result<Self, Refusal> {
        parse(text).ok_or(Refusal::KeyMalformed)
    }
}

fn parse(text: &str) -> Option<ApiKey> {
    let (unchecked, checksum) = text.rsplit_once('_')?;
    if u32::from_be_bytes(read_hex(checksum)?) != crc32(unchecked.as_bytes()) {
        return None;
    }
    let mut parts = unchecked.split('_');
    let prefix = parts.next()?;
    let environment = parts.next()?.parse().ok()?;
    let id = KeyId(read_hex(parts.next()?)?);
    let secret = read_hex(parts.next()?)?;
    (prefix == PREFIX && parts.next().is_none()).then(|| ApiKey::new(environment, id, secret))
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({})", self.id)
    }
}

/// The SHA-256 of a key, under a label.
///
/// No password hash: those make guessing slow, and nobody guesses 256 random bits at any speed. A slow hash
/// would only let strangers keep the service busy.
#[derive(Clone, Copy)]
pub struct SecretHash(pub [u8; 32]);

impl SecretHash {
    /// Whether this is the hash of that key, in a time that says nothing about how nearly it is.
    pub fn is_of(&self, key: &ApiKey) -> bool {
        equal(&self.0, &key.hash().0)
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::new(Environment::Live, KeyId([0x1f; 8]), [0xa5; 32])
    }

    #[test]
    fn a_key_is_a_text_that_a_scanner_finds() {
        let text = key().text();
        assert_eq!(text.len(), 99);
        assert!(text.starts_with("tnr_live_1f1f1f1f1f1f1f1f_a5a5a5a5"));
        let read: ApiKey = text.parse().unwrap();
        assert_eq!(*read.text(), *text);
        assert!(key().hash().is_of(&read));
    }

    #[test]
    fn every_letter_of_a_key_is_checked() {
        let text = key().text();
        for place in 0..text.len() {
            for bit in 0..7 {
                let mut bytes = text.as_bytes().to_vec();
                bytes[place] ^= 1 << bit;
                let altered = String::from_utf8(bytes).unwrap();
                assert_eq!(altered.parse::<ApiKey>().unwrap_err(), Refusal::KeyMalformed, "{place} {bit}");
            }
        }
        assert!(text.strip_suffix(|_: char| true).unwrap().parse::<ApiKey>().is_err());
        assert!(format!("{}0", *text).parse::<ApiKey>().is_err());
    }

    #[test]
    fn a_right_checksum_does_not_save_a_wrong_form() {
        let digits = "0".repeat(64);
        for unchecked in [
            format!("tnx_live_0000000000000000_{digits}"),
            format!("tnr_prod_0000000000000000_{digits}"),
            format!("tnr_live_000000000000000_{digits}"),
            format!("tnr_live_0000000000000000_{digits}00"),
            format!("tnr_live_0000000000000000_{digits}_"),
            "tnr_live_0000000000000000".to_owned(),
            String::new(),
        ] {
            let text = format!("{unchecked}_{:08x}", crc32(unchecked.as_bytes()));
            assert!(text.parse::<ApiKey>().is_err(), "{text}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        assert_eq!(format!("{:?} {:?}", key(), key().hash()), "ApiKey(1f1f1f1f1f1f1f1f) SecretHash");
    }

    #[test]
    fn the_hash_is_of_the_id_and_the_environment_too() {
        let others = [
            ApiKey::new(Environment::Test, KeyId([0x1f; 8]), [0xa5; 32]),
            ApiKey::new(Environment::Live, KeyId([0x1e; 8]), [0xa5; 32]),
            ApiKey::new(Environment::Live, KeyId([0x1f; 8]), [0xa4; 32]),
        ];
        assert!(others.iter().all(|other| !key().hash().is_of(other)));
    }
}
