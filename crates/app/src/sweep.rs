//! The sweep: finds what may be due, judges it, and hands what is due to the one door.

mod gathering;
mod guard;
mod judge;
mod lease;
mod pace;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Serialize;
use tenure_model::{Day, Instant, MonthLength, Span};
use tenure_policy::{Due, FiledUnder, Situation};
use tenure_receipts::Digest;
use tenure_store::{AccountKey, BatchId, CopyKey, CopyStage, Group, ReadTx, Sealing, StoreExt as _, Tx};

use crate::filing::{SHARD, class_name, file};
use crate::holds::REVIEW_HELD;
use crate::policies::Policies;
use crate::record::Holds;
use crate::settings::refuse_if_stopped;
use crate::{Error, Tenure};

use gathering::Gathered;
pub use guard::{Allowance, Excess};
pub(crate) use judge::{Judge, Judged};
use lease::Lease;
use pace::Pace;

/// How many candidates are read or counted at once where nobody who writes waits for it.
const SLICE: usize = 500;
/// How many candidates one transaction judges. Others who write wait for no more than that.
const JUDGED: usize = 16;
/// How many copies are destroyed together: no fewer than fill a page, and no more than that and another page.
const BATCH_COPIES: usize = 256;

/// How long a sweep rests at once, well within what its lease lasts.
const REST_MOST: Duration = Duration::from_secs(10);
/// How long it sleeps before it asks whether it is to end.
const NAP_MOST: Duration = Duration::from_millis(100);

/// What a sweep is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepOptions {
    /// The instant by which what is due must be gone: now, or now and a lead.
    pub by: Instant,
    /// The most copies to destroy in this sweep.
    pub limit: usize,
    /// How much it may destroy without asking.
    pub allow: Allowance,
    /// How many copies a second may go, to spare what else uses the store; otherwise as many as can.
    pub rate: Option<u32>,
}

impl SweepOptions {
    /// A sweep of whatever must be gone by an instant.
    pub const fn everything(by: Instant) -> Self {
        Self { by, limit: usize::MAX, allow: Allowance::Anything, rate: None }
    }
}

/// The furthest that a sweep may work ahead: a mistaken lead would destroy what has years to go.
const LEAD_MAX_MICROS: i64 = 7 * 24 * 3_600 * 1_000_000;

impl SweepOptions {
    /// A sweep of what is due now or within a lead, as far as the guard lets it through.
    ///
    /// # Errors
    /// Refused for a lead of more than seven days.
    pub fn ahead(now: Instant, lead: Span, rate: Option<u32>) -> Result<Self, Error> {
        let by = now.plus(lead, MonthLength::Calendar);
        if by.micros().saturating_sub(now.micros()) > LEAD_MAX_MICROS {
            let refused = "a sweep works ahead by seven days at most: give a shorter lead";
            return Err(Error::Refused(refused.to_owned()));
        }
        Ok(Self { by, limit: usize::MAX, allow: Allowance::default(), rate })
    }
}

/// What a sweep did, or what a dry run would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Swept {
    /// Accounts whose copies were filed anew first.
    pub refiled_accounts: u64,
    /// Copies that the index found.
    pub examined: u64,
    /// Copies that it found and that something keeps all the same.
    pub kept: u64,
    /// Copies of those that only a hold keeps.
    pub held: u64,
    /// Copies of those that are in quarantine.
    pub quarantined: u64,
    /// Copies that were, or would be, destroyed, by class.
    pub destroyed: BTreeMap<String, u64>,
    /// The same by why they must go.
    pub causes: BTreeMap<String, u64>,
    /// Page keys that were destroyed.
    pub pages: u64,
    /// Keys that were wrapped anew because a page of theirs went early.
    pub rewrapped: u64,
    /// Packs that were removed.
    pub packs: u64,
    /// Packs of those that were written anew without what was dead in them.
    pub compacted: u64,
    /// Packs that their store is told to keep, as by an object lock.
    pub locked: u64,
    /// Copies that were verified to be absent, of this sweep and of earlier ones.
    pub verified: u64,
    /// Closed accounts whose evidence was destroyed after its term.
    pub proofs: u64,
    /// Batches of an earlier sweep that was cut short, and that this one finished.
    pub finished: u64,
    /// Whether Tenure only observes, so that nothing was destroyed.
    pub observed: bool,
}

impl Swept {
    /// How many copies were destroyed.
    pub fn total(&self) -> u64 {
        self.destroyed.values().sum()
    }

    pub(crate) fn destroyed(&mut self, class: &str, cause: &str) {
        *self.destroyed.entry(class.to_owned()).or_default() += 1;
        *self.causes.entry(cause.to_owned()).or_default() += 1;
    }

    fn kept(&mut self, held: bool, quarantined: bool) {
        self.kept += 1;
        self.held += u64::from(held);
        self.quarantined += u64::from(quarantined && !held);
    }
}

/// A sweep under way: who holds the right to destroy, and what it has come to.
pub(crate) struct Sweep<'t> {
    pub(crate) tenure: &'t Tenure,
    pub(crate) policies: Arc<Policies>,
    pub(crate) now: Instant,
    pub(crate) by: Instant,
    pub(crate) swept: Swept,
    lease: Lease,
    pub(crate) pace: Pace,
    /// How many more copies of each class may go, where two people said how many.
    most: Option<BTreeMap<String, u64>>,
    /// Set when the sweep is to end before its next step; whoever leaves is erased all the same.
    told_to_stop: Option<Arc<AtomicBool>>,
    /// Whether the next step that is committed is the last, and gives the lease back.
    pub(crate) last: bool,
    /// The root over all copies of a batch from which none goes back any more.
    pub(crate) settled: Option<(BatchId, Digest)>,
}

impl Tenure {
    /// Destroys what is due, and reports it. Progress is told as copies destroyed so far.
    ///
    /// Work that an earlier sweep left is finished first. It costs what is due and what was marked, not
    /// what is stored.
    ///
    /// # Errors
    /// [`Error::Paused`] while destruction is paused, [`Error::Guarded`] if more is due than is allowed,
    /// [`Error::SweptElsewhere`] and [`Error::LeaseLapsed`] if another process sweeps.
    pub fn sweep(
        &self,
        now: Instant,
        options: SweepOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Swept, Error> {
        if self.observes()? {
            return Ok(Swept { observed: true, ..self.sweep_dry_run(now, options)? });
        }
        self.sweep_as(now, options, |_| Ok(()), progress)
    }

    /// Sweeps as two people wanted: of each class no more than so many copies go, also of what falls due meanwhile.
    /// What is beyond that waits for the next sweep. They must agree in a step of the sweep, which holds the lease
    /// then and is not stopped, so that nothing they wanted is used up for nothing.
    pub fn sweep_agreed(
        &self,
        now: Instant,
        most: BTreeMap<String, u64>,
        agree: impl FnOnce(&mut dyn Tx) -> Result<(), Error> + Clone + Send + 'static,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Swept, Error> {
        let begin = |sweep: &mut Sweep<'_>| {
            sweep.most = Some(most);
            sweep.write(agree)
        };
        self.sweep_as(now, SweepOptions::everything(now), begin, progress)
    }

    fn sweep_as(
        &self,
        now: Instant,
        options: SweepOptions,
        begin: impl FnOnce(&mut Sweep<'_>) -> Result<(), Error>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Swept, Error> {
        let _alone = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sweep = Sweep {
            told_to_stop: Some(Arc::clone(&self.stopping)),
            pace: Pace::new(options.rate),
            ..Sweep::begin(self, now, options.by)?
        };
        let outcome = begin(&mut sweep).and_then(|()| sweep.run(options, progress));
        // A lease that can't be given back lapses by itself.
        let ended = sweep.end();
        outcome?;
        ended?;
        Ok(sweep.swept)
    }

    /// Ends the sweeps of this process before their next step, for good: it is about to end. What they left is
    /// finished by the next sweep, and whoever leaves meanwhile is erased all the same.
    pub fn stop_sweeping(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// What a sweep would destroy at an instant, which may lie in the future. Nothing is changed.
    pub fn sweep_dry_run(&self, now: Instant, options: SweepOptions) -> Result<Swept, Error> {
        let policies = self.policies()?;
        let groups = self.due_groups(&policies, now, options.by)?;
        self.store.read(|tx| {
            let mut swept = Swept::default();
            let holds = Holds::load(tx)?;
            let classes = tx.classes()?;
            let marked: BTreeSet<AccountKey> =
                tx.refile_slice(usize::MAX)?.iter().map(|mark| mark.account).collect();
            let mut judge = Judge::new(self, &policies, &holds, now, options.by);
            for (group, up_to) in groups {
                let mut after = None;
                loop {
                    let found = tx.due(SHARD, group, up_to, after, SLICE)?;
                    let Some(last) = found.last() else { break };
                    after = Some(*last);
                    for due in found.into_iter().filter(|due| !marked.contains(&due.account)) {
                        let key = CopyKey { account: due.account, record: due.record, class: group.class };
                        count(tx, &mut judge, key, class_name(&classes, group.class), &mut swept)?;
                    }
                }
            }
            // Accounts that wait to be filed anew are judged one by one, so that nothing is missed.
            for account in marked {
                let mut after: Option<CopyKey> = None;
                loop {
                    let copies = tx.copies_of(account, after, SLICE)?;
                    let Some(last) = copies.last() else { break };
                    after = Some(last.key);
                    for copy in copies.iter().filter(|copy| copy.state.stage() == CopyStage::Live) {
                        count(tx, &mut judge, copy.key, class_name(&classes, copy.key.class), &mut swept)?;
                    }
                }
            }
            Ok(swept)
        })
    }

    fn due_groups(&self, policies: &Policies, now: Instant, by: Instant) -> Result<Vec<(Group, Day)>, Error> {
        self.store.read(|tx| due_groups(tx, policies, now, by))
    }

    /// How many copies can be due by an instant at most: what the index finds, and everything of accounts that wait
    /// to be filed anew.
    fn at_most_due(&self, now: Instant, by: Instant) -> Result<u64, Error> {
        let mut copies = self.indexed_as_due(now, by)?;
        self.store.read(|tx| {
            for mark in tx.refile_slice(usize::MAX)? {
                let mut after: Option<CopyKey> = None;
                while let slice @ [_, ..] = &*tx.copies_of(mark.account, after, SLICE)? {
                    copies += slice.len() as u64;
                    after = slice.last().map(|copy| copy.key);
                }
            }
            Ok(copies)
        })
    }

    /// How many copies the index finds to be due by an instant, at most: no verdict is asked.
    pub(crate) fn indexed_as_due(&self, now: Instant, by: Instant) -> Result<u64, Error> {
        let policies = self.policies()?;
        let groups = self.due_groups(&policies, now, by)?;
        self.store.read(|tx| {
            let mut copies = 0;
            for (group, up_to) in groups {
                let days = tx.count_due(SHARD, group, Day(i32::MIN), up_to)?;
                copies += days.iter().map(|day| day.copies).sum::<u64>();
            }
            Ok(copies)
        })
    }
}

/// The groups in which something can be due by an instant, each with the last such day.
pub(crate) fn due_groups(
    tx: &mut dyn ReadTx,
    policies: &Policies,
    now: Instant,
    by: Instant,
) -> Result<Vec<(Group, Day)>, Error> {
    let classes = tx.classes()?;
    // What holds keep is looked at only where a hold has changed since the last sweep looked.
    let review = tx.meta(REVIEW_HELD)?.is_some_and(|asked| !asked.is_empty());
    let mut situations: HashMap<i64, Option<Situation>> = HashMap::new();
    let mut found = Vec::new();
    for group in tx.groups(SHARD)? {
        let filed = FiledUnder::from_number(group.anchor);
        let situation = match situations.entry(group.situation.0) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                let body = tx.situation(group.situation)?;
                entry.insert(body.and_then(|body| serde_json::from_slice(&body).ok()))
            }
        };
        // What can't be understood is looked at one by one; the verdict decides.
        let lineage = situation.as_ref().and_then(|situation| policies.of_surface(situation.surface()));
        let last = match (situation, lineage) {
            _ if filed == FiledUnder::HELD => review.then_some(Day(i32::MAX)),
            (Some(situation), Some((lineage, _))) => {
                lineage.cutoff_ahead(situation, class_name(&classes, group.class), filed, now, by).last_day()
            }
            _ => Some(Day(i32::MAX)),
        };
        found.extend(last.map(|day| (group, day)));
    }
    Ok(found)
}

/// Counts what would become of a copy.
fn count(
    tx: &mut dyn ReadTx,
    judge: &mut Judge<'_>,
    key: CopyKey,
    class: &str,
    swept: &mut Swept,
) -> Result<(), Error> {
    swept.examined += 1;
    let record = tx.record(key.record)?.ok_or(Error::UnknownRecord)?;
    match judge.judge(tx, record, class)? {
        Judged::Due(due) => swept.destroyed(class, due.cause().word()),
        Judged::Kept { held, quarantined, .. } => swept.kept(held, quarantined),
    }
    Ok(())
}

impl<'t> Sweep<'t> {
    pub(crate) fn begin(tenure: &'t Tenure, now: Instant, by: Instant) -> Result<Self, Error> {
        tenure.store.read(refuse_if_stopped)?;
        Self::with(tenure, Lease::take(tenure, now)?, now, by)
    }

    /// One that takes the right to destroy with its first step, to spare whoever waits for it a commit. Whether
    /// destruction is stopped is asked there too.
    pub(crate) fn at_once(tenure: &'t Tenure, now: Instant) -> Result<Self, Error> {
        Self::with(tenure, Lease::to_be_taken(tenure, now), now, now)
    }

    fn with(tenure: &'t Tenure, lease: Lease, now: Instant, by: Instant) -> Result<Self, Error> {
        let (policies, swept) = (tenure.policies()?, Swept::default());
        Ok(Self {
            tenure,
            policies,
            now,
            by,
            swept,
            lease,
            pace: Pace::new(None),
            most: None,
            told_to_stop: None,
            last: false,
            settled: None,
        })
    }

    pub(crate) fn end(&self) -> Result<(), Error> {
        if !self.lease.is_taken() {
            return Ok(());
        }
        let lease = self.lease.clone();
        self.tenure.store.write(move |tx| lease.end(tx))
    }

    /// Commits a step: it fails if another process sweeps, or destruction was stopped.
    pub(crate) fn write<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut dyn Tx) -> Result<T, Error> + Clone + Send + 'static,
    ) -> Result<T, Error> {
        self.go_on()?;
        let (lease, until, last) = (self.lease.clone(), self.lease.next(), self.last);
        let (done, token) = self.tenure.store.write(move |tx| {
            refuse_if_stopped(tx)?;
            let token = lease.hold(tx, until)?;
            let done = step(tx)?;
            if last {
                lease::end(tx, token)?;
            }
            Ok::<_, Error>((done, token))
        })?;
        self.lease.prolonged(token, until);
        Ok(done)
    }

    /// Rests after a step with so many copies, if the sweep is not to go as fast as it can.
    pub(crate) fn rest(&self, copies: usize) -> Result<(), Error> {
        let mut left = self.pace.after(copies as u64);
        while left > REST_MOST {
            self.nap(REST_MOST)?;
            left -= REST_MOST;
            // The lease must not lapse meanwhile.
            self.write(|_| Ok(()))?;
        }
        self.nap(left)
    }

    /// Sleeps, unless the sweep is told to end.
    fn nap(&self, mut left: Duration) -> Result<(), Error> {
        while !left.is_zero() {
            self.go_on()?;
            let part = left.min(NAP_MOST);
            thread::sleep(part);
            left -= part;
        }
        Ok(())
    }

    /// Refuses the next step if the sweep was told to end. What is done by then stands, as after a crash.
    fn go_on(&self) -> Result<(), Error> {
        let stop = self.told_to_stop.as_ref().is_some_and(|stop| stop.load(Ordering::Acquire));
        if stop { Err(Error::Stopping) } else { Ok(()) }
    }

    /// Does what can't be taken back outside the store, unless the right to do so has lapsed or destruction was
    /// stopped. Whoever stops it waits for the step that is under way.
    pub(crate) fn irrevocably<T>(&self, step: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
        self.go_on()?;
        let _door = self.tenure.door.lock().unwrap_or_else(PoisonError::into_inner);
        self.tenure.store.read(|tx| {
            refuse_if_stopped(tx)?;
            self.lease.lasts(tx)
        })?;
        step()
    }

    fn run(&mut self, options: SweepOptions, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        for batch in self.tenure.unfinished_batches()? {
            self.destroy_batch(batch)?;
            self.swept.finished += 1;
        }
        self.swept.refiled_accounts = self.refile_marked()?;
        self.review_held()?;
        self.tenure.guard(self.now, options)?;
        self.destroy_due(options.limit, progress)?;
        self.remove_bytes()?;
        self.swept.proofs = self.destroy_proofs()?;
        let swept = &self.swept;
        if swept.total() + swept.packs + swept.proofs + swept.finished + swept.verified > 0 {
            // What was deleted must not stay in the engine's own logs; a reader in the way only delays that.
            self.tenure.store.scrub()?;
        }
        Ok(())
    }

    fn destroy_due(&mut self, limit: usize, progress: &mut dyn FnMut(u64)) -> Result<(), Error> {
        let (mut batch, mut gathered) = (Gathered::default(), 0);
        for (group, up_to) in self.tenure.due_groups(&self.policies, self.now, self.by)? {
            let mut after = None;
            while gathered < limit {
                let before = batch.copies;
                after = self.gather((group, up_to, after), &mut batch, limit - gathered)?;
                gathered += batch.copies - before;
                if batch.copies >= BATCH_COPIES {
                    self.finish(&mut batch)?;
                    progress(self.swept.total());
                }
                if after.is_none() {
                    break;
                }
            }
        }
        self.finish(&mut batch)?;
        progress(self.swept.total());
        Ok(())
    }

    /// Takes what was gathered through the door, if anything was.
    fn finish(&mut self, batch: &mut Gathered) -> Result<(), Error> {
        match std::mem::take(batch).id {
            Some(id) => self.destroy_batch(id),
            None => Ok(()),
        }
    }

    /// After a hold was released, files anew what holds kept past its term.
    fn review_held(&self) -> Result<(), Error> {
        let asked = self.tenure.store.read(|tx| Ok::<_, Error>(tx.meta(REVIEW_HELD)?))?;
        let Some(asked) = asked.filter(|epoch| !epoch.is_empty()) else { return Ok(()) };
        let held = |group: &Group| FiledUnder::from_number(group.anchor) == FiledUnder::HELD;
        let groups = self.tenure.store.read(|tx| Ok::<_, Error>(tx.groups(SHARD)?))?;
        for group in groups.into_iter().filter(held) {
            let mut after = None;
            loop {
                let (tenure, policies) = (self.tenure.clone(), Arc::clone(&self.policies));
                let (now, by) = (self.now, self.by);
                let last = self.write(move |tx| {
                    let policies = Policies::current(tx, &policies)?;
                    let holds = Holds::load(tx)?;
                    let classes = tx.classes()?;
                    let found = tx.due(SHARD, group, Day(i32::MAX), after, JUDGED)?;
                    let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
                    for due in &found {
                        let record = tx.record(due.record)?.ok_or(Error::UnknownRecord)?;
                        let filed = judge.file(tx, record, class_name(&classes, group.class))?;
                        let key = CopyKey { account: due.account, record: due.record, class: group.class };
                        file(tx, key, &filed)?;
                    }
                    Ok(found.last().copied())
                })?;
                match last {
                    Some(last) => after = Some(last),
                    None => break,
                }
            }
        }
        self.write(move |tx| {
            // A release that came meanwhile has asked anew.
            if tx.meta(REVIEW_HELD)?.as_ref() == Some(&asked) {
                tx.set_meta(REVIEW_HELD, "")?;
            }
            Ok(())
        })
    }
}

/// The end of a copy, made of the token that the verdict on that very copy gave; it is used up. Nothing else gives a
/// copy an end.
pub(crate) fn sealing(
    due: Due,
    key: CopyKey,
    class: &str,
    batch: BatchId,
    sealed_at: Instant,
) -> Result<Sealing, Error> {
    if !due.is_for(&key.record.to_string(), class) {
        return Err(Error::Refused("a copy was about to be destroyed by the verdict on another".to_owned()));
    }
    let sealing = Sealing { batch, due_at: due.since(), cause: due.cause().word().to_owned(), sealed_at };
    drop(due);
    Ok(sealing)
}
