//! Accounts: opened, told about, closed.

use tenure_model::Instant;
use tenure_receipts::{Commitment, Statement};
use tenure_store::{AccountKeys, AccountRow, FormerFacts, NewAccount, ReadTx, StoreExt as _, Tx, Wrap};
use tenure_vault::{AccountName, Tree};

pub use tenure_store::AccountFacts;

use crate::ledger::HOUSE;
use crate::pages::{in_vault, shelf};
use crate::{Error, Tenure};

/// The account of that id. The house is nobody's account.
pub(crate) fn account_of(tx: &mut dyn ReadTx, id: &str) -> Result<AccountRow, Error> {
    let account = if id == HOUSE { None } else { tx.account_by_id(None, id)? };
    account.ok_or(Error::UnknownAccount)
}

/// New facts that remember the old ones where these are corrected, so that the past can be judged as it was.
pub(crate) fn corrected(old: &AccountFacts, new: AccountFacts, now: Instant) -> AccountFacts {
    if (&old.country, old.minor) == (&new.country, new.minor) {
        return new;
    }
    let was = FormerFacts { until: now, country: old.country.clone(), minor: old.minor };
    let former = old.former.iter().cloned().chain([was]).collect();
    AccountFacts { former, ..new }
}

/// How an account must be for a change to it to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It may be there or not.
    Any,
    /// It is not there yet.
    Absent,
    /// It is there.
    There,
    /// It is there, and its chain has this head.
    At(Commitment),
}

impl Condition {
    const fn allows_none(self) -> bool {
        matches!(self, Self::Any | Self::Absent)
    }

    fn allows(self, account: &AccountRow) -> bool {
        match self {
            Self::Any | Self::There => true,
            Self::Absent => false,
            Self::At(head) => account.chain.head == head,
        }
    }
}

impl Tenure {
    /// Opens an account, or replaces what is known about one that exists.
    ///
    /// Facts that are `None` leave what is known as it is. Its copies are filed anew before the next sweep.
    pub fn set_account(&self, id: &str, facts: AccountFacts, now: Instant) -> Result<AccountRow, Error> {
        self.set_account_if(id, facts, Condition::Any, now)
    }

    /// The same, if the account is as is said when it is written.
    ///
    /// # Errors
    /// [`Error::AccountDiffers`] if it is not, and [`Error::UnknownAccount`] if it was to be there and is not.
    pub fn set_account_if(
        &self,
        id: &str,
        facts: AccountFacts,
        condition: Condition,
        now: Instant,
    ) -> Result<AccountRow, Error> {
        let (tenure, id) = (self.clone(), id.to_owned());
        self.store.write(move |tx| {
            let account = match account_of(tx, &id) {
                Err(Error::UnknownAccount) if condition.allows_none() => {
                    return tenure.open_account(tx, &id, facts, now);
                }
                found => found?,
            };
            if !condition.allows(&account) {
                return Err(Error::AccountDiffers);
            }
            let known = account.facts.clone();
            let merged = AccountFacts {
                country: facts.country.or(known.country),
                minor: facts.minor.or(known.minor),
                opened_at: facts.opened_at.or(known.opened_at),
                closed_at: facts.closed_at.or(known.closed_at),
                former: known.former,
            };
            if merged == account.facts {
                return Ok(account);
            }
            let merged = corrected(&account.facts, merged, now);
            let closes = account.facts.closed_at.is_none() && merged.closed_at.is_some();
            tx.set_account_facts(account.key, &merged)?;
            tx.mark_refile(account.key)?;
            let proof = tenure.proof_key(&account)?;
            let statement = if closes { Statement::AccountClosed } else { Statement::AccountChanged };
            tenure.state(tx, &account, &proof, statement, now)?;
            tx.account(account.key)?.ok_or(Error::UnknownAccount)
        })
    }

    /// The account of that id.
    pub fn account(&self, id: &str) -> Result<AccountRow, Error> {
        self.store.read(|tx| account_of(tx, id))
    }

    pub(crate) fn open_house(&self, tx: &mut dyn Tx, now: Instant) -> Result<(), Error> {
        self.insert_account(tx, HOUSE, AccountFacts::default(), now).map(drop)
    }

    pub(crate) fn open_account(
        &self,
        tx: &mut dyn Tx,
        id: &str,
        facts: AccountFacts,
        now: Instant,
    ) -> Result<AccountRow, Error> {
        if id.is_empty() || id.len() > 512 {
            return Err(Error::Refused("an account's id has 1 to 512 bytes".to_owned()));
        }
        self.insert_account(tx, id, facts, now)
    }

    fn insert_account(
        &self,
        tx: &mut dyn Tx,
        id: &str,
        facts: AccountFacts,
        now: Instant,
    ) -> Result<AccountRow, Error> {
        let name = AccountName { organisation: None, account: id };
        let (account_key, proof_key) = (self.vault.account_key()?, self.vault.proof_key()?);
        let account_page = self.pages.slot(tx, Tree::Account, &shelf(Tree::Account))?;
        let proof_page = self.pages.slot(tx, Tree::Proof, &shelf(Tree::Proof))?;
        let account = self.vault.wrap_account(&name, in_vault(account_page), &account_key)?;
        let proof = self.vault.wrap_proof(&name, in_vault(proof_page), &proof_key)?;
        let key = tx.insert_account(&NewAccount {
            id: id.to_owned(),
            organisation: None,
            facts,
            keys: AccountKeys {
                account: Some(Wrap { page: account_page, sealed: account.as_bytes().to_vec() }),
                proof: Some(Wrap { page: proof_page, sealed: proof.as_bytes().to_vec() }),
            },
        })?;
        let row = tx.account(key)?.ok_or(Error::UnknownAccount)?;
        self.state(tx, &row, &proof_key, Statement::AccountOpened, now)?;
        if row.facts.closed_at.is_some() {
            self.state(tx, &row, &proof_key, Statement::AccountClosed, now)?;
        }
        tx.account(key)?.ok_or(Error::UnknownAccount)
    }
}
