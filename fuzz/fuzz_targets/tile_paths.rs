//! Paths of tiles and bundles, and bundles themselves: one spelling each.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tenure_tlog::tile::{Bundle, FULL_WIDTH, Resource, Tile, push_entry};

fuzz_target!(|bytes: &[u8]| {
    for width in [1, 2, FULL_WIDTH] {
        let bundle = Bundle::new(0, width).unwrap();
        if let Ok(entries) = bundle.entries(bytes) {
            assert_eq!(entries.len(), usize::from(width));
            let mut written = Vec::new();
            for entry in entries {
                push_entry(&mut written, entry).unwrap();
            }
            assert_eq!(written, bytes);
        }
    }
    let Ok(path) = str::from_utf8(bytes) else { return };
    let Ok(resource) = path.parse::<Resource>() else { return };
    assert_eq!(resource.to_string(), path);
    // A path is read by what it names and by nothing else.
    assert_eq!(path.parse().ok().map(Resource::Tile), Some(resource).filter(is_tile));
    assert_eq!(path.parse().ok().map(Resource::Entries), Some(resource).filter(is_bundle));
    if let Resource::Tile(tile) = resource {
        assert_eq!(Tile::new(tile.level(), tile.index(), tile.width()), Some(tile));
    }
});

fn is_tile(resource: &Resource) -> bool {
    matches!(resource, Resource::Tile(_))
}

fn is_bundle(resource: &Resource) -> bool {
    matches!(resource, Resource::Entries(_))
}
