//! A little drawing: axes, steps, bands and bars, in whole pixels.

use tenure_model::Instant;

use crate::dates::grouped;

/// Pixels from the left and from the top.
pub(crate) type Point = (i64, i64);

/// How large a chart is drawn; each is drawn once for wide windows and once for phones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Wide,
    Narrow,
}

impl Size {
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Wide => "wide",
            Self::Narrow => "narrow",
        }
    }

    pub(crate) const fn is_wide(self) -> bool {
        matches!(self, Self::Wide)
    }
}

/// Where the axes lie.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: i64,
    pub(crate) height: i64,
    pub(crate) left: i64,
    pub(crate) right: i64,
    pub(crate) top: i64,
    pub(crate) bottom: i64,
}

impl Frame {
    /// The usual frame, with room at the right for labels of lines.
    pub(crate) const fn new(size: Size, labels: i64) -> Self {
        match size {
            Size::Wide => {
                Self { width: 704, height: 340, left: 52, right: 704 - labels, top: 44, bottom: 304 }
            }
            Size::Narrow => {
                Self { width: 288, height: 300, left: 46, right: 288 - labels, top: 58, bottom: 264 }
            }
        }
    }
}

/// A line of numbers laid along pixels.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    from: i64,
    to: i64,
    start: i64,
    end: i64,
}

impl Axis {
    pub(crate) const fn time(frame: Frame, from: Instant, to: Instant) -> Self {
        Self { from: from.micros(), to: to.micros(), start: frame.left, end: frame.right }
    }

    /// From zero up to a round number that holds the largest.
    pub(crate) fn amount(frame: Frame, largest: u64) -> (Self, Vec<u64>) {
        let step = step(largest);
        let ticks: Vec<u64> = (0..=largest.div_ceil(step)).map(|number| number * step).collect();
        let top = ticks.last().copied().unwrap_or(1);
        (Self { from: 0, to: signed(top), start: frame.bottom, end: frame.top }, ticks)
    }

    pub(crate) fn place(self, value: i64) -> i64 {
        let span = i128::from(self.to - self.from).max(1);
        let along = i128::from(value - self.from) * i128::from(self.end - self.start) / span;
        self.start + i64::try_from(along).unwrap_or(0)
    }

    pub(crate) fn count(self, value: u64) -> i64 {
        self.place(signed(value))
    }

    pub(crate) fn at(self, at: Instant) -> i64 {
        self.place(at.micros().clamp(self.from, self.to))
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// One, two or five times a power of ten, so that there are at most five steps.
fn step(largest: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [unit, unit * 2, unit * 5] {
            if largest.div_ceil(step) <= 5 {
                return step;
            }
        }
        unit *= 10;
    }
}

/// A text that is safe inside an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// What is drawn so far.
#[derive(Debug, Default)]
pub(crate) struct Canvas(String);

impl Canvas {
    pub(crate) fn into_text(self) -> String {
        self.0
    }

    fn put(&mut self, text: std::fmt::Arguments<'_>) {
        put!(self.0, "{text}\n");
    }

    pub(crate) fn text(&mut self, (x, y): Point, anchor: &str, text: &str) {
        self.put(format_args!(r#"<text x="{x}" y="{y}" text-anchor="{anchor}">{}</text>"#, escape(text)));
    }

    pub(crate) fn line(&mut self, class: &str, (x1, y1): Point, (x2, y2): Point) {
        self.put(format_args!(r#"<line class="{class}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>"#));
    }

    pub(crate) fn bar(&mut self, class: &str, (x, y): Point, (width, height): Point) {
        self.put(format_args!(
            r#"<rect class="{class}" x="{x}" y="{y}" width="{}" height="{}"/>"#,
            width.max(0),
            height.max(0)
        ));
    }

    /// A line that keeps its height until the next point.
    pub(crate) fn steps(&mut self, class: &str, points: &[Point]) {
        self.put(format_args!(r#"<path class="{class}" d="{}"/>"#, stepped(points)));
    }

    /// The area between two such lines, which must have their points at the same places.
    pub(crate) fn band(&mut self, class: &str, upper: &[Point], lower: &[Point]) {
        let mut run: Vec<(Point, Point)> = Vec::new();
        for (up, low) in upper.iter().copied().zip(lower.iter().copied()) {
            // A band without height ends where its last height did, so that it leaves no outline.
            if up.1 == low.1 {
                if let Some((last_up, last_low)) = run.last().copied() {
                    run.push(((up.0, last_up.1), (low.0, last_low.1)));
                    self.closed(class, &std::mem::take(&mut run));
                }
            } else {
                run.push((up, low));
            }
        }
        self.closed(class, &run);
    }

    fn closed(&mut self, class: &str, run: &[(Point, Point)]) {
        if run.is_empty() {
            return;
        }
        let upper: Vec<_> = run.iter().map(|(up, _)| *up).collect();
        let mut path = stepped(&upper);
        let mut before: Option<i64> = None;
        let mut back = Vec::with_capacity(run.len() * 2);
        for (_, (x, y)) in run {
            back.extend(before.map(|before| (*x, before)));
            back.push((*x, *y));
            before = Some(*y);
        }
        for (x, y) in back.into_iter().rev() {
            put!(path, "L{x} {y}");
        }
        self.put(format_args!(r#"<path class="{class}" d="{path}Z"/>"#));
    }

    /// The amounts at the left, with lines across.
    pub(crate) fn amounts(&mut self, frame: Frame, axis: Axis, ticks: &[u64], unit: &str) {
        for tick in ticks {
            let y = axis.count(*tick);
            self.line(if *tick == 0 { "zero" } else { "grid" }, (frame.left, y), (frame.right, y));
            self.text((frame.left - 8, y + 4), "end", &grouped(*tick));
        }
        self.text((0, 14), "start", unit);
    }

    /// A mark and a word on the time axis.
    pub(crate) fn moment(&mut self, frame: Frame, x: i64, word: &str) {
        self.line("zero", (x, frame.bottom), (x, frame.bottom + 5));
        self.text((x, frame.bottom + 22), "middle", word);
    }

    /// A deadline, drawn as a line, with what it is above it.
    pub(crate) fn deadline(&mut self, frame: Frame, x: i64, beside: (&str, i64), text: &str) {
        self.upright("deadline", (frame, x), beside, text);
    }

    /// Another instant that matters, with a finer line.
    pub(crate) fn instant(&mut self, frame: Frame, x: i64, beside: (&str, i64), text: &str) {
        self.upright("instant", (frame, x), beside, text);
    }

    fn upright(&mut self, class: &str, (frame, x): (Frame, i64), (anchor, row): (&str, i64), text: &str) {
        let y = frame.top - 6 - 16 * row;
        self.line(class, (x, y + 3), (x, frame.bottom));
        let beside = match anchor {
            "start" => x - 2,
            "end" => x + 2,
            _ => x,
        };
        self.text((beside, y), anchor, text);
    }
}

fn stepped(points: &[Point]) -> String {
    let mut path = String::new();
    for (place, (x, y)) in points.iter().enumerate() {
        if place == 0 {
            put!(path, "M{x} {y}");
        } else {
            put!(path, "H{x}V{y}");
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_go_from_zero_to_a_round_number() {
        let (_, ticks) = Axis::amount(Frame::new(Size::Wide, 0), 901);
        assert_eq!(ticks, [0, 200, 400, 600, 800, 1000]);
        let (axis, ticks) = Axis::amount(Frame::new(Size::Wide, 0), 0);
        assert_eq!((ticks, axis.count(0)), (vec![0], 304));
    }

    #[test]
    fn steps_keep_their_height_and_bands_close() {
        assert_eq!(stepped(&[(0, 9), (5, 4)]), "M0 9H5V4");
        let mut canvas = Canvas::default();
        canvas.band("b", &[(0, 1), (5, 2)], &[(0, 9), (5, 8)]);
        assert_eq!(canvas.into_text(), "<path class=\"b\" d=\"M0 1H5V2L5 8L5 9L0 9Z\"/>\n");
    }

    #[test]
    fn texts_are_safe_inside_a_page() {
        assert_eq!(escape(r#"<a b="&">"#), "&lt;a b=&quot;&amp;&quot;&gt;");
    }
}
