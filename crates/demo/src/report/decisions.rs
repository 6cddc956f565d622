//! Decisions over time.

use tenure_model::{Choice, Instant};

use super::copies::label;
use super::svg::{Axis, Canvas, Frame, Point, Size};
use super::{Figure, Numbers, drawn};
use crate::Outcome;
use crate::dates::{count, date, days_after, grouped, long};

/// How many people say yes and how many say no, at the end of a day.
struct Day {
    at: Instant,
    yes: u64,
    no: u64,
}

fn days(outcome: &Outcome, from: Instant, until: Instant) -> Vec<Day> {
    let (mut days, mut at) = (Vec::new(), from);
    while at <= until {
        let (mut yes, mut no) = (0_u64, 0_u64);
        for answer in outcome.log.answers.iter().filter(|answer| answer.at < at) {
            match answer.before {
                Some(Choice::On) => yes = yes.saturating_sub(1),
                Some(Choice::Off) => no = no.saturating_sub(1),
                None => {}
            }
            match answer.choice {
                Choice::On => yes += 1,
                Choice::Off => no += 1,
            }
        }
        days.push(Day { at, yes, no });
        at = days_after(at, 1);
    }
    days
}

pub(crate) fn figure(outcome: &Outcome) -> Figure {
    let (from, until, deadline) = (date("2025-08-28"), date("2025-12-01"), date("2025-10-08"));
    let days = days(outcome, from, until);
    let people = &outcome.summary.decisions;
    let by_deadline = days.iter().find(|day| day.at == deadline).map_or(0, |day| day.yes + day.no);
    // That is one of the things that were checked.
    let unused = if outcome.summary.is_sound() { ", and nothing of theirs was trained on" } else { "" };
    let title = format!(
        "{} had answered by the deadline; {} never did{unused}",
        count(by_deadline, "person", "people"),
        grouped(people.none)
    );
    let (wide, narrow) =
        drawn([8, 4], |canvas, frame, size| draw(canvas, (frame, size), &days, (people.asked, deadline)));
    let shown = days
        .iter()
        .enumerate()
        .filter(|(number, day)| number % 7 == 0 || day.at == deadline || day.at == until);
    let rows = shown.map(|(_, day)| {
        let open = people.asked.saturating_sub(day.yes + day.no);
        vec![long(day.at), grouped(day.yes), grouped(day.no), grouped(open)]
    });
    let last = days.last();
    Figure {
        about: format!(
            "Bands of people by what they say, from 28 August to 1 December 2025. At the end {} say yes, {} say no, of {} who are asked.",
            grouped(last.map_or(0, |day| day.yes)),
            grouped(last.map_or(0, |day| day.no)),
            grouped(people.asked)
        ),
        caption: format!(
            "{} said yes and then no, {} no and then yes. A yes counts for what is said, or taken up again, after it; a no counts \
             at once. Those without an answer include {} who had no account before the deadline.",
            grouped(people.withdrawn),
            grouped(people.came_round),
            grouped(
                outcome
                    .log
                    .answers
                    .iter()
                    .filter(|answer| answer.before.is_none() && answer.at >= deadline)
                    .count() as u64
            )
        ),
        title,
        heights: [None; 2],
        wide,
        narrow,
        numbers: Numbers {
            heading: vec!["At the start of", "Yes", "No", "No answer yet"],
            rows: rows.collect(),
        },
    }
}

fn draw(canvas: &mut Canvas, (frame, size): (Frame, Size), days: &[Day], (asked, deadline): (u64, Instant)) {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return };
    let time = Axis::time(frame, first.at, last.at);
    let (axis, ticks) = Axis::amount(frame, asked);
    let level = |of: &dyn Fn(&Day) -> u64| -> Vec<Point> {
        days.iter().map(|day| (time.at(day.at), axis.count(of(day)))).collect()
    };
    let (none, yes) = (level(&|_| 0), level(&|day| day.yes));
    let (answered, all) = (level(&|day| day.yes + day.no), level(&|_| asked));
    canvas.amounts(frame, axis, &ticks, "People who are asked");
    canvas.band("used", &yes, &none);
    canvas.band("barred", &answered, &yes);
    canvas.steps("zero-line", &all);
    for day in ["2025-09-01", "2025-10-01", "2025-11-01", "2025-12-01"] {
        let word = crate::dates::short(date(day));
        let anchor = time.at(date(day));
        canvas.moment(frame, anchor.min(frame.right - 14), word.get(1..6).unwrap_or_default());
    }
    let old = time.at(date("2025-09-28"));
    canvas.instant(frame, old, ("end", i64::from(!size.is_wide())), "first deadline ");
    canvas.deadline(frame, time.at(deadline), ("start", 0), "the deadline");
    label(canvas, frame, (&yes, &none), "yes: may be trained on");
    label(canvas, frame, (&answered, &yes), "no: not allowed");
    label(canvas, frame, (&all, &answered), "no answer: not allowed");
}
