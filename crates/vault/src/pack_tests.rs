//! Packs: which bytes a reading asks the store for, and that what was sealed before still opens.

use std::collections::HashMap;
use std::sync::Mutex;

use super::*;
use crate::bodies::Listing;
use crate::keys::Secret;

const NAME: SegmentName<'static> =
    SegmentName { organisation: Some("o"), account: "account", record: "record", number: 3 };

/// Packs in memory, and what was read of them.
#[derive(Debug, Default)]
struct Memory {
    packs: Mutex<HashMap<PackId, Bytes>>,
    read: Mutex<Vec<Range<u64>>>,
}

impl Memory {
    fn bytes_read(&self) -> u64 {
        self.read.lock().unwrap().drain(..).map(|range| range.end - range.start).sum()
    }
}

impl BodyStore for Memory {
    fn put(&self, pack: PackId, content: Bytes) -> Result<(), BodyError> {
        self.packs.lock().unwrap().insert(pack, content);
        Ok(())
    }

    fn read(&self, pack: PackId, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BodyError> {
        self.read.lock().unwrap().extend(ranges.iter().cloned());
        let packs = self.packs.lock().unwrap();
        let content = packs.get(&pack).ok_or(BodyError::NotFound(pack))?;
        let place = |at: u64| usize::try_from(at).unwrap();
        let part = |range: &Range<u64>| {
            content.get(place(range.start)..place(range.end)).map(Bytes::copy_from_slice)
        };
        ranges.iter().map(|range| part(range).ok_or(BodyError::Short(pack))).collect()
    }

    fn remove(&self, packs: &[PackId]) -> Result<(), BodyError> {
        self.packs.lock().unwrap().retain(|pack, _| !packs.contains(pack));
        Ok(())
    }

    fn exists(&self, pack: PackId) -> Result<bool, BodyError> {
        Ok(self.packs.lock().unwrap().contains_key(&pack))
    }

    fn list(&self) -> Result<Listing, BodyError> {
        Ok(Listing::default())
    }
}

fn key() -> BodyKey {
    BodyKey::new(Secret::random(crate::keylog::Kind::Body).unwrap())
}

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect()
}

/// A pack that holds one segment as it was sealed at first, and then one of today.
fn old_and_new(key: &BodyKey, text: &[u8]) -> (Memory, [Place; 2]) {
    let store = Memory::default();
    let mut writer = PackWriter::new().unwrap();
    writer.content.extend_from_slice(MAGIC);
    NAME.bind(&mut writer.names, Algorithm::Gcm);
    let cipher = key.whole_cipher().unwrap();
    cipher.seal_into(writer.names.as_bytes(), text, &mut writer.content).unwrap();
    let length = u32::try_from(writer.content.len() - MAGIC.len()).unwrap();
    let old = Place { pack: writer.id(), offset: MAGIC.len() as u64, length };
    let new = writer.add(key, &NAME, text).unwrap();
    writer.finish(&store).unwrap();
    (store, [old, new])
}

#[test]
fn what_was_sealed_whole_still_opens_beside_what_is_sealed_in_chunks() {
    for length in [0, 43, 44, 100, 40_000] {
        let (key, text) = (key(), text(length));
        let (store, places) = old_and_new(&key, &text);
        for place in places {
            let reading = Reading { place, key: &key, name: NAME };
            assert_eq!(read_all(&store, &[reading]).unwrap().concat(), text);
            let (middle, end) = (length as u64 / 2, length as u64);
            for range in [0..end, middle..end, 0..middle, middle..u64::MAX, end..end, end + 9..end + 20] {
                let at = |at: u64| usize::try_from(at.min(end)).unwrap();
                let expected = &text[at(range.start)..at(range.end)];
                assert_eq!(read_range(&store, &reading, &range).unwrap(), expected, "{length}: {range:?}");
            }
        }
    }
}

#[test]
fn a_segment_says_which_algorithm_sealed_it_and_cannot_be_passed_off_as_anothers() {
    let key = key();
    let (store, places) = old_and_new(&key, b"what was said");
    let content = store.packs.lock().unwrap().get(&places[0].pack).unwrap().to_vec();
    for (place, id) in places.iter().zip([1, 3]) {
        let at = usize::try_from(place.offset).unwrap();
        assert_eq!(content[at], id);
        for other in (0..=255).filter(|other| *other != id) {
            let mut altered = content.clone();
            altered[at] = other;
            store.put(place.pack, altered.into()).unwrap();
            let reading = Reading { place: *place, key: &key, name: NAME };
            assert!(read_all(&store, &[reading]).is_err(), "{id} as {other}");
            assert!(read_range(&store, &reading, &(0..4)).is_err(), "{id} as {other}");
        }
    }
}

#[test]
fn a_range_reads_the_header_and_the_chunks_it_lies_in() {
    const CHUNK: u64 = (16 << 10) + 16;
    let (key, text) = (key(), text(1 << 20));
    let (store, [_, place]) = old_and_new(&key, &text);
    let reading = Reading { place, key: &key, name: NAME };
    for (range, chunks) in [(0..1, 1), (16_384..32_768, 1), (16_383..16_385, 2), (40_000..140_000, 7)] {
        read_range(&store, &reading, &range).unwrap();
        assert_eq!(store.bytes_read(), 57 + chunks * CHUNK, "{range:?}");
    }
    read_range(&store, &reading, &(1 << 20..u64::MAX)).unwrap();
    assert_eq!(store.bytes_read(), 57 + 16, "the last chunk, which is empty");
}

#[test]
fn a_segment_longer_than_a_place_can_say_has_no_length() {
    assert_eq!(segment_len(0), Some(73));
    assert_eq!(segment_len(4 << 30), None);
}
