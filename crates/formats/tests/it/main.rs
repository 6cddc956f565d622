//! The readers as their callers see them: whole files in, items and a report out.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail as tests do"
)]

mod bad_input;
mod claude_code;
mod lines;
mod schema;
mod shared_data;

use std::path::{Path, PathBuf};

use tenure_formats::{Account, Conversation, Failure, Format, Item, ReadError, Report, inspect, read};

/// Everything that came out of a file.
struct Outcome {
    accounts: Vec<Account>,
    conversations: Vec<Conversation>,
    report: Report,
}

/// Reads a file both ways; what holds for every file is checked here.
fn read_all(format: Format, path: &Path) -> Result<Outcome, ReadError> {
    inspect(format, path)?;
    let mut outcome = Outcome { accounts: Vec::new(), conversations: Vec::new(), report: Report::default() };
    let report = read::<()>(format, path, &mut |item| {
        match item {
            Item::Account(account) => outcome.accounts.push(account),
            Item::Conversation(conversation) => outcome.conversations.push(conversation),
        }
        Ok(())
    });
    match report {
        Ok(report) => outcome.report = report,
        Err(Failure::Read(error)) => return Err(error),
        Err(Failure::Sink(())) => panic!("the sink refuses nothing"),
    }
    let report = &outcome.report;
    assert!(report.adds_up(), "{report:?}");
    assert_eq!(usize::try_from(report.accounts).unwrap(), outcome.accounts.len());
    assert_eq!(usize::try_from(report.conversations).unwrap(), outcome.conversations.len());
    let messages: usize = outcome.conversations.iter().map(|conversation| conversation.messages.len()).sum();
    assert_eq!(usize::try_from(report.messages.read).unwrap(), messages);
    Ok(outcome)
}

/// A folder for one test, with files in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn read_bytes(format: Format, bytes: impl AsRef<[u8]>) -> Result<Outcome, ReadError> {
    let folder = Folder::new();
    let path = folder.write("input.jsonl", bytes);
    read_all(format, &path)
}
