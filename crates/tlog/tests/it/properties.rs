//! Roots and proofs against the slow reference.

use proptest::prelude::*;
use tenure_tlog::incremental::{Frontier, TileEdge};
use tenure_tlog::merkle::{ProveError, prove_consistency, prove_inclusion, tree_root};
use tenure_tlog::{Hash, root, verify_consistency, verify_inclusion};

use crate::reference::{Leaves, Nodes, consistency, leaves, mth, path};

const SIZES: u64 = 300;

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

/// All nodes of a tree of this size, and its roots at every size.
fn grown(size: u64) -> (Nodes, Vec<Hash>) {
    let mut nodes = Nodes::default();
    let mut frontier = Frontier::new();
    let mut roots = vec![frontier.root()];
    for leaf in leaves(size) {
        frontier.append(leaf, |node, hash| {
            assert!(nodes.0.insert(node, *hash).is_none(), "each node is complete once");
        });
        roots.push(frontier.root());
    }
    (nodes, roots)
}

#[test]
fn roots_of_all_small_sizes_are_those_of_the_reference() {
    let (nodes, roots) = grown(SIZES);
    let all = leaves(SIZES);
    for size in 0..=SIZES {
        let expected = mth(&all[..to_usize(size)]);
        assert_eq!(root(&all[..to_usize(size)]), expected);
        assert_eq!(roots[to_usize(size)], expected);
        assert_eq!(tree_root(size, &nodes).unwrap(), expected);
    }
}

#[test]
fn inclusion_proofs_of_all_small_sizes_are_those_of_the_reference() {
    let (nodes, roots) = grown(SIZES);
    let all = leaves(SIZES);
    for size in 1..=SIZES {
        let root = &roots[to_usize(size)];
        for index in 0..size {
            let proof = prove_inclusion(index, size, &nodes).unwrap();
            // The reference is slow: every size, but not every leaf of every size.
            if index % 17 == size % 17 {
                assert_eq!(proof, path(to_usize(index), &all[..to_usize(size)]), "{index} of {size}");
            }
            assert!(verify_inclusion(index, size, &all[to_usize(index)], &proof, root), "{index} of {size}");
        }
        assert!(matches!(prove_inclusion(size, size, &nodes), Err(ProveError::OutOfRange { .. })));
    }
}

#[test]
fn consistency_proofs_of_all_small_sizes_are_those_of_the_reference() {
    let (nodes, roots) = grown(SIZES);
    let all = leaves(SIZES);
    for new in 0..=SIZES {
        for old in 0..=new {
            let proof = prove_consistency(old, new, &nodes).unwrap();
            if old % 17 == new % 17 {
                assert_eq!(proof, consistency(to_usize(old), &all[..to_usize(new)]), "{old} to {new}");
            }
            let verified = verify_consistency(old, new, &proof, &roots[to_usize(old)], &roots[to_usize(new)]);
            // From the empty tree there is nothing to show.
            assert_eq!(verified, old > 0 || new == 0, "{old} to {new}");
        }
        assert!(matches!(prove_consistency(new + 1, new, &nodes), Err(ProveError::OutOfRange { .. })));
    }
}

/// What a proof can be made wrong by.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Flip(usize, u8),
    Drop(usize),
    Repeat(usize),
    Swap(usize),
    Append([u8; 32]),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), 0_u8..8).prop_map(|(place, bit)| Damage::Flip(place, bit)),
        any::<usize>().prop_map(Damage::Drop),
        any::<usize>().prop_map(Damage::Repeat),
        any::<usize>().prop_map(Damage::Swap),
        any::<[u8; 32]>().prop_map(Damage::Append),
    ]
}

/// The damaged proof; none if the damage changes nothing.
fn damaged(proof: &[Hash], damage: Damage) -> Option<Vec<Hash>> {
    let mut wrong = proof.to_vec();
    let place = |number: usize| (!proof.is_empty()).then(|| number % proof.len());
    match damage {
        Damage::Flip(number, bit) => wrong[place(number)?][number / 7 % 32] ^= 1 << bit,
        Damage::Drop(number) => drop(wrong.remove(place(number)?)),
        Damage::Repeat(number) => wrong.insert(place(number)?, proof[place(number)?]),
        Damage::Swap(number) => {
            let place = place(number)?;
            wrong.swap(place, (place + 1) % proof.len());
        }
        Damage::Append(hash) => wrong.push(hash),
    }
    (wrong != proof).then_some(wrong)
}

proptest! {
    #[test]
    fn a_damaged_inclusion_proof_is_refused(size in 1..2000_u64, at in any::<u64>(), damage in damage()) {
        let (nodes, roots) = grown(size);
        let index = at % size;
        let leaf = leaves(size)[to_usize(index)];
        let proof = prove_inclusion(index, size, &nodes).unwrap();
        let root = &roots[to_usize(size)];
        prop_assert!(verify_inclusion(index, size, &leaf, &proof, root));
        if let Some(wrong) = damaged(&proof, damage) {
            prop_assert!(!verify_inclusion(index, size, &leaf, &wrong, root));
        }
        prop_assert!(!verify_inclusion((index + 1) % (size + 1), size, &leaf, &proof, root));
    }

    #[test]
    fn a_damaged_consistency_proof_is_refused(new in 2..2000_u64, at in any::<u64>(), damage in damage()) {
        let (nodes, roots) = grown(new);
        let old = 1 + at % (new - 1);
        let proof = prove_consistency(old, new, &nodes).unwrap();
        let (old_root, new_root) = (&roots[to_usize(old)], &roots[to_usize(new)]);
        prop_assert!(verify_consistency(old, new, &proof, old_root, new_root));
        if let Some(wrong) = damaged(&proof, damage) {
            prop_assert!(!verify_consistency(old, new, &wrong, old_root, new_root));
        }
        prop_assert!(!verify_consistency(old, new, &proof, new_root, old_root));
    }

    /// A checker is fed by strangers: whatever the numbers, it ends without a panic.
    #[test]
    fn any_numbers_are_checked_without_a_panic(
        first in any::<u64>(),
        second in any::<u64>(),
        proof in prop::collection::vec(any::<[u8; 32]>(), 0..70),
        one in any::<[u8; 32]>(),
        other in any::<[u8; 32]>(),
    ) {
        prop_assert!(!verify_inclusion(first, second, &one, &proof, &other));
        prop_assert!(!verify_consistency(first, second, &proof, &one, &other));
    }

    #[test]
    fn a_frontier_goes_on_from_its_edge(size in 0..700_u64, more in 0..700_u64) {
        let all = leaves(size + more);
        let mut frontier = Frontier::new();
        for leaf in &all[..to_usize(size)] {
            frontier.append(*leaf, |_, _| ());
        }
        let mut resumed = Frontier::from_edge(size, frontier.edge().to_vec()).unwrap();
        prop_assert_eq!(&resumed, &frontier);
        for leaf in &all[to_usize(size)..] {
            resumed.append(*leaf, |_, _| ());
        }
        prop_assert_eq!(resumed.root(), root(&all));
        prop_assert!(Frontier::from_edge(size + 1, vec![all.first().copied().unwrap_or_default(); 65]).is_none());
    }
}

#[test]
fn a_reader_that_computes_nodes_from_leaves_gives_the_same_proofs() {
    let (nodes, _) = grown(77);
    let leaves = Leaves(leaves(77));
    for index in 0..77 {
        assert_eq!(prove_inclusion(index, 77, &leaves).unwrap(), prove_inclusion(index, 77, &nodes).unwrap());
        assert_eq!(
            prove_consistency(index, 77, &leaves).unwrap(),
            prove_consistency(index, 77, &nodes).unwrap()
        );
    }
}

#[test]
fn the_edge_in_tiles_has_the_root_of_the_frontier() {
    let mut edge = TileEdge::new();
    let all = leaves(1000);
    assert_eq!(edge.root(), root(&[]));
    for (leaf, size) in all.iter().zip(1..) {
        edge.append(*leaf);
        assert_eq!(edge.size(), size);
        assert_eq!(edge.root(), root(&all[..to_usize(size)]));
    }
}
