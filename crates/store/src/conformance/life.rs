//! A long random life of copies, beside a model that is a plain map.
//!
//! Goal: whatever order of filing, sealing, restoring, shredding and re-wrapping came before, the due index,
//! the pages' counts and the lists of batches and pages say what the copies themselves say. Method: a fixed
//! sequence of pseudo-random steps, compared with the model as it goes.

use super::{Instance, Outcome, sample};
use crate::{
    BatchId, ClassId, CopyKey, CopyRow, CopyStage, CopyState, DueCopy, Filing, Group, PageId, SituationId,
    StoreError, StoreExt, Tx, Wrap,
};
use std::collections::BTreeMap;
use tenure_model::Day;

const STEPS: u32 = 4_000;
const RECORDS: u64 = 60;
const PAGES: u64 = 4;

/// Marsaglia's xorshift: enough to visit many orders, and the same ones in every run.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn small<T: TryFrom<u64> + Default>(&mut self, sides: u64) -> T {
        T::try_from(self.below(sides)).unwrap_or_default()
    }
}

#[derive(Clone)]
struct Life {
    dice: Dice,
    classes: Vec<ClassId>,
    situations: Vec<SituationId>,
    batch: BatchId,
    model: BTreeMap<CopyKey, CopyRow>,
}

pub(super) fn a_long_random_life_agrees_with_a_plain_model(instance: &Instance) -> Outcome {
    let mut life = instance.store.write(begin)?;
    for _ in 0..10 {
        // Several jobs, so that the index is also compared across commits.
        life = instance.store.write(move |tx| -> Result<_, StoreError> {
            for _ in 0..STEPS / 10 {
                life.step(tx)?;
            }
            life.compare(tx)?;
            Ok(life)
        })?;
    }
    assert_eq!(instance.store.integrity()?, []);
    Ok(())
}

fn begin(tx: &mut dyn Tx) -> Result<Life, StoreError> {
    for page in 0..PAGES {
        tx.open_page(PageId(sample::id(page)), &sample::shelf("ordinary"))?;
    }
    let mut life = Life {
        dice: Dice(0x9e37_79b9_7f4a_7c15),
        classes: vec![tx.intern_class("content")?, tx.intern_class("history")?],
        situations: vec![tx.intern_situation(b"1")?, tx.intern_situation(b"2")?, tx.intern_situation(b"3")?],
        batch: tx.open_batch(sample::at(1), 0)?,
        model: BTreeMap::new(),
    };
    for number in 0..RECORDS {
        let record = sample::open_record(tx, number)?;
        for class in life.classes.clone() {
            let copy = CopyRow {
                shard: life.dice.small(2),
                filing: life.filing(),
                state: CopyState::Live { wrap: Some(life.wrap(tx)?) },
                ..sample::fact_copy(&record, class, SituationId(0), 0)
            };
            tx.insert_copy(&copy)?;
            life.model.insert(copy.key, copy);
        }
    }
    Ok(life)
}

impl Life {
    fn filing(&mut self) -> Filing {
        let which = self.dice.small::<usize>(3);
        Filing {
            situation: self.situations.get(which).copied().unwrap_or(SituationId(0)),
            anchor: self.dice.small(3),
            day: Day(self.dice.small::<i32>(30) - 10),
        }
    }

    /// A wrap on any page, whose slot is taken.
    fn wrap(&mut self, tx: &mut dyn Tx) -> Result<Wrap, StoreError> {
        let wrap = sample::wrap(self.dice.below(PAGES));
        assert!(tx.take_slots_on(wrap.page, 1)?);
        Ok(wrap)
    }

    fn step(&mut self, tx: &mut dyn Tx) -> Outcome {
        let which = self.dice.small::<usize>(RECORDS * 2);
        let Some(mut copy) = self.model.values().nth(which).cloned() else { return Ok(()) };
        let (key, sealing) = (copy.key, sample::sealing(self.batch));
        let kind = self.dice.below(10);
        copy.state = match (kind, copy.state) {
            (0..4, state) => {
                copy.filing = self.filing();
                tx.file(key, copy.filing)?;
                state
            }
            (4..6, CopyState::Live { wrap: Some(_) }) => {
                let wrap = self.wrap(tx)?;
                tx.rewrap_copy(key, &wrap)?;
                CopyState::Live { wrap: Some(wrap) }
            }
            (_, CopyState::Live { wrap }) => {
                let to = CopyState::Sealed { wrap, sealing };
                assert!(tx.move_copy(key, CopyStage::Live, &to)?);
                to
            }
            (4..8, CopyState::Sealed { wrap, .. }) => {
                let to = CopyState::Live { wrap };
                assert!(tx.move_copy(key, CopyStage::Sealed, &to)?);
                to
            }
            (_, CopyState::Sealed { .. }) => {
                let to = CopyState::Shredded { sealing, shredded_at: sample::noon(4) };
                assert!(tx.move_copy(key, CopyStage::Sealed, &to)?);
                to
            }
            // What is shredded comes back under a new key, so that the life goes on.
            (_, state) => {
                let to = CopyState::Live { wrap: Some(self.wrap(tx)?) };
                assert!(tx.move_copy(key, state.stage(), &to)?);
                to
            }
        };
        self.model.insert(key, copy);
        Ok(())
    }

    fn compare(&self, tx: &mut dyn Tx) -> Outcome {
        let mut groups: BTreeMap<(u16, Group), Vec<DueCopy>> = BTreeMap::new();
        let mut pages: BTreeMap<PageId, Vec<CopyKey>> = BTreeMap::new();
        for copy in self.model.values() {
            assert_eq!(tx.copy(copy.key)?.as_ref(), Some(copy));
            if copy.state.stage() == CopyStage::Live {
                let Filing { situation, anchor, day } = copy.filing;
                let group = Group { class: copy.key.class, situation, anchor };
                let due = DueCopy { day, account: copy.key.account, record: copy.key.record };
                groups.entry((copy.shard, group)).or_default().push(due);
            }
            if let Some(wrap) = copy.state.wrap() {
                pages.entry(wrap.page).or_default().push(copy.key);
            }
        }
        for shard in 0..2 {
            let expected = groups.keys().filter(|(of, _)| *of == shard).map(|(_, group)| *group);
            assert!(tx.groups(shard)?.into_iter().eq(expected));
        }
        for ((shard, group), mut due) in groups {
            due.sort_unstable();
            due.retain(|copy| copy.day <= Day(7));
            assert_eq!(tx.due(shard, group, Day(7), None, usize::MAX)?, due);
        }
        for (page, keys) in pages {
            assert!(tx.copies_of_page(page)?.iter().map(|copy| &copy.key).eq(&keys));
            assert_eq!(tx.page(page)?.map(|page| page.wraps), u32::try_from(keys.len()).ok());
        }
        let gone = self.model.values().filter(|copy| copy.state.stage() != CopyStage::Live);
        assert!(tx.copies_of_batch(self.batch, None, usize::MAX)?.iter().eq(gone));
        Ok(())
    }
}
