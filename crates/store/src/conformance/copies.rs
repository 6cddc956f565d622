//! Copies, their states and their slots.

use super::{Instance, Outcome, sample};
use crate::{
    BatchId, BatchStage, ClassId, CopyKey, CopyRow, CopyStage, CopyState, DestroyedCount, PageId, RecordRow,
    SituationId, StageCount, StoreError, StoreExt, Tx,
};
use tenure_model::Day;

/// What every case here begins with: a record, a class, a situation, a batch, and a page with five slots taken.
struct Ground {
    record: RecordRow,
    class: ClassId,
    situation: SituationId,
    batch: BatchId,
    page: PageId,
}

fn ground(tx: &mut dyn Tx) -> Result<Ground, StoreError> {
    let page = PageId(sample::id(1));
    tx.open_page(page, &sample::shelf("ordinary"))?;
    tx.take_slots_on(page, 5)?;
    Ok(Ground {
        record: sample::open_record(tx, 1)?,
        class: tx.intern_class("content")?,
        situation: tx.intern_situation(b"s")?,
        batch: tx.open_batch(sample::at(1), 0)?,
        page,
    })
}

impl Ground {
    fn copy(&self, state: CopyState) -> CopyRow {
        CopyRow { state, ..sample::fact_copy(&self.record, self.class, self.situation, 1) }
    }

    /// Every state, in the order in which a copy goes through them.
    fn states(&self) -> [CopyState; 6] {
        let (sealing, wrap) = (sample::sealing(self.batch), Some(sample::wrap(1)));
        let [shredded_at, removed_at, verified_at] = [5, 6, 7].map(sample::noon);
        [
            CopyState::Live { wrap: wrap.clone() },
            CopyState::Sealed { wrap: wrap.clone(), sealing: sealing.clone() },
            CopyState::Shredding { wrap, sealing: sealing.clone() },
            CopyState::Shredded { sealing: sealing.clone(), shredded_at },
            CopyState::Removed { sealing: sealing.clone(), shredded_at, removed_at },
            CopyState::Verified { sealing, shredded_at, removed_at, verified_at },
        ]
    }
}

pub(super) fn a_copy_comes_back_in_every_state(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let ground = ground(tx)?;
        for (number, state) in ground.states().into_iter().enumerate() {
            let class = tx.intern_class(&format!("class {number}"))?;
            let mut copy = CopyRow { place: Some("warehouse".to_owned()), shard: 700, ..ground.copy(state) };
            copy.key.class = class;
            copy.filing.anchor = u16::MAX;
            copy.filing.day = Day(i32::MIN);
            tx.insert_copy(&copy)?;
            assert_eq!(tx.copy(copy.key)?, Some(copy));
        }
        assert_eq!(tx.copies_of_record(ground.record.account, ground.record.id)?.len(), 6);
        Ok(())
    })
}

pub(super) fn a_copy_moves_only_from_the_stage_that_was_expected(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let ground = ground(tx)?;
        let states = ground.states();
        let copy = ground.copy(CopyState::Live { wrap: Some(sample::wrap(1)) });
        tx.insert_copy(&copy)?;
        for (from, to) in CopyStage::ALL.into_iter().zip(states.iter().skip(1)) {
            assert!(!tx.move_copy(copy.key, CopyStage::Verified, to)?, "the copy is not verified yet");
            assert!(tx.move_copy(copy.key, from, to)?);
            assert!(!tx.move_copy(copy.key, from, to)?, "a step that is repeated changes nothing");
            assert_eq!(tx.copy(copy.key)?.map(|copy| copy.state).as_ref(), Some(to));
        }
        let unknown = CopyKey { class: tx.intern_class("other")?, ..copy.key };
        let missing = tx.move_copy(unknown, CopyStage::Live, &CopyState::Live { wrap: None });
        assert_eq!(missing, Err(StoreError::Missing { table: "copies" }));
        Ok(())
    })
}

pub(super) fn a_wrap_that_goes_gives_its_slot_back(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let ground = ground(tx)?;
        let [_, sealed, _, shredded, ..] = ground.states();
        let copy = ground.copy(CopyState::Live { wrap: Some(sample::wrap(1)) });
        tx.insert_copy(&copy)?;
        let wraps = |tx: &mut dyn Tx, page| Ok::<_, StoreError>(tx.page(page)?.map(|page| page.wraps));

        assert!(tx.move_copy(copy.key, CopyStage::Live, &sealed)?);
        assert_eq!(wraps(tx, ground.page)?, Some(5), "a sealed copy still has its key");
        let fresh = PageId(sample::id(2));
        tx.open_page(fresh, &sample::shelf("held"))?;
        tx.take_slots_on(fresh, 1)?;
        tx.rewrap_copy(copy.key, &sample::wrap(2))?;
        assert_eq!((wraps(tx, ground.page)?, wraps(tx, fresh)?), (Some(4), Some(1)));
        assert!(tx.move_copy(copy.key, CopyStage::Sealed, &shredded)?);
        assert_eq!((wraps(tx, ground.page)?, wraps(tx, fresh)?), (Some(4), Some(0)));
        assert!(tx.rewrap_copy(copy.key, &sample::wrap(1)).is_err(), "a destroyed key does not come back");
        Ok(())
    })
}

pub(super) fn names_are_interned_once(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (content, scores) = (tx.intern_class("content")?, tx.intern_class("scores")?);
        assert_eq!(tx.intern_class("content")?, content);
        assert_eq!(tx.classes()?, [(content, "content".to_owned()), (scores, "scores".to_owned())]);
        let situation = tx.intern_situation(&[0, 255])?;
        assert_eq!(tx.intern_situation(&[0, 255])?, situation);
        assert_ne!(tx.intern_situation(&[0])?, situation);
        assert_eq!(tx.situation(situation)?, Some(vec![0, 255]));
        assert_eq!(tx.situation(SituationId(99))?, None);
        Ok(())
    })
}

pub(super) fn a_batch_lists_its_copies_in_slices(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let batch = tx.open_batch(sample::at(1), 0)?;
        let copies = sample::filed_copies(tx, "a", 1..8, |_| 1)?;
        for copy in copies.iter().skip(2) {
            let sealed = CopyState::Sealed { wrap: None, sealing: sample::sealing(batch) };
            tx.move_copy(copy.key, CopyStage::Live, &sealed)?;
        }
        let mut found: Vec<CopyKey> = Vec::new();
        for _ in 0..3 {
            found.extend(tx.copies_of_batch(batch, found.last().copied(), 2)?.iter().map(|copy| copy.key));
        }
        assert!(found.iter().eq(copies.iter().skip(2).map(|copy| &copy.key)));
        Ok(())
    })
}

pub(super) fn reports_count_copies_by_stage_and_day(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let batch = tx.open_batch(sample::at(1), 0)?;
        let copies = sample::filed_copies(tx, "a", 1..6, |_| 1)?;
        for (copy, day) in copies.iter().zip([4, 4, -1]) {
            let state =
                CopyState::Shredded { sealing: sample::sealing(batch), shredded_at: sample::noon(day) };
            tx.move_copy(copy.key, CopyStage::Live, &state)?;
        }
        let class = tx.intern_class("content")?;
        let counted = |stage, copies| StageCount { class, stage, copies, oldest: sample::at(1) };
        assert_eq!(tx.stage_counts()?, [counted(CopyStage::Live, 2), counted(CopyStage::Shredded, 3)]);
        let on = |day, copies| DestroyedCount { day: Day(day), class, copies };
        assert_eq!(tx.destroyed_counts()?, [on(-1, 1), on(4, 2)]);
        assert_eq!((tx.count_live(1)?, tx.count_live(100)?), (1, 2), "counting stops where it is told to");
        Ok(())
    })
}

pub(super) fn copies_are_ended_together_and_give_their_slots_back(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let ground = ground(tx)?;
        let mut keys = Vec::new();
        for number in 0..3 {
            let mut copy = ground.copy(CopyState::Live { wrap: Some(sample::wrap(1)) });
            copy.key.class = tx.intern_class(&format!("class {number}"))?;
            tx.insert_copy(&copy)?;
            keys.push(copy.key);
        }
        let ended: Vec<_> = keys.iter().map(|key| (*key, sample::sealing(ground.batch))).collect();
        let first = ended.first().cloned();
        assert_eq!(tx.seal_copies(first.as_slice())?, 1);
        assert_eq!(tx.seal_copies(first.as_slice())?, 0, "it is not live any more");
        assert_eq!(tx.batch(ground.batch)?.and_then(|batch| batch.due_at), Some(sample::noon(2)));
        assert_eq!(tx.shred_copies(&ended)?, 3, "live and sealed ones");
        assert_eq!(tx.shred_copies(&ended)?, 0);
        assert_eq!(tx.copies_of_page(ground.page)?, [], "nothing on it opens anything");
        assert_eq!(tx.page(ground.page)?.map(|page| page.wraps), Some(5), "their slots stay taken");
        let shredding = CopyState::Shredding { wrap: None, sealing: sample::sealing(ground.batch) };
        let [sealed_at, shredded_at] = [3, 5].map(sample::noon);
        for key in &keys {
            assert_eq!(tx.copy(*key)?.map(|copy| copy.state), Some(shredding.clone()));
        }
        tx.insert_pack(&sample::pack(1))?;
        tx.insert_segments(ground.record.account, ground.record.id, &[sample::segment(0, 1)])?;
        tx.set_batch_stage(ground.batch, BatchStage::Shredded { sealed_at, shredded_at })?;
        release(tx, ground.batch)?;
        assert_eq!(tx.packs_of_batch(ground.batch)?.first().map(|pack| pack.segments), Some(0));
        assert_eq!(tx.page(ground.page)?.map(|page| page.wraps), Some(2), "five were taken");
        release(tx, ground.batch)?;
        let shredded = CopyState::Shredded { sealing: sample::sealing(ground.batch), shredded_at };
        for key in &keys {
            assert_eq!(tx.copy(*key)?.map(|copy| copy.state), Some(shredded.clone()));
        }
        Ok(())
    })
}

/// Releases a batch two copies at a time.
fn release(tx: &mut dyn Tx, batch: BatchId) -> Outcome {
    let mut after = None;
    while let Some(last) = tx.release(batch, after, 2)? {
        after = Some(last);
    }
    assert_eq!(tx.batch(batch)?.map(|batch| batch.released), Some(true));
    assert_eq!(tx.unreleased_batches()?, []);
    Ok(())
}

pub(super) fn a_body_that_something_opens_is_not_released(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let ground = ground(tx)?;
        let live = ground.copy(CopyState::Live { wrap: Some(sample::wrap(1)) });
        tx.insert_copy(&live)?;
        let state = CopyState::Shredding { wrap: None, sealing: sample::sealing(ground.batch) };
        let mut gone = ground.copy(state);
        gone.key.class = tx.intern_class("history")?;
        tx.insert_copy(&gone)?;
        tx.insert_pack(&sample::pack(1))?;
        tx.insert_segments(ground.record.account, ground.record.id, &[sample::segment(0, 1)])?;
        let sealed_at = sample::noon(3);
        tx.set_batch_stage(ground.batch, BatchStage::Shredded { sealed_at, shredded_at: sample::noon(5) })?;
        release(tx, ground.batch)?;
        assert_eq!(tx.packs_of_batch(ground.batch)?, []);
        assert_eq!(tx.segments(ground.record.account, ground.record.id)?.len(), 1);
        Ok(())
    })
}

pub(super) fn the_copies_of_a_batch_are_removed_and_verified_with_it(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let batch = tx.open_batch(sample::at(1), 0)?;
        let copies = sample::filed_copies(tx, "a", 1..4, |_| 1)?;
        let sealing = sample::sealing(batch);
        let [shredded_at, removed_at, verified_at] = [5, 6, 7].map(sample::noon);
        for copy in copies.iter().skip(1) {
            let state = CopyState::Shredded { sealing: sealing.clone(), shredded_at };
            tx.move_copy(copy.key, CopyStage::Live, &state)?;
        }
        let sealed_at = sealing.sealed_at;
        tx.set_batch_stage(batch, BatchStage::Removed { sealed_at, shredded_at, removed_at })?;
        let states = |tx: &mut dyn Tx| -> Result<Vec<_>, StoreError> {
            Ok(tx.copies_of_batch(batch, None, 10)?.into_iter().map(|copy| copy.state).collect())
        };
        let removed = CopyState::Removed { sealing: sealing.clone(), shredded_at, removed_at };
        assert_eq!(states(tx)?, vec![removed; 2]);
        tx.set_batch_stage(batch, BatchStage::Verified { sealed_at, shredded_at, removed_at, verified_at })?;
        let verified = CopyState::Verified { sealing, shredded_at, removed_at, verified_at };
        assert_eq!(states(tx)?, vec![verified; 2]);
        assert_eq!(tx.count_live(10)?, 1, "a copy that is in no batch stays as it is");
        Ok(())
    })
}
