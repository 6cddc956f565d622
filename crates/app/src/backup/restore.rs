//! A restore: a backup is copied into an empty data folder, brought up to the journal, and looked at. Before all of
//! that is done the folder bears a mark with which nothing opens it.

use std::fs;
use std::path::{Path, PathBuf};

use tenure_model::Instant;
use tenure_store::{JournalMark, StoreExt as _};

use super::files::{self, Step, Told};
use super::journal::check_reaches_back;
use super::lost;
use super::manifest::{self, DATABASE, Manifest, PACKS, SEAL};
use super::{BackupError, OpenedStore};
use crate::ledger::hex;
use crate::{Error, Tenure};

/// Lies in a data folder while it is restored. A folder that has it is not to be opened.
pub const RESTORING: &str = "restoring";

/// A data folder into which a backup was copied, and that is not to be relied on yet.
#[derive(Debug)]
pub struct Restore {
    backup: PathBuf,
    data: PathBuf,
    manifest: Manifest,
    text: String,
}

/// What a restore brought back.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// When the backup was taken.
    pub taken_at: Instant,
    /// How many groups of writes came after it and were done again.
    pub replayed: u64,
    /// How many statements the log has.
    pub statements: u64,
    /// How many packs were made again from older ones that the backup has.
    pub packs_made_again: u64,
    /// How many packs came after the backup and are nowhere.
    pub packs_lost: u64,
    /// How many records have lost what was said in them, or a part of it.
    pub bodies_lost: u64,
}

impl Restore {
    /// Copies a backup into a data folder that is empty, does not exist, or was being restored. Before that it looks
    /// whether the journal has all that came after the backup; if not, nothing is touched.
    pub fn begin(backup: &Path, data: &Path, keys: &Path, progress: Told<'_>) -> Result<Self, Error> {
        let (manifest, text) = Manifest::read(backup)?;
        let mark = mark_of(&manifest)?;
        progress(Step::Journal, 0, 1);
        let name = journal_of(backup)?;
        check_reaches_back(keys, name, mark)?;
        files::begin(data, RESTORING, &[]).map_err(|error| match error {
            Error::Backup(BackupError::FolderTaken) => BackupError::DataTaken.into(),
            error => error,
        })?;
        if !manifest.bodies_elsewhere {
            files::make_folder(&data.join(PACKS))?;
        }
        let all = manifest.files.len() as u64;
        for (done, file) in manifest.files.iter().enumerate() {
            progress(Step::Files, done as u64, all);
            let (from, to) = (backup.join(&file.name), data.join(&file.name));
            let damaged = || BackupError::Damaged(file.name.clone());
            if file.name == DATABASE {
                // A name that a backup shares would be written through.
                files::copy(&from, &to).map_err(|_| damaged())?;
            } else if !files::link_or_copy(&from, &to)? {
                return Err(damaged().into());
            }
            let (bytes, digest) = files::digest(&to)?;
            if (bytes, hex(&digest)) != (file.bytes, file.sha256.clone()) {
                return Err(damaged().into());
            }
        }
        if !manifest.bodies_elsewhere {
            files::sync_folder(&data.join(PACKS))?;
        }
        files::sync_folder(data)?;
        Ok(Self { backup: backup.to_owned(), data: data.to_owned(), manifest, text })
    }

    /// Looks at the data folder once it was opened with its journal, and makes it one to be relied on.
    ///
    /// # Errors
    /// The folder stays as it is, and can't be opened.
    pub fn finish(self, tenure: &Tenure, opened: &OpenedStore, now: Instant) -> Result<Restored, Error> {
        let seal = fs::read_to_string(self.backup.join(SEAL)).map_err(|_| BackupError::NoManifest)?;
        if seal != manifest::seal(&tenure.vault, &self.text) {
            return Err(BackupError::Foreign.into());
        }
        let then = tenure.log_root_at(self.manifest.log.size)?;
        if then.map(|root| hex(&root)).as_ref() != Some(&self.manifest.log.root) {
            return Err(BackupError::LogParted.into());
        }
        // Refuses a log that does not continue what was published.
        tenure.resume_log(now)?;
        let packs_made_again = if self.manifest.bodies_elsewhere {
            0
        } else {
            lost::make_again(tenure, &self.backup.join(DATABASE), &self.data.join(PACKS))?
        };
        let lost = lost::count(tenure)?;
        let head = tenure.store.read(|tx| Ok::<_, Error>(tx.tree_head()?))?;
        files::remove(&self.data.join(RESTORING))?;
        files::sync_folder(&self.data)?;
        Ok(Restored {
            taken_at: self.manifest.taken_at,
            replayed: opened.replayed,
            statements: head.map_or(0, |head| head.size),
            packs_made_again,
            packs_lost: lost.packs,
            bodies_lost: lost.records,
        })
    }
}

fn mark_of(manifest: &Manifest) -> Result<JournalMark, Error> {
    let link = crate::ledger::bytes::<16>(&manifest.journal.link).ok_or(BackupError::NoManifest)?;
    Ok(JournalMark { number: manifest.journal.number, link })
}

/// Which journal the database of a backup goes with.
fn journal_of(backup: &Path) -> Result<[u8; 16], Error> {
    let name = tenure_store::SqliteStore::journal_name(&backup.join(DATABASE))?;
    Ok(name.ok_or(BackupError::NotJournalled)?)
}
