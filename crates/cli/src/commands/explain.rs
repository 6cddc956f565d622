//! `tenure explain`: a record's verdict in words, with its reasons and what would change it.

mod words;

use anyhow::bail;
use clap::Args;
use serde_json::json;
use tenure_app::explain::{CopyView, Ending, Explanation, RecordView};
use tenure_model::Instant;
use tenure_store::{RecordId, RecordRow};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json, table};
use crate::session::Intent;
use crate::speech::{and, date, dated, some};

/// How many records of an account are listed.
const LISTED: usize = 500;

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The record
    #[arg(required_unless_present = "account", conflicts_with = "account")]
    record: Option<RecordId>,
    /// List the records of an account instead
    #[arg(long, value_name = "ID")]
    account: Option<String>,
    /// Say what the person may be told, and nothing else
    #[arg(long, conflicts_with = "account")]
    as_person: bool,
    #[command(flatten)]
    at: At,
}

impl Explain {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        match (self.record, self.account) {
            (Some(record), _) if self.as_person => {
                let told = session.tenure.told_record(record, session.now)?;
                if global.json { say_json(&told)? } else { super::as_person::record(&told, session.now)? }
            }
            (Some(record), _) => {
                let explanation = session.tenure.explain(record, session.now)?;
                if global.json { say_json(&explanation)? } else { show(&explanation)? }
            }
            (None, Some(account)) => {
                let records = session.tenure.records(&account, LISTED + 1)?;
                list(&records, session.now, global.json)?;
            }
            (None, None) => bail!("name a record, or an account with --account"),
        }
        Ok(Exit::Done)
    }
}

fn list(records: &[RecordRow], now: Instant, json: bool) -> anyhow::Result<()> {
    let shown = records.iter().take(LISTED);
    if json {
        let rows: Vec<_> = shown
            .map(|row| {
                json!({
                    "record": row.id.to_string(), "conversation": row.conversation.to_string(),
                    "surface": row.surface, "kind": row.kind, "mode": row.mode, "messages": row.messages,
                    "created_at": row.created_at, "last_activity_at": row.facts.last_activity_at,
                    "deleted_at": row.facts.deleted_at, "flagged_at": row.facts.flagged_at,
                    "feedback_at": row.facts.feedback_at,
                })
            })
            .collect();
        return say_json(&json!({"records": rows, "more": records.len() > LISTED}));
    }
    if records.is_empty() {
        return say("The account has no records yet. `tenure import` brings them in.");
    }
    let mut rows = table(["Record", "Surface", "Kind", "Messages", "Last active", ""]);
    for row in shown {
        let marks = [
            row.facts.deleted_at.map(|_| "deleted"),
            row.facts.flagged_at.map(|_| "flagged"),
            row.facts.feedback_at.map(|_| "feedback"),
            (row.mode == tenure_model::Mode::Incognito).then_some("incognito"),
        ];
        rows.add_row([
            row.id.to_string(),
            row.surface.clone(),
            row.kind.word().to_owned(),
            row.messages.to_string(),
            date(row.facts.last_activity_at),
            marks.into_iter().flatten().collect::<Vec<_>>().join(", "),
        ]);
    }
    say(rows)?;
    if records.len() > LISTED {
        say(format_args!("Only the first {LISTED} are listed."))?;
    }
    say(format_args!("\n`tenure explain RECORD` says what becomes of one, as of {}.", date(now)))
}

fn show(explanation: &Explanation) -> anyhow::Result<()> {
    let now = explanation.at;
    about(&explanation.record, now)?;
    say(format_args!(
        "\nAs of {}, judged by {}; the account is bound by {}.",
        date(now),
        explanation.policy,
        explanation.bound
    ))?;
    for standing in &explanation.standings {
        say_at(2, format_args!("{}: {}", standing.purpose, words::standing(standing.standing)))?;
    }
    if explanation.must_decide {
        say("  The account must decide before it goes on.")?;
    }
    say("\nKept")?;
    if explanation.copies.is_empty() {
        say("  nothing: no copy of it was ever made")?;
    }
    for copy in &explanation.copies {
        show_copy(copy, now)?;
    }
    say("\nUsed for")?;
    for view in &explanation.uses {
        say_at(2, format_args!("{}  ({})", view.purpose, view.title))?;
        for line in words::uses(view, explanation.record.messages) {
            say_at(6, format_args!("{line}"))?;
        }
    }
    for run in &explanation.runs {
        say_at(
            2,
            format_args!(
                "It is in training run {}, opened {} for `{}`.",
                run.run,
                dated(run.opened_at, now),
                run.purpose
            ),
        )?;
    }
    say("\nWhat would change this")?;
    if explanation.what_if.is_empty() {
        say("  nothing that could happen now")?;
    }
    for what_if in &explanation.what_if {
        say_at(2, format_args!("{}", words::changes(&what_if.changes)))?;
        for effect in &what_if.effects {
            say_at(6, format_args!("{}", words::effect(effect, now)))?;
        }
    }
    Ok(())
}

fn about(record: &RecordView, now: Instant) -> anyhow::Result<()> {
    say(format_args!("Record {}", record.id))?;
    say(format_args!("  part of conversation {} of account {}", record.conversation, record.account))?;
    let what = match record.kind {
        tenure_model::Kind::Chat => "chat",
        tenure_model::Kind::Code => "coding session",
    };
    say(format_args!(
        "  a {what} on `{}` ({}), {} mode, {}; {}",
        record.surface,
        record.regime.word(),
        record.mode.word(),
        record.country.as_ref().map_or("country not known".to_owned(), |country| format!("from {country}")),
        some(record.messages as u64, "message")
    ))?;
    say(format_args!("  created {}", dated(record.created_at, now)))?;
    say(format_args!("  last active {}", dated(record.last_activity_at, now)))?;
    let marks = [
        ("deleted by the person", record.deleted_at),
        ("flagged", record.flagged_at),
        ("feedback given", record.feedback_at),
    ];
    for (what, at) in marks {
        if let Some(at) = at {
            say(format_args!("  {what} {}", dated(at, now)))?;
        }
    }
    if record.flagged_at.is_none() && record.scanned != Some(true) {
        say("  not looked at by a classifier, so whether it is flagged is not known")?;
    }
    Ok(())
}

fn show_copy(copy: &CopyView, now: Instant) -> anyhow::Result<()> {
    if copy.stage.stage != "live" {
        say_at(2, format_args!("{}: {}", copy.class, words::stage(&copy.stage, now)))?;
        return Ok(());
    }
    say_at(2, format_args!("{}: {}", copy.class, words::kept(copy.kept, now)))?;
    for (place, basis) in copy.bases.iter().enumerate() {
        let lead = if place == 0 { "because" } else { "and also" };
        let until = match basis.until {
            Ending::Until(until) => format!("until {}", date(until)),
            _ => "without an end".to_owned(),
        };
        let since = words::anchor(&basis.from, basis.since);
        say_at(6, format_args!("{lead}: {} \u{2013} {until}, counted from {since}", basis.why))?;
    }
    for hold in &copy.holds {
        say_at(
            6,
            format_args!(
                "held by order `{}` since {}: it may not be destroyed, and the order allows no use of it; {}",
                hold.id,
                dated(hold.since, now),
                if hold.may_tell { "the person may be told" } else { "the person may not be told" }
            ),
        )?;
    }
    if copy.bases.is_empty() && copy.holds.is_empty() {
        say_at(6, "because nothing in the terms keeps it any more; the next `tenure sweep` destroys it")?;
    }
    Ok(())
}

/// What is kept of a record, in one line.
pub(super) fn copies_line(explanation: &Explanation) -> String {
    let live = explanation.copies.iter().filter(|copy| copy.stage.stage == "live");
    let copies: Vec<String> = live
        .map(|copy| match copy.kept {
            Ending::Until(until) => format!("{} until {}", copy.class, dated(until, explanation.at)),
            Ending::Indefinite => format!("{} without an end", copy.class),
            Ending::Held => format!("{} for as long as it is held", copy.class),
            Ending::Due(_) => format!("{} is due", copy.class),
        })
        .collect();
    if copies.is_empty() {
        "Nothing of it is kept any more.".to_owned()
    } else {
        format!("Kept: {}.", and(&copies))
    }
}
