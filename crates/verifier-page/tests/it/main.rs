//! The page, and the verifier in it, where both were built: otherwise these tests are skipped.

#![cfg(test)]

#[path = "../../../verifier/tests/it/world.rs"]
mod world;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tenure_receipts::Subject;
use tenure_verifier::verify;
use world::{ORIGIN, PERSON, decision, destroyed, ed25519, keys, receipt, witnesses};

const SOURCE: &str = include_str!("../../page/index.html");

fn built(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/verifier").join(file).canonicalize().unwrap()
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    text.split_once(start).and_then(|(_, rest)| rest.split_once(end)).unwrap().0
}

/// Runs a script with JSON on its standard input, and reads JSON from its standard output.
fn node(script: &str, arguments: &[&Path], input: &Value) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it").join(script);
    let mut child = Command::new("node")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Receipt, keys of the log, keys of witnesses: the good one first.
fn cases() -> Vec<[String; 3]> {
    let (stated, item) = destroyed();
    let good = receipt(PERSON, &decision(), None);
    let house = receipt(Subject::HOUSE, &stated, Some(item));
    let other_key = ed25519(ORIGIN, 9).key().to_string();
    vec![
        [good.clone(), keys(), witnesses()],
        [house, keys(), String::new()],
        [good.replacen("index 1001", "index 1002", 1), keys(), witnesses()],
        [good.clone(), other_key, String::new()],
        [good.clone(), ed25519("other.example", 1).key().to_string(), String::new()],
        [good.replace('\n', "\r\n"), keys(), String::new()],
        [good, String::new(), String::new()],
        [String::new(), keys(), witnesses()],
    ]
}

#[test]
fn the_page_allows_its_own_style_and_script_and_nothing_else() {
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let policy = between(SOURCE, r#"Content-Security-Policy" content=""#, r#"">"#);
    let style = hash(between(SOURCE, "<style>", "</style>"));
    let script = hash(between(SOURCE, "<script>", "</script>"));
    let expected = format!(
        "default-src 'none'; base-uri 'none'; form-action 'none'; style-src {style}; \
         script-src {script} 'wasm-unsafe-eval'"
    );
    assert_eq!(policy, expected, "put the second into page/index.html");
}

#[test]
fn every_field_has_a_label() {
    for id in ["receipt", "keys", "witnesses"] {
        assert!(SOURCE.contains(&format!(r#"<label for="{id}">"#)), "{id}");
        assert!(SOURCE.contains(&format!(r#"id="{id}-hint""#)), "{id}");
    }
    assert_eq!(SOURCE.matches("type=\"file\"").count(), SOURCE.matches("type=\"file\" id=").count());
    assert_eq!(SOURCE.matches("type=\"file\"").count(), SOURCE.matches("\" aria-label=").count());
}

#[test]
#[cfg_attr(not(all(verifier_built, node)), ignore = "target/verifier or Node is missing")]
fn in_wasm_it_answers_what_it_answers_here_and_within_20_ms() {
    let answered = node("wasm.mjs", &[&built("verifier.wasm")], &json!({ "cases": cases(), "runs": 200 }));
    let said = answered["answers"].as_array().unwrap();
    assert_eq!(said.len(), cases().len());
    for (case, ([receipt, keys, witnesses], said)) in cases().iter().zip(said).enumerate() {
        let here = verify(receipt.as_bytes(), keys, witnesses).to_json();
        assert_eq!(said.as_str().unwrap(), here, "case {case}: is target/verifier of this source?");
    }
    let milliseconds = answered["milliseconds"]["median"].as_f64().unwrap();
    println!("{}, {} bytes of memory", answered["milliseconds"], answered["memory"]);
    assert!(milliseconds < 20.0, "{milliseconds} ms");
}

#[test]
#[cfg_attr(not(all(verifier_built, node, chromium)), ignore = "target/verifier, Node or Chromium is missing")]
fn the_page_says_what_the_verifier_says() {
    let folder = tempfile::tempdir().unwrap();
    let [good, keys, witnesses] = cases().swap_remove(0);
    let (receipt_file, keys_file) = (folder.path().join("receipt.txt"), folder.path().join("keys.txt"));
    fs::write(&receipt_file, &good).unwrap();
    fs::write(&keys_file, &keys).unwrap();
    let broken_file = folder.path().join("broken.txt");
    let broken = good.replace('\n', "\r\n");
    fs::write(&broken_file, &broken).unwrap();
    let input = json!({ "width": 320, "cases": [
        { "files": { "receipt": receipt_file, "keys": keys_file } },
        { "texts": { "receipt": good.trim_end(), "keys": keys } },
        { "texts": { "keys": keys }, "files": { "receipt": broken_file } },
        { "texts": { "receipt": good } },
        { "texts": { "receipt": good, "keys": keys, "witnesses": witnesses } },
        { "dropped": { "log.key": keys, "mine.receipt": good } },
    ]});
    let seen = node("page.mjs", &[&built("index.html"), &folder.path().join("profile")], &input);
    assert_eq!(seen["troubles"], json!([]));
    let expected = [
        verify(good.as_bytes(), &keys, ""),
        verify(good.as_bytes(), &keys, ""),
        verify(broken.as_bytes(), &keys, ""),
        verify(good.as_bytes(), "", ""),
        verify(good.as_bytes(), &keys, &witnesses),
        verify(good.as_bytes(), &keys, ""),
    ];
    for (case, (shown, report)) in seen["shown"].as_array().unwrap().iter().zip(expected).enumerate() {
        // On the page, names are set in another type instead of between backticks.
        let words = report.words();
        let plain = |text: &String| text.replace('`', "");
        let lines: Vec<_> = words.lines.iter().map(|line| plain(&line.text)).collect();
        let notes: Vec<_> = words.notes.iter().map(plain).collect();
        assert_eq!(shown["headline"], plain(&words.headline), "case {case}");
        assert_eq!(shown["lines"], json!(lines), "case {case}");
        assert_eq!(shown["notes"], json!(notes), "case {case}");
        assert_eq!(shown["focus"], "headline", "the result is read out at once, case {case}");
        assert_eq!(shown["tooWide"], false, "case {case}");
        assert_eq!(shown["small"], json!([]), "case {case}");
    }
}
