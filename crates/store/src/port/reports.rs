//! What reports and certificates ask: what was destroyed in a period, and which statements say so.

use tenure_model::Instant;

use crate::{BatchId, CopyKey, CopyStage, Seq, StatementRow, Stored};

/// How far a copy that goes, or went, has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The copy.
    pub key: CopyKey,
    /// The surface of its record.
    pub surface: String,
    /// How far.
    pub stage: CopyStage,
    /// Since when it had to be gone.
    pub due_at: Instant,
    /// When it was looked for and not found.
    pub verified_at: Option<Instant>,
}

/// Reads what reports are made of. Nothing here costs what is stored, only what it asks for.
pub trait ReportRead {
    /// Batches that were verified absent from an instant on and before another, by when and by id, after one.
    fn batches_verified(
        &mut self,
        from: Instant,
        to: Instant,
        after: Option<(Instant, BatchId)>,
        limit: usize,
    ) -> Stored<Vec<(Instant, BatchId)>>;
    /// What became of the copies of a batch, by account, record and class, after one. One that lives again, or
    /// went again in a later batch, is not among them.
    fn fates(&mut self, batch: BatchId, after: Option<CopyKey>, limit: usize) -> Stored<Vec<Fate>>;
    /// Statements of a kind, `copies_sealed`, `copies_removed` or `copies_verified`, after a place of the ledger, in
    /// order.
    fn stated_after(&mut self, kind: &str, after: Seq, limit: usize) -> Stored<Vec<StatementRow>>;
    /// The same before a place, the newest first.
    fn stated_before(&mut self, kind: &str, before: Seq, limit: usize) -> Stored<Vec<StatementRow>>;
}
