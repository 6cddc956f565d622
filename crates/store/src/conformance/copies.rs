//! Copies, their states and their slots.

use super::{Instance, Outcome, sample};
use crate::{
    BatchId, ClassId, CopyKey, CopyRow, CopyStage, CopyState, DestroyedCount, PageId, RecordRow, SituationId,
    StageCount, StoreError, StoreExt, Tx,
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
        let (batch, wrap) = (self.batch, Some(sample::wrap(1)));
        let [sealed_at, shredded_at, removed_at, verified_at] = [4, 5, 6, 7].map(sample::noon);
        [
            CopyState::Live { wrap: wrap.clone() },
            CopyState::Sealed { wrap: wrap.clone(), batch, sealed_at },
            CopyState::Shredding { wrap, batch, sealed_at },
            CopyState::Shredded { batch, sealed_at, shredded_at },
            CopyState::Removed { batch, sealed_at, shredded_at, removed_at },
            CopyState::Verified { batch, sealed_at, shredded_at, removed_at, verified_at },
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
            let sealed = CopyState::Sealed { wrap: None, batch, sealed_at: sample::at(2) };
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
            let (sealed_at, shredded_at) = (sample::noon(-2), sample::noon(day));
            tx.move_copy(copy.key, CopyStage::Live, &CopyState::Shredded { batch, sealed_at, shredded_at })?;
        }
        let class = tx.intern_class("content")?;
        let counted = |stage, copies| StageCount { class, stage, copies, oldest: sample::at(1) };
        assert_eq!(tx.stage_counts()?, [counted(CopyStage::Live, 2), counted(CopyStage::Shredded, 3)]);
        let on = |day, copies| DestroyedCount { day: Day(day), class, copies };
        assert_eq!(tx.destroyed_counts()?, [on(-1, 1), on(4, 2)]);
        Ok(())
    })
}
