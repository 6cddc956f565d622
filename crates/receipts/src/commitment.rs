//! The blind commitment to a statement, which is all that a leaf of the log holds.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tenure_tlog::{Hash, leaf_hash};

/// The 32 random bytes that open one commitment.
#[derive(Clone, PartialEq, Eq)]
pub struct Opening(pub [u8; 32]);

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Whoever has the opening can test the leaf, so it never reaches a log.
        f.write_str("Opening")
    }
}

/// A commitment, 32 bytes. The leaf's data are the version byte 0x01 and these.
pub type Commitment = Hash;

/// Whose chain a statement is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Subject<'a> {
    /// The organisation that the account belongs to, if any.
    pub organisation: Option<&'a str>,
    /// The account's pseudonym.
    pub account: &'a str,
}

impl Subject<'_> {
    /// The operator, who speaks about nobody in particular. No person's pseudonym is empty.
    pub const HOUSE: Subject<'static> = Subject { organisation: None, account: "" };

    /// Whether this is the operator.
    pub const fn is_house(&self) -> bool {
        self.organisation.is_none() && self.account.is_empty()
    }
}

/// A place in an account's chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Link {
    /// The statement's number in the chain, counted from 1.
    pub version: u64,
    /// The commitment before it; zeros before the first.
    pub previous: Commitment,
}

/// The public key of the commitment's HMAC: a label that sets it apart from every other use.
const LABEL: &[u8] = b"tenure/commitment/v1";
/// The version byte of a leaf's data.
const LEAF: u8 = 0x01;

/// Commits to a statement in its canonical form, at its place in its account's chain.
///
/// HMAC-SHA-256 over the opening, the organisation (empty if there is none), the account, the version in the
/// chain, the commitment before it, and the SHA-256 of the statement, each with its length before it.
pub fn commit(opening: &Opening, subject: Subject<'_>, link: &Link, statement: &[u8]) -> Commitment {
    let digest: Hash = Sha256::digest(statement).into();
    blind(
        LABEL,
        [
            &opening.0,
            subject.organisation.unwrap_or_default().as_bytes(),
            subject.account.as_bytes(),
            &link.version.to_be_bytes(),
            &link.previous,
            &digest,
        ],
    )
}

/// The entry that the log holds for a commitment.
pub fn leaf_data(commitment: &Commitment) -> [u8; 33] {
    let mut data = [LEAF; 33];
    for (byte, of_commitment) in data.iter_mut().skip(1).zip(commitment) {
        *byte = *of_commitment;
    }
    data
}

/// The hash of that entry in the log's tree.
pub fn leaf(commitment: &Commitment) -> Hash {
    leaf_hash(&leaf_data(commitment))
}

/// HMAC-SHA-256 under a label, over fields each with its length before it, so that none slides into the next.
pub(crate) fn blind<const N: usize>(label: &[u8], fields: [&[u8]; N]) -> Hash {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(label) else { return [0; 32] };
    for field in fields {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPENING: Opening = Opening([7; 32]);
    const FIRST: Link = Link { version: 1, previous: [0; 32] };

    fn of<'a>(organisation: &'a str, account: &'a str) -> Subject<'a> {
        Subject { organisation: Some(organisation), account }
    }

    #[test]
    fn every_part_changes_the_commitment() {
        let base = commit(&OPENING, of("o1", "a1"), &FIRST, b"{}");
        assert_eq!(base, commit(&OPENING, of("o1", "a1"), &FIRST, b"{}"));
        let others = [
            commit(&Opening([8; 32]), of("o1", "a1"), &FIRST, b"{}"),
            commit(&OPENING, of("o2", "a1"), &FIRST, b"{}"),
            commit(&OPENING, Subject { organisation: None, account: "a1" }, &FIRST, b"{}"),
            commit(&OPENING, of("o1", "a2"), &FIRST, b"{}"),
            commit(&OPENING, of("o1", "a1"), &Link { version: 2, ..FIRST }, b"{}"),
            commit(&OPENING, of("o1", "a1"), &Link { previous: [1; 32], ..FIRST }, b"{}"),
            commit(&OPENING, of("o1", "a1"), &FIRST, b"[]"),
        ];
        for (place, other) in others.iter().enumerate() {
            assert_ne!(base, *other, "{place}");
        }
    }

    #[test]
    fn no_field_slides_into_the_next() {
        let base = commit(&OPENING, of("ab", "cd"), &FIRST, b"{}");
        for (organisation, account) in [("a", "bcd"), ("abc", "d"), ("", "abcd"), ("abcd", "")] {
            assert_ne!(base, commit(&OPENING, of(organisation, account), &FIRST, b"{}"));
        }
    }

    #[test]
    fn the_commitment_is_the_one_that_the_format_describes() {
        let mut message = Vec::new();
        let statement: Hash = Sha256::digest(b"{}").into();
        for field in [&[7; 32][..], b"o1", b"a1", &[0, 0, 0, 0, 0, 0, 0, 1], &[0; 32], &statement] {
            message.extend([0, 0, 0, 0, 0, 0, 0]);
            message.push(u8::try_from(field.len()).unwrap());
            message.extend(field);
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(b"tenure/commitment/v1").unwrap();
        mac.update(&message);
        let expected: Hash = mac.finalize().into_bytes().into();
        assert_eq!(commit(&OPENING, of("o1", "a1"), &FIRST, b"{}"), expected);
    }

    #[test]
    fn a_leaf_is_a_version_byte_and_the_commitment() {
        let data = leaf_data(&[9; 32]);
        assert_eq!((data[0], &data[1..]), (1, &[9; 32][..]));
        assert_eq!(leaf(&[9; 32]), leaf_hash(&data));
    }

    #[test]
    fn an_opening_is_never_shown() {
        assert_eq!(format!("{:?}", Opening([1; 32])), "Opening");
    }
}
