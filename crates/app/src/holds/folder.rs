//! The folder that a reading under a hold writes to: only its owner may enter it, and it holds nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tenure_gate::sync_folder;

use crate::Error;

/// The index: one record a line.
const INDEX: &str = "index.jsonl";

pub(super) struct ReadingFolder {
    path: PathBuf,
    index: BufWriter<File>,
}

impl ReadingFolder {
    /// Makes the folder, or takes one that is empty, and shuts everybody else out of it.
    pub(super) fn enter(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path)?;
        if fs::read_dir(path)?.next().is_some() {
            return Err(Error::Refused(
                "the folder to read into is not empty: give a new one, so that nothing is mixed".to_owned(),
            ));
        }
        #[cfg(unix)]
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        let index = BufWriter::new(private(&path.join(INDEX))?);
        Ok(Self { path: path.to_owned(), index })
    }

    /// Writes a file of its own.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut file = private(&self.path.join(name))?;
        file.write_all(bytes)?;
        Ok(file.sync_all()?)
    }

    /// Adds a line to the index.
    pub(super) fn index(&mut self, entry: &impl Serialize) -> Result<(), Error> {
        serde_json::to_writer(&mut self.index, entry)?;
        Ok(self.index.write_all(b"\n")?)
    }

    /// Makes everything durable.
    pub(super) fn finish(mut self) -> Result<(), Error> {
        self.index.flush()?;
        self.index.get_ref().sync_all()?;
        Ok(sync_folder(&self.path)?)
    }
}

fn private(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    Ok(options.open(path)?)
}
