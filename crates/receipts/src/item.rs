//! What happens to many copies at once: one statement over the root of their blinded items.

use std::fmt;

use tenure_tlog::{Hash, leaf_hash, root, verify_inclusion};

use crate::Opening;
use crate::commitment::blind;

/// The public key of an item's HMAC.
const LABEL: &[u8] = b"tenure/item/v1";

/// One of the many things that a statement with a root speaks of: a copy of a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// What opens it: 32 random bytes of its own.
    pub opening: Opening,
    /// The record.
    pub record: String,
    /// The class of the copy.
    pub class: String,
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Item")
    }
}

impl Item {
    /// The blinded item: HMAC-SHA-256 over the opening, the record and the class, each with its length before
    /// it.
    pub fn blind(&self) -> Hash {
        blind(LABEL, [&self.opening.0, self.record.as_bytes(), self.class.as_bytes()])
    }
}

/// The root of the tree (RFC 6962) of blinded items.
pub fn root_of(items: &[Hash]) -> Hash {
    root(&leaves(items))
}

/// The path from one blinded item to that root, its sibling first; none if there is no such item.
pub fn path_of(items: &[Hash], index: usize) -> Option<Vec<Hash>> {
    items.get(index)?;
    let (leaves, mut index) = (leaves(items), index);
    let (mut tree, mut path) = (leaves.as_slice(), Vec::new());
    while tree.len() > 1 {
        // The left subtree is the largest whole one that is smaller than the tree.
        let (left, right) = tree.split_at_checked(tree.len().next_power_of_two() / 2)?;
        if index < left.len() {
            path.push(root(right));
            tree = left;
        } else {
            path.push(root(left));
            index -= left.len();
            tree = right;
        }
    }
    path.reverse();
    Some(path)
}

fn leaves(items: &[Hash]) -> Vec<Hash> {
    items.iter().map(|item| leaf_hash(item)).collect()
}

/// That an item is one of those that a statement speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemProof {
    /// The item.
    pub item: Item,
    /// Its place among them.
    pub index: u64,
    /// The hashes from its sibling up to the root's child.
    pub path: Vec<Hash>,
}

impl ItemProof {
    /// Whether the item is one of so many under a root.
    pub fn verify(&self, count: u64, root: &Hash) -> bool {
        verify_inclusion(self.index, count, &leaf_hash(&self.item.blind()), &self.path, root)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: u8) -> Item {
        Item { opening: Opening([number; 32]), record: format!("r{number}"), class: "content".to_owned() }
    }

    #[test]
    fn every_item_is_proved_at_its_place_and_no_other() {
        for count in 1_u8..20 {
            let blinded: Vec<Hash> = (0..count).map(|number| item(number).blind()).collect();
            let root = root_of(&blinded);
            for number in 0..count {
                let path = path_of(&blinded, number.into()).unwrap();
                let proof = ItemProof { item: item(number), index: number.into(), path };
                assert!(proof.verify(count.into(), &root));
                assert!(!proof.verify(u64::from(count), &[0; 32]));
                assert!(
                    !ItemProof { index: u64::from(number) + 1, ..proof.clone() }.verify(count.into(), &root)
                );
                assert!(!ItemProof { item: item(99), ..proof }.verify(count.into(), &root));
            }
            assert_eq!(path_of(&blinded, count.into()), None);
        }
    }

    #[test]
    fn every_part_changes_the_item_and_none_slides_into_the_next() {
        let base = item(1);
        let others = [
            Item { opening: Opening([2; 32]), ..base.clone() },
            Item { record: "r2".to_owned(), ..base.clone() },
            Item { class: "history".to_owned(), ..base.clone() },
            Item { record: "r1c".to_owned(), class: "ontent".to_owned(), ..base.clone() },
        ];
        for other in &others {
            assert_ne!(base.blind(), other.blind());
        }
    }
}
