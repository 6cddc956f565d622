//! What is broken, of another kind, or made to do harm.

use std::io::{Cursor, Write as _};

use proptest::prelude::{ProptestConfig, any, proptest};
use tenure_formats::{Format, ReadError, read};
use zip::write::SimpleFileOptions;

use crate::{Folder, read_all, read_bytes};

const CLAUDE: &str = r#"[{"uuid":"c","chat_messages":[{"uuid":"m","sender":"human","text":"hi"}]}]"#;

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn an_export_is_read_from_its_zip_wherever_it_lies_in_it() {
    let bytes =
        zip(&[("users.json", b"[]"), ("data/conversations.json", CLAUDE.as_bytes()), ("a.png", b"x")]);
    let outcome = read_bytes(Format::Claude, bytes).unwrap();
    assert_eq!(outcome.conversations.len(), 1);
    let files = &outcome.report.files;
    assert_eq!((files.seen, files.read, files.skipped_total()), (3, 1, 2));
}

#[test]
fn a_zip_that_is_cut_short_is_refused_wherever_it_is_cut() {
    let text = format!("[{}]", vec![CLAUDE.trim_matches(['[', ']']); 50].join(","));
    let whole = zip(&[("conversations.json", text.as_bytes())]);
    for length in [4, 30, whole.len() / 2, whole.len() - 30, whole.len() - 1] {
        let error = read_bytes(Format::Claude, &whole[..length]).err().unwrap();
        assert!(
            matches!(error, ReadError::DamagedZip { .. } | ReadError::WrongFile { .. }),
            "{length}: {error}"
        );
    }
}

#[test]
fn a_zip_whose_contents_are_damaged_is_refused_before_anything_is_handed_out() {
    let mut text = vec![CLAUDE.trim_matches(['[', ']']).to_owned(); 5_000].join(",");
    text = format!("[{text}]");
    let mut bytes = zip(&[("conversations.json", text.as_bytes())]);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xFF;
    let error = read_bytes(Format::Claude, bytes).err().unwrap();
    assert!(
        matches!(error, ReadError::DamagedZip { .. } | ReadError::Syntax { .. } | ReadError::CutShort { .. }),
        "{error}"
    );
}

#[test]
fn a_zip_with_a_path_that_escapes_is_refused_as_a_whole() {
    for name in ["../evil", "/etc/evil", "a/../../evil", "a\\evil", "C:/evil"] {
        // The writer mends such names, so a name of the same length is overwritten in the bytes.
        let placeholder = "x".repeat(name.len());
        let bytes = zip(&[("conversations.json", CLAUDE.as_bytes()), (&placeholder, b"x")]);
        let bytes = replace(&bytes, placeholder.as_bytes(), name.as_bytes());
        let error = read_bytes(Format::Claude, bytes).err().unwrap();
        assert!(matches!(error, ReadError::UnsafePath { entry: 2 }), "{name}: {error}");
    }
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let starts: Vec<usize> =
        (0..=bytes.len() - from.len()).filter(|at| bytes[*at..].starts_with(from)).collect();
    for at in starts {
        out[at..at + from.len()].copy_from_slice(to);
    }
    out
}

#[test]
fn a_zip_bomb_is_refused() {
    let blank = vec![b' '; 120 << 20];
    let error = read_bytes(Format::Claude, zip(&[("conversations.json", &blank)])).err().unwrap();
    assert!(matches!(error, ReadError::ZipBomb { entry: 1 }), "{error}");
}

#[test]
fn a_zip_that_lies_about_its_size_is_refused() {
    let text = format!("{}{CLAUDE}", " ".repeat(100_000));
    let bytes = zip(&[("conversations.json", text.as_bytes())]);
    let size = u32::try_from(text.len()).unwrap().to_le_bytes();
    let lie = replace(&bytes, &size, &1_000_u32.to_le_bytes());
    let error = read_bytes(Format::Claude, lie).err().unwrap();
    assert!(matches!(error, ReadError::ZipBomb { .. } | ReadError::DamagedZip { .. }), "{error}");
}

#[test]
fn a_zip_of_other_things_is_refused() {
    let bytes = zip(&[("photo.jpg", b"x"), ("shared_conversations.json", b"[]")]);
    assert!(matches!(read_bytes(Format::ChatGpt, bytes), Err(ReadError::NoConversations(_))));
}

#[test]
fn files_of_another_kind_are_named_for_what_they_are() {
    let error = read_bytes(Format::Claude, b"\x89PNG\r\n\x1a\n\0\0").err().unwrap();
    assert!(error.to_string().starts_with("this is a PNG image, not a Claude.ai export"), "{error}");
    for format in [Format::Claude, Format::ChatGpt] {
        for bytes in [&b"\x00\x01\x02\xfe\xff"[..], b"plain text", b"42", b"\"text\"", b"<html>"] {
            assert!(matches!(read_bytes(format, bytes), Err(ReadError::WrongFile { .. })));
        }
    }
    let folder = Folder::new();
    assert!(matches!(read_all(Format::Claude, folder.path()), Err(ReadError::NotAFile(_))));
    assert!(matches!(read_all(Format::Claude, &folder.path().join("none")), Err(ReadError::Io { .. })));
}

#[test]
fn json_of_another_shape_is_refused() {
    for text in [r#"{"a":1}"#, r#"[{"mapping":{}}]"#, "[1,2,3]", r#"[{"chat_messages":7}]"#] {
        let error = read_bytes(Format::Claude, text).err().unwrap();
        assert!(matches!(error, ReadError::NothingUnderstood { .. }), "{error}");
    }
    assert!(matches!(read_bytes(Format::ChatGpt, CLAUDE), Err(ReadError::NothingUnderstood { .. })));
    assert!(read_bytes(Format::Claude, "[]").unwrap().conversations.is_empty());
}

#[test]
fn an_array_that_is_cut_short_is_refused_before_anything_is_handed_out() {
    let error = read_bytes(Format::Claude, format!("{},", CLAUDE.trim_end_matches(']'))).err().unwrap();
    assert!(matches!(error, ReadError::CutShort { .. }), "{error}");
}

#[test]
fn a_bomb_of_nested_json_is_refused_in_every_format() {
    for format in Format::ALL {
        for bomb in ["[".repeat(200_000), "{\"a\":".repeat(200_000)] {
            let error = read_bytes(*format, bomb).err().unwrap();
            let text = error.to_string();
            assert!(
                matches!(error, ReadError::TooDeep { .. } | ReadError::NothingUnderstood { .. }),
                "{format}: {text}"
            );
        }
    }
}

#[test]
fn a_record_without_mapping_is_reported_and_the_rest_is_read() {
    let text = r#"[{"id":"a"},{"id":"b","mapping":{"n":{"id":"n","parent":null,"children":[],"message":
        {"id":"m","author":{"role":"user"},"content":{"content_type":"text","parts":["hi"]}}}}}]"#;
    let outcome = read_bytes(Format::ChatGpt, text).unwrap();
    assert_eq!(outcome.report.records.not_understood["no `mapping`"].examples[0].element, Some(1));
    assert_eq!(outcome.conversations[0].messages[0].text, "hi");
}

#[test]
fn no_message_of_an_error_quotes_the_content() {
    for text in [r#"{"type":"SECRET"}"#, r#"{"type":"account","id":{"SECRET":1}}"#, "SECRET", r#"["SECRET"]"#]
    {
        for format in Format::ALL {
            let error = read_bytes(*format, text).err().unwrap();
            assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        for format in Format::ALL {
            drop(read_bytes(*format, &bytes));
        }
    }

    #[test]
    fn arbitrary_damage_to_real_shapes_never_panics(at in 0_usize..10_000, byte: u8, cut in 0_usize..10_000) {
        let tree = r#"[{"mapping":{"n":{"id":"n","parent":"n","children":["n"],"message":{"id":"m","author":{"role":"user"},"create_time":1e9,"content":{"content_type":"text","parts":["hi"]}}}},"current_node":"n"}]"#;
        let line = r#"{"type":"user","uuid":"u","parentUuid":"u","sessionId":"s","isCompactSummary":true,"message":{"content":[{"type":"text","text":"x"}]}}"#;
        let own = r#"{"type":"conversation","id":"c","account":"a","messages":[{"role":"human","text":"t","at":"2025-01-01T00:00:00Z"}]}"#;
        let archive = zip(&[("conversations.json", CLAUDE.as_bytes())]);
        let samples = [(Format::Claude, archive.as_slice()), (Format::Claude, CLAUDE.as_bytes()), (Format::ChatGpt, tree.as_bytes()),
            (Format::ClaudeCode, line.as_bytes()), (Format::Tenure, own.as_bytes())];
        for (format, sample) in samples {
            let mut bytes = sample.to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            drop(read_bytes(format, &bytes));
            bytes.truncate(cut % bytes.len());
            let folder = Folder::new();
            drop(read::<()>(format, &folder.write("x", &bytes), &mut |_| Ok(())));
        }
    }
}
