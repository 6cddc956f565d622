//! The operator's own statements against the state that they describe.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};
use tenure_model::Instant;
use tenure_policy::language;
use tenure_receipts::{Digest, Statement};
use tenure_store::{
    BatchId, ClassId, CopyKey, CopyRow, CopyStage, HoldRow, ReadTx, RunState, Seq, StoreExt as _,
};

use super::{Fault, Found};
use crate::destroy::{copies_of, destroyed_of};
use crate::ledger::{HOUSE, read_statement};
use crate::{Error, Tenure};

/// What the operator stated, as it should be found in the store.
#[derive(Default)]
struct Said {
    policies: BTreeMap<String, Digest>,
    withdrawn: BTreeSet<String>,
    runs: BTreeMap<String, Digest>,
    /// The versions of each.
    holds: BTreeMap<String, Vec<VersionSaid>>,
    released: BTreeMap<String, Instant>,
    copies: BTreeMap<Seq, (u64, Digest)>,
}

/// A version of a hold: what began it, when, what it covers, and whether people may be told of it. Old statements
/// do not say the last.
struct VersionSaid {
    began: Began,
    at: Instant,
    scope: serde_json::Value,
    may_tell: Option<bool>,
}

/// What began a version of a hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Began {
    Placed,
    Amended,
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
            let Ok(stated) = read_statement(&house, &proof, &row.statement) else { continue };
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
                Statement::HoldPlaced { hold, scope, may_tell, .. } => {
                    let version = VersionSaid { began: Began::Placed, at: stated.at, scope, may_tell };
                    said.holds.entry(hold).or_default().push(version);
                }
                Statement::HoldAmended { hold, scope, may_tell, .. } => {
                    let version = VersionSaid { began: Began::Amended, at: stated.at, scope, may_tell };
                    said.holds.entry(hold).or_default().push(version);
                }
                Statement::HoldReleased { hold, .. } => {
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

    /// What a batch destroyed is what its statement speaks of, and what became of those copies. A batch that is
    /// not through the door has destroyed nothing.
    fn compare_batches(
        &self,
        tx: &mut dyn ReadTx,
        mut said: BTreeMap<Seq, (u64, Digest)>,
        found: &Found,
    ) -> Result<(), Error> {
        let classes = tx.classes()?;
        let facts = classes_of_facts(tx, &classes)?;
        let mut after: Option<BatchId> = None;
        loop {
            let batches = tx.batches(after, 256)?;
            let Some(last) = batches.last() else { break };
            after = Some(last.id);
            for batch in batches {
                let named = destroyed_of(tx, batch.id)?;
                let root = self.root_of(&classes, batch.id, &named);
                let there = (!named.is_empty()).then_some((named.len() as u64, root));
                if batch.statement.and_then(|seq| said.remove(&seq)) != there {
                    found.add(Fault::Unstated { what: format!("the destruction of batch {}", batch.id.0) });
                }
                compare_copies(tx, batch.id, &named.into_iter().collect(), &facts, found)?;
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
        let rows = tx.holds()?;
        for versions in rows.chunk_by(|one, next| one.id == next.id) {
            let Some(HoldRow { id, .. }) = versions.first() else { continue };
            if !self.is_stated(id, versions) {
                found.add(Fault::Unstated { what: format!("hold `{id}`") });
            }
            there.insert(id);
        }
        for id in self.holds.keys().filter(|id| !there.contains(id)) {
            found.add(Fault::Missing { what: format!("hold `{id}`") });
        }
        Ok(())
    }

    /// Whether the versions of a hold are those that were stated: each ends where the next one begins, and the
    /// last where the hold was released.
    fn is_stated(&self, id: &str, versions: &[HoldRow]) -> bool {
        let stated = self.holds.get(id).map_or(&[][..], Vec::as_slice);
        let begins = stated.iter().skip(1).map(|said| Some(said.at));
        let ends = begins.chain([self.released.get(id).copied()]);
        stated.len() == versions.len()
            && (1..).zip(versions).zip(stated.iter().zip(ends)).all(|((number, row), (said, end))| {
                row.version == number
                    && (said.began == Began::Placed) == (number == 1)
                    && row.placed_at == said.at
                    && row.released_at == end
                    && said.may_tell.is_none_or(|may_tell| may_tell == row.may_tell)
                    && serde_json::from_str(&row.scope).ok().as_ref() == Some(&said.scope)
            })
    }
}

/// Holds the copies to what the destruction of a batch names: whatever is gone by it is named, and whatever is
/// named is gone, unless it is a fact that returned.
fn compare_copies(
    tx: &mut dyn ReadTx,
    batch: BatchId,
    named: &BTreeSet<CopyKey>,
    facts: &BTreeSet<ClassId>,
    found: &Found,
) -> Result<(), Error> {
    let is_gone = |copy: &CopyRow| copy.state.stage() >= CopyStage::Shredded;
    let gone: BTreeSet<CopyKey> =
        copies_of(tx, batch)?.iter().filter(|copy| is_gone(copy)).map(|copy| copy.key).collect();
    let unnamed = gone.difference(named).count();
    if unnamed > 0 {
        let what = format!("that {unnamed} copies of batch {} are destroyed", batch.0);
        found.add(Fault::Unstated { what });
    }
    let mut astray = 0_usize;
    for key in named.difference(&gone) {
        astray += usize::from(!facts.contains(&key.class) || !has_returned(tx, *key, batch)?);
    }
    if astray > 0 {
        let what = format!("that {astray} copies that batch {} destroyed are not", batch.0);
        found.add(Fault::Unstated { what });
    }
    Ok(())
}

/// Whether a copy that a batch destroyed lives again, without a key, or was gathered by a later batch since.
fn has_returned(tx: &mut dyn ReadTx, key: CopyKey, destroyed_by: BatchId) -> Result<bool, Error> {
    let Some(copy) = tx.copy(key)? else { return Ok(false) };
    Ok(match copy.state.batch() {
        None => copy.state.wrap().is_none(),
        Some(batch) => batch > destroyed_by && tx.batch(batch)?.is_some(),
    })
}

/// The classes of facts of every version, withdrawn ones too.
fn classes_of_facts(tx: &mut dyn ReadTx, classes: &[(ClassId, String)]) -> Result<BTreeSet<ClassId>, Error> {
    let mut facts = BTreeSet::new();
    for row in tx.policies()? {
        // One that can't be read is not the file that was stated, and is found by that.
        let Ok(version) = language::parse(&row.version, &row.source) else { continue };
        let is_fact = |name: &String| version.facts.contains(name);
        facts.extend(classes.iter().filter(|(_, name)| is_fact(name)).map(|(id, _)| *id));
    }
    Ok(facts)
}

fn digest_of(text: &str) -> Digest {
    Digest(Sha256::digest(text.as_bytes()).into())
}
