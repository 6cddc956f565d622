//! The end of the door: packs are written anew without what is dead in them, removed, and verified to be absent.

use std::collections::{BTreeMap, BTreeSet};

use tenure_model::{Instant, Span};
use tenure_receipts::Statement;
use tenure_store::{
    AccountKey, BatchRow, BatchStage, PackId, PackRow, PageId, PageState, RecordId, SegmentRow, StoreExt as _,
};
use tenure_vault::{BodyError, PACK_BYTES_MAX, Place};

use super::destroyed_of;
use crate::pages::in_vault;
use crate::settings::{deadline, erase_within};
use crate::sweep::Sweep;
use crate::{Error, Tenure};

/// How many packs and pages are removed together.
const SLICE: usize = 256;
/// How many copies one transaction lets go of.
const COPIES: usize = 32;
/// How many segments one transaction moves to another pack.
const MOVES: usize = 64;
/// How much of all packs may be dead before the emptiest are written anew, in thousandths of what lives.
const DEAD_MOST: u64 = 90;
/// How much may be dead when that is done.
const DEAD_LEAST: u64 = 45;
/// How much of the time for erasure may pass before packs that a batch waits for are written anew for its sake.
const PATIENCE: i64 = 4;

type Segment = (AccountKey, RecordId, SegmentRow);

impl Sweep<'_> {
    /// Removes what nothing opens any more from the store of bodies, and records of each batch when that is done
    /// and verified.
    pub(crate) fn remove_bytes(&mut self) -> Result<(), Error> {
        self.release()?;
        self.remove_idle_packs()?;
        self.compact()?;
        self.remove_idle_packs()?;
        self.destroy_idle_pages()?;
        self.settle()
    }

    /// Lets go of what was shredded: of bodies that nothing opens any more, and of slots on pages.
    fn release(&self) -> Result<(), Error> {
        for batch in self.tenure.store.read(|tx| Ok::<_, Error>(tx.unreleased_batches()?))? {
            let mut after = None;
            while let Some(last) = self.write(move |tx| Ok(tx.release(batch, after, COPIES)?))? {
                after = Some(last);
                self.rest(COPIES)?;
            }
        }
        Ok(())
    }

    /// Removes packs in which no body lives any more, and records it once they are verified absent.
    fn remove_idle_packs(&mut self) -> Result<(), Error> {
        loop {
            let idle = self.tenure.store.read(|tx| Ok::<_, Error>(tx.idle_packs(SLICE)?))?;
            if idle.is_empty() {
                return Ok(());
            }
            let packs: Vec<_> = idle.iter().map(|pack| in_bodies(pack.id)).collect();
            let gone = self.irrevocably(|| self.tenure.remove_packs(&packs))?;
            let removed: Vec<PackId> =
                idle.iter().zip(&gone).filter(|(_, gone)| **gone).map(|(pack, _)| pack.id).collect();
            let stuck = (idle.len() - removed.len()) as u64;
            self.swept.packs += removed.len() as u64;
            let now = self.now;
            self.write(move |tx| {
                for pack in removed {
                    tx.set_pack_removed(pack, now)?;
                }
                Ok(())
            })?;
            if stuck > 0 {
                // The store of bodies is told to keep them: what waits for them is not removed, and reports say so.
                self.swept.locked += stuck;
                return Ok(());
            }
        }
    }

    /// Writes packs anew that are mostly dead, or that a batch has waited for long enough.
    fn compact(&mut self) -> Result<(), Error> {
        let mut packs: BTreeMap<PackId, PackRow> =
            self.owed_packs()?.into_iter().map(|pack| (pack.id, pack)).collect();
        for pack in self.sparse_packs()? {
            packs.insert(pack.id, pack);
        }
        let mut filling: Vec<Segment> = Vec::new();
        let mut bytes = 0;
        for pack in packs.into_values() {
            let segments = self.tenure.store.read(|tx| Ok::<_, Error>(tx.segments_of_pack(pack.id)?))?;
            self.swept.compacted += 1;
            bytes += pack.live;
            filling.extend(segments);
            if bytes >= PACK_BYTES_MAX as u64 {
                self.rewrite(std::mem::take(&mut filling))?;
                bytes = 0;
            }
        }
        self.rewrite(filling)
    }

    /// The emptiest packs, if so much is dead in all of them that it is worth it.
    fn sparse_packs(&self) -> Result<Vec<PackRow>, Error> {
        self.tenure.store.read(|tx| {
            let (bytes, live) = tx.pack_bytes()?;
            let mut dead = bytes.saturating_sub(live);
            if dead.saturating_mul(1_000) <= live.saturating_mul(DEAD_MOST) {
                return Ok(Vec::new());
            }
            let mut chosen = Vec::new();
            for pack in tx.sparse_packs(1_000, usize::MAX)? {
                if dead.saturating_mul(1_000) <= live.saturating_mul(DEAD_LEAST) {
                    break;
                }
                dead = dead.saturating_sub(pack.bytes.saturating_sub(pack.live));
                chosen.push(pack);
            }
            Ok(chosen)
        })
    }

    /// Packs with dead bytes that must be gone before long.
    fn owed_packs(&self) -> Result<Vec<PackRow>, Error> {
        let by = self.by;
        self.tenure.store.read(|tx| {
            let within = erase_within(tx)?;
            let mut owed = BTreeMap::new();
            for batch in tx.unfinished_batches()? {
                let BatchStage::Shredded { sealed_at, .. } = batch.stage else { continue };
                if patience_ends(batch.due_at.unwrap_or(sealed_at), within) <= by {
                    let packs = tx.packs_of_batch(batch.id)?;
                    let there =
                        packs.into_iter().filter(|pack| pack.removed_at.is_none() && pack.segments > 0);
                    owed.extend(there.map(|pack| (pack.id, pack)));
                }
            }
            Ok(owed.into_values().collect())
        })
    }

    /// Copies segments as they are into a new pack, and has their rows point there. The pack is known to the store
    /// before it lies anywhere, so that one which a crash leaves is removed like any in which nothing lives.
    fn rewrite(&self, segments: Vec<Segment>) -> Result<(), Error> {
        if segments.is_empty() {
            return Ok(());
        }
        let places: Vec<Place> = segments.iter().map(|(.., row)| place(row)).collect::<Result<_, _>>()?;
        let mut writer = self.tenure.vault.pack_writer()?;
        let mut moves = Vec::with_capacity(segments.len());
        for ((account, record, from), sealed) in
            segments.into_iter().zip(self.tenure.vault.read_sealed(&places)?)
        {
            let place = writer.add_sealed(&sealed)?;
            let to = SegmentRow {
                segment: from.segment,
                pack: PackId(*place.pack.as_bytes()),
                offset: place.offset,
                length: u64::from(place.length),
            };
            moves.push((account, record, from, to));
        }
        let (pack, now) = (PackId(*writer.id().as_bytes()), self.now);
        let row = PackRow {
            id: pack,
            bytes: moves.last().map_or(0, |(.., to)| to.offset.saturating_add(to.length)),
            segments: 0,
            live: 0,
            created_at: now,
            removed_at: None,
        };
        self.write(move |tx| Ok(tx.insert_pack(&row)?))?;
        self.tenure.vault.finish(writer)?;
        for slice in moves.chunks(MOVES) {
            let slice = slice.to_vec();
            self.write(move |tx| {
                for (account, record, from, to) in &slice {
                    // One that was let go of meanwhile is dead in the new pack too.
                    tx.move_segment(*account, *record, from, to)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Destroys the keys of pages whose day has passed and on which nothing lies any more.
    fn destroy_idle_pages(&mut self) -> Result<(), Error> {
        loop {
            let today = self.now.day();
            let idle = self.write(move |tx| {
                let idle = tx.idle_pages(today, SLICE)?;
                for page in &idle {
                    tx.set_page_state(*page, PageState::Full)?;
                }
                Ok(idle)
            })?;
            if idle.is_empty() {
                return Ok(());
            }
            self.irrevocably(|| self.tenure.destroy_keys(&idle))?;
            self.swept.pages += idle.len() as u64;
            self.write(move |tx| {
                for page in idle {
                    tx.set_page_state(page, PageState::Destroyed)?;
                }
                Ok(())
            })?;
        }
    }

    /// Records of each batch whose packs are gone that its bytes are removed, looks for them and its keys again, and
    /// records that they were not found.
    fn settle(&mut self) -> Result<(), Error> {
        let waiting = self.tenure.store.read(|tx| Ok::<_, Error>(tx.unfinished_batches()?))?;
        let waiting: Vec<BatchRow> = waiting.into_iter().filter(|batch| batch.released).collect();
        for batches in waiting.chunks(SLICE) {
            self.settle_together(batches)?;
        }
        Ok(())
    }

    fn settle_together(&mut self, batches: &[BatchRow]) -> Result<(), Error> {
        let (mut removed, mut packs, mut pages) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for batch in batches {
            let of_batch = self.tenure.store.read(|tx| Ok::<_, Error>(tx.packs_of_batch(batch.id)?))?;
            if of_batch.iter().any(|pack| pack.removed_at.is_none()) {
                continue;
            }
            let stage = match batch.stage {
                BatchStage::Shredded { sealed_at, shredded_at } => {
                    let stage = BatchStage::Removed { sealed_at, shredded_at, removed_at: self.now };
                    self.advance(batch, stage)?;
                    stage
                }
                stage => stage,
            };
            let BatchStage::Removed { sealed_at, shredded_at, removed_at } = stage else { continue };
            let verified_at = self.now;
            removed.push((batch, BatchStage::Verified { sealed_at, shredded_at, removed_at, verified_at }));
            packs.extend(of_batch.iter().map(|pack| pack.id));
            pages.extend(batch.old_pages.iter().copied());
        }
        self.tenure.look_for(&packs, &pages)?;
        for (batch, verified) in removed {
            let count = self.advance(batch, verified)?;
            self.swept.verified += count;
            self.rest(count.try_into().unwrap_or(usize::MAX))?;
        }
        Ok(())
    }

    /// Moves a batch and its copies to a stage and states it, over the same items as their destruction; says how
    /// many they are.
    fn advance(&self, batch: &BatchRow, stage: BatchStage) -> Result<u64, Error> {
        let (tenure, id, now) = (self.tenure.clone(), batch.id, self.now);
        self.write(move |tx| {
            let copies = destroyed_of(tx, id)?;
            let count = copies.len() as u64;
            if count > 0 {
                let root = tenure.root_of(&tx.classes()?, id, &copies);
                let statement = match stage {
                    BatchStage::Verified { .. } => Statement::CopiesVerified { count, root },
                    _ => Statement::CopiesRemoved { count, root },
                };
                tenure.state_by_house(tx, statement, now)?;
            }
            tx.set_batch_stage(id, stage)?;
            Ok(count)
        })
    }
}

impl Tenure {
    /// Removes packs, and says of each whether it is proved absent. One that its store is told to keep stays.
    fn remove_packs(&self, packs: &[tenure_vault::PackId]) -> Result<Vec<bool>, Error> {
        match self.vault.remove_packs(packs) {
            Err(BodyError::Locked(_)) => Ok(self.vault.verify_packs_absent(packs)?),
            Err(error) => Err(error.into()),
            Ok(()) => {
                let gone = self.vault.verify_packs_absent(packs)?;
                absent(gone.clone())?;
                Ok(gone)
            }
        }
    }

    /// Looks for what batches destroyed, where it lay.
    fn look_for(&self, packs: &BTreeSet<PackId>, pages: &BTreeSet<PageId>) -> Result<(), Error> {
        let packs: Vec<_> = packs.iter().copied().map(in_bodies).collect();
        absent(self.vault.verify_packs_absent(&packs)?)?;
        let pages: Vec<_> = pages.iter().copied().map(in_vault).collect();
        absent(self.vault.verify_pages_absent(&pages)?)
    }
}

fn absent(found: Vec<bool>) -> Result<(), Error> {
    if found.into_iter().all(|absent| absent) {
        return Ok(());
    }
    Err(Error::Refused(
        "something that was removed is still there: nothing was recorded, run `tenure doctor`".to_owned(),
    ))
}

/// When a batch no longer waits for the rest of a pack to die, given since when its first copy must be gone.
fn patience_ends(due_at: Instant, within: Span) -> Instant {
    let deadline = deadline(due_at, within).micros();
    let patience = deadline.saturating_sub(due_at.micros()) / PATIENCE * (PATIENCE - 1);
    Instant::saturating_from_micros(due_at.micros().saturating_add(patience))
}

fn place(row: &SegmentRow) -> Result<Place, Error> {
    let length = u32::try_from(row.length)
        .map_err(|_| Error::Refused("a segment is longer than any can be: run `tenure doctor`".to_owned()))?;
    Ok(Place { pack: in_bodies(row.pack), offset: row.offset, length })
}

/// The vault's name for a pack of the store.
const fn in_bodies(pack: PackId) -> tenure_vault::PackId {
    tenure_vault::PackId::from_bytes(pack.0)
}
