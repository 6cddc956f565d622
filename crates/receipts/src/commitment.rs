//! The blind commitment to a statement, which is all that a leaf of the log holds.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tenure_tlog::Hash;

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

/// The public key of the commitment's HMAC: a label that sets it apart from every other use.
const LABEL: &[u8] = b"tenure/commitment/v1";

/// Commits to a statement in its canonical form, at its place in its account's chain.
///
/// HMAC-SHA-256 over the opening, the account's pseudonym, the version in the chain, the commitment
/// before it, and the SHA-256 of the statement, each with its length before it.
pub fn commit(
    opening: &Opening,
    account: &str,
    version: u64,
    previous: &Commitment,
    statement: &[u8],
) -> Commitment {
    let digest: Hash = Sha256::digest(statement).into();
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(LABEL) else { return [0; 32] };
    for field in [&opening.0[..], account.as_bytes(), &version.to_be_bytes(), previous, &digest] {
        mac.update(&(field.len() as u64).to_be_bytes());
        mac.update(field);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_changes_the_commitment() {
        let opening = Opening([7; 32]);
        let base = commit(&opening, "a1", 1, &[0; 32], b"{}");
        assert_eq!(base, commit(&opening, "a1", 1, &[0; 32], b"{}"));
        assert_ne!(base, commit(&Opening([8; 32]), "a1", 1, &[0; 32], b"{}"));
        assert_ne!(base, commit(&opening, "a2", 1, &[0; 32], b"{}"));
        assert_ne!(base, commit(&opening, "a1", 2, &[0; 32], b"{}"));
        assert_ne!(base, commit(&opening, "a1", 1, &[1; 32], b"{}"));
        assert_ne!(base, commit(&opening, "a1", 1, &[0; 32], b"[]"));
    }

    #[test]
    fn an_opening_is_never_shown() {
        assert_eq!(format!("{:?}", Opening([1; 32])), "Opening");
    }
}
