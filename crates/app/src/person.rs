//! An account with what it was told, acknowledged and decided.

use tenure_model::{Choice, Instant};
use tenure_policy::{Decision, History, Lineage};
use tenure_receipts::{Stated, Statement};
use tenure_store::{AccountFacts, AccountKey, AccountKeys, AccountRow, Chain, ReadTx, Seq, Wrap};
use tenure_vault::{AccountName, ProofKey};

use crate::pages::in_vault;
use crate::{Error, Tenure};

/// The kinds of statement that a verdict depends on.
const CHOICES: &[&str] = &["informed", "acknowledged", "decision"];

/// An account, read for judging.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) row: AccountRow,
    /// In the order of the chain; the newest may have no place in the ledger yet.
    stated: Vec<(Option<Seq>, Stated)>,
}

impl Person {
    /// Someone whom the store does not know yet.
    pub(crate) fn stranger(id: &str, facts: AccountFacts) -> Self {
        let row = AccountRow {
            key: AccountKey(0),
            id: id.to_owned(),
            organisation: None,
            facts,
            keys: AccountKeys::default(),
            chain: Chain::default(),
        };
        Self { row, stated: Vec::new() }
    }

    /// Whether the store knows the account; its statements begin with its opening.
    pub(crate) const fn is_stored(&self) -> bool {
        self.row.chain.version > 0
    }

    /// What a verdict under one lineage needs.
    pub(crate) fn history(&self, lineage: &Lineage) -> History {
        let mut history = History::default();
        for (_, stated) in &self.stated {
            match &stated.statement {
                Statement::Informed { policy, version } if policy == lineage.name() => {
                    history.informed.extend(lineage.version(version).map(|version| (version, stated.at)));
                }
                Statement::Acknowledged { policy, version, .. } if policy == lineage.name() => {
                    history.acknowledged.extend(lineage.version(version).map(|version| (version, stated.at)));
                }
                Statement::Decision { policy, version, purpose, choice, .. } if policy == lineage.name() => {
                    let names = lineage.purpose(purpose).zip(lineage.version(version));
                    history.decisions.extend(names.map(|(purpose, version)| Decision {
                        purpose,
                        choice: *choice,
                        at: stated.at,
                        version,
                    }));
                }
                _ => {}
            }
        }
        history
    }

    /// The newest answer for a purpose, under whatever lineage it was given.
    pub(crate) fn says(&self, purpose: &str) -> Option<Choice> {
        self.stated.iter().rev().find_map(|(_, stated)| match &stated.statement {
            Statement::Decision { purpose: of, choice, .. } if of == purpose => Some(*choice),
            _ => None,
        })
    }

    /// Whether a choice has no place in the ledger yet.
    pub(crate) fn is_unplaced(&self) -> bool {
        self.stated.iter().any(|(seq, _)| seq.is_none())
    }

    /// The newest decision for a purpose up to an instant, by its place in the ledger; nothing while it has none.
    pub(crate) fn decision(&self, lineage: &str, purpose: &str, by: Instant) -> Option<Seq> {
        let of_purpose = |stated: &Stated| matches!(&stated.statement, Statement::Decision { policy, purpose: of, .. } if policy == lineage && of == purpose);
        self.stated
            .iter()
            .rev()
            .find(|(_, stated)| stated.at <= by && of_purpose(stated))
            .and_then(|(seq, _)| *seq)
    }
}

impl Tenure {
    /// The key that opens an account's statements.
    pub(crate) fn proof_key(&self, account: &AccountRow) -> Result<ProofKey, Error> {
        let wrap = account.keys.proof.as_ref().ok_or(Error::ProofDestroyed)?;
        let name = AccountName { organisation: account.organisation.as_deref(), account: &account.id };
        Ok(self.vault.unwrap_proof(&name, in_vault(wrap.page), &wrap_of(wrap)?)?)
    }

    /// The key without which no copy of an account opens.
    pub(crate) fn account_key(&self, account: &AccountRow) -> Result<tenure_vault::AccountKey, Error> {
        let wrap = account.keys.account.as_ref().ok_or(Error::UnknownAccount)?;
        let name = AccountName { organisation: account.organisation.as_deref(), account: &account.id };
        Ok(self.vault.unwrap_account(&name, in_vault(wrap.page), &wrap_of(wrap)?)?)
    }

    /// Reads an account with its choices.
    pub(crate) fn person(&self, tx: &mut dyn ReadTx, row: AccountRow) -> Result<Person, Error> {
        let rows = tx.statements_of(row.key, CHOICES)?;
        // What is committed counts, whether or not it has its place in the ledger already.
        let rows = rows.into_iter().map(|row| (Some(row.seq), row.statement));
        let unplaced = tx.unplaced_of(row.key, CHOICES)?.into_iter().map(|statement| (None, statement));
        let rows: Vec<_> = rows.chain(unplaced).collect();
        let mut stated = Vec::with_capacity(rows.len());
        // Once the evidence is gone there is nothing left to judge, and nothing is allowed.
        if !rows.is_empty() && row.keys.proof.is_some() {
            let proof = self.proof_key(&row)?;
            for (seq, statement) in rows {
                stated.push((seq, crate::ledger::read_statement(&row, &proof, &statement)?));
            }
        }
        Ok(Person { row, stated })
    }

    pub(crate) fn person_of(&self, tx: &mut dyn ReadTx, key: AccountKey) -> Result<Person, Error> {
        let row = tx.account(key)?.ok_or(Error::UnknownAccount)?;
        self.person(tx, row)
    }
}

/// A wrap of the store as one of the vault.
pub(crate) fn wrap_of(wrap: &Wrap) -> Result<tenure_vault::Wrap, Error> {
    Ok(tenure_vault::Wrap::try_from(wrap.sealed.as_slice())?)
}
