//! What a sweep costs: 1,000 due copies among 10,000 and among 1,000,000.
//!
//! Goal: no more than twice the time, also where a third of the copies is past its first term but held
//! and a third is kept by another anchor, and also for the first sweep after a version is published.

use std::time::Instant as Clock;

use tenure_app::{Allowance, HoldScope, SweepOptions, Tenure};
use tenure_benches::{Outcome, account, conversation, import, peak_mebibytes, say, tenure};
use tenure_model::{Instant, MonthLength, Span};

/// Terms under which a third of what is past 30 days stays for feedback, and a third under a hold.
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
for   = "10 years"
from  = "closed"
why   = "Another anchor"
"#;

fn main() -> Outcome {
    let mut times = Vec::new();
    for copies in [10_000, 1_000_000] {
        times.push(measure(copies)?);
    }
    let [small, large] = times.as_slice() else { return Err("two sizes are measured".into()) };
    for (name, small, large) in [
        ("an ordinary day", small.ordinary, large.ordinary),
        ("the day after a version was published", small.published, large.published),
    ] {
        say(format_args!(
            "sweep, {name}: 1,000 due among 1,000,000 takes {:.2} times as long as among 10,000 (goal: at most 2)",
            large / small
        ))?;
    }
    Ok(())
}

struct Times {
    ordinary: f64,
    published: f64,
}

/// Two days on which 1,000 copies fall due. All others are fresh, held past their term, or kept by another
/// anchor past their term, in equal parts.
fn measure(copies: u64) -> Outcome<Times> {
    let folder = tempfile::tempdir()?;
    let day = |days: u32| {
        "2025-01-01T00:00:00Z"
            .parse::<Instant>()
            .map(|start| start.plus(Span::days(days), MonthLength::Calendar))
    };
    let (tenure, _store) = tenure(folder.path(), POLICY, day(0)?)?;
    for id in ["fresh", "held", "closed", "due"] {
        account(&tenure, id, day(0)?)?;
    }
    let third = (copies - 2_000) / 3;
    let old = day(10)?;
    let fresh = day(100)?;
    let in_turn = (0..third)
        .flat_map(|id| [("held", id * 3, old), ("closed", id * 3 + 1, old), ("fresh", id * 3 + 2, fresh)]);
    import(&tenure, in_turn.map(|(account, id, at)| conversation(account, id, at, 1, 40)), day(100)?)?;
    let due = (0..2_000).map(|id| {
        conversation("due", copies + id, if id < 1_000 { day(75) } else { day(76) }.unwrap_or(old), 1, 40)
    });
    import(&tenure, due, day(100)?)?;
    let scope = HoldScope {
        classes: vec!["content".to_owned()],
        accounts: Some(vec!["held".to_owned()]),
        ..HoldScope::default()
    };
    tenure.place_hold("order", scope, true, day(30)?)?;
    close(&tenure, "closed", day(30)?)?;
    // The first sweep files what is past its term under what keeps it.
    let settle = Clock::now();
    let settled = tenure.sweep(day(101)?, options(day(101)?), &mut |_| {})?;
    say(format_args!(
        "{copies} copies: settled in {:.1} s ({} looked at, {} held, {} destroyed); peak memory {} MiB",
        settle.elapsed().as_secs_f64(),
        settled.examined,
        settled.held,
        settled.total(),
        peak_mebibytes()
    ))?;
    let ordinary = timed(&tenure, day(105)?)?;
    let narrower =
        POLICY.replace("\"v1\"", "\"v2\"").replace("2024-01-01", "2025-04-16").replace("10 years", "9 years");
    // Its bounds on what a version may take are not what is measured.
    tenure.publish_allowing(&[("v2.toml".to_owned(), narrower)], Allowance::Anything, day(105)?)?;
    let published = timed(&tenure, day(106)?)?;
    Ok(Times { ordinary, published })
}

const fn options(by: Instant) -> SweepOptions {
    SweepOptions::everything(by)
}

fn close(tenure: &Tenure, account: &str, at: Instant) -> Outcome {
    let facts = tenure_app::AccountFacts { closed_at: Some(at), ..tenure_app::AccountFacts::default() };
    tenure.set_account(account, facts, at)?;
    Ok(())
}

fn timed(tenure: &Tenure, now: Instant) -> Outcome<f64> {
    let clock = Clock::now();
    let swept = tenure.sweep(now, options(now), &mut |_| {})?;
    let elapsed = clock.elapsed().as_secs_f64();
    say(format_args!(
        "  sweep: {} examined, {} destroyed, {} rewrapped, {:.1} ms",
        swept.examined,
        swept.total(),
        swept.rewrapped,
        elapsed * 1e3
    ))?;
    if swept.total() != 1_000 {
        return Err(format!("1,000 copies should have been due, not {}", swept.total()).into());
    }
    Ok(elapsed)
}
