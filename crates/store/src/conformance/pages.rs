//! Pages and their slots.

use super::{Instance, Outcome, sample};
use crate::{ClassId, CopyRow, CopyState, PageId, PageState, Shelf, Slots, StoreError, StoreExt};
use tenure_model::Day;

/// Gives page ids 1, 2, 3 …
fn fresh() -> impl FnMut() -> PageId {
    let mut last = 0;
    move || {
        last += 1;
        PageId(sample::id(last))
    }
}

pub(super) fn slots_fill_a_page_before_the_next_is_opened(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (shelf, mut fresh) = (sample::shelf("ordinary"), fresh());
        let slots = |page, count, opened| Slots { page: PageId(sample::id(page)), count, opened };
        assert_eq!(tx.take_slots(&shelf, 0, &mut fresh)?, []);
        assert_eq!(tx.take_slots(&shelf, 200, &mut fresh)?, [slots(1, 200, true)]);
        assert_eq!(tx.take_slots(&shelf, 50, &mut fresh)?, [slots(1, 50, false)]);
        let many = tx.take_slots(&shelf, 300, &mut fresh)?;
        assert_eq!(many, [slots(1, 6, false), slots(2, 256, true), slots(3, 38, true)]);
        let pages: Vec<_> = tx.pages_on(&shelf)?.iter().map(|page| (page.wraps, page.state)).collect();
        assert_eq!(pages, [(256, PageState::Full), (256, PageState::Full), (38, PageState::Open)]);
        assert_eq!(tx.take_slots(&shelf, 1, &mut fresh)?, [slots(3, 1, false)]);
        tx.give_back_slots(PageId(sample::id(3)), 9)?;
        assert_eq!(tx.page(PageId(sample::id(3)))?.map(|page| page.wraps), Some(30));
        Ok(())
    })
}

pub(super) fn a_full_or_destroyed_page_gives_no_slots(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (shelf, page) = (sample::shelf("ordinary"), PageId(sample::id(1)));
        tx.open_page(page, &shelf)?;
        assert!(!tx.take_slots_on(page, 257)?);
        assert!(tx.take_slots_on(page, 10)?);
        for state in [PageState::Full, PageState::Destroyed] {
            tx.set_page_state(page, state)?;
            assert!(!tx.take_slots_on(page, 1)?);
        }
        assert_eq!(tx.pages_on(&shelf)?, []);
        assert_eq!(tx.pages(None, 10)?.len(), 1, "a destroyed page is still known");
        assert!(!tx.take_slots_on(PageId(sample::id(9)), 1)?, "a page that nobody opened");
        Ok(())
    })
}

pub(super) fn shelves_do_not_share_pages(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let class = tx.intern_class("content")?;
        let (mut fresh, mut shelves) = (fresh(), Vec::new());
        for class in [None, Some(class)] {
            for day in [None, Some(Day(-1)), Some(Day(0))] {
                shelves.push(Shelf { class, day, ..sample::shelf("ordinary") });
            }
        }
        shelves.push(sample::shelf("held"));
        for shelf in &shelves {
            let taken = tx.take_slots(shelf, 3, &mut fresh)?;
            assert!(taken.iter().all(|slots| slots.opened && slots.count == 3));
        }
        for shelf in &shelves {
            let pages = tx.pages_on(shelf)?;
            assert_eq!(pages.iter().map(|page| &page.shelf).collect::<Vec<_>>(), [shelf]);
        }
        assert_eq!(tx.pages(None, 100)?.len(), shelves.len());
        Ok(())
    })
}

pub(super) fn a_page_lists_what_lies_on_it(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let mut expected = Vec::new();
        let situation = tx.intern_situation(b"s")?;
        let class: ClassId = tx.intern_class("content")?;
        for page in [1, 2] {
            tx.open_page(PageId(sample::id(page)), &sample::shelf("ordinary"))?;
            tx.take_slots_on(PageId(sample::id(page)), 2)?;
        }
        for number in 0..4_u64 {
            let record = sample::open_record(tx, number)?;
            let state = CopyState::Live { wrap: Some(sample::wrap(1 + number % 2)) };
            let copy = CopyRow { state, ..sample::fact_copy(&record, class, situation, 1) };
            tx.insert_copy(&copy)?;
            expected.push(copy);
        }
        for (page, others) in [(1, 0), (2, 1)] {
            let on_page = tx.copies_of_page(PageId(sample::id(page)))?;
            assert!(on_page.iter().eq(expected.iter().skip(others).step_by(2)));
        }
        Ok::<_, StoreError>(())
    })
}
