//! `tenure account`: opens an account or tells more about it, and shows how it stands.

use anyhow::bail;
use clap::Args;
use serde_json::json;
use tenure_app::explain::{AccountSummary, AskedView, TermsView};
use tenure_app::{AccountFacts, Error, TimeKeeping};
use tenure_model::Instant;

use super::import::country;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json, table};
use crate::session::Intent;
use crate::speech::{and, date, dated, some};

#[derive(Debug, Args)]
pub(crate) struct Account {
    /// The account's pseudonymous id; it is opened if there is none of that id
    #[arg(required_unless_present = "list")]
    id: Option<String>,
    /// List the accounts instead
    #[arg(long, conflicts_with_all = ["id", "country", "minor", "opened_at", "closed_at"])]
    list: bool,
    /// Its present country, as an ISO 3166 code
    #[arg(long, value_name = "CODE", value_parser = country)]
    country: Option<String>,
    /// Whether the person is a minor
    #[arg(long, value_name = "true|false")]
    minor: Option<bool>,
    /// When it was opened
    #[arg(long, value_name = "INSTANT")]
    opened_at: Option<Instant>,
    /// When it was closed
    #[arg(long, value_name = "INSTANT")]
    closed_at: Option<Instant>,
    /// Say what the person may be told of what is kept, and nothing else
    #[arg(long, conflicts_with_all = ["list", "country", "minor", "opened_at", "closed_at"])]
    as_person: bool,
    #[command(flatten)]
    at: At,
}

impl Account {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let Some(id) = self.id else { return list(global, self.at) };
        if self.as_person {
            let session = global.open(self.at, Intent::Look)?;
            let told = session.tenure.told(&id, session.now)?;
            if global.json {
                say_json(&told)?;
            } else {
                super::as_person::account(&told)?;
            }
            return Ok(Exit::Done);
        }
        let facts = AccountFacts {
            country: self.country,
            minor: self.minor,
            opened_at: self.opened_at,
            closed_at: self.closed_at,
            former: Vec::new(),
        };
        let tells = facts != AccountFacts::default();
        let mut session = global.open(self.at, if tells { Intent::Change } else { Intent::Look })?;
        let known = match session.tenure.account(&id) {
            Ok(_) => true,
            Err(Error::UnknownAccount) => false,
            Err(error) => return Err(error.into()),
        };
        if !known {
            session.will_change();
        }
        let (tenure, now) = (&session.tenure, session.now);
        if !known && self.at.at.is_some() && tenure.time()? == TimeKeeping::Real {
            bail!("there is no such account, and --at can't open one here: nothing was changed");
        }
        let future = [facts.opened_at, facts.closed_at].into_iter().flatten().any(|at| at > now);
        if future {
            bail!("an account can't be opened or closed in the future: nothing was changed");
        }
        if !known || tells {
            tenure.set_account(&id, facts, now)?;
        }
        let summary = tenure.summary(&id, now)?;
        if global.json {
            say_json(&json!({"opened": !known, "changed": known && tells, "account": summary}))?;
            return Ok(Exit::Done);
        }
        match (known, tells) {
            (false, _) => say("Opened. What is known of it:\n")?,
            (true, true) => say("Changed. Its copies are judged anew by the next sweep.\n")?,
            (true, false) => {}
        }
        show(&summary, now)?;
        Ok(Exit::Done)
    }
}

/// How many accounts are listed.
const LISTED: usize = 1_000;

fn list(global: &Global, at: At) -> anyhow::Result<Exit> {
    let session = global.open(at, Intent::Look)?;
    let accounts = session.tenure.accounts(LISTED + 1)?;
    let (shown, more) = (accounts.iter().take(LISTED), accounts.len() > LISTED);
    if global.json {
        let rows: Vec<_> = shown
            .map(|row| {
                let facts = &row.facts;
                json!({
                    "account": row.id, "country": facts.country, "minor": facts.minor,
                    "opened_at": facts.opened_at, "closed_at": facts.closed_at,
                })
            })
            .collect();
        say_json(&json!({"accounts": rows, "more": more}))?;
        return Ok(Exit::Done);
    }
    if accounts.is_empty() {
        say(
            "There are no accounts yet. `tenure account ID` opens one, and `tenure import` opens them as it goes.",
        )?;
        return Ok(Exit::Done);
    }
    let mut rows = table(["Account", "Country", "Minor", "Opened", "Closed"]);
    for row in shown {
        let facts = &row.facts;
        let known = |at: Option<Instant>, otherwise: &str| at.map_or(otherwise.to_owned(), date);
        rows.add_row([
            row.id.clone(),
            facts.country.clone().unwrap_or_else(|| "not known".to_owned()),
            facts.minor.map_or("not known", |minor| if minor { "yes" } else { "no" }).to_owned(),
            known(facts.opened_at, "not known"),
            known(facts.closed_at, ""),
        ]);
    }
    say(rows)?;
    if more {
        say(format_args!("Only the first {LISTED} are listed."))?;
    }
    Ok(Exit::Done)
}

fn show(summary: &AccountSummary, now: Instant) -> anyhow::Result<()> {
    let unknown = "not known";
    say(format_args!("Account   {}", summary.account))?;
    say(format_args!("Country   {}", summary.country.as_deref().unwrap_or(unknown)))?;
    say(format_args!(
        "Minor     {}",
        match summary.minor {
            Some(true) => "yes",
            Some(false) => "no",
            None => "not known, so nothing that asks for an adult is allowed",
        }
    ))?;
    let opened = summary.opened_at.map(|opened| dated(opened, now));
    say(format_args!(
        "Opened    {}",
        opened.as_deref().unwrap_or("not known, so it counts as before every version")
    ))?;
    if let Some(closed) = summary.closed_at {
        say(format_args!("Closed    {}", dated(closed, now)))?;
    }
    let records: u64 = summary.surfaces.values().sum();
    let by_surface: Vec<String> =
        summary.surfaces.iter().map(|(name, count)| format!("{count} on `{name}`")).collect();
    let deleted = if summary.deleted > 0 { format!("; {} deleted", summary.deleted) } else { String::new() };
    if records == 0 {
        say("Records   none yet: `tenure import` brings them in")?;
    } else {
        say(format_args!("Records   {records}: {}{deleted}", and(&by_surface)))?;
    }
    for hold in &summary.holds {
        say(format_args!(
            "Held      {} by order `{}` since {}; {} kept by nothing else and not used; the person {}",
            some(hold.copies, "copy"),
            hold.hold,
            dated(hold.since, now),
            hold.alone,
            if hold.may_tell { "may be told" } else { "may not be told" }
        ))?;
    }
    say(format_args!("Ledger    {}", some(summary.statements, "statement")))?;
    say(format_args!("Head      {}", summary.head))?;
    if summary.terms.is_empty() {
        say("\nNo policy is published for it: run `tenure policy publish FILE`.")?;
    }
    for terms in &summary.terms {
        show_terms(terms, now)?;
    }
    Ok(())
}

fn show_terms(terms: &TermsView, now: Instant) -> anyhow::Result<()> {
    say(format_args!("\n{}, {}", terms.policy, terms.regime.word()))?;
    say(format_args!("  bound by  {} \u{2013} {}", terms.bound, terms.title))?;
    for choice in &terms.choices {
        let since = choice.since.map(|since| format!(" since {}", dated(since, now))).unwrap_or_default();
        let says = match choice.choice {
            "on" => "on",
            "off" => "off",
            "unopposed" => "allowed, as nothing was said against it after the notice",
            _ => "no choice that counts toward this version",
        };
        say(format_args!("  {}  {says}{since}  ({})", choice.purpose, choice.title))?;
    }
    if terms.choices.is_empty() {
        say("  these terms leave nothing to choose")?;
    }
    if let Some(asked) = &terms.asked {
        say_at(2, question(asked, terms.must_decide, now))?;
    }
    Ok(())
}

/// What is asked, by when, and what happens then.
fn question(asked: &AskedView, must_decide: bool, now: Instant) -> String {
    let purposes: Vec<String> = asked.purposes.iter().map(|purpose| format!("`{purpose}`")).collect();
    let what = format!("asked about {} by version {}", and(&purposes), asked.version);
    match (asked.by, asked.blocks) {
        (Some(by), _) if must_decide => {
            format!("{what}: must decide before going on, since {}", dated(by, now))
        }
        (Some(by), true) => format!("{what}: must decide by {} to go on after that", dated(by, now)),
        (Some(by), false) => format!("{what}, until {}; it may go on without an answer", date(by)),
        (None, _) => format!("{what}; it may go on without an answer"),
    }
}
