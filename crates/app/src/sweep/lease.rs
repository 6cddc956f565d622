//! The lease: one sweep at a time, also where several processes share a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time;

use tenure_model::Instant;
use tenure_store::{ReadTx, StoreExt as _, Tx};

use crate::{Error, Tenure};

const NAME: &str = "sweep";
/// How long a lease lasts unless it is prolonged, which each write does. A step waits at most for the stores
/// behind it.
const MICROS: i64 = 60_000_000;

/// The right to destroy, for as long as it lasts.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    holder: Arc<str>,
    /// 0 until the lease is taken.
    token: Arc<AtomicU64>,
    /// The instant that the caller named, and when that was: time goes on from there.
    began: Instant,
    since: time::Instant,
    until: Arc<AtomicI64>,
}

impl Lease {
    /// Takes the lease.
    ///
    /// # Errors
    /// [`Error::SweptElsewhere`] while another process has it.
    pub(crate) fn take(tenure: &Tenure, now: Instant) -> Result<Self, Error> {
        let lease = Self::to_be_taken(tenure, now);
        let (taken, until) = (lease.clone(), lease.next());
        let token = tenure.store.write(move |tx| taken.hold(tx, until))?;
        lease.prolonged(token, until);
        Ok(lease)
    }

    /// A lease that is taken with the first transaction that it is held in.
    pub(crate) fn to_be_taken(tenure: &Tenure, now: Instant) -> Self {
        Self {
            holder: Arc::clone(&tenure.name),
            token: Arc::default(),
            began: now,
            since: time::Instant::now(),
            until: Arc::new(AtomicI64::new(i64::MIN)),
        }
    }

    /// Whether a transaction has taken the lease.
    pub(crate) fn is_taken(&self) -> bool {
        self.token() > 0
    }

    fn token(&self) -> u64 {
        self.token.load(Ordering::Acquire)
    }

    fn now(&self) -> i64 {
        let elapsed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.began.micros().saturating_add(elapsed)
    }

    /// Until when the lease will last if it is prolonged now.
    pub(crate) fn next(&self) -> i64 {
        self.now().saturating_add(MICROS)
    }

    /// Takes or prolongs the lease within a transaction, which fails if another has it.
    ///
    /// Gives the token, which is ours once the transaction is durable: another holder may find the same one if it is
    /// rolled back.
    pub(crate) fn hold(&self, tx: &mut dyn Tx, until: i64) -> Result<u64, Error> {
        let [now, until] = [self.now(), until].map(Instant::saturating_from_micros);
        match (tx.take_lease(NAME, &self.holder, now, until)?, self.token()) {
            (Some(token), 0) => Ok(token),
            (None, 0) => Err(Error::SweptElsewhere(tx.lease(NAME)?.map_or(now, |lease| lease.until))),
            (Some(held), token) if held == token => Ok(token),
            _ => Err(Error::LeaseLapsed),
        }
    }

    /// Notes that a transaction which took or prolonged the lease is durable.
    pub(crate) fn prolonged(&self, token: u64, until: i64) {
        self.token.store(token, Ordering::Release);
        self.until.store(until, Ordering::Release);
    }

    /// Whether the lease still lasts, as must be asked before anything outside the store is destroyed: by this
    /// machine's clock, and by what the store says, since the clock of a machine that was suspended stands still.
    pub(crate) fn lasts(&self, tx: &mut dyn ReadTx) -> Result<(), Error> {
        let ours = tx.lease(NAME)?.is_some_and(|lease| lease.token == self.token());
        if ours && self.now() < self.until.load(Ordering::Acquire) { Ok(()) } else { Err(Error::LeaseLapsed) }
    }

    /// Gives the lease back within a transaction.
    pub(crate) fn end(&self, tx: &mut dyn Tx) -> Result<(), Error> {
        end(tx, self.token())
    }
}

/// Ends the lease that a token holds.
pub(super) fn end(tx: &mut dyn Tx, token: u64) -> Result<(), Error> {
    Ok(tx.end_lease(NAME, token, Instant::MIN)?)
}

impl Tenure {
    /// Ends what a process that is gone left of its right to sweep. Only whoever knows that nobody else has this
    /// store may say so, as one who holds the lock of its key folder does.
    pub fn alone(&self) -> Result<(), Error> {
        let left = self.store.read(|tx| Ok::<_, Error>(tx.lease(NAME)?))?;
        match left.filter(|lease| lease.until > Instant::MIN) {
            Some(lease) => self.store.write(move |tx| Ok(tx.end_lease(NAME, lease.token, Instant::MIN)?)),
            None => Ok(()),
        }
    }
}
