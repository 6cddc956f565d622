//! `tenure hold reader` and `tenure hold read`: who may read what a hold keeps, and reading it.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::json;
use tenure_app::HeldTarget;
use tenure_store::RecordId;

use super::show;
use crate::Exit;
use crate::commands::{At, Global};
use crate::output::{say, say_json};
use crate::session::Intent;
use crate::speech::some;

#[derive(Debug, Subcommand)]
pub(crate) enum Reader {
    /// Give somebody the right to read what a hold keeps
    Add(Named),
    /// Take that right
    Remove(Named),
    /// List who may read what a hold keeps, or might once, and what they read
    List(Listed),
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The hold
    hold: String,
    /// A role or a pseudonym, which the ledger keeps for good: never a person's name
    name: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Listed {
    /// The hold
    hold: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
#[command(group(ArgGroup::new("what").required(true).args(["record", "account", "all"])))]
pub(crate) struct Read {
    /// The hold
    hold: String,
    /// Who reads: one of the hold's readers
    #[arg(long = "as", value_name = "NAME")]
    reader: String,
    /// Read one record
    #[arg(long, value_name = "ID")]
    record: Option<RecordId>,
    /// Read what the hold covers of an account
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Read everything that the hold covers
    #[arg(long)]
    all: bool,
    /// The folder to write to; it must be new or empty
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    at: At,
}

impl Reader {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Add(Named { hold, name, at }) => {
                let session = global.open(at, Intent::Change)?;
                session.tenure.add_hold_reader(&hold, &name, session.now)?;
                if global.json {
                    say_json(&json!({"hold": hold, "added": name, "at": session.now}))?;
                } else {
                    say(format_args!(
                        "{name} may read what hold {hold} covers. Every access is written to the ledger first."
                    ))?;
                }
            }
            Self::Remove(Named { hold, name, at }) => {
                let session = global.open(at, Intent::Change)?;
                session.tenure.remove_hold_reader(&hold, &name, session.now)?;
                if global.json {
                    say_json(&json!({"hold": hold, "removed": name, "at": session.now}))?;
                } else {
                    say(format_args!("{name} may not read what hold {hold} covers any more."))?;
                }
            }
            Self::List(Listed { hold, at }) => {
                let session = global.open(at, Intent::Look)?;
                let readers = session.tenure.hold_readers(&hold)?;
                if global.json {
                    say_json(&readers)?;
                } else {
                    show::readers(&hold, readers)?;
                }
            }
        }
        Ok(Exit::Done)
    }
}

impl Read {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let what = match (self.record, self.account) {
            (Some(record), _) => HeldTarget::Record(record),
            (None, Some(account)) => HeldTarget::Account(account),
            (None, None) => HeldTarget::All,
        };
        let bar = show::bar("records read")?;
        let whose = (self.hold.as_str(), self.reader.as_str());
        let access = session
            .tenure
            .read_held(whose, &what, &self.out, session.now, &mut |done| bar.set_position(done));
        bar.finish_and_clear();
        let access = access?;
        if global.json {
            say_json(&json!({"out": self.out, "access": access}))?;
            return Ok(Exit::Done);
        }
        if access.leaves.is_empty() {
            say("The hold covers nothing of that: nothing was read.")?;
            return Ok(Exit::Done);
        }
        say(format_args!(
            "{} read {} under hold {}, {}. They lie in {}, with index.jsonl.",
            access.reader,
            some(access.read, "record"),
            access.hold,
            some(access.bytes, "byte"),
            self.out.display()
        ))?;
        if access.destroyed > 0 {
            say(format_args!(
                "{} that the hold covered can't be read: the index says when each was destroyed.",
                some(access.destroyed, "record")
            ))?;
        }
        if access.without_body > 0 {
            say(format_args!(
                "Of {} it covers facts that have no text.",
                some(access.without_body, "record")
            ))?;
        }
        match access.leaves.as_slice() {
            [leaf] => say(format_args!("The ledger says so in leaf {leaf}."))?,
            [first, .., last] => say(format_args!(
                "The ledger says so in {}, from {first} to {last}.",
                some(access.leaves.len() as u64, "leaf")
            ))?,
            [] => {}
        }
        Ok(Exit::Done)
    }
}
