//! Subject tokens: the ring of keys that mint them, and what each is used for.
//!
//! The ring lies in the store, sealed under the proof key of the house, so that every process has the same one, a
//! rotation is one transaction, and a restored store does not bring back a key that was dropped: the journal has it.
//! Deleted rows survive in free pages and backups. Of this ring that does no harm, since a key that was dropped mints
//! nothing that opens.

use std::sync::Arc;

use tenure_access::{
    Bearer, Claim, Grant, Permit, Refusal, SubjectToken, TokenId, TokenKey, TokenPurpose, TokenRing,
};
use tenure_model::Instant;
use tenure_store::{ClaimRow, ReadTx, StoreExt as _, Tx};
use zeroize::Zeroizing;

use super::opened::Found;
use crate::holds::house;
use crate::ledger::hex;
use crate::{Error, Tenure};

const RING: &str = "access/token-keys";
const NAMES: [&[u8]; 1] = [b"tenure/token-keys/v1"];
const VERSION: u8 = 1;
/// A token lives for an hour at most, and a process that has not heard of a rotation may mint for a second more.
const KEEPS_OPENING_MICROS: i64 = 61 * 60 * 1_000_000;

/// For whom and how long a token is minted; the account and the purpose are those of the permit.
#[derive(Debug, Clone, Copy)]
pub struct TokenTerms<'a> {
    /// The one service, by the address at which people reach it.
    pub audience: &'a str,
    /// From when.
    pub from: Instant,
    /// Until when, an hour later at most.
    pub until: Instant,
}

/// A key of the ring as it is kept.
struct KeptKey {
    id: u32,
    /// Until when it opens; the newest has no end.
    until: Instant,
    secret: Zeroizing<[u8; 32]>,
}

fn write(keys: &[KeptKey]) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + 44 * keys.len()));
    bytes.push(VERSION);
    for key in keys {
        bytes.extend(key.id.to_be_bytes());
        bytes.extend(key.until.micros().to_be_bytes());
        bytes.extend(*key.secret);
    }
    bytes
}

fn read(bytes: &[u8]) -> Option<Vec<KeptKey>> {
    let (&version, mut rest) = bytes.split_first()?;
    let mut keys = Vec::new();
    while !rest.is_empty() {
        let (id, tail) = rest.split_first_chunk::<4>()?;
        let (until, tail) = tail.split_first_chunk::<8>()?;
        let (secret, tail) = tail.split_first_chunk::<32>()?;
        rest = tail;
        keys.push(KeptKey {
            id: u32::from_be_bytes(*id),
            until: Instant::from_micros(i64::from_be_bytes(*until)).ok()?,
            secret: Zeroizing::new(*secret),
        });
    }
    (version == VERSION && !keys.is_empty()).then_some(keys)
}

impl Tenure {
    /// Mints a token for the account and the purpose of a permit.
    ///
    /// # Errors
    /// [`Error::Access`] for a permit that mints none, and for a token that would last for more than an hour.
    pub fn mint_token(
        &self,
        permit: &Permit,
        terms: TokenTerms<'_>,
        now: Instant,
    ) -> Result<Zeroizing<String>, Error> {
        let mints = |purpose: &&TokenPurpose| purpose.minting() == permit.operation();
        let purpose = TokenPurpose::ALL.iter().find(mints).ok_or(Refusal::PermitOther)?;
        let subject = permit.subject().ok_or(Refusal::PermitOther)?;
        let ring = match self.ring(now)? {
            Some(ring) => ring,
            None => {
                self.begin_ring()?;
                self.ring(now)?.ok_or(Refusal::TokenKeyUnknown)?
            }
        };
        let TokenTerms { audience, from, until } = terms;
        let grant = Grant { subject, purpose: *purpose, audience, from, until };
        Ok(ring.mint(&grant, TokenId(self.random()?))?)
    }

    /// Opens a token for this service. It is good for nothing before [`Self::claim_token`] has said so.
    ///
    /// # Errors
    /// [`Error::Access`] with why it opens nothing.
    pub fn open_token(&self, text: &str, audience: &str, now: Instant) -> Result<SubjectToken, Error> {
        let ring = self.ring(now)?.ok_or(Refusal::TokenKeyUnknown)?;
        Ok(ring.open(text, audience, now)?)
    }

    /// Uses a token for a request, by the SHA-256 of its operation, target and body. What is good for one request is
    /// durably used for this one before this answers.
    ///
    /// # Errors
    /// [`Error::Access`] where it was used for another.
    pub fn claim_token(&self, token: SubjectToken, request: [u8; 32]) -> Result<Bearer, Error> {
        // A decision is one bit, so its plain digest would tell whoever has the database what was decided.
        let request = self.vault.identify(&[b"claim", &request]);
        let Some(Claim { token: id, request: claimed, until }) = token.claim(request) else {
            return Ok(token.present(request, None)?);
        };
        let row = ClaimRow { token: id.0, request: claimed, until };
        let earlier = self.store.write(move |tx| Ok::<_, Error>(tx.claim(&row)?))?;
        let earlier =
            earlier.map(|row| Claim { token: TokenId(row.token), request: row.request, until: row.until });
        Ok(token.present(request, earlier.as_ref())?)
    }

    /// Puts a new key at the head of the ring: it mints from now on. The older ones go on opening what they have
    /// minted, or, where they leaked, end at once with all their tokens.
    ///
    /// It is reached from the operator's own shell only, so it takes no permit.
    pub fn rotate_token_keys(&self, at_once: bool, now: Instant) -> Result<(), Error> {
        let tenure = self.clone();
        self.write_keys(move |tx| {
            let mut keys = if at_once { Vec::new() } else { tenure.kept_ring(tx)?.unwrap_or_default() };
            let end = Instant::saturating_from_micros(now.micros().saturating_add(KEEPS_OPENING_MICROS));
            keys.retain(|key| key.until > now);
            for key in &mut keys {
                key.until = key.until.min(end);
            }
            keys.insert(0, tenure.fresh_token_key()?);
            tenure.keep_ring(tx, &keys)
        })
    }

    /// Makes the ring, unless another process did so meanwhile.
    fn begin_ring(&self) -> Result<(), Error> {
        let tenure = self.clone();
        self.write_keys(move |tx| {
            if tx.meta(RING)?.is_some() {
                return Ok(());
            }
            tenure.keep_ring(tx, &[tenure.fresh_token_key()?])
        })
    }

    /// A random id, as one that was dropped may come back with a token.
    fn fresh_token_key(&self) -> Result<KeptKey, Error> {
        let mut secret = Zeroizing::new([0; 32]);
        self.entropy.fill(&mut *secret)?;
        Ok(KeptKey { id: u32::from_be_bytes(self.random()?), until: Instant::MAX, secret })
    }

    fn ring(&self, now: Instant) -> Result<Option<Arc<TokenRing>>, Error> {
        let generation = match self.opened.ring(now) {
            Found::Fresh(ring) => return Ok(Some(ring)),
            Found::Read(generation) => generation,
        };
        let Some(kept) = self.store.read(|tx| self.kept_ring(tx))? else { return Ok(None) };
        let opens = kept.iter().filter(|key| key.until > now);
        let mut keys = opens.map(|key| TokenKey::new(key.id, &key.secret));
        let newest = keys.next().ok_or(Refusal::TokenKeyUnknown)?;
        let ring = Arc::new(TokenRing::new(newest, keys.collect()));
        self.opened.keep_ring(generation, &ring, now);
        Ok(Some(ring))
    }

    fn kept_ring(&self, tx: &mut dyn ReadTx) -> Result<Option<Vec<KeptKey>>, Error> {
        let Some(sealed) = tx.meta(RING)? else { return Ok(None) };
        let damaged =
            || Error::Refused("the keys of subject tokens are damaged: run `tenure doctor`".to_owned());
        let sealed = unhex(&sealed).ok_or_else(damaged)?;
        let proof = self.proof_key(&house(tx)?)?;
        let opened = Zeroizing::new(proof.open(&NAMES, &sealed)?);
        read(&opened).ok_or_else(damaged).map(Some)
    }

    fn keep_ring(&self, tx: &mut dyn Tx, keys: &[KeptKey]) -> Result<(), Error> {
        let proof = self.proof_key(&house(tx)?)?;
        let sealed = proof.seal(&NAMES, &write(keys))?;
        Ok(tx.set_meta(RING, &hex(&sealed))?)
    }
}

/// Bytes from hexadecimal digits.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    pairs.iter().map(byte).collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_read_as_it_was_written_and_nothing_else_is_one() {
        let key = |id, until| KeptKey { id, until, secret: Zeroizing::new([7; 32]) };
        let bytes = write(&[key(9, Instant::MAX), key(u32::MAX, Instant::MIN)]);
        let read_back = read(&bytes).unwrap();
        let parts = |key: &KeptKey| (key.id, key.until, *key.secret);
        let expected = [(9, Instant::MAX, [7; 32]), (u32::MAX, Instant::MIN, [7; 32])];
        assert_eq!(read_back.iter().map(parts).collect::<Vec<_>>(), expected);
        for end in 0..bytes.len() {
            let whole = end == 45;
            assert_eq!(read(&bytes[..end]).is_some(), whole, "{end}");
        }
        let mut other = bytes;
        other[0] = 2;
        assert!(read(&other).is_none());
        assert_eq!(unhex("00fF").as_deref(), Some(&[0, 255][..]));
        assert!(unhex("0").is_none() && unhex("0g").is_none());
    }
}
