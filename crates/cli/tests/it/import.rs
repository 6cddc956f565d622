//! `tenure import`.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::folder::{Folder, account, conversation, files_below};
use super::{code, json as parsed, root, stderr, stdout};

const LATER: &str = "2026-10-01T00:00:00Z";
const NOW: &str = "2025-10-20T00:00:00Z";

fn adds_up(tally: &Value) -> bool {
    let skipped: u64 = tally["skipped"].as_object().unwrap().values().filter_map(Value::as_u64).sum();
    let troubles = tally["not_understood"].as_object().unwrap().values();
    let troubles: u64 = troubles.filter_map(|trouble| trouble["count"].as_u64()).sum();
    tally["seen"].as_u64().unwrap() == tally["read"].as_u64().unwrap() + skipped + troubles
}

#[test]
fn what_is_imported_twice_changes_nothing() {
    let folder = Folder::new();
    let lines =
        [account("ann"), conversation("ann", "c1", &["2025-10-01T10:00:00Z", "2025-10-01T10:01:00Z"])];
    let first = folder.import(&lines, NOW);
    assert_eq!((&first["taken"]["conversations"], &first["taken"]["messages"]), (&json!(1), &json!(2)));
    let counted = folder.counts();
    let second = folder.import(&lines, NOW);
    assert_eq!((&second["taken"]["unchanged"], &second["taken"]["messages"]), (&json!(1), &json!(0)));
    assert_eq!(folder.counts(), counted);
}

#[test]
fn a_conversation_that_goes_on_keeps_its_record() {
    let folder = Folder::new();
    folder.import(&[conversation("ann", "c1", &["2025-10-01T10:00:00Z"])], NOW);
    let before = folder.records("ann", NOW);
    let taken =
        folder.import(&[conversation("ann", "c1", &["2025-10-01T10:00:00Z", "2025-10-02T10:00:00Z"])], NOW);
    assert_eq!((&taken["taken"]["resumed"], &taken["taken"]["known"]), (&json!(1), &json!(1)));
    assert_eq!(folder.records("ann", NOW), before);
}

#[test]
fn a_bad_line_is_told_with_its_place_and_the_rest_goes_on() {
    let folder = Folder::new();
    let good = conversation("ann", "c1", &["2025-10-01T10:00:00Z"]);
    let path = folder.file("mixed.jsonl", format!("{good}\nnot json\n"));
    let shown = folder.done(&["import", "tenure", &path, "--at", NOW]);
    assert!(shown.contains("line 2") && shown.contains("conversations, new"), "{shown}");
}

#[test]
fn a_format_that_names_no_surface_says_what_to_do_and_which_there_are() {
    let folder = Folder::new();
    let line = json!({"messages": [{"role": "user", "content": "hello"}]});
    let path = folder.file("openai.jsonl", format!("{line}\n"));
    let refused = folder.run(&["import", "openai", &path, "--account", "ann", "--at", NOW]);
    assert_eq!(code(&refused), 1);
    let shown = stdout(&refused);
    assert!(shown.contains("--surface NAME") && shown.contains("`pro`"), "{shown}");
    let taken =
        folder.json(&["import", "openai", &path, "--account", "ann", "--surface", "pro", "--at", NOW]);
    assert_eq!(taken["taken"]["conversations"], 1);
    let unknown =
        folder.run(&["import", "openai", &path, "--account", "ann", "--surface", "moon", "--at", NOW]);
    assert_eq!(code(&unknown), 2);
    assert!(stderr(&unknown).contains("no published policy knows surface `moon`"));
}

#[test]
fn what_has_zero_retention_is_refused_at_the_door() {
    let folder = Folder::new();
    let mut zero = conversation("ann", "c1", &["2025-10-01T10:00:00Z"]);
    zero["surface"] = json!("api-zdr");
    let path = folder.file("zero.jsonl", format!("{zero}\n"));
    let refused = folder.run(&["--json", "import", "tenure", &path, "--at", NOW]);
    assert_eq!(code(&refused), 1);
    assert_eq!(parsed(&refused)["taken"]["refused_conversations"]["zero_retention"], 1);
    let mut files = Vec::new();
    files_below(&folder.data().join("packs"), &mut files);
    assert!(files.iter().all(|file| file.ends_with("vault-mark")), "{files:?}");
}

fn zip_of(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content).unwrap();
    zip.finish().unwrap().into_inner()
}

fn claude_export() -> Vec<u8> {
    let messages = json!([{
        "uuid": "m1", "sender": "human", "text": "hello", "created_at": "2025-10-01T10:00:00Z",
    }]);
    let one =
        json!({"uuid": "u1", "name": "t", "created_at": "2025-10-01T10:00:00Z", "chat_messages": messages});
    serde_json::to_vec(&json!([one])).unwrap()
}

#[test]
fn bad_input_is_refused_with_a_clear_error_and_changes_nothing() {
    let folder = Folder::new();
    folder.import(&[account("ann"), conversation("ann", "c1", &["2025-10-01T10:00:00Z"])], NOW);
    let before = folder.counts();
    let whole = zip_of("conversations.json", &claude_export());
    let deep = format!("[{}", "[".repeat(200_000));
    let noise: Vec<u8> =
        (0..4096_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()).collect();
    let cases: [(&str, &str, Vec<u8>, &str); 6] = [
        ("claude", "cut.zip", whole[..whole.len() / 2].to_vec(), "cut short or damaged"),
        ("claude", "escape.zip", zip_of("../../conversations.json", &claude_export()), "leaves the archive"),
        ("claude", "wrong.json", b"{\"hello\": 1}".to_vec(), "none of"),
        ("chatgpt", "noise.json", noise.clone(), ""),
        ("claude", "deep.json", deep.into_bytes(), "levels deep"),
        ("tenure", "noise.jsonl", noise, ""),
    ];
    for (format, name, content, words) in cases {
        let path = folder.file(name, content);
        let good = folder.file("good.json", claude_export());
        // A good file before the bad one is not taken either.
        let paths: Vec<&str> = if format == "claude" { vec![&good, &path] } else { vec![&path] };
        let mut args = vec!["import", format, "--account", "bob", "--surface", "pro", "--at", NOW];
        args.extend(paths);
        let refused = folder.run(&args);
        assert_eq!(code(&refused), 2, "{name}: {}", stdout(&refused));
        let error = stderr(&refused);
        assert!(error.contains(words) && error.contains("nothing was changed"), "{name}: {error}");
        assert!(!error.contains(name) && !error.contains("hello"), "{name}: {error}");
        assert_eq!(folder.counts(), before, "{name}");
    }
}

#[test]
#[cfg_attr(not(shared_data), ignore = "../shared/data is missing")]
fn every_file_of_shared_data_imports_and_every_record_is_explained() {
    let data = root().join("../shared/data");
    let folder = Folder::new();
    let (mut imported, mut explained) = (0, 0);
    let mut seen = std::collections::HashSet::new();
    for (format, below) in [("claude", "claude"), ("chatgpt", "chatgpt"), ("claude-code", "claude-code")] {
        let mut files = Vec::new();
        files_below(&data.join(below), &mut files);
        for file in files.iter().filter(|file| is_data(file)) {
            let path = file.canonicalize().unwrap();
            let account = format!("{format}-{imported}");
            let arguments = ["--account", &account, "--surface", "pro", "--at", LATER];
            let mut all = vec!["import", format, path.to_str().unwrap()];
            all.extend(arguments);
            let done = folder.json(&all);
            for part in ["files", "records", "messages"] {
                assert!(adds_up(&done["files"][0][part]), "{done}");
            }
            imported += 1;
            assert!(done["taken"]["conversations"].as_u64().unwrap() > 0, "{done}");
            // A file that names accounts of its own is believed.
            let listed = folder.json(&["account", "--list"]);
            let accounts =
                listed["accounts"].as_array().unwrap().iter().filter_map(|row| row["account"].as_str());
            let records: Vec<String> = accounts
                .flat_map(|account| folder.records(account, LATER))
                .filter(|id| seen.insert(id.clone()))
                .collect();
            for record in records {
                let answer = folder.explain(&record, LATER);
                assert_eq!(answer["verdict"]["record"], json!(record));
                let shown = folder.done(&["explain", &record, "--at", LATER]);
                assert!(shown.contains("Kept") && shown.contains("because"), "{shown}");
                explained += 1;
            }
        }
    }
    assert!(
        imported >= 11 && explained > 0 && seen.len() == explained,
        "{imported} files, {explained} records"
    );
    folder.done(&["doctor", "--full"]);
}

fn is_data(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "json" || extension == "jsonl")
}

/// Whether any file below these folders has these bytes.
fn is_found(needle: &[u8], folders: &[&Path]) -> bool {
    let mut files = Vec::new();
    for folder in folders {
        files_below(folder, &mut files);
    }
    let has = |file: &std::path::PathBuf| {
        std::fs::read(file).unwrap().windows(needle.len()).any(|window| window == needle)
    };
    files.iter().any(has)
}

#[test]
fn no_word_of_a_body_or_a_title_lies_in_the_clear_anywhere() {
    let folder = Folder::new();
    let said =
        ["zebrafish-marker-one", "zebrafish-marker-two", "zebrafish-marker-title", "zebrafish-marker-tool"];
    let of = |texts: &[&str]| {
        let messages: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(place, text)| {
                json!({
                    "id": format!("m{place}"), "at": format!("2025-10-0{}T10:00:00Z", place + 1), "role": "human",
                    "text": text, "content": {"tool": said[3]},
                })
            })
            .collect();
        json!({
            "type": "conversation", "id": "c1", "account": "ann", "surface": "pro", "title": said[2],
            "messages": messages,
        })
    };
    folder.import(&[account("ann"), of(&said[..1])], "2025-10-01T12:00:00Z");
    let record = folder.records("ann", NOW).remove(0);
    folder.done(&["flag", &record, "--at", "2025-10-01T13:00:00Z"]);
    folder.done(&["feedback", &record, "--at", "2025-10-01T14:00:00Z"]);
    folder.done(&["decide", "ann", "train", "on", "--at", "2025-10-01T15:00:00Z"]);
    folder.import(&[account("ann"), of(&said[..2])], "2025-10-02T12:00:00Z");
    folder.done(&["flag", &record, "--clear", "--at", "2025-10-03T13:00:00Z"]);
    folder.done(&["sweep", "--yes", "--at", "2025-12-10T00:00:00Z"]);
    let (data, keys) = (folder.data(), folder.keys());
    for marker in said {
        assert!(is_found(marker.as_bytes(), &[data.parent().unwrap()]), "the search finds nothing at all");
        assert!(!is_found(marker.as_bytes(), &[&data, &keys]), "{marker}");
    }
    folder.done(&["doctor", "--full"]);
}
