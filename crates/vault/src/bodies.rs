//! Where packs lie: the port, and what the stores behind it share.
//!
//! [`FolderBodies`] keeps packs as files in one folder, and with the feature `s3` there is a bucket of
//! an S3-compatible store. [`BodyPlace`] chooses between them. `suite` holds the rules that every
//! store keeps; it runs over each.

use std::collections::HashSet;
use std::error::Error;
use std::fmt::Debug;
use std::io;
use std::ops::Range;

use bytes::Bytes;

use crate::error::BodyError;
use crate::ids::PackId;
use crate::keys::IdentityKey;

mod address;
mod folder;
mod objects;
mod place;
#[cfg(feature = "s3")]
mod s3;
#[cfg(test)]
mod suite;

pub use address::{S3Address, S3Credentials};
pub use folder::FolderBodies;
pub use place::BodyPlace;
#[cfg(feature = "s3")]
pub use s3::S3Bodies;
#[cfg(all(feature = "s3", any(test, feature = "faults")))]
pub use s3::seaweed;

/// The object that marks the place as this vault's.
const MARK: &str = "vault-mark";

/// A pack that a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackFound {
    /// The pack.
    pub pack: PackId,
    /// How many bytes of it can be read: none where only old versions of it are left.
    pub size: u64,
}

/// What lies in a store of packs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The packs, in the order of their names.
    pub packs: Vec<PackFound>,
    /// How many other objects and folders lie there, which no vault has made.
    pub strangers: usize,
}

/// Where packs lie. The vault gives only ciphertext to it.
pub trait BodyStore: Debug + Send + Sync {
    /// Stores a new pack, whole or not at all; it survives a crash once this returns.
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError>;

    /// Parts of one pack, in the order asked for and each of its full length.
    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError>;

    /// Removes packs durably, with every version of them that the store keeps. Packs that
    /// are gone already are no error, and the call may be repeated.
    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError>;

    /// Whether the store finds the pack when asked for it by name, be it only as an old version that
    /// was kept when the pack was removed.
    ///
    /// `false` is no proof: an unmounted folder finds nothing either.
    fn exists(&self, pack: PackId) -> Result<bool, BodyError>;

    /// Everything in the store, old versions too. It is an error if the listing cannot be shown to be
    /// of this vault's own store, so that an empty one is never mistaken for packs that were removed.
    fn list(&self) -> Result<Listing, BodyError>;
}

/// Those of the packs that are proved absent: asked for by name and not found, and missing from a
/// listing that is known to be of the right store.
pub(crate) fn absent(store: &dyn BodyStore, packs: &[PackId]) -> Result<Vec<bool>, BodyError> {
    let listed: HashSet<PackId> = store.list()?.packs.into_iter().map(|found| found.pack).collect();
    packs.iter().map(|pack| Ok(!listed.contains(pack) && !store.exists(*pack)?)).collect()
}

/// What marks a place of packs as belonging to the key folder of this identity.
fn mark(identity: &IdentityKey) -> [u8; 32] {
    identity.identify(&[b"tenure/packs/v1"])
}

fn from_io(operation: &'static str) -> impl Fn(io::Error) -> BodyError {
    move |error| BodyError::Unreachable { operation, kind: error.kind() }
}

/// Keeps only the kind of the failure: the messages of `object_store` name the path.
fn failure(operation: &'static str, error: &object_store::Error) -> BodyError {
    if let object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } = error
    {
        return BodyError::Denied { operation };
    }
    let mut cause: Option<&dyn Error> = Some(error);
    let mut kind = io::ErrorKind::Other;
    while let Some(current) = cause {
        if let Some(error) = current.downcast_ref::<io::Error>() {
            kind = error.kind();
        }
        cause = current.source();
    }
    BodyError::Unreachable { operation, kind }
}
