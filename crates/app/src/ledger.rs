//! Making statements: each commits with the state that it describes, in one transaction.

use serde::{Deserialize, Serialize};
use tenure_model::Instant;
use tenure_receipts::{Opening, Stated, Statement, commit};
use tenure_store::{AccountKey, AccountRow, NewStatement, Seq, StatementRow, Tx};
use tenure_vault::ProofKey;

use crate::{Error, Tenure};

/// What is sealed beside a commitment: the statement in its canonical form, and what opens it.
#[derive(Serialize, Deserialize)]
struct Sealed {
    opening: [u8; 32],
    statement: String,
}

impl Tenure {
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
        let chain = tx.account(account.key)?.ok_or(Error::UnknownAccount)?.chain;
        let opening = Opening(self.random()?);
        let kind = statement.kind();
        let canonical = Stated::new(now, statement).canonical()?;
        let version = chain.version + 1;
        let commitment = commit(&opening, &account.id, version, &chain.head, &canonical);
        let sealed =
            Sealed { opening: opening.0, statement: String::from_utf8_lossy(&canonical).into_owned() };
        let sealed =
            proof.seal(&names(&account.id, &version.to_be_bytes()), &serde_json::to_vec(&sealed)?)?;
        Ok(tx.append_statement(&NewStatement {
            account: Some(account.key),
            version,
            kind: kind.to_owned(),
            at: now,
            commitment,
            sealed,
        })?)
    }

    /// Appends a statement that concerns the operator and not one account.
    pub(crate) fn state_by_house(
        &self,
        tx: &mut dyn Tx,
        statement: Statement,
        now: Instant,
    ) -> Result<(), Error> {
        let house = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
        let proof = self.proof_key(&house)?;
        self.state(tx, &house, &proof, statement, now).map(drop)
    }
}

/// Opens a statement of an account.
pub(crate) fn read_statement(
    account: &AccountRow,
    proof: &ProofKey,
    row: &StatementRow,
) -> Result<Stated, Error> {
    let version = row.statement.version.to_be_bytes();
    let opened = proof.open(&names(&account.id, &version), &row.statement.sealed)?;
    let sealed: Sealed = serde_json::from_slice(&opened)?;
    Ok(Stated::read(sealed.statement.as_bytes())?)
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

/// The account that speaks for the operator. No person's id can be this one, as theirs are not empty.
pub(crate) const HOUSE: &str = "";

/// What a sealed statement is bound to.
fn names<'a>(account: &'a str, version: &'a [u8; 8]) -> [&'a [u8]; 3] {
    [b"tenure/statement/v1", account.as_bytes(), version]
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibble = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).collect()
}
