//! `tenure backup`: takes backups and says which are kept.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use tenure_app::{BackupRequest, BackupStep, SharedJournal};
use tenure_model::{MonthLength, Span};
use tenure_store::{BackupId, BackupRow};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json, table};
use crate::session::{Intent, Session};
use crate::speech::{grouped, some};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Backup {
    #[command(subcommand)]
    what: Option<Other>,
    /// The folder that the backup goes into: an empty one, or one that does not exist
    #[arg(required = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// For how long it is kept; the journal reaches back to the oldest backup that is
    #[arg(long, value_name = "SPAN")]
    keep: Option<Span>,
    /// What it is called
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// List the backups that were taken, and until when each is kept
    List {
        #[command(flatten)]
        at: At,
    },
    /// Say that a backup was thrown away: it can't be restored from then on
    Forget {
        /// Its number, as `tenure backup list` shows it
        number: i64,
        #[command(flatten)]
        at: At,
    },
}

impl Backup {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self.what {
            Some(Other::List { at }) => list(global, at),
            Some(Other::Forget { number, at }) => forget(global, number, at),
            None => self.take(global),
        }
    }

    fn take(self, global: &Global) -> anyhow::Result<Exit> {
        let Some(folder) = self.folder else { bail!("name the folder that the backup goes into") };
        let session = global.open(self.at, Intent::Change)?;
        let keep_until = self.keep.map(|span| session.now.plus(span, MonthLength::Calendar));
        let request = BackupRequest {
            data: &global.data,
            folder: &folder,
            journal: journal(&session)?,
            keep_until,
            note: self.note,
        };
        let bar = bar()?;
        let taken = session.tenure.backup(&request, session.now, &mut |step, done, all| {
            show(&bar, step, done, all);
        });
        bar.finish_and_clear();
        let taken = taken.with_context(|| format!("can't back up into {}", folder.display()))?;
        if global.json {
            say_json(&json!({"backup": taken, "kept_until": keep_until}))?;
            return Ok(Exit::Done);
        }
        say(format_args!("Backup  {}  {}", taken.id, folder.display()))?;
        let packs = if taken.bodies_elsewhere {
            "its packs lie in a store elsewhere and are not in it".to_owned()
        } else {
            some(taken.packs, "pack")
        };
        say(format_args!(
            "Holds   {} bytes, {}, {packs}",
            grouped(taken.bytes),
            some(taken.statements, "statement")
        ))?;
        match keep_until {
            Some(end) => say(format_args!("Kept    until {end}"))?,
            None => say("Kept    until you say otherwise with `tenure backup forget`")?,
        }
        say(
            "Keys    are not in it, and must not be put there: back the key folder up elsewhere, journal and all",
        )?;
        Ok(Exit::Done)
    }
}

fn journal(session: &Session) -> anyhow::Result<&SharedJournal> {
    session.journal.as_ref().context("the data folder was opened without its journal")
}

fn list(global: &Global, at: At) -> anyhow::Result<Exit> {
    let session = global.open(at, Intent::Look)?;
    let backups = session.tenure.backups()?;
    if global.json {
        let rows = backups.iter().map(|row| {
            json!({"id": row.id.0, "taken_at": row.backup.taken_at, "number": row.backup.number,
                "kept_until": row.backup.ages_out_at, "kept": row.is_kept(session.now), "note": row.backup.note})
        });
        say_json(&json!({"backups": rows.collect::<Vec<_>>()}))?;
        return Ok(Exit::Done);
    }
    if backups.is_empty() {
        say("No backup was taken yet: `tenure backup DIR`")?;
        return Ok(Exit::Done);
    }
    let mut rows = table(["Backup", "Taken", "Kept", "Note"]);
    for row in &backups {
        let note = row.backup.note.clone().unwrap_or_default();
        rows.add_row([row.id.0.to_string(), row.backup.taken_at.to_string(), kept(row, &session), note]);
    }
    say(rows)?;
    Ok(Exit::Done)
}

fn kept(row: &BackupRow, session: &Session) -> String {
    match row.backup.ages_out_at {
        None => "until you say otherwise".to_owned(),
        Some(end) if row.is_kept(session.now) => format!("until {end}"),
        Some(end) => format!("no more, since {end}"),
    }
}

fn forget(global: &Global, number: i64, at: At) -> anyhow::Result<Exit> {
    let session = global.open(at, Intent::Change)?;
    session.tenure.end_backup(BackupId(number), session.now, journal(&session)?, session.now)?;
    if global.json {
        say_json(&json!({"forgotten": number}))?;
    } else {
        say(format_args!("Backup {number} counts as thrown away and can't be restored any more."))?;
    }
    Ok(Exit::Done)
}

pub(super) fn bar() -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new(1);
    bar.set_style(ProgressStyle::with_template("{msg} {wide_bar:.dim} {pos} of {len}, {eta} left")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}

pub(super) fn show(bar: &ProgressBar, step: BackupStep, done: u64, all: u64) {
    bar.set_message(match step {
        BackupStep::Journal => "Looking through the journal",
        BackupStep::Database => "Copying the database",
        BackupStep::Packs => "Copying packs",
        BackupStep::Files => "Copying and comparing files",
    });
    bar.set_length(all);
    bar.set_position(done);
}
