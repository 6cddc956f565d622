//! The verdict: what may be kept, until when, and what it may be used for.

use std::collections::HashMap;

use tenure_model::{Anchored, Instant};

use crate::case::Hold;
use crate::choice::View;
use crate::ending::Quarantine;
use crate::facts::{Facts, in_scope};
use crate::language::{Flag, Ground, Reach, Standing};
use crate::lineage::{Compiled, Lineage, PurposeIx, VersionIx};
use crate::table::{Known, Table};

/// What the verdict says of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClassVerdict {
    /// The latest end of the live bases; `None` where there is no basis.
    pub until: Option<Anchored>,
    /// Whether a hold suspends its destruction now.
    pub held: bool,
    /// By when the copy must be gone; `None` while held or without an end.
    pub destroy: Option<Instant>,
    /// When the hold was released whose grace is all that keeps the copy, if that is so.
    pub released: Option<Instant>,
    /// Its quarantine, if it lost its basis otherwise than by time or deletion. Only [`Lineage::class`] looks for
    /// it, since it takes a look at the past.
    pub quarantine: Option<Quarantine>,
}

/// The answer for one record at one instant.
///
/// Indices are those of the judging version's file: classes (bodies first), purposes and keep rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The instant that the verdict is for.
    pub at: Instant,
    /// The version that judges.
    pub judged: VersionIx,
    /// The version that binds the account now.
    pub bound: VersionIx,
    /// Whether the account must decide before it goes on.
    pub must_decide: bool,
    /// The record's standing toward each purpose; `None` where nobody chooses.
    pub standings: Vec<Option<Standing>>,
    /// What may be kept.
    pub classes: Vec<ClassVerdict>,
    /// The live bases: class and keep rule, in file order of the rules.
    pub bases: Vec<(usize, usize)>,
    /// The holds that cover a class now: class and place in the facts' list.
    pub holds: Vec<(usize, usize)>,
    /// Whether the record may be used for each purpose.
    pub allowed: Vec<bool>,
    /// The messages that may be used: purpose and place in the facts' list, in the record's order.
    pub messages: Vec<(usize, usize)>,
}

impl Default for Verdict {
    fn default() -> Self {
        Self {
            at: Instant::MIN,
            judged: VersionIx(0),
            bound: VersionIx(0),
            must_decide: false,
            standings: Vec::new(),
            classes: Vec::new(),
            bases: Vec::new(),
            holds: Vec::new(),
            allowed: Vec::new(),
            messages: Vec::new(),
        }
    }
}

impl Lineage {
    /// Judges a record.
    pub fn judge(&self, facts: &Facts<'_>) -> Verdict {
        let mut verdict = Verdict::default();
        self.judge_into(facts, &mut verdict);
        verdict
    }

    /// Judges a record into a verdict whose buffers are used again.
    pub fn judge_into(&self, facts: &Facts<'_>, verdict: &mut Verdict) {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface, facts.at);
        let bound = view.bound(facts.at);
        let judged = view.judging(facts.conversation_last_activity_at, bound);
        verdict.at = facts.at;
        verdict.bound = bound;
        verdict.judged = judged;
        verdict.must_decide = view.must_decide(facts.at);
        let judge = Judge { view, facts, compiled: self.compiled(judged), version: judged };
        verdict.standings.clear();
        verdict.standings.extend(judge.standings());
        let place = judge.place(&verdict.standings);
        judge.keeps(place, verdict);
        judge.holds(verdict);
        judge.uses(place, verdict);
    }
}

/// What keeps a copy longest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptBy {
    /// The anchor slot from which its longest term counts.
    pub(crate) slot: usize,
    /// The instant of that anchor.
    pub(crate) at: Instant,
}

impl Lineage {
    fn judge_of<'a>(&'a self, facts: &'a Facts<'a>, judged: VersionIx) -> Judge<'a> {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface, facts.at);
        Judge { view, facts, compiled: self.compiled(judged), version: judged }
    }

    /// Which anchor gives a class its latest end, past or not.
    pub(crate) fn kept_by(&self, facts: &Facts<'_>, verdict: &Verdict, class: usize) -> Option<KeptBy> {
        let judge = self.judge_of(facts, verdict.judged);
        judge.longest(judge.place(&verdict.standings), class).map(|(_, kept)| kept)
    }

    /// The latest end of the rules that match for a class, past or not, given the verdict.
    pub(crate) fn natural_end_now(
        &self,
        facts: &Facts<'_>,
        verdict: &Verdict,
        class: &str,
    ) -> Option<Anchored> {
        let judge = self.judge_of(facts, verdict.judged);
        let place = judge.place(&verdict.standings);
        judge.longest(place, judge.class(class)?).map(|(end, _)| end)
    }

    /// The latest end of the rules that match for a class, past or not.
    pub(crate) fn natural_end(&self, facts: &Facts<'_>, class: &str) -> Option<Anchored> {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface, facts.at);
        let version = view.judging(facts.conversation_last_activity_at, view.bound(facts.at));
        let judge = Judge { view, facts, compiled: self.compiled(version), version };
        let class = judge.class(class)?;
        let standings: Vec<_> = judge.standings().collect();
        judge.longest(judge.place(&standings), class).map(|(end, _)| end)
    }

    /// What holds say of a class that the judging version does not have: nothing else keeps it.
    pub(crate) fn beyond(&self, facts: &Facts<'_>, verdict: &Verdict, class: &str) -> ClassVerdict {
        let judge = self.judge_of(facts, verdict.judged);
        let mut naming = facts.holds.iter().filter(|hold| hold.suspends(class));
        if naming.any(|hold| judge.cover(hold) == Cover::Held) {
            return ClassVerdict { held: true, ..ClassVerdict::default() };
        }
        let mut of_class = ClassVerdict::default();
        judge.without_basis(&mut of_class, class, None);
        of_class
    }

    /// When the grace ends that released holds give a class, whether or not it has ended.
    pub(crate) fn grace_of_release(
        &self,
        facts: &Facts<'_>,
        verdict: &Verdict,
        class: &str,
    ) -> Option<Instant> {
        let natural_end = self.natural_end_now(facts, verdict, class);
        self.judge_of(facts, verdict.judged).grace(class, natural_end).map(|(_, grace)| grace)
    }
}

/// The slots whose bits are set.
fn slots(mut mask: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = (mask != 0).then_some(mask.trailing_zeros() as usize)?;
        mask &= mask - 1;
        Some(slot)
    })
}

/// Where a record lies in the table: once with its own country, once with its account's.
#[derive(Debug, Clone, Copy)]
struct Place {
    record: u32,
    account: u32,
}

/// How a hold covers a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cover {
    /// Not at all.
    None,
    /// Now.
    Held,
    /// It did, until its release.
    Released(Instant),
}

/// One judging version with the facts before it.
struct Judge<'a> {
    view: View<'a>,
    facts: &'a Facts<'a>,
    compiled: &'a Compiled,
    version: VersionIx,
}

impl Judge<'_> {
    const fn table(&self) -> &Table {
        &self.compiled.table
    }

    fn purpose(&self, place: usize) -> PurposeIx {
        PurposeIx(self.table().purposes.get(place).copied().unwrap_or_default())
    }

    /// The place of a class in the version's file, if it has it.
    fn class(&self, class: &str) -> Option<usize> {
        self.compiled.tree.classes().position(|known| known == class)
    }

    fn standings(&self) -> impl Iterator<Item = Option<Standing>> {
        let facts = self.facts;
        self.compiled.tree.purposes.iter().enumerate().map(move |(place, purpose)| {
            let then = match purpose.reach {
                Reach::Conversation => facts.conversation_last_activity_at,
                Reach::Message => facts.last_activity_at,
            };
            purpose.is_chosen().then(|| self.standing(place, purpose.ground, then))
        })
    }

    fn standing(&self, place: usize, ground: Ground, then: Instant) -> Standing {
        self.view.standing(self.version, self.purpose(place), ground, then, self.facts.at)
    }

    fn place(&self, standings: &[Option<Standing>]) -> Place {
        let (table, facts) = (self.table(), self.facts);
        let flagged = match facts.flagged_at {
            Some(_) => Known::True,
            None if facts.scanned => Known::False,
            None => Known::Unknown,
        };
        let happened = |instant: Option<Instant>| Known::from(Some(instant.is_some()));
        let elsewhere = table.surface(facts.surface)
            + table.kind(facts.kind)
            + table.mode(facts.mode)
            + table.flag(Flag::Deleted, happened(facts.deleted_at))
            + table.flag(Flag::Flagged, flagged)
            + table.flag(Flag::Feedback, happened(facts.feedback_at))
            + table.flag(Flag::Minor, Known::from(facts.minor))
            + table.flag(Flag::Closed, happened(facts.closed_at))
            + standings
                .iter()
                .enumerate()
                .filter_map(|(place, standing)| standing.map(|standing| table.standing(place, standing)))
                .sum::<u32>();
        let region = table.region(facts.country);
        let account_region =
            if facts.account_country == facts.country { region } else { table.region(facts.account_country) };
        Place { record: elsewhere + region, account: elsewhere + account_region }
    }

    /// The instant of each anchor slot, where the record has it.
    fn anchor(&self, slot: usize) -> Option<Instant> {
        let facts = self.facts;
        match slot {
            0 => Some(facts.created_at),
            1 => Some(facts.conversation_last_activity_at),
            2 => facts.deleted_at,
            3 => facts.flagged_at,
            4 => facts.feedback_at,
            5 => facts.closed_at,
            _ => {
                let place = slot - 6;
                let ground = self.compiled.tree.purposes.get(place)?.ground;
                self.view.decided_since(self.version, self.purpose(place), ground, facts.at)
            }
        }
    }

    /// The latest end of the rules that match for a class, past or not, and the anchor that gives it.
    fn longest(&self, place: Place, class: usize) -> Option<(Anchored, KeptBy)> {
        let months = self.compiled.tree.months;
        let rules = self.table().outcome(place.record).keeps.iter();
        let ends = rules
            .filter_map(|rule| self.table().rules.get(usize::from(*rule)))
            .filter(|rule| rule.class == class)
            .filter_map(|rule| {
                let (at, slot) =
                    slots(rule.anchors).filter_map(|slot| Some((self.anchor(slot)?, slot))).max()?;
                Some((Anchored::end(at, rule.term, months), KeptBy { slot, at }))
            });
        ends.max_by_key(|(end, _)| *end)
    }

    fn latest_anchor(&self, anchors: u64) -> Option<Instant> {
        slots(anchors).filter_map(|slot| self.anchor(slot)).max()
    }

    fn keeps(&self, place: Place, verdict: &mut Verdict) {
        let tree = &self.compiled.tree;
        let classes = tree.bodies.len() + tree.facts.len();
        verdict.classes.clear();
        verdict.classes.resize(classes, ClassVerdict::default());
        verdict.bases.clear();
        for &index in &self.table().outcome(place.record).keeps {
            let Some(rule) = self.table().rules.get(usize::from(index)) else { continue };
            let Some(anchor) = self.latest_anchor(rule.anchors) else { continue };
            let end = Anchored::end(anchor, rule.term, tree.months);
            let Some(class) = verdict.classes.get_mut(rule.class) else { continue };
            // Until the classes are closed below, `until` is the latest end, past or not.
            class.until = class.until.max(Some(end));
            if end.is_live(self.facts.at) {
                verdict.bases.push((rule.class, usize::from(index)));
            }
        }
    }

    /// How a hold covers the record, whatever the class.
    fn cover(&self, hold: &Hold<'_>) -> Cover {
        let facts = self.facts;
        if hold.placed_at > facts.at || !in_scope(hold, facts, self.view.steps.regime) {
            return Cover::None;
        }
        let deleted_only = hold.deleted_only.unwrap_or(false);
        match hold.released_at.filter(|released| *released <= facts.at) {
            None if !deleted_only || facts.deleted_at.is_some() => Cover::Held,
            Some(release)
                if facts.created_at < release
                    && (!deleted_only || facts.deleted_at.is_some_and(|deleted| deleted <= release)) =>
            {
                Cover::Released(release)
            }
            _ => Cover::None,
        }
    }

    /// The latest release that gives a class grace, and when that ends: of a hold that had covered the copy, if
    /// its natural end was not after the release.
    fn grace(&self, class: &str, natural_end: Option<Anchored>) -> Option<(Instant, Instant)> {
        let is_over = |hold: &&Hold<'_>| hold.released_at.is_some_and(|released| released <= self.facts.at);
        let naming = self.facts.holds.iter().filter(is_over).filter(|hold| hold.suspends(class));
        let released = naming.filter_map(|hold| match self.cover(hold) {
            Cover::Released(release) => Some(release),
            Cover::None | Cover::Held => None,
        });
        let release = released.max()?;
        let tree = &self.compiled.tree;
        natural_end
            .is_none_or(|end| !end.is_live(release))
            .then(|| (release, release.plus(tree.grace, tree.months)))
    }

    /// Says of a class that has no basis and that no hold covers when it must be gone.
    fn without_basis(&self, of_class: &mut ClassVerdict, class: &str, natural_end: Option<Anchored>) {
        let (now, grace) = (self.facts.at, self.grace(class, natural_end));
        of_class.destroy = Some(grace.map_or(now, |(_, grace)| grace.max(now)));
        of_class.released = grace.filter(|(_, grace)| *grace > now).map(|(release, _)| release);
    }

    /// Applies holds, and closes each class: what ended in the past is no basis.
    fn holds(&self, verdict: &mut Verdict) {
        let (facts, tree) = (self.facts, &self.compiled.tree);
        verdict.holds.clear();
        for (index, hold) in facts.holds.iter().enumerate() {
            if self.cover(hold) == Cover::Held {
                let named = tree.classes().enumerate().filter(|(_, class)| hold.suspends(class));
                verdict.holds.extend(named.map(|(class, _)| (class, index)));
            }
        }
        for (index, (class, name)) in verdict.classes.iter_mut().zip(tree.classes()).enumerate() {
            class.held = verdict.holds.iter().any(|(held, _)| *held == index);
            let natural_end = class.until;
            class.until = natural_end.filter(|end| end.is_live(facts.at));
            match class.until {
                _ if class.held => {}
                Some(Anchored::Indefinite) => {}
                Some(Anchored::Until(until)) => class.destroy = Some(until),
                None => self.without_basis(class, name, natural_end),
            }
        }
    }

    fn uses(&self, place: Place, verdict: &mut Verdict) {
        let facts = self.facts;
        let has_basis = verdict
            .classes
            .iter()
            .enumerate()
            .filter(|(_, class)| class.until.is_some())
            .fold(0_u64, |mask, (index, _)| mask | 1 << index);
        verdict.allowed.clear();
        verdict.messages.clear();
        for (index, purpose) in self.compiled.tree.purposes.iter().enumerate() {
            let allows = |place: Place| {
                let use_of = |cell| self.table().outcome(cell).uses.get(index).copied().unwrap_or_default();
                !self.view.steps.is_orphan
                    && use_of(place.record) & has_basis != 0
                    && use_of(place.account) & has_basis != 0
            };
            if facts.messages.is_empty() {
                verdict.allowed.push(allows(place));
                continue;
            }
            let by_message = purpose.reach == Reach::Message && purpose.is_chosen();
            let before = verdict.messages.len();
            if by_message {
                let of_record = verdict.standings.get(index).copied().flatten();
                let mine = |at| {
                    let standing = self.standing(index, purpose.ground, at);
                    allows(self.moved(place, index, of_record, standing))
                };
                self.messages(index, mine, &mut verdict.messages);
            } else if allows(place) {
                self.messages(index, |_| true, &mut verdict.messages);
            }
            verdict.allowed.push(verdict.messages.len() > before);
        }
    }

    /// The place of a message whose standing toward one purpose is not its record's.
    fn moved(&self, place: Place, purpose: usize, from: Option<Standing>, to: Standing) -> Place {
        let old = from.map_or(0, |standing| self.table().standing(purpose, standing));
        let new = self.table().standing(purpose, to);
        Place { record: place.record - old + new, account: place.account - old + new }
    }

    /// Adds the messages that are allowed by themselves and by everything that they derive from.
    fn messages(&self, purpose: usize, mine: impl Fn(Instant) -> bool, out: &mut Vec<(usize, usize)>) {
        let (messages, now) = (self.facts.messages, self.facts.at);
        let own = |at: Option<Instant>| at.is_some_and(|at| at <= now && mine(at));
        if messages.iter().all(|message| message.derived_from.is_empty()) {
            let allowed = messages.iter().enumerate().filter(|(_, message)| own(message.at));
            out.extend(allowed.map(|(index, _)| (purpose, index)));
            return;
        }
        let own: Vec<bool> = messages.iter().map(|message| own(message.at)).collect();
        let allowed = derived_closure(self.facts, &own);
        out.extend(
            allowed.iter().enumerate().filter(|(_, allowed)| **allowed).map(|(index, _)| (purpose, index)),
        );
    }
}

/// From the messages that are allowed by themselves, those whose every ancestor is allowed too.
///
/// This is the least such set, grown from the messages without parents, so a circle never gets in.
fn derived_closure(facts: &Facts<'_>, own: &[bool]) -> Vec<bool> {
    let places: HashMap<&str, usize> =
        facts.messages.iter().enumerate().map(|(place, m)| (m.id, place)).collect();
    let mut waiting: Vec<usize> = facts.messages.iter().map(|message| message.derived_from.len()).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); own.len()];
    for (child, message) in facts.messages.iter().enumerate() {
        for parent in message.derived_from {
            // A missing parent is never counted down, so its child stays denied.
            if let Some(children) = places.get(&**parent).and_then(|parent| children.get_mut(*parent)) {
                children.push(child);
            }
        }
    }
    let mut allowed = vec![false; own.len()];
    let is_own = |place: usize| own.get(place).copied().unwrap_or(false);
    let mut ready: Vec<usize> = waiting
        .iter()
        .enumerate()
        .filter(|(place, left)| **left == 0 && is_own(*place))
        .map(|(place, _)| place)
        .collect();
    while let Some(place) = ready.pop() {
        if let Some(allowed) = allowed.get_mut(place) {
            *allowed = true;
        }
        for &child in children.get(place).map_or(&[][..], Vec::as_slice) {
            let Some(left) = waiting.get_mut(child) else { continue };
            *left -= 1;
            if *left == 0 && is_own(child) {
                ready.push(child);
            }
        }
    }
    allowed
}
