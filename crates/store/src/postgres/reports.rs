//! What reports and certificates ask.

use super::PgTx;
use super::copy_row::{after as after_key, copy_key, stage};
use super::query::{limit, params};
use super::statements::{select_statements, statement};
use crate::{BatchId, CopyKey, Fate, ReportRead, Seq, StatementRow, Stored};
use tenure_model::Instant;

/// Statements that speak of copies. The list of kinds is that of the index, word by word.
macro_rules! select_stated {
    ($rest:literal) => {
        select_statements!(
            "WHERE s.kind IN ('copies_sealed', 'copies_removed', 'copies_verified') AND s.kind = $1 ",
            $rest
        )
    };
}

impl ReportRead for PgTx<'_> {
    fn batches_verified(
        &mut self,
        from: Instant,
        to: Instant,
        after: Option<(Instant, BatchId)>,
        rows: usize,
    ) -> Stored<Vec<(Instant, BatchId)>> {
        let sql = "SELECT verified_at, id FROM batches WHERE verified_at >= $1 AND verified_at < $2 AND (verified_at, id) > ($3, $4)
            ORDER BY verified_at, id LIMIT $5";
        let (at, id) = after.map_or((i64::MIN, i64::MIN), |(at, id)| (at.micros(), id.0));
        let values = params![from.micros(), to.micros(), at, id, limit(rows)];
        self.list("list verified batches", sql, values, |row| {
            Ok((row.instant("verified_at")?, BatchId(row.int("id")?)))
        })
    }

    fn fates(&mut self, batch: BatchId, after: Option<CopyKey>, rows: usize) -> Stored<Vec<Fate>> {
        let sql = "SELECT c.account, c.record, c.class, r.surface, c.state, c.due_at, c.verified_at
            FROM copies c JOIN records r ON (r.account, r.id) = (c.account, c.record)
            WHERE c.batch = $1 AND (c.account, c.record, c.class) > ($2, $3, $4)
            ORDER BY c.account, c.record, c.class LIMIT $5";
        let (account, record, class) = after_key(after.as_ref());
        let values = params![batch.0, account, record, class, limit(rows)];
        self.list("list what became of a batch's copies", sql, values, |row| {
            Ok(Fate {
                key: copy_key(row)?,
                surface: row.get("surface")?,
                stage: stage(row)?,
                due_at: row.instant("due_at")?,
                verified_at: row.instant_if_any("verified_at")?,
            })
        })
    }

    fn stated_after(&mut self, kind: &str, after: Seq, rows: usize) -> Stored<Vec<StatementRow>> {
        let sql = select_stated!("AND s.seq > $2 ORDER BY s.seq LIMIT $3");
        self.list("list statements of copies", sql, params![kind, after.0, limit(rows)], statement)
    }

    fn stated_before(&mut self, kind: &str, before: Seq, rows: usize) -> Stored<Vec<StatementRow>> {
        let sql = select_stated!("AND s.seq < $2 ORDER BY s.seq DESC LIMIT $3");
        self.list("list statements of copies", sql, params![kind, before.0, limit(rows)], statement)
    }
}
