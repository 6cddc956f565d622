//! Packs: many encrypted segments in one object.
//!
//! `magic (8) ‖ segment ‖ segment …`, each segment sealed on its own. The pack has no index: places
//! lie in SQL, and a pack that SQL does not know was left by a crash.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::bodies::BodyStore;
use crate::cipher::{Algorithm, CipherError, OVERHEAD};
use crate::error::{BodyError, OpenError};
use crate::ids::PackId;
use crate::keys::BodyKey;
use crate::names::{Fields, SegmentName};

/// The size at which a pack is full. Its last segment may reach beyond it.
pub const PACK_BYTES_MAX: usize = 64 << 20;

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
}

impl PackWriter {
    pub(crate) fn new() -> Result<Self, CipherError> {
        Ok(Self { id: PackId::random()?, content: Vec::new(), names: Fields::default() })
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
        let length = u32::try_from(plaintext.len().saturating_add(OVERHEAD)).map_err(|_| CipherError)?;
        if self.content.is_empty() {
            // The system hands out memory as it is touched, so that asking for a whole pack at once
            // costs a small one nothing and spares a large one every copy of growing.
            self.content.reserve_exact(PACK_BYTES_MAX.saturating_add(plaintext.len()));
            self.content.extend_from_slice(MAGIC);
        }
        let offset = self.content.len() as u64;
        let cipher = key.cipher()?;
        name.bind(&mut self.names, cipher.algorithm());
        cipher.seal_into(self.names.as_bytes(), plaintext, &mut self.content)?;
        Ok(Place { pack: self.id, offset, length })
    }

    /// Stores the pack durably. An empty one is not stored.
    pub(crate) fn finish(self, store: &dyn BodyStore) -> Result<(), BodyError> {
        if self.content.is_empty() {
            return Ok(());
        }
        store.put(self.id, Bytes::from(self.content))
    }
}

/// Reads segments in the order asked for, with one read of each pack that they lie in.
pub(crate) fn read_all(store: &dyn BodyStore, readings: &[Reading<'_>]) -> Result<Vec<Vec<u8>>, OpenError> {
    let mut by_place: Vec<(usize, &Reading<'_>)> = readings.iter().enumerate().collect();
    by_place.sort_by_key(|(_, reading)| reading.place);
    let mut opened: Vec<(usize, Vec<u8>)> = Vec::with_capacity(readings.len());
    let mut names = Fields::default();
    for of_pack in by_place.chunk_by(|(_, a), (_, b)| a.place.pack == b.place.pack) {
        let Some((_, first)) = of_pack.first() else { continue };
        let ranges: Vec<_> = of_pack.iter().map(|(_, reading)| reading.place.range()).collect();
        let parts = store.read(first.place.pack, &ranges)?;
        for ((index, reading), part) in of_pack.iter().zip(parts) {
            reading.name.bind(&mut names, Algorithm::Gcm);
            opened.push((*index, reading.key.cipher()?.open(names.as_bytes(), &part)?));
        }
    }
    opened.sort_unstable_by_key(|(index, _)| *index);
    Ok(opened.into_iter().map(|(_, plaintext)| plaintext).collect())
}
