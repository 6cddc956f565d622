//! Destructions against their deadlines.

use super::svg::{Axis, Canvas, Frame, Size};
use super::{Figure, Numbers, drawn};
use crate::Outcome;
use crate::dates::{count, grouped};

/// Days before the deadline, from a first to a last, and what that is called.
const BINS: [(i64, i64, &str, &str); 6] = [
    (21, i64::MAX, "21 days or more before", "21+"),
    (14, 20, "14 to 20 days before", "14\u{2013}20"),
    (7, 13, "7 to 13 days before", "7\u{2013}13"),
    (1, 6, "1 to 6 days before", "1\u{2013}6"),
    (0, 0, "on the last day", "last day"),
    (-1, -1, "at the instant at which the last reason to keep it went", "at once"),
];

pub(crate) fn figure(outcome: &Outcome) -> Figure {
    let destroyed = &outcome.summary.destroyed;
    let within = |from: i64, to: i64| {
        let counts = destroyed.by_days_early.iter().filter(|(days, _)| (from..=to).contains(*days));
        counts.map(|(_, copies)| *copies).sum::<u64>()
    };
    let bars: Vec<(&str, &str, u64)> =
        BINS.iter().map(|(from, to, name, short)| (*name, *short, within(*from, *to))).collect();
    let late = destroyed.late;
    let title = match late {
        0 => "Nothing was destroyed late".to_owned(),
        late => format!("{} destroyed late", count(late, "copy was", "copies were")),
    };
    let (wide, narrow) = drawn([8, 4], |canvas, frame, size| draw(canvas, (frame, size), &bars, late));
    let mut rows: Vec<Vec<String>> =
        bars.iter().map(|(name, _, copies)| vec![(*name).to_owned(), grouped(*copies)]).collect();
    rows.push(vec!["after the deadline".to_owned(), grouped(late)]);
    Figure {
        about: format!(
            "Bars of copies by the days from their destruction to their deadline. {} copies in all, {} of them after the deadline, the earliest {} days before it.",
            grouped(destroyed.copies),
            grouped(late),
            destroyed.most_days_early
        ),
        caption: format!(
            "Sweeps work ahead: each destroys what is due before the next one, which is a week away for most of 2025, a day \
             around the deadline, and a month afterwards. {} went at once, because their person deleted them or no term kept them.",
            count(destroyed.at_once, "copy", "copies")
        ),
        title,
        heights: [None; 2],
        wide,
        narrow,
        numbers: Numbers { heading: vec!["Destroyed", "Copies"], rows },
    }
}

fn draw(canvas: &mut Canvas, (frame, size): (Frame, Size), bars: &[(&str, &str, u64)], late: u64) {
    let largest = bars.iter().map(|(.., copies)| *copies).max().unwrap_or(0).max(late);
    // Room above the highest bar for its number.
    let (axis, ticks) = Axis::amount(frame, largest + largest / 8);
    canvas.amounts(
        frame,
        axis,
        &ticks,
        if size.is_wide() { "Copies, by days before their deadline" } else { "Copies, by days before" },
    );
    let slot = (frame.right - frame.left) / (i64::try_from(bars.len()).unwrap_or(1) + 1);
    let gap = if size.is_wide() { 14 } else { 6 };
    let mut x = frame.left;
    let late_bar = std::iter::once(("", "late", late));
    for (place, (_, short, copies)) in bars.iter().copied().chain(late_bar).enumerate() {
        let is_late = place == bars.len();
        let y = axis.count(copies);
        canvas.bar(if is_late { "barred" } else { "gone" }, (x + gap / 2, y), (slot - gap, frame.bottom - y));
        canvas.text((x + slot / 2, y - 6), "middle", &grouped(copies));
        let word = if size.is_wide() || place % 2 == 0 { frame.bottom + 20 } else { frame.bottom + 34 };
        canvas.text((x + slot / 2, word), "middle", short);
        x += slot;
        if place + 1 == bars.len() {
            canvas.deadline(frame, x, ("end", 0), "the deadline");
        }
    }
}
