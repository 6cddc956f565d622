//! Bodies, the keys that open them, and the files that both lie in.
//!
//! A *body key* belongs to one record. What one import appends to a record is a *segment*, encrypted
//! on its own under that key; many segments share one *pack*. A *copy* is one wrap of the body key, and
//! opens only with two keys, its account's and its page's. Wraps are stored by the caller, in SQL;
//! page keys are held by a [`KeyStore`] outside SQL, because a deleted row survives in freelists,
//! write-ahead logs and backups. To destroy a page key is to destroy every wrap of the page.
//!
//! The public interface is synchronous. It drives a small runtime of its own, so asynchronous callers
//! must call it from a thread that may block.
//!
//! # Adding a store
//! A key store implements [`KeyStore`], a store of packs [`BodyStore`]; their doc comments state what
//! the vault relies on. [`Vault::from_parts`] joins them, and [`BodyPlace`] is where a data folder
//! chooses between stores of packs; each of these runs the rules in `bodies/suite.rs`. The `faults`
//! feature has wrappers that lose a write, or do it and report a failure.

mod bodies;
mod bundle;
mod chunked;
mod cipher;
mod error;
#[cfg(any(test, feature = "faults"))]
pub mod faults;
mod files;
mod ids;
mod journal;
#[cfg(any(test, feature = "key-log"))]
pub mod keylog;
#[cfg(not(any(test, feature = "key-log")))]
mod keylog;
mod keys;
mod keystore;
mod logkeys;
mod names;
mod pack;
mod page;
mod vault;
mod wrap;

#[cfg(feature = "s3")]
pub use bodies::S3Bodies;
#[cfg(all(feature = "s3", any(test, feature = "faults")))]
pub use bodies::seaweed;
pub use bodies::{BodyPlace, BodyStore, FolderBodies, Listing, PackFound, S3Address, S3Credentials};
pub use cipher::CipherError;
pub use error::{BodyError, KeyError, OpenError, TransitError, VaultError};
pub use ids::{MalformedId, PackId, PageId};
pub use journal::{Journal, JournalFault, JournalPlace, Tag, Visit};
pub use keys::{AccountKey, BodyKey, IdentityKey, ProofKey};
#[cfg(feature = "transit")]
pub use keystore::TransitServer;
#[cfg(all(feature = "transit", any(test, feature = "faults")))]
pub use keystore::openbao;
pub use keystore::{FileKeyStore, KeyAccess, NewRoot};
pub use logkeys::{LogKey, LogKeyError, LogKeys};
pub use names::{AccountName, CopyName, SegmentName};
pub use pack::{PACK_BYTES_MAX, PackWriter, Place, Reading};
pub use page::{
    Ageing, AgeingOut, KeyStore, PAGE_WRAPS_MAX, PageFound, PageKey, RootHome, RootInForce, Tree,
};
pub use vault::Vault;
pub use wrap::{MalformedWrap, Wrap, Wrapper};
