//! What a hold would cover, and what would otherwise become of that: asked before it is placed or amended.
//!
//! Every record is judged that the scope can concern, and nothing is changed.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::{Instant, MonthLength, Span};
use tenure_policy::case::Hold;
use tenure_store::{AccountKey, CopyRow, HoldRow, ReadTx, RecordId, StoreExt as _};

use super::lost::{Losses, Lost, is_lost};
use super::scope::{HoldScope, know_accounts};
use super::walk::Accounts;
use super::{in_force, unknown};
use crate::filing::class_name;
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Holds, Loaded};
use crate::{Error, Tenure};

/// How many accounts are looked at before the progress is told.
const SLICE: usize = 200;

/// What placing or amending a hold would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldPreview {
    /// The instant as of which it was judged.
    pub at: Instant,
    /// What the hold would cover, and when that would fall due without the hold.
    pub covered: Extent,
    /// What an amendment would leave out of what the hold covers now, and when that would fall due then.
    pub left_out: Option<Extent>,
    /// What it would come too late for.
    pub lost: Lost,
}

/// How a preview is made.
pub struct Previewing<'p> {
    /// How many of the copies that are lost are named.
    pub limit: usize,
    /// Is told how many records were looked at.
    pub progress: &'p mut dyn FnMut(u64),
}

impl std::fmt::Debug for Previewing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Previewing").field("limit", &self.limit).finish_non_exhaustive()
    }
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
    pub fn preview_hold(
        &self,
        id: &str,
        scope: &HoldScope,
        now: Instant,
        mut how: Previewing<'_>,
    ) -> Result<HoldPreview, Error> {
        let policies = self.policies()?;
        policies.understand(scope)?;
        self.store.read(|tx| {
            unknown(tx, id)?;
            self.preview(tx, &policies, (id, scope, None), now, &mut how)
        })
    }

    /// What a hold would cover, and what it would no longer cover, if it was amended now.
    pub fn preview_amendment(
        &self,
        id: &str,
        scope: &HoldScope,
        now: Instant,
        mut how: Previewing<'_>,
    ) -> Result<HoldPreview, Error> {
        let policies = self.policies()?;
        policies.understand(scope)?;
        self.store.read(|tx| {
            let newest = in_force(tx, id, now)?;
            self.preview(tx, &policies, (id, scope, Some(newest)), now, &mut how)
        })
    }

    fn preview(
        &self,
        tx: &mut dyn ReadTx,
        policies: &Policies,
        (id, scope, amended): (&str, &HoldScope, Option<HoldRow>),
        now: Instant,
        how: &mut Previewing<'_>,
    ) -> Result<HoldPreview, Error> {
        know_accounts(tx, scope)?;
        let (stored, classes) = (Holds::load(tx)?, tx.classes()?);
        let replaced: Option<HoldScope> =
            amended.as_ref().map(|newest| serde_json::from_str(&newest.scope)).transpose()?;
        let mut accounts = Accounts::of(tx, std::iter::once(scope).chain(&replaced))?;
        let proposed = HoldRow {
            id: id.to_owned(),
            version: amended.as_ref().map_or(1, |newest| newest.version + 1),
            placed_at: now,
            released_at: None,
            may_tell: false,
            scope: String::new(),
        };
        let proposed = scope.hold(&proposed);
        let mut sides = Sides::new(&stored, proposed, amended.is_some(), (now, how.limit));
        let mut looked_at = 0;
        loop {
            let slice = accounts.next(tx, SLICE)?;
            if slice.is_empty() {
                break;
            }
            for account in slice {
                let place = (policies, account, now);
                looked_at +=
                    self.visit_records(tx, place, &|_| true, &mut |tx, person, loaded, copies| {
                        // What is sealed can still be held: it is judged once more before its key goes.
                        let (lost, there): (Vec<CopyRow>, Vec<CopyRow>) =
                            copies.into_iter().partition(is_lost);
                        sides.losses.count(&sides.proposed, person, loaded, &classes, &lost);
                        let there: Vec<&str> =
                            there.iter().map(|copy| class_name(&classes, copy.key.class)).collect();
                        if there.is_empty() {
                            return Ok(());
                        }
                        sides.measure(tx, person, loaded, &there, (account, loaded.row.id))
                    })?;
            }
            (how.progress)(looked_at);
        }
        let left_out = sides.amends.then_some(sides.left_out.extent);
        Ok(HoldPreview { at: now, covered: sides.covered.extent, left_out, lost: sides.losses.finish() })
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
    losses: Losses,
}

/// One side of a preview.
#[derive(Default)]
struct Side {
    extent: Extent,
    last: Option<AccountKey>,
}

impl<'h> Sides<'h> {
    fn new(stored: &'h Holds, proposed: Hold<'h>, amends: bool, (now, limit): (Instant, usize)) -> Self {
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
            losses: Losses::new(now, limit),
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
