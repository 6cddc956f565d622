//! What a situation comes to at one instant: which version judges it, which standings it may have, and
//! so which days can be due.

use std::collections::BTreeSet;

use tenure_model::{Choice, Day, Instant, Term};

use super::{FiledUnder, Judged, Situation, Told, reach_back, wait_word};
use crate::choice::{Chosen, Steps, standing};
use crate::language::{Flag, Ground, Reach, Standing, Version};
use crate::lineage::{Compiled, Lineage, VersionIx};
use crate::table::Known;

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
    pub(super) const fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Everything, _) | (_, Self::Everything) => Self::Everything,
            (Self::UpTo(a), Self::UpTo(b)) => Self::UpTo(if a.0 > b.0 { a } else { b }),
            (Self::UpTo(day), Self::Nothing) | (Self::Nothing, Self::UpTo(day)) => Self::UpTo(day),
            (Self::Nothing, Self::Nothing) => Self::Nothing,
        }
    }

    /// The cut that finds only what both find.
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::UpTo(a), Self::UpTo(b)) => Self::UpTo(if a.0 < b.0 { a } else { b }),
            (Self::UpTo(day), Self::Everything) | (Self::Everything, Self::UpTo(day)) => Self::UpTo(day),
            (Self::Everything, Self::Everything) => Self::Everything,
        }
    }
}

/// A situation at one instant: the version that judges it, and the standings that it may have.
pub(super) struct Outlook<'a> {
    situation: &'a Situation,
    compiled: &'a Compiled,
    version: VersionIx,
    steps: Steps<'a>,
    at: Instant,
}

impl<'a> Outlook<'a> {
    pub(super) fn new(lineage: &'a Lineage, situation: &'a Situation, at: Instant) -> Option<Self> {
        let surface = lineage.surface(&situation.surface)?;
        let steps = Steps::new(lineage, surface, at);
        let names = |version: VersionIx| &lineage.tree(version).name;
        if !is_just(reach_back(&steps).map(names), &situation.reach_back)
            || !is_just(lineage.withdrawn(steps.epoch.from()).map(names), &situation.withdrawn)
        {
            return None;
        }
        let acknowledged = |version| situation.acknowledged.contains(&lineage.tree(version).name);
        let bound = steps.bound_from(lineage.version(&situation.opened)?, acknowledged, at);
        let version = steps.judging_from(lineage.version(&situation.then)?, bound);
        Some(Self { situation, compiled: lineage.compiled(version), version, steps, at })
    }

    fn tree(&self) -> &Version {
        &self.compiled.tree
    }

    pub(super) fn cutoff(&self, class: &str, filed: FiledUnder, by: Instant) -> Cutoff {
        let alternatives = self.standings();
        if filed == FiledUnder::RELEASED || filed == FiledUnder::QUARANTINED {
            // Judged otherwise, there may be a basis that ends sooner than the grace or the quarantine, a natural
            // end that gives none, or another grace.
            if !self.is_judged_as_before(&alternatives) {
                return Cutoff::Everything;
            }
            return if filed == FiledUnder::RELEASED {
                last_day(Term::For(self.tree().grace), self.tree(), by)
            } else {
                Cutoff::UpTo(by.day())
            };
        }
        let Some(class) = self.tree().classes().position(|known| known == class) else {
            return Cutoff::Everything;
        };
        let Some(slot) = self.slot(filed) else { return Cutoff::Everything };
        let mut found = Cutoff::Nothing;
        let mut chosen = vec![0; alternatives.len()];
        loop {
            found = found.or(self.cutoff_with(&alternatives, &chosen, class, slot, by));
            if !next(&mut chosen, &alternatives) {
                return found;
            }
        }
    }

    fn is_judged_as_before(&self, alternatives: &[Vec<Option<Standing>>]) -> bool {
        let only = alternatives.iter().map(|options| match options.as_slice() {
            [only] => Some(*only),
            _ => None,
        });
        let now = only.collect::<Option<Vec<_>>>();
        let now = now.map(|standings| Judged::new(&self.steps, self.version, &standings, self.at));
        now.is_some() && now == self.situation.judged
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
                let latest = choices.and_then(|choices| choices.now.as_ref());
                let now = self.chosen(latest, purpose.ground, When::Now);
                let when = if of_record { When::Record } else { When::Conversation };
                let latest = then.and_then(|then| then.latest.as_ref());
                let before = self.chosen(latest, purpose.ground, when);
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
    fn chosen(&self, latest: Option<&(Choice, String)>, ground: Ground, when: When) -> Vec<Chosen> {
        let (lineage, situation) = (self.steps.lineage, self.situation);
        let latest = latest.and_then(|(choice, version)| Some((*choice, lineage.version(version)?)));
        if let Some(decided) = self.steps.decided(latest, self.version) {
            return vec![decided];
        }
        let Ground::Objection { wait } = ground else { return vec![Chosen::Nothing] };
        let counts = |version: &String| {
            lineage.version(version).is_some_and(|known| self.steps.carries(known, self.version))
        };
        if !situation.informed.iter().any(counts) {
            return vec![Chosen::Nothing];
        }
        let wait = wait_word(wait, self.tree().months);
        if !situation.waits.contains(&wait) {
            return vec![Chosen::Nothing, Chosen::Unopposed];
        }
        let ripe = |told: &Told| match when {
            When::Now => told.now,
            When::Conversation => told.conversation,
            When::Record => told.record,
        };
        let mut told = situation.told.iter().filter(|told| told.wait == wait && counts(&told.version));
        match (told.any(ripe), when) {
            (true, _) => vec![Chosen::Unopposed],
            // What was not ripe when the copy was filed ripens without an event.
            (false, When::Now) => vec![Chosen::Nothing, Chosen::Unopposed],
            (false, When::Conversation | When::Record) => vec![Chosen::Nothing],
        }
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

/// Whether names, of which no two are equal, are those of a set.
fn is_just<'n>(names: impl Iterator<Item = &'n String>, set: &BTreeSet<String>) -> bool {
    let mut count = 0;
    let mut all = names.inspect(|_| count += 1);
    all.all(|name| set.contains(name)) && count == set.len()
}

/// The instant of which a choice is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum When {
    Now,
    Conversation,
    Record,
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
