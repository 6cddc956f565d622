//! Jobs of one account: each in a transaction of its own that touches the account's rows alone, those of several accounts
//! at the same time.
//!
//! The lock of the account's row brings those of one account one after another, in all processes and also where a house
//! job has to do with it. Within a process they come in the order in which they were handed in, since one worker does
//! all of an account's.

use super::attempt::{Desk, Failed};
use super::link::{Link, Server};
use super::sequencer::Ledger;
use super::writer::{Waiting, Worker};
use super::{PgTx, Work};
use crate::{AccountKey, StoreError, Stored, Ticket, WriteJob};
use std::sync::Arc;

/// How many jobs one process commits at the same time. PostgreSQL writes what commits together with one sync.
const WORKERS: u8 = 8;

/// The workers.
#[derive(Debug)]
pub(super) struct Crew(Vec<Worker<(AccountKey, Waiting)>>);

impl Crew {
    pub(super) fn start(server: &Server, ledger: &Arc<Ledger>) -> Stored<Self> {
        let start = |number| {
            let (server, ledger) = (server.clone(), Arc::clone(ledger));
            Worker::start(&format!("tenure-account-{number}"), move |waiting| {
                let mut desk = Desk::new(server);
                while let Ok((account, Waiting { mut job, answer })) = waiting.recv() {
                    let done = desk.work(|link| apart(link, &ledger, account, &mut job));
                    // Whoever stopped waiting for the answer does not get it; the commit stands.
                    drop(answer.send(done.and_then(|outcome| outcome)));
                }
            })
        };
        (0..WORKERS).map(start).collect::<Stored<_>>().map(Self)
    }

    pub(super) fn submit(&self, account: AccountKey, job: WriteJob) -> Result<Ticket, StoreError> {
        let whose = usize::try_from(account.0.rem_euclid(i64::from(WORKERS))).unwrap_or(0);
        let worker = self.0.get(whose).ok_or(StoreError::Closed)?;
        let (answer, ticket) = Ticket::new();
        worker.hand_in((account, Waiting { job, answer }))?;
        Ok(ticket)
    }
}

/// Runs and commits one job, with the account's row locked from the beginning.
fn apart(
    link: &mut Link,
    ledger: &Ledger,
    account: AccountKey,
    job: &mut WriteJob,
) -> Result<Result<(), StoreError>, Failed> {
    let begin = format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; SELECT key FROM accounts WHERE key = {} FOR NO KEY UPDATE",
        account.0
    );
    link.control("begin a job of an account", &begin)?;
    let mut tx = PgTx::new(link, Work::Account);
    let outcome = tx.run_job(job)?;
    match outcome {
        Ok(()) => ledger.commit(&mut tx)?,
        Err(_) => tx.link.control("roll a job back", "ROLLBACK")?,
    }
    Ok(outcome)
}
