//! The due index: which copies may have to go, asked without a stored deadline.
//!
//! A copy is filed under its *situation* (everything that its verdict depends on but instants), an
//! *anchor*, and the day of that anchor. From a situation alone follow the rules that apply at any
//! later instant, and so, for each anchor, the last day whose copies can be due. A situation holds
//! choices and versions, never a standing, so publishing a version leaves every filing as it is.
//!
//! What the index finds is a superset of what is due: the verdict decides. A copy that was found and
//! is kept all the same is filed again under what keeps it, so it is not found the next day.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use tenure_model::{Choice, Day, Instant, Kind, Mode, Span, Term};

use crate::choice::{Chosen, Steps, View, standing};
use crate::facts::Facts;
use crate::language::{Flag, Ground, Reach, Standing, Version};
use crate::lineage::{Compiled, Lineage, PurposeIx, VersionIx};
use crate::table::Known;
use crate::verdict::Verdict;

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
    told: BTreeSet<Told>,
    /// The waiting times that `told` speaks of.
    waits: BTreeSet<String>,
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

/// That a waiting time had passed since the account was told of a version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Told {
    version: String,
    wait: String,
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

    /// The number that a store keeps.
    pub const fn number(self) -> u16 {
        self.0
    }

    /// From the number that a store kept.
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }
}

/// Which copies of a group can be due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cutoff {
    /// None, whatever their day.
    Nothing,
    /// Those whose anchor lies on this day or before.
    UpTo(Day),
    /// All of them: no rule that keeps them counts from this anchor.
    Everything,
}

impl Cutoff {
    /// The last day, for a store that asks by day.
    pub const fn last_day(self) -> Option<Day> {
        match self {
            Self::Nothing => None,
            Self::UpTo(day) => Some(day),
            Self::Everything => Some(Day(i32::MAX)),
        }
    }

    /// The cut that finds what either finds.
    const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::UpTo(a), Self::UpTo(b)) => Self::UpTo(if a.0 > b.0 { a } else { b }),
            (Self::UpTo(day), Self::Nothing) | (Self::Nothing, Self::UpTo(day)) => Self::UpTo(day),
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }

    /// The cut that finds only what both find.
    const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::UpTo(a), Self::UpTo(b)) => Self::UpTo(if a.0 < b.0 { a } else { b }),
            (Self::UpTo(day), Self::Everything) | (Self::Everything, Self::UpTo(day)) => Self::UpTo(day),
            (Self::Everything, Self::Everything) => Self::Everything,
        }
    }
}

impl Lineage {
    /// The situation of a record.
    pub fn situation(&self, facts: &Facts<'_>) -> Situation {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface);
        let name = |version: VersionIx| self.tree(version).name.clone();
        let known = view.steps.considered;
        let acknowledged = known.iter().filter(|version| facts.history.acknowledged_by(**version, facts.at));
        let waits = waits(self);
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
            choices: self.choices(facts),
            told: self.told(facts, &waits),
            waits: waits.iter().map(Span::to_string).collect(),
        }
    }

    fn choices(&self, facts: &Facts<'_>) -> Vec<Choices> {
        let purposes: BTreeSet<PurposeIx> =
            facts.history.decisions.iter().map(|decision| decision.purpose).collect();
        let latest = |purpose, by| {
            let decision = facts.history.latest(purpose, by)?;
            Some((decision.choice, self.tree(decision.version).name.clone()))
        };
        let then = |purpose, instant| Then {
            latest: latest(purpose, instant),
            off_since: facts.history.off_between(purpose, instant, facts.at),
        };
        let choices = purposes.into_iter().map(|purpose| Choices {
            purpose: self.purpose_name(purpose).to_owned(),
            now: latest(purpose, facts.at),
            conversation: then(purpose, facts.conversation_last_activity_at),
            record: then(purpose, facts.last_activity_at),
        });
        choices.collect()
    }

    fn told(&self, facts: &Facts<'_>, waits: &[Span]) -> BTreeSet<Told> {
        let history = facts.history;
        let decided = history.decisions.iter().map(|decision| (decision.version, decision.at));
        let events = history.informed.iter().chain(&history.acknowledged).copied().chain(decided);
        let mut told = BTreeSet::new();
        for (version, at) in events.filter(|(_, at)| *at <= facts.at) {
            for wait in waits {
                let ripe = at.plus(*wait, self.tree(version).months);
                // One that is not ripe yet ripens without an event, so it is left out and counts as both.
                if ripe <= facts.at {
                    told.insert(Told {
                        version: self.tree(version).name.clone(),
                        wait: wait.to_string(),
                        conversation: ripe <= facts.conversation_last_activity_at,
                        record: ripe <= facts.last_activity_at,
                    });
                }
            }
        }
        told
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
        let Some(index) = compiled.tree.classes().position(|known| known == class) else { return unknown };
        let Some(of_class) = verdict.classes.get(index) else { return unknown };
        if let Some(release) = of_class.released {
            return (FiledUnder::RELEASED, release.day());
        }
        if of_class.held && of_class.until.is_none() {
            return (FiledUnder::HELD, Day(0));
        }
        let Some(kept) = self.kept_by(facts, verdict, index) else { return unknown };
        let number = match kept.slot.checked_sub(6) {
            None => u16::try_from(kept.slot).ok(),
            Some(place) => {
                compiled.tree.purposes.get(place).and_then(|purpose| situation.decided_number(&purpose.name))
            }
        };
        number.map_or(unknown, |number| (FiledUnder(number), kept.at.day()))
    }

    /// The last day whose copies can be due at `by`, in a situation, filed under an anchor.
    ///
    /// `by` is the instant of the sweep with its lead. A situation that this lineage does not
    /// understand finds everything, so that the verdict decides.
    pub fn cutoff(&self, situation: &Situation, class: &str, filed: FiledUnder, by: Instant) -> Cutoff {
        if filed == FiledUnder::HELD {
            return Cutoff::Nothing;
        }
        let Some(outlook) = Outlook::new(self, situation, by) else { return Cutoff::Everything };
        outlook.cutoff(class, filed, by)
    }
}

/// The different waiting times of a lineage's purposes of ground objection.
fn waits(lineage: &Lineage) -> Vec<Span> {
    let mut waits = Vec::new();
    for purpose in lineage.versions().flat_map(|(_, version)| &version.purposes) {
        if let Ground::Objection { wait } = purpose.ground
            && !waits.contains(&wait)
        {
            waits.push(wait);
        }
    }
    waits
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

/// A situation at one instant: the version that judges it, and the standings that it may have.
struct Outlook<'a> {
    situation: &'a Situation,
    compiled: &'a Compiled,
    version: VersionIx,
    steps: Steps<'a>,
}

impl<'a> Outlook<'a> {
    fn new(lineage: &'a Lineage, situation: &'a Situation, at: Instant) -> Option<Self> {
        let surface = lineage.surface(&situation.surface)?;
        let steps = Steps::new(lineage, surface);
        let acknowledged = |version| situation.acknowledged.contains(&lineage.tree(version).name);
        let bound = steps.bound_from(lineage.version(&situation.opened)?, acknowledged, at);
        let version = steps.judging_from(lineage.version(&situation.then)?, bound);
        Some(Self { situation, compiled: lineage.compiled(version), version, steps })
    }

    fn tree(&self) -> &Version {
        &self.compiled.tree
    }

    fn cutoff(&self, class: &str, filed: FiledUnder, by: Instant) -> Cutoff {
        if filed == FiledUnder::RELEASED {
            return last_day(Term::For(self.tree().grace), self.tree(), by);
        }
        let Some(class) = self.tree().classes().position(|known| known == class) else {
            return Cutoff::Everything;
        };
        let Some(slot) = self.slot(filed) else { return Cutoff::Everything };
        let alternatives = self.standings();
        let mut found = Cutoff::Nothing;
        let mut chosen = vec![0; alternatives.len()];
        loop {
            found = found.or(self.cutoff_with(&alternatives, &chosen, class, slot, by));
            if !next(&mut chosen, &alternatives) {
                return found;
            }
        }
    }

    /// The anchor slot, in the judging version, of what a copy is filed under; `None` if the copy has
    /// no such anchor there, as when an `on` does not carry to that version.
    fn slot(&self, filed: FiledUnder) -> Option<usize> {
        let Some(place) = usize::from(filed.0).checked_sub(6) else { return Some(usize::from(filed.0)) };
        let choices = self.situation.choices.get(place)?;
        let (choice, version) = choices.now.as_ref()?;
        self.steps.decided(Some((*choice, self.steps.lineage.version(version)?)), self.version)?;
        Some(6 + self.tree().purposes.iter().position(|known| known.name == choices.purpose)?)
    }

    /// For each purpose of the judging version, the standings that the situation may have.
    fn standings(&self) -> Vec<Vec<Option<Standing>>> {
        let purposes = self.tree().purposes.iter();
        purposes
            .map(|purpose| {
                let choices = self.situation.choices.iter().find(|choices| choices.purpose == purpose.name);
                if !purpose.is_chosen() {
                    return vec![None];
                }
                let of_record = purpose.reach == Reach::Message;
                let then =
                    choices.map(|choices| if of_record { &choices.record } else { &choices.conversation });
                let now =
                    self.chosen(choices.and_then(|choices| choices.now.as_ref()), purpose.ground, |_| true);
                let before =
                    self.chosen(then.and_then(|then| then.latest.as_ref()), purpose.ground, |told| {
                        if of_record { told.record } else { told.conversation }
                    });
                let unbroken = then.is_none_or(|then| !then.off_since);
                let mut possible = Vec::new();
                for now in &now {
                    for then in &before {
                        let standing = Some(standing(*now, || *then, || unbroken));
                        if !possible.contains(&standing) {
                            possible.push(standing);
                        }
                    }
                }
                possible
            })
            .collect()
    }

    /// The choices that a latest decision, or the lack of one, may make toward the judging version.
    fn chosen(
        &self,
        latest: Option<&(Choice, String)>,
        ground: Ground,
        ripe: impl Fn(&Told) -> bool,
    ) -> Vec<Chosen> {
        let lineage = self.steps.lineage;
        let latest = latest.and_then(|(choice, version)| Some((*choice, lineage.version(version)?)));
        if let Some(decided) = self.steps.decided(latest, self.version) {
            return vec![decided];
        }
        let Ground::Objection { wait } = ground else { return vec![Chosen::Nothing] };
        let wait = wait.to_string();
        let counts = |told: &&Told| {
            told.wait == wait
                && lineage.version(&told.version).is_some_and(|known| self.steps.carries(known, self.version))
        };
        if self.situation.waits.contains(&wait) && self.situation.told.iter().filter(counts).any(ripe) {
            return vec![Chosen::Unopposed];
        }
        vec![Chosen::Nothing, Chosen::Unopposed]
    }

    fn cutoff_with(
        &self,
        alternatives: &[Vec<Option<Standing>>],
        chosen: &[usize],
        class: usize,
        slot: usize,
        by: Instant,
    ) -> Cutoff {
        let (table, situation) = (&self.compiled.table, self.situation);
        let Some(surface) = self.steps.lineage.surface(&situation.surface) else { return Cutoff::Everything };
        let standings = alternatives.iter().zip(chosen).enumerate();
        let index = table.surface(surface)
            + table.region(situation.country.as_deref())
            + table.kind(situation.kind)
            + table.mode(situation.mode)
            + table.flag(Flag::Deleted, Known::from(Some(situation.deleted)))
            + table.flag(Flag::Flagged, Known::from(situation.flagged))
            + table.flag(Flag::Feedback, Known::from(Some(situation.feedback)))
            + table.flag(Flag::Minor, Known::from(situation.minor))
            + table.flag(Flag::Closed, Known::from(Some(situation.closed)))
            + standings
                .filter_map(|(place, (options, pick))| Some(table.standing(place, (*options.get(*pick)?)?)))
                .sum::<u32>();
        let rules = table.outcome(index).keeps.iter().filter_map(|rule| table.rules.get(usize::from(*rule)));
        rules
            .filter(|rule| rule.class == class && rule.anchors >> slot & 1 == 1)
            .fold(Cutoff::Everything, |cut, rule| cut.and(last_day(rule.term, self.tree(), by)))
    }
}

/// Advances a choice of one alternative each, like an odometer; `false` after the last.
fn next(chosen: &mut [usize], alternatives: &[Vec<Option<Standing>>]) -> bool {
    for (pick, options) in chosen.iter_mut().zip(alternatives) {
        *pick += 1;
        if *pick < options.len() {
            return true;
        }
        *pick = 0;
    }
    false
}

/// The last day from whose first instant the term has ended at `by`. Terms are monotone, so a day
/// after it can have no copy whose term has ended.
fn last_day(term: Term, version: &Version, by: Instant) -> Cutoff {
    let Term::For(span) = term else { return Cutoff::Nothing };
    let ended = |day: i32| Day(day).start().plus(span, version.months) <= by;
    let (mut low, mut high) = (Instant::MIN.day().0, by.day().0);
    if !ended(low) {
        return Cutoff::Nothing;
    }
    while low < high {
        let middle = low + (high - low + 1) / 2;
        if ended(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Cutoff::UpTo(Day(low))
}
