//! Batches of copies that are destroyed together.

use super::PgTx;
use super::columns::Columns;
use super::copy_row::{Keys, after as after_key, copy, copy_key, select_copies};
use super::query::{limit, number, params};
use crate::spread::{batch_stage, split_ids, stage_columns};
use crate::{
    AccountKey, BatchId, BatchRow, BatchStage, ConversationRead, ConversationWrite, CopyKey, CopyRow,
    DestroyedRow, ErasureRead, ErasureWrite, PackId, PackRow, PageId, PageWrite, RecordId, Sealing, Seq,
    StoreError, Stored,
};
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

fn batch(row: &mut Columns<'_>) -> Stored<BatchRow> {
    Ok(BatchRow {
        id: BatchId(row.int("id")?),
        created_at: row.instant("created_at")?,
        due_at: row.instant_if_any("due_at")?,
        epoch: row.count("epoch")?,
        statement: row.int_if_any("statement")?.map(Seq),
        old_pages: split_ids(row.get("old_pages")?)?,
        stage: stage(row)?,
        released: row.get("released")?,
    })
}

fn stage(row: &mut Columns<'_>) -> Stored<BatchStage> {
    let code = row.int("stage")?;
    let mut when = [None; 4];
    for (at, column) in when.iter_mut().zip(["sealed_at", "shredded_at", "removed_at", "verified_at"]) {
        *at = row.instant_if_any(column)?;
    }
    batch_stage(code, when).ok_or(StoreError::Unreadable { column: "stage" })
}

fn destroyed(row: &mut Columns<'_>) -> Stored<DestroyedRow> {
    Ok(DestroyedRow { batch: BatchId(row.int("batch")?), place: row.count("place")?, key: copy_key(row)? })
}

impl ErasureRead for PgTx<'_> {
    fn batch(&mut self, id: BatchId) -> Stored<Option<BatchRow>> {
        self.first("read a batch", select!("WHERE id = $1"), params![id.0], batch)
    }

    fn unfinished_batches(&mut self) -> Stored<Vec<BatchRow>> {
        self.list("list unfinished batches", select!("WHERE stage < 5 ORDER BY id"), params![], batch)
    }

    fn batches(&mut self, after: Option<BatchId>, rows: usize) -> Stored<Vec<BatchRow>> {
        let after = after.map_or(i64::MIN, |id| id.0);
        let sql = select!("WHERE id > $1 ORDER BY id LIMIT $2");
        self.list("list batches", sql, params![after, limit(rows)], batch)
    }

    fn copies_of_batch(&mut self, id: BatchId, after: Option<CopyKey>, rows: usize) -> Stored<Vec<CopyRow>> {
        let sql = select_copies!(
            "WHERE batch = $1 AND (account, record, class) > ($2, $3, $4)
            ORDER BY account, record, class LIMIT $5"
        );
        let (account, record, class) = after_key(after.as_ref());
        self.list("list a batch's copies", sql, params![id.0, account, record, class, limit(rows)], copy)
    }

    fn destroyed_of(&mut self, id: BatchId, after: Option<u64>, rows: usize) -> Stored<Vec<DestroyedRow>> {
        let sql = "SELECT batch, place, account, record, class FROM destroyed
            WHERE batch = $1 AND place > $2 ORDER BY place LIMIT $3";
        let after = after.map_or(Ok(-1), |place| number(place, "place"))?;
        self.list("list what a batch destroyed", sql, params![id.0, after, limit(rows)], destroyed)
    }

    fn unreleased_batches(&mut self) -> Stored<Vec<BatchId>> {
        let sql = "SELECT id FROM batches WHERE stage = 3 AND NOT released ORDER BY id";
        self.list("list batches to release", sql, params![], |row| row.int("id").map(BatchId))
    }

    fn packs_of_batch(&mut self, id: BatchId) -> Stored<Vec<PackRow>> {
        let sql = "SELECT pack FROM batch_packs WHERE batch = $1 ORDER BY pack";
        let packs =
            self.list("list a batch's packs", sql, params![id.0], |row| row.bytes("pack").map(PackId))?;
        packs.into_iter().map(|pack| self.pack(pack)?.ok_or(StoreError::Missing { table: "packs" })).collect()
    }

    fn destructions_of(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<DestroyedRow>> {
        let sql = "SELECT batch, place, account, record, class FROM destroyed
            WHERE account = $1 AND record = $2 ORDER BY batch, class";
        self.list("list a record's destructions", sql, params![account.0, record.0], destroyed)
    }
}

impl PgTx<'_> {
    /// Ends copies by a statement that takes arrays of which copies, their batches, since when and why they must go, and
    /// when that was decided; says how many it changed.
    fn end_copies(
        &mut self,
        operation: &'static str,
        sql: &'static str,
        copies: &[(CopyKey, Sealing)],
    ) -> Stored<u64> {
        let mut first_due: BTreeMap<i64, i64> = BTreeMap::new();
        for (_, sealing) in copies {
            let first = first_due.entry(sealing.batch.0).or_insert(i64::MAX);
            *first = sealing.due_at.micros().min(*first);
        }
        let keys = Keys::of(copies.iter().map(|(key, _)| key));
        let sealings = || copies.iter().map(|(_, sealing)| sealing);
        let values = params![
            keys.accounts,
            keys.records,
            keys.classes,
            sealings().map(|sealing| sealing.batch.0).collect::<Vec<_>>(),
            sealings().map(|sealing| sealing.due_at.micros()).collect::<Vec<_>>(),
            sealings().map(|sealing| sealing.cause.as_str()).collect::<Vec<_>>(),
            sealings().map(|sealing| sealing.sealed_at.micros()).collect::<Vec<_>>(),
        ];
        let changed = self.change(operation, sql, values)?;
        let sql = "UPDATE batches SET due_at = least(COALESCE(due_at, $2), $2) WHERE id = $1";
        for (batch, due_at) in first_due {
            self.change("date a batch", sql, params![batch, due_at])?;
        }
        Ok(changed)
    }

    /// Copies of a batch, from after one on, with the pages that they still name.
    fn slots_of_batch(
        &mut self,
        id: BatchId,
        after: Option<CopyKey>,
        rows: usize,
    ) -> Stored<Vec<(CopyKey, Option<PageId>)>> {
        let sql = "SELECT account, record, class, page FROM copies
            WHERE batch = $1 AND (account, record, class) > ($2, $3, $4)
            ORDER BY account, record, class LIMIT $5";
        let (account, record, class) = after_key(after.as_ref());
        let values = params![id.0, account, record, class, limit(rows)];
        self.list("list a batch's slots", sql, values, |row| {
            Ok((copy_key(row)?, row.bytes_if_any("page")?.map(PageId)))
        })
    }

    /// Forgets where the body of a record lies, if no copy opens it any more; the batch waits for its packs.
    fn release_body(&mut self, batch: BatchId, account: AccountKey, record: RecordId) -> Stored<()> {
        let sql = "SELECT 1::BIGINT FROM copies
            WHERE account = $1 AND record = $2 AND wrap IS NOT NULL LIMIT 1";
        let opens = |row: &mut Columns<'_>| row.int("opens");
        if self.first("look for what opens a body", sql, params![account.0, record.0], opens)?.is_some() {
            return Ok(());
        }
        for segment in self.remove_segments(account, record)? {
            let sql = "INSERT INTO batch_packs (batch, pack) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            self.change("keep a batch's packs", sql, params![batch.0, segment.pack.0])?;
        }
        Ok(())
    }
}

impl ErasureWrite for PgTx<'_> {
    fn open_batch(&mut self, created_at: Instant, epoch: u64) -> Stored<BatchId> {
        let sql =
            "INSERT INTO batches (stage, created_at, epoch, old_pages) VALUES (0, $1, $2, '') RETURNING id";
        let values = params![created_at.micros(), number(epoch, "epoch")?];
        self.only("open a batch", sql, values, |row| row.int("id").map(BatchId))
    }

    fn seal_copies(&mut self, copies: &[(CopyKey, Sealing)]) -> Stored<u64> {
        let sql = "UPDATE copies c SET state = 1, batch = u.batch, due_at = u.due_at, cause = u.cause,
                sealed_at = u.sealed_at
            FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::TEXT[],
                $7::BIGINT[]) AS u (account, record, class, batch, due_at, cause, sealed_at)
            WHERE c.account = u.account AND c.record = u.record AND c.class = u.class AND c.state = 0";
        self.end_copies("seal copies", sql, copies)
    }

    fn shred_copies(&mut self, copies: &[(CopyKey, Sealing)]) -> Stored<u64> {
        let sql = "UPDATE copies c SET state = 2, wrap = NULL, batch = u.batch, due_at = u.due_at,
                cause = u.cause, sealed_at = u.sealed_at
            FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BIGINT[], $4::BIGINT[], $5::BIGINT[], $6::TEXT[],
                $7::BIGINT[]) AS u (account, record, class, batch, due_at, cause, sealed_at)
            WHERE c.account = u.account AND c.record = u.record AND c.class = u.class AND c.state < 2";
        self.end_copies("take the keys of copies away", sql, copies)
    }

    fn release(&mut self, id: BatchId, after: Option<CopyKey>, rows: usize) -> Stored<Option<CopyKey>> {
        let released = self.slots_of_batch(id, after, rows)?;
        let Some((last, _)) = released.last().copied() else {
            let sql = "UPDATE batches SET released = TRUE WHERE id = $1";
            self.change_one("release a batch", "batches", sql, params![id.0])?;
            return Ok(None);
        };
        let mut slots: BTreeMap<PageId, u32> = BTreeMap::new();
        for page in released.iter().filter_map(|(_, page)| *page) {
            *slots.entry(page).or_default() += 1;
        }
        let sql = "UPDATE copies c SET page = NULL
            FROM unnest($1::BIGINT[], $2::BYTEA[], $3::BIGINT[]) AS u (account, record, class)
            WHERE c.account = u.account AND c.record = u.record AND c.class = u.class AND c.page IS NOT NULL";
        let keys = Keys::of(released.iter().map(|(key, _)| key));
        self.change("leave pages", sql, params![keys.accounts, keys.records, keys.classes])?;
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
        let sql = "UPDATE batches SET stage = $2, sealed_at = $3, shredded_at = $4, removed_at = $5,
                verified_at = $6 WHERE id = $1";
        let (code, [sealed_at, shredded_at, removed_at, verified_at]) = stage_columns(stage);
        let values = params![id.0, code, sealed_at, shredded_at, removed_at, verified_at];
        self.change_one("move a batch", "batches", sql, values)?;
        let (sql, at) = match stage {
            BatchStage::Shredded { shredded_at, .. } => {
                ("UPDATE copies SET state = 3, shredded_at = $2 WHERE batch = $1 AND state = 2", shredded_at)
            }
            BatchStage::Removed { removed_at, .. } => {
                ("UPDATE copies SET state = 4, removed_at = $2 WHERE batch = $1 AND state = 3", removed_at)
            }
            BatchStage::Verified { verified_at, .. } => {
                ("UPDATE copies SET state = 5, verified_at = $2 WHERE batch = $1 AND state = 4", verified_at)
            }
            BatchStage::Gathering | BatchStage::Sealed { .. } | BatchStage::Shredding { .. } => return Ok(()),
        };
        self.change("move a batch's copies", sql, params![id.0, at.micros()]).map(drop)
    }

    fn set_batch_statement(&mut self, id: BatchId, statement: Seq) -> Stored<()> {
        let sql = "UPDATE batches SET statement = $2 WHERE id = $1";
        self.change_one("name a batch's statement", "batches", sql, params![id.0, statement.0])
    }

    fn set_batch_pages(&mut self, id: BatchId, epoch: u64, old_pages: &[PageId]) -> Stored<()> {
        let sql = "UPDATE batches SET epoch = $2, old_pages = $3 WHERE id = $1";
        let pages: Vec<u8> = old_pages.iter().flat_map(|page| page.0).collect();
        let values = params![id.0, number(epoch, "epoch")?, pages];
        self.change_one("name a batch's pages", "batches", sql, values)
    }

    fn insert_destroyed(&mut self, batch: BatchId, copies: &[CopyKey]) -> Stored<()> {
        let sql = "INSERT INTO destroyed (batch, account, record, class, place)
            SELECT $1, account, record, class, nth - 1
            FROM unnest($2::BIGINT[], $3::BYTEA[], $4::BIGINT[]) WITH ORDINALITY AS u (account, record, class, nth)";
        let keys = Keys::of(copies.iter());
        let values = params![batch.0, keys.accounts, keys.records, keys.classes];
        self.change("keep what a batch destroyed", sql, values).map(drop)
    }
}
