//! Why a verdict is what it is, and what would change it.
//!
//! Nothing here decides. Bases and obstacles are read off the rules that the table was compiled from,
//! and what would change a verdict is found by judging changed facts again.

mod value;
mod what_if;

use serde::Serialize;
use tenure_model::{Anchored, Choice, Instant, Kind, Mode, Regime};

use crate::choice::View;
use crate::facts::{Facts, History};
use crate::language::{Anchor, Condition, Flag, Ground, Purpose, Standing, Undecided};
use crate::lineage::{Lineage, VersionIx};
use crate::surfaces::SurfaceId;
use crate::verdict::Verdict;

pub use value::verdict_value;
pub use what_if::{Change, Effect, Ending, WhatIf, what_if};

/// A keep rule that holds now, for one class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis<'l> {
    /// The rule's place in the version's file.
    pub rule: usize,
    /// The rule's reason, for people.
    pub why: &'l str,
    /// The anchor from which its term counts.
    pub from: &'l Anchor,
    /// The instant of that anchor.
    pub since: Instant,
    /// When it ends.
    pub until: Anchored,
}

/// Why a record may not be used for a purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "reason")]
#[non_exhaustive]
pub enum Obstacle {
    /// No rule uses anything for the purpose.
    NoRule,
    /// The version that judges the record does not know the purpose.
    OtherTerms {
        /// That version.
        version: String,
    },
    /// The record was sent under another kind of contract.
    Regime {
        /// The record's.
        regime: Regime,
    },
    /// It was sent through another surface.
    Surface,
    /// It is of another kind.
    Kind {
        /// The record's.
        kind: Kind,
    },
    /// It was sent in another mode.
    Mode {
        /// The record's.
        mode: Mode,
    },
    /// The country is not one of those that the rule names, or nobody knows it.
    Region {
        /// Whether it is the account's present country and not the record's.
        account: bool,
        /// Whether the country is known at all.
        known: bool,
    },
    /// The record stands otherwise toward a purpose.
    Standing {
        /// The purpose that is asked about.
        purpose: String,
        /// Where the record stands.
        standing: &'static str,
    },
    /// A fact about the record or its person is otherwise, or nobody knows it.
    Fact {
        /// The fact.
        fact: &'static str,
        /// What it is; nothing where nobody knows.
        value: Option<bool>,
    },
    /// The copy that the purpose uses is kept on no basis.
    NoBasis {
        /// The class of the copy.
        class: String,
    },
    /// Nobody knows when some messages were sent.
    Undated {
        /// How many.
        messages: usize,
    },
    /// Some messages carry the text of others that may not be used, or that are missing.
    Derived {
        /// How many.
        messages: usize,
    },
    /// Some messages were sent while the choice was another.
    SentBefore {
        /// How many.
        messages: usize,
    },
}

/// What an account is bound by, has chosen and is asked, as seen from one surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountView {
    /// The version that binds the account.
    pub bound: VersionIx,
    /// Whether it must decide before it goes on.
    pub must_decide: bool,
    /// Its choices toward the binding version: the purpose's place in the version, the choice, and
    /// since when it has been given.
    pub choices: Vec<(usize, Standing, Option<Instant>)>,
    /// What the newest version that asks still waits for.
    pub asked: Option<Asked>,
}

/// A question that an account has not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The version that asks.
    pub version: VersionIx,
    /// The purposes, by name.
    pub purposes: Vec<String>,
    /// By when, if the version says so.
    pub by: Option<Instant>,
    /// What happens then.
    pub then: Undecided,
}

impl Lineage {
    /// The live bases of a class, the one that lasts longest first.
    pub fn bases<'l>(&'l self, facts: &Facts<'_>, verdict: &Verdict, class: usize) -> Vec<Basis<'l>> {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface, facts.at);
        let tree = self.tree(verdict.judged);
        let mine = verdict.bases.iter().filter(|(of, _)| *of == class);
        let mut bases: Vec<Basis<'l>> = mine
            .filter_map(|(_, rule)| {
                let keep = tree.keeps.get(*rule)?;
                let dated = keep
                    .from
                    .iter()
                    .filter_map(|from| Some((instant_of(&view, facts, verdict, from)?, from)));
                let (since, from) = dated.max_by_key(|(since, _)| *since)?;
                let until = Anchored::end(since, keep.term, tree.months);
                Some(Basis { rule: *rule, why: &keep.why, from, since, until })
            })
            .collect();
        bases.sort_by_key(|basis| std::cmp::Reverse(basis.until));
        bases
    }

    /// Why a record, or some of its messages, may not be used for a purpose, by its place in the
    /// judging version. Of several rules, the one that lacks least is told.
    pub fn obstacles(&self, facts: &Facts<'_>, verdict: &Verdict, purpose: usize) -> Vec<Obstacle> {
        let tree = self.tree(verdict.judged);
        let Some(asked) = tree.purposes.get(purpose) else { return Vec::new() };
        let of_messages = message_obstacles(facts, verdict, purpose);
        if verdict.allowed.get(purpose) == Some(&true) {
            return of_messages;
        }
        let rules = || tree.uses.iter().filter(|rule| rule.purpose == asked.name);
        let lacking = |account: bool| {
            let lacks = rules().map(|rule| {
                let mut lacks = self.unmet(facts, verdict, &rule.when, account);
                let class = tree.classes().position(|class| class == rule.class);
                let kept = class.and_then(|class| verdict.classes.get(class)?.until);
                if kept.is_none() {
                    lacks.push(Obstacle::NoBasis { class: rule.class.clone() });
                }
                lacks
            });
            lacks.min_by_key(Vec::len)
        };
        let (Some(record), Some(account)) = (lacking(false), lacking(true)) else {
            return vec![Obstacle::NoRule];
        };
        match (record.is_empty(), account.is_empty()) {
            (false, _) => record,
            (true, false) => account,
            (true, true) => of_messages,
        }
    }

    /// The purposes that the newest announced version lets people choose about in the record's regime,
    /// and that the judging version does not know.
    pub fn unknown_purposes(&self, facts: &Facts<'_>, verdict: &Verdict) -> Vec<&Purpose> {
        let view = View::new(self, facts.history, facts.opened_at, facts.surface, facts.at);
        let Some(newest) = newest_announced(&view, facts.at) else { return Vec::new() };
        let judging = self.tree(verdict.judged);
        let unknown = self.tree(newest).purposes.iter().filter(|purpose| {
            purpose.is_chosen()
                && purpose.lists(view.steps.regime)
                && judging.purpose(&purpose.name).is_none()
        });
        unknown.collect()
    }

    /// What an account looks like from one of its surfaces.
    pub fn account_view(
        &self,
        history: &History,
        opened_at: Option<Instant>,
        surface: SurfaceId,
        at: Instant,
    ) -> AccountView {
        let view = View::new(self, history, opened_at, surface, at);
        let bound = view.bound(at);
        let choices = self
            .tree(bound)
            .purposes
            .iter()
            .enumerate()
            .filter(|(_, purpose)| purpose.is_chosen() && purpose.lists(self.regime(surface)));
        let choices = choices
            .filter_map(|(place, purpose)| {
                let index = self.purpose(&purpose.name)?;
                let standing = view.standing(bound, index, purpose.ground, at, at);
                Some((place, standing, view.decided_since(bound, index, purpose.ground, at)))
            })
            .collect();
        AccountView { bound, must_decide: view.must_decide(at), choices, asked: self.asked(&view, at) }
    }

    /// The purposes that the newest announced version asks about, and that have no answer.
    fn asked(&self, view: &View<'_>, at: Instant) -> Option<Asked> {
        let consents = |version: VersionIx| {
            let purposes = self.tree(version).purposes.iter();
            purposes.filter(|purpose| purpose.ground == Ground::Consent && purpose.lists(view.steps.regime))
        };
        let asks = |version: &&VersionIx| {
            self.tree(**version).announced <= at && consents(**version).next().is_some()
        };
        let version =
            view.steps.considered.iter().rev().filter(|_| !view.steps.is_orphan).find(asks).copied()?;
        let open = consents(version).filter(|purpose| {
            let index = self.purpose(&purpose.name);
            index.is_some_and(|index| {
                view.standing(version, index, Ground::Consent, at, at) == Standing::Undecided
            })
        });
        let purposes: Vec<String> = open.map(|purpose| purpose.name.clone()).collect();
        let tree = self.tree(version);
        (!purposes.is_empty()).then_some(Asked {
            version,
            purposes,
            by: tree.decide_by,
            then: tree.undecided,
        })
    }

    /// What of a use rule's condition a record does not meet, with its own country or its account's.
    fn unmet(&self, facts: &Facts<'_>, verdict: &Verdict, when: &Condition, account: bool) -> Vec<Obstacle> {
        fn lacks<T: PartialEq>(asked: Option<&Vec<T>>, value: &T) -> bool {
            asked.is_some_and(|asked| !asked.contains(value))
        }
        let tree = self.tree(verdict.judged);
        let mut unmet = Vec::new();
        let regime = self.regime(facts.surface);
        if lacks(when.regime.as_ref(), &regime) {
            unmet.push(Obstacle::Regime { regime });
        }
        let surface = self.surface_name(facts.surface, verdict.judged).unwrap_or_default().to_owned();
        if lacks(when.surface.as_ref(), &surface) {
            unmet.push(Obstacle::Surface);
        }
        if lacks(when.kind.as_ref(), &facts.kind) {
            unmet.push(Obstacle::Kind { kind: facts.kind });
        }
        if lacks(when.mode.as_ref(), &facts.mode) {
            unmet.push(Obstacle::Mode { mode: facts.mode });
        }
        let country = if account { facts.account_country } else { facts.country };
        let region = country.map(|country| tree.region_of(country).map_or("other", |region| &region.name));
        if when
            .region
            .as_ref()
            .is_some_and(|asked| region.is_none_or(|region| !asked.iter().any(|asked| asked == region)))
        {
            unmet.push(Obstacle::Region { account, known: region.is_some() });
        }
        for (purpose, asked) in &when.standing {
            let place = tree.purposes.iter().position(|known| known.name == *purpose);
            let standing = place.and_then(|place| verdict.standings.get(place).copied().flatten());
            if let Some(standing) = standing.filter(|standing| !asked.contains(standing)) {
                unmet.push(Obstacle::Standing { purpose: purpose.clone(), standing: standing.word() });
            }
        }
        for (flag, asked) in &when.flags {
            let value = fact(facts, *flag);
            if value.is_none_or(|value| !asked.contains(&value)) {
                unmet.push(Obstacle::Fact { fact: flag.word(), value });
            }
        }
        unmet
    }
}

/// Why messages of a record that is allowed, or would be, may not be used.
fn message_obstacles(facts: &Facts<'_>, verdict: &Verdict, purpose: usize) -> Vec<Obstacle> {
    let used: Vec<usize> =
        verdict.messages.iter().filter(|(of, _)| *of == purpose).map(|(_, message)| *message).collect();
    let (mut undated, mut derived, mut before) = (0, 0, 0);
    for (place, message) in facts.messages.iter().enumerate() {
        match message.at {
            _ if used.binary_search(&place).is_ok() => {}
            None => undated += 1,
            Some(at) if at > facts.at => {}
            Some(_) if !message.derived_from.is_empty() => derived += 1,
            Some(_) => before += 1,
        }
    }
    let found = [
        (undated, Obstacle::Undated { messages: undated }),
        (derived, Obstacle::Derived { messages: derived }),
        (before, Obstacle::SentBefore { messages: before }),
    ];
    found.into_iter().filter(|(count, _)| *count > 0).map(|(_, obstacle)| obstacle).collect()
}

/// A boolean fact; nothing where nobody knows it.
const fn fact(facts: &Facts<'_>, flag: Flag) -> Option<bool> {
    match flag {
        Flag::Deleted => Some(facts.deleted_at.is_some()),
        Flag::Flagged if facts.flagged_at.is_some() => Some(true),
        Flag::Flagged if facts.scanned => Some(false),
        Flag::Flagged => None,
        Flag::Feedback => Some(facts.feedback_at.is_some()),
        Flag::Minor => facts.minor,
        Flag::Closed => Some(facts.closed_at.is_some()),
    }
}

fn instant_of(view: &View<'_>, facts: &Facts<'_>, verdict: &Verdict, anchor: &Anchor) -> Option<Instant> {
    match anchor {
        Anchor::Created => Some(facts.created_at),
        Anchor::LastActivity => Some(facts.conversation_last_activity_at),
        Anchor::Deleted => facts.deleted_at,
        Anchor::Flagged => facts.flagged_at,
        Anchor::Feedback => facts.feedback_at,
        Anchor::Closed => facts.closed_at,
        Anchor::Decided(name) => {
            let lineage = view.steps.lineage;
            let ground = lineage.tree(verdict.judged).purpose(name)?.ground;
            view.decided_since(verdict.judged, lineage.purpose(name)?, ground, facts.at)
        }
    }
}

/// The newest announced version that knows the surface.
fn newest_announced(view: &View<'_>, at: Instant) -> Option<VersionIx> {
    let announced = |version: &&VersionIx| view.steps.lineage.tree(**version).announced <= at;
    view.steps.considered.iter().rev().find(announced).copied()
}

/// The newest announced version, of those that know the surface, that lets people choose for a purpose.
fn newest_asking(view: &View<'_>, purpose: &str, at: Instant) -> Option<VersionIx> {
    let asks = |version: &&VersionIx| {
        let tree = view.steps.lineage.tree(**version);
        tree.announced <= at && tree.purpose(purpose).is_some_and(Purpose::is_chosen)
    };
    view.steps.considered.iter().rev().find(asks).copied()
}

/// The answer opposite to where a record stands.
const fn opposite(standing: Standing) -> Choice {
    match standing {
        Standing::On | Standing::Unopposed | Standing::Unreached => Choice::Off,
        Standing::Off | Standing::Withdrawn | Standing::Undecided => Choice::On,
    }
}
