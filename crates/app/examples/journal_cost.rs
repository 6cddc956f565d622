//! What the journal costs: decisions and imported messages a second, with it and without, and a second of
//! processor time, which tells more on a machine that does other things too.
//!
//! `cargo run --release -p tenure-app --example journal_cost`

use std::path::Path;
use std::sync::Arc;
use std::time::Instant as Clock;

use tenure_app::{Defaults, Entropy, Error, Tenure, TimeKeeping, open_store};
use tenure_formats::{Conversation, Item, Message, Role};
use tenure_model::{Choice, Instant, Kind};
use tenure_store::{SqliteStore, Store};
use tenure_vault::{LogKeys, Vault};

const POLICY: &str = include_str!("../../../policies/example.toml");
const ACCOUNTS: usize = 20_000;
const THREADS: usize = 256;
const CONVERSATIONS: usize = 20_000;
const MESSAGES: usize = 10;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Entropy)
    }
}

fn tenure(folder: &Path, journalled: bool, start: Instant) -> Outcome<Tenure> {
    let (data, keys) = (folder.join("data"), folder.join("data-keys"));
    std::fs::create_dir_all(&data)?;
    let vault = Vault::create(&data, &keys)?;
    let database = data.join("tenure.db");
    let store: Arc<dyn Store> = if journalled {
        let opened = open_store(&database, &keys)?;
        opened.store
    } else {
        Arc::new(SqliteStore::open(&database)?)
    };
    let log = LogKeys::create(&keys, &"tenure.example/cost".parse()?, start)?;
    let tenure = Tenure::new(store, Arc::new(vault), log, Arc::new(SystemEntropy));
    tenure.init(TimeKeeping::Simulated, start)?;
    tenure.publish(&[("example.toml".to_owned(), POLICY.to_owned())], start)?;
    Ok(tenure)
}

fn conversation(id: usize, at: Instant) -> Conversation {
    let message = |index: usize| Message {
        id: Some(format!("{id}-{index}")),
        at: Some(at),
        ..Message::new(
            if index.is_multiple_of(2) { Role::Human } else { Role::Assistant },
            "words ".repeat(80),
        )
    };
    Conversation {
        external_id: Some(id.to_string()),
        account: Some(format!("a{}", id % ACCOUNTS)),
        title: None,
        kind: Kind::Chat,
        created_at: None,
        surface: Some("pro".to_owned()),
        mode: None,
        country: Some("US".to_owned()),
        scanned: Some(true),
        messages: (0..MESSAGES).map(message).collect(),
    }
}

/// How much there was of something a second, and a second of processor time.
#[derive(Debug)]
struct Rate {
    clock: f64,
    processor: f64,
}

#[expect(clippy::cast_precision_loss, reason = "the counts are far below what a float holds exactly")]
fn rate(count: usize, work: impl FnOnce() -> Outcome) -> Outcome<Rate> {
    let (clock, before) = (Clock::now(), processor_seconds()?);
    work()?;
    let count = count as f64;
    Ok(Rate {
        clock: count / clock.elapsed().as_secs_f64(),
        processor: count / (processor_seconds()? - before),
    })
}

/// What this process has used of the processors, in seconds, as Linux counts it.
fn processor_seconds() -> Outcome<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

/// Decisions of every account, from many callers at once.
fn decide(tenure: &Tenure, now: Instant) -> Outcome {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || -> Outcome {
                    for account in (thread..ACCOUNTS).step_by(THREADS) {
                        let account = format!("a{account}");
                        let answer = tenure.answer(&account, "train", Choice::Off, None)?;
                        tenure.decide(&account, answer, now)?;
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    })
}

/// Conversations of as many people.
fn import(tenure: &Tenure, now: Instant) -> Outcome {
    let mut ingester = tenure.ingester("cost", Defaults::default(), now)?;
    for id in 0..CONVERSATIONS {
        ingester.push(Item::Conversation(conversation(id, now)))?;
    }
    ingester.finish()?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what the example is for")]
fn main() -> Outcome {
    let start: Instant = "2025-08-01T00:00:00Z".parse()?;
    let now: Instant = "2025-09-11T00:00:00Z".parse()?;
    for round in 0..3 {
        for journalled in [false, true] {
            let folder = tempfile::tempdir_in(".")?;
            let tenure = tenure(folder.path(), journalled, start)?;
            let messages = rate(CONVERSATIONS * MESSAGES, || import(&tenure, now))?;
            let decisions = rate(ACCOUNTS, || decide(&tenure, now))?;
            println!(
                "{round} journalled={journalled}: messages {:.0}/s, {:.0}/s of processor; decisions {:.0}/s, {:.0}/s of processor",
                messages.clock, messages.processor, decisions.clock, decisions.processor
            );
        }
    }
    Ok(())
}
