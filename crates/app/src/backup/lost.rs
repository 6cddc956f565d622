//! What a restore can't bring back: bodies in packs that came after the backup. Where such a pack only took over
//! what older ones had, as compaction makes them, it is made again from those.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use tenure_store::{AccountKey, PackRow, RecordId, SegmentRow, SqliteStore, StoreExt as _};

use super::{files, packs_there};
use crate::{Error, Tenure};

/// What is nowhere any more.
pub(super) struct Lost {
    pub(super) packs: u64,
    pub(super) records: u64,
}

/// The packs in which something lies, and that are not there.
fn missing(tenure: &Tenure) -> Result<Vec<PackRow>, Error> {
    let there: HashSet<_> = tenure.vault.packs()?.packs.iter().map(|found| *found.pack.as_bytes()).collect();
    let mut packs = tenure.store.read(packs_there)?;
    packs.retain(|pack| pack.segments > 0 && !there.contains(&pack.id.0));
    Ok(packs)
}

/// Counts what is lost.
pub(super) fn count(tenure: &Tenure) -> Result<Lost, Error> {
    let packs = missing(tenure)?;
    let mut records = HashSet::new();
    for pack in &packs {
        let segments = tenure.store.read(|tx| Ok::<_, Error>(tx.segments_of_pack(pack.id)?))?;
        records.extend(segments.into_iter().map(|(account, record, _)| (account, record)));
    }
    Ok(Lost { packs: packs.len() as u64, records: records.len() as u64 })
}

/// Makes packs again whose segments all lie in packs of the backup, where the backup's database says.
pub(super) fn make_again(tenure: &Tenure, backup: &Path, packs: &Path) -> Result<u64, Error> {
    let lost = missing(tenure)?;
    if lost.is_empty() {
        return Ok(0);
    }
    let before = SqliteStore::observe(backup)?;
    let mut made = 0;
    for pack in lost {
        let segments = tenure.store.read(|tx| Ok::<_, Error>(tx.segments_of_pack(pack.id)?))?;
        let moved = segments
            .iter()
            .map(|segment| moved(&before, packs, segment))
            .collect::<Result<Option<Vec<_>>, _>>()?;
        if let Some(moved) = moved {
            assemble(&pack, &moved, packs)?;
            made += 1;
        }
    }
    files::sync_folder(packs)?;
    Ok(made)
}

/// Where a segment lay and where it is to lie.
struct Moved {
    from: SegmentRow,
    to: SegmentRow,
}

/// Where a segment lay when the backup was taken; nothing if it was not there yet.
fn moved(
    before: &SqliteStore,
    packs: &Path,
    (account, record, to): &(AccountKey, RecordId, SegmentRow),
) -> Result<Option<Moved>, Error> {
    let segments = before.read(|tx| Ok::<_, Error>(tx.segments(*account, *record)?))?;
    let from = segments.into_iter().find(|from| from.segment == to.segment && from.length == to.length);
    let from = from.filter(|from| packs.join(file_of(from.pack.0)).exists());
    Ok(from.map(|from| Moved { from, to: *to }))
}

fn file_of(pack: [u8; 16]) -> String {
    tenure_vault::PackId::from_bytes(pack).to_string()
}

/// Puts segments where they are to lie in a pack. They are sealed under names that say no place, so that they open
/// there as they did before; what lay between them is no longer referred to.
fn assemble(pack: &PackRow, moved: &[Moved], packs: &Path) -> io::Result<()> {
    let place = packs.join(file_of(pack.id.0));
    let unfinished = packs.join(format!("{}#restored", file_of(pack.id.0)));
    files::write(&unfinished, b"")?;
    let mut file = File::options().write(true).open(&unfinished)?;
    file.set_len(pack.bytes)?;
    for Moved { from, to } in moved {
        let mut old = File::open(packs.join(file_of(from.pack.0)))?;
        old.seek(SeekFrom::Start(from.offset))?;
        file.seek(SeekFrom::Start(to.offset))?;
        let copied = io::copy(&mut old.take(from.length), &mut file)?;
        if copied != from.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    file.flush()?;
    file.sync_all()?;
    fs::rename(unfinished, place)
}
