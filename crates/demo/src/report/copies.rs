//! Copies over time: content under the order, and every class until the last training copy is gone.

use tenure_model::Instant;

use super::svg::{Axis, Canvas, Frame, Point, Size};
use super::{Figure, Numbers, drawn};
use crate::Outcome;
use crate::dates::{count, date, days_between, grouped, long, next_month, parts};
use crate::log::Sample;

/// Samples up to an instant.
fn samples(outcome: &Outcome, until: Instant) -> Vec<&Sample> {
    outcome.log.samples.iter().filter(|sample| sample.at < until).collect()
}

/// Content while the order was in force, and after its release.
pub(crate) fn order(outcome: &Outcome) -> Figure {
    let until = date("2026-01-01");
    let samples = samples(outcome, until);
    let (released, deadline) = outcome.log.released.unwrap_or((until, until));
    let left = |sample: &&Sample| sample.kept_by("content").iter().skip(1).sum::<u64>();
    let most = samples.iter().map(left).max().unwrap_or(0);
    let beyond = samples.iter().filter(|sample| sample.at >= deadline).map(left).max().unwrap_or(0);
    let title = if beyond == 0 {
        format!(
            "The order kept {} of content beyond their terms, and none of them after {}",
            count(most, "copy", "copies"),
            long(deadline)
        )
    } else {
        format!(
            "{} of content outlived the grace that the order's release gave",
            count(beyond, "copy", "copies")
        )
    };
    let (wide, narrow) = drawn([8, 4], |canvas, frame, size| {
        draw_order(canvas, (frame, size), &samples, (released, deadline), until);
    });
    let month_ends = month_ends(&samples);
    let rows = month_ends.iter().map(|sample| {
        let kept = sample.kept_by("content").map(grouped);
        std::iter::once(long(sample.at)).chain(kept).collect()
    });
    Figure {
        about: format!(
            "Copies of content from May to December 2025, as three bands: kept by the terms, kept only by the order, at most {}, and kept only by the grace after its release.",
            grouped(most)
        ),
        caption: format!(
            "A court's order of 13 May 2025 covered the content of consumer plans, deleted or not. It was released on {}, \
             and what it alone had kept got thirty days.",
            long(released)
        ),
        title,
        heights: [None; 2],
        wide,
        narrow,
        numbers: Numbers {
            heading: vec![
                "After the sweep of",
                "Kept by the terms",
                "Only by the order",
                "Only by the grace",
            ],
            rows: rows.collect(),
        },
    }
}

/// The last sample of each month.
fn month_ends<'a>(samples: &[&'a Sample]) -> Vec<&'a Sample> {
    let month = |sample: &Sample| {
        let (year, month, _) = parts(sample.at);
        (year, month)
    };
    let pairs = samples.iter().zip(samples.iter().skip(1).map(Some).chain([None]));
    pairs
        .filter(|(one, next)| next.is_none_or(|next| month(one) != month(next)))
        .map(|(one, _)| *one)
        .collect()
}

fn draw_order(
    canvas: &mut Canvas,
    (frame, size): (Frame, Size),
    samples: &[&Sample],
    (released, deadline): (Instant, Instant),
    until: Instant,
) {
    let from = samples.first().map_or(until, |sample| sample.at);
    let time = Axis::time(frame, from, until);
    let (axis, ticks) =
        Axis::amount(frame, samples.iter().map(|sample| sample.live("content")).max().unwrap_or(0));
    let level = |number: usize| -> Vec<Point> {
        let sum = |sample: &&&Sample| sample.kept_by("content").iter().take(number).sum::<u64>();
        let mut points: Vec<_> =
            samples.iter().map(|sample| (time.at(sample.at), axis.count(sum(&sample)))).collect();
        points.extend(points.last().map(|(_, y)| (frame.right, *y)));
        points
    };
    canvas.amounts(frame, axis, &ticks, "Copies of content");
    let bands = [("kept", "kept by the terms"), ("held", "only by the order"), ("due", "grace")];
    for (number, (class, _)) in bands.iter().enumerate() {
        canvas.band(class, &level(number + 1), &level(number));
    }
    months(canvas, (frame, size), time, (from, until));
    let narrow = i64::from(!size.is_wide());
    canvas.instant(frame, time.at(released), ("end", narrow), "released ");
    canvas.deadline(
        frame,
        time.at(deadline),
        (if size.is_wide() { "start" } else { "middle" }, 0),
        "grace ends",
    );
    for (number, (_, words)) in bands.iter().enumerate() {
        label(canvas, frame, (&level(number + 1), &level(number)), words);
    }
}

/// Puts a band's name into the middle of where it is thick, if it fits there.
pub(crate) fn label(canvas: &mut Canvas, frame: Frame, (upper, lower): (&[Point], &[Point]), words: &str) {
    let slices: Vec<(i64, i64, i64)> = upper
        .iter()
        .zip(lower)
        .map(|((x, top), (_, bottom))| (*x, bottom - top, (top + bottom) / 2))
        .collect();
    let most = slices.iter().map(|(_, thick, _)| *thick).max().unwrap_or(0);
    let thick: Vec<i64> =
        slices.iter().filter(|(_, thick, _)| thick * 10 >= most * 5).map(|(x, ..)| *x).collect();
    let (Some(first), Some(last)) = (thick.first(), thick.last()) else { return };
    // Seven pixels a letter is more than any of these fonts needs.
    let half = i64::try_from(words.len()).unwrap_or(0) * 7 / 2 + 4;
    let x = (first + last) / 2;
    let x = x.clamp(frame.left + half, (frame.right - half).max(frame.left + half));
    let Some((_, thick, y)) = slices.iter().rev().find(|(start, ..)| *start <= x).or(slices.first()) else {
        return;
    };
    if *thick >= 20 && (last - first + 16) >= half {
        canvas.bar("plate", (x - half, y - 10), (half * 2, 20));
        canvas.text((x, y + 5), "middle", words);
    }
}

/// The months on the time axis: each on a wide chart, every second on a narrow one.
fn months(canvas: &mut Canvas, (frame, size): (Frame, Size), time: Axis, (from, until): (Instant, Instant)) {
    let mut month = next_month(from);
    let mut shown = true;
    while month < until {
        if shown || size.is_wide() {
            canvas.moment(frame, time.at(month), crate::dates::short(month).get(3..6).unwrap_or_default());
        }
        shown = !shown;
        month = next_month(month);
    }
}

const CLASSES: [(&str, &str, &str); 4] = [
    ("history", "l-kept", "history"),
    ("training_copy", "l-used", "training"),
    ("content", "l-kept2", "content"),
    ("feedback", "l-kept3", "feedback"),
];

/// Every class, until the end.
pub(crate) fn classes(outcome: &Outcome) -> Figure {
    let samples = samples(outcome, Instant::MAX);
    let end = samples.last().map_or(Instant::MAX, |sample| sample.at);
    let due = outcome.summary.last_training_copy_due;
    let title = match (outcome.summary.last_training_copy_gone, due) {
        (Some(gone), Some(due)) if gone <= due => format!(
            "The last training copy went on {}, {} before its term ended",
            long(gone),
            count(u64::try_from(days_between(gone, due)).unwrap_or(0), "day", "days")
        ),
        (Some(gone), _) => format!("The last training copy went on {}, after its term", long(gone)),
        (None, _) => "Training copies are left at the end of the story".to_owned(),
    };
    let (wide, narrow) =
        drawn([84, 76], |canvas, frame, size| draw_classes(canvas, (frame, size), &samples, (due, end)));
    let rows = month_ends(&samples).into_iter().filter(|sample| {
        let (year, month, _) = parts(sample.at);
        year == 2025 || matches!(month, 6 | 12) || year > 2030 || year == 2030 && month > 8
    });
    let rows = rows.map(|sample| {
        let all = CLASSES.iter().map(|(class, ..)| *class).chain(["scores"]);
        std::iter::once(long(sample.at)).chain(all.map(|class| grouped(sample.live(class)))).collect()
    });
    let last = samples.last().map_or(0, |sample| sample.live("history"));
    Figure {
        about: format!(
            "Lines of copies by class from May 2025 to {}: history, content, training copies and feedback, with the end of the last training copy's term as a line.",
            long(end)
        ),
        caption: format!(
            "Content without a yes lives thirty days; content with one, and what was written into a run, five years from the last \
             message. Deleting empties the history at once; {} in it at the end.",
            count(last, "copy is", "copies are")
        ),
        title,
        heights: [None; 2],
        wide,
        narrow,
        numbers: Numbers {
            heading: vec!["After the sweep of", "History", "Training", "Content", "Feedback", "Scores"],
            rows: rows.collect(),
        },
    }
}

fn draw_classes(
    canvas: &mut Canvas,
    (frame, size): (Frame, Size),
    samples: &[&Sample],
    (due, end): (Option<Instant>, Instant),
) {
    let from = samples.first().map_or(end, |sample| sample.at);
    let time = Axis::time(frame, from, end);
    let most = CLASSES.iter().flat_map(|(class, ..)| samples.iter().map(|sample| sample.live(class))).max();
    let (axis, ticks) = Axis::amount(frame, most.unwrap_or(0));
    canvas.amounts(frame, axis, &ticks, "Copies");
    for year in 2026..2031_i64 {
        if size.is_wide() || year % 2 == 0 {
            canvas.moment(frame, time.at(date(&format!("{year}-01-01"))), &year.to_string());
        }
    }
    if let Some(due) = due {
        let words =
            if size.is_wide() { "the last training copy's term ends" } else { "last training term ends" };
        canvas.deadline(frame, time.at(due), ("end", 0), words);
    }
    let mut labels: Vec<(i64, &str)> = Vec::new();
    for (class, line, words) in CLASSES {
        let points: Vec<_> =
            samples.iter().map(|sample| (time.at(sample.at), axis.count(sample.live(class)))).collect();
        canvas.steps(line, &points);
        labels.extend(points.last().map(|(_, y)| (*y, words)));
    }
    // Labels of lines that end close together are set apart, the lowest line first.
    labels.sort_by_key(|(y, _)| std::cmp::Reverse(*y));
    let mut floor = frame.bottom + 20;
    for (y, words) in labels {
        let y = (y + 4).min(floor - 16);
        canvas.text((frame.right + 8, y), "start", words);
        floor = y;
    }
}
