//! Zip archives from strangers: nothing is unpacked to disk, and what unpacks to more than it may is
//! refused while it is read, whatever the archive declares.

use std::fs::File;
use std::io::{self, BufReader, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::{Halt, Violation};
use crate::pass::Pass;
use crate::stream::Metered;
use crate::{Place, ReadError};

/// From this size on, the ratio is looked at.
const SMALL: u64 = 100 << 20;
/// No export is packed a thousand to one.
const RATIO: u64 = 1_000;

type Archive = ZipArchive<BufReader<Metered<File>>>;

/// Reads every list of conversations in the archive.
pub(crate) fn read(pass: &mut Pass<'_>, file: File) -> Result<(), Halt> {
    let metered = BufReader::new(pass.metered(file));
    let mut archive =
        ZipArchive::new(metered).map_err(|_| ReadError::DamagedZip { place: Place::default() })?;
    let wanted = survey(pass, &mut archive)?;
    if wanted.is_empty() {
        return Err(ReadError::NoConversations(pass.format).into());
    }
    for index in wanted {
        let number = number(index);
        let entry = archive.by_index(index).map_err(|error| refused(&error, number))?;
        let limits = Limits { declared: entry.size(), packed: entry.compressed_size(), small: SMALL };
        pass.read_document(Bounded { inner: entry, limits, unpacked: 0 }, Some(number))?;
        pass.report.files.read += 1;
    }
    Ok(())
}

/// Checks every entry and gives the indices of those that hold conversations.
fn survey(pass: &mut Pass<'_>, archive: &mut Archive) -> Result<Vec<usize>, ReadError> {
    let mut wanted = Vec::new();
    for index in 0..archive.len() {
        let number = number(index);
        let entry = archive.by_index_raw(index).map_err(|error| refused(&error, number))?;
        let name = entry.name().map_err(|_| ReadError::UnsafePath { entry: number })?;
        if leaves_the_archive(&name) || leaves_the_archive(&String::from_utf8_lossy(entry.name_raw())) {
            return Err(ReadError::UnsafePath { entry: number });
        }
        if is_bomb(entry.size(), entry.compressed_size(), SMALL) {
            return Err(ReadError::ZipBomb { entry: number });
        }
        if entry.is_dir() {
            continue;
        }
        pass.report.files.seen += 1;
        let name = name.rsplit('/').next().unwrap_or_default();
        if entry.is_symlink() {
            pass.report.files.skip("symbolic link, not followed");
        } else if is_conversations(name) {
            wanted.push(index);
        } else {
            pass.report.files.skip(match name {
                "users.json" | "user.json" => "people, not conversations",
                "projects.json" => "projects, not conversations",
                "memories.json" => "memories, not conversations",
                _ => "not a list of conversations",
            });
        }
    }
    Ok(wanted)
}

fn number(index: usize) -> u64 {
    u64::try_from(index).unwrap_or(u64::MAX).saturating_add(1)
}

fn refused(error: &ZipError, entry: u64) -> ReadError {
    match error {
        ZipError::UnsupportedArchive(_) | ZipError::InvalidPassword => ReadError::UnreadableEntry { entry },
        _ => ReadError::DamagedZip { place: Place::file(Some(entry)) },
    }
}

/// `conversations.json`, or one of the numbered parts that large exports are split into.
fn is_conversations(name: &str) -> bool {
    name.strip_prefix("conversations").and_then(|rest| rest.strip_suffix(".json")).is_some_and(|middle| {
        middle.is_empty()
            || middle
                .strip_prefix('-')
                .is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Nothing is unpacked here, but an archive with such a path was made to do harm.
fn leaves_the_archive(name: &str) -> bool {
    let drive = name.as_bytes().get(1) == Some(&b':');
    name.starts_with('/') || name.contains(['\\', '\0']) || drive || name.split('/').any(|part| part == "..")
}

const fn is_bomb(unpacked: u64, packed: u64, small: u64) -> bool {
    unpacked > small && unpacked > packed.saturating_mul(RATIO)
}

/// What an entry may unpack to.
struct Limits {
    declared: u64,
    packed: u64,
    small: u64,
}

/// Counts what really comes out of an entry.
struct Bounded<R> {
    inner: R,
    limits: Limits,
    unpacked: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.unpacked = self.unpacked.saturating_add(u64::try_from(read).unwrap_or(0));
        let Limits { declared, packed, small } = self.limits;
        if self.unpacked > declared || is_bomb(self.unpacked, packed, small) {
            return Err(Violation::ZipBomb.into());
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lists_of_conversations_are_read() {
        for name in ["conversations.json", "conversations-000.json"] {
            assert!(is_conversations(name), "{name}");
        }
        for name in [
            "shared_conversations.json",
            "conversations.json.bak",
            "conversations-.json",
            "conversations-a.json",
        ] {
            assert!(!is_conversations(name), "{name}");
        }
    }

    #[test]
    fn paths_that_leave_the_archive_are_known() {
        for name in ["/etc/x", "../x", "a/../../x", "a\\b", "C:/x", "c:x", "a/.."] {
            assert!(leaves_the_archive(name), "{name}");
        }
        for name in ["conversations.json", "a/b..c/d", "..a", "a/...", ""] {
            assert!(!leaves_the_archive(name), "{name}");
        }
    }

    #[test]
    fn what_comes_out_is_counted_and_not_believed() {
        let read = |declared, packed, small| {
            let limits = Limits { declared, packed, small };
            let mut out = Vec::new();
            Bounded { inner: io::repeat(b' ').take(5_000), limits, unpacked: 0 }
                .read_to_end(&mut out)
                .map(|_| ())
        };
        assert!(read(5_000, 5, 100).is_ok());
        assert!(read(5_000, 4, 100).is_err(), "more than a thousand to one");
        assert!(read(5_000, 4, 10_000).is_ok(), "small things may be packed well");
        assert!(read(4_999, 5, 100).is_err(), "more than declared");
    }
}
