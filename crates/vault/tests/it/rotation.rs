//! The root key is replaced by a process that dies at any moment.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tenure_vault::{FileKeyStore, KeyStore as _, LogKeys, PageId, Tree};

use crate::Place;

const FOLDER: &str = "TENURE_VAULT_ROTATED_FOLDER";

/// Runs in a process of its own, which the test below kills.
#[test]
fn replaces_its_root_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    let store = FileKeyStore::open(Path::new(&folder)).unwrap();
    println!("\nopen");
    loop {
        let pages = store.create(Tree::Held, 2).unwrap();
        store.rotate_root().unwrap();
        store.destroy(&pages).unwrap();
    }
}

#[test]
fn a_process_that_is_killed_while_it_replaces_the_root_loses_no_page_and_no_key_of_the_log() {
    let mut place = Place::new();
    let pages: Vec<PageId> = place.vault().pages().create(Tree::Ordinary, 2_000).unwrap();
    let keys = place.folder.path().join("keys");
    let now = tenure_model::Instant::from_micros(1).unwrap();
    let log = LogKeys::create(&keys, &"log.example/a".parse().unwrap(), now).unwrap().keys();
    let content = place.vault().identify(&[b"content"]);
    place.close();
    let mut version = 1;
    for round in 0..12_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "rotation::replaces_its_root_until_it_is_killed", "--nocapture"])
            .env(FOLDER, &keys)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap() == "open"));
        std::thread::sleep(Duration::from_millis(5 + 17 * round % 90));
        child.kill().unwrap();
        child.wait().unwrap();
        place.reopen();
        let root = place.vault().pages().root().unwrap().version;
        assert!(root >= version);
        version = root;
        assert!(!keys.join("root.next").exists());
        assert_eq!(
            fs::read_dir(&keys).unwrap().filter(|file| is_temporary(&file.as_ref().unwrap().path())).count(),
            0
        );
        for page in &pages {
            place.vault().pages().key(*page).unwrap();
        }
        assert_eq!(LogKeys::open(&keys).unwrap().keys(), log);
        assert_eq!(place.vault().identify(&[b"content"]), content);
        place.close();
    }
    assert!(version > 1, "no replacement was ever finished");
}

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == "tmp")
}
