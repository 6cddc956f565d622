//! What is told about an account: what binds it, what it has chosen, and what it is asked.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Instant, Regime};
use tenure_policy::Lineage;
use tenure_policy::language::Undecided;
use tenure_store::{CopyStage, ReadTx, StoreExt as _};

use crate::filing::class_name;
use crate::holds::{Covering, Versions};
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Holds, Reader, With};
use crate::{Error, Tenure};

/// An account: what is known, what binds it, what it has chosen and is asked.
#[derive(Debug, Clone, Serialize)]
pub struct AccountSummary {
    /// The id.
    pub account: String,
    /// Its present country.
    pub country: Option<String>,
    /// Whether the person is a minor; nothing where nobody told.
    pub minor: Option<bool>,
    /// When it was opened.
    pub opened_at: Option<Instant>,
    /// When it was closed.
    pub closed_at: Option<Instant>,
    /// Conversations and records by surface.
    pub surfaces: BTreeMap<String, u64>,
    /// How many of its records were deleted by the person.
    pub deleted: u64,
    /// The holds that cover copies of its records now.
    pub holds: Vec<AccountHold>,
    /// How it stands under each policy and regime that concerns it.
    pub terms: Vec<TermsView>,
    /// How many statements its chain has.
    pub statements: u64,
    /// The head of its chain, in hexadecimal: what an `on` must follow.
    pub head: String,
}

/// What a hold covers of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AccountHold {
    /// The hold.
    pub hold: String,
    /// Since when it covers the first of the copies.
    pub since: Instant,
    /// Whether the person may be told.
    pub may_tell: bool,
    /// Live copies that it covers.
    pub copies: u64,
    /// Those of them that nothing else keeps: they are used for nothing.
    pub alone: u64,
}

/// How an account stands under one policy, in one regime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TermsView {
    /// The policy.
    pub policy: String,
    /// The regime.
    pub regime: Regime,
    /// The version that binds the account.
    pub bound: String,
    /// The title of that version.
    pub title: String,
    /// Whether the account must decide before it goes on.
    pub must_decide: bool,
    /// Its choices.
    pub choices: Vec<ChoiceView>,
    /// What is asked and not answered.
    pub asked: Option<AskedView>,
}

/// A choice toward the version that binds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChoiceView {
    /// The purpose.
    pub purpose: String,
    /// Its title.
    pub title: String,
    /// The choice, in the word of a standing.
    pub choice: &'static str,
    /// Since when it has been given.
    pub since: Option<Instant>,
}

/// A question that is not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AskedView {
    /// The version that asks.
    pub version: String,
    /// The purposes.
    pub purposes: Vec<String>,
    /// By when.
    pub by: Option<Instant>,
    /// Whether the account can't go on after that without an answer.
    pub blocks: bool,
}

impl Tenure {
    /// For each purpose, how many of an account's records may be used for it; and how many there are.
    pub fn usable(&self, account: &str, at: Instant) -> Result<(u64, BTreeMap<String, u64>), Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let row = tx.account_by_id(None, account)?.ok_or(Error::UnknownAccount)?;
            let person = self.person(tx, row)?;
            let holds = Holds::load(tx)?;
            let parsed = holds.as_facts();
            let mut reader = Reader::new(&policies, &person);
            let (mut count, mut usable, mut after) = (0, BTreeMap::<String, u64>::new(), None);
            loop {
                let slice = tx.records_of(person.row.key, after, 500)?;
                let Some(last) = slice.last() else { return Ok((count, usable)) };
                after = Some(last.id);
                for record in slice {
                    count += 1;
                    let loaded = reader.load(tx, record, With::Messages)?;
                    let messages = loaded.messages();
                    let verdict = loaded.lineage.judge(&loaded.facts(&person, &messages, &parsed, at));
                    let purposes = loaded.lineage.tree(verdict.judged).purposes.iter().zip(&verdict.allowed);
                    for (purpose, allowed) in purposes {
                        *usable.entry(purpose.name.clone()).or_default() += u64::from(*allowed);
                    }
                }
            }
        })
    }

    /// What an account looks like at an instant.
    pub fn summary(&self, account: &str, at: Instant) -> Result<AccountSummary, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let row = tx.account_by_id(None, account)?.ok_or(Error::UnknownAccount)?;
            let person = self.person(tx, row)?;
            let (mut surfaces, mut deleted, mut after) = (BTreeMap::<String, u64>::new(), 0, None);
            loop {
                let slice = tx.records_of(person.row.key, after, 1_000)?;
                let Some(last) = slice.last() else { break };
                after = Some(last.id);
                for record in slice {
                    *surfaces.entry(record.surface).or_default() += 1;
                    deleted += u64::from(record.facts.deleted_at.is_some());
                }
            }
            let mut terms: Vec<TermsView> = Vec::new();
            for lineage in policies.lineages() {
                let mine = surfaces.keys().map(String::as_str).filter(|name| lineage.surface(name).is_some());
                let mine: Vec<&str> = mine.collect();
                // Before the first publication, what was published first says what will bind.
                let living = lineage.living(at).last().or_else(|| lineage.versions().last());
                let newest = living.map(|(_, version)| version);
                let offered = newest.into_iter().flat_map(|version| &version.surfaces);
                let first = offered.map(|surface| surface.name.as_str()).take(1);
                // Somebody without records is shown what binds on the surface that is named first.
                let shown = if mine.is_empty() && surfaces.is_empty() { first.collect() } else { mine };
                for surface in shown {
                    terms.extend(terms_of(lineage, &person, surface, at));
                }
            }
            terms.dedup_by(|a, b| (&a.policy, a.regime, &a.bound) == (&b.policy, b.regime, &b.bound));
            let holds = holds_on(tx, &policies, &person, at)?;
            let facts = person.row.facts;
            Ok(AccountSummary {
                account: person.row.id,
                country: facts.country,
                minor: facts.minor,
                opened_at: facts.opened_at,
                closed_at: facts.closed_at,
                surfaces,
                deleted,
                holds,
                terms,
                statements: person.row.chain.version,
                head: crate::ledger::hex(&person.row.chain.head),
            })
        })
    }
}

/// What holds cover of an account's live copies. While no hold is in force, nothing is judged.
fn holds_on(
    tx: &mut dyn ReadTx,
    policies: &Policies,
    person: &Person,
    at: Instant,
) -> Result<Vec<AccountHold>, Error> {
    let (versions, classes) = (Versions::load(tx)?, tx.classes()?);
    let mut found: BTreeMap<String, AccountHold> = BTreeMap::new();
    if !versions.iter().any(|hold| hold.is_in_force(at)) {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(policies, person);
    let mut after = None;
    loop {
        let slice = tx.records_of(person.row.key, after, 500)?;
        let Some(last) = slice.last() else { return Ok(found.into_values().collect()) };
        after = Some(last.id);
        for record in slice {
            let copies = tx.copies_of_record(person.row.key, record.id)?;
            let loaded = reader.load(tx, record, With::Nothing)?;
            let facts = loaded.facts(person, &[], &[], at);
            let verdict = loaded.lineage.judge(&facts);
            for copy in copies.iter().filter(|copy| copy.state.stage() == CopyStage::Live) {
                let class = class_name(&classes, copy.key.class);
                let alone = loaded.lineage.class(&facts, &verdict, class).until.is_none();
                let covering = versions.iter().filter_map(|hold| hold.covers_now(person, &loaded, class, at));
                covering.for_each(|covering| count_hold(&mut found, covering, alone));
            }
        }
    }
}

fn count_hold(found: &mut BTreeMap<String, AccountHold>, covering: Covering, alone: bool) {
    let Covering { hold, since, may_tell, .. } = covering;
    let known = found.entry(hold.clone());
    let on = known.or_insert(AccountHold { hold, since, may_tell, copies: 0, alone: 0 });
    on.since = on.since.min(since);
    on.copies += 1;
    on.alone += u64::from(alone);
}

pub(crate) fn terms_of(lineage: &Lineage, person: &Person, surface: &str, at: Instant) -> Option<TermsView> {
    let id = lineage.surface(surface)?;
    let view = lineage.account_view(&person.history(lineage), person.row.facts.opened_at, id, at);
    let tree = lineage.tree(view.bound);
    let choices = view.choices.iter().filter_map(|(place, standing, since)| {
        let purpose = tree.purposes.get(*place)?;
        Some(ChoiceView {
            purpose: purpose.name.clone(),
            title: purpose.title.clone(),
            choice: standing.word(),
            since: *since,
        })
    });
    Some(TermsView {
        policy: lineage.name().to_owned(),
        regime: lineage.regime(id),
        bound: tree.name.clone(),
        title: tree.title.clone(),
        must_decide: view.must_decide,
        choices: choices.collect(),
        asked: view.asked.map(|asked| AskedView {
            version: lineage.tree(asked.version).name.clone(),
            purposes: asked.purposes,
            by: asked.by,
            blocks: asked.then == Undecided::Block,
        }),
    })
}
