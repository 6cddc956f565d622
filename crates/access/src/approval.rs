//! Changes that need two people.

use tenure_model::{Instant, vocabulary};

use crate::encoding::sha256;
use crate::{Operation, Permit, Principal, Refusal, time};

vocabulary!(
    /// A change that needs two people.
    Change, "change", {
        /// A version that ends copies earlier than the one before.
        ShortensRetention = "shortens-retention",
        /// A version that allows a use, or keeps for longer, where the one before did not.
        WidensUse = "widens-use",
        /// A sweep that destroys more than the guard lets through.
        OverridesGuard = "overrides-guard",
        /// A hold that ends, or leaves out what it had covered.
        ReleasesHold = "releases-hold",
        /// A version that is to count as never published.
        WithdrawsVersion = "withdraws-version",
    }
);

impl Change {
    /// The operations that make it. Whoever may ask for one of them may propose it.
    pub const fn operations(self) -> &'static [Operation] {
        match self {
            Self::ShortensRetention | Self::WidensUse => &[Operation::PublishPolicy],
            Self::OverridesGuard => &[Operation::OverrideGuard],
            Self::ReleasesHold => &[Operation::ReleaseHold, Operation::AmendHold],
            Self::WithdrawsVersion => &[Operation::WithdrawPolicy],
        }
    }
}

/// How long a proposal waits for a second person.
const WAITING_DAYS: i64 = 7;
/// How long after the approval it may be done.
const APPROVED_DAYS: i64 = 1;

/// The digest of exactly what is to be done: SHA-256 over the kind of change and a canonical description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of a change, described so that two descriptions are equal only where the same is done.
    pub fn of(change: Change, exactly: &[u8]) -> Self {
        Self(sha256(&[b"tenure/change/v1\0", change.word().as_bytes(), b"\0", exactly]))
    }
}

/// What somebody proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What kind of change it is.
    pub change: Change,
    /// What exactly is to be done.
    pub what: Digest,
    /// Who proposed it.
    pub by: Principal,
    /// When.
    pub at: Instant,
}

/// What became of a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It waits for a second person.
    Proposed,
    /// A second person approved it.
    Approved {
        /// Who.
        by: Principal,
        /// When.
        at: Instant,
    },
    /// Somebody said no; it may be who proposed it.
    Rejected {
        /// Who.
        by: Principal,
        /// When.
        at: Instant,
    },
    /// Nobody approved it in time, or nobody did it in time.
    Lapsed {
        /// When.
        at: Instant,
    },
    /// It was done.
    Executed {
        /// Who had approved it.
        approved_by: Principal,
        /// When it was done.
        at: Instant,
    },
}

/// A proposal and what became of it. The store keeps it as it is, and saves each step in the transaction that
/// makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What was proposed.
    pub proposal: Proposal,
    /// What became of it.
    pub state: State,
}

/// That two people want exactly this. Only [`Approval::execute`] makes one, and it is good for one execution.
#[derive(Debug, PartialEq, Eq)]
pub struct TwoPeople {
    change: Change,
    what: Digest,
    proposed_by: Principal,
    approved_by: Principal,
}

impl TwoPeople {
    /// What kind of change it is.
    pub const fn change(&self) -> Change {
        self.change
    }

    /// What exactly is to be done.
    pub const fn what(&self) -> Digest {
        self.what
    }

    /// Who proposed it.
    pub const fn proposed_by(&self) -> &Principal {
        &self.proposed_by
    }

    /// Who approved it.
    pub const fn approved_by(&self) -> &Principal {
        &self.approved_by
    }
}

impl Approval {
    /// Proposes the change that the permit is about.
    pub fn propose(permit: &Permit, what: Digest, now: Instant) -> Result<Self, Refusal> {
        let change = permit.change().ok_or(Refusal::PermitOther)?;
        let by = asked(permit, Operation::ProposeChange, change)?.clone();
        Ok(Self { proposal: Proposal { change, what, by, at: now }, state: State::Proposed })
    }

    /// What became of it by now: what waited for too long has lapsed.
    #[must_use]
    pub fn at(self, now: Instant) -> Self {
        let end = match &self.state {
            State::Proposed => time::days_after(self.proposal.at, WAITING_DAYS),
            State::Approved { at, .. } => time::days_after(*at, APPROVED_DAYS),
            State::Rejected { .. } | State::Lapsed { .. } | State::Executed { .. } => return self,
        };
        if now < end { self } else { Self { state: State::Lapsed { at: end }, ..self } }
    }

    /// Approves it. `seen` is the digest of what the second person was shown.
    pub fn approve(self, permit: &Permit, seen: Digest, now: Instant) -> Result<Self, Refusal> {
        let by = asked(permit, Operation::ApproveChange, self.proposal.change)?;
        let Self { proposal, state } = self.at(now);
        match state {
            State::Proposed => {}
            State::Lapsed { .. } => return Err(Refusal::ApprovalLapsed),
            State::Approved { .. } | State::Rejected { .. } | State::Executed { .. } => {
                return Err(Refusal::ApprovalClosed);
            }
        }
        if *by == proposal.by {
            return Err(Refusal::ApproverSame);
        }
        if seen != proposal.what {
            return Err(Refusal::ApprovalOther);
        }
        Ok(Self { proposal, state: State::Approved { by: by.clone(), at: now } })
    }

    /// Rejects it, also after it was approved. Whoever proposed it may take it back so.
    pub fn reject(self, permit: &Permit, now: Instant) -> Result<Self, Refusal> {
        let by = asked(permit, Operation::RejectChange, self.proposal.change)?.clone();
        let Self { proposal, state } = self.at(now);
        match state {
            State::Proposed | State::Approved { .. } => {
                Ok(Self { proposal, state: State::Rejected { by, at: now } })
            }
            State::Lapsed { .. } => Err(Refusal::ApprovalLapsed),
            State::Rejected { .. } | State::Executed { .. } => Err(Refusal::ApprovalClosed),
        }
    }

    /// Lets it be done, once. `what` is the digest of what is about to be done, made anew from that itself; the
    /// permit is that of the operation which does it.
    pub fn execute(self, permit: &Permit, what: Digest, now: Instant) -> Result<(Self, TwoPeople), Refusal> {
        if !self.proposal.change.operations().contains(&permit.operation()) {
            return Err(Refusal::PermitOther);
        }
        let Self { proposal, state } = self.at(now);
        let approved_by = match state {
            State::Approved { by, .. } => by,
            State::Proposed => return Err(Refusal::ApprovalMissing),
            State::Lapsed { .. } => return Err(Refusal::ApprovalLapsed),
            State::Rejected { .. } | State::Executed { .. } => return Err(Refusal::ApprovalClosed),
        };
        // Holds of whatever `approve` let through, and is asked again of what a store gave back.
        if approved_by == proposal.by {
            return Err(Refusal::ApproverSame);
        }
        if what != proposal.what {
            return Err(Refusal::ApprovalOther);
        }
        let two = TwoPeople {
            change: proposal.change,
            what,
            proposed_by: proposal.by.clone(),
            approved_by: approved_by.clone(),
        };
        Ok((Self { proposal, state: State::Executed { approved_by, at: now } }, two))
    }
}

/// Who asked for this step of this change, by their permit.
fn asked(permit: &Permit, step: Operation, change: Change) -> Result<&Principal, Refusal> {
    let meant = permit.operation() == step && permit.change() == Some(change);
    permit.principal().filter(|_| meant).ok_or(Refusal::PermitOther)
}
