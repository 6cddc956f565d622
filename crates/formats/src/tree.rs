//! Conversations that are trees: an edit or a second answer starts a branch, and one leaf is current.

use std::collections::{HashMap, HashSet};

/// The nodes of a tree by number, in the order of the file.
#[derive(Debug)]
pub(crate) struct Tree {
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
}

impl Tree {
    /// Builds the tree from each node's id and its parent's. A parent that is not there makes a root.
    pub(crate) fn new(nodes: &[(&str, Option<&str>)]) -> Self {
        let numbers: HashMap<&str, usize> =
            nodes.iter().enumerate().rev().map(|(number, (id, _))| (*id, number)).collect();
        let parents: Vec<Option<usize>> =
            nodes.iter().map(|(_, parent)| parent.and_then(|parent| numbers.get(parent).copied())).collect();
        let mut children = vec![Vec::new(); nodes.len()];
        for (number, parent) in parents.iter().enumerate() {
            if let Some(siblings) = parent.and_then(|parent| children.get_mut(parent)) {
                siblings.push(number);
            }
        }
        Self { parents, children }
    }

    /// Puts the children of a node into the given order; those not named come last.
    pub(crate) fn order_children(&mut self, node: usize, order: &[usize]) {
        let rank: HashMap<usize, usize> =
            order.iter().enumerate().map(|(rank, node)| (*node, rank)).collect();
        if let Some(children) = self.children.get_mut(node) {
            children.sort_by_key(|child| rank.get(child).copied().unwrap_or(usize::MAX));
        }
    }

    /// Every node once, parents before children; nodes of a cycle come last, and their number.
    pub(crate) fn walk(&self) -> (Vec<usize>, usize) {
        let mut order = Vec::with_capacity(self.parents.len());
        let mut stack: Vec<usize> = self.roots().collect();
        stack.reverse();
        while let Some(node) = stack.pop() {
            order.push(node);
            stack.extend(self.children.get(node).into_iter().flatten().rev());
        }
        // What no root leads to hangs on a cycle.
        let reached: HashSet<usize> = order.iter().copied().collect();
        order.extend((0..self.parents.len()).filter(|node| !reached.contains(node)));
        let lost = self.parents.len() - reached.len();
        (order, lost)
    }

    /// The nodes on the path from a root to the current leaf. Without a leaf, those before the first
    /// fork: beyond it nobody knows which branch the person went on with.
    pub(crate) fn live(&self, leaf: Option<usize>) -> HashSet<usize> {
        let mut live = HashSet::new();
        if let Some(leaf) = leaf {
            let mut next = Some(leaf);
            while let Some(node) = next {
                if !live.insert(node) {
                    break;
                }
                next = self.parents.get(node).copied().flatten();
            }
            return live;
        }
        let mut level: Vec<usize> = self.roots().collect();
        while let [node] = level.as_slice() {
            live.insert(*node);
            level = self.children.get(*node).cloned().unwrap_or_default();
        }
        live
    }

    fn roots(&self) -> impl Iterator<Item = usize> {
        self.parents.iter().enumerate().filter(|(_, parent)| parent.is_none()).map(|(node, _)| node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn branches_off_the_current_path_are_dead() {
        let tree = Tree::new(&[("a", None), ("b", Some("a")), ("c", Some("a")), ("d", Some("b"))]);
        assert_eq!(tree.walk(), (vec![0, 1, 3, 2], 0));
        assert_eq!(tree.live(Some(2)), HashSet::from([0, 2]));
        assert_eq!(tree.live(None), HashSet::from([0]));
    }

    #[test]
    fn a_cycle_ends() {
        let tree =
            Tree::new(&[("a", Some("b")), ("b", Some("a")), ("c", Some("c")), ("d", None), ("e", Some("a"))]);
        assert_eq!(tree.walk(), (vec![3, 0, 1, 2, 4], 4));
        assert_eq!(tree.live(Some(0)), HashSet::from([0, 1]));
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let ids: Vec<String> = (0..200_000).map(|number| number.to_string()).collect();
        let nodes: Vec<(&str, Option<&str>)> = ids
            .iter()
            .enumerate()
            .map(|(number, id)| (id.as_str(), number.checked_sub(1).map(|parent| ids[parent].as_str())))
            .collect();
        let tree = Tree::new(&nodes);
        assert_eq!(tree.walk().0.len(), 200_000);
        assert_eq!(tree.live(Some(199_999)).len(), 200_000);
    }
}
