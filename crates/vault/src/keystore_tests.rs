//! The key store of files: what is destroyed stays destroyed, and nothing else goes with it.

use tempfile::TempDir;

use super::*;

fn new_store() -> (TempDir, FileKeyStore) {
    let folder = tempfile::tempdir().unwrap();
    let claimed = KeyFolder::claim_new(&folder.path().join("keys")).unwrap();
    claimed.create_identity().unwrap();
    let store = FileKeyStore::create(claimed).unwrap();
    (folder, store)
}

fn reopen(folder: &TempDir, store: FileKeyStore) -> FileKeyStore {
    drop(store);
    FileKeyStore::open(&folder.path().join("keys")).unwrap()
}

fn bundle_files(folder: &TempDir) -> usize {
    let names = fs::read_dir(folder.path().join("keys")).unwrap();
    names.filter(|entry| entry.as_ref().unwrap().path().extension().is_some_and(|e| e == "bundle")).count()
}

fn bytes(store: &FileKeyStore, page: PageId) -> [u8; 32] {
    *store.key(page).unwrap().secret().as_bytes()
}

#[test]
fn keys_survive_reopening() {
    let (folder, store) = new_store();
    let pages = store.create(Tree::Flagged, 3).unwrap();
    let before: Vec<_> = pages.iter().map(|page| bytes(&store, *page)).collect();
    let store = reopen(&folder, store);
    let after: Vec<_> = pages.iter().map(|page| bytes(&store, *page)).collect();
    assert_eq!(before, after);
    assert_eq!(store.key(pages[0]).unwrap().tree(), Tree::Flagged);
}

#[test]
fn a_destroyed_page_is_unknown_at_once_and_after_reopening_and_its_neighbours_live() {
    let (folder, store) = new_store();
    let pages = store.create(Tree::Ordinary, 5).unwrap();
    store.destroy(&pages[1..3]).unwrap();
    store.destroy(&pages[1..3]).unwrap();
    assert_eq!(store.key(pages[1]).unwrap_err(), KeyError::Unknown(pages[1]));
    let store = reopen(&folder, store);
    assert_eq!(store.key(pages[1]).unwrap_err(), KeyError::Unknown(pages[1]));
    assert_eq!(store.key(pages[2]).unwrap_err(), KeyError::Unknown(pages[2]));
    bytes(&store, pages[0]);
    bytes(&store, pages[4]);
    assert_eq!(store.pages().unwrap().len(), 3);
    store.destroy(&pages[1..3]).unwrap();
}

#[test]
fn a_bundle_goes_with_its_last_page() {
    let (folder, store) = new_store();
    let pages = store.create(Tree::Ordinary, BUNDLE_PAGES_MAX + 1).unwrap();
    assert_eq!(bundle_files(&folder), 2);
    store.destroy(&pages).unwrap();
    assert_eq!(bundle_files(&folder), 0);
    assert_eq!(store.pages().unwrap(), []);
    assert_eq!(reopen(&folder, store).pages().unwrap(), []);
}

#[test]
fn small_batches_share_a_bundle_but_trees_never_do() {
    let (folder, store) = new_store();
    for _ in 0..4 {
        store.create(Tree::Ordinary, 300).unwrap();
    }
    assert_eq!(bundle_files(&folder), 2);
    store.create(Tree::Account, 1).unwrap();
    store.create(Tree::Ordinary, 1).unwrap();
    assert_eq!(bundle_files(&folder), 3);
    let store = reopen(&folder, store);
    assert_eq!(store.pages().unwrap().len(), 1202);
    store.create(Tree::Account, 1).unwrap();
    assert_eq!(bundle_files(&folder), 3);
}

#[test]
fn a_crash_before_the_rename_loses_nothing() {
    let (folder, store) = new_store();
    let pages = store.create(Tree::Ordinary, 2).unwrap();
    let before = bytes(&store, pages[0]);
    let half = folder.path().join("keys").join(format!("{}.tmp", bundle_name(0)));
    fs::write(&half, b"half a bundle").unwrap();
    let store = reopen(&folder, store);
    assert_eq!(bytes(&store, pages[0]), before);
    assert!(!half.exists());
}

#[test]
fn no_file_but_the_root_key_holds_a_key_in_the_clear() {
    let (folder, store) = new_store();
    let pages = store.create(Tree::Ordinary, 50).unwrap();
    for entry in fs::read_dir(folder.path().join("keys")).unwrap() {
        let content = fs::read(entry.unwrap().path()).unwrap();
        for page in &pages {
            let key = bytes(&store, *page);
            assert!(!content.windows(32).any(|part| part == key));
        }
    }
}

#[test]
fn a_folder_is_open_once() {
    let (folder, store) = new_store();
    let path = folder.path().join("keys");
    assert_eq!(FileKeyStore::open(&path).unwrap_err(), KeyError::Locked);
    drop(store);
    FileKeyStore::open(&path).unwrap();
}

#[test]
fn a_vault_is_never_written_over_even_without_its_root_key() {
    let (folder, store) = new_store();
    let path = folder.path().join("keys");
    store.create(Tree::Ordinary, 1).unwrap();
    drop(store);
    assert_eq!(KeyFolder::claim_new(&path).unwrap_err(), KeyError::AlreadyThere);
    fs::remove_file(path.join(ROOT_FILE)).unwrap();
    assert_eq!(KeyFolder::claim_new(&path).unwrap_err(), KeyError::AlreadyThere);
    assert_eq!(FileKeyStore::open(&path).unwrap_err(), KeyError::Missing(ROOT_FILE));
}

#[test]
fn a_damaged_bundle_is_an_error_and_not_a_destroyed_page() {
    let (folder, store) = new_store();
    store.create(Tree::Ordinary, 1).unwrap();
    drop(store);
    let path = folder.path().join("keys");
    fs::write(path.join(bundle_name(0)), b"noise").unwrap();
    assert_eq!(FileKeyStore::open(&path).unwrap_err(), KeyError::Damaged(0));
}

#[cfg(unix)]
#[test]
fn keys_that_others_can_read_are_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = new_store();
    drop(store);
    let path = folder.path().join("keys");
    fs::set_permissions(path.join(ROOT_FILE), PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(FileKeyStore::open(&path).unwrap_err(), KeyError::TooOpen(ROOT_FILE));
    fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(FileKeyStore::open(&path).unwrap_err(), KeyError::TooOpen("."));
}

#[test]
fn a_folder_that_went_away_proves_and_destroys_nothing() {
    let (folder, store) = new_store();
    let pages = store.create(Tree::Ordinary, 2).unwrap();
    let path = folder.path().join("keys");
    let away = folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    for empty in [false, true] {
        if empty {
            fs::create_dir(&path).unwrap();
        }
        assert_eq!(store.destroy(&pages[..1]), Err(KeyError::Missing(ROOT_FILE)));
        assert_eq!(store.create(Tree::Held, 1), Err(KeyError::Missing(ROOT_FILE)));
        assert_eq!(store.pages(), Err(KeyError::Missing(ROOT_FILE)));
    }
    fs::remove_dir(&path).unwrap();
    fs::rename(&away, &path).unwrap();
    bytes(&store, pages[0]);
    store.destroy(&pages[..1]).unwrap();
    assert_eq!(reopen(&folder, store).key(pages[0]).unwrap_err(), KeyError::Unknown(pages[0]));
}
