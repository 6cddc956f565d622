//! Pages, the trees they hang in, and the port behind which their keys are held.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tenure_model::Instant;

use crate::error::KeyError;
use crate::ids::PageId;
use crate::keys::Secret;

/// The most wraps that may be filed under one page. What an early destruction costs is bounded by it.
pub const PAGE_WRAPS_MAX: usize = 256;

/// What a page's wraps have in common. Trees are kept apart, so that destroying the pages of one
/// never takes what must survive in another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tree {
    /// Copies on their way to the end of their term.
    Ordinary,
    /// Copies that a hold preserves.
    Held,
    /// Copies that a flag preserves.
    Flagged,
    /// Copies kept with a thumb or a bug report.
    Feedback,
    /// Account keys.
    Account,
    /// Proof keys: what lets an account's decisions and statements be shown after its bodies are gone.
    Proof,
}

impl Tree {
    /// Whether the tree's pages hold copies of bodies.
    pub const fn holds_copies(self) -> bool {
        matches!(self, Self::Ordinary | Self::Held | Self::Flagged | Self::Feedback)
    }

    pub(crate) const fn id(self) -> u8 {
        match self {
            Self::Ordinary => 1,
            Self::Held => 2,
            Self::Flagged => 3,
            Self::Feedback => 4,
            Self::Account => 5,
            Self::Proof => 6,
        }
    }

    pub(crate) const fn from_id(id: u8) -> Option<Self> {
        Some(match id {
            1 => Self::Ordinary,
            2 => Self::Held,
            3 => Self::Flagged,
            4 => Self::Feedback,
            5 => Self::Account,
            6 => Self::Proof,
            _ => return None,
        })
    }
}

/// The key of one page. Clones share the same bytes, which are wiped with the last of them.
#[derive(Debug, Clone)]
pub struct PageKey {
    tree: Tree,
    secret: Arc<Secret>,
}

impl PageKey {
    pub(crate) fn new(tree: Tree, secret: Secret) -> Self {
        Self { tree, secret: Arc::new(secret) }
    }

    /// The tree that the page hangs in.
    pub const fn tree(&self) -> Tree {
        self.tree
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
}

/// A page that a key store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PageFound {
    /// The page.
    pub page: PageId,
    /// The tree that it hangs in.
    pub tree: Tree,
}

/// Where page keys lie: outside SQL, so that a key that was destroyed is in no freelist and no backup.
pub trait KeyStore: Debug + Send + Sync {
    /// Makes that many pages. They survive a crash once this returns; after an error some may exist,
    /// which nobody can name and which [`KeyStore::pages`] shows.
    fn create(&self, tree: Tree, count: usize) -> Result<Vec<PageId>, KeyError>;

    /// The key of a page: [`KeyError::Unknown`] only if the store is sure that it has none.
    fn key(&self, page: PageId) -> Result<PageKey, KeyError>;

    /// Destroys page keys for good. It is durable when this returns, pages that are gone already are
    /// no error, and after an error the whole call may be repeated.
    fn destroy(&self, pages: &[PageId]) -> Result<(), KeyError>;

    /// What lies in the store now, read from where it lies and not from memory.
    fn pages(&self) -> Result<Vec<PageFound>, KeyError>;

    /// For each page, whether its key is proved absent from where keys lie: what could not be looked at is an
    /// error.
    fn absent(&self, pages: &[PageId]) -> Result<Vec<bool>, KeyError> {
        let found: HashSet<PageId> = self.pages()?.into_iter().map(|found| found.page).collect();
        Ok(pages.iter().map(|page| !found.contains(page)).collect())
    }

    /// Replaces the root key that page keys are sealed under, and destroys every earlier one.
    ///
    /// Others use the store meanwhile. Whatever of the key folder was saved before opens nothing once this
    /// returns, unless the root key was saved with it. After an error or a crash everything can still be
    /// read; the next call, or the next opening of the store, goes on.
    fn rotate_root(&self) -> Result<RootInForce, KeyError>;

    /// The root key in force.
    fn root(&self) -> Result<RootInForce, KeyError>;

    /// What destroyed pages could still be opened with, as far as the store knows. Nothing here is known to
    /// exist; it is what could have been saved.
    fn ageing_out(&self) -> Result<Vec<AgeingOut>, KeyError>;
}

/// A root key: which one it is, and where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootInForce {
    /// Counted from 1; each replacement counts one.
    pub version: u32,
    /// Where it lies.
    pub home: RootHome,
}

/// Where a root key lies.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RootHome {
    /// In the key folder.
    Folder,
    /// Wrapped by a key of a Transit engine, which never leaves its server.
    Transit {
        /// Where the engine is mounted.
        mount: String,
        /// The name of the key.
        key: String,
    },
}

/// Something that would still open what was destroyed, if anybody has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgeingOut {
    /// What it is.
    pub what: Ageing,
    /// When it ends by itself; none if the root key has to be replaced for that.
    pub until: Option<Instant>,
}

/// What is ageing out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ageing {
    /// Copies of key bundles that were saved before pages in them were destroyed. The root key of today
    /// opens them.
    SavedBundles,
    /// The root key before today's, whose replacement was begun and not finished.
    EarlierRoot,
}

impl Ageing {
    /// The same in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::SavedBundles => {
                "copies of key bundles saved before the last destruction, which today's root key opens"
            }
            Self::EarlierRoot => "the earlier root key, whose replacement is not finished",
        }
    }
}
