//! A log that grows in tiles, and what can be read from them.

use tenure_tlog::incremental::TileEdge;
use tenure_tlog::merkle::{HashReader as _, Node, ProveError, prove_consistency, prove_inclusion, tree_root};
use tenure_tlog::tile::{FULL_WIDTH, Tile, TileError, TileHashReader, full_tiles, new_tiles, partial_tiles};
use tenure_tlog::{Hash, root, verify_consistency, verify_inclusion};

use crate::reference::{Tiles, leaves};

/// A log that published a checkpoint at each of these sizes: all its tiles, and the roots.
fn published(sizes: &[u64]) -> (Tiles, Vec<Hash>) {
    let mut tiles = Tiles::default();
    let mut edge = TileEdge::new();
    let mut roots = Vec::new();
    let all = leaves(sizes.last().copied().unwrap());
    for size in sizes {
        let old = edge.size();
        let mut written: Vec<Tile> = Vec::new();
        for leaf in &all[usize::try_from(old).unwrap()..usize::try_from(*size).unwrap()] {
            for (tile, bytes) in edge.append(*leaf) {
                written.push(tile);
                tiles.0.insert(tile, bytes);
            }
        }
        written.sort();
        assert_eq!(written, full_tiles(old, *size).collect::<Vec<_>>(), "full tiles from {old} to {size}");
        for (tile, bytes) in edge.partial_tiles() {
            assert_eq!(bytes.len(), tile.byte_len());
            tiles.0.insert(tile, bytes.to_vec());
        }
        assert!(new_tiles(old, *size).all(|tile| tiles.0.contains_key(&tile)));
        roots.push(edge.root());
    }
    (tiles, roots)
}

const SIZES: [u64; 10] = [1, 2, 255, 256, 257, 511, 70_000, 70_001, 131_072, 131_329];

#[test]
fn each_tile_holds_the_hashes_that_the_specification_defines() {
    let size = 70_000;
    let (tiles, _) = published(&[size]);
    let all = leaves(size);
    for tile in full_tiles(0, size).chain(partial_tiles(size)) {
        let span = 256_u64.pow(u32::from(tile.level()));
        let (hashes, rest) = tiles.0[&tile].as_chunks::<32>();
        assert!(rest.is_empty());
        assert_eq!(hashes.len(), usize::from(tile.width()));
        for (hash, place) in hashes.iter().zip(tile.index() * u64::from(FULL_WIDTH)..) {
            let below = place * span..(place + 1) * span;
            let below = usize::try_from(below.start).unwrap()..usize::try_from(below.end).unwrap();
            assert_eq!(*hash, root(&all[below]), "{tile} at {place}");
        }
    }
}

#[test]
fn proofs_between_all_published_checkpoints_come_out_of_the_tiles() {
    let (tiles, roots) = published(&SIZES);
    let all = leaves(*SIZES.last().unwrap());
    for (new, new_root) in SIZES.iter().zip(&roots) {
        let reader = TileHashReader::new(*new, &tiles);
        assert_eq!(tree_root(*new, &reader).unwrap(), *new_root);
        for (old, old_root) in SIZES.iter().zip(&roots).filter(|(old, _)| *old <= new) {
            let proof = prove_consistency(*old, *new, &reader).unwrap();
            assert!(verify_consistency(*old, *new, &proof, old_root, new_root), "{old} to {new}");
        }
        for index in [0, 1, 254, 255, 256, 65_535, 65_536, new - 1].into_iter().filter(|index| index < new) {
            let proof = prove_inclusion(index, *new, &reader).unwrap();
            let leaf = &all[usize::try_from(index).unwrap()];
            assert!(verify_inclusion(index, *new, leaf, &proof, new_root), "{index} of {new}");
        }
    }
}

#[test]
fn a_log_goes_on_from_its_partial_tiles() {
    let (tiles, roots) = published(&SIZES);
    let all = leaves(*SIZES.last().unwrap());
    for (size, root) in SIZES.iter().zip(&roots) {
        let mut edge = TileEdge::load(*size, &tiles).unwrap();
        assert_eq!((edge.size(), edge.root()), (*size, *root));
        for leaf in &all[usize::try_from(*size).unwrap()..] {
            edge.append(*leaf);
        }
        assert_eq!(edge.root(), *roots.last().unwrap());
        assert_eq!(edge, TileEdge::load(edge.size(), &tiles).unwrap());
    }
    assert_eq!(TileEdge::load(0, &tiles).unwrap(), TileEdge::new());
}

#[test]
fn a_missing_short_or_altered_tile_is_noticed() {
    let (mut tiles, roots) = published(&[70_000]);
    let tile: Tile = "tile/0/273.p/112".parse().unwrap();
    tiles.0.get_mut(&tile).unwrap()[0] ^= 1;
    assert_ne!(TileEdge::load(70_000, &tiles).unwrap().root(), roots[0]);
    tiles.0.get_mut(&tile).unwrap().pop();
    let short = TileEdge::load(70_000, &tiles).unwrap_err();
    assert_eq!(short.to_string(), "`tile/0/273.p/112` should be 3584 bytes long and is 3583");
    tiles.0.remove(&tile);
    let reader = TileHashReader::new(70_000, &tiles);
    let missing = prove_inclusion(69_999, 70_000, &reader).unwrap_err();
    assert!(matches!(missing, ProveError::Read(TileError::Length { found: 0, .. })));
}

#[test]
fn a_tree_has_no_node_beyond_its_size() {
    let (tiles, _) = published(&[511]);
    let reader = TileHashReader::new(511, &tiles);
    let read = |level, index| reader.read_hashes(&[Node { level, index }]);
    assert!(read(8, 0).is_ok() && read(7, 2).is_ok() && read(0, 510).is_ok());
    for (level, index) in
        [(8, 1), (7, 3), (0, 511), (9, 0), (0, u64::MAX), (7, u64::MAX), (64, 0), (u32::MAX, 1)]
    {
        assert!(matches!(read(level, index), Err(TileError::OutsideTree { .. })), "{level} {index}");
    }
}
