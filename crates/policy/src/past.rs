//! The past as it was: what counts of an account's history, and the facts of a record at an earlier instant.

use tenure_model::{Choice, Instant};

use crate::facts::{Decision, Facts, History};
use crate::lineage::{PurposeIx, VersionIx};
use crate::lives::Epoch;

/// What was known of an account until a correction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormerFacts<'a> {
    /// Until when; what replaced it holds from this instant on.
    pub until: Instant,
    /// The account's country.
    pub country: Option<&'a str>,
    /// Whether the person is a minor.
    pub minor: Option<bool>,
}

/// A flag that was cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unflagged {
    /// When the record was flagged.
    pub flagged_at: Instant,
    /// When the flag was cleared.
    pub cleared_at: Instant,
}

impl Facts<'_> {
    /// The facts as they were at an earlier instant, at or after the conversation's last activity.
    ///
    /// The deletion stays as it is known now: what a person deleted is judged as if it had been deleted all along,
    /// so that its end by deletion is told apart from any other. Messages and holds are left out, since no basis
    /// depends on them.
    pub(crate) fn then(&self, at: Instant) -> Self {
        let by_then = |instant: Option<Instant>| instant.filter(|instant| *instant <= at);
        let former = self.former.iter().find(|former| at < former.until);
        let unflagged = self.unflagged.filter(|flag| flag.flagged_at <= at && at < flag.cleared_at);
        Facts {
            at,
            account_country: former.map_or(self.account_country, |former| former.country),
            minor: former.map_or(self.minor, |former| former.minor),
            closed_at: by_then(self.closed_at),
            flagged_at: by_then(self.flagged_at).or(unflagged.map(|flag| flag.flagged_at)),
            feedback_at: by_then(self.feedback_at),
            messages: &[],
            holds: &[],
            ..self.clone()
        }
    }
}

/// What of an account's history counts under the versions of one epoch: under a version that does not live, an
/// `on`, an acknowledgement and a notice count as none, and an `off` stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Past<'a> {
    history: &'a History,
    epoch: &'a Epoch,
}

impl<'a> Past<'a> {
    pub(crate) const fn new(history: &'a History, epoch: &'a Epoch) -> Self {
        Self { history, epoch }
    }

    /// The decisions that count, in any order.
    pub(crate) fn decisions(self) -> impl Iterator<Item = &'a Decision> {
        let counts =
            move |decision: &&Decision| decision.choice == Choice::Off || self.epoch.has(decision.version);
        self.history.decisions.iter().filter(counts)
    }

    /// Every version that the account was told of, and when: a decision acknowledges its version.
    pub(crate) fn told(self) -> impl Iterator<Item = (VersionIx, Instant)> {
        let decided = self.history.decisions.iter().map(|decision| (decision.version, decision.at));
        let told = self.history.informed.iter().chain(&self.history.acknowledged).copied().chain(decided);
        told.filter(move |(version, _)| self.epoch.has(*version))
    }

    /// Whether the account had acknowledged a version, which must live, by an instant.
    pub(crate) fn acknowledged_by(self, version: VersionIx, by: Instant) -> bool {
        self.history.acknowledged.iter().any(|(known, at)| *known == version && *at <= by)
            || self.history.decisions.iter().any(|decision| decision.version == version && decision.at <= by)
    }

    /// The decision that counts up to an instant: the latest, and of several at one instant `off`
    /// wins, then the newest version's.
    pub(crate) fn latest(self, purpose: PurposeIx, by: Instant) -> Option<&'a Decision> {
        self.decisions()
            .filter(|decision| decision.purpose == purpose && decision.at <= by)
            .max_by_key(|decision| (decision.at, decision.choice == Choice::Off, decision.version))
    }

    /// Since when the present answer has been the answer: the first of the unbroken run of equal
    /// decisions that ends with `last`.
    pub(crate) fn run_start(self, last: &Decision) -> Instant {
        let mut earlier: Vec<(Instant, bool)> = self
            .decisions()
            .filter(|decision| decision.purpose == last.purpose && decision.at < last.at)
            .map(|decision| (decision.at, decision.choice == Choice::Off))
            .collect();
        // From the latest back; of several at one instant the winner, which is `off`, comes first.
        earlier.sort_unstable_by(|a, b| b.cmp(a));
        earlier.dedup_by_key(|(at, _)| *at);
        let is_off = last.choice == Choice::Off;
        let run = earlier.iter().take_while(|(_, was_off)| *was_off == is_off);
        run.last().map_or(last.at, |(at, _)| *at)
    }

    /// Whether an `off` was given after one instant and up to another.
    pub(crate) fn off_between(self, purpose: PurposeIx, after: Instant, by: Instant) -> bool {
        self.history.decisions.iter().any(|decision| {
            decision.purpose == purpose
                && decision.choice == Choice::Off
                && decision.at > after
                && decision.at <= by
        })
    }
}
