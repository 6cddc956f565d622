//! Holds as tables.

use tenure_app::{Extent, HoldPreview, HoldView};
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
            say(format_args!("Hold {} was placed {} and released {at}.", hold.id, hold.placed_at))?;
        }
    }
    let mut rows = table(["Version", "From", "Until", "Classes", "Covers", "People may be told"]);
    for version in &hold.versions {
        rows.add_row([
            version.version.to_string(),
            version.from.to_string(),
            ended(version.until),
            version.scope.classes.join(", "),
            in_words(&version.scope),
            told(version.may_tell),
        ]);
    }
    say(rows)
}

/// What a hold would come to.
pub(super) fn preview(id: &str, preview: &HoldPreview) -> anyhow::Result<()> {
    say(format_args!("Hold {id} would cover {}.", extent(&preview.covered)))?;
    falls("Copies, and when they would be due without the hold", &preview.covered)?;
    if let Some(left_out) = &preview.left_out {
        say(format_args!("It would no longer cover {}.", extent(left_out)))?;
        falls("Copies, and when they would be due then", left_out)?;
    }
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
