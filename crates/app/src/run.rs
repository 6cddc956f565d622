//! Training runs: opening one, asking how it stands, what was revoked since, and whether its files are
//! those that the ledger knows.
//!
//! # How a run is written
//! 1. The folder is claimed with a mark that names the run, and the run is inserted as *opening*, with
//!    the position of the ledger that it freezes.
//! 2. Slice by slice, records are judged on a snapshot and the bodies of what is permitted are opened,
//!    each through a copy of the class that the use rule names and of no other. A transaction checks
//!    that nothing about them has changed and notes them in the run; only then are rows written. An
//!    account of which anything was stated after the frozen position is left out: stale state means
//!    no row.
//! 3. Files are synced, then the manifest. One transaction seals the run with the manifest's digest,
//!    states so in the ledger, and notes that training copies are due.
//! 4. Training copies are made in slices, and the folder's mark is removed.
//!
//! # After a crash
//! Before step 3 has committed there is an opening run that nobody may rely on: opening a run for the same
//! purpose into the same folder forgets it, removes its files and begins again. No copy was made for
//! it, so none has to be taken back; this is why copies come after the seal. After step 3 the run stands:
//! what is left of step 4 is taken up by the next run, or by [`Tenure::finish_runs`], and asking for
//! the run again gives its report. A record whose copy is destroyed between seal and step 4 gets no
//! training copy, since nothing may bring a destroyed key back.

mod bodies;
mod copies;
mod counts;
mod folder;
mod manifest;
mod revocations;
mod seal;
mod status;
mod verify;
mod walk;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tenure_gate::{Bound, Export, FileWritten};
use tenure_model::Instant;
use tenure_store::{RunId, RunRow, RunState, StoreExt as _};

pub use counts::{Amount, Counts, LeftOut};
pub use manifest::{Manifest, PolicyUsed};
pub use revocations::{Revocations, Revoked};
pub use status::{RunStage, RunStatus};
pub use tenure_gate::{Limits, Rows};
pub use verify::{Problem, Verified};

use bodies::Opened;
use folder::{Claimed, RunFolder};
use walk::Walk;

use crate::{Error, Policies, Tenure};

/// How far a run has come while it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Records that were judged.
    pub records: u64,
    /// Rows that were written.
    pub rows: u64,
}

/// What opening a run gave.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct RunReport {
    /// The manifest.
    pub manifest: Manifest,
    /// Its SHA-256, in hexadecimal, as the ledger has it.
    pub digest: String,
    /// How many training copies were made by this call.
    pub copies: u64,
    /// Whether the run was sealed before and only had to be finished.
    pub resumed: bool,
}

/// A run that is being written.
struct Opening {
    id: RunId,
    purpose: String,
    now: Instant,
    position: u64,
    policies: Vec<(String, [u8; 32])>,
    counts: Counts,
    used: BTreeMap<String, u64>,
    heads: Vec<[u8; 32]>,
    last_account: Option<tenure_store::AccountKey>,
}

impl Tenure {
    /// Opens a run: writes every row that the purpose may use at an instant into a folder, and seals it.
    ///
    /// A folder in which a run for the same purpose broke off is taken over and begun anew.
    ///
    /// # Errors
    /// Refused if the folder holds anything else, or if a policy was published meanwhile.
    pub fn open_run(
        &self,
        purpose: &str,
        out: &Path,
        rows: Rows,
        now: Instant,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<RunReport, Error> {
        self.open_run_sharded(purpose, out, (rows, Limits::default()), now, progress)
    }

    /// Like [`Tenure::open_run`], in shards of a chosen size.
    pub fn open_run_sharded(
        &self,
        purpose: &str,
        out: &Path,
        (rows, limits): (Rows, Limits),
        now: Instant,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<RunReport, Error> {
        let policies = self.policies()?;
        if !policies.lineages().iter().any(|lineage| lineage.purpose(purpose).is_some()) {
            return Err(Error::UnknownPurpose(purpose.to_owned()));
        }
        self.finish_runs(now)?;
        let folder = match self.claim(out, purpose)? {
            Claimed::Fresh(folder) => folder,
            Claimed::Sealed { manifest, digest } => {
                return Ok(RunReport { manifest: *manifest, digest, copies: 0, resumed: true });
            }
        };
        let (mut run, policies) = self.begin_run(&folder, purpose, policies, now)?;
        let mut export = Export::begin(folder.path(), rows, limits);
        let mut walk = Walk::new(policies, purpose, run.position, now);
        while let Some(slice) = self.store.read(|tx| walk.step(self, tx))? {
            run.counts.add(&slice.counts);
            let opened = self.open_bodies(slice.candidates, &mut run.counts)?;
            self.write_slice(&mut run, &opened, &mut export)?;
            progress(Progress { records: run.counts.records_seen, rows: export.rows() });
        }
        let files = export.finish()?;
        let (manifest, digest) = self.seal(&folder, run, files)?;
        let copies = self.finish_runs(now)?;
        folder.release()?;
        Ok(RunReport { manifest, digest, copies, resumed: false })
    }

    /// Claims the folder, and clears away what a run that broke off left in it and in the store.
    fn claim(&self, out: &Path, purpose: &str) -> Result<Claimed, Error> {
        let folder = RunFolder::enter(out)?;
        let Some(earlier) = folder.mark()? else { return Ok(Claimed::Fresh(folder)) };
        let known = self.store.read(|tx| Ok::<_, Error>(tx.run(earlier)?))?;
        if let Some(run) = &known
            && run.purpose != purpose
        {
            return Err(Error::Refused(format!(
                "the folder belongs to a run for purpose `{}`: ask for that purpose, or give an empty folder",
                run.purpose
            )));
        }
        match known.map(|run| run.state) {
            Some(RunState::Sealed { manifest, digest }) => {
                folder.release()?;
                let manifest = serde_json::from_str(&manifest)?;
                return Ok(Claimed::Sealed { manifest, digest: crate::ledger::hex(&digest) });
            }
            Some(RunState::Opening) => self.drop_run(earlier)?,
            // The mark became durable and the run did not.
            None => {}
        }
        folder.clear()?;
        Ok(Claimed::Fresh(folder))
    }

    /// Freezes the ledger and the policies that are in force then, by which every row is judged.
    fn begin_run(
        &self,
        folder: &RunFolder,
        purpose: &str,
        known: Arc<Policies>,
        now: Instant,
    ) -> Result<(Opening, Arc<Policies>), Error> {
        let id = RunId(self.random()?);
        folder.set_mark(id)?;
        let row_purpose = purpose.to_owned();
        let (position, policies, judging) = self.store.write(move |tx| {
            let position = tx.statement_count()?;
            let state = RunState::Opening;
            tx.insert_run(&RunRow { id, purpose: row_purpose, opened_at: now, position, state })?;
            Ok::<_, Error>((position, seal::policies_in_force(tx)?, Policies::current(tx, &known)?))
        })?;
        let opening = Opening {
            id,
            purpose: purpose.to_owned(),
            now,
            position,
            policies,
            counts: Counts::default(),
            used: BTreeMap::new(),
            heads: Vec::new(),
            last_account: None,
        };
        Ok((opening, judging))
    }

    /// Notes a slice's records in the run, and then writes their rows.
    ///
    /// The rows are worth nothing before the run is sealed, so the order of the two does not matter to
    /// anyone but a crash, which leaves an opening run either way.
    fn write_slice(&self, run: &mut Opening, opened: &[Opened], export: &mut Export) -> Result<(), Error> {
        let admitted = self.admit(run.id, export.rows(), opened)?;
        for (opened, first_row) in opened.iter().zip(admitted) {
            let candidate = &opened.candidate;
            let Some(first_row) = first_row else {
                run.counts.leave_out_candidate(LeftOut::Moved, u64::from(opened.rows()));
                continue;
            };
            let record = candidate.record.id.to_string();
            let bound = Bound { record: &record, decision: candidate.decision.as_ref() };
            let written = export.write(&candidate.permitted, bound, opened.said())?;
            if (written.first_row, written.rows) != (first_row, opened.rows()) {
                return Err(Error::Refused(
                    "the rows written are not those that were noted: run `tenure doctor`".to_owned(),
                ));
            }
            run.counts.records_written += 1;
            run.counts.messages_written += u64::from(written.rows);
            *run.used.entry(candidate.permitted.policy().to_owned()).or_default() += 1;
            if run.last_account.replace(candidate.account.key) != Some(candidate.account.key) {
                run.heads.push(candidate.account.chain.head);
            }
        }
        Ok(())
    }

    fn seal(
        &self,
        folder: &RunFolder,
        run: Opening,
        files: Vec<FileWritten>,
    ) -> Result<(Manifest, String), Error> {
        let manifest = Manifest::new(&run, files);
        let text = manifest.canonical()?;
        folder.write_manifest(text.as_bytes())?;
        let digest = self.seal_run(run.id, run.policies, text, run.now)?;
        Ok((manifest, digest))
    }

    /// Forgets a run that was never sealed. Its files are left where they are; nothing relies on them.
    ///
    /// # Errors
    /// [`Error::UnknownRun`] for one that does not exist; a sealed run stays.
    pub fn drop_run(&self, id: RunId) -> Result<(), Error> {
        self.store.write(move |tx| match tx.run(id)?.map(|run| run.state) {
            None => Err(Error::UnknownRun),
            Some(RunState::Sealed { .. }) => {
                Err(Error::Refused("the run is sealed, and what is sealed stays".to_owned()))
            }
            Some(RunState::Opening) => Ok(tx.drop_run(id)?),
        })
    }
}
