//! What must be right about a case before it can be judged: the errors of the design that need the
//! lineage, or more than one field. Form and vocabulary are checked where a case is read.

use std::collections::BTreeSet;

use tenure_model::{Choice, Instant};
use tenure_policy::case::Case;

use crate::lineage::Lineage;
use crate::tally::{Clause, Tally};

/// A decision that exists at the instant of the verdict.
#[derive(Debug, Clone)]
pub(crate) struct Decided<'c> {
    pub(crate) purpose: &'c str,
    pub(crate) choice: Choice,
    pub(crate) at: Instant,
    /// The place of its version in the order of the lineage.
    pub(crate) version: usize,
    /// Whether its version does not live. Only an `off` under such a version stands, and tells nobody of it.
    pub(crate) is_void: bool,
}

/// Something else that happened to the account under a version, by the instant of the verdict.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told {
    pub(crate) version: usize,
    pub(crate) at: Instant,
}

/// A case whose every part makes sense under the lineage, without what does not exist yet.
#[derive(Debug, Clone)]
pub(crate) struct Checked<'c> {
    pub(crate) case: &'c Case<'c>,
    /// The record's surface.
    pub(crate) surface: usize,
    /// "A missing `conversation_last_activity_at` is the record's own."
    pub(crate) conversation_last_activity: Instant,
    /// When the record was deleted, if it was.
    pub(crate) deleted: Option<Instant>,
    pub(crate) decisions: Vec<Decided<'c>>,
    pub(crate) informed: Vec<Told>,
    pub(crate) acknowledged: Vec<Told>,
}

impl Checked<'_> {
    /// Whether something has happened at the instant of the verdict: "something that happened at `t`
    /// counts at `t`", and "events later than `at` do not exist yet".
    pub(crate) fn has_happened(&self, at: Option<Instant>) -> Option<Instant> {
        at.filter(|at| *at <= self.case.at)
    }

    /// What of it counts where only some versions live: "an `on` or acknowledgement under" another counts "as
    /// none; an `off` stands".
    pub(crate) fn under(&self, lives: &impl Fn(usize) -> bool) -> Self {
        let mut under = self.clone();
        under.informed.retain(|told| lives(told.version));
        under.acknowledged.retain(|told| lives(told.version));
        under.decisions.retain(|decided| decided.choice == Choice::Off || lives(decided.version));
        for decided in &mut under.decisions {
            decided.is_void = !lives(decided.version);
        }
        under
    }
}

pub(crate) fn check<'c>(
    lineage: &Lineage,
    case: &'c Case<'c>,
    tally: &mut Tally,
) -> Result<Checked<'c>, String> {
    let surface = lineage.surface(&case.record.surface).ok_or("unknown surface")?;
    check_times(case)?;
    let mut ids = BTreeSet::new();
    if !case.record.messages.iter().all(|message| ids.insert(&*message.id)) {
        return Err("two messages of one id".to_owned());
    }
    if case.holds.iter().any(|hold| hold.released_at.is_some_and(|released| released < hold.placed_at)) {
        return Err("a hold released before it was placed".to_owned());
    }
    let known = |purpose: &str| lineage.versions().iter().any(|version| version.purpose(purpose).is_some());
    if !case.decisions.iter().all(|decision| known(&decision.purpose)) {
        return Err("unknown purpose".to_owned());
    }

    // "Though a case is checked whole: only an unknown version is forgiven there."
    let mut existing = |version: &str, at: Instant| -> Result<Option<usize>, String> {
        if at > case.at {
            tally.add(Clause::FutureEvent);
            return Ok(None);
        }
        let position = lineage.position(version).ok_or("an event under a version that the lineage lacks")?;
        Ok(Some(position))
    };
    let mut decisions = Vec::new();
    for decision in &case.decisions {
        let Some(version) = existing(&decision.version, decision.at)? else { continue };
        let (choice, at) = (decision.choice, decision.at);
        decisions.push(Decided { purpose: &decision.purpose, choice, at, version, is_void: false });
    }
    let mut told = |events: &[tenure_policy::case::Event<'_>]| -> Result<Vec<Told>, String> {
        let mut told = Vec::new();
        for event in events {
            let Some(version) = existing(&event.version, event.at)? else { continue };
            told.push(Told { version, at: event.at });
        }
        Ok(told)
    };
    Ok(Checked {
        case,
        surface,
        conversation_last_activity: case
            .record
            .conversation_last_activity_at
            .unwrap_or(case.record.last_activity_at),
        deleted: case.record.deleted_at.filter(|deleted| *deleted <= case.at),
        decisions,
        informed: told(&case.informed)?,
        acknowledged: told(&case.acknowledged)?,
    })
}

fn check_times(case: &Case<'_>) -> Result<(), String> {
    let record = &case.record;
    let conversation = record.conversation_last_activity_at.unwrap_or(record.last_activity_at);
    let wrong = [
        (case.account.opened_at.is_some_and(|opened| opened > case.at), "an account opened after `at`"),
        (record.created_at > case.at, "a record created after `at`"),
        (record.last_activity_at > case.at, "a record active after `at`"),
        (record.last_activity_at < record.created_at, "a record active before it was created"),
        (conversation < record.last_activity_at, "a conversation less recent than its record"),
        (conversation > case.at, "a conversation more recent than `at`"),
    ];
    match wrong.into_iter().find(|(wrong, _)| *wrong) {
        Some((_, what)) => Err(what.to_owned()),
        None => Ok(()),
    }
}
