//! The file of the log's keys in the key folder, sealed under its root key.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::error::LogKeyError;
use super::ring::{Ring, Unreadable};
use crate::error::KeyError;
use crate::files::{self, Change};
use crate::keystore::sealed::{LOG_KEYS, LOG_KEYS_FILE};
use crate::keystore::{KeyAccess, ROOT_FILE, Roots, fingerprint, read_private, read_roots};

/// The newest checkpoint that was published. It is public, so it is not sealed.
const MARK_FILE: &str = "log-mark";

/// Reads the keys of a folder, if it has any.
///
/// Another process may replace the root key meanwhile. What was then read of both does not fit together, so
/// it is read again.
pub(super) fn read(folder: &Path, access: &KeyAccess) -> Result<Option<Ring>, LogKeyError> {
    check_private(folder)?;
    loop {
        let before = fingerprint(folder)?;
        match read_once(folder, access) {
            Err(_) if fingerprint(folder)? != before => {}
            found => return found,
        }
    }
}

fn read_once(folder: &Path, access: &KeyAccess) -> Result<Option<Ring>, LogKeyError> {
    let file = read_private(folder, LOG_KEYS_FILE)?;
    let roots = read_roots(folder, access)?.roots;
    let Some(file) = file else { return Ok(None) };
    parse(&roots, &file).map(Some)
}

fn parse(roots: &Roots, file: &[u8]) -> Result<Ring, LogKeyError> {
    let text = LOG_KEYS.open(roots, LOG_KEYS_FILE, file).map_err(|error| match error {
        KeyError::SealedDamaged => LogKeyError::Damaged,
        other => other.into(),
    })?;
    Ring::from_text(&text).map_err(|unreadable| match unreadable {
        Unreadable::LaterVersion => LogKeyError::LaterVersion,
        Unreadable::Malformed => LogKeyError::Damaged,
    })
}

/// Puts keys in the place of what there is, if `check` finds that to be as it should be.
///
/// The folder has the old keys or the new ones at every moment, and the new ones durably on return.
pub(super) fn replace(
    folder: &Path,
    access: &KeyAccess,
    ring: &Ring,
    check: impl FnOnce(Option<&Ring>) -> Result<(), LogKeyError>,
) -> Result<(), LogKeyError> {
    check_private(folder)?;
    // Whoever replaces the root key needs this lock for its last steps, so the root that is read under it
    // is one that the file will be looked for under.
    let lock = files::lock_log_keys(folder).map_err(KeyError::from_io("lock the keys of the log"))?;
    let roots = read_roots(folder, access)?.roots;
    let present = read_private(folder, LOG_KEYS_FILE)?.map(|file| parse(&roots, &file)).transpose()?;
    check(present.as_ref())?;
    let content = LOG_KEYS.seal(roots.newest(), LOG_KEYS_FILE, ring.to_text().as_bytes())?;
    let change = Change::Write { name: LOG_KEYS_FILE.to_owned(), content: content.into() };
    files::apply(folder, &[change]).map_err(KeyError::from_io("write to the key folder"))?;
    drop(lock);
    Ok(())
}

/// The mark of a folder, if it has one.
pub(super) fn read_mark(folder: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, LogKeyError> {
    Ok(read_private(folder, MARK_FILE)?)
}

/// Replaces the mark durably.
pub(super) fn write_mark(folder: &Path, note: Vec<u8>) -> Result<(), LogKeyError> {
    let change = Change::Write { name: MARK_FILE.to_owned(), content: note.into() };
    Ok(files::apply(folder, &[change]).map_err(KeyError::from_io("write to the key folder"))?)
}

/// Fails unless there is such a folder, and only its owner may enter it.
fn check_private(folder: &Path) -> Result<(), KeyError> {
    match files::is_private(folder) {
        Ok(true) => {}
        Ok(false) => return Err(KeyError::TooOpen(".")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(KeyError::Missing(ROOT_FILE)),
        Err(error) => return Err(KeyError::from_io("look into the key folder")(error)),
    }
    // Checked before a lock file is made, so that a wrong folder has nothing left in it.
    match fs::exists(folder.join(ROOT_FILE)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(KeyError::Missing(ROOT_FILE)),
        Err(error) => Err(KeyError::from_io("look for the root key")(error)),
    }
}
