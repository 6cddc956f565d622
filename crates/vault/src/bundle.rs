//! A file of page keys, encrypted under the root key.
//!
//! `magic (8) ‖ root version (4, big-endian) ‖ tree (1) ‖ sealed(page (16) ‖ key (32), …)`.
//! The header and the bundle's number are bound, so that no bundle can stand in for another.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::cipher::{Algorithm, CipherError, OVERHEAD};
use crate::error::KeyError;
use crate::ids::PageId;
use crate::keys::Secret;
use crate::keystore::{Root, Roots};
use crate::names::Fields;
use crate::page::{PageKey, Tree};

/// The most page keys in one file: destroying one of them rewrites about 50 kB.
pub(crate) const BUNDLE_PAGES_MAX: usize = 1024;

const MAGIC: &[u8; 8] = b"TNRKEYS1";
/// The magic, the version of the root, and the tree.
const HEADER_LEN: usize = 13;
const PAGE_LEN: usize = 16;
const ENTRY_LEN: usize = PAGE_LEN + Secret::LEN;

/// Page keys of one tree that share a file.
#[derive(Debug, Clone)]
pub(crate) struct Bundle {
    pub(crate) tree: Tree,
    pub(crate) keys: BTreeMap<PageId, PageKey>,
}

/// A bundle as a file, sealed under a root.
pub(crate) fn seal(root: &Root, number: u64, bundle: &Bundle) -> Result<Vec<u8>, CipherError> {
    let length = bundle.keys.len() * ENTRY_LEN;
    let mut entries = Zeroizing::new(Vec::with_capacity(length));
    for (page, key) in &bundle.keys {
        entries.extend_from_slice(page.as_bytes());
        entries.extend_from_slice(key.secret().as_bytes());
    }
    let header = header(root.version(), bundle.tree);
    let mut file = Vec::with_capacity(header.len() + length + OVERHEAD);
    file.extend_from_slice(&header);
    root.bundles().seal_into(bind(&header, number).as_bytes(), &entries, &mut file)?;
    Ok(file)
}

/// The bundle in a file, if it is sealed under one of the roots.
pub(crate) fn open(roots: &Roots, number: u64, file: &[u8]) -> Result<Bundle, KeyError> {
    let root = version(file).and_then(|version| roots.of(version)).ok_or(KeyError::Damaged(number))?;
    open_under(root, number, file)
}

/// The version of the root that a file says it is sealed under.
pub(crate) fn version(file: &[u8]) -> Option<u32> {
    let (version, _) = file.strip_prefix(MAGIC)?.split_first_chunk::<4>()?;
    Some(u32::from_be_bytes(*version))
}

fn open_under(root: &Root, number: u64, file: &[u8]) -> Result<Bundle, KeyError> {
    let damaged = || KeyError::Damaged(number);
    let (head, sealed) = file.split_first_chunk::<HEADER_LEN>().ok_or_else(damaged)?;
    let tree = head.last().copied().and_then(Tree::from_id).ok_or_else(damaged)?;
    if *head != header(root.version(), tree) {
        return Err(damaged());
    }
    let entries = root.bundles().open(bind(head, number).as_bytes(), sealed).map_err(|_| damaged())?;
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

fn header(root: u32, tree: Tree) -> [u8; HEADER_LEN] {
    let mut header = [0; HEADER_LEN];
    let parts = MAGIC.iter().copied().chain(root.to_be_bytes()).chain([tree.id()]);
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
    use crate::keylog::Kind;

    fn bundle(pages: usize) -> Bundle {
        let tree = Tree::Held;
        let key = |_| (PageId::random().unwrap(), PageKey::new(tree, Secret::random(Kind::Page).unwrap()));
        Bundle { tree, keys: (0..pages).map(key).collect() }
    }

    fn root(version: u32) -> Root {
        Root::new(version, Secret::random(Kind::Root).unwrap()).unwrap()
    }

    #[test]
    fn a_bundle_is_read_back_and_shows_no_key() {
        let roots = Roots::only(root(1));
        let bundle = bundle(5);
        let file = seal(roots.newest(), 7, &bundle).unwrap();
        let read = open(&roots, 7, &file).unwrap();
        assert_eq!(read.tree, bundle.tree);
        assert_eq!(read.keys.len(), 5);
        for (page, key) in &bundle.keys {
            assert_eq!(read.keys[page].secret().as_bytes(), key.secret().as_bytes());
            assert!(!file.windows(32).any(|part| part == key.secret().as_bytes()));
        }
    }

    #[test]
    fn a_bundle_cannot_stand_in_for_another_or_be_altered() {
        let roots = Roots::only(root(1));
        let file = seal(roots.newest(), 7, &bundle(1)).unwrap();
        assert_eq!(open(&roots, 8, &file).unwrap_err(), KeyError::Damaged(8));
        let other = Roots::only(root(1));
        assert_eq!(open(&other, 7, &file).unwrap_err(), KeyError::Damaged(7));
        for place in 0..file.len() {
            let mut altered = file.clone();
            altered[place] ^= 1;
            assert!(open(&roots, 7, &altered).is_err(), "byte {place}");
            assert!(open(&roots, 7, &file[..place]).is_err(), "cut at {place}");
        }
    }

    #[test]
    fn a_bundle_opens_under_the_root_that_it_names_while_that_is_there() {
        let file_of = |root: &Root| seal(root, 3, &bundle(2)).unwrap();
        let (first, second) = (root(1), root(2));
        let (old, new) = (file_of(&first), file_of(&second));
        let mut roots = Roots::only(first);
        roots.follow(second);
        assert_eq!((version(&old), version(&new)), (Some(1), Some(2)));
        assert!(open(&roots, 3, &old).is_ok() && open(&roots, 3, &new).is_ok());
        roots.forget_earlier();
        assert_eq!(open(&roots, 3, &old).unwrap_err(), KeyError::Damaged(3));
        assert!(open(&roots, 3, &new).is_ok());
    }
}
