//! Every key store keeps the same rules, wherever its root key lies.

mod replaced;
mod rules;
#[cfg(feature = "transit")]
mod transit;

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::logkeys::LogKeys;

/// A folder for a key store, and where its root key lies.
struct Home {
    folder: TempDir,
    root: NewRoot,
    access: KeyAccess,
}

impl Home {
    fn in_folder() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), root: NewRoot::InFolder, access: KeyAccess::default() }
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("keys")
    }

    fn create(&self) -> FileKeyStore {
        let claimed = KeyFolder::claim_new(&self.keys(), &self.root).unwrap();
        claimed.create_identity().unwrap();
        FileKeyStore::create(claimed).unwrap()
    }

    fn try_open(&self) -> Result<FileKeyStore, KeyError> {
        FileKeyStore::open_with(&self.keys(), &self.access)
    }

    fn reopen(&self, store: FileKeyStore) -> FileKeyStore {
        drop(store);
        self.try_open().unwrap()
    }

    fn create_log_keys(&self) -> LogKeys {
        let now = tenure_model::Instant::from_micros(7).unwrap();
        LogKeys::create_with(&self.keys(), &self.access, &"log.example/a".parse().unwrap(), now).unwrap()
    }

    fn open_log_keys(&self) -> LogKeys {
        LogKeys::open_with(&self.keys(), &self.access).unwrap()
    }

    fn bundle_files(&self) -> usize {
        files_of(&self.keys()).iter().filter(|path| path.extension().is_some_and(|e| e == "bundle")).count()
    }

    /// Copies every file that a thief may have, into another folder.
    fn save(&self, name: &str) -> PathBuf {
        let saved = self.folder.path().join(name);
        crate::files::make_private_folder(&saved).unwrap();
        for file in files_of(&self.keys()) {
            fs::copy(&file, saved.join(file.file_name().unwrap())).unwrap();
        }
        saved
    }
}

fn files_of(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()).collect()
}

fn bytes(store: &FileKeyStore, page: PageId) -> [u8; 32] {
    *store.key(page).unwrap().secret().as_bytes()
}

fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}
