//! Reports on erasure: what was destroyed in time, what is late, what waits, and certificates of single copies.
//!
//! Nothing here changes anything. A report costs what was destroyed in its period and what is due or under way,
//! never what is stored.

mod ageing;
mod certificate;
mod due;
mod fate;
mod timing;
mod waiting;

use serde::Serialize;
use tenure_model::Instant;
use tenure_store::{BatchId, CopyKey, CopyStage, ReadTx, StoreExt as _};

use crate::filing::class_name;
use crate::settings::{deadline, erase_within};
use crate::{Error, Pause, Tenure};

pub use ageing::{AgeingBackup, AgeingKeys, AgeingOut};
pub use certificate::{Certificate, CertifiedItem, CertifiedStatement, FORM, Fated, Of, StageTold, ToldFate};
pub use due::{Overdue, OverdueCopy, OverdueRow};
pub use timing::{Bar, Timing, TimingRow};
pub use waiting::{Rests, Waiting};

use due::Late;
use timing::Timings;

/// How many rows are read at once.
const SLICE: usize = 1_000;

/// How erasure went in a period, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErasureReport {
    /// The first instant of the period.
    pub from: Instant,
    /// The first instant after it.
    pub to: Instant,
    /// The instant of what stands.
    pub at: Instant,
    /// Within which time of when it is due a copy must be verified absent.
    pub within: String,
    /// The pause, if destruction is paused.
    pub paused: Option<Pause>,
    /// Whether Tenure only observes.
    pub observes: bool,
    /// Copies that were verified absent in the period.
    pub verified: Timing,
    /// The same by class and surface.
    pub kinds: Vec<TimingRow>,
    /// How long it took, from the shortest on.
    pub histogram: Vec<Bar>,
    /// Copies on their way, by how far they have come.
    pub under_way: UnderWay,
    /// What is late now.
    pub overdue: Overdue,
    /// What lost its basis otherwise than by time or deletion and rests in quarantine.
    pub quarantine: Vec<Rests>,
    /// What has the grace of a released hold left, by when the hold was released.
    pub released: Vec<Rests>,
    /// Copies that only a hold keeps.
    pub held: Vec<Waiting>,
    /// Accounts that the next sweep files anew; what stands may say too little of them.
    pub unfiled: u64,
    /// What still holds something of what was destroyed.
    pub ageing_out: AgeingOut,
}

/// Copies on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct UnderWay {
    /// Due, and no sweep has taken them up.
    pub due: u64,
    /// Their end is decided, and their keys are there still.
    pub sealed: u64,
    /// Their keys are destroyed.
    pub shredded: u64,
    /// Their bytes are removed.
    pub removed: u64,
}

impl Tenure {
    /// How erasure went from an instant on and before another, and how it stands now.
    pub fn erasure_report(&self, from: Instant, to: Instant, now: Instant) -> Result<ErasureReport, Error> {
        let policies = self.policies()?;
        let ageing_out = self.ageing_out(now)?;
        let (paused, observes) = (self.paused()?, self.observes()?);
        self.store.read(|tx| {
            let (within, classes) = (erase_within(tx)?, tx.classes()?);
            let ends = |due_at| deadline(due_at, within);
            let mut timings = Timings::default();
            each_verified(tx, from, to, &mut |tx, batch| {
                each_fate(tx, batch, &mut |fate| {
                    if let Some(verified_at) = fate.verified_at {
                        let class = class_name(&classes, fate.key.class);
                        timings.add((class, &fate.surface), fate.due_at, verified_at, ends(fate.due_at));
                    }
                })
            })?;
            let mut under_way = UnderWay::default();
            let mut late = Late::new(now, within);
            for batch in tx.unfinished_batches()? {
                each_fate(tx, batch.id, &mut |fate| {
                    let counted = match fate.stage {
                        CopyStage::Live | CopyStage::Verified => return,
                        CopyStage::Sealed | CopyStage::Shredding => &mut under_way.sealed,
                        CopyStage::Shredded => &mut under_way.shredded,
                        CopyStage::Removed => &mut under_way.removed,
                    };
                    *counted += 1;
                    let class = class_name(&classes, fate.key.class);
                    late.add((class, &fate.surface, fate.stage), fate.key.record, fate.due_at);
                })?;
            }
            self.each_due(tx, &policies, now, &mut |class, record, due| {
                under_way.due += 1;
                late.add((class, &record.surface, CopyStage::Live), record.id, due.since());
            })?;
            let waits = waiting::read(tx, &classes, now)?;
            let (verified, kinds, histogram) = timings.summed_up();
            Ok(ErasureReport {
                from,
                to,
                at: now,
                within: within.to_string(),
                paused,
                observes,
                verified,
                kinds,
                histogram,
                under_way,
                overdue: late.summed_up(),
                quarantine: waits.quarantine,
                released: waits.released,
                held: waits.held,
                unfiled: tx.refile_count()?,
                ageing_out,
            })
        })
    }
}

/// Every batch that was verified in a period.
fn each_verified(
    tx: &mut dyn ReadTx,
    from: Instant,
    to: Instant,
    each: &mut dyn FnMut(&mut dyn ReadTx, BatchId) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = None;
    loop {
        let batches = tx.batches_verified(from, to, after, SLICE)?;
        let Some(last) = batches.last() else { return Ok(()) };
        after = Some(*last);
        for (_, batch) in batches {
            each(tx, batch)?;
        }
    }
}

/// What became of every copy of a batch.
fn each_fate(
    tx: &mut dyn ReadTx,
    batch: BatchId,
    each: &mut dyn FnMut(tenure_store::Fate),
) -> Result<(), Error> {
    let mut after: Option<CopyKey> = None;
    loop {
        let fates = tx.fates(batch, after, SLICE)?;
        let Some(last) = fates.last() else { return Ok(()) };
        after = Some(last.key);
        fates.into_iter().for_each(&mut *each);
    }
}

/// Why a copy goes, in words that follow "as".
pub fn cause_in_words(cause: &str) -> &'static str {
    match cause {
        "choice" => "a choice was changed",
        "flag" => "a flag was set or cleared",
        "facts" => "a fact was corrected",
        "closing" => "the account was closed",
        "terms" => "the terms changed",
        "time" => "the term ended",
        "deletion" => "its person deleted it",
        "release" => "the grace after a hold ended",
        "no_term" => "no rule keeps it",
        _ => "nobody recorded why",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_words() {
        for cause in tenure_policy::Cause::ALL {
            assert_ne!(cause_in_words(cause.word()), cause_in_words("unknown"), "{cause:?}");
        }
    }
}
