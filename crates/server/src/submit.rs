//! The log's side of witnesses: it submits its checkpoint and gathers cosignatures.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tenure_tlog::checkpoint::{Checkpoint, CheckpointError, CosignatureError, SignedCheckpoint};
use tenure_tlog::note::{MAX_NOTE_BYTES, NoteError};
use tenure_tlog::tile::Resource;
use tenure_tlog::witness::{AddCheckpoint, SIZE_CONTENT_TYPE, parse_cosignatures, parse_size};

use crate::http::{Client, HttpError, Patience};
use crate::source::{KnownWitnesses, LogSource, ReadError, SourceError, Tree};

/// How often a request is begun anew because the witness stands elsewhere than was thought.
const STARTS: u32 = 3;

/// Why a witness gave no cosignature.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubmitError {
    /// The witness can't be asked.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The proof can't be made.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The witness has cosigned a larger tree.
    #[error(
        "the witness has cosigned {size} entries already, more than the log has: it was rolled back, or has a twin"
    )]
    Ahead {
        /// The size that it has cosigned.
        size: u64,
    },
    /// The witness has cosigned another tree of this size.
    #[error("the witness has cosigned another tree of this size: the log has forked")]
    Fork,
    /// The witness has cosigned a tree that this one does not continue.
    #[error("the witness has cosigned another tree, which the log does not continue: the log has forked")]
    Rewritten,
    /// The log has grown, and the witness has cosigned more than was to be cosigned.
    #[error("the log has grown, and the witness has cosigned {size} entries meanwhile; ask again")]
    Overtaken {
        /// The size that it has cosigned.
        size: u64,
    },
    /// The witness says no.
    #[error("the witness refused with status {status}")]
    Refused {
        /// The status.
        status: u16,
    },
    /// The witness contradicts itself.
    #[error("the witness does not say where to start from")]
    Undecided,
    /// The answer holds no cosignatures.
    #[error("the answer of the witness is malformed")]
    Malformed(#[from] NoteError),
    /// The answer holds no cosignature of a known witness, or a wrong one.
    #[error("the witness answered with no cosignature of a known witness")]
    Cosignature(#[from] CosignatureError),
}

impl SubmitError {
    /// Whether the witness has cosigned something that the log is not, or is no longer.
    pub fn is_contradiction(&self) -> bool {
        matches!(self, Self::Ahead { .. } | Self::Fork | Self::Rewritten)
    }
}

/// A witness has seen another log under this log's keys: nothing more must be published until it is known why.
#[derive(Debug, thiserror::Error)]
#[error("the witness at `{witness}` contradicts the log; find out which of them is wrong before you publish")]
pub struct Contradicted {
    /// The witness's submission prefix.
    pub witness: String,
    /// What it has seen.
    #[source]
    pub saw: Box<SubmitError>,
}

impl Contradicted {
    /// Gives what came of asking, unless one of the witnesses contradicts the log.
    pub fn by_none_of(mut asked: Vec<Asked<'_>>) -> Result<Vec<Asked<'_>>, Self> {
        let contradicts = |asked: &Asked<'_>| asked.answer.as_ref().is_err_and(SubmitError::is_contradiction);
        let Some(place) = asked.iter().position(contradicts) else { return Ok(asked) };
        match asked.swap_remove(place) {
            Asked { address, answer: Err(saw) } => {
                Err(Self { witness: address.to_owned(), saw: Box::new(saw) })
            }
            Asked { answer: Ok(_), .. } => Ok(asked),
        }
    }
}

/// A witness that checkpoints are submitted to.
#[derive(Debug)]
pub struct WitnessClient {
    address: String,
    client: Client,
    /// The size that it cosigned last, as far as is known here.
    last: Mutex<u64>,
}

impl WitnessClient {
    /// The witness with this submission prefix.
    pub fn open(address: &str, patience: Patience) -> Result<Self, HttpError> {
        let client = Client::new(address, patience)?;
        Ok(Self { address: address.to_owned(), client, last: Mutex::new(0) })
    }

    /// Its submission prefix.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Asks the witness to cosign a checkpoint of a log, adds the cosignatures of known witnesses, and gives
    /// how many they are.
    pub fn submit(
        &self,
        signed: &mut SignedCheckpoint,
        source: &dyn LogSource,
        witnesses: &KnownWitnesses,
    ) -> Result<usize, SubmitError> {
        let size = signed.checkpoint().size();
        let tree = Tree::new(source, size);
        // What a smaller checkpoint must start from is not known here, only that it is less.
        let mut old_size = Some(self.last()).filter(|last| *last <= size).unwrap_or(0);
        for _ in 0..STARTS {
            let proof = tree.consistency(old_size)?;
            let request = AddCheckpoint { old_size, proof, checkpoint: signed.clone() };
            let limit = u64::try_from(MAX_NOTE_BYTES).unwrap_or(u64::MAX);
            let answer = self.client.post("add-checkpoint", &request.to_string(), limit)?;
            match answer.status {
                200 => {
                    let added =
                        signed.add_cosignatures(parse_cosignatures(&answer.body)?, &witnesses.verifiers())?;
                    self.remember(size);
                    return Ok(added);
                }
                409 if answer.content_type.starts_with(SIZE_CONTENT_TYPE) => {
                    let told = parse_size(&answer.body).ok_or(SubmitError::Undecided)?;
                    if told > size {
                        return Err(ahead(source, told));
                    }
                    old_size = told;
                }
                409 => return Err(SubmitError::Fork),
                422 => return Err(SubmitError::Rewritten),
                status => return Err(SubmitError::Refused { status }),
            }
        }
        Err(SubmitError::Undecided)
    }

    fn last(&self) -> u64 {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, size: u64) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }
}

/// What it means that a witness has cosigned `size` entries, which are more than it was asked to cosign: the log
/// may have grown, and another process may have asked it to.
fn ahead(source: &dyn LogSource, size: u64) -> SubmitError {
    let now = source.resource(Resource::Checkpoint).ok().flatten();
    let now = now.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
    if now.is_some_and(|now| now.checkpoint().size() >= size) {
        return SubmitError::Overtaken { size };
    }
    SubmitError::Ahead { size }
}

/// The witnesses of a log.
#[derive(Debug)]
pub struct Witnesses {
    clients: Vec<WitnessClient>,
    known: KnownWitnesses,
}

/// What came of asking one witness.
#[derive(Debug)]
pub struct Asked<'w> {
    /// Its submission prefix.
    pub address: &'w str,
    /// How many cosignatures it gave, or why none.
    pub answer: Result<usize, SubmitError>,
}

impl Witnesses {
    /// Witnesses to ask, and those whose cosignatures are known.
    pub fn new(clients: Vec<WitnessClient>, known: KnownWitnesses) -> Self {
        Self { clients, known }
    }

    /// Whether there are none to ask.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// Asks each of them in turn. One that fails does not keep the others from cosigning.
    pub fn cosign(&self, signed: &mut SignedCheckpoint, source: &dyn LogSource) -> Vec<Asked<'_>> {
        let asked = self.clients.iter().map(|client| Asked {
            address: client.address(),
            answer: client.submit(signed, source, &self.known),
        });
        asked.collect()
    }
}

/// A log whose checkpoint is served with cosignatures.
///
/// The checkpoint that it serves is that of the last [`Cosigned::refresh`], so that what is shown is cosigned.
/// Until the witnesses were asked there is none: a log that was rolled back would be shown when it starts.
pub struct Cosigned {
    source: Arc<dyn LogSource>,
    witnesses: Witnesses,
    shown: Mutex<Option<Shown>>,
}

/// A checkpoint as it is served.
struct Shown {
    checkpoint: Checkpoint,
    bytes: Vec<u8>,
    /// Whether every witness has cosigned; otherwise those that have not are asked again.
    complete: bool,
}

/// Why a checkpoint is not served anew.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its checkpoint is not one.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A witness has seen another log. What was served before is served on.
    #[error("CONTRADICTED: the log as it is now is not shown")]
    Contradicted(#[from] Contradicted),
}

impl Cosigned {
    /// Serves a log with the cosignatures of these witnesses.
    pub fn new(source: Arc<dyn LogSource>, witnesses: Witnesses) -> Self {
        Self { source, witnesses, shown: Mutex::new(None) }
    }

    /// If the log has another checkpoint than before, has it cosigned and serves it from now on, with
    /// whatever cosignatures came. If a witness contradicts it, what was served before is served on.
    pub fn refresh(&self) -> Result<Vec<Asked<'_>>, RefreshError> {
        let Some(own) = self.source.resource(Resource::Checkpoint)? else { return Ok(Vec::new()) };
        let mut signed = SignedCheckpoint::parse(&own)?;
        if self.is_complete(signed.checkpoint()) {
            return Ok(Vec::new());
        }
        let asked = Contradicted::by_none_of(self.witnesses.cosign(&mut signed, self.source.as_ref()))?;
        let complete = asked.iter().all(|asked| asked.answer.is_ok());
        let (checkpoint, bytes) = (signed.checkpoint().clone(), signed.to_string().into_bytes());
        let shown = Shown { checkpoint, bytes, complete };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = Some(shown);
        Ok(asked)
    }

    fn is_complete(&self, checkpoint: &Checkpoint) -> bool {
        let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().is_some_and(|shown| shown.complete && shown.checkpoint == *checkpoint)
    }
}

impl fmt::Debug for Cosigned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Cosigned").field("witnesses", &self.witnesses).finish_non_exhaustive()
    }
}

impl LogSource for Cosigned {
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError> {
        if resource == Resource::Checkpoint {
            let shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
            return Ok(shown.as_ref().map(|shown| shown.bytes.clone()));
        }
        self.source.resource(resource)
    }
}
