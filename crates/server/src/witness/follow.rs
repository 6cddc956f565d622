//! A witness that fetches: for logs that do not submit their checkpoints.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tenure_tlog::checkpoint::{CheckpointError, Origin, SignedCheckpoint};
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::tile::Resource;
use tenure_tlog::witness::{AddCheckpoint, Refusal};

use super::{AddError, Watched, Witness};
use crate::evidence;
use crate::source::{LogSource, ReadError, SourceError, Tree};

/// How many checkpoints that contradict a log's latest one are kept: a log that goes on making them would
/// otherwise fill the disk.
const EVIDENCE_MAX: usize = 16;

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
    /// It has signed something else than what was cosigned here.
    #[error("{contradiction}{}", kept(evidence))]
    Contradiction {
        /// In what way.
        contradiction: Contradiction,
        /// Where both checkpoints were kept, byte for byte.
        evidence: Vec<PathBuf>,
    },
    /// It was not cosigned.
    #[error(transparent)]
    Add(#[from] AddError),
}

/// How a log contradicts what a witness has cosigned of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Contradiction {
    /// It shows a smaller tree.
    #[error("ROLLED BACK: the log shows a smaller tree than the one cosigned here")]
    RolledBack,
    /// It shows another tree of the same size.
    #[error("FORK: the log has signed another tree of the size cosigned here")]
    Fork,
    /// It shows a larger tree, and its tiles do not prove that it continues.
    #[error("FORK: the tiles of the log do not prove that its tree continues the one cosigned here")]
    Inconsistent,
}

impl Contradiction {
    /// A stable word for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::RolledBack => "rolled_back",
            Self::Fork => "fork",
            Self::Inconsistent => "inconsistent",
        }
    }
}

fn kept(evidence: &[PathBuf]) -> &'static str {
    if evidence.is_empty() { "" } else { "; both checkpoints are kept in the folder of the witness" }
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
        // As it is before the log is asked: what the log submits meanwhile may well be larger.
        let mut before: BTreeMap<&Origin, SignedCheckpoint> =
            self.logs.iter().filter_map(|(origin, watched)| Some((origin, watched.latest()?))).collect();
        let bytes = source.resource(Resource::Checkpoint)?.ok_or(FollowError::NoCheckpoint)?;
        let checkpoint = SignedCheckpoint::parse(&bytes)?;
        let shown = checkpoint.checkpoint();
        let watched = self.logs.get(shown.origin()).ok_or(AddError::Refused(Refusal::UnknownLog))?;
        watched.own_signatures(&checkpoint).map_err(AddError::Refused)?;
        let Some(latest) = before.remove(shown.origin()) else {
            self.add_checkpoint(&AddCheckpoint { old_size: 0, proof: Vec::new(), checkpoint }, now)?;
            return Ok(watched.latest());
        };
        let known = latest.checkpoint();
        if known == shown {
            return Ok(None);
        }
        if known.size() > shown.size() {
            return Err(watched.contradicted(Contradiction::RolledBack, &latest, &bytes));
        }
        if known.size() == shown.size() && known.root() != shown.root() {
            return Err(watched.contradicted(Contradiction::Fork, &latest, &bytes));
        }
        let (old_size, size) = (known.size(), shown.size());
        let proof = Tree::new(source, size).consistency(old_size)?;
        match self.add_checkpoint(&AddCheckpoint { old_size, proof, checkpoint }, now) {
            Ok(_) => Ok(watched.latest()),
            Err(AddError::Refused(Refusal::Inconsistent)) => {
                Err(watched.contradicted(Contradiction::Inconsistent, &latest, &bytes))
            }
            Err(error) => Err(error.into()),
        }
    }
}

impl Watched {
    /// Keeps both checkpoints beside the state, as an auditor does.
    fn contradicted(
        &self,
        contradiction: Contradiction,
        latest: &SignedCheckpoint,
        shown: &[u8],
    ) -> FollowError {
        let known = latest.to_string();
        let room = evidence::count(&self.path).is_ok_and(|kept| kept < EVIDENCE_MAX);
        // It is told whether or not it can be kept.
        let evidence = room
            .then(|| evidence::keep(&self.path, contradiction.code(), Some(known.as_bytes()), shown).ok())
            .flatten()
            .unwrap_or_default();
        FollowError::Contradiction { contradiction, evidence }
    }
}
