//! Verifying the whole log against the store: every statement is in the log, every leaf is explained, and
//! every chain is unbroken.

mod chains;
mod fault;
mod readers;
mod state;
mod tree;

pub use fault::Fault;

use std::sync::Mutex;

use serde::Serialize;
use tenure_store::{StoreExt as _, TreeHead};

use super::public;
use crate::{Error, Tenure};

/// How many faults are listed; more are only counted.
const LISTED: usize = 1_000;

/// What is being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerCheck {
    /// The tree over the statements.
    Tree,
    /// The chains of the accounts.
    Chains,
}

/// What verifying a log gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// How many leaves the log has.
    pub leaves: u64,
    /// The root over them, in hexadecimal.
    pub root: String,
    /// How many leaves were opened and are what was stated.
    pub opened: u64,
    /// How many leaves can't be opened because their evidence was destroyed in its turn.
    pub destroyed: u64,
    /// How many chains were followed.
    pub chains: u64,
    /// The size of the checkpoint that was published last.
    pub checkpoint: Option<u64>,
    /// What is wrong, as far as it is listed.
    pub faults: Vec<Fault>,
    /// How many faults there are.
    pub found: u64,
}

impl Verification {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.found == 0
    }
}

/// What several threads find.
#[derive(Default)]
struct Found(Mutex<(Vec<Fault>, u64)>);

impl Found {
    fn add(&self, fault: Fault) {
        let mut found = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        found.1 += 1;
        if found.0.len() < LISTED {
            found.0.push(fault);
        }
    }

    fn finish(self) -> (Vec<Fault>, u64) {
        let (mut faults, count) = self.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        faults.sort();
        (faults, count)
    }
}

/// Tells how far the verification is: what is looked at, how many are done, how many there are.
type Progress<'p> = &'p (dyn Fn(LedgerCheck, u64, u64) + Sync);

impl Tenure {
    /// Verifies the whole log against the store, on so many threads.
    ///
    /// Others may go on meanwhile: what they append is left out.
    pub fn verify_ledger(&self, threads: usize, progress: Progress<'_>) -> Result<Verification, Error> {
        let found = Found::default();
        let read = self.store.read(|tx| Ok::<_, Error>((tx.tree_head()?, public::published(tx)?)))?;
        let (Some(head), published) = read else {
            found.add(Fault::NoHead);
            let (faults, count) = found.finish();
            return Ok(Verification { faults, found: count, ..Verification::default() });
        };
        let checkpoint = published.as_ref().map(|signed| signed.checkpoint().size());
        let shown: Vec<_> = published.into_iter().chain(self.log_mark()?).collect();
        self.verify_tree(&head, &shown, &found, progress)?;
        let chains = self.verify_chains(&head, threads, &found, progress)?;
        self.verify_state(&found)?;
        self.verify_readers(&found)?;
        let TreeHead { size, root } = head;
        let (faults, count) = found.finish();
        Ok(Verification {
            leaves: size,
            root: super::hex(&root),
            opened: chains.opened,
            destroyed: chains.destroyed,
            chains: chains.chains,
            checkpoint,
            faults,
            found: count,
        })
    }
}
