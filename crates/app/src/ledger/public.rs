//! The public side of the log: what anyone may read, and what no key is needed for.

use std::fmt;
use std::sync::Arc;

use tenure_receipts::leaf_data;
use tenure_store::log::Tiles;
use tenure_store::{ReadTx, Seq, Store, StoreExt as _};
use tenure_tlog::checkpoint::{Origin, SignedCheckpoint};
use tenure_tlog::note::VerifierKey;
use tenure_tlog::tile::{Bundle, FULL_WIDTH, Resource, Tile, push_entry};

use crate::{Error, Tenure};

/// Where the store keeps what the log shows of itself.
pub(super) const PUBLISHED: &str = "log/checkpoint";
pub(super) const ORIGIN: &str = "log/origin";
pub(super) const KEYS: &str = "log/keys";

/// A log as the public sees it. It needs the database and no keys, so it can be served while others write.
#[derive(Clone)]
pub struct PublicLog {
    store: Arc<dyn Store>,
    origin: Origin,
}

impl fmt::Debug for PublicLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicLog").field("origin", &self.origin).finish_non_exhaustive()
    }
}

impl PublicLog {
    /// The log of a store.
    pub fn of(store: Arc<dyn Store>) -> Result<Self, Error> {
        let origin = store.read(|tx| Ok::<_, Error>(tx.meta(ORIGIN)?))?.ok_or(Error::NotInitialised)?;
        Ok(Self { store, origin: origin.parse().map_err(|_| Error::PublicLog)? })
    }

    /// Which log it is.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The keys that sign it.
    pub fn keys(&self) -> Result<Vec<VerifierKey>, Error> {
        self.store.read(|tx| keys(tx))
    }

    /// The checkpoint that was published last.
    pub fn checkpoint(&self) -> Result<Option<SignedCheckpoint>, Error> {
        self.store.read(|tx| published(tx))
    }

    /// What the log serves at a place; `None` if it has nothing there yet.
    pub fn resource(&self, resource: Resource) -> Result<Option<Vec<u8>>, Error> {
        self.store.read(|tx| match resource {
            Resource::Checkpoint => Ok(tx.meta(PUBLISHED)?.map(String::into_bytes)),
            Resource::Tile(tile) => {
                let size = tx.tree_head()?.map_or(0, |head| head.size);
                let there = Tile::in_tree(tile.level(), tile.index(), size);
                if there.is_none_or(|there| there.width() < tile.width()) {
                    return Ok(None);
                }
                Ok(Tiles::new(tx).tile(tile)?)
            }
            Resource::Entries(bundle) => entries(tx, bundle),
        })
    }
}

fn entries(tx: &mut dyn ReadTx, bundle: Bundle) -> Result<Option<Vec<u8>>, Error> {
    let size = tx.tree_head()?.map_or(0, |head| head.size);
    if Bundle::in_log(bundle.index(), size).is_none_or(|there| there.width() < bundle.width()) {
        return Ok(None);
    }
    let first = bundle.index().checked_mul(u64::from(FULL_WIDTH)).and_then(|first| i64::try_from(first).ok());
    let first = Seq(first.ok_or(Error::PublicLog)?);
    let mut bytes = Vec::new();
    for commitment in tx.commitments(first, bundle.width().into())? {
        push_entry(&mut bytes, &leaf_data(&commitment)).map_err(|_| Error::PublicLog)?;
    }
    Ok(Some(bytes))
}

impl Tenure {
    /// The log as the public sees it.
    pub fn public_log(&self) -> Result<PublicLog, Error> {
        PublicLog::of(Arc::clone(&self.store))
    }
}

/// The checkpoint that was published last.
pub(crate) fn published(tx: &mut (impl ReadTx + ?Sized)) -> Result<Option<SignedCheckpoint>, Error> {
    let note = tx.meta(PUBLISHED)?;
    note.map(|note| SignedCheckpoint::parse(note.as_bytes()).map_err(|_| Error::PublicLog)).transpose()
}

/// The keys that were stated last as those that sign the log.
pub(super) fn keys(tx: &mut (impl ReadTx + ?Sized)) -> Result<Vec<VerifierKey>, Error> {
    let lines = tx.meta(KEYS)?.unwrap_or_default();
    lines.lines().map(|line| line.parse().map_err(|_| Error::PublicLog)).collect()
}
