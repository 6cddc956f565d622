//! Checking a run's folder against the ledger.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use tenure_gate::{digest_of, is_shard_name};
use tenure_receipts::Statement;
use tenure_store::{ReadTx, RunId, RunState, StoreExt as _};

use super::Manifest;
use super::folder::MANIFEST;
use crate::ledger::HOUSE;
use crate::{Error, Tenure};

/// What is wrong with a run's folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// There is no manifest, or it can't be read.
    #[error("there is no readable manifest: the run broke off, or its files were changed")]
    NoManifest,
    /// The manifest is another run's.
    #[error("the folder holds another run")]
    OtherRun,
    /// The store does not know the run.
    #[error("this data folder knows no run of that id")]
    UnknownRun,
    /// The run was never sealed.
    #[error("the run was never sealed: nothing may rely on it")]
    NotSealed,
    /// The manifest is another than the one that was sealed.
    #[error("the manifest is not the one that was sealed")]
    ManifestDiffers,
    /// The ledger does not state the manifest.
    #[error("the ledger does not state this manifest")]
    NotStated,
    /// A file is missing.
    #[error("`{name}` is missing or can't be read")]
    FileMissing {
        /// Its name.
        name: String,
    },
    /// A file was changed.
    #[error("`{name}` is not the file that was sealed")]
    FileDiffers {
        /// Its name.
        name: String,
    },
    /// There is a shard that the manifest does not list.
    #[error("`{name}` is not in the manifest")]
    FileUnlisted {
        /// Its name.
        name: String,
    },
}

/// What checking a run's folder gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The run that the manifest names.
    pub run: Option<String>,
    /// How many files were checked.
    pub files: u64,
    /// How many bytes they have.
    pub bytes: u64,
    /// What is wrong; nothing, where all is well.
    pub problems: Vec<Problem>,
}

impl Tenure {
    /// Checks that a folder holds this run, as [`Self::verify_run`].
    pub fn verify_this_run(&self, id: RunId, out: &Path) -> Result<Verified, Error> {
        // One that the store does not know is told apart from a folder that is not its own.
        self.run_status(id)?;
        let mut found = self.verify_run(out)?;
        if found.run.as_ref().is_some_and(|run| *run != id.to_string()) {
            found.problems.insert(0, Problem::OtherRun);
        }
        Ok(found)
    }

    /// Checks that a folder holds the run that the ledger knows: its manifest and each file, byte by byte.
    pub fn verify_run(&self, out: &Path) -> Result<Verified, Error> {
        let mut found = Verified { run: None, files: 0, bytes: 0, problems: Vec::new() };
        let read = fs::read(out.join(MANIFEST)).ok();
        let parsed = read.as_ref().and_then(|bytes| serde_json::from_slice::<Manifest>(bytes).ok());
        let (Some(bytes), Some(manifest)) = (read, parsed) else {
            found.problems.push(Problem::NoManifest);
            return Ok(found);
        };
        found.run = Some(manifest.run.clone());
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let against = manifest.run.parse().map_or(Ok(Some(Problem::UnknownRun)), |id| {
            self.store.read(|tx| self.check_sealed(tx, id, &digest))
        })?;
        found.problems.extend(against);
        check_files(out, &manifest, &mut found)?;
        Ok(found)
    }

    fn check_sealed(
        &self,
        tx: &mut dyn ReadTx,
        id: RunId,
        digest: &[u8; 32],
    ) -> Result<Option<Problem>, Error> {
        match tx.run(id)?.map(|run| run.state) {
            None => return Ok(Some(Problem::UnknownRun)),
            Some(RunState::Opening) => return Ok(Some(Problem::NotSealed)),
            Some(RunState::Sealed { digest: sealed, .. }) if sealed != *digest => {
                return Ok(Some(Problem::ManifestDiffers));
            }
            Some(RunState::Sealed { .. }) => {}
        }
        let house = tx.account_by_id(None, HOUSE)?.ok_or(Error::NotInitialised)?;
        let proof = self.proof_key(&house)?;
        let wanted = Statement::RunSealed { run: id.to_string(), manifest: (*digest).into() };
        for row in tx.statements_of(house.key, &[wanted.kind()])? {
            if crate::ledger::read_statement(&house, &proof, &row.statement)?.statement == wanted {
                return Ok(None);
            }
        }
        Ok(Some(Problem::NotStated))
    }
}

fn check_files(out: &Path, manifest: &Manifest, found: &mut Verified) -> Result<(), Error> {
    for file in &manifest.files {
        // A manifest that was tampered with must not lead out of its folder.
        if !is_shard_name(&file.name) {
            found.problems.push(Problem::FileDiffers { name: file.name.clone() });
            continue;
        }
        match digest_of(&out.join(&file.name)) {
            Err(_) => found.problems.push(Problem::FileMissing { name: file.name.clone() }),
            Ok((sha256, bytes)) => {
                found.files += 1;
                found.bytes += bytes;
                if (&sha256, bytes) != (&file.sha256, file.bytes) {
                    found.problems.push(Problem::FileDiffers { name: file.name.clone() });
                }
            }
        }
    }
    let listed: BTreeSet<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    let entries = fs::read_dir(out)?.collect::<Result<Vec<_>, io::Error>>()?;
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_shard_name(&name) && !listed.contains(name.as_str()) {
            found.problems.push(Problem::FileUnlisted { name });
        }
    }
    Ok(())
}
