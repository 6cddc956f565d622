//! Which version binds an account, and which judges a record.

use tenure_model::{Instant, Regime};

use crate::check::Checked;
use crate::lineage::Lineage;
use crate::tally::{Clause, Tally};
use crate::widening::Widening;

/// The versions that are considered for a record, with what they are considered by.
#[derive(Debug)]
pub(crate) struct Considered<'c> {
    pub(crate) lineage: &'c Lineage,
    pub(crate) checked: Checked<'c>,
    /// The record's: "widening is judged within a regime; for a record, in the record's".
    pub(crate) regime: Regime,
    /// "For a record only those that know its surface are considered", in order, of those that live; never
    /// empty.
    pub(crate) versions: Vec<usize>,
    /// Whether no version that lives knows the surface, so that nothing may be used and nobody is asked.
    pub(crate) is_orphan: bool,
}

/// Why an account is bound to a version that it moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Acknowledged {
    ByDecision,
    Plainly,
    Not,
}

impl Considered<'_> {
    /// Whether `newer` widens against `older` for the record.
    pub(crate) fn widens(&self, older: usize, newer: usize, tally: &mut Tally) -> bool {
        let widening = self.lineage.widening(older, newer, self.regime);
        let Widening { use_allowed, keep_not_covered, reach, ground } = widening;
        for (decided, clause) in [
            (use_allowed, Clause::WideningUse),
            (keep_not_covered, Clause::WideningKeep),
            (reach, Clause::WideningReach),
            (ground, Clause::WideningGround),
            (!widening.widens(), Clause::WideningNot),
        ] {
            if decided {
                tally.add(clause);
            }
        }
        widening.widens()
    }

    fn oldest(&self) -> usize {
        self.versions.first().copied().unwrap_or(0)
    }

    /// "Start with the newest announced when the account was opened (the oldest, if none was)"; "a
    /// missing `opened_at` counts as before every version".
    fn start(&self, tally: &mut Tally) -> usize {
        let Some(opened) = self.checked.case.account.opened_at else {
            tally.add(Clause::BindingFromOldestUnknownOpening);
            return self.oldest();
        };
        let announced = |version: &&usize| {
            self.lineage.versions().get(**version).is_some_and(|version| version.announced <= opened)
        };
        if let Some(newest) = self.versions.iter().rfind(announced) {
            tally.add(Clause::BindingFromOpened);
            return *newest;
        }
        tally.add(Clause::BindingFromOldest);
        self.oldest()
    }

    /// "A decision under it, or a plain acknowledgement", by then.
    fn acknowledged(&self, version: usize, by: Instant) -> Acknowledged {
        if self.checked.decisions.iter().any(|decided| decided.version == version && decided.at <= by) {
            Acknowledged::ByDecision
        } else if self.checked.acknowledged.iter().any(|told| told.version == version && told.at <= by) {
            Acknowledged::Plainly
        } else {
            Acknowledged::Not
        }
    }

    /// Which version binds the account at an instant.
    ///
    /// "Then, in order, move to each later version that the account has acknowledged by then, or whose
    /// `effective` has come and that does not widen against the one reached."
    pub(crate) fn bound(&self, at: Instant, tally: &mut Tally) -> usize {
        let mut reached = self.start(tally);
        for version in self.versions.iter().copied().filter(|version| *version > reached).collect::<Vec<_>>()
        {
            let effective =
                self.lineage.versions().get(version).is_some_and(|version| version.effective <= at);
            let (moves, clause) = match self.acknowledged(version, at) {
                Acknowledged::ByDecision => (true, Clause::BindingByDecision),
                Acknowledged::Plainly => (true, Clause::BindingByAcknowledgement),
                Acknowledged::Not if !effective => (false, Clause::BindingNotEffective),
                Acknowledged::Not if self.widens(reached, version, tally) => (false, Clause::BindingNotWider),
                Acknowledged::Not => (true, Clause::BindingByEffective),
            };
            tally.add(clause);
            if moves {
                reached = version;
            }
        }
        reached
    }

    /// Which version judges the record, where `bound` binds the account now.
    ///
    /// "Take the version that bound the account at the conversation's last activity (in the same
    /// regime); then, in order up to the version that binds now, move to each that does not widen
    /// against the one reached."
    pub(crate) fn judging(&self, bound: usize, tally: &mut Tally) -> usize {
        let then = self.bound(self.checked.conversation_last_activity, tally);
        if then == bound {
            tally.add(Clause::JudgingEqual);
        }
        if then > bound {
            tally.add(Clause::JudgingBack);
        }
        let mut reached = then;
        for version in &self.versions {
            if *version <= then || *version > bound {
                continue;
            }
            if self.widens(reached, *version, tally) {
                tally.add(Clause::JudgingNotMoved);
            } else {
                tally.add(Clause::JudgingMoved);
                reached = *version;
            }
        }
        reached
    }

    /// Whether an `on` given under a version counts toward another.
    ///
    /// "`on` is on if it was given under that version or a later one, or if no step of the lineage from
    /// the version it was given under up to that one widens against the step before." The steps are
    /// those of the considered versions, each against the considered one before it.
    pub(crate) fn carries(&self, given: usize, toward: usize, tally: &mut Tally) -> bool {
        if given >= toward {
            return true;
        }
        for (before, step) in self.versions.iter().zip(self.versions.iter().skip(1)) {
            if given < *step && *step <= toward && self.widens(*before, *step, tally) {
                return false;
            }
        }
        true
    }
}
