//! The mark: the newest checkpoint that was published, kept outside what a restore of the data replaces.

use tenure_tlog::checkpoint::SignedCheckpoint;

use super::error::LogKeyError;
use super::{LogKeys, file};

impl LogKeys {
    /// The newest checkpoint that was published, if any was.
    ///
    /// A log that does not continue it must not be signed: two checkpoints that contradict each other would
    /// be out, and nobody could believe either.
    pub fn mark(&self) -> Result<Option<SignedCheckpoint>, LogKeyError> {
        let note = file::read_mark(&self.folder)?;
        note.map(|note| SignedCheckpoint::parse(&note).map_err(|_| LogKeyError::MarkDamaged)).transpose()
    }

    /// Remembers a checkpoint durably. It must be done before anyone is shown it.
    pub fn set_mark(&self, published: &SignedCheckpoint) -> Result<(), LogKeyError> {
        file::write_mark(&self.folder, published.to_string().into_bytes())
    }
}
