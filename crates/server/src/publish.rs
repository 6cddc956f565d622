//! Publication of a log into a folder, or wherever a destination leads, for any web server to serve.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::tile::{Resource, Tile, partial_tiles};
use tenure_tlog::verify_consistency;
use tenure_tlog::witness::Latest;

use crate::files::{self, Readers};
use crate::growth::{Growth, GrowthError};
use crate::source::{KnownLog, LogSource, ReadError, SourceError, Tree, Unbelievable};
use crate::submit::{Asked, Contradicted, Witnesses};

/// Where a log is published.
///
/// `put` replaces a resource whole or not at all. After an error it may have done either, and asking again is
/// safe.
pub trait Destination {
    /// What is there.
    fn get(&self, resource: Resource) -> io::Result<Option<Vec<u8>>>;
    /// Puts it there.
    fn put(&self, resource: Resource, bytes: &[u8]) -> io::Result<()>;
    /// Returns once everything that was put will survive a crash.
    fn settle(&self) -> io::Result<()>;
}

/// A folder that a web server serves as it is.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Folders in which names have changed since they were last made durable.
    changed: Mutex<Vec<PathBuf>>,
    _lock: File,
}

impl Folder {
    /// Opens a folder, made if need be, for this process alone: two that publish at once could roll it back.
    pub fn open(path: &Path) -> io::Result<Self> {
        files::make_folder(path)?;
        let lock = files::lock(path)?;
        Ok(Self { path: path.to_owned(), changed: Mutex::default(), _lock: lock })
    }
}

impl Destination for Folder {
    fn get(&self, resource: Resource) -> io::Result<Option<Vec<u8>>> {
        files::read(&self.path.join(resource.to_string()))
    }

    fn put(&self, resource: Resource, bytes: &[u8]) -> io::Result<()> {
        let path = self.path.join(resource.to_string());
        let folder = files::folder_of(&path);
        files::make_folder(folder)?;
        files::replace_content(&path, bytes, Readers::All)?;
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        if !changed.iter().any(|known| known == folder) {
            changed.push(folder.to_owned());
        }
        Ok(())
    }

    fn settle(&self) -> io::Result<()> {
        let mut changed = self.changed.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(folder) = changed.last() {
            files::sync_folder(folder)?;
            changed.pop();
        }
        Ok(())
    }
}

/// What was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// The size of the log that was there before.
    pub from: u64,
    /// The size of the log that is there now.
    pub to: u64,
    /// How many tiles and bundles were written for it.
    pub written: u64,
}

/// Why nothing new is published. Until an error of the last step, the destination's checkpoint is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PublishError {
    /// The log could not be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The log does not show what it should.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The log's checkpoint is not believed.
    #[error("the checkpoint of the log is not to be published")]
    Checkpoint(#[source] Unbelievable),
    /// A witness has seen another log.
    #[error("nothing was published")]
    Contradicted(#[from] Contradicted),
    /// The destination's checkpoint is not the log's.
    #[error("what is published there is not this log; choose an empty folder")]
    Foreign,
    /// The log is not the one that was published, or has lost what was published.
    #[error(
        "the log does not continue what is published: nothing was changed\n\npublished:\n{published}\nnow:\n{now}"
    )]
    Fork {
        /// The checkpoint at the destination.
        published: Box<SignedCheckpoint>,
        /// The checkpoint of the log.
        now: Box<SignedCheckpoint>,
    },
    /// The entries do not make the tree that the checkpoint promises.
    #[error("the log is damaged: {reason}")]
    Damaged {
        /// What is wrong.
        reason: String,
    },
    /// The destination failed.
    #[error("`{resource}` could not be published; publish again")]
    Write {
        /// What was to be read or written.
        resource: Resource,
        /// Why it was not.
        source: io::Error,
    },
}

impl From<GrowthError> for PublishError {
    fn from(error: GrowthError) -> Self {
        match error {
            GrowthError::Read(error) => Self::Read(error),
            damage => Self::Damaged { reason: damage.to_string() },
        }
    }
}

/// Publishes what the destination lacks of a log, and its checkpoint last.
///
/// The cost is that of what is new. Every tile is made from the entries, and the checkpoint is put there only
/// when they make its root. `cosign` may add the cosignatures of witnesses before anything is put there.
pub fn publish(
    source: &dyn LogSource,
    log: &KnownLog,
    destination: &dyn Destination,
    cosign: &mut dyn FnMut(&mut SignedCheckpoint),
) -> Result<Published, PublishError> {
    let mut agreed = |signed: &mut SignedCheckpoint| {
        cosign(signed);
        Ok(())
    };
    publish_agreed(source, log, destination, &mut agreed)
}

/// Publishes as [`publish`] does, with the cosignatures of these witnesses, and gives what came of asking them.
///
/// If one of them has seen another log, nothing is published. One that fails only does not cosign.
pub fn publish_witnessed<'w>(
    source: &dyn LogSource,
    log: &KnownLog,
    destination: &dyn Destination,
    witnesses: &'w Witnesses,
) -> Result<(Published, Vec<Asked<'w>>), PublishError> {
    let mut asked = Vec::new();
    let mut agreed = |signed: &mut SignedCheckpoint| {
        asked = Contradicted::by_none_of(witnesses.cosign(signed, source))?;
        Ok(())
    };
    let published = publish_agreed(source, log, destination, &mut agreed)?;
    Ok((published, asked))
}

fn publish_agreed(
    source: &dyn LogSource,
    log: &KnownLog,
    destination: &dyn Destination,
    agreed: &mut dyn FnMut(&mut SignedCheckpoint) -> Result<(), Contradicted>,
) -> Result<Published, PublishError> {
    let bytes = source.resource(Resource::Checkpoint)?.unwrap_or_default();
    let mut signed = log.believe(&bytes).map_err(PublishError::Checkpoint)?;
    let at = |resource| move |source| PublishError::Write { resource, source };
    let before = destination.get(Resource::Checkpoint).map_err(at(Resource::Checkpoint))?;
    let published = before.as_deref().map(|bytes| of_log(bytes, log)).transpose()?;
    let old = continued(source, published.as_ref(), &signed)?;
    // Before anything is put there: the tiles of a fork are not published either.
    agreed(&mut signed)?;
    let written = put_growth(source, old, signed.checkpoint(), destination)?;
    destination.settle().map_err(at(Resource::Checkpoint))?;
    if let Some(published) = published.filter(|published| published.checkpoint() == signed.checkpoint()) {
        signed = with_earlier_signatures(published, signed);
    }
    let now = signed.to_string();
    if before.as_deref() != Some(now.as_bytes()) {
        destination.put(Resource::Checkpoint, now.as_bytes()).map_err(at(Resource::Checkpoint))?;
        destination.settle().map_err(at(Resource::Checkpoint))?;
    }
    Ok(Published { from: old.size, to: signed.checkpoint().size(), written })
}

/// What a destination holds of this log.
///
/// Whose keys have signed it says nothing more: they may be retired, and the log must continue it in any case.
fn of_log(bytes: &[u8], log: &KnownLog) -> Result<SignedCheckpoint, PublishError> {
    let signed = SignedCheckpoint::parse(bytes).ok();
    signed.filter(|signed| signed.checkpoint().origin() == log.origin()).ok_or(PublishError::Foreign)
}

/// Keeps the cosignatures that the same checkpoint was published with, where there are no newer ones.
fn with_earlier_signatures(mut published: SignedCheckpoint, now: SignedCheckpoint) -> SignedCheckpoint {
    // Where there is no room for both, those of now are worth more.
    let added = published.add(now.note().signatures().iter().cloned());
    if added.is_ok() { published } else { now }
}

/// The tree that is published, once it is shown that the log continues it.
fn continued(
    source: &dyn LogSource,
    published: Option<&SignedCheckpoint>,
    now: &SignedCheckpoint,
) -> Result<Latest, PublishError> {
    let Some(published) = published else { return Ok(Latest::none()) };
    let (old, new) = (published.checkpoint(), now.checkpoint());
    let fork = || PublishError::Fork { published: Box::new(published.clone()), now: Box::new(now.clone()) };
    if old.size() > new.size() {
        return Err(fork());
    }
    if !continues(source, old, new)? {
        return Err(fork());
    }
    Ok(Latest { size: old.size(), root: *old.root() })
}

/// Whether the tiles show that a checkpoint continues an earlier one.
pub(crate) fn continues(
    source: &dyn LogSource,
    old: &Checkpoint,
    new: &Checkpoint,
) -> Result<bool, ReadError> {
    if old.size() == 0 {
        return Ok(*old.root() == Latest::none().root && (new.size() > 0 || old.root() == new.root()));
    }
    if old.size() == new.size() {
        return Ok(old.root() == new.root());
    }
    let proof = Tree::new(source, new.size()).consistency(old.size())?;
    Ok(verify_consistency(old.size(), new.size(), &proof, old.root(), new.root()))
}

fn put_growth(
    source: &dyn LogSource,
    old: Latest,
    target: &Checkpoint,
    destination: &dyn Destination,
) -> Result<u64, PublishError> {
    let mut written = 0;
    let mut put = |resource: Resource, bytes: &[u8]| {
        written += 1;
        destination.put(resource, bytes).map_err(|source| PublishError::Write { resource, source })
    };
    let mut growth = Growth::from((old.size, old.root), target, source)?;
    while let Some(batch) = growth.next()? {
        for (bundle, bytes) in &batch.bundles {
            put(Resource::Entries(*bundle), bytes)?;
        }
        for (tile, bytes) in &batch.tiles {
            put(Resource::Tile(*tile), bytes)?;
        }
    }
    let there: Vec<Tile> = partial_tiles(old.size).collect();
    for (tile, bytes) in growth.partial_tiles().filter(|(tile, _)| !there.contains(tile)) {
        put(Resource::Tile(tile), bytes)?;
    }
    Ok(written)
}
