//! Batches of copies that are destroyed together.

use super::SqliteTx;
use super::columns::Columns;
use super::copy_row::{copy, select_copies};
use super::query::{change, change_each, change_one, first, limit, list, number};
use crate::spread::{batch_stage, split_ids, stage_columns};
use crate::{
    AccountKey, BatchId, BatchRow, BatchStage, ClassId, ConversationRead, ConversationWrite, CopyKey,
    CopyRow, DestroyedRow, ErasureRead, ErasureWrite, PackId, PackRow, PageId, PageWrite, RecordId, Sealing,
    Seq, StoreError, Stored,
};
use rusqlite::params;
use std::collections::BTreeMap;
use tenure_model::Instant;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, created_at, due_at, epoch, statement, old_pages, stage, sealed_at, shredded_at, removed_at,
                verified_at, released FROM batches ",
            $rest
        )
    };
}

fn batch(row: &mut Columns<'_, '_>) -> Stored<BatchRow> {
    Ok(BatchRow {
        id: BatchId(row.int("id")?),
        created_at: row.instant("created_at")?,
        due_at: row.instant_if_any("due_at")?,
        epoch: row.count("epoch")?,
        statement: row.get::<Option<i64>>("statement")?.map(Seq),
        old_pages: split_ids(&row.get::<Vec<u8>>("old_pages")?)?,
        stage: stage(row)?,
        released: row.get("released")?,
    })
}

fn stage(row: &mut Columns<'_, '_>) -> Stored<BatchStage> {
    let code = row.int("stage")?;
    let mut when = [None; 4];
    for (at, column) in when.iter_mut().zip(["sealed_at", "shredded_at", "removed_at", "verified_at"]) {
        *at = row.instant_if_any(column)?;
    }
    batch_stage(code, when).ok_or(StoreError::Unreadable { column: "stage" })
}

fn destroyed(row: &mut Columns<'_, '_>) -> Stored<DestroyedRow> {
    Ok(DestroyedRow {
        batch: BatchId(row.int("batch")?),
        place: row.count("place")?,
        key: CopyKey {
            account: AccountKey(row.int("account")?),
            record: RecordId(row.bytes16("record")?),
            class: ClassId(row.int("class")?),
        },
    })
}

impl ErasureRead for SqliteTx<'_> {
    fn batch(&mut self, id: BatchId) -> Stored<Option<BatchRow>> {
        first(self.0, "read a batch", select!("WHERE id = ?1"), [id], batch)
    }

    fn unfinished_batches(&mut self) -> Stored<Vec<BatchRow>> {
        list(self.0, "list unfinished batches", select!("WHERE stage < 5 ORDER BY id"), [], batch)
    }

    fn batches(&mut self, after: Option<BatchId>, rows: usize) -> Stored<Vec<BatchRow>> {
        let after = after.unwrap_or(BatchId(i64::MIN));
        let sql = select!("WHERE id > ?1 ORDER BY id LIMIT ?2");
        list(self.0, "list batches", sql, params![after, limit(rows)], batch)
    }

    fn copies_of_batch(&mut self, id: BatchId, after: Option<CopyKey>, rows: usize) -> Stored<Vec<CopyRow>> {
        let sql = select_copies!(
            "INDEXED BY copies_by_batch WHERE batch = ?1 AND (account, record, class) > (?2, ?3, ?4)
            ORDER BY account, record, class LIMIT ?5"
        );
        let (account, record, class) = after
            .as_ref()
            .map_or((i64::MIN, [].as_slice(), i64::MIN), |key| (key.account.0, &key.record.0, key.class.0));
        list(self.0, "list a batch's copies", sql, params![id, account, record, class, limit(rows)], copy)
    }

    fn destroyed_of(&mut self, id: BatchId, after: Option<u64>, rows: usize) -> Stored<Vec<DestroyedRow>> {
        let sql = "SELECT batch, place, account, record, class FROM destroyed
            WHERE batch = ?1 AND place > ?2 ORDER BY place LIMIT ?3";
        let after = after.map_or(Ok(-1), |place| number(place, "place"))?;
        list(self.0, "list what a batch destroyed", sql, params![id, after, limit(rows)], destroyed)
    }

    fn unreleased_batches(&mut self) -> Stored<Vec<BatchId>> {
        let sql = "SELECT id FROM batches INDEXED BY batches_unreleased
            WHERE stage = 3 AND released = 0 ORDER BY id";
        list(self.0, "list batches to release", sql, [], |row| row.int("id").map(BatchId))
    }

    fn packs_of_batch(&mut self, id: BatchId) -> Stored<Vec<PackRow>> {
        let packs = list(
            self.0,
            "list a batch's packs",
            "SELECT pack FROM batch_packs WHERE batch = ?1 ORDER BY pack",
            [id],
            |row| row.bytes16("pack").map(PackId),
        )?;
        packs.into_iter().map(|pack| self.pack(pack)?.ok_or(StoreError::Missing { table: "packs" })).collect()
    }

    fn destructions_of(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<DestroyedRow>> {
        let sql = "SELECT batch, place, account, record, class FROM destroyed
            WHERE account = ?1 AND record = ?2 ORDER BY batch, class";
        list(self.0, "list a record's destructions", sql, params![account, record], destroyed)
    }
}

impl SqliteTx<'_> {
    /// Ends copies by a statement that takes the copy, its batch, since when and why it must go, and when that was
    /// decided; says how many it changed.
    fn end_copies(&self, operation: &'static str, sql: &str, copies: &[(CopyKey, Sealing)]) -> Stored<u64> {
        let mut first_due: BTreeMap<i64, i64> = BTreeMap::new();
        for (_, sealing) in copies {
            let first = first_due.entry(sealing.batch.0).or_insert(i64::MAX);
            *first = sealing.due_at.micros().min(*first);
        }
        let each = copies.iter().map(|(CopyKey { account, record, class }, sealing)| {
            let Sealing { batch, due_at, cause, sealed_at } = sealing;
            (account, record, class, batch, due_at.micros(), cause, sealed_at.micros())
        });
        let changed = change_each(self.0, operation, sql, each)?;
        let sql = "UPDATE batches SET due_at = min(COALESCE(due_at, ?2), ?2) WHERE id = ?1";
        for (batch, due_at) in first_due {
            change(self.0, "date a batch", sql, params![batch, due_at])?;
        }
        Ok(changed as u64)
    }

    /// Copies of a batch, from after one on, with the pages that they still name.
    fn slots_of_batch(
        &self,
        id: BatchId,
        after: Option<CopyKey>,
        rows: usize,
    ) -> Stored<Vec<(CopyKey, Option<PageId>)>> {
        let sql = "SELECT account, record, class, page FROM copies INDEXED BY copies_by_batch
            WHERE batch = ?1 AND (account, record, class) > (?2, ?3, ?4)
            ORDER BY account, record, class LIMIT ?5";
        let (account, record, class) = after
            .as_ref()
            .map_or((i64::MIN, [].as_slice(), i64::MIN), |key| (key.account.0, &key.record.0, key.class.0));
        let values = params![id, account, record, class, limit(rows)];
        list(self.0, "list a batch's slots", sql, values, |row| {
            let key = CopyKey {
                account: AccountKey(row.int("account")?),
                record: RecordId(row.bytes16("record")?),
                class: ClassId(row.int("class")?),
            };
            Ok((key, row.get::<Option<[u8; 16]>>("page")?.map(PageId)))
        })
    }

    /// Forgets where the body of a record lies, if no copy opens it any more; the batch waits for its packs.
    fn release_body(&mut self, batch: BatchId, account: AccountKey, record: RecordId) -> Stored<()> {
        let sql = "SELECT 1 FROM copies WHERE account = ?1 AND record = ?2 AND wrap IS NOT NULL LIMIT 1";
        let opens = |row: &mut Columns<'_, '_>| row.int("opens");
        if first(self.0, "look for what opens a body", sql, params![account, record], opens)?.is_some() {
            return Ok(());
        }
        for segment in self.remove_segments(account, record)? {
            let sql = "INSERT INTO batch_packs (batch, pack) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
            change(self.0, "keep a batch's packs", sql, params![batch, segment.pack])?;
        }
        Ok(())
    }
}

impl ErasureWrite for SqliteTx<'_> {
    fn open_batch(&mut self, created_at: Instant, epoch: u64) -> Stored<BatchId> {
        let sql = "INSERT INTO batches (stage, created_at, epoch, old_pages) VALUES (0, ?1, ?2, x'')";
        change(self.0, "open a batch", sql, params![created_at.micros(), number(epoch, "epoch")?])?;
        Ok(BatchId(self.0.last_insert_rowid()))
    }

    fn seal_copies(&mut self, copies: &[(CopyKey, Sealing)]) -> Stored<u64> {
        let sql = "UPDATE copies SET state = 1, batch = ?4, due_at = ?5, cause = ?6, sealed_at = ?7
            WHERE account = ?1 AND record = ?2 AND class = ?3 AND state = 0";
        self.end_copies("seal a copy", sql, copies)
    }

    fn shred_copies(&mut self, copies: &[(CopyKey, Sealing)]) -> Stored<u64> {
        let sql =
            "UPDATE copies SET state = 2, wrap = NULL, batch = ?4, due_at = ?5, cause = ?6, sealed_at = ?7
            WHERE account = ?1 AND record = ?2 AND class = ?3 AND state < 2";
        self.end_copies("take a copy's key away", sql, copies)
    }

    fn release(&mut self, id: BatchId, after: Option<CopyKey>, rows: usize) -> Stored<Option<CopyKey>> {
        let released = self.slots_of_batch(id, after, rows)?;
        let Some((last, _)) = released.last().copied() else {
            let sql = "UPDATE batches SET released = 1 WHERE id = ?1";
            change_one(self.0, "release a batch", "batches", sql, [id])?;
            return Ok(None);
        };
        let mut slots: BTreeMap<PageId, u32> = BTreeMap::new();
        for (CopyKey { account, record, class }, page) in &released {
            let Some(page) = page else { continue };
            let sql = "UPDATE copies SET page = NULL WHERE account = ?1 AND record = ?2 AND class = ?3";
            change(self.0, "leave a page", sql, params![account, record, class])?;
            *slots.entry(*page).or_default() += 1;
        }
        for (page, count) in slots {
            self.give_back_slots(page, count)?;
        }
        for of_record in released.chunk_by(|(one, _), (next, _)| one.record == next.record) {
            for (CopyKey { account, record, .. }, _) in of_record.iter().take(1) {
                self.release_body(id, *account, *record)?;
            }
        }
        Ok(Some(last))
    }

    fn set_batch_stage(&mut self, id: BatchId, stage: BatchStage) -> Stored<()> {
        let sql = "UPDATE batches SET stage = ?2, sealed_at = ?3, shredded_at = ?4, removed_at = ?5,
                verified_at = ?6 WHERE id = ?1";
        let (code, [sealed_at, shredded_at, removed_at, verified_at]) = stage_columns(stage);
        let values = params![id, code, sealed_at, shredded_at, removed_at, verified_at];
        change_one(self.0, "move a batch", "batches", sql, values)?;
        let along = match stage {
            BatchStage::Shredded { shredded_at, .. } => Some((2, "shredded_at", shredded_at)),
            BatchStage::Removed { removed_at, .. } => Some((3, "removed_at", removed_at)),
            BatchStage::Verified { verified_at, .. } => Some((4, "verified_at", verified_at)),
            _ => None,
        };
        let Some((from, column, at)) = along else { return Ok(()) };
        let sql = format!(
            "UPDATE copies INDEXED BY copies_by_batch SET state = state + 1, {column} = ?2
            WHERE batch = ?1 AND state = ?3"
        );
        change(self.0, "move a batch's copies", &sql, params![id, at.micros(), from]).map(drop)
    }

    fn set_batch_statement(&mut self, id: BatchId, statement: Seq) -> Stored<()> {
        let sql = "UPDATE batches SET statement = ?2 WHERE id = ?1";
        change_one(self.0, "name a batch's statement", "batches", sql, params![id, statement])
    }

    fn set_batch_pages(&mut self, id: BatchId, epoch: u64, old_pages: &[PageId]) -> Stored<()> {
        let sql = "UPDATE batches SET epoch = ?2, old_pages = ?3 WHERE id = ?1";
        let pages: Vec<u8> = old_pages.iter().flat_map(|page| page.0).collect();
        change_one(
            self.0,
            "name a batch's pages",
            "batches",
            sql,
            params![id, number(epoch, "epoch")?, pages],
        )
    }

    fn insert_destroyed(&mut self, batch: BatchId, copies: &[CopyKey]) -> Stored<()> {
        let sql = "INSERT INTO destroyed (batch, place, account, record, class) VALUES (?1, ?2, ?3, ?4, ?5)";
        let each =
            (0_i64..).zip(copies).map(|(place, key)| (batch, place, key.account, key.record, key.class));
        change_each(self.0, "keep what a batch destroyed", sql, each).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{failure::failed, migrate::migrate};
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn what_was_destroyed_is_append_only_for_every_program() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA recursive_triggers = ON").unwrap();
        let insert = "INTO destroyed (batch, place, account, record, class) VALUES (1, 0, 1, x'01', 1)";
        connection.execute(&format!("INSERT {insert}"), []).unwrap();
        for sql in ["UPDATE destroyed SET place = 1", "DELETE FROM destroyed", &format!("REPLACE {insert}")] {
            let refused = connection.execute(sql, []).map_err(failed("try")).unwrap_err();
            assert_eq!(refused, StoreError::AppendOnly { table: "destroyed" }, "{sql}");
        }
    }
}
