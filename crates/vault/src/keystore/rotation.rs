//! Replacing the root key while the store is in use.
//!
//! 1. The next root is made, and `root.next` says how it is had. From here on it seals what is written.
//! 2. Each sealed file is sealed anew, one at a time; others may write between two of them.
//! 3. Every file is opened under the next root. Only then `root.key` is replaced.
//! 4. The custody destroys what opens earlier roots elsewhere, and the folder is looked through for the
//!    earlier root itself.
//! 5. `root.next` is removed, which says that all is done.
//!
//! A crash between any two steps leaves every file openable by what the two root files say, and the next
//! opening goes on from step 2. Every step may be repeated.

use std::sync::PoisonError;

use super::folder::{NEXT_FILE, ROOT_FILE, check_sealed, nothing_ages, read_private, resealed};
use super::root::{Root, RootFile};
use super::sealed::LOG_KEYS_FILE;
use super::{FileKeyStore, Writing};
use crate::error::KeyError;
use crate::files::{self, Change};
use crate::keys::Secret;

impl FileKeyStore {
    /// Replaces the root key, and destroys the one before.
    pub(super) fn replace_root(&self) -> Result<(), KeyError> {
        let one_at_a_time = self.rotating.lock().unwrap_or_else(PoisonError::into_inner);
        // A replacement that failed in this process is finished first, so that there are never three roots.
        if self.take_up_next()? {
            self.finish_rotation()?;
        }
        let version = self.writing().roots.newest().version();
        let version = version.checked_add(1).ok_or(KeyError::RootDamaged(ROOT_FILE))?;
        let (root, file) = self.custody.make(version)?;
        {
            let mut writing = self.writing();
            self.folder.check_in_place()?;
            let change = Change::Write { name: NEXT_FILE.to_owned(), content: file.to_bytes() };
            self.folder.apply(&[change])?;
            writing.follow(root, file);
        }
        self.finish_rotation()?;
        drop(one_at_a_time);
        Ok(())
    }

    /// Takes over a next root that was written while the answer said that it was not. Whether there is one.
    fn take_up_next(&self) -> Result<bool, KeyError> {
        let mut writing = self.writing();
        let Some(bytes) = read_private(&self.folder.path, NEXT_FILE)? else { return Ok(false) };
        let next = RootFile::parse(NEXT_FILE, &bytes)?;
        if next.version() != writing.roots.newest().version() {
            let root = self.custody.open(&next)?;
            writing.follow(root, next);
        }
        Ok(true)
    }

    /// Steps 2 to 5.
    pub(super) fn finish_rotation(&self) -> Result<(), KeyError> {
        for name in self.folder.names()?.iter().filter(|name| *name != LOG_KEYS_FILE) {
            self.reseal(&self.writing(), name)?;
        }
        // Whoever writes the keys of the log holds their lock from before looking for the root. So none of
        // them can still seal under the earlier one once it is ours.
        let of_log =
            files::lock_log_keys(&self.folder.path).map_err(KeyError::from_io("lock the keys of the log"))?;
        let mut writing = self.writing();
        self.folder.check_in_place()?;
        self.reseal(&writing, LOG_KEYS_FILE)?;
        for name in self.folder.names()? {
            if let Some(file) = self.folder.read(&name)? {
                check_sealed(&writing.roots, &name, &file)?;
            }
        }
        let file = writing.file.to_bytes();
        self.folder.supersede(ROOT_FILE, &file)?;
        // Others go on while a server is asked, which may take its time.
        drop(writing);
        drop(of_log);
        self.custody.retain_only(&RootFile::parse(ROOT_FILE, &file)?)?;
        writing = self.writing();
        if let Some(earlier) = writing.roots.earlier() {
            self.verify_gone(earlier.secret())?;
        }
        let newest = writing.roots.newest().version();
        // Pages that were destroyed under the new root may lie in saved copies under it.
        let aged = self.folder.ageing()?.is_some_and(|version| version < newest);
        let mut changes = Vec::new();
        changes.extend(aged.then(nothing_ages));
        changes.push(Change::Remove { name: NEXT_FILE.to_owned() });
        self.folder.apply(&changes)?;
        writing.roots.forget_earlier();
        writing.ageing = self.folder.ageing()?;
        Ok(())
    }

    fn reseal(&self, writing: &Writing, name: &str) -> Result<(), KeyError> {
        let Some(file) = self.folder.read(name)? else { return Ok(()) };
        let Some(content) = resealed(&writing.roots, name, &file)? else { return Ok(()) };
        self.folder.apply(&[Change::Write { name: name.to_owned(), content }])
    }

    /// Fails if any file of the folder holds these bytes.
    fn verify_gone(&self, secret: &Secret) -> Result<(), KeyError> {
        for name in self.folder.names()? {
            let file = self.folder.read(&name)?;
            if file.is_some_and(|file| file.windows(Secret::LEN).any(|part| part == secret.as_bytes())) {
                return Err(KeyError::RootRemains);
            }
        }
        Ok(())
    }
}

impl Writing {
    /// Lets the next root seal from now on.
    fn follow(&mut self, root: Root, file: RootFile) {
        self.roots.follow(root);
        self.file = file;
    }
}
