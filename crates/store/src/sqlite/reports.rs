//! What reports and certificates ask.

use super::SqliteTx;
use super::copy_row::stage;
use super::query::{limit, list};
use super::statements::statement;
use crate::{AccountKey, BatchId, ClassId, CopyKey, Fate, RecordId, ReportRead, Seq, StatementRow, Stored};
use rusqlite::params;
use tenure_model::Instant;

/// Statements that speak of copies. The list of kinds is that of the index, word by word.
macro_rules! select_stated {
    ($rest:literal) => {
        concat!(
            "SELECT seq, previous, account, version, kind, at, commitment, sealed
            FROM statements INDEXED BY statements_of_copies
            WHERE kind IN ('copies_sealed', 'copies_removed', 'copies_verified') AND kind = ?1 ",
            $rest
        )
    };
}

impl ReportRead for SqliteTx<'_> {
    fn batches_verified(
        &mut self,
        from: Instant,
        to: Instant,
        after: Option<(Instant, BatchId)>,
        rows: usize,
    ) -> Stored<Vec<(Instant, BatchId)>> {
        let sql = "SELECT verified_at, id FROM batches INDEXED BY batches_verified
            WHERE verified_at >= ?1 AND verified_at < ?2 AND (verified_at, id) > (?3, ?4)
            ORDER BY verified_at, id LIMIT ?5";
        let (at, id) = after.map_or((i64::MIN, i64::MIN), |(at, id)| (at.micros(), id.0));
        let values = params![from.micros(), to.micros(), at, id, limit(rows)];
        list(self.0, "list verified batches", sql, values, |row| {
            Ok((row.instant("verified_at")?, BatchId(row.int("id")?)))
        })
    }

    fn fates(&mut self, batch: BatchId, after: Option<CopyKey>, rows: usize) -> Stored<Vec<Fate>> {
        let sql = "SELECT c.account, c.record, c.class, r.surface, c.state, c.due_at, c.verified_at
            FROM copies c INDEXED BY copies_by_batch JOIN records r ON (r.account, r.id) = (c.account, c.record)
            WHERE c.batch = ?1 AND (c.account, c.record, c.class) > (?2, ?3, ?4)
            ORDER BY c.account, c.record, c.class LIMIT ?5";
        let (account, record, class) = after
            .as_ref()
            .map_or((i64::MIN, [].as_slice(), i64::MIN), |key| (key.account.0, &key.record.0, key.class.0));
        let values = params![batch, account, record, class, limit(rows)];
        list(self.0, "list what became of a batch's copies", sql, values, |row| {
            Ok(Fate {
                key: CopyKey {
                    account: AccountKey(row.int("account")?),
                    record: RecordId(row.bytes16("record")?),
                    class: ClassId(row.int("class")?),
                },
                surface: row.get("surface")?,
                stage: stage(row)?,
                due_at: row.instant("due_at")?,
                verified_at: row.instant_if_any("verified_at")?,
            })
        })
    }

    fn stated_after(&mut self, kind: &str, after: Seq, rows: usize) -> Stored<Vec<StatementRow>> {
        let sql = select_stated!("AND seq > ?2 ORDER BY seq LIMIT ?3");
        list(self.0, "list statements of copies", sql, params![kind, after, limit(rows)], statement)
    }

    fn stated_before(&mut self, kind: &str, before: Seq, rows: usize) -> Stored<Vec<StatementRow>> {
        let sql = select_stated!("AND seq < ?2 ORDER BY seq DESC LIMIT ?3");
        list(self.0, "list statements of copies", sql, params![kind, before, limit(rows)], statement)
    }
}
