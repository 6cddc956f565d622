//! The bytes of a token, before anything of them is believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tenure_model::Instant;
use zeroize::Zeroizing;

use super::{TokenId, TokenPurpose};
use crate::encoding::keyed;
use crate::{AccountId, OrganisationId, Subject};

/// What every token begins with.
const PREFIX: &str = "tns_";
const VERSION: u8 = 1;
/// A sealed account is filled up to a multiple of this, so that its length says next to nothing.
const BLOCK: usize = 64;
/// The longest account and organisation, with a byte of length each, filled up.
const SEALED_MAX: usize = 512;
const MAC: usize = 32;

/// What a token says about itself in the clear. None of it is about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) key: u32,
    pub(super) purpose: TokenPurpose,
    pub(super) id: TokenId,
    pub(super) from: Instant,
    pub(super) until: Instant,
    pub(super) audience: [u8; 32],
}

/// A token that has the right form: its head, the sealed account, and what both are authenticated by.
pub(super) struct Parsed {
    pub(super) head: Head,
    pub(super) sealed: Vec<u8>,
    pub(super) signed: Vec<u8>,
    pub(super) mac: [u8; MAC],
}

const fn byte_of(purpose: TokenPurpose) -> u8 {
    match purpose {
        TokenPurpose::Read => 1,
        TokenPurpose::Decide => 2,
        TokenPurpose::Delete => 3,
        TokenPurpose::Export => 4,
    }
}

impl Head {
    /// The bytes that are authenticated.
    pub(super) fn with(&self, sealed: &[u8]) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(self.key.to_be_bytes());
        bytes.push(byte_of(self.purpose));
        bytes.extend(self.id.0);
        bytes.extend(self.from.micros().to_be_bytes());
        bytes.extend(self.until.micros().to_be_bytes());
        bytes.extend(self.audience);
        bytes.extend(sealed);
        bytes
    }
}

/// The token's text.
pub(super) fn write(signed: &[u8], mac: &[u8; MAC]) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([signed, mac].concat()))
}

/// What a text says, if it has the form of a token.
pub(super) fn parse(text: &str) -> Option<Parsed> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let (signed, mac) = bytes.split_last_chunk::<MAC>()?;
    let mut rest = signed;
    if take(&mut rest)? != [VERSION] {
        return None;
    }
    let key = u32::from_be_bytes(take(&mut rest)?);
    let [purpose] = take(&mut rest)?;
    let purpose = TokenPurpose::ALL.iter().copied().find(|known| byte_of(*known) == purpose)?;
    let id = TokenId(take(&mut rest)?);
    let mut instant = || Instant::from_micros(i64::from_be_bytes(take(&mut rest)?)).ok();
    let (from, until) = (instant()?, instant()?);
    let audience = take(&mut rest)?;
    let fits = !rest.is_empty() && rest.len() <= SEALED_MAX && rest.len().is_multiple_of(BLOCK);
    fits.then(|| Parsed {
        head: Head { key, purpose, id, from, until, audience },
        sealed: rest.to_vec(),
        signed: signed.to_vec(),
        mac: *mac,
    })
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

/// Seals the account: whoever sees the token, in a log or a browser, learns nothing of it, and two tokens of one
/// account have nothing in common.
pub(super) fn seal(key: &[u8; 32], id: TokenId, subject: &Subject) -> Vec<u8> {
    let organisation = subject.organisation.as_ref().map_or("", OrganisationId::as_str);
    let mut plain = Zeroizing::new(Vec::with_capacity(SEALED_MAX));
    for name in [organisation, subject.account.as_str()] {
        // Both have at most 255 bytes; were one longer, it would not open again.
        plain.push(u8::try_from(name.len()).unwrap_or_default());
        plain.extend(name.as_bytes());
    }
    let filled = plain.len().next_multiple_of(BLOCK);
    plain.resize(filled, 0);
    stream(key, id, &plain)
}

/// Opens what [`seal`] sealed, of a token that was authenticated before.
pub(super) fn open(key: &[u8; 32], id: TokenId, sealed: &[u8]) -> Option<Subject> {
    let plain = Zeroizing::new(stream(key, id, sealed));
    let mut rest = plain.as_slice();
    let mut name = || {
        let [length] = take(&mut rest)?;
        let (name, left) = rest.split_at_checked(usize::from(length))?;
        rest = left;
        std::str::from_utf8(name).ok()
    };
    let organisation = Some(name()?).filter(|organisation| !organisation.is_empty());
    let organisation = organisation.map(str::parse).transpose().ok()?;
    let account: AccountId = name()?.parse().ok()?;
    rest.iter().all(|filling| *filling == 0).then_some(Subject { organisation, account })
}

/// HMAC as a stream cipher in counter mode. The id is random, so no part of the stream is used twice; and the whole
/// is authenticated, so it need not be by itself.
fn stream(key: &[u8; 32], id: TokenId, input: &[u8]) -> Vec<u8> {
    let pad = (0_u32..).flat_map(|block| keyed(key, &[&id.0, &block.to_be_bytes()]));
    input.iter().zip(pad).map(|(byte, pad)| byte ^ pad).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(organisation: &str, account: &str) -> Subject {
        Subject { organisation: organisation.parse().ok(), account: account.parse().unwrap() }
    }

    #[test]
    fn the_longest_ids_are_sealed_and_opened() {
        let longest = "a".repeat(255);
        for subject in [subject("", "a"), subject("o", &longest), subject(&longest, &longest)] {
            let sealed = seal(&[1; 32], TokenId([2; 16]), &subject);
            assert!(sealed.len() <= SEALED_MAX && sealed.len().is_multiple_of(BLOCK));
            assert_eq!(open(&[1; 32], TokenId([2; 16]), &sealed), Some(subject));
        }
    }

    #[test]
    fn what_is_sealed_says_neither_the_account_nor_its_length_nor_that_it_is_the_same() {
        let one = seal(&[1; 32], TokenId([2; 16]), &subject("", "ada"));
        let again = seal(&[1; 32], TokenId([3; 16]), &subject("", "ada"));
        let longer = seal(&[1; 32], TokenId([2; 16]), &subject("org", "lovelace"));
        assert_eq!((one.len(), longer.len()), (BLOCK, BLOCK));
        assert!(one != again && !one.windows(3).any(|part| part == b"ada"));
    }

    #[test]
    fn no_text_but_a_token_is_read() {
        let head = Head {
            key: 7,
            purpose: TokenPurpose::Decide,
            id: TokenId([2; 16]),
            from: Instant::MIN,
            until: Instant::MAX,
            audience: [3; 32],
        };
        let read = parse(&write(&head.with(&[4; 64]), &[5; 32])).unwrap();
        assert_eq!((read.head, read.sealed.as_slice(), read.mac), (head, &[4; 64][..], [5; 32]));
        for sealed in [0, 63, 65, 576] {
            assert!(parse(&write(&head.with(&vec![4; sealed]), &[5; 32])).is_none(), "{sealed}");
        }
        for (place, byte) in [(0, 2), (5, 0), (5, 5), (22, 0x7f), (30, 0x80)] {
            let mut signed = head.with(&[4; 64]);
            signed[place] = byte;
            assert!(parse(&write(&signed, &[5; 32])).is_none(), "{place}");
        }
        for text in ["", "tns_", "tnr_AQ", "tns_AQ==", "tns_+"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
