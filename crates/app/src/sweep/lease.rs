//! The lease: one sweep at a time, also where several processes share a store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
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
    token: u64,
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
        let since = time::Instant::now();
        let (holder, until) = (Arc::clone(&tenure.name), now.micros().saturating_add(MICROS));
        let name = Arc::clone(&holder);
        let taken = tenure.store.write(move |tx| {
            let taken = tx.take_lease(NAME, &name, now, Instant::saturating_from_micros(until))?;
            match taken {
                Some(token) => Ok(token),
                None => Err(Error::SweptElsewhere(tx.lease(NAME)?.map_or(now, |lease| lease.until))),
            }
        })?;
        Ok(Self { holder, token: taken, began: now, since, until: Arc::new(AtomicI64::new(until)) })
    }

    fn now(&self) -> i64 {
        let elapsed = i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX);
        self.began.micros().saturating_add(elapsed)
    }

    /// Until when the lease will last if it is prolonged now.
    pub(crate) fn next(&self) -> i64 {
        self.now().saturating_add(MICROS)
    }

    /// Prolongs the lease within a transaction, which fails if another has taken it meanwhile.
    pub(crate) fn hold(&self, tx: &mut dyn Tx, until: i64) -> Result<(), Error> {
        let [now, until] = [self.now(), until].map(Instant::saturating_from_micros);
        let held = tx.take_lease(NAME, &self.holder, now, until)?;
        if held == Some(self.token) { Ok(()) } else { Err(Error::LeaseLapsed) }
    }

    /// Notes that a transaction which prolonged the lease is durable.
    pub(crate) fn prolonged(&self, until: i64) {
        self.until.store(until, Ordering::Release);
    }

    /// Whether the lease still lasts, as must be asked before anything outside the store is destroyed: by this
    /// machine's clock, and by what the store says, since the clock of a machine that was suspended stands still.
    pub(crate) fn lasts(&self, tx: &mut dyn ReadTx) -> Result<(), Error> {
        let ours = tx.lease(NAME)?.is_some_and(|lease| lease.token == self.token);
        if ours && self.now() < self.until.load(Ordering::Acquire) { Ok(()) } else { Err(Error::LeaseLapsed) }
    }

    /// Gives the lease back.
    pub(crate) fn end(&self, tenure: &Tenure) -> Result<(), Error> {
        let token = self.token;
        tenure.store.write(move |tx| Ok(tx.end_lease(NAME, token, Instant::MIN)?))
    }
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
