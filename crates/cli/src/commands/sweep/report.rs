//! What a sweep did, or would do, in words.

use std::collections::BTreeMap;

use comfy_table::CellAlignment;
use serde_json::json;
use tenure_app::{Swept, cause_in_words};

use crate::commands::Global;
use crate::output::{say, say_at, say_json, table};
use crate::speech::{and, grouped, some};

/// Whether the sweep was a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    WouldDo,
    Did,
}

/// Shows what a sweep came to.
pub(super) fn report(global: &Global, swept: &Swept, doing: Doing) -> anyhow::Result<()> {
    if global.json {
        return say_json(&json!({"dry_run": doing == Doing::WouldDo, "sweep": swept}));
    }
    let did = doing == Doing::Did && !swept.observed;
    let verb = if did { "destroyed" } else { "would be destroyed" };
    if swept.observed {
        say_at(
            0,
            "Tenure only observes here, so nothing was destroyed. `tenure destruction observe off` ends that.",
        )?;
    }
    if swept.finished > 0 {
        say(format_args!("Finished what an earlier sweep had begun: {}.", some(swept.finished, "batch")))?;
    }
    if swept.total() == 0 {
        say(format_args!("Nothing is due: 0 copies {verb}."))?;
    } else {
        say(format_args!("{} {verb}.\n", some(swept.total(), "copy")))?;
        say(counted(&swept.destroyed))?;
        say(told_causes(&swept.causes))?;
    }
    if swept.kept > 0 {
        let others = swept.kept.saturating_sub(swept.held).saturating_sub(swept.quarantined);
        say_at(
            0,
            format_args!(
                "{} that looked due: kept, {} by a hold, {} in quarantine and {} by other terms.",
                some(swept.kept, "copy"),
                grouped(swept.held),
                grouped(swept.quarantined),
                grouped(others)
            ),
        )?;
    }
    if did { bytes(swept) } else { Ok(()) }
}

/// What became of keys and bytes.
fn bytes(swept: &Swept) -> anyhow::Result<()> {
    if swept.total() + swept.pages + swept.packs > 0 {
        let anew = match swept.compacted {
            0 => String::new(),
            packs => format!(", {} written anew without what was dead", some(packs, "pack")),
        };
        say_at(
            0,
            format_args!(
                "{} destroyed, {} wrapped anew, {} removed{anew}.",
                some(swept.pages, "page key"),
                some(swept.rewrapped, "other key"),
                some(swept.packs, "pack"),
            ),
        )?;
    }
    if swept.verified > 0 {
        say(format_args!("{} verified absent.", some(swept.verified, "copy")))?;
    }
    if swept.locked > 0 {
        say_at(
            0,
            format_args!(
                "{} can't be removed, since the store is told to keep them; nothing opens what was destroyed in them.",
                some(swept.locked, "pack")
            ),
        )?;
    }
    if swept.proofs > 0 {
        say(format_args!(
            "The evidence of {} was destroyed after its term.",
            some(swept.proofs, "closed account")
        ))?;
    }
    Ok(())
}

/// Copies by class, as a table.
pub(super) fn counted(classes: &BTreeMap<String, u64>) -> comfy_table::Table {
    let mut rows = table(["Class", "Copies"]);
    if let Some(column) = rows.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (class, copies) in classes {
        rows.add_row([class.clone(), grouped(*copies)]);
    }
    rows
}

/// Why copies go, as a sentence.
pub(super) fn told_causes(causes: &BTreeMap<String, u64>) -> String {
    let mut causes: Vec<(&String, &u64)> = causes.iter().collect();
    causes.sort_by(|one, other| other.1.cmp(one.1));
    let words = causes
        .into_iter()
        .map(|(cause, copies)| format!("{} as {}", grouped(*copies), cause_in_words(cause)));
    format!("Why: {}.", and(&words.collect::<Vec<_>>()))
}
