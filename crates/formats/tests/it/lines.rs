//! Formats of one record a line.

use tenure_formats::{Format, Item, Place, ReadError, inspect, read, read_with_progress};

use crate::{Folder, read_bytes};

const ACCOUNT: &str = r#"{"type":"account","id":"a1","country":"US"}"#;
const CONVERSATION: &str = r#"{"type":"conversation","id":"c1","account":"a1","messages":[{"id":"m1","at":"2025-01-01T00:00:00Z","role":"human","text":"hi"}]}"#;

#[test]
fn a_byte_order_mark_carriage_returns_and_blank_lines_do_not_matter() {
    let text = format!("\u{feff}{ACCOUNT}\r\n\r\n   \n{CONVERSATION}");
    let outcome = read_bytes(Format::Tenure, text).unwrap();
    assert_eq!((outcome.report.accounts, outcome.report.conversations), (1, 1));
    assert_eq!(outcome.report.records.seen, 2);
}

#[test]
fn a_bad_line_is_reported_with_its_place_and_the_rest_goes_on() {
    let mut bytes = format!("{ACCOUNT}\n{{\"type\":\n").into_bytes();
    bytes.extend(b"{\"type\":\"account\",\"id\":\"\xff\"}\n");
    bytes.extend("[".repeat(50_000).bytes());
    bytes.extend(format!("\n{CONVERSATION}\n").bytes());
    let outcome = read_bytes(Format::Tenure, bytes).unwrap();
    let records = &outcome.report.records;
    assert_eq!((records.seen, records.read, records.not_understood_total()), (5, 2, 3));
    let lines: Vec<Option<u64>> = records
        .not_understood
        .values()
        .flat_map(|trouble| trouble.examples.iter().map(|place: &Place| place.line))
        .collect();
    assert!([2, 3, 4].iter().all(|line| lines.contains(&Some(*line))), "{lines:?}");
}

#[test]
fn a_file_of_which_no_line_is_understood_is_refused() {
    for text in ["hello\nworld\n", "{}\n[]\n", "\u{0}\u{1}\u{2}\n"] {
        let error = read_bytes(Format::Tenure, text).err().unwrap();
        assert!(matches!(error, ReadError::NothingUnderstood { .. }), "{error}");
    }
    assert!(matches!(read_bytes(Format::Tenure, "\n\n"), Err(ReadError::Empty(_))));
    assert!(matches!(read_bytes(Format::OpenAi, "\n"), Err(ReadError::Empty(_))));
    let error = read_bytes(Format::Tenure, b"\x89PNG\r\n\x1a\n\0\0").err().unwrap();
    assert!(matches!(error, ReadError::WrongFile { found: "a PNG image", .. }), "{error}");
}

#[test]
fn openai_and_sharegpt_files_are_lines_or_arrays() {
    let openai = r#"{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}"#;
    let sharegpt = r#"{"id":"x","conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}"#;
    for (format, record) in [(Format::OpenAi, openai), (Format::ShareGpt, sharegpt)] {
        for text in [format!("{record}\n{record}\n7\n"), format!(" [{record},\n{record}, 7]")] {
            let outcome = read_bytes(format, text).unwrap();
            assert_eq!((outcome.report.conversations, outcome.report.messages.read), (2, 4));
            assert_eq!(outcome.report.records.not_understood_total(), 1);
            let messages = outcome.conversations.iter().flat_map(|conversation| &conversation.messages);
            assert!(messages.into_iter().all(|message| message.id.is_none() && message.at.is_none()));
        }
    }
}

#[test]
fn the_sink_can_stop_the_reading() {
    let folder = Folder::new();
    let path = folder.write("x.jsonl", format!("{ACCOUNT}\n{CONVERSATION}\n{ACCOUNT}\n"));
    let mut items = 0;
    let failure = read(Format::Tenure, &path, &mut |item| {
        items += 1;
        if matches!(item, Item::Conversation(_)) { Err("full") } else { Ok(()) }
    });
    assert_eq!(failure.unwrap_err().to_string(), "full");
    assert_eq!(items, 2);
}

#[test]
fn progress_ends_at_the_end() {
    let folder = Folder::new();
    let path = folder.write("x.jsonl", format!("{CONVERSATION}\n").repeat(5_000));
    let mut last = None;
    let mut steps = 0;
    read_with_progress::<()>(
        Format::Tenure,
        &path,
        &mut |progress| {
            steps += 1;
            last = Some(progress);
        },
        &mut |_| Ok(()),
    )
    .unwrap();
    let last = last.unwrap();
    assert_eq!(last.done, last.total);
    assert!(steps > 1_000);
}

#[test]
fn an_inspection_of_lines_ends_at_the_first_that_is_understood() {
    let folder = Folder::new();
    let mut text = format!("garbage\n{ACCOUNT}\n");
    text.push_str(&"more garbage\n".repeat(10));
    assert!(inspect(Format::Tenure, &folder.write("x.jsonl", text)).is_ok());
}
