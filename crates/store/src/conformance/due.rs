//! The due index.

use super::{Instance, Outcome, sample};
use crate::{
    ClassId, CopyRow, CopyStage, CopyState, DayCount, DueCopy, Filing, Group, SituationId, StoreError,
    StoreExt, Tx,
};
use std::time::{Duration, Instant};
use tenure_model::Day;

const fn group_of(copy: &CopyRow) -> Group {
    Group { class: copy.key.class, situation: copy.filing.situation, anchor: copy.filing.anchor }
}

const fn due_of(copy: &CopyRow) -> DueCopy {
    DueCopy { day: copy.filing.day, account: copy.key.account, record: copy.key.record }
}

/// Copies of one group whose days run against the order of their records.
fn one_group(tx: &mut dyn Tx) -> Result<(Group, Vec<CopyRow>), StoreError> {
    let copies = sample::filed_copies(tx, "a", 1..10, |number| 20 - i32::try_from(number).unwrap_or(0) / 2)?;
    let group = copies.first().map(group_of);
    Ok((group.ok_or(StoreError::Missing { table: "copies" })?, copies))
}

pub(super) fn groups_are_listed_once_each(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        assert_eq!((tx.shards()?, tx.groups(0)?), (vec![], vec![]));
        let mut expected = Vec::new();
        let classes = [tx.intern_class("content")?, tx.intern_class("history")?];
        let situations = [tx.intern_situation(b"1")?, tx.intern_situation(b"2")?];
        for number in 0..24_u64 {
            let record = sample::open_record(tx, number)?;
            for class in classes {
                let situation = if number % 2 == 0 { situations.first() } else { situations.last() };
                let situation = situation.copied().unwrap_or(SituationId(0));
                let mut copy = sample::fact_copy(&record, class, situation, 5);
                copy.filing.anchor = if number % 3 == 0 { 0 } else { u16::MAX };
                copy.shard = if number < 12 { 3 } else { u16::MAX };
                tx.insert_copy(&copy)?;
                expected.push(group_of(&copy));
            }
        }
        expected.sort_unstable();
        expected.dedup();
        assert_eq!(tx.shards()?, [3, u16::MAX]);
        assert_eq!(tx.groups(3)?, expected);
        assert_eq!(tx.groups(u16::MAX)?, expected);
        assert_eq!(tx.groups(4)?, []);
        Ok(())
    })
}

pub(super) fn due_copies_come_by_day_and_go_on_after_the_cursor(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (group, copies) = one_group(tx)?;
        let up_to = Day(18);
        let mut expected: Vec<DueCopy> = copies.iter().map(due_of).filter(|due| due.day <= up_to).collect();
        expected.sort_unstable();
        assert!(expected.len() > 4 && expected.len() < copies.len());
        let mut found = Vec::new();
        loop {
            let slice = tx.due(0, group, up_to, found.last().copied(), 2)?;
            if slice.is_empty() {
                break;
            }
            found.extend(slice);
        }
        assert_eq!(found, expected);
        assert_eq!(tx.due(1, group, up_to, None, 10)?, [], "another shard");
        let other = Group { anchor: 1, ..group };
        assert_eq!(tx.due(0, other, up_to, None, 10)?, [], "another anchor");
        let other = Group { class: ClassId(99), ..group };
        assert_eq!(tx.due(0, other, up_to, None, 10)?, [], "another class");
        Ok(())
    })
}

pub(super) fn only_live_copies_are_due(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (group, copies) = one_group(tx)?;
        let batch = tx.open_batch(sample::at(1), 0)?;
        let sealed = CopyState::Sealed { wrap: None, sealing: sample::sealing(batch) };
        for copy in &copies {
            tx.move_copy(copy.key, CopyStage::Live, &sealed)?;
        }
        assert_eq!(tx.due(0, group, Day(i32::MAX), None, 100)?, []);
        assert_eq!((tx.groups(0)?, tx.shards()?), (vec![], vec![]));
        for copy in &copies {
            tx.move_copy(copy.key, CopyStage::Sealed, &CopyState::Live { wrap: None })?;
        }
        assert_eq!(
            tx.due(0, group, Day(i32::MAX), None, 100)?.len(),
            copies.len(),
            "what is restored is due again"
        );
        Ok(())
    })
}

pub(super) fn re_filing_moves_a_copy_in_the_index(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (group, copies) = one_group(tx)?;
        let filing = Filing { situation: tx.intern_situation(b"other")?, anchor: 7, day: Day(-3) };
        for copy in copies.iter().take(2) {
            tx.file(copy.key, filing)?;
            assert_eq!(tx.copy(copy.key)?.map(|copy| copy.filing), Some(filing));
        }
        assert_eq!(tx.due(0, group, Day(i32::MAX), None, 100)?.len(), copies.len() - 2);
        let moved = Group { situation: filing.situation, anchor: 7, ..group };
        let expected: Vec<_> =
            copies.iter().take(2).map(|copy| DueCopy { day: Day(-3), ..due_of(copy) }).collect();
        assert_eq!(tx.due(0, moved, Day(-3), None, 100)?, expected);
        assert_eq!(tx.due(0, moved, Day(-4), None, 100)?, []);
        Ok(())
    })
}

pub(super) fn counts_are_given_by_day(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (group, _) = one_group(tx)?;
        let on = |day, copies| DayCount { day: Day(day), copies };
        assert_eq!(tx.count_due(0, group, Day(17), Day(19))?, [on(17, 2), on(18, 2), on(19, 2)]);
        let all: u64 =
            tx.count_due(0, group, Day(i32::MIN), Day(i32::MAX))?.iter().map(|day| day.copies).sum();
        assert_eq!(all, 9);
        Ok(())
    })
}

/// The index is walked by seeks. Reading 30,000 rows each time would take a hundred times as long.
pub(super) fn listing_groups_costs_by_groups_and_not_by_copies(instance: &Instance) -> Outcome {
    fn fastest(instance: &Instance) -> Result<Duration, StoreError> {
        let mut best = Duration::MAX;
        for _ in 0..20 {
            best = best.min(instance.store.read(|tx| -> Result<_, StoreError> {
                let begun = Instant::now();
                assert_eq!(tx.groups(0)?.len(), 1);
                Ok(begun.elapsed())
            })?);
        }
        Ok(best)
    }
    instance.store.write(|tx| sample::filed_copies(tx, "few", 0..30, |_| 1).map(drop))?;
    let few = fastest(instance)?;
    instance.store.write(|tx| sample::filed_copies(tx, "many", 100..30_100, |_| 1).map(drop))?;
    let many = fastest(instance)?;
    assert!(many < few * 10 + Duration::from_micros(200), "{few:?} among 30, {many:?} among 30,000");
    Ok(())
}

pub(super) fn a_mark_that_comes_during_re_filing_is_not_lost(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (one, two) = (sample::open_record(tx, 1)?.account, sample::open_record(tx, 2)?.account);
        tx.mark_refile(two)?;
        tx.mark_refile(one)?;
        let marks = tx.refile_slice(10)?;
        assert_eq!(marks.iter().map(|mark| mark.account).collect::<Vec<_>>(), [one, two]);
        assert_eq!(tx.refile_slice(1)?.len(), 1);
        tx.mark_refile(two)?;
        for mark in marks {
            tx.refile_done(mark)?;
        }
        assert_eq!(tx.refile_count()?, 1, "the second account was marked again");
        for mark in tx.refile_slice(10)? {
            assert_eq!(mark.account, two);
            tx.refile_done(mark)?;
        }
        assert_eq!(tx.refile_count()?, 0);
        Ok(())
    })
}
