//! What the benchmarks share: a Tenure on disk, and made-up conversations.

pub mod watch;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tenure_app::{AccountFacts, Defaults, Entropy, Error, Ingested, Tenure, TimeKeeping, open_store};
use tenure_formats::{Conversation, Item, Message, Role};
use tenure_model::{Instant, Kind};
use tenure_store::{SqliteStore, Store};
use tenure_vault::{LogKeys, Vault};

use watch::{Watch, WatchedStore};

/// What a benchmark ends with.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Entropy)
    }
}

/// A new Tenure in a folder, with one policy published long ago, and no journal.
pub fn tenure(folder: &Path, policy: &str, start: Instant) -> Outcome<(Tenure, Arc<dyn Store>)> {
    let (data, keys) = folders(folder)?;
    let vault = Vault::create(&data, &keys)?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db"))?);
    let tenure = joined(&keys, Arc::clone(&store), vault, policy, start)?;
    Ok((tenure, store))
}

/// The same with a journal, as the command line opens it.
pub fn journalled(folder: &Path, policy: &str, start: Instant) -> Outcome<(Tenure, Arc<dyn Store>)> {
    let (data, keys) = folders(folder)?;
    let vault = Vault::create(&data, &keys)?;
    let store: Arc<dyn Store> = open_store(&data.join("tenure.db"), &keys)?.store;
    let tenure = joined(&keys, Arc::clone(&store), vault, policy, start)?;
    Ok((tenure, store))
}

/// The same with a journal or without, and with a note of where time goes.
pub fn watched(
    folder: &Path,
    policy: &str,
    start: Instant,
    journal: bool,
    watch: &Watch,
) -> Outcome<(Tenure, Arc<dyn Store>)> {
    let (data, keys) = folders(folder)?;
    drop(Vault::create(&data, &keys)?);
    let vault = watch::vault(&data, &keys, watch)?;
    let database = data.join("tenure.db");
    let store =
        if journal { open_store(&database, &keys)?.store } else { Arc::new(SqliteStore::open(&database)?) };
    let store: Arc<dyn Store> = Arc::new(WatchedStore::new(store, watch.clone()));
    let tenure = joined(&keys, Arc::clone(&store), vault, policy, start)?;
    Ok((tenure, store))
}

/// The data folder and the key folder within a folder.
fn folders(folder: &Path) -> Outcome<(PathBuf, PathBuf)> {
    let (data, keys) = (folder.join("data"), folder.join("data-keys"));
    std::fs::create_dir_all(&data)?;
    Ok((data, keys))
}

fn joined(keys: &Path, store: Arc<dyn Store>, vault: Vault, policy: &str, start: Instant) -> Outcome<Tenure> {
    let log = LogKeys::create(keys, &"tenure.example/bench".parse()?, start)?;
    let tenure = Tenure::new(store, Arc::new(vault), log, Arc::new(SystemEntropy));
    tenure.init(TimeKeeping::Simulated, start)?;
    tenure.publish(&[("bench.toml".to_owned(), policy.to_owned())], start)?;
    Ok(tenure)
}

/// A conversation of `messages` messages of `bytes` bytes, all at one instant.
pub fn conversation(account: &str, id: u64, at: Instant, messages: usize, bytes: usize) -> Conversation {
    let text = "what people say to machines, and machines to people; ".repeat(bytes / 52 + 1);
    let text: String = text.chars().take(bytes).collect();
    let message = |index: usize| Message {
        id: Some(format!("{id}-{index}")),
        at: Some(at),
        ..Message::new(if index.is_multiple_of(2) { Role::Human } else { Role::Assistant }, text.clone())
    };
    Conversation {
        external_id: Some(id.to_string()),
        account: Some(account.to_owned()),
        title: None,
        kind: Kind::Chat,
        created_at: None,
        surface: Some("pro".to_owned()),
        mode: None,
        country: Some("US".to_owned()),
        scanned: Some(true),
        messages: (0..messages).map(message).collect(),
    }
}

/// Takes conversations in.
pub fn import(
    tenure: &Tenure,
    conversations: impl Iterator<Item = Conversation>,
    now: Instant,
) -> Outcome<Ingested> {
    let mut ingester = tenure.ingester("bench", Defaults::default(), now)?;
    for conversation in conversations {
        ingester.push(Item::Conversation(conversation))?;
    }
    Ok(ingester.finish()?)
}

/// Opens an account whose facts are all known.
pub fn account(tenure: &Tenure, id: &str, now: Instant) -> Outcome {
    let facts =
        AccountFacts { country: Some("US".to_owned()), minor: Some(false), ..AccountFacts::default() };
    tenure.set_account(id, facts, now)?;
    Ok(())
}

/// Prints a line.
pub fn say(text: impl std::fmt::Display) -> Outcome {
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(())
}

/// The time below which so many hundredths of these lie, which must be sorted; in milliseconds.
pub fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let place = sorted.len().saturating_sub(1) * percent / 100;
    sorted.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

/// The one in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A count as a number to divide by.
pub fn number(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::MAX, f64::from)
}

/// Numbers that look random and are the same in each run.
#[derive(Debug, Clone)]
pub struct Scatter(u64);

impl Scatter {
    /// Numbers that begin from a seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number (splitmix64).
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The next number below a bound.
    pub const fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }

    /// Bytes that nothing can compress.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            bytes.extend_from_slice(&self.draw().to_le_bytes());
        }
        bytes.truncate(length);
        bytes
    }
}

/// The most memory that this process has had, in MiB; zero where the system does not tell.
pub fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
}

/// The bytes that this process has had written to disks; zero where the system does not tell.
pub fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|line| line.trim().parse().ok()).unwrap_or_default()
}

/// A number with its thousands set apart.
pub fn grouped(number: impl std::fmt::Display) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
