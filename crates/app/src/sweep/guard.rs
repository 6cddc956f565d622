//! The guard: a sweep that would destroy more than it should stops and asks.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_store::StoreExt as _;

use super::{SweepOptions, Swept};
use crate::{Error, Tenure};
use tenure_model::Instant;

/// Below so many copies the guard does not ask: in a small store every share is large.
const FLOOR: u64 = 100;

/// How much a sweep may destroy without being told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowance {
    /// A share of all live copies, in thousandths, or a hundred copies if that is more.
    Share(u16),
    /// So many copies.
    Copies(u64),
    /// Whatever is due.
    Anything,
}

impl Default for Allowance {
    /// A fifth of all live copies.
    fn default() -> Self {
        Self::Share(200)
    }
}

/// What a sweep would destroy and was not allowed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Excess {
    /// How many copies it would destroy.
    pub copies: u64,
    /// How many it may.
    pub allowed: u64,
    /// How many live copies there are; fewer are said where there are many more.
    pub live: u64,
    /// The copies by class.
    pub classes: BTreeMap<String, u64>,
    /// The copies by why they must go.
    pub causes: BTreeMap<String, u64>,
}

impl std::fmt::Display for Excess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = |parts: &BTreeMap<String, u64>| {
            parts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
        };
        write!(
            f,
            "the sweep would destroy {} of {} copies ({}; because of {}), and {} is the most that it may without being \
             told: nothing was destroyed",
            self.copies,
            self.live,
            parts(&self.classes),
            parts(&self.causes),
            self.allowed,
        )
    }
}

impl Tenure {
    /// What a sweep would destroy beyond what is allowed; nothing where the guard would let it through.
    pub fn guarded(&self, now: Instant, options: SweepOptions) -> Result<Option<Box<Excess>>, Error> {
        match self.guard(now, options) {
            Ok(()) => Ok(None),
            Err(Error::Guarded(excess)) => Ok(Some(excess)),
            Err(error) => Err(error),
        }
    }

    /// Refuses a sweep that would destroy more than is allowed.
    ///
    /// The index says cheaply how much can be due at most; only if that is too much is every copy judged to know
    /// how much it is. It costs what is due.
    pub(super) fn guard(&self, now: Instant, options: SweepOptions) -> Result<(), Error> {
        let at_most = match options.allow {
            Allowance::Anything => return Ok(()),
            Allowance::Copies(copies) => self.exceeds(options, copies, now)?.then_some((copies, copies)),
            Allowance::Share(share) => self.exceeds_share(options, share, now)?,
        };
        let Some((allowed, live)) = at_most else { return Ok(()) };
        let swept = self.sweep_dry_run(now, options)?;
        let copies = swept.total().min(options.limit as u64);
        if copies <= allowed {
            return Ok(());
        }
        let Swept { destroyed: classes, causes, .. } = swept;
        Err(Error::Guarded(Box::new(Excess { copies, allowed, live: live.max(copies), classes, causes })))
    }

    /// Whether more copies than this could be due, as far as the index knows.
    fn exceeds(&self, options: SweepOptions, copies: u64, now: Instant) -> Result<bool, Error> {
        Ok(self.at_most_due(now, options.by)?.min(options.limit as u64) > copies)
    }

    /// How many copies are allowed and how many live, if more than this share of all could be due.
    fn exceeds_share(
        &self,
        options: SweepOptions,
        share: u16,
        now: Instant,
    ) -> Result<Option<(u64, u64)>, Error> {
        let due = self.at_most_due(now, options.by)?.min(options.limit as u64);
        if due <= FLOOR {
            return Ok(None);
        }
        let share = u64::from(share.max(1));
        // No more is counted than is needed to know that the share is not exceeded.
        let enough = due.saturating_mul(1_000).div_ceil(share);
        let live = self.store.read(|tx| Ok::<_, Error>(tx.count_live(enough)?))?;
        let allowed = (live.saturating_mul(share) / 1_000).max(FLOOR);
        Ok((due > allowed).then_some((allowed, live)))
    }
}
