//! Why a purpose may not use a record or a message, in one word.
//!
//! The verdict says whether; this says why not, for people who count what an export left out. It reads
//! the rules of the judging version one by one: of the use rules that do not match, the one that
//! fails on the fewest attributes is the nearest, and the first attribute on which it fails, in the
//! order of [`Exclusion`], is the reason. Where a single attribute stands in the way, it is that one.

use tenure_model::Mode;

use crate::facts::Facts;
use crate::language::{Condition, Flag, Purpose, Standing, Use, Version};
use crate::lineage::Lineage;
use crate::verdict::Verdict;

/// Why something may not be used. Of several reasons the first in this order counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exclusion {
    /// The version that judges it does not have the purpose.
    Terms,
    /// The regime of its surface is not one of the purpose's.
    Regime,
    /// Its person deleted it.
    Deleted,
    /// It was flagged.
    Flagged,
    /// It was sent in incognito mode.
    Incognito,
    /// The person is a minor, or nobody knows.
    MinorOrUnknown,
    /// No classifier has looked at it.
    NotScanned,
    /// The account has no choice that counts.
    Undecided,
    /// The account said no.
    Off,
    /// The account said yes at the time, and no since.
    Withdrawn,
    /// The account says yes now, but not for what was said then.
    Unreached,
    /// The record's country is unknown, or one that no rule takes.
    Country,
    /// The account's present country is unknown, or one that no rule takes.
    CountryOfAccount,
    /// It derives from a message that may not be used or is missing.
    Derived,
    /// Its time is unknown, or lies after the verdict's.
    UnknownTime,
    /// The copies that the purpose would read have no basis any more.
    NoBasis,
    /// No rule takes it, for another reason.
    OtherRule,
}

impl Exclusion {
    /// Every reason, in the order in which one is preferred to another.
    pub const ALL: [Self; 17] = [
        Self::Terms,
        Self::Regime,
        Self::Deleted,
        Self::Flagged,
        Self::Incognito,
        Self::MinorOrUnknown,
        Self::NotScanned,
        Self::Undecided,
        Self::Off,
        Self::Withdrawn,
        Self::Unreached,
        Self::Country,
        Self::CountryOfAccount,
        Self::Derived,
        Self::UnknownTime,
        Self::NoBasis,
        Self::OtherRule,
    ];

    /// The one spelling of this reason.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::Regime => "regime",
            Self::Deleted => "deleted",
            Self::Flagged => "flagged",
            Self::Incognito => "incognito",
            Self::MinorOrUnknown => "minor_or_unknown",
            Self::NotScanned => "not_scanned",
            Self::Undecided => "undecided",
            Self::Off => "off",
            Self::Withdrawn => "withdrawn",
            Self::Unreached => "unreached",
            Self::Country => "country",
            Self::CountryOfAccount => "country_of_account",
            Self::Derived => "derived",
            Self::UnknownTime => "unknown_time",
            Self::NoBasis => "no_basis",
            Self::OtherRule => "other_rule",
        }
    }
}

/// The use rules of one purpose, read against one record.
pub(crate) struct Reading<'a> {
    lineage: &'a Lineage,
    facts: &'a Facts<'a>,
    verdict: &'a Verdict,
    tree: &'a Version,
    purpose: &'a Purpose,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(
        lineage: &'a Lineage,
        facts: &'a Facts<'a>,
        verdict: &'a Verdict,
        purpose: &'a Purpose,
    ) -> Self {
        Self { lineage, facts, verdict, tree: lineage.tree(verdict.judged), purpose }
    }

    /// The classes, as a mask over those of the version, whose rules take what has this standing.
    pub(crate) fn classes(&self, standing: Option<Standing>) -> u64 {
        let taken = |country| {
            let rules = self.rules().filter(move |rule| self.failing(rule, country, standing).is_empty());
            rules.filter_map(|rule| self.place(&rule.class)).fold(0, |mask, class| mask | 1 << class)
        };
        let with_record = taken(self.facts.country);
        if taken(self.facts.account_country) == 0 { 0 } else { with_record }
    }

    /// Why no rule takes what has this standing; `None` where one does.
    pub(crate) fn refusal(&self, standing: Option<Standing>) -> Option<Exclusion> {
        let own = self.nearest(self.facts.country, standing);
        own.or_else(|| {
            self.nearest(self.facts.account_country, standing).map(|_| Exclusion::CountryOfAccount)
        })
    }

    fn nearest(&self, country: Option<&str>, standing: Option<Standing>) -> Option<Exclusion> {
        let failing = self.rules().map(|rule| self.failing(rule, country, standing));
        match failing.min_by_key(Vec::len) {
            Some(nearest) => nearest.into_iter().min(),
            None => Some(Exclusion::OtherRule),
        }
    }

    fn rules(&self) -> impl Iterator<Item = &'a Use> {
        let name = &self.purpose.name;
        self.tree.uses.iter().filter(move |rule| rule.purpose == *name)
    }

    fn place(&self, class: &str) -> Option<usize> {
        self.tree.classes().position(|known| known == class)
    }

    /// Everything on which a rule fails.
    fn failing(&self, rule: &Use, country: Option<&str>, standing: Option<Standing>) -> Vec<Exclusion> {
        let (when, facts) = (&rule.when, self.facts);
        let regime = self.lineage.regime(facts.surface);
        let lists = |regimes: &Vec<_>| regimes.contains(&regime);
        let mut failing = Vec::new();
        let mut check = |holds: bool, reason| {
            if !holds {
                failing.push(reason);
            }
        };
        check(when.regime.as_ref().is_none_or(lists) && self.purpose.lists(regime), Exclusion::Regime);
        check(self.knows_surface(when), Exclusion::OtherRule);
        check(when.kind.as_ref().is_none_or(|kinds| kinds.contains(&facts.kind)), Exclusion::OtherRule);
        let of_mode = match facts.mode {
            Mode::Incognito => Exclusion::Incognito,
            Mode::Normal => Exclusion::OtherRule,
        };
        check(when.mode.as_ref().is_none_or(|modes| modes.contains(&facts.mode)), of_mode);
        check(self.takes_country(when, country), Exclusion::Country);
        for (flag, values) in &when.flags {
            let (value, reason) = self.flag(*flag);
            check(value.is_some_and(|value| values.contains(&value)), reason);
        }
        for (name, values) in &when.standing {
            let (stands, reason) = self.standing(name, standing);
            check(stands.is_some_and(|stands| values.contains(&stands)), reason);
        }
        let class = self.place(&rule.class).and_then(|place| self.verdict.classes.get(place));
        check(class.is_some_and(|class| class.until.is_some()), Exclusion::NoBasis);
        failing
    }

    fn knows_surface(&self, when: &Condition) -> bool {
        let name = self.lineage.surface_name(self.facts.surface, self.verdict.judged);
        when.surface
            .as_ref()
            .is_none_or(|names| name.is_some_and(|name| names.iter().any(|known| known == name)))
    }

    fn takes_country(&self, when: &Condition, country: Option<&str>) -> bool {
        let Some(asked) = &when.region else { return true };
        let region =
            country.map(|country| self.tree.region_of(country).map_or("other", |region| &region.name));
        region.is_some_and(|region| asked.iter().any(|known| known == region))
    }

    fn flag(&self, flag: Flag) -> (Option<bool>, Exclusion) {
        let facts = self.facts;
        let happened = |instant: Option<_>| Some(instant.is_some());
        match flag {
            Flag::Deleted => {
                let reason =
                    if facts.deleted_at.is_some() { Exclusion::Deleted } else { Exclusion::OtherRule };
                (happened(facts.deleted_at), reason)
            }
            Flag::Flagged if facts.flagged_at.is_some() => (Some(true), Exclusion::Flagged),
            Flag::Flagged if facts.scanned => (Some(false), Exclusion::OtherRule),
            Flag::Flagged => (None, Exclusion::NotScanned),
            Flag::Minor => {
                let is_adult = facts.minor == Some(false);
                (facts.minor, if is_adult { Exclusion::OtherRule } else { Exclusion::MinorOrUnknown })
            }
            Flag::Feedback => (happened(facts.feedback_at), Exclusion::OtherRule),
            Flag::Closed => (happened(facts.closed_at), Exclusion::OtherRule),
        }
    }

    /// The standing toward a purpose that a rule names; toward its own it may be a message's.
    fn standing(&self, name: &str, own: Option<Standing>) -> (Option<Standing>, Exclusion) {
        if name != self.purpose.name {
            let place = self.tree.purposes.iter().position(|purpose| purpose.name == name);
            let stands = place.and_then(|place| self.verdict.standings.get(place)).copied().flatten();
            return (stands, Exclusion::OtherRule);
        }
        let reason = match own {
            Some(Standing::Undecided) => Exclusion::Undecided,
            Some(Standing::Off) => Exclusion::Off,
            Some(Standing::Withdrawn) => Exclusion::Withdrawn,
            Some(Standing::Unreached) => Exclusion::Unreached,
            Some(Standing::On | Standing::Unopposed) | None => Exclusion::OtherRule,
        };
        (own, reason)
    }
}
