//! Pages of wrapped keys.

use super::PgTx;
use super::columns::Columns;
use super::query::{limit, params};
use crate::{
    ClassId, PAGE_WRAPS_MAX, PageId, PageRead, PageRow, PageState, PageWrite, Shelf, Slots, StoreError,
    Stored,
};
use tenure_model::Day;

macro_rules! select {
    ($rest:literal) => {
        concat!("SELECT id, tree, class, day, wraps, state FROM pages ", $rest)
    };
}

fn page(row: &mut Columns<'_>) -> Stored<PageRow> {
    Ok(PageRow {
        id: PageId(row.bytes("id")?),
        shelf: Shelf {
            tree: row.get("tree")?,
            class: row.int_if_any("class")?.map(ClassId),
            day: if_any(row.int_if_any("day")?)?,
        },
        wraps: row.small("wraps")?,
        state: match row.int("state")? {
            0 => PageState::Open,
            1 => PageState::Full,
            2 => PageState::Destroyed,
            _ => return Err(StoreError::Unreadable { column: "state" }),
        },
    })
}

fn if_any(day: Option<i64>) -> Stored<Option<Day>> {
    let day = day.map(i32::try_from).transpose().map_err(|_| StoreError::Unreadable { column: "day" })?;
    Ok(day.map(Day))
}

const fn code(state: PageState) -> i64 {
    match state {
        PageState::Open => 0,
        PageState::Full => 1,
        PageState::Destroyed => 2,
    }
}

impl PageRead for PgTx<'_> {
    fn page(&mut self, id: PageId) -> Stored<Option<PageRow>> {
        self.first("read a page", select!("WHERE id = $1"), params![id.0], page)
    }

    fn pages(&mut self, after: Option<PageId>, rows: usize) -> Stored<Vec<PageRow>> {
        // The empty blob sorts before every id.
        let after = after.map_or_else(Vec::new, |id| id.0.to_vec());
        let sql = select!("WHERE id > $1 ORDER BY id LIMIT $2");
        self.list("list pages", sql, params![after, limit(rows)], page)
    }

    fn idle_pages(&mut self, before: Day, rows: usize) -> Stored<Vec<PageId>> {
        let sql = "SELECT id FROM pages  WHERE wraps = 0 AND state < 2 AND day IS NOT NULL AND day < $1 ORDER BY day LIMIT $2";
        self.list("list idle pages", sql, params![i64::from(before.0), limit(rows)], |row| {
            row.bytes("id").map(PageId)
        })
    }

    fn pages_on(&mut self, on: &Shelf) -> Stored<Vec<PageRow>> {
        let sql = select!(
            "WHERE tree = $1 AND COALESCE(class, -1) = COALESCE($2::BIGINT, -1)
                AND COALESCE(day, -9999999999) = COALESCE($3::BIGINT, -9999999999)
                AND state < 2 ORDER BY id"
        );
        let values = params![on.tree, on.class.map(|class| class.0), on.day.map(|day| i64::from(day.0))];
        self.list("list a shelf's pages", sql, values, page)
    }
}

impl PageWrite for PgTx<'_> {
    fn open_page(&mut self, id: PageId, on: &Shelf) -> Stored<()> {
        let sql = "INSERT INTO pages (id, tree, class, day, wraps, state) VALUES ($1, $2, $3, $4, 0, 0)";
        let values =
            params![id.0, on.tree, on.class.map(|class| class.0), on.day.map(|day| i64::from(day.0))];
        self.change("open a page", sql, values).map(drop)
    }

    fn take_slots(
        &mut self,
        on: &Shelf,
        count: u32,
        fresh: &mut dyn FnMut() -> PageId,
    ) -> Stored<Vec<Slots>> {
        let sql = select!(
            "WHERE tree = $1 AND COALESCE(class, -1) = COALESCE($2::BIGINT, -1)
                AND COALESCE(day, -9999999999) = COALESCE($3::BIGINT, -9999999999)
                AND state = 0 ORDER BY wraps DESC, id"
        );
        let values = params![on.tree, on.class.map(|class| class.0), on.day.map(|day| i64::from(day.0))];
        let open = self.list("find an open page", sql, values, page)?;
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
        let sql = "UPDATE pages SET wraps = wraps + $2, state = CASE WHEN wraps + $2 >= $3 THEN 1 ELSE 0 END
            WHERE id = $1 AND state = 0 AND wraps + $2 <= $3";
        Ok(self.change("take slots", sql, params![page.0, i64::from(count), i64::from(PAGE_WRAPS_MAX)])? == 1)
    }

    fn give_back_slots(&mut self, page: PageId, count: u32) -> Stored<()> {
        let sql = "UPDATE pages SET wraps = wraps - $2 WHERE id = $1";
        self.change_one("give back slots", "pages", sql, params![page.0, i64::from(count)])
    }

    fn set_page_state(&mut self, page: PageId, state: PageState) -> Stored<()> {
        let sql = "UPDATE pages SET state = $2 WHERE id = $1";
        self.change_one("change a page", "pages", sql, params![page.0, code(state)])
    }
}
