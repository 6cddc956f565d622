//! Training runs: what they used, and what was left out and why.

use std::collections::BTreeMap;

use super::svg::{Canvas, Frame, Size};
use super::{Figure, Numbers, drawn};
use crate::Outcome;
use crate::dates::{count, grouped, long};
use crate::summary::RunLine;

/// A reason in words.
pub(crate) fn in_words(reason: &str) -> &str {
    match reason {
        "off" => "their person said no",
        "withdrawn" => "their person withdrew",
        "undecided" => "their person said nothing",
        "unreached" => "idle since the yes",
        "regime" => "said at work or through the API",
        "incognito" => "incognito",
        "minor_or_unknown" => "a minor",
        "flagged" => "flagged",
        "deleted" => "deleted",
        "closed" => "the account is closed",
        "no_copy" => "no copy is left to read",
        "unknown_time" => "when they were said is unknown",
        "terms" => "under the old terms",
        other => other,
    }
}

pub(crate) fn figure(outcome: &Outcome) -> Figure {
    let runs = &outcome.summary.runs;
    let revoked = runs.first().and_then(|run| run.revoked_by_next).unwrap_or(0);
    let title = match runs.first() {
        Some(first) if outcome.summary.is_sound() => format!(
            "{} of the first run's {} were revoked before the second, and none of a withdrawal is in it",
            grouped(revoked),
            count(first.rows, "row", "rows")
        ),
        _ => format!("{} of training", count(runs.len() as u64, "run", "runs")),
    };
    let mut reasons: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (number, run) in runs.iter().enumerate() {
        for (reason, records) in &run.left_out {
            let of_runs = reasons.entry(reason).or_insert_with(|| vec![0; runs.len()]);
            if let Some(sum) = of_runs.get_mut(number) {
                *sum = *records;
            }
        }
    }
    let mut reasons: Vec<(&str, Vec<u64>)> = reasons.into_iter().collect();
    reasons.sort_by_key(|(_, records)| std::cmp::Reverse(records.last().copied()));
    let row = |name: &str, of: &dyn Fn(&RunLine) -> u64| -> Vec<String> {
        std::iter::once(name.to_owned()).chain(runs.iter().map(|run| grouped(of(run)))).collect()
    };
    let mut rows = vec![
        row("Rows, a message each", &|run| run.rows),
        row("Records in it", &|run| run.records),
        row("People they are of", &|run| run.people),
    ];
    rows.extend(reasons.iter().map(|(reason, records)| {
        std::iter::once(format!("Left out: {}", in_words(reason)))
            .chain(records.iter().copied().map(grouped))
            .collect()
    }));
    let (wide, narrow) =
        drawn([40, 30], |canvas, frame, size| draw(canvas, (frame, size), outcome, &reasons));
    let opened: Vec<String> = runs.iter().map(|run| long(run.opened_at)).collect();
    Figure {
        about: format!(
            "Bars of records in the second run, used and left out by reason. Used: {}.",
            grouped(runs.last().map_or(0, |run| run.records))
        ),
        caption: format!(
            "Records at the opening of the second run. The runs were opened on {}. What had been read before a withdrawal stays \
             in the run that had started, and is skipped from then on.",
            opened.join(" and ")
        ),
        title,
        heights: [28, 36].map(|slot| Some(slot * i64::try_from(reasons.len() + 1).unwrap_or(1))),
        wide,
        narrow,
        numbers: Numbers { heading: vec!["", "First run", "Second run"], rows },
    }
}

fn draw(canvas: &mut Canvas, (frame, size): (Frame, Size), outcome: &Outcome, reasons: &[(&str, Vec<u64>)]) {
    let used = outcome.summary.runs.last().map_or(0, |run| run.records);
    let mut bars = vec![("used for training", used)];
    bars.extend(
        reasons.iter().map(|(reason, records)| (in_words(reason), records.last().copied().unwrap_or(0))),
    );
    let most = bars.iter().map(|(_, records)| *records).max().unwrap_or(1).max(1);
    // The bars lie on their side, with their names above them on a phone and before them elsewhere.
    let left = if size.is_wide() { 240 } else { 0 };
    let (room, slot) = (frame.right - left, if size.is_wide() { 28 } else { 36 });
    for (number, (name, records)) in bars.iter().enumerate() {
        let y = i64::try_from(number).unwrap_or(0) * slot;
        let length =
            i64::try_from(u128::from(*records) * u128::try_from(room).unwrap_or(0) / u128::from(most));
        let length = length.unwrap_or(0).max(i64::from(*records > 0));
        let class = if number == 0 { "used" } else { "barred" };
        let (top, height) = if size.is_wide() { (y + 4, slot - 8) } else { (y + 16, slot - 22) };
        canvas.bar(class, (left, top), (length, height));
        if size.is_wide() {
            canvas.text((left - 10, y + slot / 2 + 5), "end", name);
        } else {
            canvas.text((0, y + 11), "start", name);
        }
        canvas.text((left + length + 6, top + height / 2 + 5), "start", &grouped(*records));
    }
}
