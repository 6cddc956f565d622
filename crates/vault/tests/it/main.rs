//! The vault from outside: what opens, what can never open again, and what lies on the disk.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a helper that fails should fail its test")]

mod chunked;
mod copies;
mod folders;
mod logkeys;
mod packs;

use tempfile::TempDir;
use tenure_vault::{AccountKey, PageId, Tree, Vault};

#[test]
fn a_vault_and_its_parts_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Vault>();
    shared::<tenure_vault::PackWriter>();
    shared::<tenure_vault::Wrapper>();
    shared::<tenure_vault::BodyKey>();
}

/// A vault in a folder that goes with it.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
    vault: Option<Vault>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::create(&folder.path().join("data"), &folder.path().join("keys")).unwrap();
        Self { folder, vault: Some(vault) }
    }

    pub(crate) fn vault(&self) -> &Vault {
        self.vault.as_ref().unwrap()
    }

    pub(crate) fn reopen(&mut self) {
        drop(self.vault.take());
        let folder = self.folder.path();
        self.vault = Some(Vault::open(&folder.join("data"), &folder.join("keys")).unwrap());
    }

    pub(crate) fn page(&self, tree: Tree) -> PageId {
        self.vault().pages().create(tree, 1).unwrap()[0]
    }

    pub(crate) fn account(&self) -> AccountKey {
        self.vault().account_key().unwrap()
    }
}
