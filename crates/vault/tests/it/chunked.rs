//! Bodies in chunks: read by range from where they lie, and altered there by someone else.

use std::ops::Range;

use proptest::prelude::*;
use tenure_vault::{BodyKey, OpenError, Place as Segment, SegmentName};

use crate::Place;

const NAME: SegmentName<'static> =
    SegmentName { organisation: Some("o"), account: "account", record: "record", number: 3 };
const CHUNK: usize = 16 << 10;
/// The algorithm's id, the salt and the commitment.
const HEADER: usize = 57;
const SEALED_CHUNK: usize = CHUNK + 16;

fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at / 251 + at) % 256).unwrap()).collect()
}

fn stored(place: &Place, text: &[u8]) -> (BodyKey, Segment) {
    let vault = place.vault();
    let key = vault.body_key().unwrap();
    let mut writer = vault.pack_writer().unwrap();
    writer.add(&vault.body_key().unwrap(), &NAME, b"a segment before it").unwrap();
    let segment = writer.add(&key, &NAME, text).unwrap();
    writer.add(&vault.body_key().unwrap(), &NAME, b"a segment behind it").unwrap();
    vault.finish(writer).unwrap();
    (key, segment)
}

/// Where the segment's bytes lie in its pack.
fn span(segment: &Segment) -> Range<usize> {
    let start = usize::try_from(segment.offset).unwrap();
    start..start + usize::try_from(segment.length).unwrap()
}

#[test]
pub(crate) fn a_range_opens_under_no_name_and_no_key_but_its_own() {
    let place = Place::new();
    let (key, segment) = stored(&place, &text(3 * CHUNK));
    let vault = place.vault();
    let read = |key, name: &SegmentName<'_>| vault.read_range(&segment, key, name, 20_000..20_010);
    assert_eq!(read(&key, &NAME).unwrap(), text(3 * CHUNK)[20_000..20_010]);
    assert_eq!(read(&key, &SegmentName { number: 4, ..NAME }), Err(OpenError::Refused));
    assert_eq!(read(&key, &SegmentName { account: "other", ..NAME }), Err(OpenError::Refused));
    assert_eq!(read(&vault.body_key().unwrap(), &NAME), Err(OpenError::Refused));
}

#[test]
pub(crate) fn a_segment_takes_seventy_three_bytes_more_than_its_text_and_sixteen_for_each_full_chunk() {
    let place = Place::new();
    for length in [0, 1, CHUNK - 1, CHUNK, 10 * CHUNK] {
        let (_, segment) = stored(&place, &text(length));
        assert_eq!(span(&segment).len(), length + 73 + 16 * (length / CHUNK));
    }
}

/// Whoever can write to the packs can exchange chunks without any key.
#[test]
pub(crate) fn chunks_exchanged_within_a_pack_are_refused() {
    let place = Place::new();
    let (key, segment) = stored(&place, &text(3 * CHUNK));
    let sound = place.pack(segment.pack);
    let chunk = |number: usize| {
        let start = span(&segment).start + HEADER + number * SEALED_CHUNK;
        start..start + SEALED_CHUNK
    };
    for (from, to) in [(0, 1), (1, 0), (2, 1)] {
        let mut altered = sound.clone();
        altered.copy_within(chunk(from), chunk(to).start);
        place.alter(segment.pack, altered);
        assert_eq!(place.vault().read(&segment, &key, &NAME), Err(OpenError::Refused));
        let start = (to * CHUNK) as u64;
        let range = place.vault().read_range(&segment, &key, &NAME, start..start + 1);
        assert_eq!(range, Err(OpenError::Refused));
    }
    place.alter(segment.pack, sound);
    assert!(place.vault().read(&segment, &key, &NAME).unwrap() == text(3 * CHUNK));
}

/// A place that says a shorter length than was stored is a cut, whatever made it so.
#[test]
pub(crate) fn a_place_that_is_too_short_or_too_long_opens_nothing() {
    let place = Place::new();
    let (key, segment) = stored(&place, &text(2 * CHUNK + 10));
    let others = [0, 1, 57, 72, 73, 74]
        .into_iter()
        .chain([1, 10, 26, 27].map(|by| segment.length - by))
        .chain([1, 16].map(|by| segment.length + by));
    for length in others {
        let other = Segment { length, ..segment };
        assert!(place.vault().read(&other, &key, &NAME).is_err(), "{length} bytes");
        assert!(place.vault().read_range(&other, &key, &NAME, 0..u64::MAX).is_err(), "{length} bytes");
    }
}

/// What holds of anything, for those who run it elsewhere too.
#[cfg(all(feature = "s3", feature = "transit", feature = "faults"))]
pub(crate) const PROPERTIES: [(&str, fn()); 2] = [
    ("a_range_read_from_a_pack_is_the_slice_of_the_text", a_range_read_from_a_pack_is_the_slice_of_the_text),
    ("no_byte_of_a_stored_segment_can_be_altered", no_byte_of_a_stored_segment_can_be_altered),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_range_read_from_a_pack_is_the_slice_of_the_text(
        length in 0..4 * CHUNK,
        ranges in prop::collection::vec((0..4 * CHUNK, 0..4 * CHUNK), 1..8),
    ) {
        let place = Place::new();
        let text = text(length);
        let (key, segment) = stored(&place, &text);
        for (one, two) in ranges {
            let (start, end) = (one.min(two), one.max(two));
            let read = place.vault().read_range(&segment, &key, &NAME, start as u64..end as u64).unwrap();
            prop_assert!(read == text[start.min(length)..end.min(length)]);
        }
    }

    #[test]
    fn no_byte_of_a_stored_segment_can_be_altered(
        length in 0..3 * CHUNK, at in any::<prop::sample::Index>(), flipped in 1..=255_u8,
    ) {
        let place = Place::new();
        let (key, segment) = stored(&place, &text(length));
        let mut content = place.pack(segment.pack);
        content[span(&segment).start + at.index(span(&segment).len())] ^= flipped;
        place.alter(segment.pack, content);
        prop_assert!(place.vault().read(&segment, &key, &NAME).is_err());
        prop_assert!(place.vault().read_range(&segment, &key, &NAME, 0..u64::MAX).is_err());
    }
}
