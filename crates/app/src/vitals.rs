//! How the store is, for whoever watches it: asked every few seconds, so nothing here costs what is stored.

use tenure_model::Instant;
use tenure_store::StoreExt as _;

use crate::ledger::public;
use crate::settings::{deadline, erase_within, is_paused, observes};
use crate::{Error, Tenure};

/// That the store answers, that it takes what is written, and that its log and keys are where they should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pulse {
    /// How many statements the log has.
    pub log_size: u64,
    /// How many of them the published checkpoint covers.
    pub published_size: u64,
    /// Whether destruction is paused.
    pub paused: bool,
    /// Whether Tenure judges and reports, and destroys nothing.
    pub observes: bool,
    /// How many jobs wait for the store's writer.
    pub waiting: usize,
}

/// What there is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burden {
    /// Copies that can be due now, as far as the index knows. A verdict on each may find fewer.
    pub due: u64,
    /// Those of them that could be due so long ago that they should be verified absent by now.
    pub overdue: u64,
    /// Batches of copies whose destruction was begun and is not verified.
    pub batches: u64,
    /// Those of them with a copy that should be verified absent by now.
    pub batches_overdue: u64,
    /// Since when the first copy of those batches must be gone.
    pub oldest_due: Option<Instant>,
    /// Accounts whose copies the next sweep files anew.
    pub unfiled: u64,
    /// Holds that are in force.
    pub holds: u64,
}

impl Tenure {
    /// Feels the pulse: reads, writes nothing durably, and looks where the keys lie.
    ///
    /// # Errors
    /// Whatever keeps the store from answering, its writer from committing, the log from being shown as it was
    /// published, or the key store from being looked at.
    pub fn pulse(&self) -> Result<Pulse, Error> {
        let (log_size, published, paused, observes) = self.store.read(|tx| {
            let size = tx.tree_head()?.map_or(0, |head| head.size);
            Ok::<_, Error>((size, public::published(tx)?, is_paused(tx)?, observes(tx)?))
        })?;
        let published_size = published.map_or(0, |signed| signed.checkpoint().size());
        if published_size > log_size {
            return Err(Error::LogRolledBack(published_size));
        }
        // An empty job goes through the queue, the journal's check and a commit, and leaves nothing behind.
        self.store.write(|_| Ok::<_, Error>(()))?;
        self.vault.pages().absent(&[])?;
        Ok(Pulse { log_size, published_size, paused, observes, waiting: self.store.waiting() })
    }

    /// What there is to do at an instant. It costs what is due, and reads nothing but the index of it.
    pub fn burden(&self, now: Instant) -> Result<Burden, Error> {
        let within = self.store.read(erase_within)?;
        let span = deadline(now, within).micros().saturating_sub(now.micros());
        let late = Instant::saturating_from_micros(now.micros().saturating_sub(span));
        let (due, overdue) = (self.indexed_as_due(now, now)?, self.indexed_as_due(now, late)?);
        self.store.read(|tx| {
            let batches = tx.unfinished_batches()?;
            let ends: Vec<Instant> = batches.iter().filter_map(|batch| batch.due_at).collect();
            let late = ends.iter().filter(|due_at| deadline(**due_at, within) < now).count();
            let holds = tx.holds()?.iter().filter(|hold| hold.released_at.is_none()).count();
            Ok(Burden {
                due,
                overdue: overdue.min(due),
                batches: batches.len() as u64,
                batches_overdue: late as u64,
                oldest_due: ends.into_iter().min(),
                unfiled: tx.refile_count()?,
                holds: holds as u64,
            })
        })
    }
}
