//! Making statements: each commits with the state that it describes, in one transaction, and is a leaf of the
//! log from then on.

mod checkpoint;
pub(crate) mod public;
mod receipt;
mod verify;

pub(crate) use checkpoint::Log;
pub use public::PublicLog;
pub(crate) use receipt::BatchStated;
pub use verify::{Fault, LedgerCheck, Verification};

use tenure_model::Instant;
use tenure_receipts::{Commitment, Evidence, Link, Opening, Stated, Statement, Subject, commit};
use tenure_store::{AccountKey, AccountRow, Chain, NewStatement, Seq, StatementRow, Tx};
use tenure_vault::ProofKey;

use crate::{Error, Tenure, TimeKeeping};

/// The account that speaks for the operator. No person's id can be this one, as theirs are not empty.
pub(crate) const HOUSE: &str = "";

/// A statement that is ready to be appended, with all that its receipt will need.
pub(crate) struct Draft {
    pub(crate) new: NewStatement,
    pub(crate) link: Link,
    pub(crate) evidence: Evidence,
}

impl Tenure {
    /// Writes a statement down as the next of an account's chain, and moves the chain on.
    pub(crate) fn draft(
        &self,
        account: &AccountRow,
        proof: &ProofKey,
        chain: &mut Chain,
        statement: Statement,
        now: Instant,
    ) -> Result<Draft, Error> {
        let (kind, now) = (statement.kind().to_owned(), self.received(chain, now)?);
        let link = Link { version: chain.version + 1, previous: chain.head };
        let evidence = Evidence {
            opening: Opening(self.random()?),
            statement: Stated::new(now, statement).canonical()?,
        };
        let commitment = commit(&evidence.opening, subject_of(account), &link, &evidence.statement);
        let version = link.version.to_be_bytes();
        let sealed = proof.seal(&names(account, &version), &evidence.to_bytes())?;
        let new = NewStatement {
            account: Some(account.key),
            version: link.version,
            kind,
            at: now,
            commitment,
            sealed,
        };
        *chain = Chain { version: link.version, head: commitment, newest: None, at: Some(now) };
        Ok(Draft { new, link, evidence })
    }

    /// When a statement counts as received: now, but never before the one that it follows. A clock that was set
    /// back must not let an earlier `on` count as the later one. Simulated time is what each command says.
    fn received(&self, chain: &Chain, now: Instant) -> Result<Instant, Error> {
        match chain.at {
            Some(before) if now < before && self.time()? == TimeKeeping::Real => {
                Ok(Instant::saturating_from_micros(before.micros().saturating_add(1)))
            }
            _ => Ok(now),
        }
    }

    /// Appends a statement to an account's chain.
    pub(crate) fn state(
        &self,
        tx: &mut dyn Tx,
        account: &AccountRow,
        proof: &ProofKey,
        statement: Statement,
        now: Instant,
    ) -> Result<Seq, Error> {
        // The row may have been read before another statement of the same transaction.
        let mut chain = tx.account(account.key)?.ok_or(Error::UnknownAccount)?.chain;
        let draft = self.draft(account, proof, &mut chain, statement, now)?;
        Ok(tx.append_statement(&draft.new)?)
    }

    /// Appends a statement that concerns the operator and not one account.
    pub(crate) fn state_by_house(
        &self,
        tx: &mut dyn Tx,
        statement: Statement,
        now: Instant,
    ) -> Result<Seq, Error> {
        let house = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
        let proof = self.proof_key(&house)?;
        self.state(tx, &house, &proof, statement, now)
    }
}

/// Opens what a statement of an account says, and the 32 bytes that open its commitment.
pub(crate) fn open_evidence(
    account: &AccountRow,
    proof: &ProofKey,
    row: &StatementRow,
) -> Result<Evidence, Error> {
    let version = row.statement.version.to_be_bytes();
    let opened = proof.open(&names(account, &version), &row.statement.sealed)?;
    Ok(Evidence::from_bytes(&opened)?)
}

/// Opens a statement of an account.
pub(crate) fn read_statement(
    account: &AccountRow,
    proof: &ProofKey,
    row: &StatementRow,
) -> Result<Stated, Error> {
    Ok(Stated::read(&open_evidence(account, proof, row)?.statement)?)
}

/// Marks every account whose copies must be filed anew.
pub(crate) fn mark_everyone(tx: &mut dyn Tx) -> Result<(), Error> {
    let mut after: Option<AccountKey> = None;
    loop {
        let slice = tx.accounts(after, 1_000)?;
        let Some(last) = slice.last() else { return Ok(()) };
        after = Some(last.key);
        for account in &slice {
            tx.mark_refile(account.key)?;
        }
    }
}

/// Whom a statement of an account is about.
pub(crate) fn subject_of(account: &AccountRow) -> Subject<'_> {
    Subject { organisation: account.organisation.as_deref(), account: &account.id }
}

/// What a sealed statement is bound to.
fn names<'a>(account: &'a AccountRow, version: &'a [u8; 8]) -> [&'a [u8]; 4] {
    let organisation = account.organisation.as_deref().unwrap_or_default();
    [b"tenure/statement/v2", organisation.as_bytes(), account.id.as_bytes(), version]
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibble = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).collect()
}

/// Bytes from hexadecimal digits; nothing unless there are just so many.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |digit: u8| char::from(digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok());
    let bytes = bytes.collect::<Option<Vec<u8>>>().filter(|_| rest.is_empty())?;
    bytes.try_into().ok()
}

/// The head of an account's chain, from the hexadecimal digits in which it is shown.
pub fn parse_head(text: &str) -> Option<Commitment> {
    bytes(text)
}
