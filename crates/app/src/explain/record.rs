//! What is told about a record: its verdict, the reasons, and what it may be used for.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use tenure_model::{Instant, Kind, Mode, Regime};
use tenure_policy::case::Hold;
use tenure_policy::explain::{Obstacle, WhatIf, verdict_value, what_if};
use tenure_policy::language::Version;
use tenure_policy::{Facts, Lineage, Verdict};
use tenure_store::{CopyRow, CopyState, ReadTx, RecordId, RecordRow, RunId, StoreExt as _};

use super::copy::{CopyView, copy};
use super::told::{tell, tellable};
use crate::filing::class_name;
use crate::holds::{Covering, Versions};
use crate::person::Person;
use crate::record::{Loaded, Reader, With};
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
    pub verdict: Value,
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

/// How much of what is known of a record may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// What its person may be told: an order that must be kept from them does not show, nor what only that keeps.
    Told,
    /// Everything.
    Whole,
}

impl Tenure {
    /// Explains a record at an instant, as far as is known now.
    ///
    /// # Errors
    /// Refused for an instant before the record's last activity, since what it was then is not kept.
    pub fn explain(&self, record: RecordId, at: Instant) -> Result<Explanation, Error> {
        self.explain_to(record, Sight::Whole, at)
    }

    /// Explains a record to somebody who may see so much of it.
    ///
    /// # Errors
    /// As [`Self::explain`].
    pub fn explain_to(&self, record: RecordId, sight: Sight, at: Instant) -> Result<Explanation, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (person, row) = self.find_record(tx, record)?;
            let loaded = Reader::new(&policies, &person).load(tx, row, With::Messages)?;
            explain(tx, &person, &loaded, sight, at)
        })
    }

    /// The verdict on a record for somebody who may see so much of it, as `tenure verdict` writes it.
    ///
    /// # Errors
    /// As [`Self::explain`].
    pub fn verdict_to(&self, record: RecordId, sight: Sight, at: Instant) -> Result<Value, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (person, row) = self.find_record(tx, record)?;
            let loaded = Reader::new(&policies, &person).load(tx, row, With::Messages)?;
            let orders = orders(tx, sight)?;
            let (messages, holds) = (loaded.messages(), as_facts(&orders));
            let facts = loaded.facts(&person, &messages, &holds, at);
            refuse_before_activity(&facts)?;
            let verdict = loaded.lineage.judge(&facts);
            Ok(verdict_value(&loaded.lineage, &loaded.row.id.to_string(), &facts, &verdict))
        })
    }
}

/// The holds that somebody may see, released ones too.
fn orders(tx: &mut dyn ReadTx, sight: Sight) -> Result<Vec<Versions>, Error> {
    match sight {
        Sight::Whole => Versions::load(tx),
        Sight::Told => tellable(tx),
    }
}

fn as_facts(orders: &[Versions]) -> Vec<Hold<'_>> {
    orders.iter().flat_map(Versions::as_facts).collect()
}

fn refuse_before_activity(facts: &Facts<'_>) -> Result<(), Error> {
    let active = facts.conversation_last_activity_at.max(facts.created_at);
    if active <= facts.at {
        return Ok(());
    }
    Err(Error::Refused(format!(
        "the conversation was last active at {active}: ask about that instant or a later one"
    )))
}

fn explain(
    tx: &mut dyn ReadTx,
    person: &Person,
    loaded: &Loaded,
    sight: Sight,
    at: Instant,
) -> Result<Explanation, Error> {
    let (versions, classes) = (orders(tx, sight)?, tx.classes()?);
    let parsed = as_facts(&versions);
    let messages = loaded.messages();
    let facts = loaded.facts(person, &messages, &parsed, at);
    refuse_before_activity(&facts)?;
    let verdict = loaded.lineage.judge(&facts);
    let lineage = &loaded.lineage;
    let tree = lineage.tree(verdict.judged);
    let mut rows = tx.copies_of_record(loaded.row.account, loaded.row.id)?;
    if sight == Sight::Told {
        // What is destroyed, about to be, or kept in secret looks the same.
        let told = tell(person, loaded, &versions, &classes, &rows, at).kept;
        rows.retain(|row| told.iter().any(|copy| copy.class == class_name(&classes, row.key.class)));
    }
    let place = |row: &CopyRow| {
        let class = class_name(&classes, row.key.class);
        tree.classes().position(|known| known == class).unwrap_or(usize::MAX)
    };
    rows.sort_by_key(place);
    let live = rows.iter().filter(|row| matches!(row.state, CopyState::Live { .. }));
    let live: Vec<&str> = live.map(|row| class_name(&classes, row.key.class)).collect();
    let covering = |row: &CopyRow| -> Vec<Covering> {
        let class = class_name(&classes, row.key.class);
        versions.iter().filter_map(|hold| hold.covers_now(person, loaded, class, at)).collect()
    };
    let copies =
        rows.iter().map(|row| copy(lineage, &facts, &verdict, &classes, (row, covering(row)))).collect();
    let id = loaded.row.id.to_string();
    Ok(Explanation {
        at,
        policy: format!("{}@{}", tree.policy, tree.name),
        bound: lineage.tree(verdict.bound).name.clone(),
        must_decide: verdict.must_decide,
        standings: standings(tree, &verdict, facts_regime(lineage, &facts)),
        copies,
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

pub(crate) fn runs(tx: &mut dyn ReadTx, row: &RecordRow) -> Result<Vec<RunOf>, Error> {
    let ids: BTreeSet<RunId> = tx.runs_of_record(row.account, row.id)?.into_iter().map(|of| of.run).collect();
    let mut found = Vec::new();
    for id in ids {
        if let Some(run) = tx.run(id)? {
            found.push(RunOf { run: id.to_string(), purpose: run.purpose, opened_at: run.opened_at });
        }
    }
    Ok(found)
}
