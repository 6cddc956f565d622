//! What it costs to erase an account with 100 conversations, durably and so that nothing of it can be read, and how
//! much room the bodies of others take afterwards.
//!
//! `cargo bench -p tenure-benches --bench erasure`; `ACCOUNTS=500` makes the store smaller.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant as Clock};

use tenure_app::{Deletion, SweepOptions, Tenure};
use tenure_benches::watch::Watch;
use tenure_benches::{
    Outcome, Scatter, account, conversation, grouped, import, number, percentile, say, tenure, watched,
    written,
};
use tenure_model::Instant;
use tenure_store::{RecordId, Store, StoreError, StoreExt as _};

/// Accounts that stay, beside those that are erased.
const ACCOUNTS: usize = 2_000;
const ERASED: usize = 250;
const CONVERSATIONS: usize = 100;
const MESSAGES: usize = 2;
const MESSAGE_BYTES: usize = 400;

/// Conversations of which some are deleted, and the most that a message of theirs has.
const SPREAD: u64 = 20_000;
const SPREAD_BYTES: u64 = 8_000;

/// Terms under which nothing keeps a copy once it was deleted.
const POLICY: &str = r#"
policy    = "bench"
version   = "v1"
title     = "Bench"
announced = 2024-01-01T00:00:00Z
effective = 2024-01-01T00:00:00Z
grace     = "30 days"
bodies    = ["history", "content"]

[surfaces]
pro = { regime = "consumer" }

[[keep]]
class = "history"
when  = { deleted = false }
for   = "indefinite"
from  = "created"
why   = "Your conversations, until you delete them"

[[keep]]
class = "content"
when  = { deleted = false }
for   = "30 days"
from  = "last_activity"
why   = "Stored prompts and outputs"
"#;

fn main() -> Outcome {
    let accounts = std::env::var("ACCOUNTS").ok().and_then(|count| count.parse().ok()).unwrap_or(ACCOUNTS);
    for journal in [true, false] {
        erase(accounts, journal)?;
    }
    for percent in [10, 30, 50] {
        space(percent)?;
    }
    Ok(())
}

/// Erases accounts one after another out of a store in which all share their pages and packs.
fn erase(accounts: usize, journal: bool) -> Outcome {
    let folder = tempfile::tempdir()?;
    let now: Instant = "2025-01-01T00:00:00Z".parse()?;
    let watch = Watch::default();
    let (tenure, _store) = watched(folder.path(), POLICY, now, journal, &watch)?;
    let names: Vec<String> = (0..accounts + ERASED).map(|number| format!("account-{number}")).collect();
    for name in &names {
        account(&tenure, name, now)?;
    }
    let in_turn = (0..CONVERSATIONS).flat_map(|round| names.iter().zip(round * names.len()..));
    let in_turn = in_turn.map(|(name, id)| conversation(name, id as u64, now, MESSAGES, MESSAGE_BYTES));
    let taken = import(&tenure, in_turn, now)?;
    let mut order = names;
    let mut scatter = Scatter::new(4);
    watch.clear();
    let mut times = Vec::with_capacity(ERASED);
    let before = written();
    for _ in 0..ERASED {
        let chosen = usize::try_from(scatter.below(order.len() as u64))?;
        let name = order.swap_remove(chosen);
        watch.begin();
        let begun = Clock::now();
        let erased = tenure.erase_account(&name, now)?;
        times.push(begun.elapsed());
        if erased.left > 0 || erased.destroyed.values().sum::<u64>() != 2 * CONVERSATIONS as u64 {
            return Err("an erased account has copies left".into());
        }
    }
    let bytes = written() - before;
    times.sort_unstable();
    let (half, most) = (percentile(&times, 50), percentile(&times, 95));
    say(format_args!(
        "erasing one of {} accounts with {CONVERSATIONS} conversations each ({} in all), {}: median {half:.2} ms, p95 \
         {most:.2} ms",
        grouped(accounts + ERASED),
        grouped(taken.conversations),
        if journal { "with the journal" } else { "without a journal" },
    ))?;
    say(format_args!("    goal 5 ms and 20 ms: {:.2} and {:.2} of it", half / 5.0, most / 20.0))?;
    say(format_args!(
        "    Edna, as published: 9.7 to 13.4 ms and 100 to 180 ms, that is {:.1} and {:.1} times as long or more",
        9.7 / half,
        100.0 / most
    ))?;
    explain(&watch, &times)?;
    say(format_args!("    {:20} {:7.0} KiB", "written to disk", mebibytes(bytes) * 1024.0 / number(ERASED)))
}

/// Where the time went, on average.
fn explain(watch: &Watch, times: &[Duration]) -> Outcome {
    let count = number(times.len());
    let whole = times.iter().sum::<Duration>().as_secs_f64() * 1e3 / count;
    let mut noted = 0.0;
    for (what, often, time) in watch.noted() {
        let each = time.as_secs_f64() * 1e3 / count;
        // Keys are made within a transaction, whose time has it already.
        noted += if what == "keys: made" { 0.0 } else { each };
        say(format_args!("    {what:20} {each:7.3} ms ({:.2} an erasure)", f64::from(often) / count))?;
    }
    say(format_args!("    {:20} {:7.3} ms", "commits and waiting", whole - noted))?;
    say(format_args!("    {:20} {whole:7.3} ms", "the mean"))
}

/// Deletes a share of all conversations, wherever they lie, and compares what the packs take with what lives in them.
fn space(percent: u64) -> Outcome {
    let folder = tempfile::tempdir()?;
    let now: Instant = "2025-01-01T00:00:00Z".parse()?;
    let (tenure, store) = tenure(folder.path(), POLICY, now)?;
    let mut scatter = Scatter::new(percent);
    let spread = (0..SPREAD).map(|id| {
        let bytes = usize::try_from(200 + scatter.below(SPREAD_BYTES)).unwrap_or_default();
        conversation(&format!("account-{}", id % 500), id, now, 2, bytes)
    });
    import(&tenure, spread, now)?;
    delete(&tenure, &*store, percent, now)?;
    // Until a sweep lets go of them, all bodies count as living; afterwards only those that something opens.
    let before = bytes_of(&folder.path().join("data/packs"))?;
    let begun = Clock::now();
    let swept = tenure.sweep(now, SweepOptions::everything(now), &mut |_| {})?;
    let elapsed = begun.elapsed().as_secs_f64();
    let after = bytes_of(&folder.path().join("data/packs"))?;
    let (_, live) = store.read(|tx| tx.pack_bytes())?;
    let ratio = |bytes: u64| mebibytes(bytes) / mebibytes(live);
    say(format_args!(
        "{percent} % of {} conversations deleted, {} copies destroyed, {} packs written anew, in {elapsed:.1} s: packs of \
         {:.0} MiB became {:.0} MiB",
        grouped(SPREAD),
        grouped(swept.total()),
        swept.compacted,
        mebibytes(before),
        mebibytes(after),
    ))?;
    say(format_args!(
        "    that is {:.3} of the ciphertext that lives, and was {:.3} (goal: at most 1.10)",
        ratio(after),
        ratio(before)
    ))
}

/// Deletes conversations here and there, from several callers at once.
fn delete(tenure: &Tenure, store: &dyn Store, percent: u64, now: Instant) -> Outcome {
    let records: Vec<RecordId> = store.read(|tx| {
        let mut records = Vec::new();
        for account in tx.accounts(None, usize::MAX)? {
            records.extend(tx.records_of(account.key, None, usize::MAX)?.iter().map(|record| record.id));
        }
        Ok::<_, StoreError>(records)
    })?;
    let mut scatter = Scatter::new(5);
    let chosen: Vec<RecordId> = records.into_iter().filter(|_| scatter.below(100) < percent).collect();
    thread::scope(|scope| {
        let parts: Vec<_> = chosen
            .chunks(chosen.len().div_ceil(16).max(1))
            .map(|part| {
                scope.spawn(move || {
                    part.iter().try_for_each(|record| {
                        let deleted = tenure.delete(Deletion::ConversationOf(*record), now);
                        deleted.map(drop).map_err(|error| error.to_string())
                    })
                })
            })
            .collect();
        parts.into_iter().try_for_each(|part| part.join().map_err(|_| "a caller panicked".to_owned())?)
    })?;
    Ok(())
}

/// The bytes of all files in a folder.
fn bytes_of(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

fn mebibytes(bytes: u64) -> f64 {
    u32::try_from(bytes >> 10).map_or(f64::MAX, f64::from) / 1024.0
}
