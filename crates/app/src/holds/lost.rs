//! What a hold came too late for: copies in its scope that were destroyed before it was placed.

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_model::Instant;
use tenure_policy::case::Hold;
use tenure_store::{AccountKey, ClassId, CopyRow, CopyStage, CopyState, StoreExt as _};

use super::in_force;
use super::scope::HoldScope;
use super::walk::Accounts;
use crate::filing::class_name;
use crate::person::Person;
use crate::record::Loaded;
use crate::{Error, Tenure};

/// How many accounts are looked at on one snapshot.
const ACCOUNTS: usize = 200;

/// Copies in the scope of a hold that were destroyed, or are past the point of no return. What was only sealed
/// for destruction is not among them: the hold rescues it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lost {
    /// The instant at which it was looked for.
    pub at: Instant,
    /// Accounts with such a copy.
    pub accounts: u64,
    /// Records with such a copy.
    pub records: u64,
    /// Such copies.
    pub copies: u64,
    /// The same by class, and by the day on which they went.
    pub classes: BTreeMap<String, BTreeMap<String, u64>>,
    /// The copies themselves, as many as were asked for.
    pub listed: Vec<LostCopy>,
    /// Whether there are more than are listed.
    pub more: bool,
}

/// A copy that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LostCopy {
    /// The record.
    pub record: String,
    /// The class.
    pub class: String,
    /// How far its destruction has come.
    pub stage: &'static str,
    /// When its key was destroyed, or, where that is still under way, when its end was written into the ledger.
    pub gone_at: Instant,
}

/// What is lost, while it is being counted.
pub(super) struct Losses {
    lost: Lost,
    limit: usize,
    last: Option<AccountKey>,
}

impl Losses {
    /// Nothing yet; up to so many copies will be listed.
    pub(super) const fn new(at: Instant, limit: usize) -> Self {
        let lost = Lost {
            at,
            accounts: 0,
            records: 0,
            copies: 0,
            classes: BTreeMap::new(),
            listed: Vec::new(),
            more: false,
        };
        Self { lost, limit, last: None }
    }

    /// Counts those of a record's lost copies that the hold would have covered.
    pub(super) fn count(
        &mut self,
        hold: &[Hold<'_>; 1],
        person: &Person,
        loaded: &Loaded,
        classes: &[(ClassId, String)],
        copies: &[CopyRow],
    ) {
        let facts = loaded.facts(person, &[], hold, self.lost.at);
        let verdict = loaded.lineage.judge(&facts);
        let mut found = false;
        for copy in copies {
            let class = class_name(classes, copy.key.class);
            let Some(gone_at) = gone_at(&copy.state) else { continue };
            if !loaded.lineage.class(&facts, &verdict, class).held {
                continue;
            }
            found = true;
            self.lost.copies += 1;
            let days = self.lost.classes.entry(class.to_owned()).or_default();
            *days.entry(gone_at.day().to_string()).or_default() += 1;
            if self.lost.listed.len() < self.limit {
                self.lost.listed.push(LostCopy {
                    record: copy.key.record.to_string(),
                    class: class.to_owned(),
                    stage: copy.state.stage().word(),
                    gone_at,
                });
            } else {
                self.lost.more = true;
            }
        }
        if found {
            self.lost.records += 1;
            self.lost.accounts +=
                u64::from(self.last.replace(loaded.row.account) != Some(loaded.row.account));
        }
    }

    pub(super) fn finish(self) -> Lost {
        self.lost
    }
}

/// Whether nothing can bring a copy back.
pub(super) fn is_lost(copy: &CopyRow) -> bool {
    copy.state.stage() >= CopyStage::Shredding
}

/// When a copy went; nothing while it lives or may still be rescued.
pub(super) fn gone_at(state: &CopyState) -> Option<Instant> {
    match state {
        CopyState::Live { .. } | CopyState::Sealed { .. } => None,
        CopyState::Shredding { sealing, .. } => Some(sealing.sealed_at),
        CopyState::Shredded { shredded_at, .. }
        | CopyState::Removed { shredded_at, .. }
        | CopyState::Verified { shredded_at, .. } => Some(*shredded_at),
    }
}

impl Tenure {
    /// What the present scope of a hold came too late for, with up to `limit` of the copies by name. Costs by the
    /// accounts that the scope can concern.
    pub fn lost_to_hold(
        &self,
        id: &str,
        limit: usize,
        now: Instant,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Lost, Error> {
        let policies = self.policies()?;
        let (row, scope, mut accounts, classes) = self.store.read(|tx| {
            let row = in_force(tx, id, now)?;
            let scope: HoldScope = serde_json::from_str(&row.scope)?;
            let accounts = Accounts::of(tx, [&scope])?;
            Ok::<_, Error>((row, scope, accounts, tx.classes()?))
        })?;
        let hold = [scope.hold(&row)];
        let (mut losses, mut looked_at) = (Losses::new(now, limit), 0);
        loop {
            // A snapshot for each slice: a long one would keep deleted rows from being scrubbed.
            let slice = self.store.read(|tx| {
                let slice = accounts.next(tx, ACCOUNTS)?;
                for account in &slice {
                    let place = (&*policies, *account, now);
                    looked_at +=
                        self.visit_records(tx, place, &is_lost, &mut |_, person, loaded, copies| {
                            losses.count(&hold, person, loaded, &classes, &copies);
                            Ok(())
                        })?;
                }
                Ok::<_, Error>(slice.len())
            })?;
            if slice == 0 {
                return Ok(losses.finish());
            }
            progress(looked_at);
        }
    }
}
