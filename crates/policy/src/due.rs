//! The due index: which copies may have to go, asked without a stored deadline.
//!
//! A copy is filed under its *situation* (everything that its verdict depends on but instants), an
//! *anchor*, and the day of that anchor. From a situation alone follow the rules that apply at any
//! later instant, and so, for each anchor, the last day whose copies can be due. A situation holds
//! choices and versions, never a standing, so publishing a version leaves every filing as it is. Only
//! a version that changes how the past is seen makes the index look at everything once.
//!
//! What the index finds is a superset of what is due: the verdict decides. A copy that was found and
//! is kept all the same is filed again under what keeps it, so it is not found the next day.

mod outlook;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenure_model::{Choice, Day, Instant, Kind, Mode, MonthLength, Span};

use crate::case::Hold;
use crate::choice::{Steps, View};
use crate::facts::Facts;
use crate::language::{Ground, Standing, Version};
use crate::lineage::{Lineage, PurposeIx, VersionIx};
use crate::verdict::Verdict;
pub use outlook::Cutoff;
use outlook::Outlook;

/// Everything that the verdict on a copy depends on, but instants.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Situation {
    surface: String,
    kind: Kind,
    mode: Mode,
    country: Option<String>,
    deleted: bool,
    flagged: Option<bool>,
    feedback: bool,
    minor: Option<bool>,
    closed: bool,
    /// The version that bound the account from its opening.
    opened: String,
    /// The version that bound it at the conversation's last activity.
    then: String,
    acknowledged: BTreeSet<String>,
    choices: Vec<Choices>,
    /// The versions that the account was told of.
    informed: BTreeSet<String>,
    told: Vec<Told>,
    /// The waiting times that `told` speaks of.
    waits: BTreeSet<String>,
    /// The versions of the lineage that change how earlier instants are seen: one more of them, and what
    /// is said above no longer follows from the facts.
    reach_back: BTreeSet<String>,
    /// The versions that were withdrawn: one more of them, and what is said above no longer follows either.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    withdrawn: BTreeSet<String>,
    /// What the record was judged by, only where the grace of a released hold or quarantine keeps a copy: that
    /// is all there is for as long as this stays so.
    judged: Option<Judged>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Judged {
    version: String,
    standings: Vec<Option<String>>,
    /// The versions that had taken effect. One more of them may give a basis for a while and take it again, though
    /// the same version judges before and after.
    #[serde(default)]
    effective: BTreeSet<String>,
}

impl Judged {
    fn new(steps: &Steps<'_>, version: VersionIx, standings: &[Option<Standing>], at: Instant) -> Self {
        let lineage = steps.lineage;
        let words = standings.iter().map(|standing| standing.map(|standing| standing.word().to_owned()));
        let effective = steps.considered.iter().map(|version| lineage.tree(*version));
        let effective = effective.filter(|tree| tree.effective <= at).map(|tree| tree.name.clone());
        Self {
            version: lineage.tree(version).name.clone(),
            standings: words.collect(),
            effective: effective.collect(),
        }
    }
}

/// The decisions that count for one purpose: now, and at the last activity of the conversation and
/// of the record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Choices {
    purpose: String,
    now: Option<(Choice, String)>,
    conversation: Then,
    record: Then,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Then {
    latest: Option<(Choice, String)>,
    off_since: bool,
}

/// Whether a waiting time had passed since the account was told of a version: by now, and by the last
/// activity of the conversation and of the record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct Told {
    version: String,
    wait: String,
    now: bool,
    conversation: bool,
    record: bool,
}

/// What a copy is filed under: the anchor whose day the index is ordered by.
///
/// Its number is stable within a situation and is what a store keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FiledUnder(u16);

impl FiledUnder {
    /// Kept by a hold past its term: looked at again when a hold is released.
    pub const HELD: Self = Self(u16::MAX);
    /// Kept by the grace that a released hold gives; its day is that of the release.
    pub const RELEASED: Self = Self(u16::MAX - 1);

    /// In quarantine; its day is that of the quarantine's end.
    pub const QUARANTINED: Self = Self(u16::MAX - 2);

    /// The number that a store keeps.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// From the number that a store kept.
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }
}

impl Lineage {
    /// The situation of a record.
    pub fn situation(&self, facts: &Facts<'_>) -> Situation {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface, facts.at);
        let name = |version: VersionIx| self.tree(version).name.clone();
        let known = view.steps.considered;
        let acknowledged = known.iter().filter(|version| view.past.acknowledged_by(**version, facts.at));
        let waits = waits(self);
        let informed = told_of(&view, facts.at).map(|(version, _)| name(version));
        Situation {
            surface: facts.surface_name.to_owned(),
            kind: facts.kind,
            mode: facts.mode,
            country: facts.country.map(str::to_owned),
            deleted: facts.deleted_at.is_some(),
            flagged: if facts.flagged_at.is_some() { Some(true) } else { facts.scanned.then_some(false) },
            feedback: facts.feedback_at.is_some(),
            minor: facts.minor,
            closed: facts.closed_at.is_some(),
            opened: name(view.steps.start(facts.opened_at)),
            then: name(view.bound(facts.conversation_last_activity_at)),
            acknowledged: acknowledged.map(|version| name(*version)).collect(),
            choices: self.choices(&view, facts),
            informed: informed.collect(),
            told: self.told(&view, facts, &waits),
            waits: waits.iter().map(|(wait, months)| wait_word(*wait, *months)).collect(),
            reach_back: reach_back(&view.steps).map(name).collect(),
            withdrawn: self.withdrawn(view.steps.epoch.from()).map(name).collect(),
            judged: self.judged_while_resting(&view, facts),
        }
    }

    /// What the record is judged by, if only a release's grace or quarantine keeps one of its copies, of whatever
    /// class some version has.
    fn judged_while_resting(&self, view: &View<'_>, facts: &Facts<'_>) -> Option<Judged> {
        // Nothing was released and nothing happened: whatever rests does so because of an event.
        let is_over = |hold: &Hold<'_>| hold.released_at.is_some_and(|released| released <= facts.at);
        if !facts.holds.iter().any(is_over) && self.events(facts).next().is_none() {
            return None;
        }
        let verdict = self.judge(&Facts { messages: &[], ..facts.clone() });
        let versions = view.steps.considered.iter().map(|version| self.tree(*version));
        let classes: BTreeSet<&str> = versions.flat_map(Version::classes).collect();
        let rests = classes.iter().any(|class| {
            let of_class = self.class(facts, &verdict, class);
            of_class.released.is_some() || of_class.quarantine.is_some()
        });
        rests.then(|| Judged::new(&view.steps, verdict.judged, &verdict.standings, facts.at))
    }

    fn choices(&self, view: &View<'_>, facts: &Facts<'_>) -> Vec<Choices> {
        let past = view.past;
        let purposes: BTreeSet<PurposeIx> = past.decisions().map(|decision| decision.purpose).collect();
        let latest = |purpose, by| {
            let decision = past.latest(purpose, by)?;
            Some((decision.choice, self.tree(decision.version).name.clone()))
        };
        let then = |purpose, instant| Then {
            latest: latest(purpose, instant),
            off_since: past.off_between(purpose, instant, facts.at),
        };
        let choices = purposes.into_iter().map(|purpose| Choices {
            purpose: self.purpose_name(purpose).to_owned(),
            now: latest(purpose, facts.at),
            conversation: then(purpose, facts.conversation_last_activity_at),
            record: then(purpose, facts.last_activity_at),
        });
        choices.collect()
    }

    fn told(&self, view: &View<'_>, facts: &Facts<'_>, waits: &[(Span, MonthLength)]) -> Vec<Told> {
        let mut told: BTreeMap<(VersionIx, String), [bool; 3]> = BTreeMap::new();
        for (version, at) in told_of(view, facts.at) {
            for (wait, months) in waits {
                let ripe = at.plus(*wait, *months);
                let then = [facts.at, facts.conversation_last_activity_at, facts.last_activity_at];
                let known = told.entry((version, wait_word(*wait, *months))).or_default();
                for (known, then) in known.iter_mut().zip(then) {
                    *known |= ripe <= then;
                }
            }
        }
        let entry = |((version, wait), [now, conversation, record]): ((VersionIx, String), [bool; 3])| Told {
            version: self.tree(version).name.clone(),
            wait,
            now,
            conversation,
            record,
        };
        told.into_iter().map(entry).collect()
    }

    /// What a copy of a class is filed under, given the verdict on its record.
    pub fn file(
        &self,
        facts: &Facts<'_>,
        situation: &Situation,
        verdict: &Verdict,
        class: &str,
    ) -> (FiledUnder, Day) {
        let compiled = self.compiled(verdict.judged);
        let unknown = (FiledUnder(0), facts.created_at.day());
        let of_class = self.class(facts, verdict, class);
        let rests = of_class.quarantine.map(|quarantine| quarantine.until);
        if let Some(until) = rests.filter(|until| !of_class.held && of_class.destroy <= Some(*until)) {
            return (FiledUnder::QUARANTINED, until.day());
        }
        if let Some(release) = of_class.released {
            return (FiledUnder::RELEASED, release.day());
        }
        if of_class.held && of_class.until.is_none() {
            return (FiledUnder::HELD, Day(0));
        }
        let Some(index) = compiled.tree.classes().position(|known| known == class) else { return unknown };
        let Some(kept) = self.kept_by(facts, verdict, index) else { return unknown };
        let number = match kept.slot.checked_sub(6) {
            None => u16::try_from(kept.slot).ok(),
            Some(place) => {
                compiled.tree.purposes.get(place).and_then(|purpose| situation.decided_number(&purpose.name))
            }
        };
        number.map_or(unknown, |number| (FiledUnder(number), kept.at.day()))
    }

    /// The last day whose copies can be due at an instant, in a situation, filed under an anchor.
    ///
    /// A situation that this lineage does not understand finds everything, so that the verdict decides.
    pub fn cutoff(&self, situation: &Situation, class: &str, filed: FiledUnder, at: Instant) -> Cutoff {
        self.cutoff_ahead(situation, class, filed, at, at)
    }

    /// The last day whose copies can be due by an instant ahead, as it is judged now or will be then.
    ///
    /// Both count: a copy that must go within the lead is due under the terms of now even where others
    /// take effect before `by`.
    pub fn cutoff_ahead(
        &self,
        situation: &Situation,
        class: &str,
        filed: FiledUnder,
        now: Instant,
        by: Instant,
    ) -> Cutoff {
        if filed == FiledUnder::HELD {
            return Cutoff::Nothing;
        }
        let cutoff = |at| {
            Outlook::new(self, situation, at)
                .map_or(Cutoff::Everything, |outlook| outlook.cutoff(class, filed, by))
        };
        if now == by { cutoff(by) } else { cutoff(now).or(cutoff(by)) }
    }
}

/// Every version that the account was told of by now, and when.
fn told_of<'a>(view: &View<'a>, now: Instant) -> impl Iterator<Item = (VersionIx, Instant)> + use<'a> {
    view.past.told().filter(move |(_, at)| *at <= now)
}

/// The living versions that change how instants before them are seen.
fn reach_back<'a>(steps: &Steps<'a>) -> impl Iterator<Item = VersionIx> + use<'a> {
    let epoch = steps.epoch;
    steps.lineage.reach_back().iter().copied().filter(move |version| epoch.has(*version))
}

/// The different waiting times of a lineage's purposes of ground objection, as each version counts them.
fn waits(lineage: &Lineage) -> Vec<(Span, MonthLength)> {
    let mut waits = Vec::new();
    for (_, version) in lineage.versions() {
        for purpose in &version.purposes {
            if let Ground::Objection { wait } = purpose.ground
                && !waits.contains(&(wait, version.months))
            {
                waits.push((wait, version.months));
            }
        }
    }
    waits
}

/// A waiting time by which a situation can name it.
fn wait_word(wait: Span, months: MonthLength) -> String {
    match months {
        MonthLength::Calendar => wait.to_string(),
        MonthLength::ThirtyDays => format!("{wait}, a month being 30 days"),
    }
}

impl Situation {
    /// The surface, by the name that the record has.
    pub fn surface(&self) -> &str {
        &self.surface
    }

    /// The number of the anchor `decided.PURPOSE` in this situation.
    fn decided_number(&self, purpose: &str) -> Option<u16> {
        let place = self.choices.iter().position(|choices| choices.purpose == purpose)?;
        u16::try_from(place + 6).ok()
    }
}
