//! Which tiles and bundles a tree has, and which a growth adds.

use super::{Bundle, FULL_WIDTH, LEVELS, Tile, hashes_on};

/// The tiles that become full while a tree grows from `old` to `new` leaves, lowest level first.
pub fn full_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    LEVELS.flat_map(move |level| {
        // A tile is full when its hash belongs to the level above.
        (hashes_on(level + 1, old)..hashes_on(level + 1, new))
            .filter_map(move |index| Tile::new(level, index, FULL_WIDTH))
    })
}

/// The partial tiles of a tree of `size` leaves, lowest level first: at most one on each level.
pub fn partial_tiles(size: u64) -> impl Iterator<Item = Tile> {
    LEVELS.filter_map(move |level| {
        Tile::in_tree(level, hashes_on(level + 1, size), size).filter(|tile| !tile.is_full())
    })
}

/// The tiles that a tree of `new` leaves needs and one of `old` leaves did not have: those that became full,
/// then the partial ones.
pub fn new_tiles(old: u64, new: u64) -> impl Iterator<Item = Tile> {
    let changed = move |tile: &Tile| hashes_on(tile.level(), old) != hashes_on(tile.level(), new);
    full_tiles(old, new).chain(partial_tiles(new).filter(changed))
}

/// The bundles that become full while a log grows from `old` to `new` entries.
pub fn full_bundles(old: u64, new: u64) -> impl Iterator<Item = Bundle> {
    (hashes_on(1, old)..hashes_on(1, new)).filter_map(|index| Bundle::new(index, FULL_WIDTH))
}

/// The partial bundle of a log of `size` entries, if there is one.
pub fn partial_bundle(size: u64) -> Option<Bundle> {
    Bundle::in_log(hashes_on(1, size), size).filter(|bundle| bundle.width() < FULL_WIDTH)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(tiles: impl Iterator<Item = Tile>) -> Vec<(u8, u64, u16)> {
        tiles.map(|tile| (tile.level(), tile.index(), tile.width())).collect()
    }

    #[test]
    fn a_tree_of_70000_leaves_has_the_tiles_that_the_specification_counts() {
        let full = shape(full_tiles(0, 70_000));
        assert_eq!(full.iter().filter(|(level, ..)| *level == 0).count(), 273);
        assert_eq!(full.iter().filter(|(level, ..)| *level == 1).count(), 1);
        assert_eq!(full.len(), 274);
        assert_eq!(shape(partial_tiles(70_000)), [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
        assert_eq!(partial_bundle(70_000).map(|bundle| (bundle.index(), bundle.width())), Some((273, 112)));
        assert_eq!(full_bundles(0, 70_000).count(), 273);
    }

    #[test]
    fn a_tree_of_256_leaves_has_a_full_tile_and_a_partial_one_above_it() {
        assert_eq!(shape(new_tiles(0, 256)), [(0, 0, 256), (1, 0, 1)]);
        assert_eq!(partial_bundle(256), None);
    }

    #[test]
    fn a_growth_brings_only_what_changed() {
        assert_eq!(shape(new_tiles(255, 255)), []);
        assert_eq!(shape(new_tiles(254, 255)), [(0, 0, 255)]);
        assert_eq!(shape(new_tiles(255, 256)), [(0, 0, 256), (1, 0, 1)]);
        assert_eq!(shape(new_tiles(256, 257)), [(0, 1, 1)]);
        assert_eq!(shape(new_tiles(65_535, 65_537)), [(0, 255, 256), (1, 0, 256), (0, 256, 1), (2, 0, 1)]);
    }

    #[test]
    fn the_largest_tree_has_tiles_on_eight_levels() {
        assert_eq!(partial_tiles(u64::MAX).count(), 8);
        assert_eq!(shape(partial_tiles(u64::MAX)).last(), Some(&(7, 0, 255)));
    }
}
