//! Pages of wrapped keys.

use super::SqliteTx;
use super::columns::Columns;
use super::query::{change, change_one, first, limit, list};
use crate::{
    ClassId, PAGE_WRAPS_MAX, PageId, PageRead, PageRow, PageState, PageWrite, Shelf, Slots, StoreError,
    Stored,
};
use rusqlite::params;
use tenure_model::Day;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, tree, class, day, wraps, state FROM pages ", $rest)
    };
}

fn page(row: &mut Columns<'_, '_>) -> Stored<PageRow> {
    Ok(PageRow {
        id: PageId(row.bytes16("id")?),
        shelf: Shelf {
            tree: row.get("tree")?,
            class: row.get::<Option<i64>>("class")?.map(ClassId),
            day: row.get::<Option<i32>>("day")?.map(Day),
        },
        wraps: row.get("wraps")?,
        state: match row.int("state")? {
            0 => PageState::Open,
            1 => PageState::Full,
            2 => PageState::Destroyed,
            _ => return Err(StoreError::Unreadable { column: "state" }),
        },
    })
}

const fn code(state: PageState) -> i64 {
    match state {
        PageState::Open => 0,
        PageState::Full => 1,
        PageState::Destroyed => 2,
    }
}

impl PageRead for SqliteTx<'_> {
    fn page(&mut self, id: PageId) -> Stored<Option<PageRow>> {
        first(self.0, "read a page", select!("WHERE id = ?1"), [id], page)
    }

    fn pages(&mut self, after: Option<PageId>, rows: usize) -> Stored<Vec<PageRow>> {
        // The empty blob sorts before every id.
        let after = after.map_or_else(Vec::new, |id| id.0.to_vec());
        let sql = select!("WHERE id > ?1 ORDER BY id LIMIT ?2");
        list(self.0, "list pages", sql, params![after, limit(rows)], page)
    }

    fn idle_pages(&mut self, before: Day, rows: usize) -> Stored<Vec<PageId>> {
        let sql = "SELECT id FROM pages INDEXED BY pages_idle
            WHERE wraps = 0 AND state < 2 AND day IS NOT NULL AND day < ?1 ORDER BY day LIMIT ?2";
        list(self.0, "list idle pages", sql, params![before.0, limit(rows)], |row| {
            row.bytes16("id").map(PageId)
        })
    }

    fn pages_on(&mut self, on: &Shelf) -> Stored<Vec<PageRow>> {
        let sql = select!("WHERE tree = ?1 AND class IS ?2 AND day IS ?3 AND state < 2 ORDER BY id");
        let values = params![on.tree, on.class, on.day.map(|day| day.0)];
        list(self.0, "list a shelf's pages", sql, values, page)
    }
}

impl PageWrite for SqliteTx<'_> {
    fn open_page(&mut self, id: PageId, on: &Shelf) -> Stored<()> {
        let sql = "INSERT INTO pages (id, tree, class, day, wraps, state) VALUES (?1, ?2, ?3, ?4, 0, 0)";
        let values = params![id, on.tree, on.class, on.day.map(|day| day.0)];
        change(self.0, "open a page", sql, values).map(drop)
    }

    fn take_slots(
        &mut self,
        on: &Shelf,
        count: u32,
        fresh: &mut dyn FnMut() -> PageId,
    ) -> Stored<Vec<Slots>> {
        let sql =
            select!("WHERE tree = ?1 AND class IS ?2 AND day IS ?3 AND state = 0 ORDER BY wraps DESC, id");
        let values = params![on.tree, on.class, on.day.map(|day| day.0)];
        let open = list(self.0, "find an open page", sql, values, page)?;
        let mut left = count;
        let mut taken = Vec::new();
        for page in open {
            let take = left.min(PAGE_WRAPS_MAX.saturating_sub(page.wraps));
            if take == 0 {
                break;
            }
            if self.take_slots_on(page.id, take)? {
                taken.push(Slots { page: page.id, count: take, opened: false });
                left -= take;
            }
        }
        while left > 0 {
            let (page, take) = (fresh(), left.min(PAGE_WRAPS_MAX));
            self.open_page(page, on)?;
            self.take_slots_on(page, take)?;
            taken.push(Slots { page, count: take, opened: true });
            left -= take;
        }
        Ok(taken)
    }

    fn take_slots_on(&mut self, page: PageId, count: u32) -> Stored<bool> {
        let sql = "UPDATE pages SET wraps = wraps + ?2, state = (wraps + ?2 >= ?3)
            WHERE id = ?1 AND state = 0 AND wraps + ?2 <= ?3";
        Ok(change(self.0, "take slots", sql, params![page, count, PAGE_WRAPS_MAX])? == 1)
    }

    fn give_back_slots(&mut self, page: PageId, count: u32) -> Stored<()> {
        let sql = "UPDATE pages SET wraps = wraps - ?2 WHERE id = ?1";
        change_one(self.0, "give back slots", "pages", sql, params![page, count])
    }

    fn set_page_state(&mut self, page: PageId, state: PageState) -> Stored<()> {
        let sql = "UPDATE pages SET state = ?2 WHERE id = ?1";
        change_one(self.0, "change a page", "pages", sql, params![page, code(state)])
    }
}
