//! A file of page keys, encrypted under the root key.
//!
//! `magic (8) ‖ root version (4, big-endian) ‖ tree (1) ‖ sealed(page (16) ‖ key (32), …)`.
//! The header and the bundle's number are bound, so that no bundle can stand in for another.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::cipher::{Algorithm, Cipher, CipherError, OVERHEAD, derive};
use crate::error::KeyError;
use crate::ids::PageId;
use crate::keys::Secret;
use crate::names::Fields;
use crate::page::{PageKey, Tree};

/// The most page keys in one file: destroying one of them rewrites about 50 kB.
pub(crate) const BUNDLE_PAGES_MAX: usize = 1024;

const MAGIC: &[u8; 8] = b"TNRKEYS1";
const ROOT_VERSION: u32 = 1;
const PAGE_LEN: usize = 16;
const ENTRY_LEN: usize = PAGE_LEN + Secret::LEN;

/// Page keys of one tree that share a file.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub(crate) tree: Tree,
    pub(crate) keys: BTreeMap<PageId, PageKey>,
}

/// The root key, ready to seal bundles.
#[derive(Debug)]
pub(crate) struct Root(Cipher);

impl Root {
    pub(crate) fn new(secret: &Secret) -> Result<Self, CipherError> {
        let key = derive(secret.as_bytes(), "tenure/bundle/v1")?;
        Cipher::new(Algorithm::GcmSiv, &key).map(Self)
    }

    pub(crate) fn seal(&self, number: u64, bundle: &Bundle) -> Result<Vec<u8>, CipherError> {
        let length = bundle.keys.len() * ENTRY_LEN;
        let mut entries = Zeroizing::new(Vec::with_capacity(length));
        for (page, key) in &bundle.keys {
            entries.extend_from_slice(page.as_bytes());
            entries.extend_from_slice(key.secret().as_bytes());
        }
        let header = header(bundle.tree);
        let mut file = Vec::with_capacity(header.len() + length + OVERHEAD);
        file.extend_from_slice(&header);
        self.0.seal_into(bind(&header, number).as_bytes(), &entries, &mut file)?;
        Ok(file)
    }

    pub(crate) fn open(&self, number: u64, file: &[u8]) -> Result<Bundle, KeyError> {
        let damaged = || KeyError::Damaged(number);
        let (head, sealed) = file.split_first_chunk::<13>().ok_or_else(damaged)?;
        let tree = head.last().copied().and_then(Tree::from_id).ok_or_else(damaged)?;
        if *head != header(tree) {
            return Err(damaged());
        }
        let entries = self.0.open(bind(head, number).as_bytes(), sealed).map_err(|_| damaged())?;
        let entries = Zeroizing::new(entries);
        let (entries, rest) = entries.as_chunks::<ENTRY_LEN>();
        if !rest.is_empty() {
            return Err(damaged());
        }
        let mut keys = BTreeMap::new();
        for entry in entries {
            let (page, key) = entry.split_first_chunk::<PAGE_LEN>().ok_or_else(damaged)?;
            let key = Secret::from_slice(key).ok_or_else(damaged)?;
            keys.insert(PageId::from_bytes(*page), PageKey::new(tree, key));
        }
        Ok(Bundle { tree, keys })
    }
}

fn header(tree: Tree) -> [u8; 13] {
    let mut header = [0; 13];
    let parts = MAGIC.iter().copied().chain(ROOT_VERSION.to_be_bytes()).chain([tree.id()]);
    for (place, byte) in header.iter_mut().zip(parts) {
        *place = byte;
    }
    header
}

fn bind(header: &[u8], number: u64) -> Fields {
    let mut fields = Fields::new("tenure/bundle/v1", Algorithm::GcmSiv);
    fields.add(header).add(&number.to_be_bytes());
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(pages: usize) -> Bundle {
        let tree = Tree::Held;
        let key = |_| (PageId::random().unwrap(), PageKey::new(tree, Secret::random().unwrap()));
        Bundle { tree, keys: (0..pages).map(key).collect() }
    }

    #[test]
    fn a_bundle_is_read_back_and_shows_no_key() {
        let root = Root::new(&Secret::random().unwrap()).unwrap();
        let bundle = bundle(5);
        let file = root.seal(7, &bundle).unwrap();
        let read = root.open(7, &file).unwrap();
        assert_eq!(read.tree, bundle.tree);
        assert_eq!(read.keys.len(), 5);
        for (page, key) in &bundle.keys {
            assert_eq!(read.keys[page].secret().as_bytes(), key.secret().as_bytes());
            assert!(!file.windows(32).any(|part| part == key.secret().as_bytes()));
        }
    }

    #[test]
    fn a_bundle_cannot_stand_in_for_another_or_be_altered() {
        let root = Root::new(&Secret::random().unwrap()).unwrap();
        let file = root.seal(7, &bundle(1)).unwrap();
        assert_eq!(root.open(8, &file).unwrap_err(), KeyError::Damaged(8));
        let other = Root::new(&Secret::random().unwrap()).unwrap();
        assert_eq!(other.open(7, &file).unwrap_err(), KeyError::Damaged(7));
        for place in 0..file.len() {
            let mut altered = file.clone();
            altered[place] ^= 1;
            assert!(root.open(7, &altered).is_err(), "byte {place}");
            assert!(root.open(7, &file[..place]).is_err(), "cut at {place}");
        }
    }
}
