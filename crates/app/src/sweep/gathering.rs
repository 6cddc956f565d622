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
    /// How many copies are enough for one transaction, and how many may be taken at most.
    most: (usize, usize),
    pages: BTreeSet<PageId>,
    ended: Vec<(CopyKey, Sealing)>,
    taken: HashSet<CopyKey>,
}

impl<'g> Gathering<'g> {
    /// Gathers into a batch, which is opened if there is none, about as many copies as were asked of the index, and
    /// at most as many as are left.
    pub(super) fn new(
        judge: Judge<'g>,
        classes: &'g [(ClassId, String)],
        (batch, epoch): (Option<BatchId>, u64),
        now: Instant,
        (wanted, left): (usize, usize),
    ) -> Self {
        let most = (wanted.saturating_mul(2).min(left), left);
        let (pages, ended, taken) = (BTreeSet::new(), Vec::new(), HashSet::new());
        Self { judge, classes, batch, epoch, now, most, pages, ended, taken }
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
        let (enough, most) = self.most;
        let copy = tx.copy(key)?.ok_or(Error::UnknownRecord)?;
        let page = copy.state.wrap().map(|wrap| wrap.page).filter(|page| !self.pages.contains(page));
        if self.ended.len() >= most || page.is_some() && self.ended.len() >= enough {
            return Ok(false);
        }
        self.end(tx, key, due)?;
        let Some(page) = page else { return Ok(true) };
        self.pages.insert(page);
        for mate in tx.copies_of_page(page)? {
            let is_live = mate.state.stage() == CopyStage::Live;
            if !is_live || self.taken.contains(&mate.key) || self.ended.len() >= most {
                continue;
            }
            if let Judged::Due(due) = self.judge(tx, mate.key)? {
                self.end(tx, mate.key, due)?;
            }
        }
        Ok(true)
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
