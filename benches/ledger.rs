//! Decisions that answer with a receipt, beside a plain durable row and beside the disk itself; and what it
//! costs to verify a receipt and a whole log.
//!
//! `cargo bench -p tenure-benches --bench ledger`; `LEAVES=100000` makes the large log smaller.

use std::fs::OpenOptions;
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant as Clock};

use tenure_app::{AccountFacts, Answer, Reply, Tenure};
use tenure_benches::{Outcome, grouped, say, tenure};
use tenure_model::{Choice, Instant};
use tenure_receipts::Receipt;
use tenure_store::{AccountKey, Chain, NewStatement, Store, StoreError, StoreExt as _};
use tenure_tlog::checkpoint::Origin;
use tenure_tlog::crypto::verifier;
use tenure_tlog::note::Verifier;

const CALLERS: usize = 64;
/// Each caller decides for its own accounts in turn.
const ACCOUNTS: usize = 100;
const DECISIONS: usize = 128_000;
const POLICY: &str = include_str!("../policies/example.toml");

fn main() -> Outcome {
    let leaves =
        std::env::var("LEAVES").ok().and_then(|leaves| leaves.parse().ok()).unwrap_or(10_000_000_u64);
    let folder = tempfile::tempdir_in(std::env::var_os("BENCH_DIR").unwrap_or_else(|| "target".into()))?;
    let start: Instant = "2025-09-01T00:00:00Z".parse()?;
    let sync = fdatasync(folder.path())?;
    say(format!(
        "one fdatasync of 4 KiB                      {:>9.0} µs (median)",
        sync.as_secs_f64() * 1e6
    ))?;

    let (tenure, store) = tenure(folder.path(), POLICY, start)?;
    let accounts = open_accounts(&tenure, start)?;
    let plain = insert_rows(&store)?;
    let appended = append_leaves(&tenure, &store, &accounts, start)?;
    say(format!("    beside plain rows: {:.2} of their rate", appended / plain))?;
    let small = decide(&tenure, &accounts, start)?;
    say(format!("    beside plain rows: {:.2} of their rate", small / plain))?;
    receipts(&tenure, start)?;
    verify(start)?;
    fill(&tenure, &store, &accounts, leaves)?;
    let plain = insert_rows(&store)?;
    let large = decide(&tenure, &accounts, start)?;
    say(format!("    beside plain rows: {:.2} of their rate", large / plain))?;
    say(format!("    with {} leaves against the small log: {:.2}", grouped(leaves), large / small))
}

/// What the disk itself takes to make 4 KiB durable.
fn fdatasync(folder: &Path) -> Outcome<Duration> {
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..500 {
        file.write_all(&[7; 4096])?;
        let begun = Clock::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    Ok(times.get(times.len() / 2).copied().unwrap_or_default())
}

fn open_accounts(tenure: &Tenure, now: Instant) -> Outcome<Vec<Vec<String>>> {
    let named = |caller| (0..ACCOUNTS).map(|number| format!("account-{caller}-{number}")).collect::<Vec<_>>();
    let accounts: Vec<Vec<String>> = (0..CALLERS).map(named).collect();
    let facts =
        AccountFacts { country: Some("US".to_owned()), minor: Some(false), ..AccountFacts::default() };
    for id in accounts.iter().flatten() {
        tenure.set_account(id, facts.clone(), now)?;
    }
    Ok(accounts)
}

/// What callers did at once: how many a second, and the times of each, sorted.
struct Measured {
    rate: f64,
    times: Vec<Duration>,
}

impl Measured {
    fn percentile(&self, percent: usize) -> f64 {
        let place = (self.times.len().saturating_sub(1)) * percent / 100;
        self.times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
    }
}

/// Runs the same work on every caller, beginning together.
fn together(each: usize, work: impl Fn(usize, usize) -> Result<(), String> + Sync) -> Outcome<Measured> {
    let barrier = Barrier::new(CALLERS + 1);
    let (outcome, elapsed) = thread::scope(|scope| {
        let caller = |caller: usize| {
            let (barrier, work) = (&barrier, &work);
            move || {
                barrier.wait();
                let mut times = Vec::with_capacity(each);
                for round in 0..each {
                    let begun = Clock::now();
                    work(caller, round)?;
                    times.push(begun.elapsed());
                }
                Ok::<_, String>(times)
            }
        };
        let callers: Vec<_> = (0..CALLERS).map(|number| scope.spawn(caller(number))).collect();
        barrier.wait();
        let begun = Clock::now();
        let mut times = Vec::with_capacity(each * CALLERS);
        for caller in callers {
            times.extend(caller.join().map_err(|_| "a caller panicked".to_owned())??);
        }
        Ok::<_, String>((times, begun.elapsed()))
    })?;
    let mut times = outcome;
    times.sort_unstable();
    Ok(Measured { rate: f64::from(u32::try_from(each * CALLERS)?) / elapsed.as_secs_f64(), times })
}

/// One row a transaction of its caller, durable, in the same file and through the same groups.
fn insert_rows(store: &Arc<dyn Store>) -> Outcome<f64> {
    let begun = Clock::now();
    let measured = together(DECISIONS / CALLERS, |caller, round| {
        let key = format!("{}-{caller}-{round}", begun.elapsed().as_nanos());
        store.write(move |tx| tx.set_meta(&key, "a row")).map_err(|error| error.to_string())
    })?;
    report("plain durable rows, 64 callers", &measured)?;
    Ok(measured.rate)
}

/// What the log itself costs: one statement, ready and sealed, that moves its chain and becomes a leaf.
fn append_leaves(
    tenure: &Tenure,
    store: &Arc<dyn Store>,
    accounts: &[Vec<String>],
    at: Instant,
) -> Outcome<f64> {
    // Accounts of their own, since nobody can open these statements.
    let mut chains = Vec::new();
    for caller in 0..accounts.len() {
        let row = tenure.set_account(&format!("appended-{caller}"), AccountFacts::default(), at)?;
        chains.push((row.key, row.chain.version));
    }
    let measured = together(DECISIONS / CALLERS, |caller, round| {
        let (account, version) = *chains.get(caller).ok_or("no account")?;
        let mut commitment = [7; 32];
        commitment
            .iter_mut()
            .zip((caller * DECISIONS + round).to_be_bytes())
            .for_each(|(to, from)| *to = from);
        let statement = NewStatement {
            account: Some(account),
            version: version + 1 + round as u64,
            kind: "decision".to_owned(),
            at,
            commitment,
            sealed: vec![9; 192],
        };
        let appended = store.write(move |tx| tx.append_statement(&statement));
        appended.map(drop).map_err(|error| error.to_string())
    })?;
    report("statements that become leaves, 64 callers", &measured)?;
    Ok(measured.rate)
}

/// Decisions that answer with a receipt in its text.
fn decide(tenure: &Tenure, accounts: &[Vec<String>], now: Instant) -> Outcome<f64> {
    let measured = together(DECISIONS / CALLERS, |caller, round| {
        let account = accounts.get(caller).and_then(|own| own.get(round % ACCOUNTS)).ok_or("no account")?;
        let choice = if (round / ACCOUNTS).is_multiple_of(2) { Choice::On } else { Choice::Off };
        let answer = tenure.answer(account, "train", choice, None).map_err(|error| error.to_string())?;
        let receipts = tenure.decide(account, answer, now).map_err(|error| error.to_string())?;
        black_box(receipts.iter().map(Receipt::to_string).collect::<String>());
        Ok(())
    })?;
    let leaves = tenure.publish_checkpoint(now)?.checkpoint().size();
    report(&format!("decisions with receipts, 64 callers, {} leaves", grouped(leaves)), &measured)?;
    Ok(measured.rate)
}

fn report(what: &str, measured: &Measured) -> Outcome {
    say(format!(
        "{what:60} {:>9}/s   p50 {:.2} ms   p99 {:.2} ms",
        grouped(format_args!("{:.0}", measured.rate)),
        measured.percentile(50),
        measured.percentile(99)
    ))
}

/// What the holder of a receipt needs: reading the file and verifying it with both keys of the log.
fn receipts(tenure: &Tenure, now: Instant) -> Outcome {
    let answer = Answer { purpose: "train".to_owned(), reply: Reply::Off, version: None };
    let receipt = tenure.decide("account-0-0", answer, now)?.into_iter().next().ok_or("no receipt")?;
    let text = receipt.to_string();
    let origin: Origin = receipt.proof().checkpoint.checkpoint().origin().clone();
    let keys = tenure.log_keys();
    let mut times = Vec::new();
    for _ in 0..2_000 {
        let begun = Clock::now();
        let verifiers = keys.iter().map(|key| verifier(&key.key)).collect::<Result<Vec<_>, _>>()?;
        let verifiers: Vec<&dyn Verifier> = verifiers.iter().map(|one| &**one as &dyn Verifier).collect();
        let read = Receipt::parse(text.as_bytes())?;
        black_box(read.verify(&origin, &verifiers)?);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied().unwrap_or_default();
    say(format!(
        "one receipt read and verified, both signatures {:>6.0} µs (median)",
        median.as_secs_f64() * 1e6
    ))
}

/// The whole log against the store, on a log of decisions alone.
fn verify(now: Instant) -> Outcome {
    let folder = tempfile::tempdir()?;
    let (tenure, _) = tenure(folder.path(), POLICY, now)?;
    let accounts = open_accounts(&tenure, now)?;
    decide(&tenure, &accounts, now)?;
    let begun = Clock::now();
    let verification = tenure.verify_ledger(1, &|_, _, _| {})?;
    let rate = f64::from(u32::try_from(verification.leaves)?) / begun.elapsed().as_secs_f64();
    if !verification.is_sound() {
        return Err("the log does not verify".into());
    }
    say(format!(
        "the whole log verified, one thread, {} leaves {:>24}/s",
        grouped(verification.leaves),
        grouped(format_args!("{rate:.0}"))
    ))
}

/// Appends statements that nobody will open, in large groups, until the log has so many leaves.
fn fill(tenure: &Tenure, store: &Arc<dyn Store>, accounts: &[Vec<String>], leaves: u64) -> Outcome {
    let mut chains: Vec<(AccountKey, Chain)> = Vec::new();
    for id in accounts.iter().flatten() {
        let row = tenure.account(id)?;
        chains.push((row.key, row.chain));
    }
    let mut size = store.head().size;
    let at: Instant = "2025-09-01T00:00:00Z".parse()?;
    while size < leaves {
        let count = usize::try_from((leaves - size).min(20_000))?;
        let mut batch = chains.clone();
        chains = store.write(move |tx| {
            let many = batch.len();
            for number in 0..count {
                let Some((account, chain)) = batch.get_mut(number * 7919 % many) else { continue };
                let mut commitment = chain.head;
                commitment.rotate_left(1);
                if let Some(byte) = commitment.first_mut() {
                    *byte = byte.wrapping_add(1);
                }
                let version = chain.version + 1;
                *chain = Chain { version, head: commitment, newest: None, at: Some(at) };
                tx.append_statement(&NewStatement {
                    account: Some(*account),
                    version,
                    kind: "decision".to_owned(),
                    at,
                    commitment,
                    sealed: vec![9; 220],
                })?;
            }
            Ok::<_, StoreError>(batch)
        })?;
        size = store.head().size;
    }
    Ok(())
}
