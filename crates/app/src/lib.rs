//! The use cases: what people and operators do with Tenure.
//!
//! A use case loads what it needs, calls the rule, and saves state, statements and what follows from
//! them in one transaction. Nothing here decides: verdicts come from `tenure-policy`. Time and
//! randomness are arguments.
//!
//! # Adding a use case
//! Give it a module and a method on [`Tenure`] that takes `now`. Load through `person` and
//! `record`, state what happened through `ledger`, and mark an account whose copies must be filed
//! anew. What destroys or exports needs a token that only the check can make.

mod access;
mod accounts;
mod backup;
mod choices;
mod compare;
mod destroy;
pub mod doctor;
mod error;
pub mod explain;
pub mod export;
mod figures;
mod filing;
mod holds;
mod ingest;
mod ledger;
mod lists;
mod marks;
mod pages;
mod person;
mod plan;
mod policies;
mod proofs;
mod record;
pub mod reports;
pub mod run;
mod settings;
mod standing;
mod sweep;
mod vitals;
mod withdraw;

use std::fmt;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use tenure_model::Instant;
use tenure_store::{Store, StoreExt as _};
use tenure_vault::{LogKeys, Vault};

pub use access::{
    Act, ChangeView, Done, KeyStateView, KeyView, Once, OnceAnswer, OnceTicket, TokenTerms, parse_key_id,
    seen_digest,
};
pub use accounts::{AccountFacts, Condition};
pub use backup::{
    BackupError, BackupRequest, BackupStep, BackupTaken, OpenedStore, RESTORING, Restore, Restored,
    SharedJournal, is_behind_its_journal, open_store,
};
pub use choices::{Answer, Reply};
pub use compare::{Asked, ChangedSetting, ChangedTerm, Compared, Comparison};
pub use destroy::Erased;
pub use error::Error;
pub use figures::{ClassCount, CopyFigure, Destruction, DestructionCursor, Figures};
pub use holds::{
    Extent, Falls, HeldAccess, HeldEntry, HeldOut, HeldReading, HeldTarget, HoldPreview, HoldReaderView,
    HoldScope, HoldVersion, HoldView, Lost, LostCopy, OperatorStatement, Previewing,
};
pub use ingest::{Defaults, Ingested, Ingester, Refusal, StreamError, Streamed, Taken};
pub use ledger::{Fault, LedgerCheck, PublicLog, Verification, parse_head};
pub use lists::{ListedReceipt, ListedRecord, Slice};
pub use marks::{Deletion, Scan};
pub use plan::{Loss, Plan, PlannedClass, PlannedVersion, Tally, Wider};
pub use policies::{Expected, Policies, PublishedVersion};
pub use reports::cause_in_words;
pub use run::Rows;
pub use settings::Pause;
pub use standing::{Standing, StandingTerms};
pub use sweep::{Allowance, Excess, SweepOptions, Swept};
pub use vitals::{Burden, Pulse};
pub use withdraw::{AskedWithdrawal, Withdrawal};
// What those who take conversations in, or name a record, hand over.
pub use tenure_formats::{Account, Conversation, Message, Report, Role};
pub use tenure_store::{AccountRow, ChangeId, ConversationId, RecordId, RunId};

use ledger::Log;
use pages::Pages;

/// Where random bytes come from; the command line gives the system's.
pub trait Entropy: Send + Sync {
    /// Fills a buffer with random bytes.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), Error>;
}

/// The instant up to which the store's time is simulated, or that its time is real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeKeeping {
    /// Time is what the clock says.
    Real,
    /// Time is what each command says, for demonstrations and tests.
    Simulated,
}

/// Tenure over one store and one vault.
#[derive(Clone)]
pub struct Tenure {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) pages: Pages,
    pub(crate) log: Arc<Log>,
    policies: Arc<Mutex<Option<Arc<Policies>>>>,
    /// Held by the sweep that is under way: two at once would take each other's batches for abandoned ones.
    pub(crate) sweeping: Arc<Mutex<()>>,
    /// Set when sweeps of this process are to end.
    stopping: Arc<AtomicBool>,
    /// Held by the erasure of an account that is under way.
    pub(crate) erasing: Arc<Mutex<()>>,
    /// Held while something is destroyed outside the store.
    pub(crate) door: Arc<Mutex<()>>,
    /// Keys and tokens that were opened a moment ago.
    pub(crate) opened: Arc<access::Opened>,
    /// Who this is among the processes that share the store.
    pub(crate) name: Arc<str>,
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tenure")
    }
}

const TIME: &str = "time";

impl Tenure {
    /// Joins a store, a vault and the log's keys that belong together.
    pub fn new(
        store: Arc<dyn Store>,
        vault: Arc<Vault>,
        log_keys: LogKeys,
        entropy: Arc<dyn Entropy>,
    ) -> Self {
        let pages = Pages::new(Arc::clone(&vault));
        let log = Arc::new(Log::new(log_keys));
        let name = Arc::from(process_name(entropy.as_ref()));
        Self {
            store,
            vault,
            entropy,
            pages,
            log,
            policies: Arc::default(),
            sweeping: Arc::default(),
            stopping: Arc::default(),
            erasing: Arc::default(),
            door: Arc::default(),
            opened: Arc::default(),
            name,
        }
    }

    /// Sets up a new store: how it keeps time, the house account that speaks for the operator, and the log.
    pub fn init(&self, time: TimeKeeping, now: Instant) -> Result<(), Error> {
        let word = match time {
            TimeKeeping::Real => "real",
            TimeKeeping::Simulated => "simulated",
        };
        let tenure = self.clone();
        self.store.write(move |tx| {
            if tx.meta(TIME)?.is_some() {
                return Err(Error::AlreadyInitialised);
            }
            tx.set_meta(TIME, word)?;
            tenure.open_house(tx, now)?;
            tenure.open_log(tx, now)
        })
    }

    /// How the store keeps time.
    pub fn time(&self) -> Result<TimeKeeping, Error> {
        match self.store.read(|tx| Ok::<_, Error>(tx.meta(TIME)?))?.as_deref() {
            Some("simulated") => Ok(TimeKeeping::Simulated),
            Some(_) => Ok(TimeKeeping::Real),
            None => Err(Error::NotInitialised),
        }
    }

    /// The published policies, compiled. They are read again after each publication, also of another process.
    pub fn policies(&self) -> Result<Arc<Policies>, Error> {
        let known = self.policies.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let policies = self.store.read(|tx| match &known {
            Some(known) => Policies::current(tx, known),
            None => Policies::load(tx).map(Arc::new),
        })?;
        *self.policies.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&policies));
        Ok(policies)
    }

    pub(crate) fn forget_policies(&self) {
        *self.policies.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], Error> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }
}

/// A name that no other process has, and that says nothing about the machine.
fn process_name(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 16];
    if entropy.fill(&mut bytes).is_err() {
        // Without randomness nothing that destroys works either, so nobody can take this name for another's.
        return String::new();
    }
    ledger::hex(&bytes)
}
