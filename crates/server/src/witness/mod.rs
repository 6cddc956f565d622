//! A witness: cosigns a checkpoint only if its log continues all that was cosigned of it before.

mod follow;
mod keys;
mod router;

pub use follow::{Contradiction, FollowError};
pub use router::{Clock, witness_router};

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use tenure_tlog::checkpoint::{CheckpointError, Origin, SignedCheckpoint};
use tenure_tlog::cosignature::{Cosigner, Timestamp};
use tenure_tlog::crypto::{Ed25519SecretKey, MlDsa44SecretKey};
use tenure_tlog::note::{KeyError, KeyName, NoteSignature, SignatureType, SigningError, VerifierKey};
use tenure_tlog::witness::{AddCheckpoint, Latest, Refusal, judge};

use crate::files::{self, Readers};
use crate::source::{KnownLog, KnownWitnesses};

/// A witness with its keys and what it has cosigned.
pub struct Witness {
    name: KeyName,
    keys: Vec<VerifierKey>,
    ed25519: Cosigner<Ed25519SecretKey>,
    ml_dsa_44: Cosigner<MlDsa44SecretKey>,
    logs: BTreeMap<Origin, Watched>,
    _lock: File,
}

/// A log, and the latest checkpoint of it that was cosigned here.
struct Watched {
    log: KnownLog,
    /// Judging a checkpoint and keeping it are one step: whoever does it holds this.
    turn: Mutex<()>,
    latest: Mutex<Option<SignedCheckpoint>>,
    path: PathBuf,
}

/// A witness could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WitnessError {
    /// Its folder can't be read or written, or another process is at work on it.
    #[error("the folder of the witness can't be used")]
    Folder(#[source] io::Error),
    /// A file of a key does not hold one.
    #[error("`{file}` in the folder of the witness does not hold a key")]
    Seed {
        /// Which file.
        file: &'static str,
    },
    /// A key can't be used under this name.
    #[error("the keys can't be used under this name")]
    Key(#[source] KeyError),
    /// The file of a log does not hold a checkpoint that this witness has cosigned.
    #[error(
        "the file of the log `{origin}` does not hold a checkpoint that this witness has cosigned; without it the log could be rolled back, so restore it from a copy"
    )]
    Damaged {
        /// Which log.
        origin: Origin,
    },
    /// Two logs have one origin.
    #[error("the log `{origin}` is given twice; give all its keys together")]
    Twice {
        /// Which log.
        origin: Origin,
    },
}

/// Why a checkpoint is not cosigned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AddError {
    /// The rules say no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It is not known what time it is, and a cosignature is nothing without a time.
    #[error("the clock of the witness can't be read; set it, and submit the checkpoint again")]
    NoTime,
    /// The keys did not sign.
    #[error("the checkpoint could not be cosigned")]
    Signing(#[from] SigningError),
    /// With the cosignatures it would be more than a reader takes.
    #[error("the checkpoint has no room for the cosignatures")]
    NoRoom(#[source] CheckpointError),
    /// It could not be kept, so no cosignature leaves.
    #[error("the checkpoint could not be kept")]
    Keep(#[source] io::Error),
}

impl Witness {
    /// Opens a witness's folder for this process alone, and makes what is missing in it.
    ///
    /// `entropy` fills the seeds of new keys with random bytes.
    pub fn open(
        folder: &Path,
        name: KeyName,
        logs: Vec<KnownLog>,
        entropy: &mut dyn FnMut(&mut [u8; 32]) -> io::Result<()>,
    ) -> Result<Self, WitnessError> {
        let states = folder.join("logs");
        files::make_folder(&states).map_err(WitnessError::Folder)?;
        let lock = files::lock(folder).map_err(WitnessError::Folder)?;
        let ed25519 = Ed25519SecretKey::from_seed(&*keys::seed(folder, "ed25519.seed", entropy)?);
        let ed25519 = Cosigner::ed25519(name.clone(), ed25519).map_err(WitnessError::Key)?;
        let ml_dsa_44 = MlDsa44SecretKey::from_seed(&*keys::seed(folder, "ml-dsa-44.seed", entropy)?);
        let ml_dsa_44 = Cosigner::ml_dsa_44(name.clone(), ml_dsa_44).map_err(WitnessError::Key)?;
        let keys = vec![ed25519.key().clone(), ml_dsa_44.key().clone()];
        let own = KnownWitnesses::new(&keys).map_err(WitnessError::Key)?;
        let mut watched = BTreeMap::new();
        for log in logs {
            let origin = log.origin().clone();
            let log = Watched::load(log, &states, &own)?;
            if watched.insert(origin.clone(), log).is_some() {
                return Err(WitnessError::Twice { origin });
            }
        }
        Ok(Self { name, keys, ed25519, ml_dsa_44, logs: watched, _lock: lock })
    }

    /// Its name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// What others need to verify its cosignatures.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// The logs that it watches.
    pub fn logs(&self) -> impl Iterator<Item = &KnownLog> {
        self.logs.values().map(|watched| &watched.log)
    }

    /// The latest checkpoint of a log that was cosigned here, with the cosignatures.
    pub fn latest(&self, origin: &Origin) -> Option<SignedCheckpoint> {
        self.logs.get(origin)?.latest()
    }

    /// Cosigns a checkpoint as of a time, if the rules let it. It is kept before this returns.
    pub fn add_checkpoint(
        &self,
        request: &AddCheckpoint,
        now: Timestamp,
    ) -> Result<Vec<NoteSignature>, AddError> {
        if now == Timestamp::NONE {
            return Err(AddError::NoTime);
        }
        let origin = request.checkpoint.checkpoint().origin();
        let watched = self.logs.get(origin).ok_or(Refusal::UnknownLog)?;
        let _turn = watched.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let before = watched.latest().map_or_else(Latest::none, |signed| Latest {
            size: signed.checkpoint().size(),
            root: *signed.checkpoint().root(),
        });
        let checkpoint = match judge(request, Some(&watched.log.verifiers()), &before) {
            Err(Refusal::Fork) => {
                watched.keep_evidence(request);
                return Err(Refusal::Fork.into());
            }
            judged => judged?,
        };
        let own = watched.own_signatures(&request.checkpoint)?;
        let cosignatures =
            vec![self.ed25519.cosign(checkpoint, now)?, self.ml_dsa_44.cosign(checkpoint, now)?];
        let all = own.into_iter().chain(&cosignatures).cloned().collect();
        let cosigned = SignedCheckpoint::new(checkpoint.clone(), all).map_err(AddError::NoRoom)?;
        // If this fails, the file may hold the new checkpoint and no cosignature has left: whichever it holds
        // at the next start, nothing that was cosigned is forgotten.
        files::replace(&watched.path, cosigned.to_string().as_bytes(), Readers::All)
            .map_err(AddError::Keep)?;
        *watched.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(cosigned);
        Ok(cosignatures)
    }
}

impl Watched {
    fn load(log: KnownLog, states: &Path, own: &KnownWitnesses) -> Result<Self, WitnessError> {
        let path = states.join(format!("{}.checkpoint", place(log.origin())));
        let bytes = files::read(&path).map_err(WitnessError::Folder)?;
        let damaged = || WitnessError::Damaged { origin: log.origin().clone() };
        let latest = bytes.map(|bytes| SignedCheckpoint::parse(&bytes)).transpose().map_err(|_| damaged())?;
        if let Some(latest) = &latest {
            // The log's keys may have been replaced since; this witness's own cosignature says enough.
            let own = own.of(latest).is_ok_and(|names| !names.is_empty());
            if !own || latest.checkpoint().origin() != log.origin() {
                return Err(damaged());
            }
        }
        Ok(Self { log, turn: Mutex::default(), latest: Mutex::new(latest), path })
    }

    fn latest(&self) -> Option<SignedCheckpoint> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The verified signatures of the log itself: whoever submits a checkpoint may put any others beside them,
    /// and those are not kept.
    fn own_signatures<'r>(&self, signed: &'r SignedCheckpoint) -> Result<Vec<&'r NoteSignature>, Refusal> {
        let own = signed.verify(self.log.origin(), &self.log.verifiers()).map_err(|_| Refusal::Untrusted)?;
        // The form of ML-DSA-44 leaves out extension lines, so that anyone could add some.
        let whole = |signature: &&NoteSignature| {
            let signer = self.log.keys().iter().find(|key| (key.name(), key.id()) == signature.key());
            signer.is_some_and(|key| key.signature_type() != SignatureType::MlDsa44Cosignature)
        };
        let said = signed.checkpoint().extensions().is_empty() || own.iter().any(whole);
        if said { Ok(own) } else { Err(Refusal::Untrusted) }
    }

    /// Keeps what proves a fork, beside the checkpoint that it contradicts: the first one that is seen.
    fn keep_evidence(&self, request: &AddCheckpoint) {
        let path = self.path.with_extension("fork");
        if matches!(files::read(&path), Ok(None)) {
            // The refusal stands whether or not it can be kept.
            drop(files::replace(&path, request.checkpoint.to_string().as_bytes(), Readers::All));
        }
    }
}

/// Where a log's latest checkpoint lies: the SHA-256 of its origin, in hexadecimal.
pub fn place(origin: &Origin) -> String {
    files::hex(&Sha256::digest(origin.as_str()))
}

impl fmt::Debug for Witness {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Witness").field("name", &self.name).finish_non_exhaustive()
    }
}
