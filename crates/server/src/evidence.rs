//! Signed checkpoints that contradict each other, kept byte for byte: together they prove what a log has signed.

use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::files::{self, Readers};

/// Keeps what was known and what is shown beside a file, under names that say what is wrong.
pub(crate) fn keep(
    beside: &Path,
    code: &str,
    known: Option<&[u8]>,
    shown: &[u8],
) -> io::Result<Vec<PathBuf>> {
    files::make_folder(files::folder_of(beside))?;
    let digest = Sha256::digest(shown);
    let id = files::hex(digest.get(..6).unwrap_or_default());
    let put = |what: &str, bytes: &[u8]| -> io::Result<PathBuf> {
        let path = files::with_suffix(beside, &format!(".{code}-{id}.{what}"));
        files::replace(&path, bytes, Readers::All)?;
        Ok(path)
    };
    known.map(|bytes| put("known", bytes)).into_iter().chain([put("shown", shown)]).collect()
}

/// How many checkpoints that contradict what was known are kept beside a file.
pub(crate) fn count(beside: &Path) -> io::Result<usize> {
    let Some(name) = beside.file_name() else { return Ok(0) };
    let kept = |entry: io::Result<std::fs::DirEntry>| -> io::Result<bool> {
        let entry = entry?.file_name();
        let entry = entry.as_encoded_bytes();
        Ok(entry.starts_with(name.as_encoded_bytes()) && entry.ends_with(b".shown"))
    };
    let found = std::fs::read_dir(files::folder_of(beside))?.map(kept);
    Ok(found.collect::<io::Result<Vec<bool>>>()?.into_iter().filter(|kept| *kept).count())
}
