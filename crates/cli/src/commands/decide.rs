//! `tenure decide`: one decision, or a file of them.

mod bulk;

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::bail;
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use tenure_app::{Answer, Reply, Tenure};
use tenure_model::{Choice, Instant};

use super::receipt::save;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json};
use crate::session::Intent;
use crate::speech::{date, dated, some};

#[derive(Debug, Args)]
pub(crate) struct Decide {
    /// The account
    #[arg(required_unless_present = "from")]
    account: Option<String>,
    /// The purpose
    #[arg(required_unless_present = "from")]
    purpose: Option<String>,
    /// on or off
    #[arg(required_unless_present = "from")]
    choice: Option<Choice>,
    /// The version that the person saw; the newest announced one that asks, unless said
    #[arg(long, value_name = "VERSION")]
    version: Option<String>,
    /// Take an `on` only if the account's chain still has this head, as `tenure account` shows it
    #[arg(long, value_name = "HEAD")]
    follows: Option<Head>,
    /// Write the receipt into this file
    #[arg(long, value_name = "FILE")]
    receipt: Option<PathBuf>,
    /// Record decisions from a file: one {"account","purpose","choice","version"?,"at"?} a line
    #[arg(long, value_name = "FILE.jsonl", conflicts_with_all = ["account", "purpose", "choice", "version", "follows", "receipt"])]
    from: Option<PathBuf>,
    #[command(flatten)]
    at: At,
}

impl Decide {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        if let Some(path) = &self.from {
            return bulk::run(&session, path, global.json);
        }
        let (Some(account), Some(purpose), Some(choice)) = (self.account, self.purpose, self.choice) else {
            bail!("name the account, the purpose, and on or off");
        };
        let (tenure, now) = (&session.tenure, session.now);
        let (records, before) = tenure.usable(&account, now)?;
        let answer = self.follows.map_or_else(
            || tenure.answer(&account, &purpose, choice, self.version.as_deref()),
            |Head(follows)| {
                let reply = if choice == Choice::On { Reply::On { follows } } else { Reply::Off };
                Ok(Answer { purpose: purpose.clone(), reply, version: self.version.clone() })
            },
        )?;
        let receipts = tenure.decide(&account, answer, now)?;
        let entries: Vec<u64> = receipts.iter().map(|receipt| receipt.proof().index).collect();
        let written = self.receipt.as_deref().map_or(Ok(Vec::new()), |file| save(&receipts, file))?;
        let (_, after) = tenure.usable(&account, now)?;
        let of =
            |counts: &std::collections::BTreeMap<String, u64>| counts.get(&purpose).copied().unwrap_or(0);
        let (before, after) = (of(&before), of(&after));
        if global.json {
            say_json(&json!({
                "purpose": purpose, "choice": choice, "at": now, "ledger": entries, "receipts": written,
                "records": records, "usable_before": before, "usable_after": after,
            }))?;
            return Ok(Exit::Done);
        }
        let word = choice.word();
        say(format_args!(
            "Recorded: `{purpose}` is {word}, {}. It is {} of the ledger.",
            date(now),
            named_entries(&entries)
        ))?;
        for file in &written {
            say(format_args!("Receipt  {}", file.display()))?;
        }
        say_at(0, effect(choice, records, before, after))?;
        if let Some(line) = still_asked(tenure, &account, now)? {
            say(line)?;
        }
        Ok(Exit::Done)
    }
}

/// The head of an account's chain.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Head([u8; 32]);

impl TryFrom<String> for Head {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl FromStr for Head {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        tenure_app::parse_head(text).map(Self).ok_or("a head is 64 hexadecimal digits in small letters")
    }
}

/// Where the ledger has it.
fn named_entries(entries: &[u64]) -> String {
    let places: Vec<String> = entries.iter().map(u64::to_string).collect();
    let noun = if entries.len() == 1 { "entry" } else { "entries" };
    format!("{noun} {}", crate::speech::and(&places))
}

/// What a decision changes, in words.
fn effect(choice: Choice, records: u64, before: u64, after: u64) -> String {
    if records == 0 {
        return match choice {
            Choice::On => "The account has no records yet. What it says from now on is covered.",
            Choice::Off => "The account has no records yet. Nothing that it says is used for this.",
        }
        .to_owned();
    }
    let of = format!("of {}", some(records, "record"));
    match (before, after) {
        (same, now) if same == now => {
            let why = match choice {
                Choice::On => {
                    ". A conversation from before is covered once it goes on; `tenure explain` says what else is missing"
                }
                Choice::Off => "",
            };
            format!("It may be used for {now} {of}, as before{why}.")
        }
        (was, now) => format!(
            "It may be used for {now} {of}; it was {was}. Copies that lose their ground are destroyed by the next sweep after their time."
        ),
    }
}

/// What the account has not answered yet.
fn still_asked(tenure: &Tenure, account: &str, now: Instant) -> anyhow::Result<Option<String>> {
    let summary = tenure.summary(account, now)?;
    let open = summary.terms.into_iter().find_map(|terms| terms.asked);
    Ok(open.map(|asked| {
        let by = asked.by.map(|by| format!(", by {}", dated(by, now))).unwrap_or_default();
        format!("Still to be answered: {}{by}.", crate::speech::and(&asked.purposes))
    }))
}
