//! `tenure ledger key`: shows, replaces and saves the keys that sign the log.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use tenure_model::Instant;
use tenure_tlog::note::SignatureType;
use tenure_vault::{LogKey, LogKeys};

use crate::Exit;
use crate::commands::{At, Global};
use crate::output::{heading, say, say_json, table};
use crate::session::{Intent, key_folder};

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Show the keys: those that sign, which others verify with, and those that signed once
    Show(Show),
    /// Make new keys; the earlier ones sign beside them until they are retired
    Rotate(Rotate),
    /// End the signing of all keys but the newest
    Retire(Retire),
    /// Save the keys in a file that only the named recipients can open
    Backup(Backup),
    /// Put the keys of a backup into the key folder
    Restore(Restore),
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Write the public keys that sign into this file too, each on one line
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Retire {
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Backup {
    /// Who can open the backup: an age recipient, as `age-keygen` shows it; may be repeated
    #[arg(long = "to", value_name = "age1…", required = true)]
    to: Vec<String>,
    /// Write to this new file instead of to the terminal
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The backup
    file: PathBuf,
    /// The file of the age identity that opens it
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
}

impl Key {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Show(show) => show.run(global),
            Self::Rotate(rotate) => rotate.run(global),
            Self::Retire(retire) => retire.run(global),
            Self::Backup(backup) => backup.run(global),
            Self::Restore(restore) => restore.run(global),
        }
    }
}

impl Rotate {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        // The open session keeps other processes from using the folder while its keys change.
        let session = global.open(self.at, Intent::Change)?;
        let known = session.tenure.log_keys();
        session.tenure.rotate_log_keys(session.now)?;
        let keys = open(&global.data)?;
        if global.json {
            say_json(
                &json!({"rotated": session.now, "origin": keys.origin().as_str(), "keys": facts(&keys)}),
            )?;
            return Ok(Exit::Done);
        }
        say(
            "New keys sign from now on, and the earlier ones beside them. Give the new ones to whoever verifies:",
        )?;
        say_verifier_keys(keys.keys().iter().filter(|key| !known.contains(key)))?;
        say("Once they have them, `tenure ledger key retire` ends the signing of the earlier ones.")?;
        say("Make a backup now: `tenure ledger key backup`.")?;
        Ok(Exit::Done)
    }
}

impl Retire {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        session.tenure.retire_log_keys(session.now)?;
        let keys = open(&global.data)?;
        if global.json {
            say_json(
                &json!({"retired": session.now, "origin": keys.origin().as_str(), "keys": facts(&keys)}),
            )?;
        } else {
            say(
                "Only the newest keys sign from now on. What the earlier ones signed still verifies with them.",
            )?;
        }
        Ok(Exit::Done)
    }
}

impl Backup {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let backup = open(&global.data)?.backup_to(&self.to)?;
        let Some(file) = self.out else {
            let text = String::from_utf8(backup)?;
            if global.json {
                say_json(&json!({"backup": text, "to": self.to}))?;
            } else {
                say(text.trim_end())?;
            }
            return Ok(Exit::Done);
        };
        write_new(&file, &backup)
            .with_context(|| format!("can't write the backup to {}: name a new file", file.display()))?;
        if global.json {
            say_json(&json!({"file": file, "to": self.to}))?;
        } else {
            say(format_args!("The keys of the log are saved in {}.", file.display()))?;
            say("Keep it away from this machine, and the identities that open it away from both.")?;
        }
        Ok(Exit::Done)
    }
}

impl Restore {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let unreadable = |file: &Path| format!("can't read {}", file.display());
        let backup = fs::read(&self.file).with_context(|| unreadable(&self.file))?;
        let identity = fs::read_to_string(&self.identity).with_context(|| unreadable(&self.identity))?;
        let keys = LogKeys::restore(&key_folder(&global.data), &backup, &identity)?;
        if global.json {
            say_json(&json!({"restored": true, "origin": keys.origin().as_str(), "keys": facts(&keys)}))?;
        } else {
            say(format_args!("The keys of {} are in place and sign again.", keys.origin()))?;
        }
        Ok(Exit::Done)
    }
}

fn open(data: &Path) -> anyhow::Result<LogKeys> {
    LogKeys::open(&key_folder(data))
        .with_context(|| format!("can't open the keys of the log beside {}", data.display()))
}

/// Writes a file durably, and never over another.
fn write_new(file: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut out = OpenOptions::new().write(true).create_new(true).open(file)?;
    out.write_all(content)?;
    out.sync_all()
}

impl Show {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let keys = open(&global.data)?;
        if let Some(out) = &self.out {
            let lines: Vec<String> = keys.verifier_keys().iter().map(|key| format!("{key}\n")).collect();
            fs::write(out, lines.concat()).with_context(|| format!("can't write {}", out.display()))?;
        }
        if global.json {
            say_json(&json!({"origin": keys.origin().as_str(), "keys": facts(&keys)}))?;
            return Ok(Exit::Done);
        }
        say(format_args!("The keys of {}", heading(keys.origin().as_str())))?;
        let mut rows = table(["Key", "Algorithm", "Since", "State"]);
        for key in keys.keys() {
            rows.add_row([
                key.key.id().to_string(),
                algorithm(&key).to_owned(),
                key.made_at.to_string(),
                state(key.retired_at),
            ]);
        }
        say(rows)?;
        if let Some(out) = &self.out {
            say(format_args!("\nThe keys that sign are in {}, for whoever verifies.", out.display()))?;
            return Ok(Exit::Done);
        }
        say("\nWho verifies needs the keys that sign, each on one line:")?;
        say_verifier_keys(keys.keys().iter().filter(|key| key.retired_at.is_none()))?;
        Ok(Exit::Done)
    }
}

/// Verifier keys, each on a line that is never broken, so that it can be copied.
fn say_verifier_keys<'a>(keys: impl Iterator<Item = &'a LogKey>) -> anyhow::Result<()> {
    for key in keys {
        say(&key.key)?;
    }
    Ok(())
}

fn facts(keys: &LogKeys) -> Vec<Value> {
    let fact = |key: &LogKey| {
        json!({
            "id": key.key.id().to_string(),
            "algorithm": algorithm(key),
            "since": key.made_at,
            "retired": key.retired_at,
            "key": key.key.to_string(),
        })
    };
    keys.keys().iter().map(fact).collect()
}

fn state(retired_at: Option<Instant>) -> String {
    retired_at.map_or_else(|| "active".to_owned(), |at| format!("retired {at}"))
}

fn algorithm(key: &LogKey) -> &'static str {
    match key.key.signature_type() {
        SignatureType::Ed25519 | SignatureType::Ed25519Cosignature => "Ed25519",
        SignatureType::MlDsa44Cosignature => "ML-DSA-44",
        // The types may grow; a key of a type that has no name here is shown all the same.
        _ => "unknown",
    }
}
