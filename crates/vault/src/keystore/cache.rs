//! What the folder holds, kept in memory.

use std::collections::{BTreeMap, HashMap};

use crate::bundle::{BUNDLE_PAGES_MAX, Bundle};
use crate::ids::PageId;
use crate::page::{PageKey, Tree};

#[derive(Debug, Default)]
pub(super) struct Cache {
    bundles: BTreeMap<u64, Bundle>,
    index: HashMap<PageId, u64>,
}

impl Cache {
    pub(super) fn new(bundles: BTreeMap<u64, Bundle>) -> Self {
        let index = bundles
            .iter()
            .flat_map(|(number, bundle)| bundle.keys.keys().map(|page| (*page, *number)))
            .collect();
        Self { bundles, index }
    }

    pub(super) fn key(&self, page: PageId) -> Option<&PageKey> {
        self.bundles.get(self.index.get(&page)?)?.keys.get(&page)
    }

    /// Bundles as they are to be with these new keys: the newest of the tree is filled up first.
    pub(super) fn with_added(&self, tree: Tree, keys: Vec<(PageId, PageKey)>) -> BTreeMap<u64, Bundle> {
        let mut keys = keys.into_iter().peekable();
        let mut changed = BTreeMap::new();
        let newest = self.bundles.iter().rev().find(|(_, bundle)| bundle.tree == tree);
        if let Some((number, bundle)) = newest
            && bundle.keys.len() < BUNDLE_PAGES_MAX
        {
            let mut bundle = bundle.clone();
            let room = BUNDLE_PAGES_MAX - bundle.keys.len();
            bundle.keys.extend(keys.by_ref().take(room));
            changed.insert(*number, bundle);
        }
        let mut next = self.bundles.last_key_value().map_or(0, |(number, _)| number + 1);
        while keys.peek().is_some() {
            let keys = keys.by_ref().take(BUNDLE_PAGES_MAX).collect();
            changed.insert(next, Bundle { tree, keys });
            next += 1;
        }
        changed
    }

    /// Bundles as they are to be without these pages, each of them once.
    pub(super) fn without(&self, pages: &[PageId]) -> BTreeMap<u64, Bundle> {
        let mut changed: BTreeMap<u64, Bundle> = BTreeMap::new();
        for page in pages {
            let Some(number) = self.index.get(page) else { continue };
            let Some(bundle) = self.bundles.get(number) else { continue };
            changed.entry(*number).or_insert_with(|| bundle.clone()).keys.remove(page);
        }
        changed
    }

    pub(super) fn replace(&mut self, changed: BTreeMap<u64, Bundle>) {
        for (number, bundle) in changed {
            if let Some(earlier) = self.bundles.remove(&number) {
                for page in earlier.keys.keys() {
                    self.index.remove(page);
                }
            }
            self.index.extend(bundle.keys.keys().map(|page| (*page, number)));
            if !bundle.keys.is_empty() {
                self.bundles.insert(number, bundle);
            }
        }
    }
}
