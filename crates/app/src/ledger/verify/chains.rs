//! The chains: every statement of every account, opened and compared with its leaf.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tenure_receipts::{Evidence, Heading, LeafRanges, Link, Statement, commit};
use tenure_store::{AccountKey, AccountRow, Chain, ReadTx, StatementRow, StoreExt as _, TreeHead};
use tenure_vault::ProofKey;

use super::{Fault, Found, LedgerCheck, Progress};
use crate::ledger::{HOUSE, open_evidence, read_statement, subject_of};
use crate::{Error, Tenure};

/// How many accounts one reader takes at a time.
const ACCOUNTS: i64 = 512;
/// How many accounts are read at once.
const SLICE: usize = 512;

/// How much was followed.
#[derive(Default)]
pub(super) struct Followed {
    pub(super) opened: u64,
    pub(super) destroyed: u64,
    pub(super) chains: u64,
}

#[derive(Default)]
struct Counters {
    opened: AtomicU64,
    destroyed: AtomicU64,
    chains: AtomicU64,
    seen: AtomicU64,
}

impl Tenure {
    /// Follows every chain as far as the log went when the verification began.
    pub(super) fn verify_chains(
        &self,
        head: &TreeHead,
        threads: usize,
        found: &Found,
        progress: Progress<'_>,
    ) -> Result<Followed, Error> {
        let (destroyed, last) = self.store.read(|tx| {
            let last = tx.last_account()?.map_or(0, |key| key.0);
            Ok::<_, Error>((self.destroyed_leaves(tx)?, last))
        })?;
        let (next, counters) = (AtomicI64::new(1), Counters::default());
        let walk = || -> Result<(), Error> {
            loop {
                let from = next.fetch_add(ACCOUNTS, Ordering::Relaxed);
                if from > last {
                    return Ok(());
                }
                let up_to = from.saturating_add(ACCOUNTS - 1).min(last);
                let chains = Chains { tenure: self, head, destroyed: &destroyed, found, counters: &counters };
                self.store.read(|tx| chains.follow(tx, AccountKey(from), AccountKey(up_to)))?;
                progress(LedgerCheck::Chains, counters.seen.load(Ordering::Relaxed), head.size);
            }
        };
        std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(walk)).collect();
            let mut outcome = walk();
            for other in others {
                let theirs = other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                outcome = outcome.and(theirs);
            }
            outcome
        })?;
        let seen = counters.seen.into_inner();
        if seen < head.size {
            found.add(Fault::Astray { statements: head.size - seen });
        }
        Ok(Followed {
            opened: counters.opened.into_inner(),
            destroyed: counters.destroyed.into_inner(),
            chains: counters.chains.into_inner(),
        })
    }

    /// The leaves whose evidence was destroyed, as the ledger says.
    fn destroyed_leaves(&self, tx: &mut dyn ReadTx) -> Result<LeafRanges, Error> {
        let house = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
        let proof = self.proof_key(&house)?;
        let mut all = Vec::new();
        for row in tx.statements_of(house.key, &["proofs_destroyed"])? {
            // One that can't be read explains nothing; following the house's own chain finds it.
            if let Ok(stated) = read_statement(&house, &proof, &row.statement)
                && let Statement::ProofsDestroyed { leaves, .. } = stated.statement
            {
                all.extend(leaves.iter().flatten());
            }
        }
        Ok(all.into_iter().collect())
    }
}

struct Chains<'v> {
    tenure: &'v Tenure,
    head: &'v TreeHead,
    destroyed: &'v LeafRanges,
    found: &'v Found,
    counters: &'v Counters,
}

/// One account's chain, as far as it was followed.
struct Walk {
    account: AccountRow,
    proof: Option<ProofKey>,
    chain: Chain,
    closed: bool,
}

impl Walk {
    fn is_forgotten(&self) -> bool {
        self.account.keys.proof.is_none() && self.account.facts.closed_at.is_some()
    }
}

impl Chains<'_> {
    /// Follows the chains of a range of accounts, in one state of the store.
    fn follow(&self, tx: &mut dyn ReadTx, from: AccountKey, up_to: AccountKey) -> Result<(), Error> {
        let mut after = Some(AccountKey(from.0 - 1));
        loop {
            let accounts = tx.accounts(after, SLICE)?;
            let Some(last) = accounts.last() else { return Ok(()) };
            after = Some(last.key);
            let past = last.key >= up_to;
            for account in accounts.into_iter().take_while(|account| account.key <= up_to) {
                let statements = tx.statements_of(account.key, &[])?;
                self.counters.chains.fetch_add(1, Ordering::Relaxed);
                let proof = self.tenure.proof_key(&account).ok();
                let mut walk = Walk { account, proof, chain: Chain::default(), closed: false };
                for row in &statements {
                    self.statement(&mut walk, row);
                }
                // What has no place in the log yet is no leaf that could be checked, but its chain goes on with it.
                if let Some(newest) = tx.unplaced_of(walk.account.key, &[])?.pop() {
                    walk.chain = Chain {
                        version: newest.version,
                        head: newest.commitment,
                        newest: None,
                        at: Some(newest.at),
                    };
                }
                self.finish(&walk);
            }
            if past {
                return Ok(());
            }
        }
    }

    fn statement(&self, walk: &mut Walk, row: &StatementRow) {
        let Ok(leaf) = u64::try_from(row.seq.0) else { return };
        let (statement, before) = (&row.statement, walk.chain);
        walk.chain = Chain {
            version: statement.version,
            head: statement.commitment,
            newest: Some(row.seq),
            at: Some(statement.at),
        };
        if leaf >= self.head.size {
            return;
        }
        self.counters.seen.fetch_add(1, Ordering::Relaxed);
        if statement.version != before.version + 1 || row.previous != before.newest {
            self.found.add(Fault::ChainBroken { leaf });
            return;
        }
        let link = Link { version: statement.version, previous: before.head };
        let opened = walk.proof.as_ref().map(|proof| open_evidence(&walk.account, proof, statement));
        match opened {
            Some(Ok(evidence)) => self.compare(walk, row, leaf, &link, &evidence),
            // Evidence is only ever destroyed of closed accounts, whole, and then there is no key for it.
            _ if walk.is_forgotten() && self.destroyed.contains(leaf) => {
                walk.closed |= statement.kind == "account_closed";
                self.counters.destroyed.fetch_add(1, Ordering::Relaxed);
            }
            _ => self.found.add(Fault::Unexplained { leaf }),
        }
    }

    fn compare(&self, walk: &mut Walk, row: &StatementRow, leaf: u64, link: &Link, evidence: &Evidence) {
        let statement = &row.statement;
        self.counters.opened.fetch_add(1, Ordering::Relaxed);
        let commitment = commit(&evidence.opening, subject_of(&walk.account), link, &evidence.statement);
        if commitment != statement.commitment {
            self.found.add(Fault::Differs { leaf });
        }
        match Heading::read(&evidence.statement) {
            Ok(heading) if heading.kind == statement.kind && heading.at == statement.at => {
                walk.closed |= heading.kind == "account_closed";
            }
            _ => self.found.add(Fault::Heading { leaf }),
        }
    }

    fn finish(&self, walk: &Walk) {
        if walk.chain != walk.account.chain {
            self.found.add(Fault::ChainHead { account: walk.account.key.0 });
        }
        if walk.account.facts.closed_at.is_some() != walk.closed {
            let what = format!("whether account number {} is closed", walk.account.key.0);
            self.found.add(Fault::Unstated { what });
        }
    }
}
