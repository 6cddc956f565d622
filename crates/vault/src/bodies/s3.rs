//! Packs in a bucket of an S3-compatible store.
//!
//! Each pack is one object, written by one conditional request, so that no parts of unfinished uploads
//! are ever left. Where the bucket keeps old versions, a pack is there for as long as one version of
//! it is, or the mark that says that it was deleted.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey, Checksum, S3ConditionalPut};
use object_store::path::Path;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, PutMode, RetryConfig};

use self::http::Transport;
use self::requests::Bucket;
use self::versions::{Found, History};
use super::objects::Objects;
use super::{BodyStore, Listing, MARK, PackFound, S3Address, S3Credentials, failure};
use crate::error::BodyError;
use crate::ids::PackId;
use crate::keys::IdentityKey;

mod http;
mod requests;
mod versions;

#[cfg(any(test, feature = "faults"))]
#[expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a helper that fails should fail its test"
)]
pub mod seaweed;
#[cfg(test)]
mod tests;

/// How often a request is repeated that failed in a way that may pass, and for how long at most.
const RETRIES: usize = 5;
const RETRY_PAUSE: Duration = Duration::from_millis(200);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);
const RETRY_TIME_MAX: Duration = Duration::from_mins(1);

/// Packs in a bucket.
#[derive(Debug)]
pub struct S3Bodies {
    objects: Objects,
    bucket: Bucket,
    /// Whether the bucket was ever seen to keep old versions, which it then never ceases to hold.
    keeps_versions: AtomicBool,
}

impl S3Bodies {
    /// Marks a place in a bucket for the packs of a new vault. The bucket must be there.
    pub(crate) fn create(
        address: &S3Address,
        credentials: &S3Credentials,
        identity: &IdentityKey,
    ) -> Result<Self, BodyError> {
        let bodies = Self::over(address, credentials)?;
        if !bodies.listing()?.0.packs.is_empty() {
            return Err(BodyError::NotEmpty);
        }
        // A mark without packs was left by a creation that broke off, or is that of a new vault.
        match bodies.objects.is_marked(identity) {
            Ok(true) => {}
            Ok(false) => bodies.objects.write_mark(identity, PutMode::Create)?,
            Err(BodyError::Foreign) => return Err(BodyError::Taken),
            Err(error) => return Err(error),
        }
        Ok(bodies)
    }

    /// Opens the place that was marked at the vault's creation.
    pub fn open(
        address: &S3Address,
        credentials: &S3Credentials,
        identity: &IdentityKey,
    ) -> Result<Self, BodyError> {
        let bodies = Self::over(address, credentials)?;
        bodies.history()?;
        if bodies.objects.is_marked(identity)? { Ok(bodies) } else { Err(BodyError::Unmarked) }
    }

    fn over(address: &S3Address, credentials: &S3Credentials) -> Result<Self, BodyError> {
        let transport = Transport::new(address.endpoint())?;
        let s3 = Arc::new(client(address, credentials, &transport)?);
        let store = PrefixStore::new(Arc::clone(&s3), Path::from(address.prefix()));
        Ok(Self {
            objects: Objects::over(Arc::new(store))?,
            bucket: Bucket::new(address, transport, s3),
            keeps_versions: AtomicBool::new(false),
        })
    }

    /// Whether the bucket keeps old versions, or has kept some. It is asked each time, because others
    /// may switch it on.
    fn history(&self) -> Result<History, BodyError> {
        let history = versions::history(&self.bucket, &self.objects.runtime)?;
        if history == History::Kept {
            self.keeps_versions.store(true, Ordering::Relaxed);
        }
        Ok(if self.keeps_versions.load(Ordering::Relaxed) { History::Kept } else { history })
    }

    /// What lies in the place, old versions too, and whether the mark does.
    fn listing(&self) -> Result<(Listing, bool), BodyError> {
        match self.history()? {
            History::None => self.objects.listing(),
            History::Kept => {
                let everything = versions::list(&self.bucket, &self.objects.runtime, "")?;
                Ok(summed(&everything))
            }
        }
    }

    fn remove_one(&self, pack: PackId, history: History) -> Result<(), BodyError> {
        let name = pack.to_string();
        let runtime = &self.objects.runtime;
        if history == History::None {
            return versions::delete(&self.bucket, runtime, pack, None);
        }
        // The mark of a deletion goes last, so that a removal that breaks off is still seen.
        for version in versions::list(&self.bucket, runtime, &name)?.versions_of(&name) {
            versions::delete(&self.bucket, runtime, pack, Some(&version.id))?;
        }
        Ok(())
    }

    /// Whether exactly this content lies under the name: then the answer to its own writing was lost.
    fn is_written(&self, pack: PackId, content: &Bytes) -> Result<bool, BodyError> {
        let length = content.len() as u64;
        match self.objects.size(pack)? {
            None => Err(BodyError::Unreachable {
                operation: "write a pack",
                kind: std::io::ErrorKind::Interrupted,
            }),
            Some(size) if size != length => Ok(false),
            Some(_) if content.is_empty() => Ok(true),
            Some(_) => Ok(self.objects.read(pack, std::slice::from_ref(&(0..length)))? == [content]),
        }
    }
}

impl BodyStore for S3Bodies {
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        match self.objects.put(pack, content.clone()) {
            // A request whose answer was lost is repeated, and then finds what it has written itself.
            Err(BodyError::AlreadyThere(_)) if self.is_written(pack, &content)? => Ok(()),
            ended => ended,
        }
    }

    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        self.objects.read(pack, ranges)
    }

    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError> {
        if packs.is_empty() {
            return Ok(());
        }
        let history = self.history()?;
        let mut locked = None;
        for pack in packs {
            match self.remove_one(*pack, history) {
                // What may not go yet is no reason to keep the others.
                Err(error @ BodyError::Locked(_)) => _ = locked.get_or_insert(error),
                ended => ended?,
            }
        }
        locked.map_or(Ok(()), Err)
    }

    fn exists(&self, pack: PackId) -> Result<bool, BodyError> {
        if !self.keeps_versions.load(Ordering::Relaxed) {
            return self.objects.size(pack).map(|size| size.is_some());
        }
        let name = pack.to_string();
        let found = versions::list(&self.bucket, &self.objects.runtime, &name)?;
        Ok(found.versions_of(&name).next().is_some())
    }

    fn list(&self) -> Result<Listing, BodyError> {
        match self.listing()? {
            (listing, true) => Ok(listing),
            (_, false) => Err(BodyError::Unmarked),
        }
    }
}

/// Each pack once, as large as a reader finds it, and whether the mark is there now.
fn summed(everything: &Found) -> (Listing, bool) {
    let mut packs: BTreeMap<PackId, u64> = BTreeMap::new();
    let mut listing = Listing { packs: Vec::new(), strangers: everything.folders };
    let mut marked = false;
    for version in &everything.versions {
        match version.name.parse() {
            // What is left of a pack that somebody deleted has no length to read.
            Ok(pack) => *packs.entry(pack).or_default() += if version.is_current { version.size } else { 0 },
            Err(_) if version.name == MARK => marked |= version.is_current,
            Err(_) => listing.strangers += usize::from(version.is_current),
        }
    }
    listing.packs = packs.into_iter().map(|(pack, size)| PackFound { pack, size }).collect();
    (listing, marked)
}

/// A client that signs, whatever the environment says about conditional writes and checksums.
fn client(
    address: &S3Address,
    credentials: &S3Credentials,
    transport: &Transport,
) -> Result<AmazonS3, BodyError> {
    let retry = RetryConfig {
        backoff: BackoffConfig { init_backoff: RETRY_PAUSE, max_backoff: RETRY_PAUSE_MAX, base: 2.0 },
        max_retries: RETRIES,
        retry_timeout: RETRY_TIME_MAX,
    };
    let mut builder = AmazonS3Builder::new();
    for (name, value) in credentials.sufficient()? {
        let key: AmazonS3ConfigKey = name
            .to_ascii_lowercase()
            .parse()
            .map_err(|error| failure("read the credentials of the object store", &error))?;
        builder = builder.with_config(key, value);
    }
    builder
        .with_bucket_name(address.bucket())
        .with_endpoint(address.endpoint())
        .with_region(address.region())
        .with_virtual_hosted_style_request(false)
        .with_allow_http(address.endpoint().starts_with("http://"))
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_retry(retry)
        .with_http_connector(transport.clone())
        .build()
        .map_err(|error| failure("prepare the requests to the object store", &error))
}
