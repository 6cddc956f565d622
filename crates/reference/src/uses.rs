//! What a record, and each of its messages, may be used for.

use std::collections::BTreeSet;

use tenure_policy::case::Message;
use tenure_policy::language::{Ground, Purpose, Reach, Standing, Version};

use crate::binding::Considered;
use crate::cell::{Cell, Place, Unknown, matches};
use crate::keeping::Kept;
use crate::tally::{Clause, Tally};

/// What one purpose may use.
#[derive(Debug)]
pub(crate) struct Used<'c> {
    pub(crate) allowed: bool,
    pub(crate) messages: Vec<&'c str>,
}

/// What the use rules are asked with.
#[derive(Debug)]
pub(crate) struct Situation<'s> {
    pub(crate) judging: usize,
    pub(crate) version: &'s Version,
    pub(crate) kept: &'s [Kept],
    /// The record, with the standings of the record as a whole and its own country.
    pub(crate) cell: &'s Cell<'s>,
    /// The account's present country.
    pub(crate) account: Place<'s>,
}

impl<'c> Considered<'c> {
    pub(crate) fn used(&self, situation: &Situation<'_>, purpose: &Purpose, tally: &mut Tally) -> Used<'c> {
        let case = self.checked.case;
        if self.is_orphan {
            return Used { allowed: false, messages: Vec::new() };
        }
        if case.record.messages.is_empty() {
            let allowed = self.rules_allow(situation, purpose, situation.cell, tally);
            if allowed {
                tally.add(Clause::UseWhole);
            }
            return Used { allowed, messages: Vec::new() };
        }
        let messages: Vec<&Message<'_>> =
            case.record.messages.iter().filter(|message| message.at <= case.at).collect();
        let own: Vec<bool> = messages
            .iter()
            .map(|message| {
                let cell = self.as_of_message(situation, purpose, message, tally);
                self.rules_allow(situation, purpose, &cell, tally)
            })
            .collect();
        if own.contains(&true) && own.contains(&false) {
            tally.add(Clause::MessagesDiffer);
        }
        let allowed = derived(&messages, &own, tally);
        let messages: Vec<&str> = messages
            .iter()
            .filter(|message| allowed.contains(&*message.id))
            .map(|message| &*message.id)
            .collect();
        Used { allowed: !messages.is_empty(), messages }
    }

    /// The cell of a message: under `reach = "message"` it stands toward the purpose by its own time.
    /// "A use rule that names the standing of another purpose means that of the record."
    fn as_of_message<'s>(
        &self,
        situation: &Situation<'s>,
        purpose: &Purpose,
        message: &Message<'_>,
        tally: &mut Tally,
    ) -> Cell<'s> {
        let mut cell = situation.cell.clone();
        if purpose.reach == Reach::Message && purpose.is_chosen() {
            let standing = self.standing(purpose, situation.judging, message.at, tally);
            for (name, value) in &mut cell.standings {
                if *name == purpose.name {
                    *value = standing;
                }
            }
        }
        cell
    }

    /// "Allowed if a use rule whose class has a basis (a hold is not a basis) matches with the country
    /// of the record, and one, it may be another, with the account's present country, and the standing
    /// is `on` (consent) or `on` or `unopposed` (objection)."
    fn rules_allow(
        &self,
        situation: &Situation<'_>,
        purpose: &Purpose,
        cell: &Cell<'_>,
        tally: &mut Tally,
    ) -> bool {
        let record = self.some_rule_matches(situation, purpose, cell, tally);
        let in_account_country = Cell { place: situation.account, ..cell.clone() };
        let account = self.some_rule_matches(situation, purpose, &in_account_country, tally);
        if record && !account {
            tally.add(Clause::UseAccountCountry);
        }
        if !record && account {
            tally.add(Clause::UseRecordCountry);
        }
        let standing = cell.standing(&purpose.name);
        let standing_allows = match purpose.ground {
            Ground::Consent => standing == Some(Standing::On),
            Ground::Objection { .. } => matches!(standing, Some(Standing::On | Standing::Unopposed)),
            Ground::None => true,
        };
        let allowed = record && account && standing_allows;
        if allowed {
            tally.add(Clause::UseAllowed);
        }
        allowed
    }

    fn some_rule_matches(
        &self,
        situation: &Situation<'_>,
        purpose: &Purpose,
        cell: &Cell<'_>,
        tally: &mut Tally,
    ) -> bool {
        let version = situation.version;
        let mut found = false;
        for rule in version.uses.iter().filter(|rule| rule.purpose == purpose.name) {
            if !matches(self.lineage, version, &rule.when, cell, Unknown::DoesNotMatch) {
                if matches(self.lineage, version, &rule.when, cell, Unknown::Matches) {
                    tally.add(Clause::UseUnknown);
                }
                continue;
            }
            if situation.kept.iter().any(|kept| kept.class == rule.class && kept.has_basis()) {
                found = true;
            } else {
                tally.add(Clause::UseNoBasis);
            }
        }
        found
    }
}

/// "A message that is *derived* is allowed only if every message it derives from is in the record and
/// allowed; a missing parent or a circle denies."
///
/// Messages are allowed one after another, each only once all its parents are; those on a circle, and
/// what hangs on one, never get their turn.
fn derived<'c>(messages: &[&'c Message<'c>], own: &[bool], tally: &mut Tally) -> BTreeSet<&'c str> {
    let mut allowed: BTreeSet<&str> = BTreeSet::new();
    loop {
        let before = allowed.len();
        for (message, own) in messages.iter().zip(own) {
            if *own && message.derived_from.iter().all(|parent| allowed.contains(&**parent)) {
                allowed.insert(&message.id);
            }
        }
        if allowed.len() == before {
            break;
        }
    }
    for (message, own) in messages.iter().zip(own) {
        if *own && !message.derived_from.is_empty() {
            tally.add(explain(messages, message, &allowed));
        }
    }
    allowed
}

/// Which clause decided about a derived message that the rules themselves allow.
fn explain(messages: &[&Message<'_>], message: &Message<'_>, allowed: &BTreeSet<&str>) -> Clause {
    let find = |id: &str| messages.iter().find(|other| *other.id == *id);
    if allowed.contains(&*message.id) {
        return Clause::DerivedAllowed;
    }
    if message.derived_from.iter().any(|parent| find(parent).is_none()) {
        return Clause::DerivedMissing;
    }
    let mut ancestors: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = message.derived_from.iter().map(|parent| &**parent).collect();
    while let Some(id) = open.pop() {
        if ancestors.insert(id)
            && let Some(ancestor) = find(id)
        {
            open.extend(ancestor.derived_from.iter().map(|parent| &**parent));
        }
    }
    if ancestors.contains(&*message.id) { Clause::DerivedCircle } else { Clause::DerivedDenied }
}
