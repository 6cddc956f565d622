//! The keys that sign the log's checkpoints. They lie in the key folder, sealed under its root key.

mod backup;
mod error;
mod file;
mod generation;
mod mark;
mod ring;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tenure_model::Instant;
use tenure_tlog::checkpoint::{Checkpoint, Origin, SignedCheckpoint};
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::crypto::verifier;
use tenure_tlog::note::{Verifier, VerifierKey};
use zeroize::Zeroizing;

use crate::keystore::KeyAccess;

pub use error::LogKeyError;
use generation::Generation;
use ring::{Ring, Unreadable};

/// The most generations that sign at once.
///
/// A verifier may refuse a checkpoint of more than 16 signatures, and witnesses need room for theirs.
const GENERATIONS_SIGNING_MAX: usize = 4;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// The signing keys of a log, in generations of one Ed25519 key and one ML-DSA-44 key.
///
/// Every active generation signs every checkpoint, so that those who know only an earlier one can follow
/// until it is retired. The value never changes: a change makes another one, and whoever holds this one goes
/// on signing with what it has. A clone costs nothing and may be used from any thread.
#[derive(Debug, Clone)]
pub struct LogKeys {
    folder: PathBuf,
    access: KeyAccess,
    ring: Arc<Ring>,
}

/// One public key of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// The key, with the log's origin as its name.
    pub key: VerifierKey,
    /// When it was made.
    pub made_at: Instant,
    /// When it was retired; until then it signs.
    pub retired_at: Option<Instant>,
}

impl LogKeys {
    /// Makes a first generation for a log, in a key folder that has a root key and no keys of a log.
    pub fn create(key_folder: &Path, origin: &Origin, now: Instant) -> Result<Self, LogKeyError> {
        Self::create_with(key_folder, &KeyAccess::default(), origin, now)
    }

    /// The same, with a root key that is reached as said.
    pub fn create_with(
        key_folder: &Path,
        access: &KeyAccess,
        origin: &Origin,
        now: Instant,
    ) -> Result<Self, LogKeyError> {
        let ring = Ring::new(origin, now)?;
        file::replace(key_folder, access, &ring, |present| match present {
            None => Ok(()),
            Some(_) => Err(LogKeyError::AlreadyThere),
        })?;
        Ok(Self::of(key_folder, access, ring))
    }

    /// Opens the keys of a key folder.
    pub fn open(key_folder: &Path) -> Result<Self, LogKeyError> {
        Self::open_with(key_folder, &KeyAccess::default())
    }

    /// The same, with a root key that is reached as said.
    pub fn open_with(key_folder: &Path, access: &KeyAccess) -> Result<Self, LogKeyError> {
        let ring = file::read(key_folder, access)?.ok_or(LogKeyError::Missing)?;
        Ok(Self::of(key_folder, access, ring))
    }

    fn of(folder: &Path, access: &KeyAccess, ring: Ring) -> Self {
        Self { folder: folder.to_owned(), access: access.clone(), ring: Arc::new(ring) }
    }

    /// The log whose keys they are.
    pub fn origin(&self) -> &Origin {
        self.ring.origin()
    }

    /// Every key there ever was, oldest first, each generation's Ed25519 key before its ML-DSA-44 key.
    pub fn keys(&self) -> Vec<LogKey> {
        let of = |generation: &Generation| {
            let (made_at, retired_at) = (generation.made_at, generation.retired_at());
            generation.keys().map(|key| LogKey { key: key.clone(), made_at, retired_at })
        };
        self.ring.generations().flat_map(of).collect()
    }

    /// The keys that sign, oldest first: what others need to check new checkpoints.
    pub fn verifier_keys(&self) -> Vec<VerifierKey> {
        self.keys().into_iter().filter(|key| key.retired_at.is_none()).map(|key| key.key).collect()
    }

    /// Verifiers for the keys that sign.
    pub fn verifiers(&self) -> Vec<Box<dyn Verifier + Send + Sync>> {
        verifiers_of(self.verifier_keys())
    }

    /// Verifiers for every key there ever was, retired ones too: for checkpoints of any age.
    pub fn all_verifiers(&self) -> Vec<Box<dyn Verifier + Send + Sync>> {
        verifiers_of(self.keys().into_iter().map(|key| key.key))
    }

    /// Signs a checkpoint of the log with every active key, as of an instant in whole seconds.
    pub fn sign(&self, checkpoint: Checkpoint, at: Instant) -> Result<SignedCheckpoint, LogKeyError> {
        if checkpoint.origin() != self.origin() {
            return Err(LogKeyError::OtherOrigin);
        }
        let seconds = u64::try_from(at.micros().div_euclid(MICROS_PER_SECOND));
        let timestamp = seconds.ok().and_then(Timestamp::from_seconds).ok_or(LogKeyError::BeforeEpoch)?;
        let text = checkpoint.to_string();
        let mut signatures = Vec::new();
        for signers in self.ring.generations().filter_map(Generation::signers) {
            signatures.extend(signers.sign(&checkpoint, &text, timestamp)?);
        }
        Ok(SignedCheckpoint::new(checkpoint, signatures)?)
    }

    /// Adds a generation. It and the earlier ones sign until those are retired.
    ///
    /// Refused while four generations sign, since each makes every checkpoint longer.
    pub fn rotate(&self, now: Instant) -> Result<Self, LogKeyError> {
        if self.ring.generations().filter_map(Generation::signers).count() >= GENERATIONS_SIGNING_MAX {
            return Err(LogKeyError::RetireFirst);
        }
        self.replaced_by(self.ring.rotated(now)?)
    }

    /// Retires every generation but the newest. Their public keys are kept forever, their seeds are forgotten.
    pub fn retire(&self, now: Instant) -> Result<Self, LogKeyError> {
        self.replaced_by(self.ring.retired(now).ok_or(LogKeyError::NothingToRetire)?)
    }

    fn replaced_by(&self, ring: Ring) -> Result<Self, LogKeyError> {
        file::replace(&self.folder, &self.access, &ring, |present| match present {
            Some(present) if present.to_text() == self.ring.to_text() => Ok(()),
            Some(_) => Err(LogKeyError::Changed),
            None => Err(LogKeyError::Missing),
        })?;
        Ok(Self::of(&self.folder, &self.access, ring))
    }

    /// All keys as a text that [`LogKeys::import`] reads, secrets included and not encrypted.
    pub fn export(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.ring.to_text().as_bytes().to_vec())
    }

    /// Puts exported keys into a key folder that has a root key and no keys of a log, or these very ones.
    pub fn import(key_folder: &Path, exported: &[u8]) -> Result<Self, LogKeyError> {
        let access = KeyAccess::default();
        let ring = Ring::from_text(exported).map_err(|unreadable| match unreadable {
            Unreadable::LaterVersion => LogKeyError::LaterVersion,
            Unreadable::Malformed => LogKeyError::BackupDamaged,
        })?;
        file::replace(key_folder, &access, &ring, |present| match present {
            Some(present) if present.to_text() != ring.to_text() => Err(LogKeyError::OtherKeys),
            _ => Ok(()),
        })?;
        Ok(Self::of(key_folder, &access, ring))
    }
}

fn verifiers_of(keys: impl IntoIterator<Item = VerifierKey>) -> Vec<Box<dyn Verifier + Send + Sync>> {
    // None is left out: a ring with a key that can't be verified with is never made and never read.
    keys.into_iter().filter_map(|key| verifier(&key).ok()).collect()
}
