//! Explaining: one record's verdict with its reasons, and what an account looks like.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Instant, Kind, Mode, Regime};
pub use tenure_policy::explain::{Change, Effect, Ending, Obstacle, WhatIf};
use tenure_policy::explain::{verdict_value, what_if};
use tenure_policy::language::{Undecided, Version};
use tenure_policy::{Facts, Lineage, Verdict};
use tenure_store::{
    AccountRow, ClassId, ConversationId, CopyRow, CopyState, ReadTx, RecordId, RecordRow, RunId,
    StoreExt as _,
};

use crate::filing::class_name;
use crate::ledger::HOUSE;
use crate::person::Person;
use crate::record::{Holds, Loaded, Reader, With};
use crate::{Error, Tenure};

/// A record, its verdict at an instant, and the reasons.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The instant of the verdict.
    pub at: Instant,
    /// The record.
    pub record: RecordView,
    /// The version that judges, as `policy@version`.
    pub policy: String,
    /// The version that binds the account.
    pub bound: String,
    /// Whether the account must decide before it goes on.
    pub must_decide: bool,
    /// Where the record stands toward each purpose that is a matter of choice in its regime.
    pub standings: Vec<StandingView>,
    /// The copies that there are or were.
    pub copies: Vec<CopyView>,
    /// Every purpose of the judging version.
    pub uses: Vec<UseView>,
    /// What would change the verdict.
    pub what_if: Vec<WhatIf>,
    /// The runs that the record is in.
    pub runs: Vec<RunOf>,
    /// The verdict as `tenure verdict` gives it.
    pub verdict: serde_json::Value,
}

/// What is known of a record.
#[derive(Debug, Clone, Serialize)]
pub struct RecordView {
    /// Its id.
    pub id: String,
    /// The conversation that it is a part of.
    pub conversation: String,
    /// Whose it is.
    pub account: String,
    /// The surface.
    pub surface: String,
    /// The surface's regime.
    pub regime: Regime,
    /// Chat or code.
    pub kind: Kind,
    /// How it was sent.
    pub mode: Mode,
    /// From which country.
    pub country: Option<String>,
    /// Whether a classifier has looked at it; nothing where nobody told.
    pub scanned: Option<bool>,
    /// When it was created.
    pub created_at: Instant,
    /// Its own last activity.
    pub last_activity_at: Instant,
    /// When its person deleted it.
    pub deleted_at: Option<Instant>,
    /// When it was flagged.
    pub flagged_at: Option<Instant>,
    /// When feedback was given on it.
    pub feedback_at: Option<Instant>,
    /// How many messages it has.
    pub messages: usize,
}

/// Where a record stands toward a purpose.
#[derive(Debug, Clone, Serialize)]
pub struct StandingView {
    /// The purpose.
    pub purpose: String,
    /// Its title, for people.
    pub title: String,
    /// The standing, in the word of the policy language.
    pub standing: &'static str,
}

/// A copy, and what its verdict says.
#[derive(Debug, Clone, Serialize)]
pub struct CopyView {
    /// The class.
    pub class: String,
    /// When it was made.
    pub made_at: Instant,
    /// How far its destruction has come.
    #[serde(flatten)]
    pub stage: StageView,
    /// How long it is kept.
    pub kept: Ending,
    /// Why: the live bases, the one that lasts longest first.
    pub bases: Vec<BasisView>,
    /// The holds that cover it now.
    pub holds: Vec<HoldOn>,
}

/// How far the destruction of a copy has come, with its dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StageView {
    /// The stage's word.
    pub stage: &'static str,
    /// When its end was written into the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_at: Option<Instant>,
    /// When its key was destroyed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shredded_at: Option<Instant>,
    /// When its bytes were removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Instant>,
    /// When it was looked for and not found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Instant>,
}

/// A keep rule that holds now.
#[derive(Debug, Clone, Serialize)]
pub struct BasisView {
    /// The rule's place in the version's file.
    pub rule: usize,
    /// The rule's reason.
    pub why: String,
    /// From what its term counts.
    pub from: String,
    /// The instant from which it counts.
    pub since: Instant,
    /// How long it lasts.
    pub until: Ending,
}

/// A hold that covers a copy.
#[derive(Debug, Clone, Serialize)]
pub struct HoldOn {
    /// Its id.
    pub id: String,
    /// When it was placed.
    pub placed_at: Instant,
}

/// What a record may be used for.
#[derive(Debug, Clone, Serialize)]
pub struct UseView {
    /// The purpose.
    pub purpose: String,
    /// Its title, for people.
    pub title: String,
    /// Whether it is allowed.
    pub allowed: bool,
    /// How many messages may be used.
    pub messages: usize,
    /// Why not, or why not all.
    pub obstacles: Vec<Obstacle>,
}

/// A run that a record is in.
#[derive(Debug, Clone, Serialize)]
pub struct RunOf {
    /// The run.
    pub run: String,
    /// The purpose.
    pub purpose: String,
    /// When it was opened.
    pub opened_at: Instant,
}

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
    /// How it stands under each policy and regime that concerns it.
    pub terms: Vec<TermsView>,
    /// How many statements its chain has.
    pub statements: u64,
}

/// How an account stands under one policy, in one regime.
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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
#[derive(Debug, Clone, Serialize)]
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
    /// Explains a record at an instant, as far as is known now.
    ///
    /// # Errors
    /// Refused for an instant before the record's last activity, since what it was then is not kept.
    pub fn explain(&self, record: RecordId, at: Instant) -> Result<Explanation, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (person, row) = self.find_record(tx, record)?;
            let loaded = Reader::new(&policies, &person).load(tx, row, With::Messages)?;
            explain(tx, &person, &loaded, at)
        })
    }

    /// The accounts, in the order in which they were opened, up to a number of them.
    pub fn accounts(&self, limit: usize) -> Result<Vec<AccountRow>, Error> {
        // The house's own account comes first and is nobody's.
        let rows = self.store.read(|tx| Ok::<_, Error>(tx.accounts(None, limit.saturating_add(1))?))?;
        Ok(rows.into_iter().filter(|row| row.id != HOUSE).take(limit).collect())
    }

    /// The records of an account, by id, up to a number of them.
    pub fn records(&self, account: &str, limit: usize) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let row = tx.account_by_id(None, account)?.ok_or(Error::UnknownAccount)?;
            Ok(tx.records_of(row.key, None, limit)?)
        })
    }

    /// The records of the conversation that a record is a part of, in their order.
    pub fn records_beside(&self, record: RecordId) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let row = tx.record(record)?.ok_or(Error::UnknownRecord)?;
            Ok(tx.records_of_conversation(row.account, row.conversation)?)
        })
    }

    /// The records of a conversation, whichever account's it is. It asks account by account.
    pub fn records_in(&self, conversation: ConversationId) -> Result<Vec<RecordRow>, Error> {
        self.store.read(|tx| {
            let mut after = None;
            loop {
                let slice = tx.accounts(after, 1_000)?;
                let Some(last) = slice.last() else { return Err(Error::UnknownConversation) };
                after = Some(last.key);
                for account in &slice {
                    let records = tx.records_of_conversation(account.key, conversation)?;
                    if !records.is_empty() {
                        return Ok(records);
                    }
                }
            }
        })
    }

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
                let newest = lineage.versions().last().map(|(_, version)| version);
                let offered = newest.into_iter().flat_map(|version| &version.surfaces);
                let first = offered.map(|surface| surface.name.as_str()).take(1);
                // Somebody without records is shown what binds on the surface that is named first.
                let shown = if mine.is_empty() && surfaces.is_empty() { first.collect() } else { mine };
                for surface in shown {
                    terms.extend(terms_of(lineage, &person, surface, at));
                }
            }
            terms.dedup_by(|a, b| (&a.policy, a.regime, &a.bound) == (&b.policy, b.regime, &b.bound));
            let facts = person.row.facts;
            Ok(AccountSummary {
                account: person.row.id,
                country: facts.country,
                minor: facts.minor,
                opened_at: facts.opened_at,
                closed_at: facts.closed_at,
                surfaces,
                deleted,
                terms,
                statements: person.row.chain.version,
            })
        })
    }
}

fn terms_of(lineage: &Lineage, person: &Person, surface: &str, at: Instant) -> Option<TermsView> {
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

fn explain(tx: &mut dyn ReadTx, person: &Person, loaded: &Loaded, at: Instant) -> Result<Explanation, Error> {
    let (holds, classes) = (Holds::load(tx)?, tx.classes()?);
    let parsed = holds.as_facts();
    let messages = loaded.messages();
    let facts = loaded.facts(person, &messages, &parsed, at);
    if facts.conversation_last_activity_at > at || facts.created_at > at {
        return Err(Error::Refused(format!(
            "the conversation was last active at {}: ask about that instant or a later one",
            facts.conversation_last_activity_at.max(facts.created_at)
        )));
    }
    let verdict = loaded.lineage.judge(&facts);
    let lineage = &loaded.lineage;
    let tree = lineage.tree(verdict.judged);
    let mut rows = tx.copies_of_record(loaded.row.account, loaded.row.id)?;
    let place = |row: &CopyRow| {
        let class = class_name(&classes, row.key.class);
        tree.classes().position(|known| known == class).unwrap_or(usize::MAX)
    };
    rows.sort_by_key(place);
    let live = rows.iter().filter(|row| matches!(row.state, CopyState::Live { .. }));
    let live: Vec<&str> = live.map(|row| class_name(&classes, row.key.class)).collect();
    let id = loaded.row.id.to_string();
    Ok(Explanation {
        at,
        policy: format!("{}@{}", tree.policy, tree.name),
        bound: lineage.tree(verdict.bound).name.clone(),
        must_decide: verdict.must_decide,
        standings: standings(tree, &verdict, facts_regime(lineage, &facts)),
        copies: rows.iter().map(|row| copy(lineage, &facts, &verdict, &classes, row)).collect(),
        uses: uses(lineage, &facts, &verdict),
        what_if: what_if(lineage, &facts, &verdict, &live),
        runs: runs(tx, &loaded.row)?,
        verdict: verdict_value(lineage, &id, &facts, &verdict),
        record: record_view(person, loaded, facts_regime(lineage, &facts)),
    })
}

fn facts_regime(lineage: &Lineage, facts: &Facts<'_>) -> Regime {
    lineage.regime(facts.surface)
}

fn record_view(person: &Person, loaded: &Loaded, regime: Regime) -> RecordView {
    let row = &loaded.row;
    RecordView {
        id: row.id.to_string(),
        conversation: row.conversation.to_string(),
        account: person.row.id.clone(),
        surface: row.surface.clone(),
        regime,
        kind: row.kind,
        mode: row.mode,
        country: row.country.clone(),
        scanned: row.facts.scanned,
        created_at: row.created_at,
        last_activity_at: row.facts.last_activity_at,
        deleted_at: row.facts.deleted_at,
        flagged_at: row.facts.flagged_at,
        feedback_at: row.facts.feedback_at,
        messages: loaded.message_rows().len(),
    }
}

fn standings(tree: &Version, verdict: &Verdict, regime: Regime) -> Vec<StandingView> {
    let pairs = tree.purposes.iter().zip(&verdict.standings);
    let asked = pairs.filter(|(purpose, _)| purpose.lists(regime));
    let view = asked.filter_map(|(purpose, standing)| {
        let standing = (*standing)?.word();
        Some(StandingView { purpose: purpose.name.clone(), title: purpose.title.clone(), standing })
    });
    view.collect()
}

fn copy(
    lineage: &Lineage,
    facts: &Facts<'_>,
    verdict: &Verdict,
    classes: &[(ClassId, String)],
    row: &CopyRow,
) -> CopyView {
    let class = class_name(classes, row.key.class).to_owned();
    let place = lineage.tree(verdict.judged).classes().position(|known| known == class);
    let judged = place.and_then(|place| verdict.classes.get(place));
    let bases = place.map_or_else(Vec::new, |place| lineage.bases(facts, verdict, place));
    let holds = verdict.holds.iter().filter(|(of, _)| Some(*of) == place);
    let holds = holds.filter_map(|(_, hold)| facts.holds.get(*hold));
    CopyView {
        class,
        made_at: row.created_at,
        stage: stage(&row.state),
        // A class that the judging version does not know has nothing to be kept on.
        kept: judged.map_or(Ending::Due(facts.at), Ending::from),
        bases: bases
            .into_iter()
            .map(|basis| BasisView {
                rule: basis.rule,
                why: basis.why.to_owned(),
                from: basis.from.to_string(),
                since: basis.since,
                until: match basis.until {
                    tenure_model::Anchored::Indefinite => Ending::Indefinite,
                    tenure_model::Anchored::Until(until) => Ending::Until(until),
                },
            })
            .collect(),
        holds: holds.map(|hold| HoldOn { id: hold.id.to_string(), placed_at: hold.placed_at }).collect(),
    }
}

fn stage(state: &CopyState) -> StageView {
    let (sealed_at, shredded_at, removed_at, verified_at) = match *state {
        CopyState::Live { .. } => (None, None, None, None),
        CopyState::Sealed { sealed_at, .. } | CopyState::Shredding { sealed_at, .. } => {
            (Some(sealed_at), None, None, None)
        }
        CopyState::Shredded { sealed_at, shredded_at, .. } => {
            (Some(sealed_at), Some(shredded_at), None, None)
        }
        CopyState::Removed { sealed_at, shredded_at, removed_at, .. } => {
            (Some(sealed_at), Some(shredded_at), Some(removed_at), None)
        }
        CopyState::Verified { sealed_at, shredded_at, removed_at, verified_at, .. } => {
            (Some(sealed_at), Some(shredded_at), Some(removed_at), Some(verified_at))
        }
    };
    StageView { stage: state.stage().word(), sealed_at, shredded_at, removed_at, verified_at }
}

fn uses(lineage: &Lineage, facts: &Facts<'_>, verdict: &Verdict) -> Vec<UseView> {
    let purposes = lineage.tree(verdict.judged).purposes.iter().zip(&verdict.allowed).enumerate();
    let judging = purposes.map(|(place, (purpose, allowed))| UseView {
        purpose: purpose.name.clone(),
        title: purpose.title.clone(),
        allowed: *allowed,
        messages: verdict.messages.iter().filter(|(of, _)| *of == place).count(),
        obstacles: lineage.obstacles(facts, verdict, place),
    });
    let version = lineage.tree(verdict.judged).name.clone();
    let later = lineage.unknown_purposes(facts, verdict).into_iter().map(|purpose| UseView {
        purpose: purpose.name.clone(),
        title: purpose.title.clone(),
        allowed: false,
        messages: 0,
        obstacles: vec![Obstacle::OtherTerms { version: version.clone() }],
    });
    judging.chain(later).collect()
}

fn runs(tx: &mut dyn ReadTx, row: &RecordRow) -> Result<Vec<RunOf>, Error> {
    let ids: std::collections::BTreeSet<RunId> =
        tx.runs_of_record(row.account, row.id)?.into_iter().map(|of| of.run).collect();
    let mut found = Vec::new();
    for id in ids {
        if let Some(run) = tx.run(id)? {
            found.push(RunOf { run: id.to_string(), purpose: run.purpose, opened_at: run.opened_at });
        }
    }
    Ok(found)
}
