//! What is sealed together.

use std::collections::{BTreeSet, HashSet};

use tenure_model::Instant;
use tenure_policy::Due;
use tenure_store::{BatchId, ClassId, CopyKey, CopyStage, PageId, ReadTx, Sealing, Tx};

use super::{Judge, Judged, sealing};
use crate::Error;
use crate::filing::class_name;

/// What one transaction seals: what is due, and with each copy whatever else is due on the page of its key, so that
/// whole pages go and nothing on them has to be wrapped anew.
pub(super) struct Gathering<'g> {
    judge: Judge<'g>,
    classes: &'g [(ClassId, String)],
    batch: Option<BatchId>,
    epoch: u64,
    now: Instant,
    by: Instant,
    room: Room,
    pages: BTreeSet<PageId>,
    /// The page with which it was enough before all that is due on it was gathered.
    pub(super) unfinished: Option<PageId>,
    ended: Vec<(CopyKey, Sealing)>,
    taken: HashSet<CopyKey>,
}

/// How much may be taken.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// How many copies are enough for one transaction.
    pub(super) slice: usize,
    /// How many are enough for the batch, so that no other page is begun.
    pub(super) batch: usize,
    /// How many there may be at most.
    pub(super) left: usize,
}

impl<'g> Gathering<'g> {
    /// Gathers into a batch, which is opened if there is none.
    pub(super) fn new(
        judge: Judge<'g>,
        classes: &'g [(ClassId, String)],
        (batch, epoch): (Option<BatchId>, u64),
        (now, by): (Instant, Instant),
        room: Room,
    ) -> Self {
        let (pages, ended, taken) = (BTreeSet::new(), Vec::new(), HashSet::new());
        Self { judge, classes, batch, epoch, now, by, room, pages, unfinished: None, ended, taken }
    }

    /// Whether a copy was gathered with another on its page.
    pub(super) fn has(&self, key: CopyKey) -> bool {
        self.taken.contains(&key)
    }

    /// Seals what was gathered: the batch, if there is one now, and how many copies.
    pub(super) fn seal(self, tx: &mut dyn Tx) -> Result<(Option<BatchId>, usize), Error> {
        tx.seal_copies(&self.ended)?;
        Ok((self.batch, self.ended.len()))
    }

    /// Judges a copy.
    pub(super) fn judge(&mut self, tx: &mut dyn ReadTx, key: CopyKey) -> Result<Judged, Error> {
        let record = tx.record(key.record)?.ok_or(Error::UnknownRecord)?;
        self.judge.judge(tx, record, class_name(self.classes, key.class))
    }

    /// Takes a copy that is due, with those on its page that are. Says whether there was room for it.
    pub(super) fn take(&mut self, tx: &mut dyn Tx, key: CopyKey, due: Due) -> Result<bool, Error> {
        let Room { slice, batch, left } = self.room;
        let copy = tx.copy(key)?.ok_or(Error::UnknownRecord)?;
        let page = copy.state.wrap().map(|wrap| wrap.page).filter(|page| !self.pages.contains(page));
        if self.ended.len() >= left || page.is_some() && self.ended.len() >= slice.min(batch) {
            return Ok(false);
        }
        self.end(tx, key, due)?;
        if let Some(page) = page {
            self.take_page(tx, page)?;
        }
        Ok(true)
    }

    /// Takes what is due on a page, until that is enough. Where the day of the page is yet to come, what goes early
    /// goes alone.
    pub(super) fn take_page(&mut self, tx: &mut dyn Tx, page: PageId) -> Result<(), Error> {
        self.pages.insert(page);
        let day = tx.page(page)?.and_then(|page| page.shelf.day);
        if day.is_none_or(|day| day.start() > self.by) {
            return Ok(());
        }
        for mate in tx.copies_of_page(page)? {
            if mate.state.stage() != CopyStage::Live || self.taken.contains(&mate.key) {
                continue;
            }
            if self.ended.len() >= self.room.slice {
                self.unfinished = Some(page);
                return Ok(());
            }
            if let Judged::Due(due) = self.judge(tx, mate.key)? {
                self.end(tx, mate.key, due)?;
            }
        }
        Ok(())
    }

    fn end(&mut self, tx: &mut dyn Tx, key: CopyKey, due: Due) -> Result<(), Error> {
        let batch = match self.batch {
            Some(batch) => batch,
            None => tx.open_batch(self.now, self.epoch)?,
        };
        self.batch = Some(batch);
        self.ended.push((key, sealing(due, key, class_name(self.classes, key.class), batch, self.now)?));
        self.taken.insert(key);
        Ok(())
    }
}
