//! What endpoints about the house share: parts of lists that are read whole, and acts of two people.

use axum::http::header;
use tenure_access::Refusal;
use tenure_app::{Act, Done};

use crate::api::ask::{Ask, Trouble};
use crate::api::cursor::List;
use crate::api::fault::{Code, Fault};
use crate::api::input::Paging;

/// The refusals of an act for which one person is not enough.
pub(super) const TWO_PEOPLE: &[Refusal] = &[
    Refusal::ApprovalMissing,
    Refusal::ApprovalOther,
    Refusal::ApprovalLapsed,
    Refusal::ApprovalClosed,
    Refusal::ApproverSame,
];

/// A part of a list, and the cursor with which it goes on.
pub(super) fn part<T>(
    items: Vec<T>,
    place: impl Fn(&T) -> String,
    paging: &Paging,
    list: List<'_>,
) -> Result<(Vec<T>, Option<String>), Fault> {
    let from = match paging.after::<String>(list)? {
        None => 0,
        Some(after) => {
            let found = items.iter().position(|item| place(item) == after);
            found.ok_or(Code::CursorUnknown)? + 1
        }
    };
    let more = items.len().saturating_sub(from) > paging.limit;
    let items: Vec<T> = items.into_iter().skip(from).take(paging.limit).collect();
    let next = items.last().filter(|_| more).map(|last| list.after(&place(last)));
    Ok((items, next))
}

/// Carries out an act with the approvals that the request names.
pub(super) fn carry_out(ask: &Ask<'_>, act: Act, approvals: &[String]) -> Result<Done, Trouble> {
    let approvals: Result<Vec<_>, _> = approvals.iter().map(|approval| approval.parse()).collect();
    let wrong = "an id in `approvals` is none: `change-` and 32 hexadecimal digits";
    let approvals = approvals.map_err(|_| Fault::body(wrong))?;
    Ok(ask.tenure().carry_out(&ask.permit, act, &approvals, ask.now, &mut |_| {})?)
}

/// The version that `If-Match` names, of something whose tag is the number of its version.
pub(super) fn version_seen(ask: &Ask<'_>) -> Result<u32, Fault> {
    let tag = ask.raw.header(&header::IF_MATCH)?.ok_or(Code::PreconditionMissing)?;
    let tag = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    let tag = tag.ok_or_else(|| Fault::with(Code::HeaderInvalid, "`if-match` is one strong tag here"))?;
    // One that can't be a tag of ours names a state that never was.
    tag.parse().map_err(|_| Code::PreconditionFailed.into())
}
