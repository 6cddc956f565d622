//! What needs two people, as exactly what is done: described, proposed, and carried out.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenure_access::{Change, Operation, Permit, TwoPeople};
use tenure_model::Instant;
use tenure_policy::language::Version;
use tenure_store::{ChangeId, ReadTx, StoreExt as _, Tx};

use super::ensure_for;
use super::publication::changes_of;
use crate::policies::fresh;
use crate::sweep::{Excess, SweepOptions, Swept};
use crate::{Allowance, Error, HoldScope, Tenure, Withdrawal};

/// Exactly what somebody wants to be done. Two are equal only where the same is done, since the digest that a second
/// person approves is that of this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "act", deny_unknown_fields)]
pub enum Act {
    /// Publishes versions of policies.
    Publish {
        /// The text of each file.
        texts: Vec<String>,
        /// How many copies may lose their basis by it, where more do than may without being told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expect: Option<u64>,
    },
    /// Withdraws a version, so that it counts as never published.
    Withdraw {
        /// The version, as `policy@version`.
        version: String,
    },
    /// Runs a sweep that destroys more than the guard lets through.
    OverrideGuard {
        /// The most copies that it may destroy of each class.
        copies: BTreeMap<String, u64>,
    },
    /// Releases a hold.
    ReleaseHold {
        /// The hold.
        hold: String,
        /// The version that it has.
        version: u32,
        /// The date on the order, where it is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Instant>,
    },
    /// Gives a hold another scope.
    AmendHold {
        /// The hold.
        hold: String,
        /// The version that it has.
        version: u32,
        /// The scope that it gets.
        scope: Box<HoldScope>,
        /// Whether the people concerned may be told from then on; as before where it is not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        may_tell: Option<bool>,
        /// The date on the order, where it is named.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dated: Option<Instant>,
    },
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "done")]
pub enum Done {
    /// These versions were published, as `policy@version`.
    Published {
        /// The versions.
        versions: Vec<String>,
    },
    /// The version was withdrawn.
    Withdrawn(Withdrawal),
    /// The sweep ran.
    Swept(Box<Swept>),
    /// The hold was released.
    Released,
    /// The hold has another scope.
    Amended {
        /// The version that it has now.
        version: u32,
    },
}

impl Act {
    /// The operation that does it.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Publish { .. } => Operation::PublishPolicy,
            Self::Withdraw { .. } => Operation::WithdrawPolicy,
            Self::OverrideGuard { .. } => Operation::OverrideGuard,
            Self::ReleaseHold { .. } => Operation::ReleaseHold,
            Self::AmendHold { .. } => Operation::AmendHold,
        }
    }

    /// The canonical description of which a digest is taken.
    pub(super) fn exactly(&self) -> Result<String, Error> {
        Ok(serde_json_canonicalizer::to_string(self)?)
    }

    /// The changes that it is as things stand, each of which needs two people.
    pub(super) fn changes(&self, tx: &mut dyn ReadTx, now: Instant) -> Result<BTreeSet<Change>, Error> {
        match self {
            Self::Publish { texts, expect } => {
                let rows = tx.policies()?;
                let fresh = fresh(&rows, &files(texts))?;
                let versions: Vec<Version> = fresh.into_iter().map(|(version, _)| version).collect();
                let mut changes = changes_of(&rows, &versions, now)?;
                if expect.is_some() {
                    // More may lose their basis by it than may without being told.
                    changes.insert(Change::ShortensRetention);
                }
                Ok(changes)
            }
            Self::Withdraw { .. } => Ok([Change::WithdrawsVersion].into()),
            Self::OverrideGuard { .. } => Ok([Change::OverridesGuard].into()),
            Self::ReleaseHold { hold, version, .. } => {
                crate::holds::at_version(tx, hold, *version, now)?;
                Ok([Change::ReleasesHold].into())
            }
            Self::AmendHold { hold, version, scope, .. } => {
                let newest = crate::holds::at_version(tx, hold, *version, now)?;
                let present: HoldScope = serde_json::from_str(&newest.scope)?;
                Ok(if scope.covers(&present) { BTreeSet::new() } else { [Change::ReleasesHold].into() })
            }
        }
    }
}

/// The texts as files. They have no names of their own, so that one text has one description.
fn files(texts: &[String]) -> Vec<(String, String)> {
    (1..).zip(texts).map(|(number, text)| (format!("file {number}"), text.clone())).collect()
}

impl Tenure {
    /// Carries out an act for whoever has the permit for its operation. Each change that it is, as things stand in the
    /// transaction that does it, must have been approved by a second person; those approvals are used up.
    ///
    /// # Errors
    /// [`Error::Access`] where an approval is missing, has lapsed, or is of something else; and whatever stands in
    /// the way of the act itself. Nothing is done then, and no approval is used up, but for a sweep that fails after
    /// it began.
    pub fn carry_out(
        &self,
        permit: &Permit,
        act: Act,
        approvals: &[ChangeId],
        now: Instant,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Done, Error> {
        ensure_for(permit, act.operation())?;
        let wanted = Wanted { permit: permit.clone(), approvals: approvals.to_vec(), act: act.clone(), now };
        match act {
            Act::Publish { texts, expect } => {
                let allow = expect.map_or_else(Allowance::default, Allowance::Copies);
                let tenure = self.clone();
                let agree = move |tx: &mut dyn Tx| wanted.agreed(&tenure, tx).map(drop);
                let versions = self.publish_agreed(&files(&texts), allow, now, agree)?;
                Ok(Done::Published { versions })
            }
            Act::Withdraw { version } => {
                let tenure = self.clone();
                let agree = move |tx: &mut dyn Tx| wanted.agreed(&tenure, tx);
                Ok(Done::Withdrawn(self.withdraw_agreed(&version, now, agree)?))
            }
            Act::OverrideGuard { copies } => self.override_guard(wanted, &copies, progress),
            Act::ReleaseHold { hold, dated, .. } => {
                let tenure = self.clone();
                self.store.write(move |tx| {
                    wanted.agreed(&tenure, tx)?;
                    tenure.release_in(tx, hold, dated, now)
                })?;
                Ok(Done::Released)
            }
            Act::AmendHold { hold, scope, may_tell, dated, .. } => {
                self.policies()?.understand(&scope)?;
                let tenure = self.clone();
                let version = self.store.write(move |tx| {
                    wanted.agreed(&tenure, tx)?;
                    tenure.amend_in(tx, hold, &scope, (may_tell, dated), now)
                })?;
                Ok(Done::Amended { version })
            }
        }
    }

    /// Sweeps, and destroys no more of any class than two people wanted, also of what falls due meanwhile.
    ///
    /// What is due is counted first, so that an approval of less is not used up. It is used up in the first step of the
    /// sweep, before anything is destroyed: after a crash in between, somebody has to ask again.
    fn override_guard(
        &self,
        wanted: Wanted,
        copies: &BTreeMap<String, u64>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Done, Error> {
        let (now, most) = (wanted.now, copies.values().sum());
        let Swept { destroyed: classes, causes, .. } =
            self.sweep_dry_run(now, SweepOptions::everything(now))?;
        let exceeds = |(class, found): (&String, &u64)| copies.get(class).is_none_or(|most| found > most);
        if classes.iter().any(exceeds) {
            let found = classes.values().sum();
            let live = self.store.read(|tx| Ok::<_, Error>(tx.count_live(u64::MAX)?))?;
            return Err(Error::Guarded(Box::new(Excess {
                copies: found,
                allowed: most,
                live,
                classes,
                causes,
            })));
        }
        let tenure = self.clone();
        let agree = move |tx: &mut dyn Tx| wanted.agreed(&tenure, tx).map(drop);
        Ok(Done::Swept(Box::new(self.sweep_agreed(now, copies.clone(), agree, progress)?)))
    }

    /// The changes that an act is as things stand, for each of which it needs somebody else's approval.
    pub fn changes_of(&self, act: &Act, now: Instant) -> Result<BTreeSet<Change>, Error> {
        self.store.read(|tx| act.changes(tx, now))
    }

    /// What it would take to override the guard now: how many copies of each class a sweep would destroy.
    pub fn guard_override(&self, now: Instant) -> Result<Act, Error> {
        let swept = self.sweep_dry_run(now, SweepOptions::everything(now))?;
        Ok(Act::OverrideGuard { copies: swept.destroyed })
    }
}

/// An act that somebody wants to carry out, and the approvals that they have.
#[derive(Clone)]
struct Wanted {
    permit: Permit,
    approvals: Vec<ChangeId>,
    act: Act,
    now: Instant,
}

impl Wanted {
    /// Uses the approvals of all changes that the act is in this transaction, and gives who wanted each.
    fn agreed(&self, tenure: &Tenure, tx: &mut dyn Tx) -> Result<Vec<TwoPeople>, Error> {
        let changes = self.act.changes(tx, self.now)?;
        let each = changes.into_iter().map(|change| {
            tenure.use_approval(tx, (&self.permit, change, &self.act), &self.approvals, self.now)
        });
        each.collect()
    }
}
