//! `tenure receipt`: given to people, and verified by anyone.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use tenure_receipts::Receipt as File;
use tenure_store::RecordId;
use tenure_verifier::{Report, Words};

use super::{At, Global};
use crate::Exit;
use crate::output::{paint, printable, say, wrapped};
use crate::session::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum Receipt {
    /// Verify a receipt offline, with nothing but the log's public key
    ///
    /// Exit code 0 if it proves what it says, 1 if it does not.
    Verify(Verify),
    /// Write the receipts of an account, or the one for a copy that was destroyed
    Give(Give),
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The receipt
    file: PathBuf,
    /// A public key of the log, or a file with one a line; may be repeated
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    /// A public key of a witness, or a file with one a line; may be repeated
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Give {
    /// The account
    #[arg(required_unless_present = "record", conflicts_with = "record")]
    account: Option<String>,
    /// The record whose copy was destroyed
    #[arg(long, requires = "class")]
    record: Option<RecordId>,
    /// The class of that copy
    #[arg(long, requires = "record")]
    class: Option<String>,
    /// Only the newest statement of the account
    #[arg(long, conflicts_with = "record")]
    last: bool,
    /// The file, or the folder where there are several
    #[arg(long, value_name = "PATH", default_value = ".")]
    out: PathBuf,
    #[command(flatten)]
    at: At,
}

impl Receipt {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Verify(verify) => verify.run(global),
            Self::Give(give) => give.run(global),
        }
    }
}

impl Verify {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let receipt = fs::read(&self.file).with_context(|| format!("can't read {}", self.file.display()))?;
        let report = tenure_verifier::verify(&receipt, &keys(&self.key)?, &keys(&self.witness)?);
        if global.json {
            say(report.to_json())?;
        } else {
            tell(&report)?;
        }
        Ok(if report.is_proved() { Exit::Done } else { Exit::Refused })
    }
}

/// Keys that were given as they are, or as files.
pub(super) fn keys(given: &[String]) -> anyhow::Result<String> {
    let read = |key: &String| {
        // A key has two `+` and no file should; so a misspelt path is said to be missing, not to be no key.
        if key.matches('+').count() >= 2 {
            return Ok(key.clone());
        }
        fs::read_to_string(key).with_context(|| format!("can't read the key file {}", printable(key)))
    };
    Ok(given.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?.join("\n"))
}

/// The verifier's words, laid out for a terminal.
fn tell(report: &Report) -> anyhow::Result<()> {
    let Words { headline, lines, notes } = report.words();
    let colour = if report.is_proved() { "1;32" } else { "1;31" };
    say(paint(colour, &printable(&headline)))?;
    let width = lines.iter().map(|line| line.label.len()).max().unwrap_or(0) + 2;
    for line in &lines {
        let text = wrapped(&line.text, width, 100);
        say(format_args!("{:width$}{}", line.label, text.trim_start()))?;
    }
    for note in &notes {
        say(format_args!("\n{}", wrapped(note, 0, 100)))?;
    }
    Ok(())
}

impl Give {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        // A receipt is signed as of its time, so no other time may be asked for than that of a change.
        let session = global.open(self.at, Intent::Change)?;
        let (tenure, now) = (&session.tenure, session.now);
        let receipts = match (&self.account, self.record, &self.class) {
            (Some(account), ..) => {
                let mut receipts = tenure.receipts(account, now)?;
                if self.last {
                    receipts.drain(..receipts.len().saturating_sub(1));
                }
                receipts
            }
            (None, Some(record), Some(class)) => vec![tenure.receipt_of_destruction(record, class, now)?],
            _ => bail!("name an account, or a record and the class of its copy"),
        };
        let files =
            if self.out.is_dir() { save_in(&receipts, &self.out)? } else { save(&receipts, &self.out)? };
        if global.json {
            crate::output::say_json(&json!({"receipts": files}))?;
        } else {
            for file in &files {
                say(file.display())?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Writes receipts into a folder, each named by its entry of the ledger.
fn save_in(receipts: &[File], folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for receipt in receipts {
        let file = folder.join(format!("entry-{}.receipt", receipt.proof().index));
        files.extend(save(std::slice::from_ref(receipt), &file)?);
    }
    Ok(files)
}

/// Writes a file that only its owner may read: it says what somebody decided.
pub(super) fn write_private(file: &Path, text: &str) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?.write_all(text.as_bytes())
}

/// Writes receipts: one into the file, each of several into one of that name with its entry of the ledger.
pub(super) fn save(receipts: &[File], file: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for receipt in receipts {
        let file = if receipts.len() == 1 {
            file.to_owned()
        } else {
            let ending = file.extension().map_or_else(|| "receipt".into(), |ending| ending.to_string_lossy());
            file.with_extension(format!("{}.{ending}", receipt.proof().index))
        };
        write_private(&file, &receipt.to_string())
            .with_context(|| format!("can't write {}", file.display()))?;
        files.push(file);
    }
    Ok(files)
}
