//! Giving places: what was committed becomes leaves of the log.
//!
//! Whoever gives places holds the lock of the log's head, one row, from before the first place until the commit that
//! moves the head. So there is one at a time among all processes, and it can't split: the lock is the lease, the server
//! ends it with the session of a process that stopped, and a session that was ended commits nothing.

use super::attempt::{Desk, Failed, commit};
use super::failure::connection_lost;
use super::link::{Link, Server};
use super::writer::Worker;
use super::{PgTx, Work};
use crate::log::{Growth, Recent, Sequencer};
use crate::{AccountKey, Seq, StoreError, Stored, Unsound};
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};

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

/// How many are told their places at once at most.
const ASKED_MAX: usize = 4096;

/// A statement, by its account and its version.
type Which = (i64, i64);

/// Somebody who waits for the place of a statement.
pub(super) struct Asked {
    which: Which,
    answer: SyncSender<Stored<Seq>>,
}

/// The thread that gives places to what the jobs of accounts have committed: those who wait together share a commit.
#[derive(Debug)]
pub(super) struct Placing(Worker<Asked>);

impl Placing {
    pub(super) fn start(server: Server, ledger: Arc<Ledger>) -> Stored<Self> {
        let worker = Worker::start("tenure-sequencer", move |asked: &Receiver<Asked>| {
            let mut desk = Desk::new(server);
            while let Ok(first) = asked.recv() {
                let mut waiting = vec![first];
                waiting.extend(asked.try_iter().take(ASKED_MAX));
                let which: Vec<Which> = waiting.iter().map(|asked| asked.which).collect();
                let given = desk.work(|link| give(link, &ledger, &which));
                for Asked { which, answer } in waiting {
                    let place = given.as_ref().map(|given| given.get(&which).copied());
                    let place = place.map_err(Clone::clone);
                    // Whoever stopped waiting does not hear it; the place stands.
                    drop(answer.send(
                        place.and_then(|place| place.ok_or(StoreError::Missing { table: "statements" })),
                    ));
                }
            }
        })?;
        Ok(Self(worker))
    }

    /// The place of a statement, once it has one.
    pub(super) fn place_of(&self, account: AccountKey, version: u64) -> Stored<Seq> {
        let version = super::query::number(version, "version")?;
        let (answer, given) = sync_channel(1);
        self.0.hand_in(Asked { which: (account.0, version), answer })?;
        given.recv().unwrap_or(Err(StoreError::Closed))
    }
}

/// Gives every statement a place that was committed without one, and says where those are that are asked for. Whether
/// another process was quicker does not matter, nor whether a commit whose answer was lost was done: it can be repeated.
fn give(link: &mut Link, ledger: &Ledger, which: &[Which]) -> Result<BTreeMap<Which, Seq>, Failed> {
    link.control("begin to give places", "BEGIN ISOLATION LEVEL READ COMMITTED")?;
    let mut tx = PgTx::new(link, Work::House);
    let places = tx.give_places().and_then(|_| tx.places(which));
    let places = places.map_err(|error| Ledger::explain(&mut tx, error))?;
    ledger.commit(&mut tx).map_err(|failed| match failed {
        Failed::Open(_) => Failed::Whole(connection_lost("give places")),
        Failed::Whole(error) => Failed::Whole(error),
    })?;
    Ok(places)
}
