//! Permission to use what was said: a token that only a verdict makes, and that every export asks for.

use std::collections::HashSet;

use crate::choice::View;
use crate::exclusion::{Exclusion, Reading};
use crate::facts::Facts;
use crate::language::{Purpose, Reach, Standing};
use crate::lineage::Lineage;
use crate::verdict::Verdict;

/// That a purpose may use messages of one record, read through copies of one class.
///
/// Its fields are private and nothing but [`Lineage::rule`] makes one, so what no verdict has allowed
/// can't be handed to a writer. It speaks of one record at one instant: whoever keeps it for longer
/// asks again.
///
/// ```compile_fail,E0451
/// let forged = tenure_policy::Permitted {
///     policy: String::new(),
///     purpose: "train".to_owned(),
///     class: "content".to_owned(),
///     messages: ["m1".to_owned()].into(),
/// };
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a permission is there to be used, and asked for again when things may have changed"]
pub struct Permitted {
    policy: String,
    purpose: String,
    class: String,
    messages: HashSet<String>,
}

impl Permitted {
    /// The version that judged, such as `consumer@2025-10-08`.
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// The purpose.
    pub fn purpose(&self) -> &str {
        &self.purpose
    }

    /// The class whose copies may be read for it; a copy of another class is not to be opened.
    pub fn class(&self) -> &str {
        &self.class
    }

    /// Whether a message of the record may be used.
    pub fn allows(&self, message: &str) -> bool {
        self.messages.contains(message)
    }

    /// How many messages may be used; never none.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether no message may be used, which is never so.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

/// What one purpose may use of a record, and why not the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruling {
    /// The whole verdict.
    pub verdict: Verdict,
    /// A permission for each class through which messages may be read, in file order of the classes.
    pub permitted: Vec<Permitted>,
    /// Why nothing of the record may be used; `None` exactly where the verdict allows it.
    pub record: Option<Exclusion>,
    /// For each message why it may not be used; `None` exactly where the verdict allows it.
    pub messages: Vec<Option<Exclusion>>,
}

impl Lineage {
    /// Judges a record, and rules on what one purpose may use of it.
    pub fn rule(&self, facts: &Facts<'_>, purpose: &str) -> Ruling {
        let verdict = self.judge(facts);
        let tree = self.tree(verdict.judged);
        // Where no living version knows the surface, no terms say what may be used.
        let is_orphan = self.epochs().seen(facts.surface, facts.at).is_orphan;
        let known = tree.purposes.iter().position(|known| known.name == purpose && !is_orphan);
        let Some(place) = known else {
            let messages = vec![Some(Exclusion::Terms); facts.messages.len()];
            return Ruling { verdict, permitted: Vec::new(), record: Some(Exclusion::Terms), messages };
        };
        let Some(purpose) = tree.purposes.get(place) else {
            return Ruling { verdict, permitted: Vec::new(), record: None, messages: Vec::new() };
        };
        let reading = Reading::new(self, facts, &verdict, purpose);
        let standings = Standings::new(self, facts, &verdict, purpose, place);
        let mut allowed = vec![false; facts.messages.len()];
        for (_, message) in verdict.messages.iter().filter(|(of, _)| *of == place) {
            if let Some(allowed) = allowed.get_mut(*message) {
                *allowed = true;
            }
        }
        let of_record = reading.refusal(standings.record);
        let messages: Vec<Option<Exclusion>> = facts
            .messages
            .iter()
            .zip(&allowed)
            .map(|(message, allowed)| {
                if *allowed {
                    return None;
                }
                let Some(at) = message.at.filter(|at| *at <= facts.at) else {
                    return Some(of_record.unwrap_or(Exclusion::UnknownTime));
                };
                let own = match standings.of(at) {
                    Some(standing) => reading.refusal(Some(standing)),
                    None => of_record,
                };
                Some(own.unwrap_or(Exclusion::Derived))
            })
            .collect();
        let is_allowed = verdict.allowed.get(place).copied().unwrap_or(false);
        let record = (!is_allowed).then(|| {
            let worst = messages.iter().flatten().min().copied();
            worst.or(of_record).unwrap_or(Exclusion::OtherRule)
        });
        let permitted = self.permissions(&reading, &standings, &allowed);
        Ruling { verdict, permitted, record, messages }
    }

    fn permissions(
        &self,
        reading: &Reading<'_>,
        standings: &Standings<'_>,
        allowed: &[bool],
    ) -> Vec<Permitted> {
        let Standings { facts, verdict, purpose, .. } = standings;
        let tree = self.tree(verdict.judged);
        let of_record = reading.classes(standings.record);
        let mut by_class: Vec<HashSet<String>> = vec![HashSet::new(); tree.classes().count()];
        for (message, _) in facts.messages.iter().zip(allowed).filter(|(_, allowed)| **allowed) {
            let own = message.at.and_then(|at| standings.of(at));
            let mask = own.map_or(of_record, |standing| reading.classes(Some(standing)));
            for (class, messages) in by_class.iter_mut().enumerate() {
                if mask >> class & 1 == 1 {
                    messages.insert(message.id.to_owned());
                }
            }
        }
        let classes = tree.classes().zip(by_class).filter(|(_, messages)| !messages.is_empty());
        let policy = format!("{}@{}", tree.policy, tree.name);
        let permission = |(class, messages): (&str, _)| Permitted {
            policy: policy.clone(),
            purpose: purpose.name.clone(),
            class: class.to_owned(),
            messages,
        };
        classes.map(permission).collect()
    }
}

/// How a record and its messages stand toward the purpose.
struct Standings<'a> {
    lineage: &'a Lineage,
    facts: &'a Facts<'a>,
    verdict: &'a Verdict,
    purpose: &'a Purpose,
    record: Option<Standing>,
}

impl<'a> Standings<'a> {
    fn new(
        lineage: &'a Lineage,
        facts: &'a Facts<'a>,
        verdict: &'a Verdict,
        purpose: &'a Purpose,
        place: usize,
    ) -> Self {
        let record = verdict.standings.get(place).copied().flatten();
        Self { lineage, facts, verdict, purpose, record }
    }

    /// The standing of a message of its own, where the purpose reaches single messages.
    fn of(&self, at: tenure_model::Instant) -> Option<Standing> {
        if self.purpose.reach != Reach::Message || !self.purpose.is_chosen() {
            return None;
        }
        let Facts { history, opened_at, surface, at: now, .. } = *self.facts;
        let ix = self.lineage.purpose(&self.purpose.name)?;
        let view = View::new(self.lineage, history, opened_at, surface, now);
        Some(view.standing(self.verdict.judged, ix, self.purpose.ground, at, now))
    }
}
