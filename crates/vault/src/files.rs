//! Durable changes to a folder of small secret files.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// The ending of a file that is not in force yet. One that is found at opening was left by a crash.
const TEMPORARY: &str = "tmp";
/// Held by whoever replaces the keys of the log; the key store's own lock is the vault's, which may be open.
const LOG_KEYS_LOCK_FILE: &str = "log-keys.lock";

/// One change to a folder.
pub(crate) enum Change {
    /// The file is to have this content, whatever it had.
    Write { name: String, content: Zeroizing<Vec<u8>> },
    /// The file is to be gone.
    Remove { name: String },
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Self::Write { name, .. } | Self::Remove { name } => name,
        }
    }
}

/// Makes the changes, each of them whole or not at all, and all of them durable on return.
///
/// After an error some may have been made. Asking for the same again is then safe and makes the rest.
pub(crate) fn apply(folder: &Path, changes: &[Change]) -> io::Result<()> {
    for change in changes {
        if let Change::Write { name, content } = change {
            write_temporary(folder, name, content)?;
        }
    }
    let mut superseded = Vec::new();
    for change in changes {
        let place = folder.join(change.name());
        superseded.extend(open_if_there(&place)?);
        step()?;
        match change {
            Change::Write { name, .. } => fs::rename(temporary(folder, name), &place)?,
            Change::Remove { .. } => remove_if_there(&place)?,
        }
    }
    step()?;
    sync_folder(folder)?;
    for file in &superseded {
        step()?;
        overwrite(file);
    }
    Ok(())
}

/// Replaces a file whose earlier content must go, also if a crash comes between.
///
/// The earlier file keeps a temporary name until it is overwritten. So what a crash leaves is found at the
/// next opening, where an unnamed file would be out of reach.
pub(crate) fn supersede(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    let (place, earlier) = (folder.join(name), temporary(folder, &format!("{name}.earlier")));
    write_temporary(folder, name, content)?;
    step()?;
    remove_if_there(&earlier)?;
    step()?;
    fs::hard_link(&place, &earlier)?;
    step()?;
    fs::rename(temporary(folder, name), &place)?;
    step()?;
    sync_folder(folder)?;
    step()?;
    discard(&earlier)?;
    step()?;
    sync_folder(folder)
}

/// Waits for the right to replace the keys of the log. It ends with the file that is returned.
pub(crate) fn lock_log_keys(folder: &Path) -> io::Result<File> {
    let file = open_private(&folder.join(LOG_KEYS_LOCK_FILE))?;
    file.lock()?;
    Ok(file)
}

/// Makes a folder that only its owner may enter.
pub(crate) fn make_private_folder(folder: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)?;
    #[cfg(unix)]
    fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    sync_parent(folder)
}

/// Whether nobody but the owner has any right to it.
pub(crate) fn is_private(place: &Path) -> io::Result<bool> {
    let metadata = fs::metadata(place)?;
    #[cfg(unix)]
    let private = {
        let others = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077;
        others == 0
    };
    #[cfg(not(unix))]
    let private = metadata.is_dir() || metadata.is_file();
    Ok(private)
}

/// Removes what a crash left behind before it came into force.
pub(crate) fn remove_temporaries(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let place = entry?.path();
        if place.extension() == Some(OsStr::new(TEMPORARY)) {
            discard(&place)?;
        }
    }
    // What is read from now on is durable, also if the crash came between a rename and its sync.
    sync_folder(folder)
}

/// Makes additions to and removals from the folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    fs::metadata(folder)?;
    Ok(())
}

/// A file that only its owner may read, emptied if it was there.
pub(crate) fn open_private(place: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(place)
}

fn sync_parent(folder: &Path) -> io::Result<()> {
    match folder.parent() {
        Some(parent) if parent.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

fn temporary(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.{TEMPORARY}"))
}

fn write_temporary(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    step()?;
    let mut file = open_private(&temporary(folder, name))?;
    let (first, rest) = content.split_at(content.len() / 2);
    step()?;
    file.write_all(first)?;
    step()?;
    file.write_all(rest)?;
    step()?;
    file.sync_all()
}

/// Overwrites a file that nobody needs, and removes it. What has another name still is only let go of: it
/// may be in force under that.
fn discard(place: &Path) -> io::Result<()> {
    if let Some(file) = open_if_there(place)?
        && names_of(&file)? == 1
    {
        overwrite(&file);
    }
    step()?;
    remove_if_there(place)
}

#[cfg(unix)]
fn names_of(file: &File) -> io::Result<u64> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?))
}

/// Where the names of a file can't be counted, it is taken to have another.
#[cfg(not(unix))]
fn names_of(_: &File) -> io::Result<u64> {
    Ok(2)
}

/// A place where a crash can come. Outside tests none is made to.
#[cfg(not(test))]
#[expect(clippy::unnecessary_wraps, reason = "in tests it fails")]
pub(crate) const fn step() -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use crash::step;

/// Crashes on command, for the thread that asks for one.
#[cfg(test)]
pub(crate) mod crash {
    use std::cell::Cell;
    use std::io;

    thread_local! {
        static LEFT: Cell<Option<usize>> = const { Cell::new(None) };
        static PASSED: Cell<usize> = const { Cell::new(0) };
    }

    /// Lets this many steps pass and every later one fail, as if the process were gone.
    pub(crate) fn after(steps: usize) {
        LEFT.set(Some(steps));
    }

    /// Lets everything pass again. How many steps passed since the last time.
    pub(crate) fn never() -> usize {
        LEFT.set(None);
        PASSED.replace(0)
    }

    pub(crate) fn step() -> io::Result<()> {
        match LEFT.get() {
            Some(0) => return Err(io::Error::other("a crash that a test asked for")),
            Some(left) => LEFT.set(Some(left - 1)),
            None => {}
        }
        PASSED.set(PASSED.get() + 1);
        Ok(())
    }
}

fn open_if_there(place: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().write(true).open(place) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn remove_if_there(place: &Path) -> io::Result<()> {
    match fs::remove_file(place) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes zeros over a file that has no name any more.
///
/// Failure is passed over, because nothing may rest on this: a disk that writes elsewhere keeps the
/// old blocks anyway. What it left of a bundle is worthless once the root key has been rotated.
fn overwrite(file: &File) {
    let wiped = file.metadata().and_then(|metadata| {
        let mut zeros = io::Read::take(io::repeat(0), metadata.len());
        let mut out = file;
        io::copy(&mut zeros, &mut out)?;
        file.sync_data()
    });
    drop(wiped);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(name: &str, content: &[u8]) -> Change {
        Change::Write { name: name.to_owned(), content: content.to_vec().into() }
    }

    #[test]
    fn a_replaced_file_is_whole_and_its_earlier_content_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        apply(folder.path(), &[write("a", b"first secret")]).unwrap();
        fs::hard_link(folder.path().join("a"), folder.path().join("earlier")).unwrap();
        apply(folder.path(), &[write("a", b"second")]).unwrap();
        assert_eq!(fs::read(folder.path().join("a")).unwrap(), b"second");
        assert_eq!(fs::read(folder.path().join("earlier")).unwrap(), [0; 12]);
    }

    #[test]
    fn removing_twice_is_no_error_and_temporaries_are_cleared() {
        let folder = tempfile::tempdir().unwrap();
        apply(folder.path(), &[write("a", b"secret")]).unwrap();
        let gone = [Change::Remove { name: "a".to_owned() }];
        apply(folder.path(), &gone).unwrap();
        apply(folder.path(), &gone).unwrap();
        fs::write(folder.path().join("b.tmp"), b"half").unwrap();
        remove_temporaries(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_superseded_file_is_overwritten_wherever_a_crash_comes_and_the_one_in_force_never_is() {
        for steps in 0.. {
            let parent = tempfile::tempdir().unwrap();
            let folder = parent.path().join("keys");
            make_private_folder(&folder).unwrap();
            apply(&folder, &[write("a", b"first secret")]).unwrap();
            let earlier = File::open(folder.join("a")).unwrap();
            crash::after(steps);
            let done = supersede(&folder, "a", b"second").is_ok();
            crash::never();
            remove_temporaries(&folder).unwrap();
            let now = fs::read(folder.join("a")).unwrap();
            assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "after {steps} steps");
            let mut left = Vec::new();
            io::Read::read_to_end(&mut &earlier, &mut left).unwrap();
            match now.as_slice() {
                b"first secret" => assert!(!done && left == b"first secret"),
                b"second" => assert_eq!(left, [0; 12], "after {steps} steps"),
                _ => panic!("after {steps} steps"),
            }
            if done {
                return;
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn files_and_folders_are_the_owners_alone() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("keys");
        make_private_folder(&folder).unwrap();
        apply(&folder, &[write("a", b"secret")]).unwrap();
        assert!(is_private(&folder).unwrap() && is_private(&folder.join("a")).unwrap());
        fs::set_permissions(folder.join("a"), std::os::unix::fs::PermissionsExt::from_mode(0o640)).unwrap();
        assert!(!is_private(&folder.join("a")).unwrap());
    }
}
