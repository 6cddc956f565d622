//! What a hold would cover, and what would otherwise become of that: asked before it is placed or amended.
//!
//! Every record is judged, and nothing is changed.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Instant, MonthLength, Span};
use tenure_policy::case::Hold;
use tenure_store::{AccountKey, ClassId, CopyStage, HoldRow, ReadTx, RecordId, StoreExt as _};

use super::scope::{HoldScope, know_accounts};
use super::{in_force, unknown};
use crate::filing::class_name;
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Holds, Loaded, Reader, With};
use crate::{Error, Tenure};

/// How many rows are read at once.
const SLICE: usize = 1_000;

/// What placing or amending a hold would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldPreview {
    /// The instant as of which it was judged.
    pub at: Instant,
    /// What the hold would cover, and when that would fall due without the hold.
    pub covered: Extent,
    /// What an amendment would leave out of what the hold covers now, and when that would fall due then.
    pub left_out: Option<Extent>,
}

/// How much something covers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Extent {
    /// Accounts with a copy in it.
    pub accounts: u64,
    /// Records with a copy in it.
    pub records: u64,
    /// Bytes that the bodies of those records take, encrypted; copies of one record share a body.
    pub bytes: u64,
    /// Its copies, by class.
    pub classes: BTreeMap<String, Falls>,
}

/// When copies would fall due, as it is judged now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Falls {
    /// Copies.
    pub copies: u64,
    /// Those due within 30 days, or already.
    pub within_30_days: u64,
    /// Those due after that, within a year.
    pub within_a_year: u64,
    /// Those due after that.
    pub later: u64,
    /// Those that another hold or a term without an end keeps.
    pub never: u64,
}

impl Tenure {
    /// What a hold would cover if it was placed now. What could not be placed is refused.
    pub fn preview_hold(&self, id: &str, scope: &HoldScope, now: Instant) -> Result<HoldPreview, Error> {
        let policies = self.policies()?;
        policies.understand(scope)?;
        self.store.read(|tx| {
            unknown(tx, id)?;
            self.preview(tx, &policies, (id, scope, None), now)
        })
    }

    /// What a hold would cover, and what it would no longer cover, if it was amended now.
    pub fn preview_amendment(&self, id: &str, scope: &HoldScope, now: Instant) -> Result<HoldPreview, Error> {
        let policies = self.policies()?;
        policies.understand(scope)?;
        self.store.read(|tx| {
            let newest = in_force(tx, id, now)?;
            self.preview(tx, &policies, (id, scope, Some(newest)), now)
        })
    }

    fn preview(
        &self,
        tx: &mut dyn ReadTx,
        policies: &Policies,
        (id, scope, amended): (&str, &HoldScope, Option<HoldRow>),
        now: Instant,
    ) -> Result<HoldPreview, Error> {
        know_accounts(tx, scope)?;
        let (stored, classes) = (Holds::load(tx)?, tx.classes()?);
        let proposed = HoldRow {
            id: id.to_owned(),
            version: amended.as_ref().map_or(1, |newest| newest.version + 1),
            placed_at: now,
            released_at: None,
            may_tell: false,
            scope: String::new(),
        };
        let proposed = scope.hold(&proposed);
        let mut sides = Sides::new(&stored, proposed, amended.is_some(), now);
        let mut after = None;
        loop {
            let accounts = tx.accounts(after, SLICE)?;
            let Some(last) = accounts.last() else { break };
            after = Some(last.key);
            for row in accounts {
                self.measure_account(tx, policies, &classes, row.key, &mut sides)?;
            }
        }
        let left_out = sides.amends.then_some(sides.left_out.extent);
        Ok(HoldPreview { at: now, covered: sides.covered.extent, left_out })
    }

    fn measure_account(
        &self,
        tx: &mut dyn ReadTx,
        policies: &Policies,
        classes: &[(ClassId, String)],
        account: AccountKey,
        sides: &mut Sides<'_>,
    ) -> Result<(), Error> {
        let (now, mut person, mut after) = (sides.now, None, None);
        loop {
            let records = tx.records_of(account, after, SLICE)?;
            let Some(last) = records.last() else { return Ok(()) };
            after = Some(last.id);
            // Whoever has no record is not read at all.
            let person = match &mut person {
                Some(person) => person,
                none => none.insert(self.person_of(tx, account)?),
            };
            let mut reader = Reader::new(policies, person);
            for record in records.into_iter().filter(|record| record.created_at <= now) {
                let id = record.id;
                // What is sealed can still be held: it is judged once more before its key goes.
                let copies = tx.copies_of_record(account, id)?.into_iter();
                let there = copies.filter(|copy| copy.state.stage() < CopyStage::Shredding);
                let there: Vec<&str> = there.map(|copy| class_name(classes, copy.key.class)).collect();
                if there.is_empty() {
                    continue;
                }
                let loaded = reader.load(tx, record, With::Nothing)?;
                sides.measure(tx, person, &loaded, &there, (account, id))?;
            }
        }
    }
}

/// What is being measured, and against which holds.
struct Sides<'h> {
    now: Instant,
    amends: bool,
    /// The hold as it would be, alone.
    proposed: [Hold<'h>; 1],
    /// The version that it would replace, alone; empty if it would be placed.
    replaced: Vec<Hold<'h>>,
    /// Every hold as if this one ended now, or never was.
    without: Vec<Hold<'h>>,
    /// Every hold as it would be afterwards.
    with: Vec<Hold<'h>>,
    covered: Side,
    left_out: Side,
}

/// One side of a preview.
#[derive(Default)]
struct Side {
    extent: Extent,
    last: Option<AccountKey>,
}

impl<'h> Sides<'h> {
    fn new(stored: &'h Holds, proposed: Hold<'h>, amends: bool, now: Instant) -> Self {
        let mut without = stored.as_facts();
        let mut replaced = Vec::new();
        for hold in without.iter_mut().filter(|hold| hold.id == proposed.id && hold.released_at.is_none()) {
            replaced.push(hold.clone());
            hold.released_at = Some(now);
        }
        let mut with = without.clone();
        with.push(proposed.clone());
        Self {
            now,
            amends,
            proposed: [proposed],
            replaced,
            without,
            with,
            covered: Side::default(),
            left_out: Side::default(),
        }
    }

    fn measure(
        &mut self,
        tx: &mut dyn ReadTx,
        person: &Person,
        loaded: &Loaded,
        classes: &[&str],
        place: (AccountKey, RecordId),
    ) -> Result<(), Error> {
        // Alone, a hold is the only reason for which a class can be held.
        let held_by = |holds: &[Hold<'_>]| -> Vec<bool> {
            let facts = loaded.facts(person, &[], holds, self.now);
            let verdict = loaded.lineage.judge(&facts);
            classes.iter().map(|class| loaded.lineage.class(&facts, &verdict, class).held).collect()
        };
        let new = held_by(&self.proposed);
        let old = if self.replaced.is_empty() { vec![false; new.len()] } else { held_by(&self.replaced) };
        let mut covered = Vec::new();
        let mut left_out = Vec::new();
        for ((class, new), old) in classes.iter().zip(new).zip(old) {
            if new {
                covered.push(*class);
            } else if old {
                left_out.push(*class);
            }
        }
        let facts = |holds| loaded.facts(person, &[], holds, self.now);
        self.covered.add(tx, loaded, &facts(&self.without), &covered, place)?;
        self.left_out.add(tx, loaded, &facts(&self.with), &left_out, place)
    }
}

impl Side {
    /// Adds copies of a record, which fall due as the facts say.
    fn add(
        &mut self,
        tx: &mut dyn ReadTx,
        loaded: &Loaded,
        facts: &tenure_policy::Facts<'_>,
        classes: &[&str],
        (account, record): (AccountKey, RecordId),
    ) -> Result<(), Error> {
        if classes.is_empty() {
            return Ok(());
        }
        let verdict = loaded.lineage.judge(facts);
        for class in classes {
            let due = loaded.lineage.class(facts, &verdict, class).destroy;
            self.extent.classes.entry((*class).to_owned()).or_default().count(due, facts.at);
        }
        self.extent.accounts += u64::from(self.last.replace(account) != Some(account));
        self.extent.records += 1;
        let segments = tx.segments(account, record)?;
        self.extent.bytes += segments.iter().map(|segment| segment.length).sum::<u64>();
        Ok(())
    }
}

impl Falls {
    fn count(&mut self, due: Option<Instant>, now: Instant) {
        let within = |days| now.plus(Span::days(days), MonthLength::Calendar);
        self.copies += 1;
        *match due {
            None => &mut self.never,
            Some(due) if due <= within(30) => &mut self.within_30_days,
            Some(due) if due <= within(365) => &mut self.within_a_year,
            Some(_) => &mut self.later,
        } += 1;
    }
}
