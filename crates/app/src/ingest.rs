//! Taking conversations in: split into records, encrypted, filed, and durable before the answer.

mod batch;
mod body;
mod door;
mod plan;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;
use tenure_formats::{Account, Conversation, Item};
use tenure_model::{Instant, Mode};
use tenure_store::{AccountFacts, StoreExt as _};

use crate::person::Person;
use crate::policies::Policies;
use crate::{Error, Tenure};

use batch::Batch;
pub(crate) use body::{read_segment, read_title};
pub use door::{StreamError, Streamed, Taken};

/// A batch is committed when it has this many bytes of text, or as many of the others: each bounds what
/// a batch takes in memory for a different shape of input.
const BATCH_BYTES: usize = 12 * 1024 * 1024;
/// See [`BATCH_BYTES`].
const BATCH_MESSAGES: usize = 20_000;
/// See [`BATCH_BYTES`]. Accounts that are told about count too.
const BATCH_CONVERSATIONS: usize = 3_000;
/// How many accounts are kept in memory between batches.
const PEOPLE_MAX: usize = 20_000;

/// What an import is told where a file says nothing.
#[derive(Debug, Clone, Default)]
pub struct Defaults {
    /// The account.
    pub account: Option<String>,
    /// The surface.
    pub surface: Option<String>,
    /// The mode; normal where `None`.
    pub mode: Option<Mode>,
    /// The country.
    pub country: Option<String>,
}

/// Why a conversation, or messages of one, were not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Neither the file nor the command says whose it is.
    #[error("nothing says whose the conversation is: name its account")]
    NoAccount,
    /// The account's id is empty or longer than 512 bytes.
    #[error("an account's id has 1 to 512 bytes")]
    BadAccount,
    /// Neither the file nor the command says through which surface it was sent.
    #[error("nothing says through which surface the conversation was sent: name its `surface`")]
    NoSurface,
    /// No published policy knows the surface.
    #[error("no published policy knows the surface: publish one that does, or name another surface")]
    UnknownSurface,
    /// The account is closed: nothing more of it is kept.
    #[error("the account is closed, so nothing more of it is kept")]
    AccountClosed,
    /// It has no messages.
    #[error("the conversation has no messages: send one at least")]
    Empty,
    /// The surface has zero retention: its bodies are refused at the door.
    #[error("the surface has zero retention, so nothing that was said on it is kept")]
    ZeroRetention,
    /// Another message of the conversation has the same id.
    #[error("two messages of the conversation have one id: give each its own")]
    RepeatedMessage,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ingested {
    /// Accounts that were opened.
    pub accounts: u64,
    /// Conversations that were new.
    pub conversations: u64,
    /// Conversations that went on.
    pub resumed: u64,
    /// Conversations of which everything was known already.
    pub unchanged: u64,
    /// Records that were made.
    pub records: u64,
    /// Messages that were stored.
    pub messages: u64,
    /// Messages that were known already.
    pub known: u64,
    /// Bytes of text that were encrypted.
    pub bytes: u64,
    /// Conversations that were refused, by reason.
    pub refused_conversations: BTreeMap<Refusal, u64>,
    /// Messages that were refused, by reason.
    pub refused_messages: BTreeMap<Refusal, u64>,
}

/// Takes conversations in, one after another, and commits them in batches.
///
/// While one batch is committed, the next one is prepared; no more than two are in memory.
pub struct Ingester {
    tenure: Tenure,
    policies: Arc<Policies>,
    defaults: Defaults,
    /// The format, which sets the ids of one apart from those of another.
    format: String,
    now: Instant,
    people: HashMap<String, Arc<Person>>,
    batch: Batch,
    /// The conversations of the batch that is being committed.
    in_flight: HashSet<[u8; 32]>,
    committing: Option<tenure_store::Pending<Committed, Error>>,
    done: Ingested,
}

impl std::fmt::Debug for Ingester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ingester")
            .field("format", &self.format)
            .field("done", &self.done)
            .finish_non_exhaustive()
    }
}

/// What only the transaction could know.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Committed {
    pub(crate) accounts: u64,
}

impl Tenure {
    /// Begins to take conversations in.
    ///
    /// # Errors
    /// Refused while no policy is published, since nothing could be kept.
    pub fn ingester(&self, format: &str, defaults: Defaults, now: Instant) -> Result<Ingester, Error> {
        let policies = self.policies()?;
        if policies.lineages().is_empty() {
            return Err(Error::Refused(
                "no policy is published: run `tenure policy publish FILE` first".to_owned(),
            ));
        }
        if let Some(surface) = &defaults.surface
            && policies.of_surface(surface).is_none()
        {
            return Err(Error::UnknownSurface(surface.clone()));
        }
        Ok(Ingester {
            tenure: self.clone(),
            policies,
            defaults,
            format: format.to_owned(),
            now,
            people: HashMap::new(),
            batch: Batch::default(),
            in_flight: HashSet::new(),
            committing: None,
            done: Ingested::default(),
        })
    }
}

impl Ingester {
    /// Takes one item in. It is durable once [`Ingester::finish`] has answered.
    pub fn push(&mut self, item: Item) -> Result<(), Error> {
        match item {
            Item::Account(account) => self.account(account),
            Item::Conversation(conversation) => self.conversation(conversation),
        }
    }

    /// Commits what is left, and says what was done.
    pub fn finish(mut self) -> Result<Ingested, Error> {
        self.flush()?;
        self.wait()?;
        Ok(self.done)
    }

    fn account(&mut self, account: Account) -> Result<(), Error> {
        let facts = AccountFacts {
            country: account.country,
            minor: account.minor,
            opened_at: account.opened_at.map(|opened| opened.min(self.now)),
            ..AccountFacts::default()
        };
        self.people.remove(&account.id);
        self.batch.add_account(account.id, facts);
        self.flush_if_full()
    }

    fn conversation(&mut self, conversation: Conversation) -> Result<(), Error> {
        match self.plan(conversation)? {
            Ok(Some(planned)) => self.batch.add(planned),
            Ok(None) => self.done.unchanged += 1,
            Err(refusal) => *self.done.refused_conversations.entry(refusal).or_default() += 1,
        }
        self.flush_if_full()
    }

    fn flush_if_full(&mut self) -> Result<(), Error> {
        let full = self.batch.bytes >= BATCH_BYTES
            || self.batch.messages >= BATCH_MESSAGES
            || self.batch.entries() >= BATCH_CONVERSATIONS;
        if full { self.flush() } else { Ok(()) }
    }

    /// The account of that id as far as it is known now.
    fn person(&mut self, id: &str) -> Result<Arc<Person>, Error> {
        if let Some(person) = self.people.get(id) {
            return Ok(Arc::clone(person));
        }
        if self.people.len() >= PEOPLE_MAX {
            self.people.clear();
        }
        let tenure = &self.tenure;
        let found = tenure.store.read(|tx| match tx.account_by_id(None, id)? {
            Some(row) => tenure.person(tx, row).map(Some),
            None => Ok(None),
        })?;
        let person = Arc::new(found.unwrap_or_else(|| Person::stranger(id, self.batch.facts_of(id))));
        self.people.insert(id.to_owned(), Arc::clone(&person));
        Ok(person)
    }

    /// Hands the batch to the writer. The batch before it is durable by then.
    fn flush(&mut self) -> Result<(), Error> {
        let batch = std::mem::take(&mut self.batch);
        if batch.is_empty() {
            return Ok(());
        }
        let batch = batch.seal(&self.tenure)?;
        self.wait()?;
        self.done.add(&batch.counts());
        self.in_flight = batch.recognised();
        let (tenure, now) = (self.tenure.clone(), self.now);
        self.committing = Some(self.tenure.store.write_later(move |tx| batch.commit(&tenure, tx, now))?);
        // What was read before the batch is older than the batch.
        self.people.retain(|_, person| person.is_stored());
        Ok(())
    }

    fn wait(&mut self) -> Result<(), Error> {
        if let Some(committing) = self.committing.take() {
            self.done.accounts += committing.wait()?.accounts;
        }
        self.in_flight.clear();
        Ok(())
    }
}

impl Ingested {
    fn add(&mut self, other: &Self) {
        self.conversations += other.conversations;
        self.resumed += other.resumed;
        self.records += other.records;
        self.messages += other.messages;
        self.bytes += other.bytes;
    }
}
