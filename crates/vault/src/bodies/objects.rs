//! What every store of packs does through `object_store`.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::runtime::Runtime;

use super::{Listing, MARK, PackFound, failure, from_io, mark};
use crate::error::BodyError;
use crate::ids::PackId;
use crate::keys::IdentityKey;

/// Objects in one place, and the runtime that drives them.
#[derive(Debug)]
pub(super) struct Objects {
    store: Arc<dyn ObjectStore>,
    pub(super) runtime: Runtime,
}

impl Objects {
    pub(super) fn over(store: Arc<dyn ObjectStore>) -> Result<Self, BodyError> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        // Waiting before another attempt needs a timer. A folder is tried once.
        #[cfg(feature = "s3")]
        builder.enable_time();
        let runtime = builder.build().map_err(from_io("start the runtime that drives object storage"))?;
        Ok(Self { store, runtime })
    }

    /// Marks the place, whatever mark it bears.
    pub(super) fn write_mark(&self, identity: &IdentityKey, mode: PutMode) -> Result<(), BodyError> {
        let payload = PutPayload::from(mark(identity).to_vec());
        self.runtime
            .block_on(self.store.put_opts(&Path::from(MARK), payload, mode.into()))
            .map(drop)
            .map_err(|error| failure("mark the place of the packs", &error))
    }

    /// Whether the mark is there, which is then this vault's own.
    pub(super) fn is_marked(&self, identity: &IdentityKey) -> Result<bool, BodyError> {
        let found = self.runtime.block_on(async { self.store.get(&Path::from(MARK)).await?.bytes().await });
        match found {
            Ok(found) if found == mark(identity).as_slice() => Ok(true),
            Ok(_) => Err(BodyError::Foreign),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(failure("read the mark of the packs", &error)),
        }
    }

    /// What lies in the place, and whether the mark does.
    pub(super) fn listing(&self) -> Result<(Listing, bool), BodyError> {
        let found = self
            .runtime
            .block_on(self.store.list_with_delimiter(None))
            .map_err(|error| failure("list the packs", &error))?;
        let mut listing = Listing { packs: Vec::new(), strangers: found.common_prefixes.len() };
        let mut marked = false;
        for object in found.objects {
            match object.location.as_ref().parse() {
                Ok(pack) => listing.packs.push(PackFound { pack, size: object.size }),
                Err(_) if object.location.as_ref() == MARK => marked = true,
                Err(_) => listing.strangers += 1,
            }
        }
        listing.packs.sort_unstable();
        Ok((listing, marked))
    }

    pub(super) fn size(&self, pack: PackId) -> Result<Option<u64>, BodyError> {
        match self.runtime.block_on(self.store.head(&location(pack))) {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(failure("look for a pack", &error)),
        }
    }

    pub(super) fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        let payload = PutPayload::from_bytes(content);
        self.runtime
            .block_on(self.store.put_opts(&location(pack), payload, PutMode::Create.into()))
            .map(drop)
            .map_err(|error| match error {
                object_store::Error::AlreadyExists { .. } => BodyError::AlreadyThere(pack),
                error => failure("write a pack", &error),
            })
    }

    pub(super) fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        // Asked first, because a range beyond the end must not decide how much memory is taken.
        let size = self.size(pack)?.ok_or(BodyError::NotFound(pack))?;
        if ranges.iter().any(|range| range.end > size || range.start > range.end) {
            return Err(BodyError::Short(pack));
        }
        let parts = self.runtime.block_on(self.store.get_ranges(&location(pack), ranges)).map_err(
            |error| match error {
                object_store::Error::NotFound { .. } => BodyError::NotFound(pack),
                error => failure("read a pack", &error),
            },
        )?;
        let whole = parts.len() == ranges.len()
            && parts.iter().zip(ranges).all(|(part, range)| part.len() as u64 == range.end - range.start);
        if whole { Ok(parts) } else { Err(BodyError::Short(pack)) }
    }

    pub(super) fn remove(&self, pack: PackId) -> Result<(), BodyError> {
        match self.runtime.block_on(self.store.delete(&location(pack))) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(failure("remove a pack", &error)),
        }
    }
}

fn location(pack: PackId) -> Path {
    Path::from(pack.to_string())
}
