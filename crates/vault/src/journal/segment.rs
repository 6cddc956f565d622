//! A segment: `magic (8) ‖ journal's name (16) ‖ first number (8) ‖ tag of the entry before (16)`, then entries, each
//! `length (4) ‖ sealed`. Numbers are little-endian.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::{JournalFault, JournalPlace, Sealing, TAG_LEN, Tag, Visit, segment_name};
use crate::files::{self, Change};

const MAGIC: &[u8; 8] = b"TNRJRNL1";
const LENGTH_LEN: usize = 4;
pub(super) const HEADER_LEN: usize = 48;

/// How a segment ends, and how many bytes of it can be read.
pub(super) enum End {
    /// With its last entry.
    Whole(u64),
    /// With an entry that was not written to its end, as a crash leaves it.
    Torn(u64),
    /// With an entry that was written to its end and does not open.
    Broken(u64),
    /// There is an entry that does not open, and more after it.
    Damaged,
}

/// A segment in memory, whose header was looked at.
pub(super) struct Segment {
    bytes: Vec<u8>,
    before: JournalPlace,
}

impl Segment {
    pub(super) fn read(folder: &Path, first: u64, sealing: &Sealing) -> Result<Self, JournalFault> {
        let bytes =
            fs::read(folder.join(segment_name(first))).map_err(JournalFault::from_io("read the journal"))?;
        let number = first.saturating_sub(1);
        let header = bytes.first_chunk::<HEADER_LEN>().ok_or(JournalFault::Damaged { after: number })?;
        let (front, tag) =
            header.split_last_chunk::<TAG_LEN>().ok_or(JournalFault::Damaged { after: number })?;
        // The tag is proved by the first entry, which is bound to it.
        if front != header_front(&sealing.name, first) {
            return Err(JournalFault::Damaged { after: number });
        }
        let before = JournalPlace { number, tag: *tag };
        Ok(Self { bytes, before })
    }

    /// The entry before the first.
    pub(super) const fn before(&self) -> JournalPlace {
        self.before
    }

    /// Opens entry after entry.
    pub(super) fn walk<E>(&self, sealing: &Sealing, visit: Visit<'_, E>) -> Result<End, E> {
        let mut rest = self.bytes.get(HEADER_LEN..).unwrap_or_default();
        let mut place = self.before;
        while !rest.is_empty() {
            let read = (self.bytes.len() - rest.len()) as u64;
            let Some((sealed, tail)) = split_entry(rest) else { return Ok(End::Torn(read)) };
            let Some(tag) = sealed.last_chunk::<TAG_LEN>() else { return Ok(End::Broken(read)) };
            let number = place.number + 1;
            let Ok(content) = sealing.cipher.open(&sealing.binding(number, &place.tag), sealed) else {
                // Where a file had grown before its content was written, it reads as zeros.
                return Ok(match tail {
                    [] if *tag == [0; TAG_LEN] => End::Torn(read),
                    [] => End::Broken(read),
                    _ => End::Damaged,
                });
            };
            place = JournalPlace { number, tag: *tag };
            visit(place, &content)?;
            rest = tail;
        }
        Ok(End::Whole(self.bytes.len() as u64))
    }
}

/// An entry's sealed bytes and what follows; nothing if it says that it is longer than what there is.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_LEN>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    // A length of nothing is that of a file that had grown before its content was written.
    if length == 0 { None } else { rest.split_at_checked(length) }
}

fn header_front(name: &[u8; 16], first: u64) -> Vec<u8> {
    let parts: [&[u8]; 3] = [MAGIC, name, &first.to_le_bytes()];
    parts.concat()
}

/// Makes an empty segment after an entry, durably.
pub(super) fn begin(folder: &Path, name: &[u8; 16], before: JournalPlace) -> Result<File, JournalFault> {
    let failed = JournalFault::from_io("begin a part of the journal");
    let first = before.number.saturating_add(1);
    let mut content = header_front(name, first);
    content.extend_from_slice(&before.tag);
    let change = Change::Write { name: segment_name(first), content: content.into() };
    files::apply(folder, &[change]).map_err(&failed)?;
    OpenOptions::new().append(true).open(folder.join(segment_name(first))).map_err(failed)
}

/// The bytes of an entry, and its tag.
pub(super) fn entry(
    sealing: &Sealing,
    number: u64,
    before: &Tag,
    content: &[u8],
) -> Result<(Vec<u8>, Tag), JournalFault> {
    let too_long = || JournalFault::Unreachable {
        operation: "write so much to the journal at once",
        kind: io::ErrorKind::FileTooLarge,
    };
    let mut bytes = vec![0; LENGTH_LEN];
    sealing.cipher.seal_into(&sealing.binding(number, before), content, &mut bytes)?;
    let length = u32::try_from(bytes.len() - LENGTH_LEN).map_err(|_| too_long())?;
    let tag = bytes.last_chunk::<TAG_LEN>().copied().ok_or_else(too_long)?;
    if let Some(place) = bytes.first_chunk_mut::<LENGTH_LEN>() {
        *place = length.to_le_bytes();
    }
    Ok((bytes, tag))
}

/// The number of a segment's last whole entry, by the lengths alone.
pub(super) fn last_number(folder: &Path, first: u64) -> Result<u64, JournalFault> {
    let count = || -> io::Result<u64> {
        let mut file = File::open(folder.join(segment_name(first)))?;
        let bytes = file.metadata()?.len();
        let mut at = file.seek(SeekFrom::Start(HEADER_LEN as u64))?;
        let mut number = first.saturating_sub(1);
        while at + LENGTH_LEN as u64 <= bytes {
            let mut length = [0; LENGTH_LEN];
            file.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            at += LENGTH_LEN as u64 + length;
            if length == 0 || at > bytes {
                break;
            }
            number += 1;
            file.seek(SeekFrom::Start(at))?;
        }
        Ok(number)
    };
    count().map_err(JournalFault::from_io("read the journal"))
}
