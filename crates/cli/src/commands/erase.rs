//! `tenure erase`: a person asks that a conversation, or everything of an account, be deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use tenure_app::explain::Ending;
use tenure_app::{Deletion, Erased, Tenure};
use tenure_model::Instant;
use tenure_store::{RecordId, RecordRow};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json};
use crate::session::Intent;
use crate::speech::{and, dated, grouped, some};

#[derive(Debug, Args)]
pub(crate) struct Erase {
    /// A conversation, by its id or by the id of one of its records
    #[arg(long, value_name = "ID", required_unless_present = "account", conflicts_with = "account")]
    conversation: Option<String>,
    /// Everything of an account, which is closed
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    at: At,
}

impl Erase {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let (tenure, now) = (&session.tenure, session.now);
        let records = match (&self.conversation, &self.account) {
            (Some(id), _) => conversation(tenure, id)?,
            (None, Some(account)) => tenure.records(account, usize::MAX)?,
            (None, None) => bail!("name a conversation or an account"),
        };
        let fresh: Vec<&RecordRow> =
            records.iter().filter(|record| record.facts.deleted_at.is_none()).collect();
        if !self.yes && !agreed(fresh.len(), self.account.is_some())? {
            say("Nothing was changed.")?;
            return Ok(Exit::Refused);
        }
        match &self.account {
            Some(account) => {
                let erased = tenure.erase_account(account, now)?;
                account_erased(global, tenure, &erased, &records, now)?;
            }
            None => {
                let first = records.first().context("the conversation has no records")?;
                let count = tenure.delete(Deletion::ConversationOf(first.id), now)?;
                conversation_deleted(global, tenure, (count, records.len()), &fresh, now)?;
            }
        }
        Ok(Exit::Done)
    }
}

/// What became of everything that an account had.
fn account_erased(
    global: &Global,
    tenure: &Tenure,
    erased: &Erased,
    records: &[RecordRow],
    now: Instant,
) -> anyhow::Result<()> {
    let known = records.len();
    if global.json {
        return say_json(&json!({
            "deleted": erased.records, "known": known, "closed": true, "at": now,
            "destroyed": erased.destroyed, "left": erased.left,
        }));
    }
    say("The account is closed: nothing more of it is taken in, and of its answers only a no.")?;
    if erased.records == 0 {
        say("Everything of it was deleted before.")?;
    } else {
        say(format_args!("Recorded: deletion was asked for {}.", some(erased.records, "record")))?;
    }
    let destroyed: u64 = erased.destroyed.values().sum();
    if destroyed > 0 {
        let each =
            erased.destroyed.iter().map(|(class, count)| format!("{} of `{class}`", some(*count, "copy")));
        let each = and(&each.collect::<Vec<_>>());
        say_at(0, format_args!("Destroyed at once: {each}. No key is left that opens them."))?;
    }
    if erased.left == 0 {
        if destroyed > 0 {
            say(
                "Nothing of it is left. The next `tenure sweep` removes the encrypted bytes and looks again.",
            )?;
        }
        return Ok(());
    }
    say(format_args!("Left: {}.", some(erased.left, "copy")))?;
    let all: Vec<&RecordRow> = records.iter().collect();
    for line in gone_by(tenure, &all, now)? {
        say_at(2, line)?;
    }
    if all.len() > LOOKED_AT {
        say_at(2, format_args!("as of the first {} records that were looked at", grouped(LOOKED_AT as u64)))?;
    }
    if tenure.paused()?.is_some() || tenure.observes()? {
        return say("Nothing is destroyed here at present: see `tenure destruction status`.");
    }
    say("`tenure sweep` destroys what is due.")
}

/// What became of a conversation.
fn conversation_deleted(
    global: &Global,
    tenure: &Tenure,
    (count, known): (u64, usize),
    fresh: &[&RecordRow],
    now: Instant,
) -> anyhow::Result<()> {
    let last = gone_by(tenure, fresh, now)?;
    if global.json {
        return say_json(&json!({"deleted": count, "known": known, "closed": false, "at": now}));
    }
    if count == 0 {
        return say("Everything of it was deleted before: nothing else was changed.");
    }
    say(format_args!(
        "Recorded: deletion was asked for {}. What the person sees goes at once.",
        some(count, "record")
    ))?;
    for line in last {
        say_at(2, line)?;
    }
    say("Nothing is destroyed yet: `tenure sweep` destroys what is due.")
}

/// The records of a conversation that is named by its own id or by that of one of its records.
fn conversation(tenure: &Tenure, id: &str) -> anyhow::Result<Vec<RecordRow>> {
    if let Ok(record) = id.parse::<RecordId>() {
        return Ok(tenure.records_beside(record)?);
    }
    let conversation = id
        .parse()
        .context("this is neither a record (`r-` and 32 digits) nor a conversation (`c-` and 32 digits)")?;
    Ok(tenure.records_in(conversation)?)
}

fn agreed(records: usize, closes: bool) -> anyhow::Result<bool> {
    let (count, are) = (some(records as u64, "record"), if records == 1 { "is" } else { "are" });
    let what = if closes {
        format!("{count} of the account {are} deleted, and the account is closed")
    } else {
        format!("{count} of the conversation {are} deleted")
    };
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        bail!("not done without being told --yes: {what}; nothing was changed");
    }
    let mut err = io::stderr().lock();
    write!(err, "{what}. This can't be taken back. Go on? [y/N] ")?;
    err.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// How many records are looked at to say what is left.
const LOOKED_AT: usize = 200;

/// By when the copies of a few records are gone, as far as the terms say, and why not before.
fn gone_by(tenure: &Tenure, records: &[&RecordRow], now: Instant) -> anyhow::Result<Vec<String>> {
    let mut ends: BTreeMap<String, (u64, Ending, BTreeSet<String>)> = BTreeMap::new();
    for record in records.iter().take(LOOKED_AT) {
        let copies = tenure.explain(record.id, now)?.copies.into_iter();
        for copy in copies.filter(|copy| copy.stage.stage == "live") {
            let slot = ends.entry(copy.class).or_insert((0, copy.kept, BTreeSet::new()));
            slot.0 += 1;
            slot.1 = later(slot.1, copy.kept);
            slot.2.extend(copy.bases.into_iter().take(1).map(|basis| basis.why));
        }
    }
    let line = |(class, (count, end, why)): (String, (u64, Ending, BTreeSet<String>))| {
        let copies = some(count, "copy");
        let why: Vec<String> = why.into_iter().take(3).collect();
        let because = if why.is_empty() { String::new() } else { format!(", because: {}", why.join("; ")) };
        match end {
            Ending::Due(by) if by > now => {
                format!("{class}: {copies}, not used any more, kept until {}", dated(by, now))
            }
            Ending::Due(_) => format!("{class}: {copies}, due now"),
            Ending::Until(until) => format!("{class}: {copies}, kept until {}{because}", dated(until, now)),
            Ending::Held => format!("{class}: {copies}, held: a hold forbids destroying it"),
            Ending::Indefinite => format!("{class}: {copies}, kept without an end{because}"),
        }
    };
    Ok(ends.into_iter().map(line).collect())
}

/// The later of two ends.
fn later(one: Ending, other: Ending) -> Ending {
    use Ending::{Due, Held, Indefinite, Until};
    match (one, other) {
        (Held, _) | (_, Held) => Held,
        (Indefinite, _) | (_, Indefinite) => Indefinite,
        (Until(one), Until(other)) => Until(one.max(other)),
        (Until(end), Due(_)) | (Due(_), Until(end)) => Until(end),
        (Due(one), Due(other)) => Due(one.max(other)),
    }
}
