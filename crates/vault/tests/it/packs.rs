//! Packs: segments come back as they went in, under their own names and keys only.

use proptest::prelude::*;
use tenure_vault::{BodyError, BodyKey, OpenError, PACK_BYTES_MAX, Place as Segment, Reading, SegmentName};

use crate::Place;

const NAME: SegmentName<'static> =
    SegmentName { organisation: Some("o"), account: "account", record: "record", number: 3 };

#[test]
pub(crate) fn a_segment_opens_under_no_name_but_its_own() {
    let mut place = Place::new();
    let key = place.vault().body_key().unwrap();
    let mut writer = place.vault().pack_writer().unwrap();
    let stored = writer.add(&key, &NAME, b"what was said").unwrap();
    place.vault().finish(writer).unwrap();
    place.reopen();
    let vault = place.vault();
    assert_eq!(vault.read(&stored, &key, &NAME).unwrap(), b"what was said");
    let others = [
        SegmentName { organisation: None, ..NAME },
        SegmentName { account: "other", ..NAME },
        SegmentName { record: "other", ..NAME },
        SegmentName { number: 4, ..NAME },
    ];
    for other in others {
        assert_eq!(vault.read(&stored, &key, &other), Err(OpenError::Refused), "{other:?}");
    }
    let other_key = vault.body_key().unwrap();
    assert_eq!(vault.read(&stored, &other_key, &NAME), Err(OpenError::Refused));
}

#[test]
pub(crate) fn an_empty_pack_is_not_stored_and_a_dropped_one_leaves_nothing() {
    let place = Place::new();
    let vault = place.vault();
    vault.finish(vault.pack_writer().unwrap()).unwrap();
    let mut dropped = vault.pack_writer().unwrap();
    dropped.add(&vault.body_key().unwrap(), &NAME, b"text").unwrap();
    drop(dropped);
    assert!(vault.packs().unwrap().packs.is_empty());
}

#[test]
pub(crate) fn a_removed_pack_is_not_found_and_is_proved_absent() {
    let place = Place::new();
    let vault = place.vault();
    let key = vault.body_key().unwrap();
    let mut writer = vault.pack_writer().unwrap();
    let stored = writer.add(&key, &NAME, b"text").unwrap();
    vault.finish(writer).unwrap();
    assert_eq!(vault.verify_packs_absent(&[stored.pack]).unwrap(), [false]);
    vault.remove_packs(&[stored.pack]).unwrap();
    vault.remove_packs(&[stored.pack]).unwrap();
    assert_eq!(vault.verify_packs_absent(&[stored.pack]).unwrap(), [true]);
    let missing = OpenError::Bodies(BodyError::NotFound(stored.pack));
    assert_eq!(vault.read(&stored, &key, &NAME), Err(missing));
}

#[test]
pub(crate) fn a_pack_says_when_it_is_full_and_a_large_segment_fits_all_the_same() {
    let place = Place::new();
    let vault = place.vault();
    let key = vault.body_key().unwrap();
    let mut writer = vault.pack_writer().unwrap();
    assert!(writer.is_empty() && !writer.is_full());
    let large = vec![1; PACK_BYTES_MAX + 1];
    let stored = writer.add(&key, &NAME, &large).unwrap();
    assert!(writer.is_full());
    vault.finish(writer).unwrap();
    assert!(vault.read(&stored, &key, &NAME).unwrap() == large);
}

#[test]
pub(crate) fn a_segment_that_was_copied_as_it_is_opens_where_it_lies_now_and_no_longer_where_it_lay() {
    let place = Place::new();
    let vault = place.vault();
    let key = vault.body_key().unwrap();
    let mut writers = [vault.pack_writer().unwrap(), vault.pack_writer().unwrap()];
    let name = |number: usize| SegmentName { number: number as u64, ..NAME };
    let text = |number: usize| vec![b'a'; 40_000 * number];
    let before: Vec<Segment> =
        (0..6).map(|number| writers[number % 2].add(&key, &name(number), &text(number)).unwrap()).collect();
    for writer in writers {
        vault.finish(writer).unwrap();
    }

    let order = [4, 1, 0, 5, 1];
    let sealed = vault.read_sealed(&order.map(|number| before[number])).unwrap();
    let mut copied = vault.pack_writer().unwrap();
    let after: Vec<Segment> = sealed.iter().map(|one| copied.add_sealed(one).unwrap()).collect();
    assert!(after.iter().all(|place| place.pack == copied.id()));
    vault.finish(copied).unwrap();
    vault.remove_packs(&[before[0].pack, before[1].pack]).unwrap();

    for (number, place) in order.into_iter().zip(&after) {
        let text = text(number);
        assert!(vault.read(place, &key, &name(number)).unwrap() == text);
        let part = vault.read_range(place, &key, &name(number), 20_000..30_000).unwrap();
        assert!(part == text.get(20_000..30_000).unwrap_or_default());
        assert_eq!(vault.read(place, &key, &name(9)), Err(OpenError::Refused));
    }
    let gone = BodyError::NotFound(before[4].pack);
    assert_eq!(vault.read_sealed(&[after[0], before[4]]), Err(gone));
}

#[test]
pub(crate) fn nothing_is_copied_that_no_body_key_seals() {
    let place = Place::new();
    let mut writer = place.vault().pack_writer().unwrap();
    assert_eq!(writer.add_sealed(b""), Err(OpenError::Malformed));
    for (id, sealed) in [(0, b"\0abc"), (2, b"\x02abc"), (9, b"\x09abc")] {
        assert_eq!(writer.add_sealed(sealed), Err(OpenError::UnknownAlgorithm(id)));
    }
    assert!(writer.is_empty());
    writer.add_sealed(b"\x01abc").unwrap();
    assert!(!writer.is_empty());
}

/// What holds of anything, for those who run it elsewhere too.
#[cfg(all(feature = "s3", feature = "transit", feature = "faults"))]
pub(crate) const PROPERTIES: [(&str, fn()); 1] = [(
    "segments_of_several_packs_come_back_in_the_order_asked_for",
    segments_of_several_packs_come_back_in_the_order_asked_for,
)];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn segments_of_several_packs_come_back_in_the_order_asked_for(
        texts in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..20),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let place = Place::new();
        let vault = place.vault();
        let keys: Vec<BodyKey> = (0..3).map(|_| vault.body_key().unwrap()).collect();
        let mut writers = [vault.pack_writer().unwrap(), vault.pack_writer().unwrap()];
        let mut readings = Vec::new();
        for (number, text) in texts.iter().enumerate() {
            let name = SegmentName { number: number as u64, ..NAME };
            let key = &keys[number % 3];
            readings.push(Reading { place: writers[number % 2].add(key, &name, text).unwrap(), key, name });
        }
        for writer in writers {
            vault.finish(writer).unwrap();
        }
        let order: Vec<usize> = order.iter().map(|index| index.index(texts.len())).collect();
        let asked: Vec<Reading<'_>> = order.iter().map(|i| readings[*i]).collect();
        let expected: Vec<Vec<u8>> = order.iter().map(|i| texts[*i].clone()).collect();
        prop_assert_eq!(vault.read_all(&asked).unwrap(), expected);
    }
}
