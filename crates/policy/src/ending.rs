//! How a class came to have no basis: by time, by its person's deletion, or otherwise.
//!
//! The past is judged as it was, backwards from now, one stretch between two events after the other. Within a
//! stretch the matching rules and their anchors stay the same, and so does the end that they give. What ended by
//! time or by deletion is due; what lost its basis otherwise rests in quarantine first.

use std::cmp::Reverse;

use tenure_model::{Anchored, Instant};

use crate::facts::Facts;
use crate::language::{Ground, Version};
use crate::lineage::Lineage;
use crate::verdict::Verdict;

/// Why a copy must go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// A choice changed what keeps it, or the waiting time after a notice passed.
    Choice,
    /// A flag was set or cleared.
    Flag,
    /// A fact about the account or the record was corrected or came up.
    Facts,
    /// The account was closed.
    Closing,
    /// Terms were published, took effect, were acknowledged or were withdrawn.
    Terms,
    /// Its term ended.
    Time,
    /// Its person deleted it.
    Deletion,
    /// The grace after a hold's release ended.
    Release,
    /// No rule ever kept it.
    NoTerm,
}

impl Cause {
    /// Every cause. Of several events at one instant, the first in this order is told.
    pub const ALL: [Self; 9] = [
        Self::Choice,
        Self::Flag,
        Self::Facts,
        Self::Closing,
        Self::Terms,
        Self::Time,
        Self::Deletion,
        Self::Release,
        Self::NoTerm,
    ];

    /// The one spelling of this cause.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Flag => "flag",
            Self::Facts => "facts",
            Self::Closing => "closing",
            Self::Terms => "terms",
            Self::Time => "time",
            Self::Deletion => "deletion",
            Self::Release => "release",
            Self::NoTerm => "no_term",
        }
    }
}

/// How the last basis of a class ended, or is about to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its term ran out, and it had that end for a `grace` before.
    ByTime {
        /// When.
        at: Instant,
    },
    /// Its person deleted it.
    ByDeletion {
        /// When.
        at: Instant,
    },
    /// Something else took its basis: it is in quarantine from then on.
    Otherwise {
        /// When.
        at: Instant,
        /// Until when it rests in quarantine.
        until: Instant,
        /// What took its basis.
        cause: Cause,
    },
    /// Since the conversation's last activity nothing has kept it.
    Never {
        /// Since when.
        at: Instant,
    },
}

impl Ended {
    /// Since when the copy must be gone, and why. A released hold's grace is not in this.
    pub const fn since(self) -> (Instant, Cause) {
        match self {
            Self::ByTime { at } => (at, Cause::Time),
            Self::ByDeletion { at } => (at, Cause::Deletion),
            Self::Otherwise { until, cause, .. } => (until, cause),
            Self::Never { at } => (at, Cause::NoTerm),
        }
    }
}

/// A copy that lost its basis otherwise than by time or deletion: hidden, unusable, and not yet to be destroyed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quarantine {
    /// Since when it has no basis.
    pub since: Instant,
    /// Until when it rests; a basis that comes back ends it earlier.
    pub until: Instant,
}

impl Lineage {
    /// How the basis of a class ended, given the verdict on its record; nothing where it has one that does not
    /// end by an instant.
    ///
    /// An end that still lies ahead is foreseen as things stand at the verdict.
    pub fn ended(&self, facts: &Facts<'_>, verdict: &Verdict, class: &str, by: Instant) -> Option<Ended> {
        let natural = self.natural_end_now(facts, verdict, class);
        if natural.is_some_and(|end| end.is_live(by.max(facts.at))) {
            return None;
        }
        let lost = Walk { lineage: self, facts, verdict, class }.back(natural);
        if let Some(deleted) = facts.deleted_at
            && lost.is_none_or(|lost| lost.at() <= deleted)
            && (lost.is_none() || self.was_kept_until(facts, class, deleted))
        {
            return Some(Ended::ByDeletion { at: deleted });
        }
        Some(lost.unwrap_or(Ended::Never { at: facts.conversation_last_activity_at }))
    }

    /// Whether a class had a basis just before its deletion.
    fn was_kept_until(&self, facts: &Facts<'_>, class: &str, deleted: Instant) -> bool {
        let before = just_before(deleted);
        if before < facts.conversation_last_activity_at {
            return false;
        }
        let then = Facts { deleted_at: None, ..facts.then(before) };
        self.natural_end(&then, class).is_some_and(|end| end.is_live(before))
    }
}

impl Ended {
    /// When the basis ended.
    pub const fn at(self) -> Instant {
        match self {
            Self::ByTime { at }
            | Self::ByDeletion { at }
            | Self::Otherwise { at, .. }
            | Self::Never { at } => at,
        }
    }
}

const fn just_before(at: Instant) -> Instant {
    Instant::saturating_from_micros(at.micros() - 1)
}

/// The last time that had a basis, as far as it is known.
#[derive(Debug, Clone, Copy)]
struct Last {
    /// When it ended.
    at: Instant,
    /// The latest end that the class had within `grace` before.
    had: Anchored,
    /// What took the end that lay later, if one did.
    cause: Option<Cause>,
}

/// A look back at one class of a record.
struct Walk<'a> {
    lineage: &'a Lineage,
    facts: &'a Facts<'a>,
    verdict: &'a Verdict,
    class: &'a str,
}

impl Walk<'_> {
    /// Walks back from the verdict, where the rules that match give the end `natural`.
    fn back(&self, natural: Option<Anchored>) -> Option<Ended> {
        let mut natural = natural;
        let mut last: Option<Last> = None;
        let mut until: Option<(Instant, Cause)> = None;
        let first = self.facts.conversation_last_activity_at;
        let mut events = self.events().into_iter();
        loop {
            let event = events.next();
            let start = event.map_or(first, |(at, _)| at);
            if until.is_some() {
                // A stretch looks the same throughout, so it is judged at its start.
                natural = self.lineage.natural_end(&self.facts.then(start), self.class);
            }
            if let Some(end) = natural {
                last = self.with(last, start, end, until);
            }
            let Some(event) = event else { break };
            if last.is_some_and(|last| !self.reaches(just_before(start), last.at)) {
                break;
            }
            until = Some(event);
        }
        last.map(|last| self.ended(last))
    }

    /// What is known once a stretch, whose rules give an end, has been looked at too.
    fn with(
        &self,
        last: Option<Last>,
        start: Instant,
        end: Anchored,
        until: Option<(Instant, Cause)>,
    ) -> Option<Last> {
        let kept_until = match (end, until) {
            (Anchored::Until(end), Some((until, _))) => end.min(until),
            (Anchored::Until(end), None) => end,
            (Anchored::Indefinite, Some((until, _))) => until,
            (Anchored::Indefinite, None) => return last,
        };
        if kept_until <= start {
            return last;
        }
        let (at, had, cause) = match last {
            None => (kept_until, end, None),
            Some(last) if !self.reaches(just_before(kept_until), last.at) => return Some(last),
            Some(last) => (last.at, last.had.max(end), last.cause),
        };
        let taken = until.filter(|_| end > Anchored::Until(at)).map(|(_, cause)| cause);
        Some(Last { at, had, cause: cause.or(taken) })
    }

    /// Whether an instant lies within `grace` before another.
    fn reaches(&self, before: Instant, at: Instant) -> bool {
        let tree = self.lineage.tree(self.verdict.judged);
        before.plus(tree.grace, tree.months) >= at
    }

    fn ended(&self, last: Last) -> Ended {
        let (tree, at) = (self.lineage.tree(self.verdict.judged), last.at);
        if last.had <= Anchored::Until(at) {
            return Ended::ByTime { at };
        }
        let rest = at.plus(tree.grace, tree.months);
        let until = match last.had {
            Anchored::Until(had) => rest.min(had),
            Anchored::Indefinite => rest,
        };
        Ended::Otherwise { at, until, cause: last.cause.unwrap_or(Cause::Terms) }
    }

    /// What may have changed what keeps the class, the latest first; of several at one instant, the first cause.
    fn events(&self) -> Vec<(Instant, Cause)> {
        let mut events: Vec<(Instant, Cause)> = self.lineage.events(self.facts).collect();
        events.sort_unstable_by_key(|(at, cause)| (Reverse(*at), *cause));
        events.dedup_by_key(|(at, _)| *at);
        events
    }
}

impl Lineage {
    /// Every instant after the conversation's last activity and up to now at which something may have changed
    /// what keeps a record's copies, with what changed it, in any order.
    pub(crate) fn events<'a>(&'a self, facts: &'a Facts<'_>) -> impl Iterator<Item = (Instant, Cause)> + 'a {
        let history = facts.history;
        let decided = history.decisions.iter().map(|decision| (decision.at, Cause::Choice));
        let acknowledged = history.acknowledged.iter().map(|(_, at)| (*at, Cause::Terms));
        let of_versions = self.versions().flat_map(move |(index, version)| {
            let life = self.life(index);
            let dates =
                [Some(version.announced), Some(version.effective), Some(life.published), life.withdrawn];
            let dates = dates.into_iter().flatten().map(|at| (at, Cause::Terms));
            let told = move || {
                let told = history.informed.iter().chain(&history.acknowledged).map(|(_, at)| *at);
                told.chain(history.decisions.iter().map(|decision| decision.at))
            };
            let waited = waits(version)
                .flat_map(move |wait| told().map(move |at| (at.plus(wait, version.months), Cause::Choice)));
            dates.chain(waited)
        });
        let unflagged = facts.unflagged.map(|flag| [flag.flagged_at, flag.cleared_at]);
        let flags = unflagged.into_iter().flatten().chain(facts.flagged_at).map(|at| (at, Cause::Flag));
        let corrected = facts.former.iter().map(|former| former.until);
        let corrected = corrected.chain(facts.feedback_at).map(|at| (at, Cause::Facts));
        let closed = facts.closed_at.map(|at| (at, Cause::Closing));
        let all = decided.chain(acknowledged).chain(of_versions).chain(flags).chain(corrected).chain(closed);
        all.filter(|(at, _)| *at > facts.conversation_last_activity_at && *at <= facts.at)
    }
}

/// The waiting times of a version's purposes of ground objection.
fn waits(version: &Version) -> impl Iterator<Item = tenure_model::Span> {
    version.purposes.iter().filter_map(|purpose| match purpose.ground {
        Ground::Objection { wait } => Some(wait),
        Ground::Consent | Ground::None => None,
    })
}
