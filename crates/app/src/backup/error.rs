//! What can go wrong with backups. Paths stay out of every message, because they may name a person.

/// Why a backup was not taken or not restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// There is something in the folder.
    #[error("the folder for the backup is not empty: name an empty one, or one that does not exist")]
    FolderTaken,
    /// There is something in the data folder.
    #[error("the data folder is not empty: a restore goes into an empty one, so move what is there aside")]
    DataTaken,
    /// The store has no journal.
    #[error(
        "this data folder has no journal, so a backup of it could not be brought up to date: open it once first"
    )]
    NotJournalled,
    /// A pack that something needs is not where it should be.
    #[error("pack `{0}` is needed and not there, so nothing was backed up: run `tenure doctor`")]
    PackMissing(String),
    /// There is no such backup.
    #[error("no backup has number {0}: `tenure backup list` shows them")]
    Unknown(i64),
    /// The folder holds no whole backup.
    #[error("this is no backup, or one that was cut short: it has no manifest that this version reads")]
    NoManifest,
    /// A file of the backup is not what was backed up.
    #[error("`{0}` of the backup is not what was backed up: it is damaged; restore another backup")]
    Damaged(String),
    /// The manifest was made with other keys, or changed.
    #[error(
        "the backup was not made with these keys, or its manifest was changed: put the keys that go with it in place"
    )]
    Foreign,
    /// The log of the restored data is not the one that was backed up.
    #[error("the restored log does not continue the one that was backed up: restore another backup")]
    LogParted,
    /// A restore was cut short.
    #[error(
        "a restore into this data folder was cut short, so nothing in it is to be relied on: run `tenure restore` again"
    )]
    Unfinished,
}
