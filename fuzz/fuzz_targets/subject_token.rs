//! Subject tokens: nothing opens but what was minted, and only between its instants. The first byte of the input says
//! when it is tried.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_access::{Grant, Refusal, Subject, TokenId, TokenKey, TokenPurpose, TokenRing};
use tenure_model::Instant;

/// The key, the instants and the service of the example in `docs/access.md`.
fn ring() -> TokenRing {
    let secret: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap());
    TokenRing::new(TokenKey::new(1, &secret), vec![TokenKey::new(2, &[7; 32])])
}

const FROM: i64 = 1_790_000_000_000_000;
const MINUTE: i64 = 60_000_000;

fuzz_target!(|bytes: &[u8]| {
    let Some((minute, bytes)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (ring, now) = (ring(), Instant::from_micros(FROM + i64::from(*minute) * MINUTE).unwrap());
    for audience in ["https://privacy.example.org", ""] {
        match ring.open(text, audience, now) {
            Ok(token) => {
                assert!(now < token.until());
                assert!(TokenPurpose::ALL.contains(&token.purpose()));
                // Nobody else has the keys, so it is one that was minted; a letter less is none.
                assert!(ring.open(&text[..text.len() - 1], audience, now).is_err());
            }
            Err(refusal) => assert!(!refusal.code().is_empty()),
        }
    }
    // What it says as the name of an account comes back from a token.
    let Ok(account) = text.parse() else { return };
    let subject = Subject { organisation: None, account };
    let (from, until) = (now, Instant::from_micros(now.micros() + MINUTE).unwrap());
    let grant = Grant { subject: &subject, purpose: TokenPurpose::Decide, audience: "a", from, until };
    let minted = ring.mint(&grant, TokenId([*minute; 16])).unwrap();
    assert_eq!(*ring.open(&minted, "a", now).unwrap().subject(), subject);
    assert_eq!(ring.open(&minted, "b", now).unwrap_err(), Refusal::TokenAudience);
});
