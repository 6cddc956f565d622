//! Backups that were taken: which still hold what, and until when.

use tenure_model::Instant;

use crate::{BackupId, Stored};

/// A backup that is to be remembered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct NewBackup {
    /// When it was taken.
    pub taken_at: Instant,
    /// The group of writes that it ends with.
    pub number: u64,
    /// When it is thrown away; nothing where nobody has said.
    pub ages_out_at: Option<Instant>,
    /// What its taker calls it.
    pub note: Option<String>,
}

/// A backup that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupRow {
    /// Its id.
    pub id: BackupId,
    /// What is remembered of it.
    pub backup: NewBackup,
}

impl BackupRow {
    /// Whether it is still kept at an instant, so that it may be restored and holds ciphertext.
    pub fn is_kept(&self, at: Instant) -> bool {
        self.backup.ages_out_at.is_none_or(|end| at < end)
    }
}

/// Reads backups.
pub trait BackupRead {
    /// Every backup, oldest first, also those that were thrown away.
    fn backups(&mut self) -> Stored<Vec<BackupRow>>;
}

/// Writes backups.
pub trait BackupWrite {
    /// Remembers a backup.
    fn insert_backup(&mut self, backup: &NewBackup) -> Stored<BackupId>;
    /// Sets when a backup is thrown away.
    fn set_backup_end(&mut self, id: BackupId, ages_out_at: Instant) -> Stored<()>;
}
