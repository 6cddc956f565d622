//! What a person may be told of their own: what their terms keep, and what is kept under an order of which they may
//! be told. Of any other order nothing shows.
//!
//! Whatever is not kept by the terms or by such an order is left out, whether it is destroyed, about to be, or
//! kept under an order of which nobody may be told: these must look the same.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::Instant;
use tenure_policy::case::Hold;
use tenure_policy::explain::Ending;
use tenure_store::{ClassId, CopyRow, CopyStage, ReadTx, RecordId, StoreExt as _};

use crate::filing::class_name;
use crate::holds::Versions;
use crate::person::Person;
use crate::record::{Loaded, Reader, With};
use crate::{Error, Tenure};

/// How many records under an order are listed.
const LISTED: usize = 1_000;

/// What an account's person may be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// The account.
    pub account: String,
    /// The instant as of which it is told.
    pub at: Instant,
    /// Copies that are kept, by class.
    pub kept: BTreeMap<String, u64>,
    /// Copies that are kept under an order, by class; these are among the others.
    pub under_order: BTreeMap<String, u64>,
    /// Since when the first of them is.
    pub since: Option<Instant>,
    /// How many records have a copy that is kept under an order.
    pub records_under_order: u64,
    /// Those records, as many as are listed.
    pub records: Vec<ToldRecord>,
}

/// What is told of one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldRecord {
    /// The record.
    pub record: String,
    /// The conversation that it is a part of.
    pub conversation: String,
    /// The surface.
    pub surface: String,
    /// When it was created.
    pub created_at: Instant,
    /// When its person deleted it.
    pub deleted_at: Option<Instant>,
    /// The copies that are kept.
    pub kept: Vec<ToldCopy>,
}

/// What is told of a copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldCopy {
    /// The class.
    pub class: String,
    /// How long it is kept.
    pub kept: Ending,
    /// The reasons that the terms give; none where only an order keeps it.
    pub why: Vec<String>,
    /// The orders under which it is kept.
    pub orders: Vec<ToldOrder>,
    /// Whether it is used for anything: what only an order keeps is not.
    pub may_be_used: bool,
}

/// An order to preserve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ToldOrder {
    /// Since when it keeps the copy.
    pub since: Instant,
}

impl Tenure {
    /// What an account's person may be told of what is kept.
    pub fn told(&self, account: &str, now: Instant) -> Result<Told, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let row = tx.account_by_id(None, account)?.ok_or(Error::UnknownAccount)?;
            let person = self.person(tx, row)?;
            let (orders, classes) = (tellable(tx)?, tx.classes()?);
            let mut told = Told {
                account: person.row.id.clone(),
                at: now,
                kept: BTreeMap::new(),
                under_order: BTreeMap::new(),
                since: None,
                records_under_order: 0,
                records: Vec::new(),
            };
            let (mut reader, mut after) = (Reader::new(&policies, &person), None);
            loop {
                let slice = tx.records_of(person.row.key, after, 500)?;
                let Some(last) = slice.last() else { return Ok(told) };
                after = Some(last.id);
                for record in slice {
                    let loaded = reader.load(tx, record, With::Nothing)?;
                    let copies = tx.copies_of_record(person.row.key, loaded.row.id)?;
                    told.add(tell(&person, &loaded, &orders, &classes, &copies, now));
                }
            }
        })
    }

    /// What a record's person may be told of what is kept of it.
    pub fn told_record(&self, record: RecordId, now: Instant) -> Result<ToldRecord, Error> {
        let policies = self.policies()?;
        self.store.read(|tx| {
            let (person, row) = self.find_record(tx, record)?;
            let loaded = Reader::new(&policies, &person).load(tx, row, With::Nothing)?;
            let copies = tx.copies_of_record(person.row.key, record)?;
            let (orders, classes) = (tellable(tx)?, tx.classes()?);
            Ok(tell(&person, &loaded, &orders, &classes, &copies, now))
        })
    }
}

impl Told {
    fn add(&mut self, record: ToldRecord) {
        let mut under_order = false;
        for copy in &record.kept {
            *self.kept.entry(copy.class.clone()).or_default() += 1;
            let Some(since) = copy.orders.iter().map(|order| order.since).min() else { continue };
            *self.under_order.entry(copy.class.clone()).or_default() += 1;
            self.since = Some(self.since.map_or(since, |first| first.min(since)));
            under_order = true;
        }
        if under_order {
            self.records_under_order += 1;
            if self.records.len() < LISTED {
                self.records.push(record);
            }
        }
    }
}

/// The holds of which people may be told, released ones too.
pub(crate) fn tellable(tx: &mut dyn ReadTx) -> Result<Vec<Versions>, Error> {
    let mut holds = Versions::load(tx)?;
    holds.retain(Versions::may_tell);
    Ok(holds)
}

pub(crate) fn tell(
    person: &Person,
    loaded: &Loaded,
    orders: &[Versions],
    classes: &[(ClassId, String)],
    copies: &[CopyRow],
    now: Instant,
) -> ToldRecord {
    // Judged as if there were no other holds.
    let holds: Vec<Hold<'_>> = orders.iter().flat_map(Versions::as_facts).collect();
    let (facts, lineage) = (loaded.facts(person, &[], &holds, now), &loaded.lineage);
    let verdict = lineage.judge(&facts);
    let live = copies.iter().filter(|copy| copy.state.stage() == CopyStage::Live);
    let told = live.filter_map(|copy| {
        let class = class_name(classes, copy.key.class);
        let judged = lineage.class(&facts, &verdict, class);
        if judged.destroy.is_some_and(|destroy| destroy <= now) {
            return None;
        }
        let place = lineage.tree(verdict.judged).classes().position(|known| known == class);
        let bases = place.map_or_else(Vec::new, |place| lineage.bases(&facts, &verdict, place));
        let covering = orders.iter().filter_map(|order| order.covers_now(person, loaded, class, now));
        Some(ToldCopy {
            class: class.to_owned(),
            kept: Ending::from(&judged),
            why: bases.into_iter().map(|basis| basis.why.to_owned()).collect(),
            orders: covering.map(|covering| ToldOrder { since: covering.since }).collect(),
            may_be_used: judged.until.is_some(),
        })
    });
    let row = &loaded.row;
    ToldRecord {
        record: row.id.to_string(),
        conversation: row.conversation.to_string(),
        surface: row.surface.clone(),
        created_at: row.created_at,
        deleted_at: row.facts.deleted_at.filter(|deleted| *deleted <= now),
        kept: told.collect(),
    }
}
