//! `tenure policy publish`: makes versions the terms that records are judged by.

use std::io;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tenure_app::{Allowance, Error, Tenure};
use tenure_model::{Instant, Regime};
use tenure_policy::language::{Ground, Undecided};

use super::policy::{Sources, print_refusals};
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_at, say_json};
use crate::session::Intent;
use crate::speech::{and, dated, some};

#[derive(Debug, Args)]
pub(crate) struct Publish {
    /// Policy files, or folders of versions
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// How many copies may lose what they are kept by, as `tenure policy plan` says; otherwise it may be a fifth of
    /// all, or a hundred
    #[arg(long, value_name = "N")]
    expect: Option<u64>,
    #[command(flatten)]
    at: At,
}

/// A version that was published, and whom it asks.
#[derive(Debug, serde::Serialize)]
struct Published {
    version: String,
    title: String,
    announced: Instant,
    effective: Instant,
    decide_by: Option<Instant>,
    blocks: bool,
    before: Option<String>,
    widens: Vec<Regime>,
    asks: Vec<String>,
}

impl Publish {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let sources = Sources::read(&self.paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let files = sources.files();
        let session = global.open(self.at, Intent::Change)?;
        let allow = self.expect.map_or_else(Allowance::default, Allowance::Copies);
        let names = match session.tenure.publish_allowing(&files, allow, session.now) {
            Err(Error::Policy(refusals)) => {
                print_refusals(&sources, &refusals, global.json, &mut io::stdout().lock())?;
                return Ok(Exit::Refused);
            }
            Err(Error::LosesTooMuch(loss)) if global.json => {
                say_json(&json!({"files": files.len(), "published": [], "refused": loss}))?;
                return Ok(Exit::Refused);
            }
            Err(Error::LosesTooMuch(loss)) => {
                say_at(0, format_args!("Refused: {loss}."))?;
                return Ok(Exit::Refused);
            }
            other => other?,
        };
        let published = described(&session.tenure, &names, session.now)?;
        if global.json {
            say_json(&json!({"files": files.len(), "published": published}))?;
            return Ok(Exit::Done);
        }
        let known = files.len().saturating_sub(published.len());
        if known > 0 {
            say(format_args!(
                "{} published before, with the same text: left as they are.",
                some(known as u64, "version")
            ))?;
        }
        for version in &published {
            show(version, session.now)?;
        }
        if !published.is_empty() {
            say("")?;
            say_at(
                0,
                if reaches_back(&session.tenure, &names, session.now)? {
                    "These terms reach back before now, so the copies of every account are filed anew before the next sweep."
                } else {
                    "Nothing that is stored was rewritten: a record is judged by the version that bound its account when it was last active, or by one that is no wider."
                },
            )?;
        }
        Ok(Exit::Done)
    }
}

/// Whether a version that was just published is about a time that has passed.
fn reaches_back(tenure: &Tenure, names: &[String], now: Instant) -> anyhow::Result<bool> {
    let policies = tenure.policies()?;
    let mut versions = policies.lineages().iter().flat_map(|lineage| lineage.versions());
    Ok(versions.any(|(_, version)| {
        names.contains(&format!("{}@{}", version.policy, version.name))
            && (version.announced < now || version.effective < now)
    }))
}

fn described(tenure: &Tenure, names: &[String], now: Instant) -> anyhow::Result<Vec<Published>> {
    let policies = tenure.policies()?;
    let mut published = Vec::new();
    for lineage in policies.lineages() {
        let mut before = None;
        for (index, version) in lineage.living(now) {
            let name = format!("{}@{}", version.policy, version.name);
            if names.contains(&name) {
                let widens = before.map_or_else(Vec::new, |before| {
                    Regime::ALL
                        .iter()
                        .copied()
                        .filter(|regime| lineage.widens(before, index, *regime))
                        .collect()
                });
                let asks = version.purposes.iter().filter(|purpose| purpose.ground == Ground::Consent);
                published.push(Published {
                    version: name,
                    title: version.title.clone(),
                    announced: version.announced,
                    effective: version.effective,
                    decide_by: version.decide_by,
                    blocks: version.undecided == Undecided::Block,
                    before: before.map(|before| lineage.tree(before).name.clone()),
                    widens,
                    asks: asks.map(|purpose| purpose.name.clone()).collect(),
                });
            }
            before = Some(index);
        }
    }
    Ok(published)
}

fn show(version: &Published, now: Instant) -> anyhow::Result<()> {
    say(format_args!("Published {} \u{2013} {}", version.version, version.title))?;
    say(format_args!("  announced {}", dated(version.announced, now)))?;
    say(format_args!("  effective {}", dated(version.effective, now)))?;
    let regimes: Vec<String> = version.widens.iter().map(|regime| regime.word().to_owned()).collect();
    say_at(
        2,
        match (&version.before, regimes.as_slice()) {
            (None, _) => "the first version: it binds everyone whom no later one does".to_owned(),
            (Some(before), []) => {
                format!(
                    "widens nothing against {before}: it binds from the day that it takes effect, and asks nobody anew"
                )
            }
            (Some(before), _) => format!(
                "wider than {before} for {} accounts: it binds each of them only once they acknowledge it or decide",
                and(&regimes)
            ),
        },
    )?;
    if !version.asks.is_empty() {
        let purposes: Vec<String> = version.asks.iter().map(|purpose| format!("`{purpose}`")).collect();
        let by = version.decide_by.map_or_else(String::new, |by| format!(", by {}", dated(by, now)));
        let then = if version.blocks { "; after that an account must decide before it goes on" } else { "" };
        say_at(2, format_args!("asks about {}{by}{then}", and(&purposes)))?;
    }
    Ok(())
}
