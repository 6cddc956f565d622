//! The file of the log's keys in the key folder: `magic (8) ‖ sealed(text)`, under the root key.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::Path;

use zeroize::Zeroizing;

use super::error::LogKeyError;
use super::ring::{Ring, Unreadable};
use crate::cipher::{Algorithm, Cipher, derive};
use crate::error::KeyError;
use crate::files::{self, Change};
use crate::keys::Secret;
use crate::names::Fields;

/// The name of the root key's file, which the key store writes.
const ROOT_FILE: &str = "root.key";
const KEYS_FILE: &str = "log-keys";
/// The newest checkpoint that was published. It is public, so it is not sealed.
const MARK_FILE: &str = "log-mark";
/// Held by whoever replaces the keys; the key store's own lock is the vault's, which may be open.
const LOCK_FILE: &str = "log-keys.lock";
const MAGIC: &[u8; 8] = b"TNRLOGK1";
const LABEL: &str = "tenure/log-keys/v1";

/// Reads the keys of a folder, if it has any.
pub(super) fn read(folder: &Path) -> Result<Option<Ring>, LogKeyError> {
    let cipher = cipher(folder)?;
    let Some(file) = read_private(folder, KEYS_FILE)? else { return Ok(None) };
    let sealed = file.strip_prefix(MAGIC).ok_or(LogKeyError::Damaged)?;
    let text = cipher.open(binding().as_bytes(), sealed).map_err(|_| LogKeyError::Damaged)?;
    let ring = Ring::from_text(&Zeroizing::new(text)).map_err(|unreadable| match unreadable {
        Unreadable::LaterVersion => LogKeyError::LaterVersion,
        Unreadable::Malformed => LogKeyError::Damaged,
    })?;
    Ok(Some(ring))
}

/// Puts keys in the place of what there is, if `check` finds that to be as it should be.
///
/// The folder has the old keys or the new ones at every moment, and the new ones durably on return.
pub(super) fn replace(
    folder: &Path,
    ring: &Ring,
    check: impl FnOnce(Option<&Ring>) -> Result<(), LogKeyError>,
) -> Result<(), LogKeyError> {
    let cipher = cipher(folder)?;
    let lock = lock(folder).map_err(KeyError::from_io("lock the keys of the log"))?;
    check(read(folder)?.as_ref())?;
    let mut content = MAGIC.to_vec();
    cipher.seal_into(binding().as_bytes(), ring.to_text().as_bytes(), &mut content)?;
    let change = Change::Write { name: KEYS_FILE.to_owned(), content: content.into() };
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

fn lock(folder: &Path) -> io::Result<File> {
    let file = files::open_private(&folder.join(LOCK_FILE))?;
    file.lock()?;
    Ok(file)
}

/// The cipher of the file, from the folder's root key.
fn cipher(folder: &Path) -> Result<Cipher, LogKeyError> {
    match files::is_private(folder) {
        Ok(true) => {}
        Ok(false) => return Err(KeyError::TooOpen(".").into()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(KeyError::Missing(ROOT_FILE).into()),
        Err(error) => return Err(KeyError::from_io("look into the key folder")(error).into()),
    }
    let root = read_private(folder, ROOT_FILE)?;
    let root = root.as_deref().and_then(|bytes| Secret::from_slice(bytes));
    let root = root.ok_or(KeyError::Missing(ROOT_FILE))?;
    Ok(Cipher::new(Algorithm::GcmSiv, &derive(root.as_bytes(), LABEL)?)?)
}

/// A file that nobody else may read, if it is there.
fn read_private(folder: &Path, name: &'static str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    let place = folder.join(name);
    let private = match files::is_private(&place) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(KeyError::from_io("read the key folder"))?,
    };
    if !private {
        return Err(KeyError::TooOpen(name));
    }
    let bytes = fs::read(&place).map_err(KeyError::from_io("read the key folder"))?;
    Ok(Some(Zeroizing::new(bytes)))
}

fn binding() -> Fields {
    let mut fields = Fields::new(LABEL, Algorithm::GcmSiv);
    fields.add(MAGIC);
    fields
}
