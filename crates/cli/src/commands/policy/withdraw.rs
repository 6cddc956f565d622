//! `tenure policy withdraw`: takes back a version that was a mistake. It takes two people.

use clap::Args;
use serde_json::json;
use tenure_app::{PublishedVersion, Withdrawal};
use tenure_model::Instant;

use super::super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json, table};
use crate::session::Intent;
use crate::speech::{date, dated, some};

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    /// The version, as `policy@version`
    #[arg(value_name = "POLICY@VERSION", required_unless_present = "list")]
    version: Option<String>,
    /// Who asks or confirms: a role or a pseudonym
    #[arg(long = "as", value_name = "NAME", required_unless_present = "list")]
    name: Option<String>,
    /// List what is asked for and what was withdrawn
    #[arg(long, conflicts_with_all = ["version", "name"])]
    list: bool,
    #[command(flatten)]
    at: At,
}

impl Withdraw {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let (Some(version), Some(name)) = (self.version, self.name) else {
            let session = global.open(self.at, Intent::Look)?;
            let mut versions = session.tenure.published(session.now)?;
            versions.retain(|version| version.asked.is_some() || version.withdrawn.is_some());
            list(global, &versions, session.now, "No version was withdrawn, and nobody asks for it.")?;
            return Ok(Exit::Done);
        };
        let session = global.open(self.at, Intent::Change)?;
        let withdrawal = session.tenure.withdraw(&version, &name, session.now)?;
        if global.json {
            say_json(&json!({"version": version, "withdrawal": withdrawal}))?;
            return Ok(Exit::Done);
        }
        match withdrawal {
            Withdrawal::Asked(asked) => {
                say_at(
                    0,
                    format_args!(
                        "{} asks to withdraw {version}. Nothing has changed yet: somebody else must confirm it by {}, with `tenure policy withdraw {version} --as` and a name of their own.",
                        asked.by,
                        dated(asked.lapses, session.now)
                    ),
                )?;
            }
            Withdrawal::Withdrawn { at, asked, confirmed } => {
                say_at(
                    0,
                    format_args!(
                        "{version} is withdrawn since {}: {asked} asked for it, {confirmed} confirmed it.",
                        date(at)
                    ),
                )?;
                say_at(
                    0,
                    "It counts as never published. What it took the basis of and was not destroyed yet is back; a yes or an acknowledgement under it counts as none; a no stands. The copies of every account are filed anew before the next sweep.",
                )?;
            }
        }
        Ok(Exit::Done)
    }
}

/// Lists what is published.
pub(super) fn published(global: &Global, at: At) -> anyhow::Result<Exit> {
    let session = global.open(at, Intent::Look)?;
    let versions = session.tenure.published(session.now)?;
    list(global, &versions, session.now, "Nothing is published: `tenure policy publish` does that.")?;
    Ok(Exit::Done)
}

fn list(global: &Global, versions: &[PublishedVersion], now: Instant, none: &str) -> anyhow::Result<()> {
    if global.json {
        return say_json(&json!({"versions": versions}));
    }
    if versions.is_empty() {
        return say(none);
    }
    let mut rows = table(["Version", "Published", "Effective", "State"]);
    for version in versions {
        let state = match (&version.withdrawn, &version.asked) {
            (Some(at), _) => format!("withdrawn {}", date(*at)),
            (None, Some(asked)) => format!("{} asks to withdraw it, until {}", asked.by, date(asked.lapses)),
            (None, None) if version.effective > now => "not in effect yet".to_owned(),
            (None, None) => "in effect".to_owned(),
        };
        rows.add_row([
            format!("{}@{}", version.policy, version.version),
            date(version.published),
            date(version.effective),
            state,
        ]);
    }
    say(rows.trim_fmt())?;
    for version in versions {
        let Some(expected) = version.expected.filter(|expected| expected.planned > 0) else { continue };
        let told = match expected.expected {
            Some(expected) => format!(", and up to {} were said to be meant", some(expected, "copy")),
            None => String::new(),
        };
        say_at(
            0,
            format_args!(
                "When {}@{} was published, up to {} would lose what they were kept by{told}.",
                version.policy,
                version.version,
                some(expected.planned, "copy")
            ),
        )?;
    }
    Ok(())
}
