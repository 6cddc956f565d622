//! The sweep: finds what may be due, judges it, and hands what is due to the one door.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, PoisonError};

use serde::Serialize;
use tenure_model::{Day, Instant};
use tenure_policy::{FiledUnder, Situation};
use tenure_store::{
    AccountKey, BatchId, CopyKey, CopyRow, CopyStage, CopyState, DueCopy, Group, ReadTx, RecordRow,
    StoreExt as _, Tx,
};

use crate::filing::{SHARD, class_name, file, filed};
use crate::holds::REVIEW_HELD;
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Holds, Loaded, Reader, Seen, With};
use crate::{Error, Tenure};

/// How many candidates one transaction judges.
const SLICE: usize = 500;
/// How many copies are destroyed together.
const BATCH_COPIES: usize = 4_096;

/// What a sweep is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SweepOptions {
    /// The instant by which what is due must be gone: now, or now and a lead.
    pub by: Instant,
    /// The most copies to destroy in this sweep.
    pub limit: usize,
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
    /// Copies that were, or would be, destroyed, by class.
    pub destroyed: BTreeMap<String, u64>,
    /// Page keys that were destroyed.
    pub pages: u64,
    /// Keys that were wrapped anew because a page of theirs went early.
    pub rewrapped: u64,
    /// Packs that were removed.
    pub packs: u64,
    /// Closed accounts whose evidence was destroyed after its term.
    pub proofs: u64,
    /// Batches of an earlier sweep that was cut short, and that this one finished.
    pub finished: u64,
}

impl Swept {
    /// How many copies were destroyed.
    pub fn total(&self) -> u64 {
        self.destroyed.values().sum()
    }

    fn count(&mut self, slice: &Slice) {
        self.examined += slice.found as u64;
        self.kept += slice.kept;
        self.held += slice.held;
    }
}

/// What is to become of a copy that the index found.
enum Judged {
    Due(tenure_policy::Due),
    Kept { held: bool, filed: crate::filing::Filed },
}

/// What one transaction judged.
#[derive(Default)]
struct Slice {
    found: usize,
    last: Option<DueCopy>,
    kept: u64,
    held: u64,
    due: BTreeMap<String, u64>,
    batch: Option<BatchId>,
}

/// The batch that is being gathered, once something due was found.
#[derive(Default)]
struct Gathered {
    id: Option<BatchId>,
    copies: usize,
}

impl Tenure {
    /// Destroys what is due, and reports it. Progress is told as copies destroyed so far.
    ///
    /// Work that an earlier sweep left is finished first. It costs what is due and what was marked, not
    /// what is stored.
    pub fn sweep(
        &self,
        now: Instant,
        options: SweepOptions,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Swept, Error> {
        let _alone = self.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        let mut swept = Swept::default();
        for batch in self.unfinished_batches()? {
            self.destroy_batch(batch, now, options.by, &mut swept)?;
            swept.finished += 1;
        }
        swept.refiled_accounts = self.refile_marked(now)?;
        self.review_held(now, options.by)?;
        let policies = self.policies()?;
        let mut batch = Gathered::default();
        let mut left = options.limit;
        for (group, up_to) in self.due_groups(&policies, now, options.by)? {
            let mut after = None;
            while left > 0 {
                let wanted = SLICE.min(left);
                let slice =
                    self.gather(&policies, (group, up_to, after), batch.id, (now, options.by), wanted)?;
                let due: u64 = slice.due.values().sum();
                let due = usize::try_from(due).unwrap_or(usize::MAX);
                after = slice.last.or(after);
                left = left.saturating_sub(due);
                batch = Gathered { id: slice.batch.or(batch.id), copies: batch.copies + due };
                let found = slice.found;
                swept.count(&slice);
                if batch.copies >= BATCH_COPIES {
                    self.finish(&mut batch, now, options.by, &mut swept)?;
                    progress(swept.total());
                }
                if found < wanted {
                    break;
                }
            }
        }
        self.finish(&mut batch, now, options.by, &mut swept)?;
        progress(swept.total());
        swept.packs = self.remove_idle_packs(now)?;
        swept.proofs = self.destroy_proofs(now)?;
        if swept.total() + swept.packs + swept.proofs > 0 {
            // What was deleted must not stay in the engine's own logs; a reader in the way only delays that.
            self.store.scrub()?;
        }
        Ok(swept)
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
            let count = |swept: &mut Swept, judged: Judged, class: &str| match judged {
                Judged::Due(_) => *swept.destroyed.entry(class.to_owned()).or_default() += 1,
                Judged::Kept { held, .. } => {
                    swept.kept += 1;
                    swept.held += u64::from(held);
                }
            };
            for (group, up_to) in groups {
                let mut after = None;
                loop {
                    let found = tx.due(SHARD, group, up_to, after, SLICE)?;
                    let Some(last) = found.last() else { break };
                    after = Some(*last);
                    for due in found.into_iter().filter(|due| !marked.contains(&due.account)) {
                        let class = class_name(&classes, group.class);
                        swept.examined += 1;
                        let record = tx.record(due.record)?.ok_or(Error::UnknownRecord)?;
                        let judged = judge.judge(tx, record, class)?;
                        count(&mut swept, judged, class);
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
                        let class = class_name(&classes, copy.key.class);
                        swept.examined += 1;
                        let record = tx.record(copy.key.record)?.ok_or(Error::UnknownRecord)?;
                        let judged = judge.judge(tx, record, class)?;
                        count(&mut swept, judged, class);
                    }
                }
            }
            Ok(swept)
        })
    }

    /// The groups in which something can be due by an instant, each with the last such day.
    fn due_groups(&self, policies: &Policies, now: Instant, by: Instant) -> Result<Vec<(Group, Day)>, Error> {
        self.store.read(|tx| {
            let classes = tx.classes()?;
            let mut situations: HashMap<i64, Option<Situation>> = HashMap::new();
            let mut found = Vec::new();
            for group in tx.groups(SHARD)? {
                let situation = match situations.entry(group.situation.0) {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        let body = tx.situation(group.situation)?;
                        entry.insert(body.and_then(|body| serde_json::from_slice(&body).ok()))
                    }
                };
                // What can't be understood is looked at one by one; the verdict decides.
                let lineage =
                    situation.as_ref().and_then(|situation| policies.of_surface(situation.surface()));
                let last = match (situation, lineage) {
                    (Some(situation), Some((lineage, _))) => {
                        let filed = FiledUnder::from_number(group.anchor);
                        lineage
                            .cutoff_ahead(situation, class_name(&classes, group.class), filed, now, by)
                            .last_day()
                    }
                    _ if FiledUnder::from_number(group.anchor) == FiledUnder::HELD => None,
                    _ => Some(Day(i32::MAX)),
                };
                found.extend(last.map(|day| (group, day)));
            }
            Ok(found)
        })
    }

    /// Takes what was gathered through the door, if anything was.
    fn finish(
        &self,
        batch: &mut Gathered,
        now: Instant,
        by: Instant,
        swept: &mut Swept,
    ) -> Result<(), Error> {
        match std::mem::take(batch).id {
            Some(id) => self.destroy_batch(id, now, by, swept),
            None => Ok(()),
        }
    }

    /// Judges a slice of candidates: seals what is due into a batch, and files what is kept anew.
    fn gather(
        &self,
        policies: &Arc<Policies>,
        (group, up_to, after): (Group, Day, Option<DueCopy>),
        batch: Option<BatchId>,
        (now, by): (Instant, Instant),
        wanted: usize,
    ) -> Result<Slice, Error> {
        let (tenure, policies) = (self.clone(), Arc::clone(policies));
        self.store.write(move |tx| {
            let holds = Holds::load(tx)?;
            let classes = tx.classes()?;
            let class = class_name(&classes, group.class);
            let found = tx.due(SHARD, group, up_to, after, wanted)?;
            let mut slice =
                Slice { found: found.len(), last: found.last().copied(), batch, ..Slice::default() };
            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
            for due in found {
                let key = CopyKey { account: due.account, record: due.record, class: group.class };
                let record = tx.record(due.record)?.ok_or(Error::UnknownRecord)?;
                match judge.judge(tx, record, class)? {
                    Judged::Due(due) => {
                        let id = match slice.batch {
                            Some(id) => id,
                            None => tx.open_batch(now, holds.epoch)?,
                        };
                        slice.batch = Some(id);
                        seal_copy(tx, key, id, due, now)?;
                        *slice.due.entry(class.to_owned()).or_default() += 1;
                    }
                    Judged::Kept { held, filed } => {
                        file(tx, key, &filed)?;
                        slice.kept += 1;
                        slice.held += u64::from(held);
                    }
                }
            }
            Ok(slice)
        })
    }

    /// After a hold was released, files anew what holds kept past its term.
    fn review_held(&self, now: Instant, by: Instant) -> Result<(), Error> {
        let policies = self.policies()?;
        let asked = self.store.read(|tx| Ok::<_, Error>(tx.meta(REVIEW_HELD)?))?;
        let Some(asked) = asked.filter(|epoch| !epoch.is_empty()) else { return Ok(()) };
        let held = |group: &Group| FiledUnder::from_number(group.anchor) == FiledUnder::HELD;
        let groups: Vec<Group> =
            self.store.read(|tx| Ok::<_, Error>(tx.groups(SHARD)?))?.into_iter().filter(held).collect();
        for group in groups {
            let mut after = None;
            loop {
                let (tenure, policies) = (self.clone(), Arc::clone(&policies));
                let last = self.store.write(move |tx| {
                    let holds = Holds::load(tx)?;
                    let classes = tx.classes()?;
                    let found = tx.due(SHARD, group, Day(i32::MAX), after, SLICE)?;
                    let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
                    for due in &found {
                        let record = tx.record(due.record)?.ok_or(Error::UnknownRecord)?;
                        let filed = judge.file(tx, record, class_name(&classes, group.class))?;
                        file(
                            tx,
                            CopyKey { account: due.account, record: due.record, class: group.class },
                            &filed,
                        )?;
                    }
                    Ok::<_, Error>(found.last().copied())
                })?;
                match last {
                    Some(last) => after = Some(last),
                    None => break,
                }
            }
        }
        self.store.write(move |tx| {
            // A release that came meanwhile has asked anew.
            if tx.meta(REVIEW_HELD)?.as_ref() == Some(&asked) {
                tx.set_meta(REVIEW_HELD, "")?;
            }
            Ok(())
        })
    }
}

/// Takes a copy out of use: its end is decided. Only a verdict makes the token that this asks for.
fn seal_copy(
    tx: &mut dyn Tx,
    key: CopyKey,
    batch: BatchId,
    due: tenure_policy::Due,
    now: Instant,
) -> Result<(), Error> {
    drop(due);
    let Some(CopyRow { state: CopyState::Live { wrap }, .. }) = tx.copy(key)? else { return Ok(()) };
    tx.move_copy(key, CopyStage::Live, &CopyState::Sealed { wrap, batch, sealed_at: now })?;
    Ok(())
}

/// Judges copies one after another, and keeps what the copies of one account share.
pub(crate) struct Judge<'a> {
    tenure: &'a Tenure,
    policies: &'a Policies,
    holds: Vec<tenure_policy::case::Hold<'a>>,
    now: Instant,
    by: Instant,
    person: Option<Person>,
    seen: Seen,
}

impl<'a> Judge<'a> {
    pub(crate) fn new(
        tenure: &'a Tenure,
        policies: &'a Policies,
        holds: &'a Holds,
        now: Instant,
        by: Instant,
    ) -> Self {
        Self { tenure, policies, holds: holds.as_facts(), now, by, person: None, seen: Seen::new() }
    }

    fn load(&mut self, tx: &mut dyn ReadTx, record: RecordRow) -> Result<Loaded, Error> {
        if self.person.as_ref().is_none_or(|person| person.row.key != record.account) {
            self.person = Some(self.tenure.person_of(tx, record.account)?);
        }
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let mut reader = Reader::new(self.policies, person);
        std::mem::swap(&mut reader.seen, &mut self.seen);
        let loaded = reader.load(tx, record, With::Nothing);
        self.seen = reader.seen;
        loaded
    }

    fn judge(&mut self, tx: &mut dyn ReadTx, record: RecordRow, class: &str) -> Result<Judged, Error> {
        let loaded = self.load(tx, record)?;
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let facts = loaded.facts(person, &[], &self.holds, self.now);
        let verdict = loaded.lineage.judge(&facts);
        if let Some(due) = loaded.lineage.due(&facts, &verdict, class, self.by) {
            return Ok(Judged::Due(due));
        }
        let held = loaded.lineage.class(&facts, &verdict, class).held;
        Ok(Judged::Kept { held, filed: filed(&loaded.lineage, &facts, &verdict, class)? })
    }

    /// Whether a copy is still due, with the token that says so.
    pub(crate) fn due(
        &mut self,
        tx: &mut dyn ReadTx,
        record: RecordRow,
        class: &str,
    ) -> Result<Option<tenure_policy::Due>, Error> {
        Ok(match self.judge(tx, record, class)? {
            Judged::Due(due) => Some(due),
            Judged::Kept { .. } => None,
        })
    }

    fn file(
        &mut self,
        tx: &mut dyn ReadTx,
        record: RecordRow,
        class: &str,
    ) -> Result<crate::filing::Filed, Error> {
        let loaded = self.load(tx, record)?;
        let person = self.person.as_ref().ok_or(Error::UnknownAccount)?;
        let facts = loaded.facts(person, &[], &self.holds, self.now);
        let verdict = loaded.lineage.judge(&facts);
        filed(&loaded.lineage, &facts, &verdict, class)
    }
}
