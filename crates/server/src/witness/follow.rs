//! A witness that fetches: for logs that do not submit their checkpoints.

use tenure_tlog::checkpoint::{CheckpointError, SignedCheckpoint};
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::tile::Resource;
use tenure_tlog::witness::{AddCheckpoint, Refusal};

use super::{AddError, Witness};
use crate::source::{LogSource, ReadError, SourceError, Tree};

/// Why the checkpoint of a log was not cosigned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FollowError {
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log does not serve what its checkpoint promises.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It serves no checkpoint.
    #[error("the log serves no checkpoint yet")]
    NoCheckpoint,
    /// What it serves as its checkpoint is not one.
    #[error("the checkpoint of the log is malformed")]
    Checkpoint(#[from] CheckpointError),
    /// It was not cosigned.
    #[error(transparent)]
    Add(#[from] AddError),
}

impl Witness {
    /// Fetches the checkpoint of a log and cosigns it as of a time, if it is another than the last one.
    ///
    /// Gives what was cosigned. It goes the same way as a checkpoint that a log submits.
    pub fn fetch(
        &self,
        source: &dyn LogSource,
        now: Timestamp,
    ) -> Result<Option<SignedCheckpoint>, FollowError> {
        let bytes = source.resource(Resource::Checkpoint)?.ok_or(FollowError::NoCheckpoint)?;
        let checkpoint = SignedCheckpoint::parse(&bytes)?;
        let (origin, size) = (checkpoint.checkpoint().origin().clone(), checkpoint.checkpoint().size());
        let latest = self.latest(&origin);
        if latest.as_ref().is_some_and(|latest| latest.checkpoint() == checkpoint.checkpoint()) {
            return Ok(None);
        }
        let old_size = latest.map_or(0, |latest| latest.checkpoint().size());
        if old_size > size {
            return Err(AddError::Refused(Refusal::OldSizeTooLarge).into());
        }
        let proof = Tree::new(source, size).consistency(old_size)?;
        self.add_checkpoint(&AddCheckpoint { old_size, proof, checkpoint }, now)?;
        Ok(self.latest(&origin))
    }
}
