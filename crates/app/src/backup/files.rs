//! Durable copies of files and folders.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::BackupError;
use crate::Error;

/// What is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The journal is looked through.
    Journal,
    /// The database is copied.
    Database,
    /// Packs are copied.
    Packs,
    /// Files are compared with what was backed up.
    Files,
}

/// Is told how much of how much is done.
pub(crate) type Told<'p> = &'p mut dyn FnMut(Step, u64, u64);

/// Makes a folder that is empty but for a marker that says that it is unfinished. The rest of an attempt that was
/// cut short is cleared away; anything else is left alone and refused.
pub(super) fn begin(folder: &Path, marker: &str, never_with: &[&str]) -> Result<(), Error> {
    make_folder(folder)?;
    let place = folder.join(marker);
    let whole = never_with.iter().any(|name| folder.join(name).exists());
    if fs::exists(&place)? && !whole {
        clear(folder, marker)?;
    } else if fs::read_dir(folder)?.next().is_some() {
        return Err(BackupError::FolderTaken.into());
    }
    write(&place, b"")?;
    sync_folder(folder)?;
    sync_parent(folder)?;
    Ok(())
}

/// Removes all that lies in a folder but one file.
fn clear(folder: &Path, but: &str) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name() == but {
            continue;
        }
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    sync_folder(folder)
}

/// Makes a folder that only its owner may enter, unless it is there.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    if fs::exists(folder)? {
        return Ok(());
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// A new file for its owner alone.
fn create(place: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(place)
}

/// Writes a file whole, durably but for its name.
pub(super) fn write(place: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = create(place)?;
    file.write_all(content)?;
    file.sync_all()
}

pub(super) fn remove(place: &Path) -> io::Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies a file, durably but for its name.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut read = File::open(from)?;
    let mut file = create(to)?;
    io::copy(&mut read, &mut file)?;
    file.sync_all()
}

/// Gives a file that never changes a second name, or copies it where that can't be. `false` if it is not there.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> io::Result<bool> {
    match fs::hard_link(from, to) {
        Ok(()) => return Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        Err(_) => {}
    }
    match copy(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// How many bytes a file has, and its SHA-256.
pub(super) fn digest(place: &Path) -> io::Result<(u64, [u8; 32])> {
    let mut file = File::open(place)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0_u64);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        let Some(part) = buffer.get(..read).filter(|part| !part.is_empty()) else { break };
        hash.update(part);
        bytes += read as u64;
    }
    Ok((bytes, hash.finalize().into()))
}

/// Makes names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    fs::metadata(folder)?;
    Ok(())
}

fn sync_parent(folder: &Path) -> io::Result<()> {
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}
