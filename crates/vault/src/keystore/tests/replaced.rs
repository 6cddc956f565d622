//! The root key is replaced while the store is in use, and wherever that breaks off nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::files::crash;
use crate::keylog::{Recording, open_bundle};
use crate::logkeys::LogKeyError;

/// A store with pages in two trees, one of them destroyed, and the keys of a log.
struct Used {
    pages: Vec<(PageId, [u8; 32])>,
    destroyed: PageId,
    log: usize,
}

impl Used {
    fn new(home: &Home) -> (FileKeyStore, Self) {
        let store = home.create();
        let mut pages = store.create(Tree::Ordinary, 4).unwrap();
        pages.extend(store.create(Tree::Account, 2).unwrap());
        let destroyed = pages.remove(1);
        store.destroy(&[destroyed]).unwrap();
        let pages = pages.into_iter().map(|page| (page, bytes(&store, page))).collect();
        let log = home.create_log_keys().keys().len();
        (store, Self { pages, destroyed, log })
    }

    fn is_whole(&self, home: &Home, store: &FileKeyStore) {
        for (page, key) in &self.pages {
            assert_eq!(bytes(store, *page), *key);
        }
        assert_eq!(store.key(self.destroyed).unwrap_err(), KeyError::Unknown(self.destroyed));
        assert_eq!(store.pages().unwrap().len(), self.pages.len());
        assert_eq!(home.open_log_keys().keys().len(), self.log);
        store.identity().unwrap();
    }
}

/// Breaks a replacement off after every number of steps, and its completion too.
pub(super) fn a_crash_at_any_step_leaves_everything_readable_and_the_next_opening_goes_on(
    home: impl Fn() -> Home,
) {
    for steps in 0.. {
        let home = home();
        let (store, used) = Used::new(&home);
        let first = *store.writing().roots.newest().secret().as_bytes();
        crash::never();
        crash::after(steps);
        let done = store.rotate_root().is_ok();
        crash::never();
        // The process that saw the failure goes on, and so does one that is started in its place.
        used.is_whole(&home, &store);
        drop(store);
        for again in [steps % 7, 11 + steps % 13] {
            crash::after(again);
            let opened = home.try_open().map(drop);
            crash::never();
            assert!(opened.is_ok() || !done, "after {steps} and {again} steps: {opened:?}");
        }
        let store = home.try_open().unwrap();
        used.is_whole(&home, &store);
        let version = store.root().unwrap().version;
        assert!(!home.keys().join(folder::NEXT_FILE).exists());
        assert!(version == 2 || !done && version == 1, "after {steps} steps: {version}");
        assert_eq!(store.ageing_out().unwrap().is_empty(), version == 2);
        for file in files_of(&home.keys()) {
            assert!(version == 1 || !holds(&fs::read(file).unwrap(), &first), "after {steps} steps");
        }
        assert_eq!(store.rotate_root().unwrap().version, version + 1);
        used.is_whole(&home, &store);
        if done {
            assert!(steps > 20);
            return;
        }
    }
}

#[test]
fn in_a_folder_a_crash_at_any_step_leaves_everything_readable_and_the_next_opening_goes_on() {
    a_crash_at_any_step_leaves_everything_readable_and_the_next_opening_goes_on(Home::in_folder);
}

#[test]
fn a_replacement_that_failed_is_finished_by_the_next_call() {
    let home = Home::in_folder();
    let (store, used) = Used::new(&home);
    for steps in 0.. {
        crash::after(steps);
        let done = store.rotate_root();
        crash::never();
        used.is_whole(&home, &store);
        let more = store.create(Tree::Held, 1).unwrap();
        store.destroy(&more).unwrap();
        if done.is_ok() {
            break;
        }
    }
    let store = home.reopen(store);
    used.is_whole(&home, &store);
}

#[test]
fn saved_bundles_open_nothing_with_the_root_of_today_and_the_old_root_is_nowhere() {
    let recording = Recording::start();
    let home = Home::in_folder();
    let (store, used) = Used::new(&home);
    let saved = home.save("saved");
    let first = *store.writing().roots.newest().secret().as_bytes();
    store.rotate_root().unwrap();
    store.rotate_root().unwrap();
    used.is_whole(&home, &store);
    let today = *store.writing().roots.newest().secret().as_bytes();
    let old = fs::read(saved.join(bundle_name(0))).unwrap();
    assert_eq!(open_bundle(0, &old, &first).unwrap().len(), 3);
    assert_eq!(open_bundle(0, &old, &today), None);
    // Of all roots there ever were, the folder holds the one of today, and nothing else opens it.
    let roots = recording.of(Kind::Root);
    for root in roots.iter().filter(|root| root.bytes != today) {
        assert!(files_of(&home.keys()).iter().all(|file| !root.is_in(&fs::read(file).unwrap())));
        let now = fs::read(home.keys().join(bundle_name(0))).unwrap();
        assert_eq!(open_bundle(0, &now, &root.bytes), None);
    }
    // Put back beside the root of today, they are refused and not taken for what they were.
    drop(store);
    for name in [bundle_name(0), sealed::LOG_KEYS_FILE.to_owned()] {
        let now = fs::read(home.keys().join(&name)).unwrap();
        fs::copy(saved.join(&name), home.keys().join(&name)).unwrap();
        if name == sealed::LOG_KEYS_FILE {
            let refused = LogKeys::open_with(&home.keys(), &home.access).unwrap_err();
            assert!(matches!(refused, LogKeyError::Damaged));
        } else {
            assert_eq!(home.try_open().unwrap_err(), KeyError::Damaged(0));
        }
        fs::write(home.keys().join(&name), now).unwrap();
    }
    used.is_whole(&home, &home.try_open().unwrap());
}

#[test]
fn pages_are_made_destroyed_and_read_and_the_log_is_signed_while_the_root_is_replaced() {
    let home = Home::in_folder();
    let (store, used) = Used::new(&home);
    let ended = AtomicBool::new(false);
    let live = thread::scope(|scope| {
        let writes = scope.spawn(|| {
            let mut live = Vec::new();
            while !ended.load(Ordering::Relaxed) {
                let made = store.create(Tree::Ordinary, 3).unwrap();
                live.push((made[0], bytes(&store, made[0])));
                store.destroy(&made[1..]).unwrap();
                assert!(matches!(store.key(made[1]), Err(KeyError::Unknown(_))));
            }
            live
        });
        let reads = scope.spawn(|| {
            while !ended.load(Ordering::Relaxed) {
                for (page, key) in &used.pages {
                    assert_eq!(bytes(&store, *page), *key);
                }
                assert!(store.pages().unwrap().len() >= used.pages.len());
            }
        });
        let log = scope.spawn(|| {
            let now = tenure_model::Instant::from_micros(9).unwrap();
            while !ended.load(Ordering::Relaxed) {
                let keys = home.open_log_keys().rotate(now).unwrap();
                keys.retire(now).unwrap();
            }
        });
        for _ in 0..6 {
            store.rotate_root().unwrap();
        }
        ended.store(true, Ordering::Relaxed);
        reads.join().unwrap();
        log.join().unwrap();
        writes.join().unwrap()
    });
    assert_eq!(store.root().unwrap(), RootInForce { version: 7, home: RootHome::Folder });
    let store = home.reopen(store);
    for (page, key) in live.iter().chain(&used.pages) {
        assert_eq!(bytes(&store, *page), *key);
    }
    assert_eq!(store.pages().unwrap().len(), live.len() + used.pages.len());
    home.open_log_keys();
}
