//! The rules that every store of packs keeps. A store's own tests run them over it.

use std::ops::Range;

use bytes::Bytes;

use super::{BodyStore, PackFound, absent};
use crate::error::BodyError;
use crate::ids::PackId;

/// Runs every rule, each over a new store. What comes with the store is kept as long as it.
pub(crate) fn run<Kept>(new: impl Fn() -> (Box<dyn BodyStore>, Kept)) {
    let rules: [fn(&dyn BodyStore); 6] = [
        parts_are_read_in_the_order_asked_for,
        a_pack_that_is_shorter_than_asked_is_an_error,
        a_pack_is_never_written_over,
        a_removed_pack_is_proved_absent_and_removing_it_again_is_no_error,
        a_listing_holds_every_pack_with_its_size_and_no_mark,
        an_empty_store_is_known_to_be_this_vaults,
    ];
    for rule in rules {
        let (store, kept) = new();
        rule(store.as_ref());
        drop((store, kept));
    }
}

fn put(store: &dyn BodyStore, content: &'static [u8]) -> PackId {
    let pack = PackId::random().unwrap();
    store.put(pack, Bytes::from_static(content)).unwrap();
    pack
}

fn read_one(store: &dyn BodyStore, pack: PackId, range: Range<u64>) -> Result<Bytes, BodyError> {
    store.read(pack, &[range.clone(), range]).map(|mut parts| parts.remove(1))
}

fn parts_are_read_in_the_order_asked_for(store: &dyn BodyStore) {
    let pack = put(store, b"0123456789");
    let parts = store.read(pack, &[5..7, 0..1, 1..3]).unwrap();
    assert_eq!(parts, [&b"56"[..], b"0", b"12"]);
    let long: Vec<u8> = (0..3 << 20_u32).map(|place: u32| (place % 251) as u8).collect();
    let pack = PackId::random().unwrap();
    store.put(pack, Bytes::from(long.clone())).unwrap();
    let (early, late) = (10..20_usize, 3_000_000..3_000_100_usize);
    let wide = |range: &Range<usize>| range.start as u64..range.end as u64;
    let parts = store.read(pack, &[wide(&late), wide(&early)]).unwrap();
    assert_eq!(parts, [&long[late], &long[early]]);
}

fn a_pack_that_is_shorter_than_asked_is_an_error(store: &dyn BodyStore) {
    let pack = put(store, b"0123456789");
    for range in [5..11, 0..u64::MAX, 20..30] {
        assert_eq!(read_one(store, pack, range), Err(BodyError::Short(pack)));
    }
    assert_eq!(store.read(pack, &[0..10, 10..11]), Err(BodyError::Short(pack)));
    let other = PackId::random().unwrap();
    assert_eq!(read_one(store, other, 0..1), Err(BodyError::NotFound(other)));
}

fn a_pack_is_never_written_over(store: &dyn BodyStore) {
    let pack = put(store, b"first");
    assert_eq!(store.put(pack, Bytes::from_static(b"second")), Err(BodyError::AlreadyThere(pack)));
    assert_eq!(store.put(pack, Bytes::from_static(b"other")), Err(BodyError::AlreadyThere(pack)));
    assert_eq!(read_one(store, pack, 0..5).unwrap(), &b"first"[..]);
}

fn a_removed_pack_is_proved_absent_and_removing_it_again_is_no_error(store: &dyn BodyStore) {
    let (gone, kept) = (put(store, b"a"), put(store, b"b"));
    assert_eq!(absent(store, &[gone, kept]), Ok(vec![false, false]));
    store.remove(&[gone]).unwrap();
    store.remove(&[gone]).unwrap();
    store.remove(&[PackId::random().unwrap()]).unwrap();
    store.remove(&[]).unwrap();
    assert_eq!(absent(store, &[gone, kept]), Ok(vec![true, false]));
    assert_eq!(store.list().unwrap().packs, [PackFound { pack: kept, size: 1 }]);
    assert_eq!(read_one(store, gone, 0..1), Err(BodyError::NotFound(gone)));
}

fn a_listing_holds_every_pack_with_its_size_and_no_mark(store: &dyn BodyStore) {
    let mut made: Vec<PackFound> = [&b"a"[..], b"bc", b"def"]
        .into_iter()
        .map(|content| PackFound { pack: put(store, content), size: content.len() as u64 })
        .collect();
    made.sort_unstable();
    let listing = store.list().unwrap();
    assert_eq!((listing.packs, listing.strangers), (made, 0));
}

fn an_empty_store_is_known_to_be_this_vaults(store: &dyn BodyStore) {
    let listing = store.list().unwrap();
    assert_eq!((listing.packs.len(), listing.strangers), (0, 0));
    let never_made = PackId::random().unwrap();
    assert_eq!(absent(store, &[never_made]), Ok(vec![true]));
}
