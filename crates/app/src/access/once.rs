//! Requests that are done once: whoever sends one again, since its answer was lost, gets the same answer.
//!
//! What was asked for and who asked is kept only as keyed digests, and the answer is sealed under the proof key of
//! the account that it is about, so that it is forgotten with that.

use tenure_access::{By, OrganisationId, Permit, Refusal, Subject};
use tenure_model::Instant;
use tenure_store::{AccountRow, Digest, OnceBegun, OnceRow, OnceState, ReadTx, StoreExt as _, Tx};

use crate::holds::house;
use crate::ledger::subject_of;
use crate::{Error, Tenure};

/// For how long an answer is kept.
const KEPT_MICROS: i64 = 24 * 60 * 60 * 1_000_000;
/// Whoever has been at a request for longer is taken to be gone.
const GONE_MICROS: i64 = 5 * 60 * 1_000_000;
/// The same for one that may take long, as a sweep or a run does.
const GONE_LONG_MICROS: i64 = 60 * 60 * 1_000_000;
/// How much longer than its token a claim is kept, for servers whose clocks disagree.
const CLAIM_MICROS: i64 = 60 * 60 * 1_000_000;
/// How many rows are forgotten in one transaction.
const SLICE: usize = 500;
/// Sealed answers are filled up to a multiple of this, since a decision is one bit and shows in the length.
const BLOCK: usize = 512;
/// The longest key that a caller may give a request.
const KEY_MAX: usize = 255;

/// What became of a request that may have been sent before.
#[derive(Debug)]
pub enum Once {
    /// It is new. Whoever got this does it, and then says so.
    First(OnceTicket),
    /// It was done; this was answered.
    Again(OnceAnswer),
    /// Somebody is at it: ask again in a moment.
    UnderWay,
    /// Its key was used for another request.
    Other,
}

/// An answer that was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnceAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The answer itself.
    pub body: Vec<u8>,
}

/// The right to do a request and to say what was answered.
#[derive(Debug)]
#[must_use = "the request counts as under way until it is finished or abandoned"]
pub struct OnceTicket {
    key: Digest,
    since: Instant,
}

impl Tenure {
    /// Begins a request that its sender gave a key, by the SHA-256 of its operation, target and body, and whether it
    /// may take long.
    ///
    /// The same key of another sender is another. An account's tokens are one sender; so are those of a key, and
    /// those of a user of the console.
    pub fn begin_once(
        &self,
        permit: &Permit,
        (key, request, is_long): (&str, [u8; 32], bool),
        now: Instant,
    ) -> Result<Once, Error> {
        if key.is_empty() || key.len() > KEY_MAX {
            return Err(Error::Refused(format!("an idempotency key has 1 to {KEY_MAX} bytes: send another")));
        }
        let begun = OnceBegun {
            key: self.sender(permit, key)?,
            request: self.vault.identify(&[b"once-request", permit.operation().word().as_bytes(), &request]),
            now,
            gone_before: later(now, if is_long { -GONE_LONG_MICROS } else { -GONE_MICROS }),
            expires_at: later(now, KEPT_MICROS),
        };
        let ticket = OnceTicket { key: begun.key, since: now };
        let earlier = self.store.write(move |tx| Ok::<_, Error>(tx.begin_once(&begun)?))?;
        match earlier {
            None => Ok(Once::First(ticket)),
            Some(row) if row.request != begun.request => Ok(Once::Other),
            Some(OnceRow { state: OnceState::UnderWay { .. }, .. }) => Ok(Once::UnderWay),
            Some(OnceRow { key, state: OnceState::Done { status, account, answer }, .. }) => {
                let body = self.store.read(|tx| {
                    let row = tx.account(account)?.ok_or(Error::UnknownAccount)?;
                    let proof = self.proof_key(&row)?;
                    let padded = proof.open(&names(&row, &key), &answer)?;
                    unpadded(&padded).ok_or_else(|| Error::Refused("a kept answer is damaged".to_owned()))
                })?;
                Ok(Once::Again(OnceAnswer { status, body }))
            }
        }
    }

    /// Keeps what was answered to a request, sealed for the account that it is about, or for the house. `false` if it
    /// took so long that somebody else is at it; what was done stands all the same.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is good for one end")]
    pub fn finish_once(
        &self,
        ticket: OnceTicket,
        about: Option<&Subject>,
        answer: &OnceAnswer,
    ) -> Result<bool, Error> {
        let OnceTicket { key, since } = ticket;
        let account = self.store.read(|tx| whose(tx, about))?;
        if account.keys.proof.is_none() {
            // Nothing about an account is kept once its evidence is gone.
            self.store.write(move |tx| Ok::<_, Error>(tx.abandon_once(&key, since)?))?;
            return Ok(true);
        }
        let sealed = self.proof_key(&account)?.seal(&names(&account, &key), &padded(&answer.body))?;
        let done = OnceState::Done { status: answer.status, account: account.key, answer: sealed };
        self.store.write(move |tx| Ok(tx.finish_once(&key, since, &done)?))
    }

    /// Takes back a request of which nothing came, so that it can be sent again.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is good for one end")]
    pub fn abandon_once(&self, ticket: OnceTicket) -> Result<(), Error> {
        let OnceTicket { key, since } = ticket;
        self.store.write(move |tx| Ok(tx.abandon_once(&key, since)?))
    }

    /// Forgets claims and answers whose time has passed, some at a time, and says how many. To be called now and
    /// then: what is over counts for nothing meanwhile.
    pub fn forget_requests(&self, now: Instant) -> Result<u64, Error> {
        let ended = later(now, -CLAIM_MICROS);
        let mut forgotten = 0;
        loop {
            let slice: u64 = self.store.write(move |tx: &mut dyn Tx| {
                Ok::<_, Error>(tx.forget_claims(ended, SLICE)? + tx.forget_once(now, SLICE)?)
            })?;
            forgotten += slice;
            if slice == 0 {
                return Ok(forgotten);
            }
        }
    }

    /// A digest of who sends a request and of the key that they gave it.
    fn sender(&self, permit: &Permit, key: &str) -> Result<Digest, Error> {
        let who: [&[u8]; 3] = match permit.by() {
            By::Anyone => return Err(Refusal::CredentialMissing.into()),
            By::Key { key, .. } => [b"key", &key.0, b""],
            By::User(principal) => [b"user", principal.as_str().as_bytes(), b""],
            By::Person(_) => {
                let Subject { organisation, account } = permit.subject().ok_or(Refusal::PermitOther)?;
                let organisation = organisation.as_ref().map_or("", OrganisationId::as_str);
                [b"person", organisation.as_bytes(), account.as_str().as_bytes()]
            }
        };
        let [sort, first, second] = who;
        Ok(self.vault.identify(&[b"once", sort, first, second, key.as_bytes()]))
    }
}

const fn later(instant: Instant, micros: i64) -> Instant {
    Instant::saturating_from_micros(instant.micros().saturating_add(micros))
}

/// The account that an answer is about, or the house where there is none.
fn whose(tx: &mut dyn ReadTx, about: Option<&Subject>) -> Result<AccountRow, Error> {
    let named = about.map(|Subject { organisation, account }| {
        tx.account_by_id(organisation.as_ref().map(OrganisationId::as_str), account.as_str())
    });
    match named.transpose()?.flatten() {
        Some(account) => Ok(account),
        None => house(tx),
    }
}

/// What a sealed answer is bound to.
fn names<'a>(account: &'a AccountRow, key: &'a Digest) -> [&'a [u8]; 4] {
    let subject = subject_of(account);
    [
        b"tenure/answer/v1",
        subject.organisation.unwrap_or_default().as_bytes(),
        subject.account.as_bytes(),
        key,
    ]
}

fn padded(body: &[u8]) -> Vec<u8> {
    let mut bytes = (body.len() as u64).to_be_bytes().to_vec();
    bytes.extend(body);
    bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    bytes
}

fn unpadded(bytes: &[u8]) -> Option<Vec<u8>> {
    let (length, rest) = bytes.split_first_chunk::<8>()?;
    let length = usize::try_from(u64::from_be_bytes(*length)).ok()?;
    rest.get(..length).map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_kept_answer_says_next_to_nothing() {
        for body in [&b""[..], b"on", b"off", &[7; 504], &[7; 505]] {
            let bytes = padded(body);
            assert!(bytes.len().is_multiple_of(BLOCK));
            assert_eq!(unpadded(&bytes).as_deref(), Some(body));
        }
        assert_eq!(padded(b"on").len(), padded(b"off").len());
        assert!(unpadded(&[0; 7]).is_none() && unpadded(&[255; 16]).is_none());
    }
}
