//! What is due and not destroyed, and what of it is late.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Instant, Span};
use tenure_policy::Due;
use tenure_store::{CopyStage, ReadTx, RecordId, RecordRow};

use super::SLICE;
use crate::filing::{SHARD, class_name};
use crate::record::Holds;
use crate::settings::deadline;
use crate::sweep::{Judge, Judged, due_groups};
use crate::{Error, Policies, Tenure};

/// Copies that were due and are not verified absent after the time for erasure.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Overdue {
    /// How many.
    pub copies: u64,
    /// The same by class, surface and how far they have come.
    pub kinds: Vec<OverdueRow>,
    /// The one that is late the longest.
    pub oldest: Option<OverdueCopy>,
}

/// Overdue copies of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverdueRow {
    /// The class.
    pub class: String,
    /// The surface.
    pub surface: String,
    /// How far they have come; `live` where no sweep has taken them up.
    pub stage: &'static str,
    /// How many.
    pub copies: u64,
}

/// One copy that is late.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OverdueCopy {
    /// Its record.
    pub record: String,
    /// Its class.
    pub class: String,
    /// The surface.
    pub surface: String,
    /// How far it has come.
    pub stage: &'static str,
    /// Since when it had to be gone.
    pub due_at: Instant,
    /// By when it had to be verified absent.
    pub deadline: Instant,
}

/// Counts what is late.
pub(super) struct Late {
    now: Instant,
    within: Span,
    kinds: BTreeMap<(String, String, CopyStage), u64>,
    oldest: Option<OverdueCopy>,
}

impl Late {
    pub(super) const fn new(now: Instant, within: Span) -> Self {
        Self { now, within, kinds: BTreeMap::new(), oldest: None }
    }

    /// Adds a copy that is due, if it is late too.
    pub(super) fn add(
        &mut self,
        (class, surface, stage): (&str, &str, CopyStage),
        record: RecordId,
        due_at: Instant,
    ) {
        let deadline = deadline(due_at, self.within);
        if deadline >= self.now {
            return;
        }
        *self.kinds.entry((class.to_owned(), surface.to_owned(), stage)).or_default() += 1;
        if self.oldest.as_ref().is_none_or(|oldest| due_at < oldest.due_at) {
            self.oldest = Some(OverdueCopy {
                record: record.to_string(),
                class: class.to_owned(),
                surface: surface.to_owned(),
                stage: stage.word(),
                due_at,
                deadline,
            });
        }
    }

    pub(super) fn summed_up(self) -> Overdue {
        let copies = self.kinds.values().sum();
        let kinds = self.kinds.into_iter();
        let kinds = kinds.map(|((class, surface, stage), copies)| OverdueRow {
            class,
            surface,
            stage: stage.word(),
            copies,
        });
        Overdue { copies, kinds: kinds.collect(), oldest: self.oldest }
    }
}

impl Tenure {
    /// Every live copy that is due now, as the index finds and the verdict decides it. It costs what is due.
    pub(super) fn each_due(
        &self,
        tx: &mut dyn ReadTx,
        policies: &Policies,
        now: Instant,
        each: &mut dyn FnMut(&str, &RecordRow, &Due),
    ) -> Result<(), Error> {
        let (holds, classes) = (Holds::load(tx)?, tx.classes()?);
        let mut judge = Judge::new(self, policies, &holds, now, now);
        for (group, up_to) in due_groups(tx, policies, now, now)? {
            let class = class_name(&classes, group.class);
            let mut after = None;
            loop {
                let found = tx.due(SHARD, group, up_to, after, SLICE)?;
                let Some(last) = found.last() else { break };
                after = Some(*last);
                for copy in found {
                    let record = tx.record(copy.record)?.ok_or(Error::UnknownRecord)?;
                    if let Judged::Due(due) = judge.judge(tx, record.clone(), class)? {
                        each(class, &record, &due);
                    }
                }
            }
        }
        Ok(())
    }
}
