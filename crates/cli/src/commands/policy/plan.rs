//! `tenure policy plan`: says what publishing versions would do, before anyone does it.

use std::io;
use std::path::PathBuf;

use clap::Args;
use tenure_app::{Error, Plan, PlannedVersion, Tally};
use tenure_model::Instant;

use super::super::{At, Global};
use super::load::{Sources, print_refusals};
use crate::Exit;
use crate::output::{heading, paint, say, say_at, say_json, table};
use crate::session::Intent;
use crate::speech::{and, date, dated, grouped, some};

/// How many characters a bar that stands for all has.
const BAR: u64 = 20;
/// In how many words it is said in what a version widens, before it is left at a count.
const WIDER_SHOWN: usize = 3;

#[derive(Debug, Args)]
pub(crate) struct Planned {
    /// Policy files, or folders of versions
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Ask only the index, however few copies would change: faster, and counts what may lose its basis at most
    #[arg(long)]
    by_index: bool,
    #[command(flatten)]
    at: At,
}

impl Planned {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let sources = Sources::read(&self.paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let files = sources.files();
        let session = global.open(self.at, Intent::Look)?;
        let plan = if self.by_index {
            session.tenure.plan_by_index(&files, session.now)
        } else {
            session.tenure.plan(&files, session.now)
        };
        let plan = match plan {
            Err(Error::Policy(refusals)) => {
                print_refusals(&sources, &refusals, global.json, &mut io::stdout().lock())?;
                return Ok(Exit::Refused);
            }
            other => other?,
        };
        if global.json {
            let mut value = serde_json::to_value(&plan)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("loss".to_owned(), plan.loss().into());
            }
            say_json(&value)?;
        } else {
            show(&plan)?;
        }
        Ok(Exit::Done)
    }
}

fn show(plan: &Plan) -> anyhow::Result<()> {
    if plan.versions.is_empty() {
        return say("All of this is published already, with the same text: there is nothing to do.");
    }
    for version in &plan.versions {
        show_version(version, plan.at)?;
    }
    say("")?;
    show_loss(plan)?;
    show_classes(plan)?;
    if plan.loss() > 0 {
        say("")?;
        say_at(
            0,
            format_args!(
                "If this is meant, and it is more than a fifth of all copies, publish with `--expect {}`. If a term is mistyped, correct it first: nothing is published yet.",
                plan.loss()
            ),
        )?;
    }
    Ok(())
}

fn show_version(version: &PlannedVersion, now: Instant) -> anyhow::Result<()> {
    say(heading(&format!("{}@{} \u{2013} {}", version.policy, version.version, version.title)))?;
    let back = if version.reaches_back { ": reaches back, so it counts at once" } else { "" };
    say_at(2, format_args!("announced {}", dated(version.announced, now)))?;
    say_at(2, format_args!("effective {}{back}", dated(version.effective, now)))?;
    match (&version.before, version.widens.as_slice()) {
        (None, _) => say_at(2, "the first version: it binds everyone whom no later one does")?,
        (Some(before), []) => {
            say_at(
                2,
                format_args!("widens nothing against {before}: it binds from the day that it takes effect"),
            )?;
        }
        (Some(before), wider) => {
            let regimes: Vec<String> = wider.iter().map(|wider| wider.regime.word().to_owned()).collect();
            say_at(
                2,
                format_args!(
                    "wider than {before} for {} accounts: it binds each of them only once they acknowledge it or decide",
                    and(&regimes)
                ),
            )?;
            let mut what: Vec<&String> = wider.iter().flat_map(|wider| &wider.what).collect();
            what.dedup();
            for words in what.iter().take(WIDER_SHOWN) {
                say_at(4, format_args!("\u{2013} {words}"))?;
            }
            let more = what.len().saturating_sub(WIDER_SHOWN);
            if more > 0 {
                say_at(
                    4,
                    format_args!(
                        "\u{2013} and {}: see `tenure policy diff`",
                        some(more as u64, "more point")
                    ),
                )?;
            }
        }
    }
    if !version.asks.is_empty() {
        let asks: Vec<String> = version.asks.iter().map(|purpose| format!("`{purpose}`")).collect();
        let by = version.decide_by.map_or_else(String::new, |by| format!(" by {}", dated(by, now)));
        let then = if version.blocks { ", and can't go on after that without an answer" } else { "" };
        let whom = match version.undecided {
            0 => "every account has answered".to_owned(),
            count => format!("{} would have to decide{by}{then}", some(count, "account")),
        };
        say_at(2, format_args!("asks about {}: {whom}", and(&asks)))?;
    }
    Ok(())
}

fn show_loss(plan: &Plan) -> anyhow::Result<()> {
    let live =
        format!("{} live {}", grouped(cast(plan.live)), if plan.live == 1 { "copy" } else { "copies" });
    let (most, begins) = if plan.exact { ("", "") } else { ("at most ", "At most ") };
    if plan.lost == 0 {
        say_at(0, format_args!("None of {live} would lose what it is kept by when this takes effect."))?;
    } else {
        let tallies = || plan.classes.iter().map(|class| &class.tally);
        let (first, last) =
            (tallies().filter_map(|tally| tally.first).min(), tallies().filter_map(|of| of.last).max());
        let held: u64 = tallies().map(|tally| tally.held).sum();
        let but = if held > 0 {
            format!(", but for {} that a hold keeps", grouped(cast(held)))
        } else {
            String::new()
        };
        let gone = first.zip(last).map_or_else(String::new, |(first, last)| {
            format!(" They are destroyed between {} and {}{but}.", date(first), date(last))
        });
        say_at(
            0,
            format_args!(
                "{begins}{} of {live} ({}) would lose what they are kept by when this takes effect: hidden at once, used for nothing, and in quarantine.{gone}",
                grouped(cast(plan.lost)),
                percent(plan.lost, plan.live),
            ),
        )?;
    }
    if plan.today > plan.lost {
        say_at(
            0,
            format_args!(
                "If it took effect today, {most}{} ({}) would: what is here now will be gone by time before, and this is what becomes of what is here then.",
                grouped(cast(plan.today)),
                percent(plan.today, plan.live),
            ),
        )?;
    }
    Ok(())
}

fn show_classes(plan: &Plan) -> anyhow::Result<()> {
    let touched = |tally: &Tally| tally.lost + tally.today + tally.sooner + tally.longer > 0;
    if !plan.classes.iter().any(|class| touched(&class.tally)) {
        return say_at(0, "No copy ends sooner, and none is kept longer.");
    }
    let mut rows = table([
        "Class",
        "Surface",
        "Live",
        "Lose it",
        "Share",
        "End sooner",
        "Kept longer",
        "First destroyed",
    ]);
    for class in plan.classes.iter().filter(|class| class.tally.live > 0) {
        let tally = &class.tally;
        let loses = tally.lost.max(tally.today);
        let first = tally.first.map_or_else(String::new, date);
        let first =
            if loses > tally.lost && first.is_empty() { "if it were today".to_owned() } else { first };
        rows.add_row([
            class.class.clone(),
            class.surface.clone(),
            grouped(cast(tally.live)),
            grouped(cast(loses)),
            bar(loses, tally.live),
            grouped(cast(tally.sooner)),
            grouped(cast(tally.longer)),
            first,
        ]);
    }
    say("")?;
    say(rows.trim_fmt())
}

/// A share as a bar, with its number.
fn bar(part: u64, whole: u64) -> String {
    let filled = (part.saturating_mul(BAR)).div_ceil(whole.max(1)).min(BAR);
    let [full, rest] = [filled, BAR - filled].map(|count| usize::try_from(count).unwrap_or_default());
    let bar = paint("31", &"\u{2588}".repeat(full));
    format!("{bar}{} {}", "\u{00b7}".repeat(rest), percent(part, whole))
}

fn percent(part: u64, whole: u64) -> String {
    let tenths = part.saturating_mul(1_000) / whole.max(1);
    format!("{}.{}%", tenths / 10, tenths % 10)
}

fn cast(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_shows_even_the_smallest_share() {
        assert_eq!(bar(0, 10), format!("{} 0.0%", "\u{00b7}".repeat(20)));
        assert_eq!(bar(1, 1_000), format!("\u{2588}{} 0.1%", "\u{00b7}".repeat(19)));
        assert_eq!(bar(7, 7), format!("{} 100.0%", "\u{2588}".repeat(20)));
    }
}
