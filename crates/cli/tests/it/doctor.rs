//! `tenure doctor`.

use std::fs;
use std::path::PathBuf;

use super::folder::{Folder, account, conversation, files_below, jsonl};
use super::{code, json, stderr, stdout, tenure};

const NOW: &str = "2025-10-20T00:00:00Z";

fn world() -> Folder {
    let folder = Folder::new();
    let talks = (0..5).map(|n| conversation("ann", &format!("c{n}"), &["2025-10-01T10:00:00Z"]));
    let lines: Vec<_> = std::iter::once(account("ann")).chain(talks).collect();
    folder.import(&lines, NOW);
    folder
}

fn packs(folder: &Folder) -> Vec<PathBuf> {
    let mut files = Vec::new();
    files_below(&folder.data().join("packs"), &mut files);
    files.retain(|file| !file.ends_with("vault-mark"));
    files
}

fn pack(folder: &Folder) -> PathBuf {
    packs(folder).remove(0)
}

#[test]
fn a_folder_that_was_only_used_is_sound() {
    let folder = world();
    let shown = folder.done(&["doctor"]);
    assert!(shown.contains("Sound: nothing was found"), "{shown}");
    let full = folder.json(&["doctor", "--full"]);
    assert_eq!(full["diagnosis"]["findings"], serde_json::json!([]));
    let checked = full["diagnosis"]["checked"].as_array().unwrap();
    assert!(checked.contains(&serde_json::json!(["bodies", 5])), "{checked:?}");
}

#[test]
fn a_pack_that_no_row_mentions_is_harmless_and_repair_removes_it() {
    let folder = world();
    let known = pack(&folder);
    let name = known.file_name().unwrap().to_str().unwrap();
    let mut other: Vec<char> = name.chars().collect();
    let last = other.last_mut().unwrap();
    *last = if *last == '0' { '1' } else { '0' };
    let stray = known.with_file_name(other.into_iter().collect::<String>());
    fs::copy(&known, &stray).unwrap();
    let shown = folder.done(&["doctor"]);
    assert!(shown.contains("1 pack") && shown.contains("no row mentions"), "{shown}");
    folder.done(&["doctor", "--repair"]);
    assert!(!stray.exists() && known.exists());
    let after = folder.json(&["doctor"]);
    assert_eq!(after["diagnosis"]["leftovers"]["packs"], 0);
    assert_eq!(after["diagnosis"]["leftovers"]["page_keys"], 0);
}

#[test]
fn what_is_missing_cut_short_or_altered_is_found() {
    let missing = world();
    fs::remove_file(pack(&missing)).unwrap();
    let output = missing.run(&["doctor"]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    assert!(stdout(&output).contains("is missing: restore it from a backup"), "{}", stdout(&output));

    let short = world();
    let file = pack(&short);
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() - 1]).unwrap();
    let output = short.run(&["doctor"]);
    assert_eq!(code(&output), 1);
    assert!(stdout(&output).contains("lies beyond the end of pack"), "{}", stdout(&output));

    let altered = world();
    let file = pack(&altered);
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = altered.run(&["--json", "doctor", "--full"]);
    assert_eq!(code(&output), 1);
    let findings = json(&output)["diagnosis"]["findings"].as_array().unwrap().len();
    assert_eq!(findings, 1);
}

#[test]
fn an_import_that_is_killed_leaves_a_sound_folder_and_goes_on_when_asked_again() {
    let folder = Folder::new();
    let many = 1_500;
    let talks = (0..many).map(|n| {
        let mut talk = conversation(&format!("a{}", n % 50), &format!("c{n}"), &["2025-10-01T10:00:00Z"; 12]);
        for message in talk["messages"].as_array_mut().unwrap() {
            message["text"] = "a long text ".repeat(200).into();
        }
        talk
    });
    let path = folder.file("many.jsonl", jsonl(&talks.collect::<Vec<_>>()));
    let data = folder.data();
    let args = ["--data", data.to_str().unwrap(), "import", "tenure", &path, "--at", NOW];
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_tenure"))
        .args(args)
        .current_dir(super::root())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // Once the first pack lies there, work is under way.
    while child.try_wait().unwrap().is_none() && packs(&folder).is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let after = folder.json(&["doctor", "--full"]);
    assert_eq!(after["sound"], true, "{after}");
    folder.json(&["import", "tenure", &path, "--at", NOW]);
    let again = folder.json(&["import", "tenure", &path, "--at", NOW]);
    assert_eq!(again["taken"]["unchanged"], many);
    let whole = folder.json(&["doctor", "--full", "--repair"]);
    let checked = whole["diagnosis"]["checked"].as_array().unwrap();
    assert!(checked.contains(&serde_json::json!(["bodies", many])), "{checked:?}");
}

#[test]
fn a_folder_without_its_keys_is_refused_with_what_to_do() {
    let folder = world();
    fs::rename(folder.keys(), folder.keys().with_file_name("elsewhere")).unwrap();
    let output = folder.run(&["doctor"]);
    assert_eq!(code(&output), 2);
    assert!(stderr(&output).contains("key folder"), "{}", stderr(&output));
}

#[test]
fn a_key_folder_that_was_put_back_is_found() {
    let folder = Folder::new();
    folder.import(&[account("a"), conversation("a", "c", &["2025-09-29T10:00:00Z"])], "2025-09-30T00:00:00Z");
    let saved: Vec<_> = fs::read_dir(folder.keys())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bundle"))
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect();
    folder.done(&["sweep", "--yes", "--at", "2025-12-01T00:00:00Z"]);
    folder.done(&["doctor"]);
    for (path, bytes) in saved {
        fs::write(path, bytes).unwrap();
    }
    let output = folder.run(&["doctor"]);
    assert_eq!(code(&output), 1, "{}", stdout(&output));
}

#[test]
fn a_folder_is_not_set_up_with_terms_that_are_refused() {
    let root = tempfile::tempdir().unwrap();
    let (data, terms) = (root.path().join("data"), root.path().join("bad.toml"));
    fs::write(&terms, "policy = \"p\"\n").unwrap();
    let args = ["--data", data.to_str().unwrap(), "init", "--policy", terms.to_str().unwrap()];
    let output = tenure(&args);
    assert_eq!(code(&output), 1);
    assert!(!data.exists());
}
