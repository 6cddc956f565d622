//! What ten million copies change: nothing for a sweep that finds a thousand due ones, nothing for publishing a
//! version, and an ordinary day's expiry destroys whole pages.
//!
//! `cargo bench -p tenure-benches --bench copies`; `COPIES=10000000` makes the large store as large as the goal
//! says, which takes some minutes and six gigabytes.

use std::path::Path;
use std::time::Instant as Clock;

use tenure_app::{SweepOptions, Swept, Tenure};
use tenure_benches::{Outcome, account, conversation, grouped, import, median, number, say, tenure};
use tenure_model::{Day, Instant, MonthLength, Span};
use tenure_policy::FiledUnder;
use tenure_store::{
    ConversationId, ConversationRow, CopyKey, CopyRow, CopyState, Filing, PageId, RecordId, RecordRow, Shelf,
    Store, StoreError, StoreExt as _, Tx, Wrap,
};

/// What falls due on each day: four whole pages.
const DUE: u64 = 1_024;
/// The most wraps of a page.
const PAGE: u64 = 256;
/// How many ordinary days are measured, and how many on which a version was published.
const DAYS: u32 = 3;
/// The day on which the first due copies were last active; they go 30 days later.
const FIRST: u32 = 75;
/// How many rows are added in one transaction.
const BULK: u64 = 20_000;

const POLICY: &str = r#"
policy    = "bench"
version   = "v1"
title     = "Bench"
announced = 2024-01-01T00:00:00Z
effective = 2024-01-01T00:00:00Z
grace     = "30 days"
bodies    = ["content"]

[surfaces]
pro = { regime = "consumer" }

[[keep]]
class = "content"
for   = "30 days"
from  = "last_activity"
why   = "Stored"

[[keep]]
class = "content"
when  = { closed = true }
for   = "20 years"
from  = "closed"
why   = "Another anchor"
"#;

/// How much expires on a day of many people, and how many they are.
const CROWDED: u64 = 20_480;
const PEOPLE: u64 = 200;

fn main() -> Outcome {
    crowded_day()?;
    let large = std::env::var("COPIES").ok().and_then(|copies| copies.parse().ok()).unwrap_or(1_000_000);
    let folder = std::env::var_os("BENCH_DIR").unwrap_or_else(|| std::env::temp_dir().into());
    let small = measure(10_000, folder.as_ref())?;
    let big = measure(large, folder.as_ref())?;
    for (name, small, big) in [
        ("a sweep on an ordinary day", small.ordinary, big.ordinary),
        ("publishing a version", small.publishing, big.publishing),
        ("the first sweep after it", small.published, big.published),
    ] {
        say(format_args!(
            "{name}: {:.1} ms among {} copies, {:.1} ms among 10,000: {:.2} times as long (goal: at most 2)",
            big * 1e3,
            grouped(large),
            small * 1e3,
            big / small
        ))?;
    }
    Ok(())
}

/// A day on which copies of many people expire, more than one batch has, on pages that all of them share.
fn crowded_day() -> Outcome {
    let folder = tempfile::tempdir()?;
    let (tenure, _store) = tenure(folder.path(), POLICY, day(0)?)?;
    let at = day(1)?;
    let due = (0..CROWDED).map(|id| conversation(&format!("person-{}", id % PEOPLE), id, at, 1, 40));
    import(&tenure, due, at)?;
    let begun = Clock::now();
    let now = day(31)?;
    let swept = tenure.sweep(now, SweepOptions::everything(now), &mut |_| {})?;
    say(format_args!(
        "a day on which {} copies of {PEOPLE} people expire: {} destroyed with {} pages, {} wrapped anew (goal: {} pages, \
         0 wrapped anew), {} a second",
        grouped(CROWDED),
        grouped(swept.total()),
        swept.pages,
        grouped(swept.rewrapped),
        CROWDED / PAGE,
        grouped(format_args!(
            "{:.0}",
            number(usize::try_from(swept.total())?) / begun.elapsed().as_secs_f64()
        ))
    ))
}

/// Medians, in seconds.
struct Times {
    ordinary: f64,
    publishing: f64,
    published: f64,
}

fn day(number: u32) -> Outcome<Instant> {
    let start: Instant = "2025-01-01T00:00:00Z".parse()?;
    Ok(start.plus(Span::days(number), MonthLength::Calendar))
}

fn measure(copies: u64, place: &Path) -> Outcome<Times> {
    let folder = tempfile::tempdir_in(place)?;
    let (tenure, store) = tenure(folder.path(), POLICY, day(0)?)?;
    for id in ["crowd", "due"] {
        account(&tenure, id, day(0)?)?;
    }
    let end = FIRST + 2 * DAYS;
    for number in FIRST..end {
        let at = day(number)?;
        let due = (0..DUE).map(|id| conversation("due", u64::from(number) * DUE + id, at, 1, 40));
        import(&tenure, due, day(end)?)?;
    }
    let begun = Clock::now();
    Crowd::of(&tenure, &*store, day(end + 15)?)?.fill(&*store, copies - u64::from(2 * DAYS) * DUE)?;
    // What making them left in the engine's log is not a sweep's to clear.
    store.scrub()?;
    say(format_args!("{} copies: made in {:.0} s", grouped(copies), begun.elapsed().as_secs_f64()))?;
    let (mut ordinary, mut publishing, mut published) = (Vec::new(), Vec::new(), Vec::new());
    for number in FIRST..FIRST + DAYS {
        ordinary.push(expire(&tenure, day(number + 30)?)?);
    }
    for number in FIRST + DAYS..end {
        let now = day(number + 30)?;
        let begun = Clock::now();
        tenure.publish(&[("next.toml".to_owned(), next(number, now))], now)?;
        publishing.push(begun.elapsed().as_secs_f64());
        published.push(expire(&tenure, now)?);
    }
    Ok(Times { ordinary: median(ordinary), publishing: median(publishing), published: median(published) })
}

/// The same terms but for what no copy here depends on.
fn next(number: u32, now: Instant) -> String {
    let date = now.to_string();
    POLICY
        .replace("\"v1\"", &format!("\"v{number}\""))
        .replace("2024-01-01T00:00:00Z", &date)
        .replace("20 years", &format!("{} years", FIRST + DAYS + 19 - number))
}

/// Sweeps what falls due on a day, and looks that it went in whole pages.
fn expire(tenure: &Tenure, now: Instant) -> Outcome<f64> {
    let begun = Clock::now();
    let swept = tenure.sweep(now, SweepOptions::everything(now), &mut |_| {})?;
    let elapsed = begun.elapsed().as_secs_f64();
    let Swept { pages, rewrapped, examined, .. } = swept;
    let total = swept.total();
    if total != DUE || pages != DUE / PAGE || rewrapped != 0 {
        return Err(format!(
            "{DUE} copies on {} pages should have gone, not {total} on {pages}, with {rewrapped} keys wrapped anew",
            DUE / PAGE
        )
        .into());
    }
    say(format_args!(
        "    {total} of {examined} that were looked at destroyed, {pages} whole pages, nothing wrapped anew: {:.1} ms",
        elapsed * 1e3
    ))?;
    Ok(elapsed)
}

/// Rows of an account whose copies are not due: two thirds are fresh, a third is held past its term.
struct Crowd {
    conversation: ConversationRow,
    record: RecordRow,
    copy: CopyRow,
    sealed: Vec<u8>,
}

impl Crowd {
    /// Takes one conversation in, so that the others can be made like it.
    fn of(tenure: &Tenure, store: &dyn Store, fresh: Instant) -> Outcome<Self> {
        import(tenure, std::iter::once(conversation("crowd", u64::MAX, fresh, 1, 40)), fresh)?;
        let key = tenure.account("crowd")?.key;
        Ok(store.read(|tx| {
            const MISSING: StoreError = StoreError::Missing { table: "copies" };
            let conversation = tx.conversations_of(key, None, 1)?.into_iter().next().ok_or(MISSING)?;
            let record = tx.records_of(key, None, 1)?.into_iter().next().ok_or(MISSING)?;
            let copy = tx.copies_of(key, None, 1)?.into_iter().next().ok_or(MISSING)?;
            let sealed = copy.state.wrap().ok_or(MISSING)?.sealed.clone();
            Ok::<_, StoreError>(Self { conversation, record, copy, sealed })
        })?)
    }

    fn fill(self, store: &dyn Store, copies: u64) -> Outcome {
        let crowd = std::sync::Arc::new(self);
        let mut made = 0;
        while made < copies {
            let (count, crowd) = (BULK.min(copies - made), std::sync::Arc::clone(&crowd));
            store.write(move |tx| crowd.bulk(tx, made, count))?;
            made += count;
        }
        Ok(())
    }

    fn bulk(&self, tx: &mut dyn Tx, first: u64, count: u64) -> Result<(), StoreError> {
        let conversation = ConversationId(id(*b"talk", first));
        let mut recognised = [1; 32];
        recognised.iter_mut().zip(first.to_be_bytes()).for_each(|(to, from)| *to = from);
        tx.insert_conversation(&ConversationRow {
            id: conversation,
            recognised,
            ..self.conversation.clone()
        })?;
        let shelf = Shelf { tree: "ordinary".to_owned(), class: Some(self.copy.key.class), day: None };
        let mut pages = 0;
        let slots = tx.take_slots(&shelf, u32::try_from(count).unwrap_or_default(), &mut || {
            pages += 1;
            PageId(id(*b"page", first + pages))
        })?;
        let mut slots = slots.iter().flat_map(|slots| (0..slots.count).map(|_| slots.page));
        for number in first..first + count {
            let record = RecordId(id(*b"said", number));
            let ordinal = u32::try_from(number - first).unwrap_or_default();
            tx.insert_record(&RecordRow {
                id: record,
                conversation,
                ordinal,
                messages: 0,
                segments: 0,
                ..self.record.clone()
            })?;
            let page = slots.next().ok_or(StoreError::Missing { table: "pages" })?;
            tx.insert_copy(&CopyRow {
                key: CopyKey { record, ..self.copy.key },
                filing: self.filing(number),
                state: CopyState::Live { wrap: Some(Wrap { page, sealed: self.sealed.clone() }) },
                ..self.copy.clone()
            })?;
        }
        Ok(())
    }

    fn filing(&self, number: u64) -> Filing {
        let days = i32::try_from(number / 3 % 30).unwrap_or_default();
        match number % 3 {
            0 => Filing { anchor: FiledUnder::HELD.number(), day: Day(0), ..self.copy.filing },
            _ => Filing { day: Day(self.copy.filing.day.0 + days), ..self.copy.filing },
        }
    }
}

/// An id in the order in which rows are made, as that is quickest.
fn id(kind: [u8; 4], number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id.iter_mut().zip(number.to_be_bytes().into_iter().chain(kind)).for_each(|(to, from)| *to = from);
    id
}
