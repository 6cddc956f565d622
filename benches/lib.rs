//! What the benchmarks share: a Tenure on disk, and made-up conversations.

use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use tenure_app::{AccountFacts, Defaults, Entropy, Error, Ingested, Tenure, TimeKeeping};
use tenure_formats::{Conversation, Item, Message, Role};
use tenure_model::{Instant, Kind};
use tenure_store::{SqliteStore, Store};
use tenure_vault::{LogKeys, Vault};

/// What a benchmark ends with.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error> {
        aws_lc_rs::rand::fill(bytes).map_err(|_| Error::Entropy)
    }
}

/// A new Tenure in a folder, with one policy published long ago.
pub fn tenure(folder: &Path, policy: &str, start: Instant) -> Outcome<(Tenure, Arc<dyn Store>)> {
    let (data, keys) = (folder.join("data"), folder.join("data-keys"));
    std::fs::create_dir_all(&data)?;
    let vault = Vault::create(&data, &keys)?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data.join("tenure.db"))?);
    let log = LogKeys::create(&keys, &"tenure.example/bench".parse()?, start)?;
    let tenure = Tenure::new(Arc::clone(&store), Arc::new(vault), log, Arc::new(SystemEntropy));
    tenure.init(TimeKeeping::Simulated, start)?;
    tenure.publish(&[("bench.toml".to_owned(), policy.to_owned())], start)?;
    Ok((tenure, store))
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

/// The most memory that this process has had, in MiB; zero where the system does not tell.
pub fn peak_mebibytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kib| kib / 1024)
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
