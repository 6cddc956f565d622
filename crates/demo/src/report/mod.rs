//! The report: one page that needs nothing else. Titles say what was found, and are computed.

/// Adds formatted text to a text.
macro_rules! put {
    ($out:expr, $($text:tt)*) => { $out.push_str(&format!($($text)*)) };
}

mod checked;
mod copies;
mod deadlines;
mod decisions;
mod runs;
mod svg;

use crate::Outcome;
use crate::dates::{count, grouped, long};
use svg::{Canvas, Frame, Size, escape};

const STYLE: &str = include_str!("style.css");
const PATTERNS: &str = include_str!("patterns.svg");

/// A table beneath a chart: its heading, and rows that each begin with their name.
pub(crate) struct Numbers {
    pub(crate) heading: Vec<&'static str>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A chart with its numbers.
pub(crate) struct Figure {
    /// What was found.
    pub(crate) title: String,
    /// What is shown, for those who do not see it.
    pub(crate) about: String,
    /// A sentence beneath.
    pub(crate) caption: String,
    /// How high it is, where that is not the usual.
    pub(crate) heights: [Option<i64>; 2],
    pub(crate) wide: String,
    pub(crate) narrow: String,
    pub(crate) numbers: Numbers,
}

/// Draws a chart for both sizes.
pub(crate) fn drawn(room: [i64; 2], draw: impl Fn(&mut Canvas, Frame, Size)) -> (String, String) {
    let of = |size: Size, labels: i64| {
        let frame = Frame::new(size, labels);
        let mut canvas = Canvas::default();
        draw(&mut canvas, frame, size);
        canvas.into_text()
    };
    let [wide, narrow] = room;
    (of(Size::Wide, wide), of(Size::Narrow, narrow))
}

/// The page.
pub fn report(outcome: &Outcome) -> String {
    let figures = [
        deadlines::figure(outcome),
        copies::order(outcome),
        copies::classes(outcome),
        decisions::figure(outcome),
        runs::figure(outcome),
    ];
    let mut page = String::with_capacity(200_000);
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<title>Five years of a policy change</title>\n<style>\n");
    page.push_str(STYLE);
    page.push_str("</style>\n</head>\n<body>\n");
    page.push_str(PATTERNS);
    page.push_str("<main>\n");
    page.push_str(&head(outcome));
    for (number, figure) in figures.iter().enumerate() {
        page.push_str(&section(figure, number));
    }
    page.push_str(&checks(outcome));
    page.push_str(&checked::section(outcome));
    page.push_str(&steps(outcome));
    page.push_str("</main>\n</body>\n</html>\n");
    page
}

fn head(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let late = summary.destroyed.late;
    let (verb, copies) = if late == 1 { ("was", "copy") } else { ("were", "copies") };
    let refused = match summary.refused_at_the_door {
        0 => String::new(),
        number => format!(
            " {} of an API with zero retention {} refused at the door.",
            count(number, "conversation", "conversations"),
            if number == 1 { "was" } else { "were" }
        ),
    };
    format!(
        "<header>\n<h1>Five years of a policy change</h1>\n\
         <p class=\"number\"><strong>{}</strong> {copies} {verb} destroyed after the deadline, of {} that were destroyed.</p>\n\
         <p>A provider changes its terms in August 2025 and asks people whether it may train on what they say. \
         {} with {} and {} live through it on simulated time, until {}.{refused} The people are made up; the terms, the \
         export formats and everything that was done are real.</p>\n</header>\n",
        grouped(late),
        grouped(summary.destroyed.copies),
        count(summary.accounts, "account", "accounts"),
        count(summary.conversations, "conversation", "conversations"),
        count(summary.messages, "message", "messages"),
        long(summary.ends_at),
    )
}

fn section(figure: &Figure, number: usize) -> String {
    let mut out = String::new();
    let title = escape(&figure.title);
    let parts = [(Size::Wide, &figure.wide), (Size::Narrow, &figure.narrow)].into_iter().zip(figure.heights);
    put!(out, "<section aria-labelledby=\"f{number}\">\n<h2 id=\"f{number}\">{title}</h2>\n<figure>\n");
    for ((size, drawing), height) in parts {
        let frame = Frame::new(size, 0);
        put!(
            out,
            "<svg class=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">\n{drawing}</svg>\n",
            size.class(),
            frame.width,
            height.unwrap_or(frame.height),
            escape(&figure.about),
        );
    }
    put!(out, "<figcaption>{}</figcaption>\n</figure>\n", escape(&figure.caption));
    put!(
        out,
        "<details>\n<summary>The numbers</summary>\n{}</details>\n</section>\n",
        table(&figure.numbers, &figure.title)
    );
    out
}

fn table(numbers: &Numbers, caption: &str) -> String {
    let mut out = format!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Numbers: {0}\">\n<table>\n<caption>{0}</caption>\n<thead><tr>",
        escape(caption)
    );
    for heading in &numbers.heading {
        put!(out, "<th scope=\"col\">{}</th>", escape(heading));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in &numbers.rows {
        out.push_str("<tr>");
        for (place, cell) in row.iter().enumerate() {
            let cell = escape(cell);
            if place == 0 {
                put!(out, "<th scope=\"row\">{cell}</th>");
            } else {
                put!(out, "<td>{cell}</td>");
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    out
}

/// What the demonstration checked, and what it found.
fn checks(outcome: &Outcome) -> String {
    let summary = &outcome.summary;
    let mut out = String::from("<section aria-labelledby=\"checks\">\n");
    if summary.is_sound() {
        out.push_str("<h2 id=\"checks\">Everything claimed here was checked, and is so</h2>\n<ul>\n");
        for claim in [
            "Each copy that is left has a term, a hold or a grace that keeps it, at every month's end.",
            "Each copy that is gone went before its deadline, and only where the next sweep would have been too late.",
            "Nothing that the order covered was destroyed while it was in force.",
            "Copies made are copies left and copies destroyed, class by class.",
            "No run holds a row of anyone who had said no, said nothing, or withdrawn; none of a minor, of work, of an incognito chat, or of what was flagged, deleted or idle since the yes.",
            "Every account opened or closed, every notice, answer, deletion, thumb and flag is in the log when it was, every run and every copy that was destroyed too, and the log holds nothing else.",
            "Every receipt verifies with the log's public keys alone. The two below prove nothing once a character is changed, which was tried in each of their lines.",
        ] {
            put!(out, "<li>{claim}</li>\n");
        }
        out.push_str("</ul>\n");
    } else {
        out.push_str("<h2 id=\"checks\">Not everything is as claimed</h2>\n<ul>\n");
        for finding in &summary.findings {
            put!(out, "<li>{}</li>\n", escape(finding));
        }
        out.push_str("</ul>\n");
    }
    let rows = summary.copies.iter().map(|line| {
        let numbers = [line.made, line.destroyed, line.late, line.left].map(grouped);
        std::iter::once(line.class.clone()).chain(numbers).collect()
    });
    let numbers = Numbers {
        heading: vec!["Class", "Made", "Destroyed", "Of those late", "Left"],
        rows: rows.collect(),
    };
    out.push_str(&table(&numbers, "Copies by class, over the whole story"));
    out.push_str("</section>\n");
    out
}

/// Everything that happened, in order.
fn steps(outcome: &Outcome) -> String {
    let rows = outcome.log.steps.iter().map(|(at, text)| vec![long(*at), text.clone()]).collect();
    let numbers = Numbers { heading: vec!["Date", "What happened"], rows };
    format!(
        "<section aria-labelledby=\"steps\">\n<h2 id=\"steps\">What happened, in order</h2>\n<details>\n\
         <summary>{}</summary>\n<div class=\"told\">\n{}</div>\n</details>\n</section>\n",
        count(outcome.log.steps.len() as u64, "step", "steps"),
        table(&numbers, "What happened, in order"),
    )
}
