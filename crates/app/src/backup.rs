//! Backups: a copy of one state of the database and of the packs that it speaks of, taken while everything goes on.
//!
//! What is written after a backup is in the journal, in the key folder. A backup without the journal is of no use,
//! and is not restored: nobody could tell what was deleted and decided since. Backups are remembered, because they
//! hold ciphertext for as long as they are kept, and because the journal has to reach back to the oldest of them.

mod error;
mod files;
mod journal;
mod lost;
mod manifest;
mod restore;

use std::collections::HashSet;
use std::path::Path;

use tenure_model::Instant;
use tenure_store::{BackupId, BackupRow, NewBackup, PackRow, ReadTx, SqliteStore, StoreExt as _};

pub use error::BackupError;
pub use journal::{OpenedStore, SharedJournal, is_behind_its_journal, open_store};
pub use restore::{RESTORING, Restore, Restored};

use crate::{Error, Tenure};
use files::{Step, Told};
use manifest::{DATABASE, JournalPlace, LogPlace, MANIFEST, Manifest, PACKS, PLACE, SEAL, UNFINISHED};

pub use files::Step as BackupStep;

/// How many rows are read at once.
const SLICE: usize = 1_000;

/// A backup that is to be taken.
#[derive(Debug)]
pub struct BackupRequest<'a> {
    /// The data folder.
    pub data: &'a Path,
    /// Where the backup goes: a folder that is empty or does not exist, or the rest of one that was cut short.
    pub folder: &'a Path,
    /// The journal that the store was opened with.
    pub journal: &'a SharedJournal,
    /// Until when it is kept; nothing where nobody knows yet.
    pub keep_until: Option<Instant>,
    /// What it is called.
    pub note: Option<String>,
}

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct BackupTaken {
    /// Its id.
    pub id: i64,
    /// The group of writes that it ends with.
    pub number: u64,
    /// How many statements its log has.
    pub statements: u64,
    /// How many packs it has; none where packs lie in a store elsewhere.
    pub packs: u64,
    /// Its bytes.
    pub bytes: u64,
    /// Whether the packs lie elsewhere and are not in it.
    pub bodies_elsewhere: bool,
    /// The group after which the journal begins now.
    pub journal_begins_after: u64,
}

/// What a copy of the database says of itself.
struct Copied {
    journal: JournalPlace,
    log: LogPlace,
    packs: Vec<PackRow>,
}

impl Tenure {
    /// Takes a backup: one state of the database, the packs that lie in the data folder, and a manifest that is
    /// written last of all. Then the journal drops what no kept backup needs.
    pub fn backup(
        &self,
        request: &BackupRequest<'_>,
        now: Instant,
        progress: Told<'_>,
    ) -> Result<BackupTaken, Error> {
        let folder = request.folder;
        files::begin(folder, UNFINISHED, &[MANIFEST])?;
        let copy = folder.join(DATABASE);
        self.store.copy_to(&copy, &mut |done, all| progress(Step::Database, done, all))?;
        let Copied { journal, log, packs } = look_into(&copy)?;
        let mut manifest = Manifest::new(now, journal, log);
        manifest.add(folder, DATABASE)?;
        let place = request.data.join(PLACE);
        manifest.bodies_elsewhere = std::fs::exists(&place)?;
        if manifest.bodies_elsewhere {
            files::copy(&place, &folder.join(PLACE))?;
            manifest.add(folder, PLACE)?;
        } else {
            self.copy_packs(request, &packs, &mut manifest, progress)?;
        }
        self.finish(request, &manifest, now)
    }

    /// Copies the packs of a copied database, and those that came while it was copied: what was moved to one of
    /// those since is found there.
    fn copy_packs(
        &self,
        request: &BackupRequest<'_>,
        copied: &[PackRow],
        manifest: &mut Manifest,
        progress: Told<'_>,
    ) -> Result<(), Error> {
        let (from, to) = (request.data.join(PACKS), request.folder.join(PACKS));
        files::make_folder(&to)?;
        files::copy(&from.join(manifest::VAULT_MARK), &to.join(manifest::VAULT_MARK))?;
        manifest.add(request.folder, &format!("{PACKS}/{}", manifest::VAULT_MARK))?;
        let mut seen = HashSet::new();
        let mut packs = copied.to_vec();
        while !packs.is_empty() {
            let all = packs.len() as u64;
            for (done, pack) in packs.iter().enumerate() {
                progress(Step::Packs, done as u64, all);
                seen.insert(pack.id);
                let name = tenure_vault::PackId::from_bytes(pack.id.0).to_string();
                if files::link_or_copy(&from.join(&name), &to.join(&name))? {
                    manifest.add(request.folder, &format!("{PACKS}/{name}"))?;
                } else if self.store.read(|tx| still_needed(tx, pack))? {
                    return Err(BackupError::PackMissing(pack.id.to_string()).into());
                }
            }
            packs = self.store.read(packs_there)?;
            packs.retain(|pack| !seen.contains(&pack.id));
        }
        files::sync_folder(&to)?;
        Ok(())
    }

    /// Seals the manifest and remembers the backup. A crash before the last step leaves a backup that can be
    /// restored for as long as the journal reaches back to it.
    fn finish(
        &self,
        request: &BackupRequest<'_>,
        manifest: &Manifest,
        now: Instant,
    ) -> Result<BackupTaken, Error> {
        let folder = request.folder;
        let text = manifest.to_text()?;
        files::write(&folder.join(SEAL), manifest::seal(&self.vault, &text).as_bytes())?;
        files::sync_folder(folder)?;
        files::write(&folder.join(MANIFEST), text.as_bytes())?;
        files::sync_folder(folder)?;
        files::remove(&folder.join(UNFINISHED))?;
        files::sync_folder(folder)?;
        let new = NewBackup {
            taken_at: now,
            number: manifest.journal.number,
            ages_out_at: request.keep_until,
            note: request.note.clone(),
        };
        let id = self.store.write(move |tx| Ok::<_, Error>(tx.insert_backup(&new)?))?;
        self.prune_journal(request.journal, now)?;
        Ok(BackupTaken {
            id: id.0,
            number: manifest.journal.number,
            statements: manifest.log.size,
            packs: manifest.packs(),
            bytes: manifest.bytes(),
            bodies_elsewhere: manifest.bodies_elsewhere,
            journal_begins_after: request.journal.begins_after(),
        })
    }

    /// Every backup that was taken, oldest first, also those that were thrown away since.
    pub fn backups(&self) -> Result<Vec<BackupRow>, Error> {
        self.store.read(|tx| Ok(tx.backups()?))
    }

    /// Says when a backup is thrown away, or that it was. From then on it can't be restored.
    pub fn end_backup(
        &self,
        id: BackupId,
        ages_out_at: Instant,
        journal: &SharedJournal,
        now: Instant,
    ) -> Result<(), Error> {
        self.store.write(move |tx| match tx.set_backup_end(id, ages_out_at) {
            Err(tenure_store::StoreError::Missing { .. }) => Err(BackupError::Unknown(id.0).into()),
            other => Ok::<_, Error>(other?),
        })?;
        self.prune_journal(journal, now)
    }

    /// Drops what the oldest backup that is still kept has. With none that is kept, all of it stays: it is the only
    /// copy.
    fn prune_journal(&self, journal: &SharedJournal, now: Instant) -> Result<(), Error> {
        let backups = self.backups()?;
        let kept = backups.iter().filter(|backup| backup.is_kept(now)).map(|backup| backup.backup.number);
        if let Some(oldest) = kept.min() {
            journal.drop_up_to(oldest)?;
        }
        Ok(())
    }
}

fn look_into(copy: &Path) -> Result<Copied, Error> {
    let mark = SqliteStore::journalled_up_to(copy)?.ok_or(BackupError::NotJournalled)?;
    let store = SqliteStore::observe(copy)?;
    let (head, packs) = store.read(|tx| Ok::<_, Error>((tx.tree_head()?, packs_there(tx)?)))?;
    let head = head.ok_or(Error::NotIntegrated)?;
    Ok(Copied {
        journal: JournalPlace::new(mark),
        log: LogPlace { size: head.size, root: crate::ledger::hex(&head.root) },
        packs,
    })
}

/// The packs that are not removed.
pub(crate) fn packs_there(tx: &mut dyn ReadTx) -> Result<Vec<PackRow>, Error> {
    let mut there = Vec::new();
    let mut after = None;
    loop {
        let slice = tx.packs(after, SLICE)?;
        let Some(last) = slice.last() else { return Ok(there) };
        after = Some(last.id);
        there.extend(slice.into_iter().filter(|pack| pack.removed_at.is_none()));
    }
}

/// Whether anything still lies in a pack: one may be let go of while it is about to be copied.
fn still_needed(tx: &mut dyn ReadTx, pack: &PackRow) -> Result<bool, Error> {
    Ok(tx.pack(pack.id)?.is_some_and(|now| now.removed_at.is_none() && now.segments > 0))
}
