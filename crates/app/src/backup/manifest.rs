//! What a backup says that it has. It is written last, so that a folder with a manifest is a whole backup.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use tenure_model::Instant;
use tenure_store::JournalMark;
use tenure_vault::Vault;

use super::{BackupError, files};
use crate::Error;
use crate::ledger::hex;

pub(super) const MANIFEST: &str = "manifest.json";
/// A MAC over the manifest under a key of the key folder.
pub(super) const SEAL: &str = "manifest.seal";
/// Lies in the folder until the backup is whole.
pub(super) const UNFINISHED: &str = "unfinished";
pub(super) const DATABASE: &str = "tenure.db";
pub(super) const PACKS: &str = "packs";
/// Says that packs lie in a store elsewhere, and in which.
pub(super) const PLACE: &str = "packs-place";
/// The file that says whose the folder of packs is.
pub(super) const VAULT_MARK: &str = "vault-mark";

const FORMAT: u32 = 1;

/// Which group of the journal the database ends with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JournalPlace {
    pub(super) number: u64,
    pub(super) link: String,
}

impl JournalPlace {
    pub(super) fn new(mark: JournalMark) -> Self {
        Self { number: mark.number, link: hex(&mark.link) }
    }
}

/// What the log was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LogPlace {
    pub(super) size: u64,
    pub(super) root: String,
}

/// A file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileEntry {
    pub(super) name: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    pub(super) taken_at: Instant,
    pub(super) journal: JournalPlace,
    pub(super) log: LogPlace,
    pub(super) bodies_elsewhere: bool,
    pub(super) files: Vec<FileEntry>,
}

impl Manifest {
    pub(super) fn new(taken_at: Instant, journal: JournalPlace, log: LogPlace) -> Self {
        Self { format: FORMAT, taken_at, journal, log, bodies_elsewhere: false, files: Vec::new() }
    }

    /// Adds a file that lies in the backup.
    pub(super) fn add(&mut self, folder: &Path, name: &str) -> Result<(), Error> {
        let (bytes, digest) = files::digest(&folder.join(name))?;
        self.files.push(FileEntry { name: name.to_owned(), bytes, sha256: hex(&digest) });
        Ok(())
    }

    pub(super) fn packs(&self) -> u64 {
        let packs = self.files.iter().filter(|file| file.name.starts_with(PACKS));
        packs.filter(|file| !file.name.ends_with(VAULT_MARK) && file.name != PLACE).count() as u64
    }

    pub(super) fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }

    pub(super) fn to_text(&self) -> Result<String, Error> {
        Ok(serde_json::to_string_pretty(self)?)
    }

    /// Reads the manifest of a backup, with the text that its seal is over.
    pub(super) fn read(folder: &Path) -> Result<(Self, String), Error> {
        let text = fs::read_to_string(folder.join(MANIFEST)).map_err(|_| BackupError::NoManifest)?;
        let manifest: Self = serde_json::from_str(&text).map_err(|_| BackupError::NoManifest)?;
        if manifest.format != FORMAT || !manifest.files.iter().all(|file| is_of_a_backup(&file.name)) {
            return Err(BackupError::NoManifest.into());
        }
        Ok((manifest, text))
    }
}

/// Whether a name is one that a backup gives to a file, so that no manifest makes a restore write elsewhere.
fn is_of_a_backup(name: &str) -> bool {
    let pack = |name: &str| name == VAULT_MARK || name.parse::<tenure_vault::PackId>().is_ok();
    [DATABASE, PLACE].contains(&name)
        || name.strip_prefix(PACKS).and_then(|rest| rest.strip_prefix('/')).is_some_and(pack)
}

/// The seal over a manifest.
pub(super) fn seal(vault: &Vault, text: &str) -> String {
    hex(&vault.identify(&[b"tenure/backup-manifest/v1", text.as_bytes()]))
}
