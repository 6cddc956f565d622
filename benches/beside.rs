//! A sweep beside a load of ingestion and decisions at half of what the machine can do.
//!
//! `cargo bench -p tenure-benches --bench beside`; `SECONDS=5` makes each part shorter, `ROUNDS=1` takes fewer.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant as Clock};

use tenure_app::{SweepOptions, Tenure};
use tenure_benches::{
    Outcome, account, conversation, grouped, import, journalled, median, number, percentile, say,
};
use tenure_model::{Choice, Instant, MonthLength, Span};

/// How many copies are to be destroyed in a second.
const RATE: u32 = 2_400;
/// The least that the goal asks for.
const GOAL: f64 = 2_000.0;
const CALLERS: usize = 48;
/// So many people that nobody decides more than once in some seconds.
const ACCOUNTS: u64 = 100_000;
/// One in so many requests brings conversations, the others decide.
const DECISIONS: u64 = 2;
/// How many conversations such a request brings.
const CONVERSATIONS: u64 = 1;

/// Terms of 30 days, and a purpose to decide about.
const POLICY: &str = r#"
policy    = "bench"
version   = "v1"
title     = "Bench"
announced = 2024-01-01T00:00:00Z
effective = 2024-01-01T00:00:00Z
decide_by = 2024-01-01T00:00:00Z
undecided = "remind"
grace     = "30 days"
bodies    = ["content"]

[surfaces]
pro = { regime = "consumer" }

[purposes.train]
title   = "Train and improve models"
ground  = "consent"
regimes = ["consumer"]

[[keep]]
class = "content"
for   = "30 days"
from  = "last_activity"
why   = "Stored"
"#;

fn main() -> Outcome {
    let seconds = setting("SECONDS", 15);
    let rounds = setting("ROUNDS", 3);
    let folder = tempfile::tempdir()?;
    let start: Instant = "2025-01-01T00:00:00Z".parse()?;
    let now = start.plus(Span::days(40), MonthLength::Calendar);
    let (tenure, _store) = journalled(folder.path(), POLICY, start)?;
    let load = Load { tenure: &tenure, now, next: AtomicU64::new(0) };
    open_accounts(&tenure, start)?;
    let due = u64::from(RATE) * u64::from(seconds) * u64::from(rounds) + 1_000;
    let old = (0..due).map(|id| conversation(&format!("old-{}", id % 500), id, start, 1, 400));
    import(&tenure, old, start)?;
    let most = load.at_once(Duration::from_secs(5))?;
    let rate = most / 2.0;
    say(format_args!(
        "{CALLERS} callers, one request in {DECISIONS} brings {CONVERSATIONS} conversations: {} a second at most; the \
         load is {}",
        grouped(format_args!("{most:.0}")),
        grouped(format_args!("{rate:.0}")),
    ))?;
    let (mut times, mut rates, mut destroyed) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let alone = load.arriving(rate, Duration::from_secs(seconds.into()), || Ok(()))?;
        say(format_args!("    alone           {alone}"))?;
        let limit = usize::try_from(u64::from(RATE) * u64::from(seconds))?;
        let mut swept = 0.0;
        let beside = load.arriving(rate, Duration::ZERO, || {
            swept = sweep(&tenure, now, limit)?;
            Ok(())
        })?;
        say(format_args!(
            "    beside a sweep  {beside}   {} copies destroyed a second",
            grouped(format_args!("{swept:.0}"))
        ))?;
        times.push(beside.p99 / alone.p99);
        rates.push(beside.rate / alone.rate);
        destroyed.push(swept);
    }
    let (times, rates, destroyed) = (median(times), median(rates), median(destroyed));
    say(format_args!("copies destroyed a second: {destroyed:.0}, {:.2} of the goal", destroyed / GOAL))?;
    say(format_args!("p99 beside a sweep: {times:.2} times that without (goal: at most 1.20)"))?;
    say(format_args!("throughput beside a sweep: {rates:.3} of that without (goal: at least 0.96)"))
}

fn setting(name: &str, otherwise: u32) -> u32 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(otherwise)
}

/// Opens the accounts of the load, from as many callers at once.
fn open_accounts(tenure: &Tenure, at: Instant) -> Outcome {
    let next = AtomicU64::new(0);
    thread::scope(|scope| {
        let caller = || {
            loop {
                let id = next.fetch_add(1, Ordering::Relaxed);
                if id >= ACCOUNTS {
                    return Ok(());
                }
                account(tenure, &name(id), at).map_err(|error| error.to_string())?;
            }
        };
        let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
        Ok(callers.into_iter().try_for_each(joined)?)
    })
}

fn name(id: u64) -> String {
    format!("account-{}", id % ACCOUNTS)
}

/// Destroys so many copies, no faster than the rate, and says how many a second it were.
fn sweep(tenure: &Tenure, now: Instant, limit: usize) -> Result<f64, String> {
    let begun = Clock::now();
    let options = SweepOptions { limit, rate: Some(RATE), ..SweepOptions::everything(now) };
    let swept = tenure.sweep(now, options, &mut |_| {}).map_err(|error| error.to_string())?;
    let elapsed = begun.elapsed().as_secs_f64();
    let told = say(format_args!(
        "    {} destroyed with {} pages, {} wrapped anew",
        grouped(swept.total()),
        swept.pages,
        grouped(swept.rewrapped)
    ));
    told.map_err(|error| error.to_string())?;
    Ok(number(usize::try_from(swept.total()).unwrap_or_default()) / elapsed)
}

/// What a load came to.
struct Came {
    rate: f64,
    p50: f64,
    p99: f64,
    most: f64,
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rate, p50, p99, most } = self;
        write!(f, "{rate:6.0}/s   p50 {p50:6.2} ms   p99 {p99:6.2} ms   slowest {most:6.1} ms")
    }
}

/// Requests of people and of what serves them.
struct Load<'t> {
    tenure: &'t Tenure,
    now: Instant,
    /// So that no two bring the same conversation.
    next: AtomicU64,
}

impl Load<'_> {
    fn request(&self) -> Result<(), String> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        if id.is_multiple_of(DECISIONS) {
            let brought = (0..CONVERSATIONS).map(|place| {
                conversation(&name(id / DECISIONS), (1 << 40) + id * CONVERSATIONS + place, self.now, 2, 400)
            });
            return import(self.tenure, brought, self.now).map(drop).map_err(|error| error.to_string());
        }
        let choice = if (id / ACCOUNTS).is_multiple_of(2) { Choice::On } else { Choice::Off };
        let answer = self.tenure.answer(&name(id), "train", choice, None);
        let receipts = answer
            .and_then(|answer| self.tenure.decide(&name(id), answer, self.now))
            .map_err(|error| error.to_string())?;
        std::hint::black_box(receipts.len());
        Ok(())
    }

    /// How many requests a second all callers together can make.
    fn at_once(&self, span: Duration) -> Outcome<f64> {
        let begun = Clock::now();
        let made = AtomicU64::new(0);
        thread::scope(|scope| {
            let caller = || {
                while begun.elapsed() < span {
                    self.request()?;
                    made.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, String>(())
            };
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
            callers.into_iter().try_for_each(joined)
        })?;
        Ok(number(usize::try_from(made.into_inner())?) / begun.elapsed().as_secs_f64())
    }

    /// Requests that arrive at even distances for at least this long, and until what goes on beside them is done.
    /// Each one's time counts from when it arrived, also where no caller was free.
    fn arriving(
        &self,
        rate: f64,
        span: Duration,
        beside: impl FnOnce() -> Result<(), String>,
    ) -> Outcome<Came> {
        let begun = Clock::now();
        let (arrived, over) = (AtomicU64::new(0), AtomicBool::new(false));
        let caller = || {
            let mut times = Vec::new();
            while !over.load(Ordering::Relaxed) {
                let place = arrived.fetch_add(1, Ordering::Relaxed);
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                let arrival = Duration::from_secs_f64(f64::from(place) / rate);
                thread::sleep(arrival.saturating_sub(begun.elapsed()));
                self.request()?;
                times.push(begun.elapsed().saturating_sub(arrival));
            }
            Ok::<_, String>(times)
        };
        let mut times = thread::scope(|scope| {
            let callers: Vec<_> = (0..CALLERS).map(|_| scope.spawn(caller)).collect();
            let done = beside();
            thread::sleep(span.saturating_sub(begun.elapsed()));
            over.store(true, Ordering::Relaxed);
            let mut times = Vec::new();
            for caller in callers {
                times.extend(joined(caller)?);
            }
            done.map(|()| times)
        })?;
        let elapsed = begun.elapsed().as_secs_f64();
        times.sort_unstable();
        Ok(Came {
            rate: number(times.len()) / elapsed,
            p50: percentile(&times, 50),
            p99: percentile(&times, 99),
            most: percentile(&times, 100),
        })
    }
}

fn joined<T>(caller: thread::ScopedJoinHandle<'_, Result<T, String>>) -> Result<T, String> {
    caller.join().map_err(|_| "a caller panicked".to_owned())?
}
