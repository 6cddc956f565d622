//! The folder of a run: claimed with a mark while the run is not finished, and never shared.

#[cfg(unix)]
use std::fs::TryLockError;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tenure_gate::{is_shard_name, sync_folder};
use tenure_store::RunId;

use super::Manifest;
use crate::Error;

/// The file that names the run which has claimed the folder.
const MARK: &str = "unfinished-run";
/// The manifest.
pub(super) const MANIFEST: &str = "manifest.json";

/// What claiming a folder found.
pub(super) enum Claimed {
    /// The folder is empty but for the mark.
    Fresh(RunFolder),
    /// The run was sealed before its mark could be removed.
    Sealed {
        /// Its manifest.
        manifest: Box<Manifest>,
        /// Its digest.
        digest: String,
    },
}

/// A folder that a run may write to.
pub(super) struct RunFolder {
    path: PathBuf,
    /// Locked for as long as it is open, so that two runs never write to one folder at once.
    #[cfg(unix)]
    _lock: File,
}

impl RunFolder {
    /// Makes the folder, or takes one that is empty or that an unfinished run has marked.
    pub(super) fn enter(path: &Path) -> Result<Self, Error> {
        fs::create_dir_all(path)?;
        #[cfg(unix)]
        let lock = lock(path)?;
        let (mut is_marked, mut is_empty, mut is_ours) = (false, true, true);
        for entry in fs::read_dir(path)? {
            let name = entry?.file_name();
            is_marked |= name == MARK;
            is_empty = false;
            is_ours &= name.to_str().is_some_and(is_ours_to_remove);
        }
        if is_empty || is_marked && is_ours {
            return Ok(Self {
                path: path.to_owned(),
                #[cfg(unix)]
                _lock: lock,
            });
        }
        Err(Error::Refused(
            "the folder for the run is not empty: give a new one, so that nothing is mixed".to_owned(),
        ))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The run that has claimed the folder; `None` for an empty one.
    pub(super) fn mark(&self) -> Result<Option<RunId>, Error> {
        match fs::read_to_string(self.path.join(MARK)) {
            Ok(text) => match text.trim().parse() {
                Ok(id) => Ok(Some(id)),
                // A crash cut the mark short, so that no run can have followed it.
                Err(_) => self.clear().map(|()| None),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Claims the folder durably, before the store speaks of the run.
    pub(super) fn set_mark(&self, id: RunId) -> Result<(), Error> {
        self.write(MARK, id.to_string().as_bytes())
    }

    pub(super) fn write_manifest(&self, text: &[u8]) -> Result<(), Error> {
        self.write(MANIFEST, text)
    }

    /// Removes what an unfinished run left. The mark goes last, since without it the rest is a stranger's.
    pub(super) fn clear(&self) -> Result<(), Error> {
        for entry in fs::read_dir(&self.path)? {
            let name = entry?.file_name();
            if name != MARK && name.to_str().is_some_and(is_ours_to_remove) {
                fs::remove_file(self.path.join(name))?;
            }
        }
        sync_folder(&self.path)?;
        self.release()
    }

    /// Removes the mark: the run is finished, or gone.
    pub(super) fn release(&self) -> Result<(), Error> {
        match fs::remove_file(self.path.join(MARK)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Ok(sync_folder(&self.path)?)
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file: File = options.open(self.path.join(name))?;
        file.write_all(bytes)?;
        file.sync_all()?;
        Ok(sync_folder(&self.path)?)
    }
}

#[cfg(unix)]
fn lock(path: &Path) -> Result<File, Error> {
    let folder = File::open(path)?;
    match folder.try_lock() {
        Ok(()) => Ok(folder),
        Err(TryLockError::WouldBlock) => Err(Error::Refused(
            "another run is being written to this folder: wait until it is done, or give another folder"
                .to_owned(),
        )),
        Err(TryLockError::Error(error)) => Err(error.into()),
    }
}

fn is_ours_to_remove(name: &str) -> bool {
    name == MARK || name == MANIFEST || is_shard_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_anything_strange_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let strange = folder.path().join("thesis.txt");
        fs::write(&strange, "mine").unwrap();
        assert!(matches!(RunFolder::enter(folder.path()), Err(Error::Refused(_))));
        fs::write(folder.path().join(MARK), RunId([1; 16]).to_string()).unwrap();
        assert!(matches!(RunFolder::enter(folder.path()), Err(Error::Refused(_))));
        assert!(strange.exists());
    }

    #[test]
    fn two_runs_never_write_to_one_folder_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let first = RunFolder::enter(folder.path()).unwrap();
        assert!(matches!(RunFolder::enter(folder.path()), Err(Error::Refused(_))));
        drop(first);
        assert!(RunFolder::enter(folder.path()).is_ok());
    }

    #[test]
    fn a_finished_run_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(MANIFEST), "{}").unwrap();
        assert!(matches!(RunFolder::enter(folder.path()), Err(Error::Refused(_))));
    }

    #[test]
    fn what_an_unfinished_run_left_is_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let run = RunFolder::enter(folder.path()).unwrap();
        run.set_mark(RunId([1; 16])).unwrap();
        fs::write(folder.path().join("shard-00000.jsonl"), "half").unwrap();
        drop(run);
        let run = RunFolder::enter(folder.path()).unwrap();
        assert_eq!(run.mark().unwrap(), Some(RunId([1; 16])));
        run.clear().unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
