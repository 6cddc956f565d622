//! Pages whose keys exist but which no shelf has taken yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tenure_store::{PageId, PageState, Shelf};
use tenure_vault::{Tree, Vault};

use crate::Error;

/// The most page keys that are made ahead of their use.
const AHEAD_MAX: usize = 64;

/// The most accounts whose keys share a page. An account's page goes when its person leaves, while they wait, and the
/// keys of the others are wrapped anew.
const ACCOUNTS_MAX: u32 = 16;

/// Makes page keys ahead, several in one durable write, because each write costs a sync.
///
/// A key whose page is never opened opens nothing; `doctor` finds it and lets it be destroyed.
#[derive(Clone)]
pub(crate) struct Pages {
    vault: Arc<Vault>,
    ready: Arc<Mutex<HashMap<Tree, Ready>>>,
}

#[derive(Default)]
struct Ready {
    pages: Vec<PageId>,
    /// How many to make next time: few for one act, many while importing.
    next: usize,
}

impl Pages {
    pub(crate) fn new(vault: Arc<Vault>) -> Self {
        Self { vault, ready: Arc::default() }
    }

    /// A page of a tree that nothing lies on.
    pub(crate) fn fresh(&self, tree: Tree) -> Result<PageId, Error> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let ready = ready.entry(tree).or_default();
        if let Some(page) = ready.pages.pop() {
            return Ok(page);
        }
        ready.next = (ready.next * 2).clamp(1, AHEAD_MAX);
        let made = self.vault.pages().create(tree, ready.next)?;
        ready.pages = made.into_iter().map(|page| PageId(*page.as_bytes())).collect();
        ready.pages.pop().ok_or_else(|| Error::Refused("the key store made no page".to_owned()))
    }

    /// Takes one slot on a shelf, opening a page if there is no room.
    pub(crate) fn slot(
        &self,
        tx: &mut dyn tenure_store::Tx,
        tree: Tree,
        shelf: &Shelf,
    ) -> Result<PageId, Error> {
        let mut pages = self.slots(tx, tree, shelf, 1)?;
        let page = pages.pop().ok_or_else(|| Error::Refused("the store gave no slot".to_owned()))?;
        if matches!(tree, Tree::Account | Tree::Proof)
            && tx.page(page)?.is_some_and(|row| row.wraps >= ACCOUNTS_MAX)
        {
            tx.set_page_state(page, PageState::Full)?;
        }
        Ok(page)
    }

    /// Takes slots on a shelf: one page for each slot, in order.
    pub(crate) fn slots(
        &self,
        tx: &mut dyn tenure_store::Tx,
        tree: Tree,
        shelf: &Shelf,
        count: u32,
    ) -> Result<Vec<PageId>, Error> {
        let mut failure = None;
        let taken = tx.take_slots(shelf, count, &mut || match self.fresh(tree) {
            Ok(page) => page,
            Err(error) => {
                failure = Some(error);
                PageId([0; 16])
            }
        })?;
        match failure {
            // The transaction is given up, so the page that does not exist is never seen.
            Some(error) => Err(error),
            None => Ok(taken.iter().flat_map(|slots| (0..slots.count).map(|_| slots.page)).collect()),
        }
    }
}

/// The shelf of a tree without class and day.
pub(crate) fn shelf(tree: Tree) -> Shelf {
    Shelf { tree: tree_word(tree).to_owned(), class: None, day: None }
}

/// The word that the store has for a tree.
pub(crate) const fn tree_word(tree: Tree) -> &'static str {
    match tree {
        Tree::Ordinary => "ordinary",
        Tree::Held => "held",
        Tree::Flagged => "flagged",
        Tree::Feedback => "feedback",
        Tree::Account => "account",
        Tree::Proof => "proof",
    }
}

/// The vault's name for a page of the store.
pub(crate) const fn in_vault(page: PageId) -> tenure_vault::PageId {
    tenure_vault::PageId::from_bytes(page.0)
}
