//! What would change a verdict: one thing at a time, and what it takes for a use that is not allowed.

use serde::Serialize;
use tenure_model::{Anchored, Choice, Instant};

use super::{newest_announced, newest_asking, opposite};
use crate::choice::View;
use crate::facts::{Decision, Facts, History};
use crate::language::Standing;
use crate::lineage::{Lineage, VersionIx};
use crate::past::Unflagged;
use crate::verdict::{ClassVerdict, Verdict};

/// Something that could happen now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "what")]
#[non_exhaustive]
pub enum Change {
    /// The person decides.
    Decide {
        /// The purpose.
        purpose: String,
        /// The answer.
        choice: Choice,
    },
    /// The person acknowledges a version that does not bind them yet.
    Acknowledge {
        /// The version.
        version: String,
    },
    /// The person goes on with the conversation.
    GoOn,
    /// The person deletes it.
    Delete,
    /// The person closes the account.
    Close,
    /// A classifier looks at it and finds nothing, or its flag is cleared.
    Clear,
    /// Somebody tells that the person is not a minor.
    TellAdult,
    /// A hold is released.
    Release {
        /// The hold.
        hold: String,
    },
}

/// How long a class is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// For as long as a hold covers it.
    Held,
    /// Without an end.
    Indefinite,
    /// Until an instant.
    Until(Instant),
    /// There is no basis: it must be gone by this instant.
    Due(Instant),
}

impl From<&ClassVerdict> for Ending {
    fn from(class: &ClassVerdict) -> Self {
        match (class.held, class.until, class.destroy) {
            (true, ..) => Self::Held,
            (false, Some(Anchored::Indefinite), _) => Self::Indefinite,
            (false, Some(Anchored::Until(until)), _) => Self::Until(until),
            (false, None, destroy) => Self::Due(destroy.unwrap_or(Instant::MIN)),
        }
    }
}

/// What is otherwise after a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "effect")]
#[non_exhaustive]
pub enum Effect {
    /// A class is kept for another time.
    Kept {
        /// The class.
        class: String,
        /// How long it is kept now.
        before: Ending,
        /// How long it would be.
        after: Ending,
    },
    /// A purpose may use more or fewer messages, or the record as a whole.
    Used {
        /// The purpose.
        purpose: String,
        /// Whether it is allowed after.
        allowed: bool,
        /// How many messages it may use now.
        before: usize,
        /// How many it could use.
        after: usize,
    },
    /// The account must decide before it goes on, or need not any more.
    MustDecide {
        /// Whether it must.
        must: bool,
    },
}

/// Things that could happen now, and what would be otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhatIf {
    /// What happens, all of it.
    pub changes: Vec<Change>,
    /// What would be otherwise; never empty.
    pub effects: Vec<Effect>,
}

/// What would change a verdict: each single change that does, then for each purpose that no single
/// change allows, the changes that together would.
///
/// Only the classes that are named are compared; others have no copy that could be kept.
pub fn what_if(lineage: &Lineage, facts: &Facts<'_>, verdict: &Verdict, classes: &[&str]) -> Vec<WhatIf> {
    let try_it = Try { lineage, facts, verdict, classes };
    let candidates = try_it.candidates();
    let mut found: Vec<WhatIf> = Vec::new();
    for change in &candidates {
        let changes = vec![change.clone()];
        let effects = try_it.effects(&changes);
        if !effects.is_empty() {
            found.push(WhatIf { changes, effects });
        }
    }
    let purposes = lineage.tree(verdict.judged).purposes.iter().zip(&verdict.allowed);
    let denied = purposes.filter(|(_, allowed)| !**allowed).map(|(purpose, _)| purpose);
    for purpose in
        denied.chain(lineage.unknown_purposes(facts, verdict)).filter(|purpose| purpose.is_chosen())
    {
        if found.iter().any(|single| allows(&single.effects, &purpose.name)) {
            continue;
        }
        if let Some(together) = try_it.together(&candidates, &purpose.name) {
            found.push(together);
        }
    }
    found
}

fn allows(effects: &[Effect], name: &str) -> bool {
    let opens =
        |effect: &Effect| matches!(effect, Effect::Used { purpose, allowed: true, .. } if purpose == name);
    effects.iter().any(opens)
}

/// Facts that are changed and judged again.
struct Try<'a> {
    lineage: &'a Lineage,
    facts: &'a Facts<'a>,
    verdict: &'a Verdict,
    classes: &'a [&'a str],
}

impl Try<'_> {
    fn view(&self) -> View<'_> {
        let facts = self.facts;
        View::new(self.lineage, facts.history, facts.opened_at, facts.surface, facts.at)
    }

    /// Everything that could happen to the record as it stands.
    fn candidates(&self) -> Vec<Change> {
        let (facts, verdict, view) = (self.facts, self.verdict, self.view());
        let mut changes = Vec::new();
        if facts.closed_at.is_none() {
            for (name, standing) in self.choices(&view) {
                if newest_asking(&view, name, facts.at).is_none() {
                    continue;
                }
                let decide = |choice| Change::Decide { purpose: name.to_owned(), choice };
                changes.push(decide(opposite(standing)));
                match standing {
                    Standing::Undecided => changes.push(decide(Choice::Off)),
                    Standing::Unopposed => changes.push(decide(Choice::On)),
                    _ => {}
                }
            }
            changes.extend(
                self.next_version(&view)
                    .map(|version| Change::Acknowledge { version: self.lineage.tree(version).name.clone() }),
            );
            if facts.deleted_at.is_none() {
                changes.push(Change::GoOn);
            }
            changes.push(Change::Close);
        }
        if facts.deleted_at.is_none() {
            changes.push(Change::Delete);
        }
        if facts.flagged_at.is_some() || !facts.scanned {
            changes.push(Change::Clear);
        }
        if facts.minor != Some(false) {
            changes.push(Change::TellAdult);
        }
        let mut holds: Vec<usize> = verdict.holds.iter().map(|(_, hold)| *hold).collect();
        holds.sort_unstable();
        holds.dedup();
        let held = holds.into_iter().filter_map(|hold| facts.holds.get(hold));
        changes.extend(held.map(|hold| Change::Release { hold: hold.id.to_string() }));
        changes
    }

    /// What there is to choose about, and where the record stands; the account, for what the judging
    /// version does not know.
    fn choices(&self, view: &View<'_>) -> Vec<(&str, Standing)> {
        let (facts, lineage) = (self.facts, self.lineage);
        let known = lineage.tree(self.verdict.judged).purposes.iter().zip(&self.verdict.standings);
        let known = known.filter(|(purpose, _)| purpose.lists(view.steps.regime));
        let known = known.filter_map(|(purpose, standing)| Some((purpose.name.as_str(), (*standing)?)));
        let unknown = lineage.unknown_purposes(facts, self.verdict).into_iter().filter_map(|purpose| {
            let (version, index) = (newest_announced(view, facts.at)?, lineage.purpose(&purpose.name)?);
            let standing = view.standing(version, index, purpose.ground, facts.at, facts.at);
            Some((purpose.name.as_str(), standing))
        });
        known.chain(unknown).collect()
    }

    /// The newest announced version, if the account is not bound by it.
    fn next_version(&self, view: &View<'_>) -> Option<VersionIx> {
        let newest = newest_announced(view, self.facts.at)?;
        (newest > self.verdict.bound).then_some(newest)
    }

    /// The facts after changes, judged.
    fn judge(&self, changes: &[Change]) -> Verdict {
        let now = self.facts.at;
        let mut history = self.facts.history.clone();
        let mut holds = self.facts.holds.to_vec();
        let mut facts = self.facts.clone();
        for change in changes {
            match change {
                Change::Decide { purpose, choice } => self.decide(&mut history, purpose, *choice),
                Change::Acknowledge { version } => {
                    history.acknowledged.extend(self.lineage.version(version).map(|version| (version, now)));
                }
                Change::GoOn => {
                    facts.last_activity_at = now;
                    facts.conversation_last_activity_at = now;
                }
                Change::Delete => facts.deleted_at = Some(now),
                Change::Close => facts.closed_at = Some(now),
                Change::Clear => {
                    let cleared =
                        facts.flagged_at.map(|flagged_at| Unflagged { flagged_at, cleared_at: now });
                    facts.unflagged = cleared.or(facts.unflagged);
                    facts.flagged_at = None;
                    facts.scanned = true;
                }
                Change::TellAdult => facts.minor = Some(false),
                Change::Release { hold } => {
                    // The versions of an amended hold that ended before stay as they ended.
                    let lasting = holds.iter_mut().filter(|held| held.released_at.is_none());
                    for held in lasting.filter(|held| *held.id == **hold) {
                        held.released_at = Some(now);
                    }
                }
            }
        }
        self.lineage.judge(&Facts { history: &history, holds: &holds, ..facts })
    }

    fn decide(&self, history: &mut History, name: &str, choice: Choice) {
        let at = self.facts.at;
        // At one instant an `off` wins, so what was decided just now gives way to what is decided next.
        if let (Some(purpose), Some(version)) =
            (self.lineage.purpose(name), newest_asking(&self.view(), name, at))
        {
            history.decisions.retain(|decision| decision.purpose != purpose || decision.at < at);
            history.decisions.push(Decision { purpose, choice, at, version });
        }
    }

    fn effects(&self, changes: &[Change]) -> Vec<Effect> {
        let (before, after) = (self.verdict, self.judge(changes));
        let mut effects = Vec::new();
        for class in self.classes {
            let [was, is] = [before, &after].map(|verdict| self.ending(verdict, class));
            if let (Some(was), Some(is)) = (was, is)
                && was != is
            {
                effects.push(Effect::Kept { class: (*class).to_owned(), before: was, after: is });
            }
        }
        for purpose in &self.lineage.tree(after.judged).purposes {
            let [was, is] = [before, &after].map(|verdict| self.used(verdict, &purpose.name));
            if was != is {
                effects.push(Effect::Used {
                    purpose: purpose.name.clone(),
                    allowed: is.0,
                    before: was.1,
                    after: is.1,
                });
            }
        }
        if before.must_decide != after.must_decide {
            effects.push(Effect::MustDecide { must: after.must_decide });
        }
        effects
    }

    fn ending(&self, verdict: &Verdict, class: &str) -> Option<Ending> {
        let place = self.lineage.tree(verdict.judged).classes().position(|known| known == class)?;
        verdict.classes.get(place).map(Ending::from)
    }

    /// Whether a purpose may use the record, and how many of its messages.
    fn used(&self, verdict: &Verdict, purpose: &str) -> (bool, usize) {
        let place = self.lineage.tree(verdict.judged).purposes.iter().position(|known| known.name == purpose);
        place.map_or((false, 0), |place| {
            let messages = verdict.messages.iter().filter(|(of, _)| *of == place).count();
            (verdict.allowed.get(place) == Some(&true), messages)
        })
    }

    /// The fewest changes, of those that could happen, that together allow a purpose.
    fn together(&self, candidates: &[Change], purpose: &str) -> Option<WhatIf> {
        let helps = |change: &&Change| match change {
            Change::Decide { purpose: of, choice } => of == purpose && *choice == Choice::On,
            Change::GoOn | Change::Clear | Change::TellAdult | Change::Acknowledge { .. } => true,
            Change::Delete | Change::Close | Change::Release { .. } => false,
        };
        let mut changes: Vec<Change> = candidates.iter().filter(helps).cloned().collect();
        let opens = |changes: &[Change]| self.used(&self.judge(changes), purpose).0;
        if !opens(&changes) {
            return None;
        }
        // What is not needed is left out, one after the other; what asks more of the person goes first.
        for dispensable in changes.clone().into_iter().rev() {
            let without: Vec<Change> =
                changes.iter().filter(|change| **change != dispensable).cloned().collect();
            if opens(&without) {
                changes = without;
            }
        }
        let effects = self.effects(&changes);
        (!effects.is_empty()).then_some(WhatIf { changes, effects })
    }
}
