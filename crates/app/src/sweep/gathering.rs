//! Gathering what is due into batches.
//!
//! Candidates are looked at on a snapshot, beside everybody who writes, and only what follows is written: the copies
//! that are due are sealed, and the others filed anew. What changed meanwhile harms nothing for good. What is sealed is
//! only out of use until it is judged again, in the transaction that takes its key, and a sweep that is stopped before
//! that leaves it so for the next one; what is kept is judged again where it is filed.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use tenure_model::{Day, Instant};
use tenure_policy::Due;
use tenure_store::{BatchId, ClassId, CopyKey, CopyStage, DueCopy, Group, PageId, ReadTx, StoreExt as _};

use super::{BATCH_COPIES, Judge, Judged, SHARD, Sweep, sealing};
use crate::Error;
use crate::filing::{class_name, file};
use crate::policies::Policies;
use crate::record::Holds;

/// How many candidates are looked at on one snapshot, not counting what lies on their pages.
const LOOKED_AT: usize = 128;
/// How many copies one transaction seals. Others who write wait for no more than that.
const SEALED: usize = 64;
/// How many one transaction judges again and files anew.
const FILED: usize = 16;

/// A group of the due index, up to which day it is looked at, and from after which candidate on.
pub(super) type Reading = (Group, Day, Option<DueCopy>);

/// The batch that is being gathered, once something due was found.
#[derive(Clone, Copy, Default)]
pub(super) struct Gathered {
    pub(super) id: Option<BatchId>,
    pub(super) copies: usize,
}

/// What a snapshot showed.
struct Looked {
    epoch: u64,
    classes: Arc<[(ClassId, String)]>,
    due: Vec<(CopyKey, Due)>,
    kept: Vec<CopyKey>,
    last: Option<DueCopy>,
    /// Whether the index has nothing more of the group.
    whole: bool,
}

impl Sweep<'_> {
    /// Looks at a group's next candidates, seals what is due into the batch, and files anew what is kept. Says from
    /// where to go on, unless nothing of the group is left.
    pub(super) fn gather(
        &mut self,
        reading: Reading,
        batch: &mut Gathered,
        left: usize,
    ) -> Result<Option<DueCopy>, Error> {
        let Looked { epoch, classes, mut due, kept, last, whole } = self.look(reading, *batch, left)?;
        if let Some(most) = &mut self.most {
            due.retain(|(key, _)| match most.get_mut(class_name(&classes, key.class)) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    true
                }
                _ => false,
            });
        }
        self.swept.examined += (due.len() + kept.len()) as u64;
        let mut due = due.into_iter().peekable();
        while due.peek().is_some() {
            let slice: Vec<_> = due.by_ref().take(SEALED).collect();
            let sealed = slice.len();
            let id = batch.id.map_or_else(|| self.open_batch(epoch), Ok)?;
            batch.id = Some(id);
            self.seal(slice, &classes, id)?;
            batch.copies += sealed;
            self.rest(sealed)?;
        }
        for slice in kept.chunks(FILED) {
            self.file_kept(slice.to_vec(), Arc::clone(&classes))?;
        }
        Ok(last.filter(|_| !whole))
    }

    fn look(&self, reading: Reading, batch: Gathered, left: usize) -> Result<Looked, Error> {
        let (group, up_to, after) = reading;
        let wanted = LOOKED_AT.min(left);
        self.tenure.store.read(|tx| {
            let policies = Policies::current(tx, &self.policies)?;
            let holds = Holds::load(tx)?;
            let classes: Arc<[_]> = tx.classes()?.into();
            let judge = Judge::new(self.tenure, &policies, &holds, self.now, self.by);
            let room = Room { batch: BATCH_COPIES.saturating_sub(batch.copies), left };
            let mut gathering = Gathering::new(judge, &classes, self.by, room);
            let found = tx.due(SHARD, group, up_to, after, wanted)?;
            let (mut whole, mut last) = (found.len() < wanted, after);
            for candidate in found {
                let key =
                    CopyKey { account: candidate.account, record: candidate.record, class: group.class };
                if !gathering.meet(tx, key)? {
                    // The rest waits for the next batch.
                    whole = false;
                    break;
                }
                last = Some(candidate);
            }
            let Gathering { due, kept, .. } = gathering;
            Ok(Looked { epoch: holds.epoch, classes: Arc::clone(&classes), due, kept, last, whole })
        })
    }

    fn open_batch(&self, epoch: u64) -> Result<BatchId, Error> {
        let now = self.now;
        self.write(move |tx| Ok(tx.open_batch(now, epoch)?))
    }

    fn seal(
        &self,
        due: Vec<(CopyKey, Due)>,
        classes: &[(ClassId, String)],
        batch: BatchId,
    ) -> Result<(), Error> {
        let mut ended = Vec::with_capacity(due.len());
        for (key, due) in due {
            ended.push((key, sealing(due, key, class_name(classes, key.class), batch, self.now)?));
        }
        self.write(move |tx| Ok(tx.seal_copies(&ended).map(drop)?))
    }

    /// Judges again what was found to be kept, and files it under what keeps it. What is due by now is found by the
    /// next sweep.
    fn file_kept(&mut self, kept: Vec<CopyKey>, classes: Arc<[(ClassId, String)]>) -> Result<(), Error> {
        let (tenure, policies) = (self.tenure.clone(), Arc::clone(&self.policies));
        let (now, by) = (self.now, self.by);
        let filed = self.write(move |tx| {
            let policies = Policies::current(tx, &policies)?;
            let holds = Holds::load(tx)?;
            let mut judge = Judge::new(&tenure, &policies, &holds, now, by);
            let mut told = Vec::with_capacity(kept.len());
            for key in kept {
                let record = tx.record(key.record)?.ok_or(Error::UnknownRecord)?;
                let judged = judge.judge(tx, record, class_name(&classes, key.class))?;
                let Judged::Kept { held, quarantined, filed } = judged else { continue };
                file(tx, key, &filed)?;
                told.push((held, quarantined));
            }
            Ok(told)
        })?;
        for (held, quarantined) in filed {
            self.swept.kept(held, quarantined);
        }
        Ok(())
    }
}

/// How much may be taken.
#[derive(Clone, Copy)]
struct Room {
    /// How many copies are enough for the batch, so that no other page is begun.
    batch: usize,
    /// How many there may be at most.
    left: usize,
}

/// What is to be sealed together: what is due, and with each copy whatever else is due on the page of its key, so that
/// whole pages go and nothing on them has to be wrapped anew.
struct Gathering<'g> {
    judge: Judge<'g>,
    classes: &'g [(ClassId, String)],
    by: Instant,
    room: Room,
    pages: BTreeSet<PageId>,
    taken: HashSet<CopyKey>,
    due: Vec<(CopyKey, Due)>,
    kept: Vec<CopyKey>,
}

impl<'g> Gathering<'g> {
    fn new(judge: Judge<'g>, classes: &'g [(ClassId, String)], by: Instant, room: Room) -> Self {
        let (pages, taken, due, kept) = (BTreeSet::new(), HashSet::new(), Vec::new(), Vec::new());
        Self { judge, classes, by, room, pages, taken, due, kept }
    }

    fn judge(&mut self, tx: &mut dyn ReadTx, key: CopyKey) -> Result<Judged, Error> {
        let record = tx.record(key.record)?.ok_or(Error::UnknownRecord)?;
        self.judge.judge(tx, record, class_name(self.classes, key.class))
    }

    /// Judges a candidate, and takes it if it is due, with those on its page that are. Says whether there was room.
    fn meet(&mut self, tx: &mut dyn ReadTx, key: CopyKey) -> Result<bool, Error> {
        if self.taken.contains(&key) {
            return Ok(true);
        }
        let Judged::Due(due) = self.judge(tx, key)? else {
            self.kept.push(key);
            return Ok(true);
        };
        let copy = tx.copy(key)?.ok_or(Error::UnknownRecord)?;
        let page = copy.state.wrap().map(|wrap| wrap.page).filter(|page| !self.pages.contains(page));
        let Room { batch, left } = self.room;
        if self.due.len() >= left || page.is_some() && self.due.len() >= batch {
            return Ok(false);
        }
        self.take(key, due);
        if let Some(page) = page {
            self.take_page(tx, page)?;
        }
        Ok(true)
    }

    /// Takes what is due on a page. Where the day of the page is yet to come, what goes early goes alone.
    fn take_page(&mut self, tx: &mut dyn ReadTx, page: PageId) -> Result<(), Error> {
        self.pages.insert(page);
        let day = tx.page(page)?.and_then(|page| page.shelf.day);
        if day.is_none_or(|day| day.start() > self.by) {
            return Ok(());
        }
        for mate in tx.copies_of_page(page)? {
            if self.due.len() >= self.room.left {
                break;
            }
            if mate.state.stage() == CopyStage::Live
                && !self.taken.contains(&mate.key)
                && let Judged::Due(due) = self.judge(tx, mate.key)?
            {
                self.take(mate.key, due);
            }
        }
        Ok(())
    }

    fn take(&mut self, key: CopyKey, due: Due) {
        self.due.push((key, due));
        self.taken.insert(key);
    }
}
