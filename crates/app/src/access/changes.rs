//! Changes that need two people: proposed, approved, rejected, listed.

use serde::Serialize;
use tenure_access::{Approval, Change, Digest, Operation, Permit, Proposal, Refusal, State, TwoPeople};
use tenure_model::{Instant, MonthLength, Span};
use tenure_receipts::Statement;
use tenure_store::{ChangeId, ChangeRow, ChangeState, ReadTx, StoreError, StoreExt as _, Tx};

use super::{Act, ensure_for, who};
use crate::ledger::{bytes, hex};
use crate::{Error, Tenure};

/// How long a proposal waits, and how long an approval is good for; what ends them are the rules.
const WAITS: Span = Span::days(7);
const GOOD_FOR: Span = Span::days(1);

/// A proposed change as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ChangeView {
    /// Its id.
    pub id: String,
    /// What kind of change it is.
    pub change: String,
    /// What exactly is to be done.
    pub act: Act,
    /// The digest of that, which whoever approves it names.
    pub digest: String,
    /// Who proposed it.
    pub proposed_by: String,
    /// When.
    pub proposed_at: Instant,
    /// `proposed`, `approved`, `rejected`, `lapsed` or `executed`.
    pub state: &'static str,
    /// Who approved or rejected it.
    pub by: Option<String>,
    /// Since when it stands so; nothing while it is only proposed.
    pub since: Option<Instant>,
    /// When it lapses, while it is open.
    pub lapses: Option<Instant>,
}

/// The digest that somebody was shown, from the hexadecimal digits of a [`ChangeView`].
pub fn seen_digest(text: &str) -> Option<Digest> {
    bytes(text).map(Digest)
}

fn unreadable(column: &'static str) -> Error {
    StoreError::Unreadable { column }.into()
}

/// A change as the rules know it.
fn approval(row: &ChangeRow) -> Result<Approval, Error> {
    let who = |name: &str| name.parse().map_err(|_| unreadable("step_by"));
    let change: Change = row.change.parse().map_err(|_| unreadable("change"))?;
    let what = Digest(row.what);
    // What is shown must be what is approved, whoever wrote it into the store.
    if Digest::of(change, row.about.as_bytes()) != what {
        return Err(unreadable("about"));
    }
    let state = match &row.state {
        ChangeState::Proposed => State::Proposed,
        ChangeState::Approved { by, at } => State::Approved { by: who(by)?, at: *at },
        ChangeState::Rejected { by, at } => State::Rejected { by: who(by)?, at: *at },
        ChangeState::Lapsed { at } => State::Lapsed { at: *at },
        ChangeState::Executed { approved_by, at } => {
            State::Executed { approved_by: who(approved_by)?, at: *at }
        }
    };
    let by = row.proposed_by.parse().map_err(|_| unreadable("proposed_by"))?;
    Ok(Approval { proposal: Proposal { change, what, by, at: row.proposed_at }, state })
}

fn state_of(approval: &Approval) -> ChangeState {
    match &approval.state {
        State::Proposed => ChangeState::Proposed,
        State::Approved { by, at } => ChangeState::Approved { by: by.as_str().to_owned(), at: *at },
        State::Rejected { by, at } => ChangeState::Rejected { by: by.as_str().to_owned(), at: *at },
        State::Lapsed { at } => ChangeState::Lapsed { at: *at },
        State::Executed { approved_by, at } => {
            ChangeState::Executed { approved_by: approved_by.as_str().to_owned(), at: *at }
        }
    }
}

fn view(row: &ChangeRow, now: Instant) -> Result<ChangeView, Error> {
    let approval = approval(row)?.at(now);
    let (state, by, since, lapses) = match &approval.state {
        State::Proposed => ("proposed", None, None, Some(row.proposed_at.plus(WAITS, MonthLength::Calendar))),
        State::Approved { by, at } => {
            ("approved", Some(by), Some(*at), Some(at.plus(GOOD_FOR, MonthLength::Calendar)))
        }
        State::Rejected { by, at } => ("rejected", Some(by), Some(*at), None),
        State::Lapsed { at } => ("lapsed", None, Some(*at), None),
        State::Executed { approved_by, at } => ("executed", Some(approved_by), Some(*at), None),
    };
    Ok(ChangeView {
        id: row.id.to_string(),
        change: row.change.clone(),
        act: serde_json::from_str(&row.about)?,
        digest: hex(&row.what),
        proposed_by: row.proposed_by.clone(),
        proposed_at: row.proposed_at,
        state,
        by: by.map(|by| by.as_str().to_owned()),
        since,
        lapses,
    })
}

fn find(tx: &mut dyn ReadTx, id: ChangeId) -> Result<ChangeRow, Error> {
    tx.change(id)?.ok_or(Error::UnknownChange)
}

impl Tenure {
    /// Proposes an act as the change that the permit is about. Nothing is done yet.
    ///
    /// # Errors
    /// Refused for an act that is no such change, or that can't be done as things stand.
    pub fn propose_change(&self, permit: &Permit, act: &Act, now: Instant) -> Result<ChangeView, Error> {
        ensure_for(permit, Operation::ProposeChange)?;
        let change = permit.change().ok_or(Refusal::PermitOther)?;
        let about = act.exactly()?;
        let approval = Approval::propose(permit, Digest::of(change, about.as_bytes()), now)?;
        let row = ChangeRow {
            id: ChangeId(self.random()?),
            change: change.word().to_owned(),
            what: approval.proposal.what.0,
            about,
            proposed_by: who(permit)?.as_str().to_owned(),
            proposed_at: now,
            state: ChangeState::Proposed,
        };
        let proposed = view(&row, now)?;
        let act = act.clone();
        self.store.write(move |tx| {
            if !act.changes(tx, now)?.contains(&change) {
                return Err(Error::Refused(format!(
                    "this is no change of kind `{change}` as things stand: propose it as what it is, or just do it"
                )));
            }
            Ok(tx.insert_change(&row)?)
        })?;
        Ok(proposed)
    }

    /// Approves what somebody else proposed. `seen` is the digest of what was shown.
    pub fn approve_change(
        &self,
        permit: &Permit,
        id: ChangeId,
        seen: Digest,
        now: Instant,
    ) -> Result<ChangeView, Error> {
        ensure_for(permit, Operation::ApproveChange)?;
        let permit = permit.clone();
        self.step(id, now, move |approval| Ok(approval.approve(&permit, seen, now)?))
    }

    /// Rejects what was proposed, also after it was approved.
    pub fn reject_change(&self, permit: &Permit, id: ChangeId, now: Instant) -> Result<ChangeView, Error> {
        ensure_for(permit, Operation::RejectChange)?;
        let permit = permit.clone();
        self.step(id, now, move |approval| Ok(approval.reject(&permit, now)?))
    }

    fn step(
        &self,
        id: ChangeId,
        now: Instant,
        step: impl FnOnce(Approval) -> Result<Approval, Error> + Clone + Send + 'static,
    ) -> Result<ChangeView, Error> {
        self.store.write(move |tx| {
            let row = find(tx, id)?;
            let state = state_of(&step(approval(&row)?)?);
            tx.set_change_state(id, &state)?;
            view(&ChangeRow { state, ..row }, now)
        })
    }

    /// What kind of change was proposed under an id, to ask whether somebody may approve or reject it.
    pub fn change_kind(&self, id: ChangeId) -> Result<Change, Error> {
        Ok(self.store.read(|tx| approval(&find(tx, id)?))?.proposal.change)
    }

    /// What was proposed, the newest first, before one.
    pub fn changes(
        &self,
        permit: &Permit,
        before: Option<ChangeId>,
        limit: usize,
        now: Instant,
    ) -> Result<Vec<ChangeView>, Error> {
        ensure_for(permit, Operation::ListApprovals)?;
        self.store.read(|tx| {
            let before = before.map(|id| find(tx, id)).transpose()?;
            let before = before.map(|row| (row.proposed_at, row.id));
            tx.changes(before, limit)?.iter().map(|row| view(row, now)).collect()
        })
    }

    /// One change that was proposed.
    pub fn proposed_change(&self, permit: &Permit, id: ChangeId, now: Instant) -> Result<ChangeView, Error> {
        ensure_for(permit, Operation::ListApprovals)?;
        self.store.read(|tx| view(&find(tx, id)?, now))
    }

    /// Uses the approval of a change for an act, in the transaction that does it: it is used up with that, and the
    /// ledger says who wanted it.
    pub(super) fn use_approval(
        &self,
        tx: &mut dyn Tx,
        (permit, change, act): (&Permit, Change, &Act),
        approvals: &[ChangeId],
        now: Instant,
    ) -> Result<TwoPeople, Error> {
        let what = Digest::of(change, act.exactly()?.as_bytes());
        for id in approvals {
            let row = find(tx, *id)?;
            if row.change != change.word() {
                continue;
            }
            let (executed, two) = approval(&row)?.execute(permit, what, now)?;
            tx.set_change_state(*id, &state_of(&executed))?;
            let statement = Statement::ChangeApproved {
                change: change.word().to_owned(),
                what: two.what().0.into(),
                proposed_by: two.proposed_by().as_str().to_owned(),
                approved_by: two.approved_by().as_str().to_owned(),
            };
            self.state_by_house(tx, statement, now)?;
            return Ok(two);
        }
        Err(Refusal::ApprovalMissing.into())
    }
}
