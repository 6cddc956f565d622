//! The rules of every key store: what is destroyed stays destroyed, and nothing else goes with it.

use super::*;
use crate::bundle::BUNDLE_PAGES_MAX;
use crate::keylog::Recording;

macro_rules! rules {
    ($($rule:ident)*) => {
        /// Each of them, to be tried where starting a server for each would take long.
        #[cfg(feature = "transit")]
        pub(super) const ALL: &[(&str, fn(&Home))] = &[$((stringify!($rule), $rule)),*];

        mod in_folder {
            $(#[test]
            fn $rule() {
                super::$rule(&super::Home::in_folder());
            })*
        }
    };
}

rules! {
    keys_survive_reopening
    a_destroyed_page_is_unknown_at_once_and_after_reopening_and_its_neighbours_live
    a_bundle_goes_with_its_last_page
    small_batches_share_a_bundle_but_trees_never_do
    a_crash_before_the_rename_loses_nothing
    no_file_but_the_root_key_holds_a_key_in_the_clear
    a_folder_is_open_once
    a_vault_is_never_written_over_even_without_its_root_key
    a_damaged_bundle_is_an_error_and_not_a_destroyed_page
    keys_that_others_can_read_are_refused
    a_folder_that_went_away_proves_and_destroys_nothing
    content_is_recognised_after_reopening_and_after_the_root_was_replaced
    a_destroyed_page_ages_out_until_the_root_is_replaced
    a_root_file_that_is_noise_opens_nothing
}

fn keys_survive_reopening(home: &Home) {
    let store = home.create();
    let pages = store.create(Tree::Flagged, 3).unwrap();
    let before: Vec<_> = pages.iter().map(|page| bytes(&store, *page)).collect();
    let store = home.reopen(store);
    let after: Vec<_> = pages.iter().map(|page| bytes(&store, *page)).collect();
    assert_eq!(before, after);
    assert_eq!(store.key(pages[0]).unwrap().tree(), Tree::Flagged);
}

fn a_destroyed_page_is_unknown_at_once_and_after_reopening_and_its_neighbours_live(home: &Home) {
    let store = home.create();
    let pages = store.create(Tree::Ordinary, 5).unwrap();
    store.destroy(&pages[1..3]).unwrap();
    store.destroy(&pages[1..3]).unwrap();
    assert_eq!(store.key(pages[1]).unwrap_err(), KeyError::Unknown(pages[1]));
    let store = home.reopen(store);
    assert_eq!(store.key(pages[1]).unwrap_err(), KeyError::Unknown(pages[1]));
    assert_eq!(store.key(pages[2]).unwrap_err(), KeyError::Unknown(pages[2]));
    bytes(&store, pages[0]);
    bytes(&store, pages[4]);
    assert_eq!(store.pages().unwrap().len(), 3);
    store.destroy(&pages[1..3]).unwrap();
}

fn a_bundle_goes_with_its_last_page(home: &Home) {
    let store = home.create();
    let pages = store.create(Tree::Ordinary, BUNDLE_PAGES_MAX + 1).unwrap();
    assert_eq!(home.bundle_files(), 2);
    store.destroy(&pages).unwrap();
    assert_eq!(home.bundle_files(), 0);
    assert_eq!(store.pages().unwrap(), []);
    assert_eq!(home.reopen(store).pages().unwrap(), []);
}

fn small_batches_share_a_bundle_but_trees_never_do(home: &Home) {
    let store = home.create();
    for _ in 0..4 {
        store.create(Tree::Ordinary, 300).unwrap();
    }
    assert_eq!(home.bundle_files(), 2);
    store.create(Tree::Account, 1).unwrap();
    store.create(Tree::Ordinary, 1).unwrap();
    assert_eq!(home.bundle_files(), 3);
    let store = home.reopen(store);
    assert_eq!(store.pages().unwrap().len(), 1202);
    store.create(Tree::Account, 1).unwrap();
    assert_eq!(home.bundle_files(), 3);
}

fn a_crash_before_the_rename_loses_nothing(home: &Home) {
    let store = home.create();
    let pages = store.create(Tree::Ordinary, 2).unwrap();
    let before = bytes(&store, pages[0]);
    let half = home.keys().join(format!("{}.tmp", bundle_name(0)));
    fs::write(&half, b"half a bundle").unwrap();
    let store = home.reopen(store);
    assert_eq!(bytes(&store, pages[0]), before);
    assert!(!half.exists());
}

fn no_file_but_the_root_key_holds_a_key_in_the_clear(home: &Home) {
    let recording = Recording::start();
    let store = home.create();
    home.create_log_keys();
    store.create(Tree::Ordinary, 50).unwrap();
    // Only what lies beside a root in the clear is in the clear.
    let in_clear = matches!(home.root, NewRoot::InFolder);
    let mut found = 0;
    for key in recording.keys() {
        let wherever =
            files_of(&home.keys()).iter().filter(|file| key.is_in(&fs::read(file).unwrap())).count();
        assert!(wherever == 0 || in_clear && matches!(key.kind, Kind::Root | Kind::Standing), "{key:?}");
        found += wherever;
    }
    assert_eq!(found, if in_clear { 2 } else { 0 });
}

fn a_folder_is_open_once(home: &Home) {
    let store = home.create();
    assert_eq!(home.try_open().unwrap_err(), KeyError::Locked);
    drop(store);
    home.try_open().unwrap();
}

fn a_vault_is_never_written_over_even_without_its_root_key(home: &Home) {
    let store = home.create();
    store.create(Tree::Ordinary, 1).unwrap();
    drop(store);
    let claim = || KeyFolder::claim_new(&home.keys(), &home.root).unwrap_err();
    assert_eq!(claim(), KeyError::AlreadyThere);
    fs::remove_file(home.keys().join(ROOT_FILE)).unwrap();
    assert_eq!(claim(), KeyError::AlreadyThere);
    assert_eq!(home.try_open().unwrap_err(), KeyError::Missing(ROOT_FILE));
}

fn a_damaged_bundle_is_an_error_and_not_a_destroyed_page(home: &Home) {
    let store = home.create();
    store.create(Tree::Ordinary, 1).unwrap();
    drop(store);
    fs::write(home.keys().join(bundle_name(0)), b"noise").unwrap();
    assert_eq!(home.try_open().unwrap_err(), KeyError::Damaged(0));
}

fn keys_that_others_can_read_are_refused(home: &Home) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        drop(home.create());
        let open_to_others = |path: &Path, mode: u32| {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        open_to_others(&home.keys().join(ROOT_FILE), 0o644);
        assert_eq!(home.try_open().unwrap_err(), KeyError::TooOpen(ROOT_FILE));
        open_to_others(&home.keys(), 0o755);
        assert_eq!(home.try_open().unwrap_err(), KeyError::TooOpen("."));
    }
}

fn a_folder_that_went_away_proves_and_destroys_nothing(home: &Home) {
    let store = home.create();
    let pages = store.create(Tree::Ordinary, 2).unwrap();
    let path = home.keys();
    let away = home.folder.path().join("away");
    fs::rename(&path, &away).unwrap();
    for empty in [false, true] {
        if empty {
            fs::create_dir(&path).unwrap();
        }
        assert_eq!(store.destroy(&pages[..1]), Err(KeyError::Missing(ROOT_FILE)));
        assert_eq!(store.create(Tree::Held, 1), Err(KeyError::Missing(ROOT_FILE)));
        assert_eq!(store.pages(), Err(KeyError::Missing(ROOT_FILE)));
        assert_eq!(store.rotate_root(), Err(KeyError::Missing(ROOT_FILE)));
        assert_eq!(store.ageing_out(), Err(KeyError::Missing(ROOT_FILE)));
    }
    fs::remove_dir(&path).unwrap();
    fs::rename(&away, &path).unwrap();
    bytes(&store, pages[0]);
    store.destroy(&pages[..1]).unwrap();
    assert_eq!(home.reopen(store).key(pages[0]).unwrap_err(), KeyError::Unknown(pages[0]));
}

fn content_is_recognised_after_reopening_and_after_the_root_was_replaced(home: &Home) {
    let store = home.create();
    let before = store.identity().unwrap().identify(&[b"content"]);
    let store = home.reopen(store);
    assert_eq!(store.identity().unwrap().identify(&[b"content"]), before);
    store.rotate_root().unwrap();
    assert_eq!(store.identity().unwrap().identify(&[b"content"]), before);
    assert_eq!(home.reopen(store).identity().unwrap().identify(&[b"content"]), before);
}

fn a_destroyed_page_ages_out_until_the_root_is_replaced(home: &Home) {
    let saved = [AgeingOut { what: Ageing::SavedBundles, until: None }];
    let store = home.create();
    let pages = store.create(Tree::Ordinary, 3).unwrap();
    assert_eq!(store.ageing_out().unwrap(), []);
    store.destroy(&[]).unwrap();
    assert_eq!(store.ageing_out().unwrap(), []);
    store.destroy(&pages[..1]).unwrap();
    assert_eq!(store.ageing_out().unwrap(), saved);
    let store = home.reopen(store);
    assert_eq!(store.ageing_out().unwrap(), saved);
    assert_eq!(store.rotate_root().unwrap().version, 2);
    assert_eq!(store.ageing_out().unwrap(), []);
    store.destroy(&pages[1..2]).unwrap();
    assert_eq!(home.reopen(store).ageing_out().unwrap(), saved);
}

fn a_root_file_that_is_noise_opens_nothing(home: &Home) {
    drop(home.create());
    fs::write(home.keys().join(ROOT_FILE), b"noise").unwrap();
    assert_eq!(home.try_open().unwrap_err(), KeyError::RootDamaged(ROOT_FILE));
}
