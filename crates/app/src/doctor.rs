//! Looking for what should not be: the store's own checks, then what lies in the vault against what the
//! rows say, then whether what should open does.

mod opening;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;
use tenure_store::{BatchRow, BatchStage, PackId, PackRow, PageId, PageState, RunState, StoreExt as _};
use tenure_vault::PackFound;

use crate::{Error, Tenure};

/// How many copies are opened unless all are asked for.
const SAMPLE: u64 = 2_000;
/// How many rows are read at once.
const SLICE: usize = 1_000;

/// How thorough the examination is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thoroughness {
    /// Every copy is opened and every body decrypted and read.
    pub full: bool,
    /// Leftovers that no row mentions are removed.
    pub repair: bool,
}

/// What is being looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// The database's own checks.
    Database,
    /// Whether the published policies compile.
    Policies,
    /// Packs of bodies against their rows.
    Packs,
    /// Page keys against their rows.
    PageKeys,
    /// Accounts whose keys open.
    Accounts,
    /// Copies whose keys open and whose bodies lie where they should.
    Copies,
    /// Bodies that were decrypted and read.
    Bodies,
    /// Leaves of the log, verified against the store.
    Ledger,
}

/// What an examination found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Diagnosis {
    /// How many of each were looked at.
    pub checked: Vec<(Check, u64)>,
    /// What should not be, in words that name no person.
    pub findings: Vec<String>,
    /// What an interrupted command left, which no row mentions.
    pub leftovers: Leftovers,
    /// What is worth knowing and no fault.
    pub notes: Vec<String>,
}

/// Ciphertext and keys that no row mentions: nobody can reach them, and they open nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Leftovers {
    /// Packs of bodies.
    pub packs: u64,
    /// Their bytes.
    pub pack_bytes: u64,
    /// Page keys.
    pub page_keys: u64,
    /// Whether they were removed just now.
    pub removed: bool,
}

impl Diagnosis {
    /// Whether nothing was found that should not be.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Tenure {
    /// Examines the folder, and tells how far it is: what it looks at, how many are done, how many there are.
    ///
    /// Nobody else works on the folder meanwhile, since the key folder is open in one process only.
    pub fn examine(
        &self,
        how: Thoroughness,
        progress: &mut dyn FnMut(Check, u64, u64),
    ) -> Result<Diagnosis, Error> {
        let mut examination = Examination { tenure: self, how, progress, found: Diagnosis::default() };
        examination.database()?;
        examination.policies();
        let packs = examination.packs()?;
        examination.page_keys()?;
        examination.unfinished()?;
        examination.accounts(&packs)?;
        if how.full {
            examination.ledger()?;
        }
        Ok(examination.found)
    }
}

struct Examination<'a> {
    tenure: &'a Tenure,
    how: Thoroughness,
    progress: &'a mut dyn FnMut(Check, u64, u64),
    found: Diagnosis,
}

impl Examination<'_> {
    fn find(&mut self, finding: String) {
        self.found.findings.push(finding);
    }

    fn database(&mut self) -> Result<(), Error> {
        (self.progress)(Check::Database, 0, 1);
        let findings = self.tenure.store.integrity()?;
        let totals = self.tenure.store.read(|tx| Ok::<_, Error>(tx.totals()?))?;
        let rows = totals.accounts + totals.conversations + totals.records + totals.messages;
        self.found.checked.push((Check::Database, rows));
        for finding in findings {
            match finding {
                tenure_store::Finding::PageCount { counted, found, .. } if counted > found => {
                    self.found.notes.push(format!("{finding}: some room on it is never used"));
                }
                other => self.find(other.to_string()),
            }
        }
        Ok(())
    }

    /// What `tenure ledger verify` finds.
    fn ledger(&mut self) -> Result<(), Error> {
        (self.progress)(Check::Ledger, 0, 1);
        let verification = self.tenure.verify_ledger(1, &|_, _, _| {})?;
        self.found.checked.push((Check::Ledger, verification.leaves));
        for fault in verification.faults {
            self.find(fault.to_string());
        }
        Ok(())
    }

    fn policies(&mut self) {
        match self.tenure.policies() {
            Ok(policies) => {
                let versions: usize =
                    policies.lineages().iter().map(|lineage| lineage.versions().len()).sum();
                self.found.checked.push((Check::Policies, versions as u64));
                if versions == 0 {
                    self.found.notes.push("no policy is published, so nothing can be taken in".to_owned());
                }
            }
            Err(error) => self.find(format!("the published policies do not compile: {error}")),
        }
    }

    /// Compares the packs with their rows, and gives the size of each pack that there is.
    fn packs(&mut self) -> Result<HashMap<PackId, u64>, Error> {
        let mut rows: BTreeMap<PackId, PackRow> = BTreeMap::new();
        self.tenure.store.read(|tx| {
            while let slice @ [_, ..] = &*tx.packs(rows.keys().next_back().copied(), SLICE)? {
                rows.extend(slice.iter().map(|row| (row.id, *row)));
            }
            Ok::<_, Error>(())
        })?;
        let listing = self.tenure.vault.packs()?;
        let sizes: HashMap<PackId, u64> =
            listing.packs.iter().map(|found| (PackId(*found.pack.as_bytes()), found.size)).collect();
        self.found.checked.push((Check::Packs, sizes.len() as u64));
        for row in rows.values().filter(|row| row.removed_at.is_none() && row.segments > 0) {
            if !sizes.contains_key(&row.id) {
                self.find(format!("pack `{}` is missing: restore it from a backup", row.id));
            }
        }
        let unmentioned = |found: &&PackFound| {
            let row = rows.get(&PackId(*found.pack.as_bytes()));
            row.is_none_or(|row| row.removed_at.is_some() && row.segments == 0)
        };
        let leftover: Vec<&PackFound> = listing.packs.iter().filter(unmentioned).collect();
        self.found.leftovers.packs = leftover.len() as u64;
        self.found.leftovers.pack_bytes = leftover.iter().map(|found| found.size).sum();
        if listing.strangers > 0 {
            let strangers = listing.strangers;
            self.found.notes.push(format!(
                "{strangers} files in the folder of packs were not made by Tenure, and are left alone"
            ));
        }
        if self.how.repair && !leftover.is_empty() {
            let ids: Vec<_> = leftover.iter().map(|found| found.pack).collect();
            self.tenure.vault.remove_packs(&ids)?;
            self.found.leftovers.removed = true;
        }
        Ok(sizes)
    }

    fn page_keys(&mut self) -> Result<(), Error> {
        let mut rows: BTreeMap<PageId, (PageState, u32, String)> = BTreeMap::new();
        let going: HashSet<PageId> = self.tenure.store.read(|tx| {
            while let slice @ [_, ..] = &*tx.pages(rows.keys().next_back().copied(), SLICE)? {
                rows.extend(slice.iter().map(|row| (row.id, (row.state, row.wraps, row.shelf.tree.clone()))));
            }
            // The pages of a batch whose keys are destroyed are not on their way any more: they are gone.
            let going = tx.unfinished_batches()?.into_iter().filter(|batch| !is_shredded(batch));
            Ok::<_, Error>(going.flat_map(|batch| batch.old_pages).collect())
        })?;
        let keys = self.tenure.vault.pages().pages()?;
        self.found.checked.push((Check::PageKeys, keys.len() as u64));
        let mut there: HashSet<PageId> = HashSet::with_capacity(keys.len());
        let mut leftover = Vec::new();
        for key in keys {
            let page = PageId(*key.page.as_bytes());
            there.insert(page);
            match rows.get(&page) {
                None => leftover.push(key.page),
                Some((PageState::Destroyed, ..)) if going.contains(&page) => {}
                Some((PageState::Destroyed, ..)) => {
                    self.find(format!("the key of page `{page}` is said to be destroyed and is still there"));
                }
                Some((_, _, tree)) if tree != crate::pages::tree_word(key.tree) => {
                    self.find(format!("page `{page}` hangs in another tree than its row says"));
                }
                Some(_) => {}
            }
        }
        for (page, (state, wraps, _)) in &rows {
            let lost = *state != PageState::Destroyed && *wraps > 0 && !there.contains(page);
            if lost && !going.contains(page) {
                self.find(format!(
                    "the key of page `{page}` is missing, and {} on it",
                    counted(u64::from(*wraps), "copy lies", "copies lie")
                ));
            }
        }
        self.found.leftovers.page_keys = leftover.len() as u64;
        if self.how.repair && !leftover.is_empty() {
            self.tenure.vault.pages().destroy(&leftover)?;
            self.found.leftovers.removed = true;
        }
        Ok(())
    }

    fn unfinished(&mut self) -> Result<(), Error> {
        let (batches, runs, refile) = self.tenure.store.read(|tx| {
            let opening = tx.runs()?.into_iter().filter(|run| run.state == RunState::Opening).count();
            Ok::<_, Error>((tx.unfinished_batches()?, opening, tx.refile_count()?))
        })?;
        // Once its keys are destroyed, a batch waits only for packs that it shares with the living.
        let batches: Vec<_> = batches.into_iter().filter(|batch| !is_shredded(batch)).collect();
        let gathering = batches.iter().filter(|batch| batch.stage == BatchStage::Gathering).count();
        let destroying = batches.len() - gathering;
        let mut note = |count: u64, text: String| {
            if count > 0 {
                self.found.notes.push(text);
            }
        };
        note(
            batches.len() as u64,
            format!(
                "{} unfinished ({gathering} gathered, {destroying} being destroyed): the next `tenure sweep` finishes the work",
                counted(batches.len() as u64, "batch of copies is", "batches of copies are")
            ),
        );
        note(
            runs as u64,
            format!(
                "{} unfinished: the next `tenure run open` clears what is left of it",
                counted(runs as u64, "training run is", "training runs are")
            ),
        );
        note(
            refile,
            format!(
                "the copies of {} to be filed anew, which the next `tenure sweep` does first",
                counted(refile, "account are", "accounts are")
            ),
        );
        Ok(())
    }
}

const fn is_shredded(batch: &BatchRow) -> bool {
    matches!(batch.stage, BatchStage::Shredded { .. })
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}
