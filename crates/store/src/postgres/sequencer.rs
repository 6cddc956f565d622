//! Giving places: what was committed becomes leaves of the log.
//!
//! Whoever gives places holds the lock of the log's head, one row, from before the first place until the commit that
//! moves the head. So there is one at a time among all processes, and it can't split: the lock is the lease, the server
//! ends it with the session of a process that stopped, and a session that was ended commits nothing.

use super::PgTx;
use super::attempt::{Failed, commit};
use crate::log::{Growth, Recent, Sequencer};
use crate::{StoreError, Stored, Unsound};
use std::sync::{Mutex, PoisonError};

/// What this process knows of the log's right edge, and its newest leaves.
#[derive(Debug)]
pub(super) struct Ledger {
    sequencer: Mutex<Sequencer>,
    pub(super) recent: Recent,
}

impl Ledger {
    /// Reads the log's right edge, and refuses one that the statements do not give.
    pub(super) fn load(tx: &mut PgTx<'_>) -> Stored<Self> {
        let sequencer = Sequencer::load(tx)?;
        let recent = Recent::new(sequencer.frontier().ok_or(Unsound::NoHead)?);
        Ok(Self { sequencer: Mutex::new(sequencer), recent })
    }

    /// Commits a transaction, with the tiles and the head that the places make which were given in it.
    pub(super) fn commit(&self, tx: &mut PgTx<'_>) -> Result<(), Failed> {
        if tx.next.is_none() {
            return commit(tx.link);
        }
        // Only one transaction at a time comes here, for it has the lock of the head.
        let mut sequencer = self.sequencer.lock().unwrap_or_else(PoisonError::into_inner);
        let growth: Option<Growth> = sequencer.integrate(tx).map_err(|error| Self::explain(tx, error))?;
        commit(tx.link)?;
        if let Some(mut growth) = growth {
            sequencer.committed(&mut growth);
            self.recent.grow(growth);
        }
        Ok(())
    }

    /// The first failure of the transaction is the one that says what to do.
    fn explain(tx: &mut PgTx<'_>, error: StoreError) -> StoreError {
        tx.link.take_broken().unwrap_or(error)
    }
}
