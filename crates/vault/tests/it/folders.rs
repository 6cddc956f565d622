//! The two folders: made together, opened once, and free of anything readable.

use std::fs;
use std::path::Path;
use std::process::Command;

use tenure_vault::{BodyError, CopyName, KeyError, SegmentName, Tree, Vault, VaultError};

use crate::Place;

const MARKER: &[u8] = b"a sentence that nobody else would write 7f3a";

fn files(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(fs::read(path).unwrap()) }
    }
    found
}

fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

#[test]
pub(crate) fn no_file_of_either_folder_holds_what_was_said_or_whose_it_was() {
    let place = Place::new();
    let vault = place.vault();
    let (account, page) = (place.account(), place.page(Tree::Ordinary));
    let key = vault.body_key().unwrap();
    let mut writer = vault.pack_writer().unwrap();
    for number in 0..40 {
        let name = SegmentName { organisation: None, account: "account-31", record: "record-31", number };
        writer.add(&key, &name, MARKER).unwrap();
    }
    vault.finish(writer).unwrap();
    let copy = CopyName { organisation: None, account: "account-31", record: "record-31", class: "history" };
    vault.wrap(&copy, &account, page, &key).unwrap();
    let packs = vault.packs().unwrap().packs.into_iter().map(|found| place.pack(found.pack));
    let files = files(place.folder.path());
    assert!(files.len() >= 4 && packs.len() == 1);
    for content in files.into_iter().chain(packs) {
        assert!(!holds(&content, MARKER) && !holds(&content, b"account-31"));
    }
}

#[test]
pub(crate) fn the_same_content_is_recognised_after_reopening_and_in_no_other_vault() {
    let mut place = Place::new();
    let before = place.vault().identify(&[b"account", b"content"]);
    place.reopen();
    assert_eq!(place.vault().identify(&[b"account", b"content"]), before);
    assert_ne!(place.vault().identify(&[b"account", b"other"]), before);
    assert_ne!(Place::new().vault().identify(&[b"account", b"content"]), before);
}

#[test]
pub(crate) fn folders_of_two_vaults_do_not_open_together() {
    let (mut one, mut other) = (Place::new(), Place::new());
    one.close();
    other.close();
    let crossed = one.open(&one.data(), &other.keys()).unwrap_err();
    assert_eq!(crossed, VaultError::Bodies(BodyError::Foreign));
    drop(one.open(&one.data(), &one.keys()).unwrap());
}

#[test]
fn a_creation_that_broke_off_can_be_begun_again_and_a_finished_one_cannot() {
    let folder = tempfile::tempdir().unwrap();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    drop(Vault::create(&data, &keys).unwrap());
    fs::remove_file(keys.join("root.key")).unwrap();
    drop(Vault::create(&data, &keys).unwrap());
    let again = Vault::create(&data, &keys).unwrap_err();
    assert_eq!(again, VaultError::Keys(KeyError::AlreadyThere));
    drop(Vault::open(&data, &keys).unwrap());
    let elsewhere = Vault::open(&folder.path().join("nowhere"), &keys).unwrap_err();
    assert_eq!(elsewhere, VaultError::Bodies(BodyError::Unmarked));
    let without = Vault::open(&data, &folder.path().join("nowhere")).unwrap_err();
    assert!(matches!(without, VaultError::Keys(KeyError::Missing(_))));
    assert!(!folder.path().join("nowhere").exists());
}

/// Runs in a process of its own, started by the test below.
#[test]
fn second_process() {
    let Some(folder) = std::env::var_os("TENURE_VAULT_TEST_FOLDER") else { return };
    let folder = Path::new(&folder);
    let refused = Vault::open(&folder.join("data"), &folder.join("keys")).unwrap_err();
    assert_eq!(refused, VaultError::Keys(KeyError::Locked));
    println!("refused as it should be");
}

#[test]
pub(crate) fn a_second_process_is_refused_while_the_first_has_the_vault_open() {
    let place = Place::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "folders::second_process", "--nocapture"])
        .env("TENURE_VAULT_TEST_FOLDER", place.folder.path())
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && printed.contains("refused as it should be"), "{printed}");
}
