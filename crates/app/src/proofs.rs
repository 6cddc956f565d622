//! The evidence of closed accounts, destroyed in its turn.
//!
//! An account's statements and openings open with its proof key alone. When the key's page goes, what is left
//! in the log is a commitment that nobody can test. The ledger says first which leaves that will be, since a
//! leaf that nobody can open must be explained; then the page's key is destroyed. What must survive on the page
//! is wrapped anew elsewhere before.

use tenure_model::{Day, Instant};
use tenure_policy::{Lineage, ProofDue, proof_due};
use tenure_receipts::{LeafRanges, Statement};
use tenure_store::{
    AccountKey, AccountKeys, AccountRow, CopyKey, CopyStage, Filing, PageId, PageState, ReadTx,
    StoreExt as _, Tx, Wrap,
};
use tenure_vault::{AccountName, Tree};

use crate::pages::{in_vault, shelf};
use crate::sweep::Sweep;
use crate::{Error, Policies, Tenure};

/// How many accounts' evidence is destroyed together. Each may lie on a page with 255 others, whose keys are
/// wrapped anew while every other write waits.
const SLICE: usize = 16;
/// How many copies are read at once.
const COPIES: usize = 1_000;
/// What the copies of forgotten accounts are filed under. No live copy ever is.
const FORGOTTEN: &[u8] = b"forgotten";
/// The pages whose keys are about to be destroyed, as the ledger has said.
const PENDING: &str = "proofs/pages";

impl Sweep<'_> {
    /// Destroys the evidence of accounts whose terms for it have passed, and says of how many.
    pub(crate) fn destroy_proofs(&self) -> Result<u64, Error> {
        self.destroy_pending()?;
        let (policies, now) = (&self.policies, self.now);
        let (mut destroyed, mut after) = (0, None);
        loop {
            let slice =
                self.tenure.store.read(|tx| Ok::<_, Error>(tx.closed_accounts(now, after, SLICE)?))?;
            // They come by when they were closed: from the first on that no term could have passed for, none is due.
            let ripe: Vec<AccountKey> =
                slice.iter().take_while(|row| policies.is_ripe(row, now)).map(|row| row.key).collect();
            let last = slice.last().and_then(|row| Some((row.facts.closed_at?, row.key)));
            let whole = ripe.len() < SLICE;
            let (tenure, policies) = (self.tenure.clone(), policies.clone());
            destroyed += self.write(move |tx| {
                let policies = Policies::current(tx, &policies)?;
                tenure.forget_proofs(tx, &policies, &ripe, now)
            })?;
            self.destroy_pending()?;
            if whole {
                return Ok(destroyed);
            }
            after = last;
        }
    }

    /// Destroys the keys of the pages that were emptied, also of those that an interrupted sweep left.
    fn destroy_pending(&self) -> Result<(), Error> {
        let pending = self.tenure.store.read(|tx| Ok::<_, Error>(tx.meta(PENDING)?))?.unwrap_or_default();
        let pages = pending.split_whitespace().map(str::parse).collect::<Result<Vec<PageId>, _>>();
        let pages =
            pages.map_err(|_| Error::Refused("the list of pages to destroy is damaged".to_owned()))?;
        if pages.is_empty() {
            return Ok(());
        }
        let used = |page: &PageId| {
            self.tenure.store.read(|tx| Ok::<_, Error>(!tx.accounts_of_page(*page)?.is_empty()))
        };
        for page in &pages {
            if used(page)? {
                let still = "a page of proof keys that was about to be destroyed is still needed: nothing was \
                    destroyed, run `tenure doctor`";
                return Err(Error::Refused(still.to_owned()));
            }
        }
        self.irrevocably(|| self.tenure.destroy_keys(&pages))?;
        self.write(move |tx| {
            for page in pages {
                tx.set_page_state(page, PageState::Destroyed)?;
            }
            Ok(tx.set_meta(PENDING, "")?)
        })
    }
}

impl Tenure {
    /// States which leaves lose what opens them, takes the proof keys away from their accounts, and moves the
    /// keys of others off their pages: the last step before the pages' keys are destroyed.
    fn forget_proofs(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        accounts: &[AccountKey],
        now: Instant,
    ) -> Result<u64, Error> {
        let (mut pages, mut leaves, mut count) = (Vec::new(), Vec::new(), 0);
        for account in accounts {
            let Some(row) = tx.account(*account)? else { continue };
            let Some(due) = policies.proof_due(tx, &row, now)? else { continue };
            for statement in tx.statements_of(row.key, &[])? {
                leaves.extend(u64::try_from(statement.seq.0));
            }
            if let Some(page) = forget_proof(tx, &row, due)?
                && !pages.contains(&page)
            {
                pages.push(page);
            }
            count += 1;
        }
        if count == 0 {
            return Ok(0);
        }
        // Nothing new may come onto a page whose key is about to go, nor what leaves another of them.
        for page in &pages {
            tx.set_page_state(*page, PageState::Full)?;
        }
        for page in &pages {
            self.empty_proof_page(tx, *page)?;
        }
        let leaves: LeafRanges = leaves.into_iter().collect();
        let statement = Statement::ProofsDestroyed { count: leaves.count(), leaves };
        self.state_by_house(tx, statement, now)?;
        let names: Vec<String> = pages.iter().map(ToString::to_string).collect();
        tx.set_meta(PENDING, &names.join(" "))?;
        Ok(count)
    }

    /// Wraps anew, on other pages, the proof keys that stay.
    fn empty_proof_page(&self, tx: &mut dyn Tx, page: PageId) -> Result<(), Error> {
        for account in tx.accounts_of_page(page)? {
            let row = tx.account(account)?.ok_or(Error::UnknownAccount)?;
            let key = self.proof_key(&row)?;
            let name = AccountName { organisation: row.organisation.as_deref(), account: &row.id };
            let page = self.pages.slot(tx, Tree::Proof, &shelf(Tree::Proof))?;
            let sealed = self.vault.wrap_proof(&name, in_vault(page), &key)?.as_bytes().to_vec();
            let keys = AccountKeys { proof: Some(Wrap { page, sealed }), ..row.keys.clone() };
            tx.set_account_keys(row.key, &keys)?;
        }
        Ok(())
    }
}

/// Takes an account's proof key away, and gives the page that it lay on. Only the check inside this
/// transaction makes the token.
///
/// The copies that the account had are destroyed, and what they were filed under says what was chosen: it is
/// forgotten too.
fn forget_proof(tx: &mut dyn Tx, row: &AccountRow, due: ProofDue) -> Result<Option<PageId>, Error> {
    drop(due);
    let situation = tx.intern_situation(FORGOTTEN)?;
    let mut after: Option<CopyKey> = None;
    loop {
        let copies = tx.copies_of(row.key, after, COPIES)?;
        let Some(last) = copies.last() else { break };
        after = Some(last.key);
        for copy in copies {
            tx.file(copy.key, Filing { situation, anchor: 0, day: Day(0) })?;
        }
    }
    let page = row.keys.proof.as_ref().map(|wrap| wrap.page);
    tx.set_account_keys(row.key, &AccountKeys { proof: None, ..row.keys.clone() })?;
    Ok(page)
}

impl Policies {
    /// Whether the shortest of all terms for evidence has passed for an account.
    fn is_ripe(&self, row: &AccountRow, now: Instant) -> bool {
        let versions = || self.lineages().iter().flat_map(|lineage| lineage.versions());
        let end = |closed_at: Instant| {
            versions().map(|(_, version)| closed_at.plus(version.proof, version.months)).min()
        };
        row.facts.closed_at.and_then(end).is_some_and(|end| end <= now)
    }

    /// Whether the evidence of an account is due. While a copy of anything that it said may still be opened,
    /// its decisions say what may be done with that, and stay.
    fn proof_due(
        &self,
        tx: &mut dyn ReadTx,
        row: &AccountRow,
        now: Instant,
    ) -> Result<Option<ProofDue>, Error> {
        let Some(closed_at) = row.facts.closed_at.filter(|_| row.keys.proof.is_some()) else {
            return Ok(None);
        };
        let mut after: Option<CopyKey> = None;
        loop {
            let copies = tx.copies_of(row.key, after, COPIES)?;
            if copies.iter().any(|copy| copy.state.stage() < CopyStage::Shredded) {
                return Ok(None);
            }
            let Some(last) = copies.last() else { break };
            after = Some(last.key);
        }
        Ok(proof_due(self.lineages().iter().map(|lineage| -> &Lineage { lineage }), closed_at, now))
    }
}
