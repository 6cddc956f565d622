//! `tenure erase`: a person asks that a conversation, or everything of an account, be deleted.

use std::io::{self, IsTerminal as _, Write as _};

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use tenure_app::{Deletion, Tenure};
use tenure_store::{RecordId, RecordRow};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::Intent;
use crate::speech::{dated, some};

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
        let (deletion, records) = match (&self.conversation, &self.account) {
            (Some(id), _) => {
                let records = conversation(tenure, id)?;
                let first = records.first().context("the conversation has no records")?;
                (Deletion::ConversationOf(first.id), records)
            }
            (None, Some(account)) => {
                (Deletion::Account(account.clone()), tenure.records(account, usize::MAX)?)
            }
            (None, None) => bail!("name a conversation or an account"),
        };
        let fresh: Vec<&RecordRow> =
            records.iter().filter(|record| record.facts.deleted_at.is_none()).collect();
        let closes = self.account.is_some();
        if !self.yes && !agreed(fresh.len(), closes)? {
            say("Nothing was changed.")?;
            return Ok(Exit::Refused);
        }
        let count = tenure.delete(deletion, now)?;
        let last = gone_by(tenure, &fresh, now)?;
        if global.json {
            say_json(&json!({"deleted": count, "known": records.len(), "closed": closes, "at": now}))?;
            return Ok(Exit::Done);
        }
        if closes {
            say("The account is closed: nothing more of it is taken in, and of its answers only a no.")?;
        }
        if count == 0 {
            say("Everything of it was deleted before: nothing else was changed.")?;
            return Ok(Exit::Done);
        }
        say(format_args!(
            "Recorded: deletion was asked for {}. What the person sees goes at once.",
            some(count, "record")
        ))?;
        for line in last {
            say(line)?;
        }
        say("Nothing is destroyed yet: `tenure sweep` destroys what is due.")?;
        Ok(Exit::Done)
    }
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

/// By when the copies of a few records are gone, as far as the terms say.
fn gone_by(
    tenure: &Tenure,
    records: &[&RecordRow],
    now: tenure_model::Instant,
) -> anyhow::Result<Vec<String>> {
    use tenure_app::explain::Ending;
    let mut ends: std::collections::BTreeMap<String, (u64, Ending)> = std::collections::BTreeMap::new();
    for record in records.iter().take(200) {
        for copy in
            tenure.explain(record.id, now)?.copies.into_iter().filter(|copy| copy.stage.stage == "live")
        {
            let slot = ends.entry(copy.class).or_insert((0, copy.kept));
            slot.0 += 1;
            slot.1 = later(slot.1, copy.kept);
        }
    }
    let mut lines = Vec::new();
    for (class, (count, end)) in ends {
        let copies = some(count, "copy");
        lines.push(match end {
            Ending::Due(_) => format!("  {class}: {copies}, due now"),
            Ending::Until(until) => format!("  {class}: {copies}, kept until {}", dated(until, now)),
            Ending::Held => format!("  {class}: {copies}, held: a hold forbids destroying it"),
            Ending::Indefinite => format!("  {class}: {copies}, kept without an end"),
        });
    }
    Ok(lines)
}

/// The later of two ends.
fn later(
    one: tenure_app::explain::Ending,
    other: tenure_app::explain::Ending,
) -> tenure_app::explain::Ending {
    use tenure_app::explain::Ending::{Due, Held, Indefinite, Until};
    match (one, other) {
        (Held, _) | (_, Held) => Held,
        (Indefinite, _) | (_, Indefinite) => Indefinite,
        (Until(one), Until(other)) => Until(one.max(other)),
        (Until(end), Due(_)) | (Due(_), Until(end)) => Until(end),
        (Due(one), Due(other)) => Due(one.max(other)),
    }
}
