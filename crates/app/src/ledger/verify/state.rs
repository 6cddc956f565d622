//! The operator's own statements against the state that they describe.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use tenure_model::Instant;
use tenure_receipts::{Digest, Item, Statement, root_of};
use tenure_store::{BatchId, BatchStage, ReadTx, RunState, Seq, StoreExt as _};

use super::{Fault, Found};
use crate::destroy::{copies_of, items_of};
use crate::ledger::{HOUSE, read_statement};
use crate::{Error, Tenure};

/// What the operator stated, as it should be found in the store.
#[derive(Default)]
struct Said {
    policies: BTreeMap<String, Digest>,
    withdrawn: BTreeSet<String>,
    runs: BTreeMap<String, Digest>,
    /// When each was placed, and what it covers.
    holds: BTreeMap<String, (Instant, serde_json::Value)>,
    released: BTreeMap<String, Instant>,
    copies: BTreeMap<Seq, (u64, Digest)>,
}

impl Tenure {
    /// Verifies that policies, holds, runs and destructions are in the store as they are in the ledger.
    pub(super) fn verify_state(&self, found: &Found) -> Result<(), Error> {
        self.store.read(|tx| {
            let said = self.said(tx)?;
            said.compare_policies(tx, found)?;
            said.compare_runs(tx, found)?;
            said.compare_holds(tx, found)?;
            self.compare_batches(tx, said.copies, found)
        })
    }

    fn said(&self, tx: &mut dyn ReadTx) -> Result<Said, Error> {
        let house = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
        let proof = self.proof_key(&house)?;
        let mut said = Said::default();
        for row in tx.statements_of(house.key, &[])? {
            // One that can't be read is found by following the chains.
            let Ok(stated) = read_statement(&house, &proof, &row) else { continue };
            match stated.statement {
                Statement::PolicyPublished { policy, version, digest } => {
                    said.policies.insert(format!("{policy}@{version}"), digest);
                }
                Statement::PolicyWithdrawn { policy, version } => {
                    said.withdrawn.insert(format!("{policy}@{version}"));
                }
                Statement::RunSealed { run, manifest } => {
                    said.runs.insert(run, manifest);
                }
                Statement::HoldPlaced { hold, scope } => {
                    said.holds.insert(hold, (stated.at, scope));
                }
                Statement::HoldReleased { hold } => {
                    said.released.insert(hold, stated.at);
                }
                Statement::CopiesShredded { count, root } => {
                    said.copies.insert(row.seq, (count, root));
                }
                _ => {}
            }
        }
        Ok(said)
    }

    /// Only a batch that is through the door has the copies that its last statement speaks of.
    fn compare_batches(
        &self,
        tx: &mut dyn ReadTx,
        mut said: BTreeMap<Seq, (u64, Digest)>,
        found: &Found,
    ) -> Result<(), Error> {
        let classes = tx.classes()?;
        let mut after: Option<BatchId> = None;
        loop {
            let batches = tx.batches(after, 256)?;
            let Some(last) = batches.last() else { break };
            after = Some(last.id);
            for batch in batches {
                if matches!(
                    batch.stage,
                    BatchStage::Gathering | BatchStage::Sealed { .. } | BatchStage::Shredding { .. }
                ) {
                    continue;
                }
                let copies = copies_of(tx, batch.id)?;
                let items = items_of(&self.vault, &classes, batch.id, &copies);
                let root = Digest(root_of(&items.iter().map(Item::blind).collect::<Vec<_>>()));
                let there = (!copies.is_empty()).then_some((copies.len() as u64, root));
                if batch.statement.and_then(|seq| said.remove(&seq)) != there {
                    found.add(Fault::Unstated { what: format!("the destruction of batch {}", batch.id.0) });
                }
            }
        }
        for seq in said.keys() {
            found.add(Fault::Missing { what: format!("the destruction of leaf {}", seq.0) });
        }
        Ok(())
    }
}

impl Said {
    fn compare_policies(&self, tx: &mut dyn ReadTx, found: &Found) -> Result<(), Error> {
        let rows = tx.policies()?;
        let mut there = BTreeSet::new();
        for row in rows {
            let name = format!("{}@{}", row.lineage, row.version);
            // What judges is the file, so it is the file that must be the one that was stated.
            let stated = self.policies.get(&name) == Some(&digest_of(&row.source))
                && row.digest == digest_of(&row.source).0
                && self.withdrawn.contains(&name) == row.withdrawn_at.is_some();
            if !stated {
                found.add(Fault::Unstated { what: format!("version `{name}`") });
            }
            there.insert(name);
        }
        for name in self.policies.keys().filter(|name| !there.contains(*name)) {
            found.add(Fault::Missing { what: format!("version `{name}`") });
        }
        Ok(())
    }

    fn compare_runs(&self, tx: &mut dyn ReadTx, found: &Found) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        for run in tx.runs()? {
            let RunState::Sealed { manifest, digest } = run.state else { continue };
            let name = run.id.to_string();
            if self.runs.get(&name) != Some(&digest_of(&manifest)) || digest != digest_of(&manifest).0 {
                found.add(Fault::Unstated { what: format!("run `{name}`") });
            }
            there.insert(name);
        }
        for name in self.runs.keys().filter(|name| !there.contains(*name)) {
            found.add(Fault::Missing { what: format!("run `{name}`") });
        }
        Ok(())
    }

    fn compare_holds(&self, tx: &mut dyn ReadTx, found: &Found) -> Result<(), Error> {
        let mut there = BTreeSet::new();
        for hold in tx.holds()? {
            let placed = self.holds.get(&hold.id).is_some_and(|(at, scope)| {
                *at == hold.placed_at && serde_json::from_str(&hold.scope).ok().as_ref() == Some(scope)
            });
            if !placed || self.released.get(&hold.id) != hold.released_at.as_ref() {
                found.add(Fault::Unstated { what: format!("hold `{}`", hold.id) });
            }
            there.insert(hold.id);
        }
        for id in self.holds.keys().filter(|id| !there.contains(*id)) {
            found.add(Fault::Missing { what: format!("hold `{id}`") });
        }
        Ok(())
    }
}

fn digest_of(text: &str) -> Digest {
    Digest(Sha256::digest(text.as_bytes()).into())
}
