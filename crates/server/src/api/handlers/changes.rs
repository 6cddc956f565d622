//! Changes that need two people: proposed, approved, rejected, listed. Who carries one out names it where that is done.

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::{Change, Operation, Refusal};
use tenure_app::{Act, ChangeId, ChangeView, seen_digest};
use tenure_model::Instant;
use utoipa::ToSchema;

use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::cursor::List;
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Paging, PassedOn};

/// A change to propose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProposeRequest)]
struct ProposeBody {
    /// `shortens-retention`, `widens-use`, `overrides-guard`, `releases-hold` or `withdraws-version`.
    #[schema(value_type = String)]
    change: Change,
    /// Exactly what is to be done, as `docs/access.md` describes it.
    #[schema(value_type = Object)]
    act: Act,
}

impl PassedOn for ProposeBody {
    fn proposes(&self) -> Option<Change> {
        Some(self.change)
    }
}

/// An approval.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveRequest)]
struct ApproveBody {
    /// The digest of what you were shown, so that nothing else is approved.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    digest: String,
}

impl PassedOn for ApproveBody {}

/// A part of the list of changes.
#[derive(Serialize, ToSchema)]
#[schema(as = Changes)]
struct ChangesView {
    /// The changes, the newest first.
    items: Vec<ChangeShown>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

/// A change that was proposed.
#[derive(Serialize, ToSchema)]
#[schema(as = Change)]
struct ChangeShown {
    /// Its id, by which whoever carries it out names it.
    id: String,
    /// What kind of change it is.
    change: String,
    /// Exactly what is to be done.
    #[schema(value_type = Object)]
    act: Act,
    /// The digest of that, which whoever approves it names.
    digest: String,
    /// Who proposed it.
    proposed_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    proposed_at: Instant,
    /// `proposed`, `approved`, `rejected`, `lapsed` or `executed`.
    state: &'static str,
    /// Who approved or rejected it.
    by: Option<String>,
    /// Since when it stands so; null while it is only proposed.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Instant>,
    /// When it lapses, while it is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    lapses: Option<Instant>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    use Code as C;
    vec![
        operation(Operation::ProposeChange, Method::POST, "/v1/changes", propose)
            .says(
                "Propose a change",
                "Proposes what one person may not do alone. Somebody else approves it within 7 days, and within a day of \
                 that it is done by the operation that does such a thing, which names this change in `approvals`.",
            )
            .creates()
            .fails(&[C::PolicyRefused, C::VersionPublished, C::VersionWithdrawn, C::SurfaceTaken])
            .fails(&[C::VersionUnknown, C::HoldUnknown, C::PreconditionFailed, C::Refused]),
        operation(Operation::ListApprovals, Method::GET, "/v1/changes", list)
            .says("List changes", "What was proposed, the newest first, and what became of it.")
            .fails(&[C::CursorUnknown, C::ChangeUnknown]),
        operation(Operation::ListApprovals, Method::GET, "/v1/changes/{change}", read)
            .named("read-change")
            .says("Read a change", "Exactly what is to be done, its digest, and how it stands.")
            .fails(&[C::ChangeUnknown]),
        operation(Operation::ApproveChange, Method::POST, "/v1/changes/{change}/approve", approve)
            .says("Approve a change", "Approves what somebody else proposed, by the digest of what you were shown.")
            .refuses(&[Refusal::ApproverSame, Refusal::ApprovalOther, Refusal::ApprovalLapsed])
            .refuses(&[Refusal::ApprovalClosed]),
        operation(Operation::RejectChange, Method::POST, "/v1/changes/{change}/reject", reject)
            .says("Reject a change", "Also after it was approved, and also by who proposed it.")
            .refuses(&[Refusal::ApprovalLapsed, Refusal::ApprovalClosed]),
    ]
}

impl From<ChangeView> for ChangeShown {
    fn from(view: ChangeView) -> Self {
        Self {
            id: view.id,
            change: view.change,
            act: view.act,
            digest: view.digest,
            proposed_by: view.proposed_by,
            proposed_at: view.proposed_at,
            state: view.state,
            by: view.by,
            since: view.since,
            lapses: view.lapses,
        }
    }
}

type Shown = Result<Answer<Json<ChangeShown>>, Trouble>;

fn shown(view: ChangeView) -> Answer<Json<ChangeShown>> {
    Answer::ok(Json(view.into()))
}

fn change(ask: &Ask<'_>) -> Result<ChangeId, Fault> {
    ask.raw.param("change")?.parse().map_err(|_| Code::PathInvalid.into())
}

fn propose(ask: &Ask<'_>, Body(body): Body<ProposeBody>) -> Shown {
    let proposed = ask.tenure().propose_change(&ask.permit, &body.act, ask.now)?;
    Ok(shown(proposed).with_status(StatusCode::CREATED))
}

fn approve(ask: &Ask<'_>, Body(body): Body<ApproveBody>) -> Shown {
    let wrong =
        || Fault::body("`digest` has 64 hexadecimal digits: send the one of the change as it was shown");
    let seen = seen_digest(&body.digest).ok_or_else(wrong)?;
    Ok(shown(ask.tenure().approve_change(&ask.permit, change(ask)?, seen, ask.now)?))
}

fn reject(ask: &Ask<'_>, (): ()) -> Shown {
    Ok(shown(ask.tenure().reject_change(&ask.permit, change(ask)?, ask.now)?))
}

fn read(ask: &Ask<'_>, (): ()) -> Shown {
    Ok(shown(ask.tenure().proposed_change(&ask.permit, change(ask)?, ask.now)?))
}

fn list(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<ChangesView>>, Trouble> {
    let list = List { name: "changes", of: "" };
    let before: Option<ChangeId> = paging.after(list)?;
    let mut changes = ask.tenure().changes(&ask.permit, before, paging.limit + 1, ask.now)?;
    let more = changes.len() > paging.limit;
    changes.truncate(paging.limit);
    let next = changes.last().filter(|_| more).map(|last| list.after(&last.id));
    Ok(Answer::ok(Json(ChangesView { items: changes.into_iter().map(ChangeShown::from).collect(), next })))
}
