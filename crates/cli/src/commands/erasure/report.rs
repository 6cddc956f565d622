//! The report on erasure, for the terminal.

use comfy_table::CellAlignment;
use tenure_app::reports::{AgeingOut, Bar, ErasureReport, Overdue, Rests, TimingRow};
use tenure_model::Instant;

use crate::output::{heading, paint, printable, say, say_at, table};
use crate::speech::{and, date, dated, grouped, some};

/// The colours of what is late and of what is in time. The words beside them say the same.
const LATE: &str = "1;31";
const GOOD: &str = "1;32";
/// How many characters the longest bar has.
const BAR: u64 = 32;
/// Where what a line says begins.
const INDENT: usize = 13;

/// Shows a report; `allowed` is the time for erasure in seconds.
pub(super) fn show(report: &ErasureReport, allowed: u64) -> anyhow::Result<()> {
    let last = Instant::saturating_from_micros(report.to.micros().saturating_sub(1));
    say(format_args!("Erasure from {} to {}\n", day(report.from), day(last)))?;
    finding(report)?;
    stopped(report)?;
    overdue(&report.overdue, report.at)?;
    took(report, allowed)?;
    stands(report)?;
    ageing(&report.ageing_out, report.at)
}

/// What the report comes to.
fn finding(report: &ErasureReport) -> anyhow::Result<()> {
    let late_ones = report.verified.late;
    let was = match (report.verified.copies, late_ones) {
        (0, _) => "nothing was verified absent in this time".to_owned(),
        (_, 0) => "nothing was destroyed late".to_owned(),
        (copies, late) => format!("{} of {} were destroyed late", grouped(late), some(copies, "copy")),
    };
    let overdue = report.overdue.copies;
    let is = match overdue {
        0 => "Nothing is overdue".to_owned(),
        1 => "1 copy is overdue".to_owned(),
        _ => format!("{} are overdue", some(overdue, "copy")),
    };
    let colour = if overdue + late_ones == 0 { GOOD } else { LATE };
    say(paint(colour, &format!("{is}, and {was}.")))
}

fn stopped(report: &ErasureReport) -> anyhow::Result<()> {
    if let Some(pause) = &report.paused {
        let since = dated(pause.since, report.at);
        say_at(0, format_args!("Destruction is paused since {since}: {}", printable(&pause.why)))?;
    }
    if report.observes {
        say("Tenure only observes here: nothing is destroyed.")?;
    }
    Ok(())
}

fn overdue(overdue: &Overdue, now: Instant) -> anyhow::Result<()> {
    let Some(oldest) = &overdue.oldest else { return Ok(()) };
    say(format_args!("\n{}", heading("Overdue")))?;
    say(paint(LATE, &format!("  the oldest: `{}` of record {}", oldest.class, oldest.record)))?;
    say_at(
        2,
        format_args!(
            "due since {}, to be verified absent by {}; it is {}",
            dated(oldest.due_at, now),
            dated(oldest.deadline, now),
            stage(oldest.stage)
        ),
    )?;
    let mut rows = table(["Class", "Surface", "How far", "Copies"]);
    right(&mut rows, &[3]);
    for row in &overdue.kinds {
        rows.add_row([
            row.class.clone(),
            row.surface.clone(),
            stage(row.stage).to_owned(),
            grouped(row.copies),
        ]);
    }
    say(rows)
}

fn stage(word: &str) -> &'static str {
    match word {
        "live" => "not taken up by a sweep",
        "sealed" | "shredding" => "sealed, its key not destroyed",
        "shredded" => "unreadable, its bytes not removed",
        _ => "removed, not verified",
    }
}

/// How long it took, as a sentence, a table and a chart.
fn took(report: &ErasureReport, allowed: u64) -> anyhow::Result<()> {
    let timing = report.verified;
    if timing.copies == 0 {
        return Ok(());
    }
    say(format_args!("\n{}", heading("From when it was due until it was verified absent")))?;
    say_at(
        2,
        format_args!(
            "{}: half {}, 99 of 100 {}, all {}. Allowed: {}.",
            some(timing.copies, "copy"),
            within(timing.p50),
            within(timing.p99),
            within(timing.worst),
            report.within
        ),
    )?;
    say("")?;
    say(kinds(&report.kinds))?;
    say("")?;
    chart(&report.histogram, &report.within, allowed)
}

fn kinds(kinds: &[TimingRow]) -> comfy_table::Table {
    let mut rows = table(["Class", "Surface", "On time", "Late", "p50", "p99", "Worst"]);
    right(&mut rows, &[2, 3, 4, 5, 6]);
    for row in kinds {
        let timing = row.timing;
        rows.add_row([
            row.class.clone(),
            row.surface.clone(),
            grouped(timing.on_time),
            grouped(timing.late),
            length(timing.p50),
            length(timing.p99),
            length(timing.worst),
        ]);
    }
    rows
}

/// The bars from the first to the last that has copies, with the deadline drawn between them.
fn chart(bars: &[Bar], allowed_in_words: &str, allowed: u64) -> anyhow::Result<()> {
    let most = bars.iter().map(|bar| bar.on_time + bar.late).max().unwrap_or(0).max(1);
    let last = bars.iter().rposition(|bar| bar.on_time + bar.late > 0).unwrap_or(0);
    let (mut before, mut drawn) = (0, false);
    for bar in bars.iter().take(last + 1) {
        if !drawn && before >= allowed {
            say(format_args!("  {}  {allowed_in_words}: the time allowed", "-".repeat(12)))?;
            drawn = true;
        }
        say(format_args!("  {:<12}  {}", label(*bar, before), strip(*bar, most)))?;
        before = bar.up_to.unwrap_or(u64::MAX);
    }
    Ok(())
}

fn label(bar: Bar, before: u64) -> String {
    match bar.up_to {
        Some(0) => "before due".to_owned(),
        Some(end) => format!("to {}", length(end)),
        None => format!("over {}", length(before)),
    }
}

/// A bar: what was in time, then what was late, then both in numbers.
fn strip(bar: Bar, most: u64) -> String {
    // Something is never shown as nothing.
    let long = |count: u64| if count == 0 { 0 } else { (count.saturating_mul(BAR) / most).max(1) };
    let draw = |mark: &str, count| mark.repeat(usize::try_from(long(count)).unwrap_or(0));
    let late = if bar.late == 0 { String::new() } else { format!(", {} late", grouped(bar.late)) };
    let numbers = format!(" {}{late}", grouped(bar.on_time + bar.late));
    let in_time = draw("█", bar.on_time);
    if bar.late == 0 {
        return format!("{in_time}{numbers}");
    }
    format!("{in_time}{}{numbers}", paint("31", &draw("▒", bar.late)))
}

/// How it stands now.
fn stands(report: &ErasureReport) -> anyhow::Result<()> {
    say(format_args!("\n{}", heading("Now")))?;
    let way = report.under_way;
    line(
        "On its way",
        &format!(
            "{} due and not taken up, {} sealed, {} unreadable, {} removed and not verified",
            grouped(way.due),
            grouped(way.sealed),
            grouped(way.shredded),
            grouped(way.removed)
        ),
    )?;
    line("Quarantine", &resting(&report.quarantine, "until"))?;
    if !report.released.is_empty() {
        line("Released", &resting(&report.released, "by a hold that was released"))?;
    }
    let held: Vec<String> =
        report.held.iter().map(|held| format!("{} of `{}`", some(held.copies, "copy"), held.class)).collect();
    line("Held", &if held.is_empty() { "nothing that only a hold keeps".to_owned() } else { and(&held) })?;
    if report.unfiled > 0 {
        let accounts = some(report.unfiled, "account");
        line("Not filed", &format!("{accounts}: the next sweep looks at them, so this may say too little"))?;
    }
    Ok(())
}

fn resting(rests: &[Rests], word: &str) -> String {
    let each = rests.iter().map(|rests| {
        let until = if rests.first == rests.last {
            date(rests.first)
        } else {
            format!("{} to {}", date(rests.first), date(rests.last))
        };
        format!("{} of `{}` {word} {until}", some(rests.copies, "copy"), rests.class)
    });
    let each: Vec<String> = each.collect();
    if each.is_empty() { "nothing".to_owned() } else { and(&each) }
}

fn ageing(ageing: &AgeingOut, now: Instant) -> anyhow::Result<()> {
    let mut label = "Ageing out";
    for backup in &ageing.backups {
        let until = backup
            .until
            .map_or("nobody has said until when".to_owned(), |end| format!("until {}", dated(end, now)));
        line(label, &format!("a backup taken {}, {until}; it holds no keys", date(backup.taken_at)))?;
        label = "";
    }
    for keys in &ageing.keys {
        let until = keys
            .until
            .map_or("`tenure keys rotate` ends that".to_owned(), |end| format!("until {}", dated(end, now)));
        line(label, &format!("{}; {until}", keys.what))?;
        label = "";
    }
    if label.is_empty() { Ok(()) } else { line(label, "nothing that Tenure knows of") }
}

/// A label and what is so, which hangs below itself.
fn line(label: &str, text: &str) -> anyhow::Result<()> {
    let wide = INDENT.saturating_sub(2);
    say(format_args!("  {label:<wide$}{}", crate::output::wrapped(text, INDENT, 80).trim_start()))
}

fn right(rows: &mut comfy_table::Table, columns: &[usize]) {
    for column in columns {
        if let Some(column) = rows.column_mut(*column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn day(at: Instant) -> String {
    date(at.day().start())
}

fn within(seconds: u64) -> String {
    if seconds == 0 { "by when it was due".to_owned() } else { format!("within {}", length(seconds)) }
}

/// A length of time, rounded up.
fn length(seconds: u64) -> String {
    const HOUR: u64 = 3_600;
    match seconds {
        0 => "0".to_owned(),
        1..HOUR => some(seconds.div_ceil(60), "minute"),
        HOUR..=172_799 => some(seconds.div_ceil(HOUR), "hour"),
        _ => some(seconds.div_ceil(24 * HOUR), "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_never_understated() {
        let lengths = [0, 1, 60, 61, 3_600, 3_601, 86_400, 172_800, 172_801].map(length);
        assert_eq!(
            lengths,
            ["0", "1 minute", "1 minute", "2 minutes", "1 hour", "2 hours", "24 hours", "2 days", "3 days"]
        );
    }

    #[test]
    fn a_bar_shows_something_wherever_there_is_something() {
        assert_eq!(strip(Bar { up_to: None, on_time: 1, late: 0 }, 1_000_000), "█ 1");
        assert_eq!(strip(Bar::default(), 5), " 0");
        assert_eq!(
            strip(Bar { up_to: None, on_time: 0, late: 4 }, 4),
            format!("{} 4, 4 late", "▒".repeat(32))
        );
    }
}
