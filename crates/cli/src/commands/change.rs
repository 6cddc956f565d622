//! `tenure change`: changes that need two people, proposed, approved, rejected and carried out.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;
use tenure_access::{Change as Kind, Digest, Operation, Target};
use tenure_app::{Act, ChangeView, seen_digest};
use tenure_model::Instant;
use tenure_store::ChangeId;

use super::shell::Who;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json, table};
use crate::session::Intent;
use crate::speech::{date, dated};

/// How many changes are listed unless more are asked for.
const LISTED: usize = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum Change {
    /// List what was proposed, the newest first, and what became of it
    List(List),
    /// Show exactly what would be done, and the digest of that
    Show(Show),
    /// Propose an act; somebody else must approve it within 7 days
    Propose(Propose),
    /// Approve what somebody else proposed; it must be done within a day
    Approve(Approve),
    /// Reject what was proposed, also after it was approved
    Reject(Reject),
    /// Do what was proposed and approved
    CarryOut(CarryOut),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// List so many
    #[arg(long, value_name = "COUNT", default_value_t = LISTED)]
    limit: usize,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The change
    id: ChangeId,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    /// What kind of change it is: shortens-retention, widens-use, overrides-guard, releases-hold or withdraws-version
    kind: Kind,
    /// A file with the act, as JSON in the form of the API
    act: PathBuf,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Approve {
    /// The change
    id: ChangeId,
    /// The digest that `tenure change show` showed
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    digest: Digest,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Reject {
    /// The change
    id: ChangeId,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct CarryOut {
    /// A file with the act, as JSON in the form of the API
    act: PathBuf,
    /// A change that was approved for it; one for each kind that it is
    #[arg(long = "approval", value_name = "ID")]
    approvals: Vec<ChangeId>,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

fn digest(text: &str) -> Result<Digest, String> {
    seen_digest(text)
        .ok_or_else(|| "a digest has 64 hexadecimal digits: copy it from `tenure change show`".to_owned())
}

fn read(file: &Path) -> anyhow::Result<Act> {
    let text = std::fs::read_to_string(file).with_context(|| format!("can't read {}", file.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is no act: see docs/access.md", file.display()))
}

impl Change {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::List(list) => list.run(global),
            Self::Show(show) => show.run(global),
            Self::Propose(propose) => propose.run(global),
            Self::Approve(approve) => approve.run(global),
            Self::Reject(reject) => reject.run(global),
            Self::CarryOut(carry_out) => carry_out.run(global),
        }
    }
}

impl List {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let permit = self.who.may(Operation::ListApprovals, &Target::House)?;
        let changes = session.tenure.changes(&permit, None, self.limit, session.now)?;
        if global.json {
            say_json(&changes)?;
        } else if changes.is_empty() {
            say("Nothing was proposed.")?;
        } else {
            let mut rows = table(["Change", "Kind", "Proposed", "By", "State"]);
            for change in changes {
                let (kind, by) = (change.change.clone(), change.proposed_by.clone());
                rows.add_row([change.id.clone(), kind, date(change.proposed_at), by, state(&change)]);
            }
            say(rows.trim_fmt())?;
        }
        Ok(Exit::Done)
    }
}

/// How a change stands, in words.
fn state(change: &ChangeView) -> String {
    let by = change.by.as_ref().map(|by| format!(" by {by}")).unwrap_or_default();
    let until = change.lapses.map(|lapses| format!(", lapses {}", date(lapses))).unwrap_or_default();
    match change.state {
        // Whoever is named there approved it; who did it, the ledger says.
        "executed" => format!("executed, approved{by}"),
        state => format!("{state}{by}{until}"),
    }
}

/// Says how a change stands after a step.
fn told(global: &Global, change: &ChangeView, now: Instant) -> anyhow::Result<Exit> {
    if global.json {
        say_json(change)?;
        return Ok(Exit::Done);
    }
    say(format_args!("{} ({}): {}", change.id, change.change, state(change)))?;
    if change.state == "proposed"
        && let Some(lapses) = change.lapses
    {
        say_at(
            0,
            format_args!(
                "Nothing has changed yet: somebody else must approve it by {}, with `tenure change approve {} --as` \
                 and a name of their own.",
                dated(lapses, now),
                change.id
            ),
        )?;
    }
    Ok(Exit::Done)
}

impl Show {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let permit = self.who.may(Operation::ListApprovals, &Target::House)?;
        let change = session.tenure.proposed_change(&permit, self.id, session.now)?;
        if global.json {
            say_json(&change)?;
            return Ok(Exit::Done);
        }
        say(format_args!("{} ({}): {}", change.id, change.change, state(&change)))?;
        say(format_args!("Proposed by {} on {}", change.proposed_by, date(change.proposed_at)))?;
        say(format_args!("Digest {}", change.digest))?;
        say(serde_json::to_string_pretty(&change.act)?)?;
        Ok(Exit::Done)
    }
}

impl Propose {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let act = read(&self.act)?;
        let session = global.open(self.at, Intent::Change)?;
        let permit = self.who.may(Operation::ProposeChange, &Target::Change(self.kind))?;
        let change = session.tenure.propose_change(&permit, &act, session.now)?;
        told(global, &change, session.now)
    }
}

impl Approve {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let kind = session.tenure.change_kind(self.id)?;
        let permit = self.who.may(Operation::ApproveChange, &Target::Change(kind))?;
        let change = session.tenure.approve_change(&permit, self.id, self.digest, session.now)?;
        told(global, &change, session.now)
    }
}

impl Reject {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let kind = session.tenure.change_kind(self.id)?;
        let permit = self.who.may(Operation::RejectChange, &Target::Change(kind))?;
        let change = session.tenure.reject_change(&permit, self.id, session.now)?;
        told(global, &change, session.now)
    }
}

impl CarryOut {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let act = read(&self.act)?;
        let session = global.open(self.at, Intent::Change)?;
        let permit = self.who.may(act.operation(), &Target::House)?;
        let now = session.now;
        let done = session.tenure.carry_out(&permit, act, &self.approvals, now, &mut |_| {})?;
        if global.json {
            say_json(&json!({"carried_out": done, "at": now}))?;
        } else {
            say("It is done, and the ledger says who wanted it.")?;
        }
        Ok(Exit::Done)
    }
}
