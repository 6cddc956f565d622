//! Other people's implementations of the same specifications, both ways.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use sha2::Sha256;
use signed_note::{Note as TheirNote, StandardSigner, StandardVerifier, VerifierList};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::crypto::verifier;
use tenure_tlog::incremental::{Frontier, TileEdge};
use tenure_tlog::merkle::{prove_consistency, prove_inclusion};
use tenure_tlog::note::{Note, VerifierKey};
use tenure_tlog::tile::new_tiles;
use tenure_tlog::{Hash, leaf_hash, root, verify_consistency, verify_inclusion};
use tlog_tiles::{
    Checkpoint as TheirCheckpoint, Hash as TheirHash, HashReader, Tile as TheirTile, check_record,
    check_tree, prove_record, prove_tree, stored_hashes, tree_hash,
};

use crate::keys::{log_key, signed};
use crate::reference::{Leaves, Nodes, leaves};

/// `tlog_tiles`' stored hashes, in its own order.
#[derive(Default)]
struct Stored(Vec<TheirHash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<TheirHash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.0[usize::try_from(*index).unwrap()]).collect())
    }
}

fn entry(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn ours(hashes: &[TheirHash]) -> Vec<Hash> {
    hashes.iter().map(|hash| hash.0).collect()
}

#[test]
fn tlog_tiles_makes_and_accepts_the_same_proofs() {
    const SIZE: u64 = 130;
    let mut stored = Stored::default();
    let all = leaves(SIZE);
    for index in 0..SIZE {
        let hashes = stored_hashes(index, &entry(index), &stored).unwrap();
        stored.0.extend(hashes);
    }
    let mut nodes = Nodes::default();
    let mut frontier = Frontier::new();
    for (leaf, size) in all.iter().zip(1..) {
        frontier.append(*leaf, |node, hash| assert!(nodes.0.insert(node, *hash).is_none()));
        let root = TheirHash(frontier.root());
        assert_eq!(tree_hash(size, &stored).unwrap().0, root.0);
        for old in 1..=size {
            let theirs = prove_tree(size, old, &stored).unwrap();
            let proof = prove_consistency(old, size, &nodes).unwrap();
            assert_eq!(ours(&theirs), proof, "{old} to {size}");
            let old_root = tree_hash(old, &stored).unwrap();
            assert!(verify_consistency(old, size, &ours(&theirs), &old_root.0, &root.0));
            let proof = proof.into_iter().map(TheirHash).collect();
            check_tree(&proof, size, root, old, old_root).unwrap();
        }
        for index in 0..size {
            let theirs = prove_record(size, index, &stored).unwrap();
            let proof = prove_inclusion(index, size, &nodes).unwrap();
            assert_eq!(ours(&theirs), proof, "{index} of {size}");
            let leaf = leaf_hash(&entry(index));
            assert!(verify_inclusion(index, size, &leaf, &ours(&theirs), &root.0));
            let proof = proof.into_iter().map(TheirHash).collect();
            check_record(&proof, size, root, index, TheirHash(leaf)).unwrap();
        }
    }
}

/// Its paths also name the height of tiles, as Go's do; C2SP's do not.
#[test]
fn tlog_tiles_has_the_same_tiles() {
    for (old, new) in
        [(0, 1), (0, 255), (254, 257), (1000, 1000), (0, 70_000), (65_000, 140_000), (255, 65_536)]
    {
        let mut theirs: Vec<String> = TheirTile::new_tiles(8, old, new)
            .iter()
            .map(|tile| tile.path().replacen("tile/8/", "tile/", 1))
            .collect();
        let mut own: Vec<String> = new_tiles(old, new).map(|tile| tile.to_string()).collect();
        theirs.sort();
        own.sort();
        assert_eq!(own, theirs, "{old} to {new}");
    }
    let mut stored = Stored::default();
    let mut edge = TileEdge::new();
    let mut tiles = Vec::new();
    for index in 0..600 {
        let hashes = stored_hashes(index, &entry(index), &stored).unwrap();
        stored.0.extend(hashes);
        tiles.extend(edge.append(leaf_hash(&entry(index))));
    }
    tiles.extend(edge.partial_tiles().map(|(tile, bytes)| (tile, bytes.to_vec())));
    for (tile, bytes) in tiles {
        let theirs = TheirTile::new(8, tile.level(), tile.index(), u32::from(tile.width()), false);
        assert_eq!(theirs.read_data(&stored).unwrap(), bytes, "{tile}");
    }
}

#[test]
fn tlog_tiles_reads_our_checkpoints() {
    let signed = signed(3, root(&leaves(3)));
    let theirs = TheirCheckpoint::from_bytes(signed.note().text().as_bytes()).unwrap();
    assert_eq!(theirs.origin(), signed.checkpoint().origin().as_str());
    assert_eq!(theirs.size(), 3);
    assert_eq!(theirs.hash().0, *signed.checkpoint().root());
    assert_eq!(theirs.to_bytes(), signed.note().text().as_bytes());
}

#[test]
fn signed_note_verifies_our_notes_and_passes_over_our_ml_dsa_44_line() {
    let signed = signed(3, root(&leaves(3)));
    let key = StandardVerifier::new(&log_key(1).key().to_string()).unwrap();
    let theirs = TheirNote::from_bytes(signed.to_string().as_bytes()).unwrap();
    let (verified, unknown) = theirs.verify(&VerifierList::new(vec![Box::new(key)])).unwrap();
    assert_eq!((verified.len(), unknown.len()), (1, 1));
    assert_eq!(theirs.to_bytes(), signed.to_string().as_bytes());
}

#[test]
fn notes_of_signed_note_verify_here() {
    let signer =
        StandardSigner::new("PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")
            .unwrap();
    let key: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let verifier = verifier(&key).unwrap();
    for text in ["\n", "one line\n", "two\n\nparts\n\n", "ö\n"] {
        let mut theirs = TheirNote::new(text.as_bytes(), &[]).unwrap();
        theirs.add_sigs(&[&signer]).unwrap();
        let note = Note::parse(&theirs.to_bytes()).unwrap();
        assert_eq!(note.text(), text);
        assert!(note.verify(&[&*verifier]).is_ok(), "{text:?}");
    }
    let mut theirs = TheirNote::new(signed(3, root(&leaves(3))).note().text().as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&signer]).unwrap();
    let checkpoint = SignedCheckpoint::parse(&theirs.to_bytes()).unwrap();
    assert!(checkpoint.cosignatures(&[&*verifier]).is_ok_and(|signatures| signatures.len() == 1));
}

#[test]
fn ct_merkle_has_the_same_roots_and_proofs() {
    const SIZE: u64 = 70;
    let mut tree = MemoryBackedTree::<Sha256, [u8; 8]>::new();
    let all = leaves(SIZE);
    for size in 1..=SIZE {
        tree.push(entry(size - 1));
        let leaves = Leaves(all[..usize::try_from(size).unwrap()].to_vec());
        assert_eq!(tree.root().as_bytes().as_slice(), root(&leaves.0));
        for index in 0..size {
            let theirs = tree.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(theirs.as_bytes(), prove_inclusion(index, size, &leaves).unwrap().concat());
        }
        for old in 1..size {
            let theirs = tree.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(theirs.as_bytes(), prove_consistency(old, size, &leaves).unwrap().concat());
        }
    }
}
