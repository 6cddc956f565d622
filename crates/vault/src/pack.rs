//! Packs: many encrypted segments in one object.
//!
//! `magic (8) ‖ segment ‖ segment …`, each segment sealed on its own. The pack has no index: places
//! lie in SQL, and a pack that SQL does not know was left by a crash.
//!
//! A segment is `id of its algorithm (1) ‖ sealed text`. New ones are in chunks, so that a range of a
//! long one is read alone; those sealed whole, as at first, still open.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::bodies::BodyStore;
use crate::chunked::{self, HEADER_LEN, Layout, Salts};
use crate::cipher::{Algorithm, CipherError};
use crate::error::{BodyError, OpenError};
use crate::ids::PackId;
use crate::keys::BodyKey;
use crate::names::{Fields, SegmentName};

/// The size at which a pack is full. Its last segment may reach beyond it.
pub const PACK_BYTES_MAX: usize = 64 << 20;

/// How much room a pack has from the beginning.
const USUAL_BYTES: usize = 15 << 20;

const MAGIC: &[u8; 8] = b"TNRPACK1";

/// Where a segment lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The pack.
    pub pack: PackId,
    /// The segment's first byte in the pack.
    pub offset: u64,
    /// The segment's length in bytes, encrypted.
    pub length: u32,
}

impl Place {
    fn range(&self) -> Range<u64> {
        self.offset..self.offset.saturating_add(u64::from(self.length))
    }
}

/// What is needed to read one segment.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Where it lies.
    pub place: Place,
    /// The key of its record's body.
    pub key: &'a BodyKey,
    /// The names that it was sealed under.
    pub name: SegmentName<'a>,
}

/// A pack being filled, in memory. It touches no store before it is finished, so several can be
/// filled at once, and one that is dropped leaves nothing behind.
#[derive(Debug)]
pub struct PackWriter {
    id: PackId,
    content: Vec<u8>,
    names: Fields,
    salts: Salts,
}

impl PackWriter {
    pub(crate) fn new() -> Result<Self, CipherError> {
        Ok(Self {
            id: PackId::random()?,
            content: Vec::new(),
            names: Fields::default(),
            salts: Salts::default(),
        })
    }

    /// The name that the pack will have.
    pub const fn id(&self) -> PackId {
        self.id
    }

    /// Whether the pack is to be finished and another begun.
    pub const fn is_full(&self) -> bool {
        self.content.len() >= PACK_BYTES_MAX
    }

    /// Whether nothing was added.
    pub const fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// Encrypts a segment into the pack and says where it will lie once the pack is finished.
    pub fn add(
        &mut self,
        key: &BodyKey,
        name: &SegmentName<'_>,
        plaintext: &[u8],
    ) -> Result<Place, CipherError> {
        let length = segment_len(plaintext.len()).ok_or(CipherError)?;
        let start = self.start(plaintext.len());
        name.bind(&mut self.names, Algorithm::Cobblestone);
        let (names, salt) = (self.names.as_bytes(), self.salts.next()?);
        self.content.push(Algorithm::Cobblestone.id());
        if let Err(error) = chunked::seal_into(key.secret(), names, salt, plaintext, &mut self.content) {
            self.content.truncate(start);
            return Err(error);
        }
        Ok(Place { pack: self.id, offset: start as u64, length })
    }

    /// Copies a segment as it lies in another pack, and says where it will lie in this one.
    ///
    /// It opens there as it did before, since the names that it was sealed under speak of no pack.
    /// Without its key no more can be known of it than which algorithm sealed it, so that is what is
    /// looked at.
    pub fn add_sealed(&mut self, sealed: &[u8]) -> Result<Place, OpenError> {
        let length = u32::try_from(sealed.len()).map_err(|_| OpenError::Malformed)?;
        match Algorithm::named_by(sealed)? {
            Algorithm::Gcm | Algorithm::Cobblestone => {}
            other @ Algorithm::GcmSiv => return Err(OpenError::UnknownAlgorithm(other.id())),
        }
        let start = self.start(sealed.len());
        self.content.extend_from_slice(sealed);
        Ok(Place { pack: self.id, offset: start as u64, length })
    }

    /// Where the next segment begins. The first one makes room for as much as is usually stored at once.
    fn start(&mut self, length: usize) -> usize {
        if self.content.is_empty() {
            // The system hands out memory as it is touched, so that a small pack costs no more. The allocator
            // keeps what is no larger than this for the next pack, whose pages need not be made anew.
            self.content.reserve(USUAL_BYTES.saturating_add(length));
            self.content.extend_from_slice(MAGIC);
        }
        self.content.len()
    }

    /// Stores the pack durably. An empty one is not stored.
    pub(crate) fn finish(self, store: &dyn BodyStore) -> Result<(), BodyError> {
        if self.content.is_empty() {
            return Ok(());
        }
        store.put(self.id, Bytes::from(self.content))
    }
}

/// The length of a segment with its algorithm's id, if a place can say it.
fn segment_len(plaintext: usize) -> Option<u32> {
    chunked::sealed_len(plaintext)?.checked_add(1)?.try_into().ok()
}

/// Reads segments in the order asked for, with one read of each pack that they lie in.
pub(crate) fn read_all(store: &dyn BodyStore, readings: &[Reading<'_>]) -> Result<Vec<Vec<u8>>, OpenError> {
    let mut names = Fields::default();
    read_each(store, readings, |reading| reading.place, |reading, part| open(reading, &mut names, &part))
}

/// Reads segments as they were sealed, in the order asked for, with one read of each pack.
pub(crate) fn read_sealed(store: &dyn BodyStore, places: &[Place]) -> Result<Vec<Bytes>, BodyError> {
    read_each(store, places, |place| *place, |_, part| Ok(part))
}

/// Reads what lies at each place and makes something of it, with one read of each pack. What is made
/// stands in the order asked for, and parts are made into it pack by pack.
fn read_each<A, T, E: From<BodyError>>(
    store: &dyn BodyStore,
    asked: &[A],
    place: impl Fn(&A) -> Place,
    mut make: impl FnMut(&A, Bytes) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let mut by_place: Vec<(usize, Place, &A)> =
        asked.iter().enumerate().map(|(index, one)| (index, place(one), one)).collect();
    by_place.sort_by_key(|(_, place, _)| *place);
    let mut made: Vec<(usize, T)> = Vec::with_capacity(asked.len());
    for of_pack in by_place.chunk_by(|(_, a, _), (_, b, _)| a.pack == b.pack) {
        let Some((_, first, _)) = of_pack.first() else { continue };
        let ranges: Vec<_> = of_pack.iter().map(|(_, place, _)| place.range()).collect();
        let parts = store.read(first.pack, &ranges)?;
        for ((index, _, one), part) in of_pack.iter().zip(parts) {
            made.push((*index, make(one, part)?));
        }
    }
    made.sort_unstable_by_key(|(index, _)| *index);
    Ok(made.into_iter().map(|(_, made)| made).collect())
}

/// Reads a range of one segment's text, with one read of the chunks that it lies in. A range that
/// reaches beyond the end of the text is cut there.
pub(crate) fn read_range(
    store: &dyn BodyStore,
    reading: &Reading<'_>,
    range: &Range<u64>,
) -> Result<Vec<u8>, OpenError> {
    let place = reading.place;
    let sealed_len = u64::from(place.length).checked_sub(1).ok_or(OpenError::Malformed)?;
    let Some(layout) = Layout::of(sealed_len) else {
        return read_and_cut(store, reading, range);
    };
    let part = layout.part(range);
    let message = place.offset.saturating_add(1);
    let header = place.offset..message.saturating_add(HEADER_LEN as u64);
    let chunks = message.saturating_add(part.sealed.start)..message.saturating_add(part.sealed.end);
    let parts = store.read(place.pack, &[header, chunks])?;
    let [header, chunks] = parts.as_slice() else { return Err(OpenError::Malformed) };
    if Algorithm::named_by(header)? != Algorithm::Cobblestone {
        return read_and_cut(store, reading, range);
    }
    let header = header.get(1..).unwrap_or_default();
    let mut names = Fields::default();
    reading.name.bind(&mut names, Algorithm::Cobblestone);
    chunked::open_part(reading.key.secret(), names.as_bytes(), header, &part, chunks)
}

/// A range of a segment that opens only whole.
fn read_and_cut(
    store: &dyn BodyStore,
    reading: &Reading<'_>,
    range: &Range<u64>,
) -> Result<Vec<u8>, OpenError> {
    let parts = store.read(reading.place.pack, &[reading.place.range()])?;
    let sealed = parts.first().ok_or(OpenError::Malformed)?;
    let mut text = open(reading, &mut Fields::default(), sealed)?;
    chunked::keep(&mut text, range);
    Ok(text)
}

/// The text of a segment, whichever algorithm sealed it.
fn open(reading: &Reading<'_>, names: &mut Fields, sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let algorithm = Algorithm::named_by(sealed)?;
    reading.name.bind(names, algorithm);
    match algorithm {
        Algorithm::Cobblestone => {
            let message = sealed.get(1..).unwrap_or_default();
            chunked::open(reading.key.secret(), names.as_bytes(), message)
        }
        Algorithm::Gcm => reading.key.whole_cipher()?.open(names.as_bytes(), sealed),
        Algorithm::GcmSiv => Err(OpenError::UnknownAlgorithm(algorithm.id())),
    }
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
