//! Where a log is read from, and what is known of it beforehand.

use std::error::Error;

use tenure_tlog::checkpoint::{CheckpointError, Origin, SignedCheckpoint, UntrustedCheckpoint};
use tenure_tlog::crypto::verifier;
use tenure_tlog::merkle::{HashReader, ProveError, prove_consistency};
use tenure_tlog::note::{KeyError, Verifier, VerifierKey};
use tenure_tlog::tile::{Bundle, FULL_WIDTH, Resource, Tile, TileError, TileHashReader, TileReader};
use tenure_tlog::{Hash, note::VerifyError};

/// A log as c2sp.org/tlog-tiles lays it out, wherever it lies.
///
/// The calls block; asynchronous callers make them where that is allowed.
pub trait LogSource: Send + Sync {
    /// What lies at a path below the log's prefix; none if the log does not have it (yet).
    fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, SourceError>;

    /// Several resources, in this order. A source that is far away reads them side by side.
    fn resources(&self, resources: &[Resource]) -> Result<Vec<Option<Vec<u8>>>, SourceError> {
        resources.iter().map(|resource| self.resource(*resource)).collect()
    }
}

/// A log could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the log could not be read")]
pub struct SourceError(#[source] Box<dyn Error + Send + Sync>);

impl SourceError {
    /// Because of this.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Why something that a log should serve could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log does not have what its checkpoint promises.
    #[error("the log does not serve `{resource}`, which its checkpoint promises; try again in a moment")]
    Missing {
        /// What is missing.
        resource: Resource,
    },
    /// Something is not as long as it should be.
    #[error("`{resource}` of the log is not as long as it should be")]
    Length {
        /// What it is.
        resource: Resource,
    },
    /// No proof can be made for these sizes.
    #[error("no proof can be made from the tiles of the log")]
    Proof,
}

impl From<TileError<Self>> for ReadError {
    fn from(error: TileError<Self>) -> Self {
        match error {
            TileError::Read(cause) => cause,
            TileError::Length { tile, .. } => Self::Length { resource: Resource::Tile(tile) },
            _ => Self::Proof,
        }
    }
}

impl From<ProveError<TileError<Self>>> for ReadError {
    fn from(error: ProveError<TileError<Self>>) -> Self {
        match error {
            ProveError::Read(cause) => cause.into(),
            _ => Self::Proof,
        }
    }
}

/// The tiles and bundles of the tree of a checkpoint.
///
/// A partial one that the log has replaced meanwhile is cut from the full one that took its place.
pub(crate) struct Tree<'s> {
    source: &'s dyn LogSource,
    size: u64,
}

impl<'s> Tree<'s> {
    pub(crate) fn new(source: &'s dyn LogSource, size: u64) -> Self {
        Self { source, size }
    }

    /// The proof that this tree continues the one of `old` leaves.
    pub(crate) fn consistency(&self, old: u64) -> Result<Vec<Hash>, ReadError> {
        Ok(prove_consistency(old, self.size, &self.hashes())?)
    }

    fn hashes(&self) -> impl HashReader<Error = TileError<ReadError>> {
        TileHashReader::new(self.size, self)
    }

    /// The bytes of bundles of this tree, in this order.
    pub(crate) fn bundles(&self, bundles: &[Bundle]) -> Result<Vec<Vec<u8>>, ReadError> {
        let wanted: Vec<Resource> = bundles.iter().map(|bundle| Resource::Entries(*bundle)).collect();
        let found = self.source.resources(&wanted)?;
        let whole = bundles.iter().zip(found).map(|(bundle, bytes)| match bytes {
            Some(bytes) => Ok(bytes),
            None => self.cut_bundle(*bundle),
        });
        whole.collect()
    }

    fn cut_bundle(&self, bundle: Bundle) -> Result<Vec<u8>, ReadError> {
        let resource = Resource::Entries(bundle);
        let missing = || ReadError::Missing { resource };
        let full = Bundle::new(bundle.index(), FULL_WIDTH).filter(|full| *full != bundle);
        let full = full.ok_or_else(missing)?;
        let bytes = self.source.resource(Resource::Entries(full))?.ok_or_else(missing)?;
        let entries = full.entries(&bytes).map_err(|_| ReadError::Length { resource })?;
        let length = entries.iter().take(bundle.width().into()).map(|entry| entry.len() + 2).sum();
        bytes.get(..length).map(<[u8]>::to_vec).ok_or(ReadError::Length { resource })
    }
}

impl TileReader for Tree<'_> {
    type Error = ReadError;

    /// Tiles of this tree, or of an earlier one, which the tiles of this tree begin with.
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, ReadError> {
        let ours = |tile: &Tile| Tile::in_tree(tile.level(), tile.index(), self.size).unwrap_or(*tile);
        let wanted: Vec<Resource> = tiles.iter().map(|tile| Resource::Tile(ours(tile))).collect();
        let found = self.source.resources(&wanted)?;
        let cut = tiles.iter().zip(wanted).zip(found).map(|((tile, resource), bytes)| {
            let mut bytes = match bytes {
                Some(bytes) => bytes,
                None if tile.is_full() => return Err(ReadError::Missing { resource }),
                None => self
                    .source
                    .resource(Resource::Tile(tile.to_full()))?
                    .ok_or(ReadError::Missing { resource })?,
            };
            bytes.truncate(tile.byte_len());
            Ok(bytes)
        });
        cut.collect()
    }
}

/// A log that is known beforehand: its origin, and the keys that are trusted to sign for it.
pub struct KnownLog {
    origin: Origin,
    keys: Vec<VerifierKey>,
    verifiers: Vec<Box<dyn Verifier + Send + Sync>>,
}

/// Keys that are not those of a log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KnownLogError {
    /// There are none.
    #[error("no key of the log is given; name at least one")]
    NoKeys,
    /// They have different names.
    #[error("the keys are of different logs; give those of one log, which all have its origin as their name")]
    DifferentNames,
    /// One is not usable.
    #[error("a key of the log is not usable")]
    Key(#[source] KeyError),
    /// Their name can't be an origin.
    #[error("the name of the keys is not the origin of a log")]
    Origin(#[source] CheckpointError),
}

/// Why a checkpoint is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unbelievable {
    /// The log has none.
    #[error("there is no checkpoint yet")]
    None,
    /// It is not one.
    #[error("the checkpoint is malformed")]
    Malformed(#[source] CheckpointError),
    /// It is not the log's.
    #[error(transparent)]
    Untrusted(UntrustedCheckpoint),
}

impl KnownLog {
    /// The log of this origin, whose keys may have other names.
    pub fn new(origin: Origin, keys: Vec<VerifierKey>) -> Result<Self, KnownLogError> {
        if keys.is_empty() {
            return Err(KnownLogError::NoKeys);
        }
        let verifiers = keys.iter().map(verifier).collect::<Result<_, _>>().map_err(KnownLogError::Key)?;
        Ok(Self { origin, keys, verifiers })
    }

    /// The log whose origin is the name of all its keys.
    pub fn named_by(keys: Vec<VerifierKey>) -> Result<Self, KnownLogError> {
        let first = keys.first().ok_or(KnownLogError::NoKeys)?;
        if keys.iter().any(|key| key.name() != first.name()) {
            return Err(KnownLogError::DifferentNames);
        }
        let origin = first.name().as_str().parse().map_err(KnownLogError::Origin)?;
        Self::new(origin, keys)
    }

    /// The origin.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys.
    pub fn keys(&self) -> &[VerifierKey] {
        &self.keys
    }

    /// Reads a checkpoint and checks that it is this log's.
    pub fn believe(&self, bytes: &[u8]) -> Result<SignedCheckpoint, Unbelievable> {
        if bytes.is_empty() {
            return Err(Unbelievable::None);
        }
        let signed = SignedCheckpoint::parse(bytes).map_err(Unbelievable::Malformed)?;
        signed.verify(&self.origin, &self.verifiers()).map_err(Unbelievable::Untrusted)?;
        Ok(signed)
    }

    pub(crate) fn verifiers(&self) -> Vec<&dyn Verifier> {
        borrowed(&self.verifiers)
    }
}

impl std::fmt::Debug for KnownLog {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("KnownLog").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// Witnesses whose cosignatures are known.
pub struct KnownWitnesses(Vec<Box<dyn Verifier + Send + Sync>>);

impl KnownWitnesses {
    /// The witnesses of these keys. One witness may have several, all under its name.
    pub fn new(keys: &[VerifierKey]) -> Result<Self, KeyError> {
        Ok(Self(keys.iter().map(verifier).collect::<Result<_, _>>()?))
    }

    /// No witnesses.
    pub fn none() -> Self {
        Self(Vec::new())
    }

    /// The names of those whose cosignatures a checkpoint carries, each once and all verified.
    pub fn of(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<String>, VerifyError> {
        let cosignatures = checkpoint.cosignatures(&self.verifiers())?;
        let mut names: Vec<String> =
            cosignatures.iter().map(|cosignature| cosignature.key().0.to_string()).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    pub(crate) fn verifiers(&self) -> Vec<&dyn Verifier> {
        borrowed(&self.0)
    }
}

impl std::fmt::Debug for KnownWitnesses {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_list().entries(self.0.iter().map(|verifier| verifier.key().name())).finish()
    }
}

fn borrowed(verifiers: &[Box<dyn Verifier + Send + Sync>]) -> Vec<&dyn Verifier> {
    verifiers.iter().map(|verifier| -> &dyn Verifier { verifier.as_ref() }).collect()
}

/// A line that is no key.
#[derive(Debug, thiserror::Error)]
#[error("line {line} is not a key")]
pub struct KeyLineError {
    /// Which line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub source: KeyError,
}

/// The keys in a text, one a line; blank lines and those that start with `#` are passed over.
pub fn parse_keys(text: &str) -> Result<Vec<VerifierKey>, KeyLineError> {
    let lines = text.lines().map(str::trim).zip(1..);
    lines
        .filter(|(text, _)| !text.is_empty() && !text.starts_with('#'))
        .map(|(text, line)| text.parse().map_err(|source| KeyLineError { line, source }))
        .collect()
}
