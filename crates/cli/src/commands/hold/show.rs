//! Holds as tables.

use indicatif::{ProgressBar, ProgressStyle};
use tenure_app::{Extent, HoldPreview, HoldReaderView, HoldView, Lost};
use tenure_model::Instant;

use super::scope::in_words;
use crate::output::{say, table};
use crate::speech::{grouped, some};

/// Every hold on a line.
pub(super) fn list(holds: Vec<HoldView>) -> anyhow::Result<()> {
    if holds.is_empty() {
        return say("No hold was ever placed. `tenure hold place` places one.");
    }
    let mut rows =
        table(["Hold", "Version", "Placed", "Released", "Classes", "Covers", "People may be told"]);
    for hold in holds {
        rows.add_row([
            hold.id,
            hold.version.to_string(),
            hold.placed_at.to_string(),
            ended(hold.released_at),
            hold.scope.classes.join(", "),
            in_words(&hold.scope),
            told(hold.may_tell),
        ]);
    }
    say(rows)
}

/// One hold with its versions.
pub(super) fn history(hold: &HoldView) -> anyhow::Result<()> {
    match hold.released_at {
        None => say(format_args!("Hold {} is in force since {}.", hold.id, hold.placed_at))?,
        Some(at) => {
            let dated =
                hold.release_dated.map(|dated| format!(", by an order dated {dated}")).unwrap_or_default();
            say(format_args!("Hold {} was placed {} and released {at}{dated}.", hold.id, hold.placed_at))?;
        }
    }
    let mut rows =
        table(["Version", "From", "Until", "Order dated", "Classes", "Covers", "People may be told"]);
    for version in &hold.versions {
        rows.add_row([
            version.version.to_string(),
            version.from.to_string(),
            ended(version.until),
            version.dated.map_or_else(|| "not named".to_owned(), |dated| dated.to_string()),
            version.scope.classes.join(", "),
            in_words(&version.scope),
            told(version.may_tell),
        ]);
    }
    say(rows)
}

/// Who may read what a hold keeps, and what they read.
pub(super) fn readers(hold: &str, readers: Vec<HoldReaderView>) -> anyhow::Result<()> {
    if readers.is_empty() {
        return say(format_args!(
            "Nobody may read what hold {hold} keeps. `tenure hold reader add {hold} NAME` lets somebody."
        ));
    }
    let mut rows = table(["Reader", "Since", "Until", "Accesses", "Records read", "Last"]);
    for reader in readers {
        rows.add_row([
            reader.reader,
            reader.since.to_string(),
            reader.until.map_or_else(|| "may read".to_owned(), |until| until.to_string()),
            grouped(reader.accesses),
            grouped(reader.records),
            reader.last_read_at.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        ]);
    }
    say(rows)
}

/// How many days of destruction are shown; earlier ones are counted.
const DAYS: usize = 10;

/// What an order came too late for.
pub(super) fn lost(lost: &Lost) -> anyhow::Result<()> {
    if lost.copies == 0 {
        return say("Nothing in its scope was destroyed before.");
    }
    say(format_args!(
        "It came too late for {} of {} of {}:",
        some(lost.copies, "copy"),
        some(lost.records, "record"),
        some(lost.accounts, "account")
    ))?;
    let mut rows = table(["Class", "Destroyed on", "Copies"]);
    for (class, days) in &lost.classes {
        let earlier = days.len().saturating_sub(DAYS);
        if let Some((last, _)) = days.iter().nth(earlier.wrapping_sub(1)).filter(|_| earlier > 0) {
            let copies: u64 = days.values().take(earlier).sum();
            rows.add_row([class.clone(), format!("{last} or before"), grouped(copies)]);
        }
        for (day, copies) in days.iter().skip(earlier) {
            rows.add_row([class.clone(), day.clone(), grouped(*copies)]);
        }
    }
    say(rows)?;
    say("`--json` names the copies.")
}

/// Shows how far something is that may take long.
pub(super) fn bar(what: &str) -> anyhow::Result<ProgressBar> {
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template(&format!("{{spinner}} {{pos}} {what}, {{elapsed}}"))?);
    Ok(bar)
}

/// What a hold would come to.
pub(super) fn preview(id: &str, preview: &HoldPreview) -> anyhow::Result<()> {
    say(format_args!("Hold {id} would cover {}.", extent(&preview.covered)))?;
    falls("Copies, and when they would be due without the hold", &preview.covered)?;
    if let Some(left_out) = &preview.left_out {
        say(format_args!("It would no longer cover {}.", extent(left_out)))?;
        falls("Copies, and when they would be due then", left_out)?;
    }
    lost(&preview.lost)?;
    say("Nothing was changed.")
}

fn extent(extent: &Extent) -> String {
    if extent.records == 0 {
        return "nothing that is stored now".to_owned();
    }
    let (records, accounts) = (some(extent.records, "record"), some(extent.accounts, "account"));
    format!("{records} of {accounts}, {}", some(extent.bytes, "byte"))
}

fn falls(title: &str, extent: &Extent) -> anyhow::Result<()> {
    if extent.classes.is_empty() {
        return Ok(());
    }
    say(format_args!("{title}:"))?;
    let mut rows = table(["Class", "Copies", "Within 30 days", "Within a year", "Later", "Never"]);
    for (class, falls) in &extent.classes {
        let counts =
            [falls.copies, falls.within_30_days, falls.within_a_year, falls.later, falls.never].map(grouped);
        rows.add_row(std::iter::once(class.clone()).chain(counts));
    }
    say(rows)
}

fn ended(at: Option<Instant>) -> String {
    at.map_or_else(|| "in force".to_owned(), |at| at.to_string())
}

fn told(may_tell: bool) -> String {
    if may_tell { "yes" } else { "no" }.to_owned()
}
