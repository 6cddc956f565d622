//! What opens a key, what became of a change, and how far a request has come.

use crate::{AccountKey, ApiKeySecrets, ChangeState, Digest, OnceBegun, OnceRow, OnceState};
use tenure_model::Instant;

/// The columns of what opens a key: its hash, the one before, until when that one lasts, and since when it is revoked.
pub(crate) type SecretColumns = (Option<Digest>, Option<Digest>, Option<i64>, Option<i64>);

pub(crate) const fn secret_columns(secrets: &ApiKeySecrets) -> SecretColumns {
    match secrets {
        ApiKeySecrets::Live { hash } => (Some(*hash), None, None, None),
        ApiKeySecrets::Rotating { new, old, until } => (Some(*new), Some(*old), Some(until.micros()), None),
        ApiKeySecrets::Revoked { at } => (None, None, None, Some(at.micros())),
    }
}

/// Nothing, if the columns contradict each other: then nothing opens the key.
pub(crate) fn secrets(
    [hash, old]: [Option<Digest>; 2],
    [until, revoked]: [Option<Instant>; 2],
) -> Option<ApiKeySecrets> {
    match (hash, old.zip(until), revoked) {
        (Some(hash), None, None) => Some(ApiKeySecrets::Live { hash }),
        (Some(new), Some((old, until)), None) => Some(ApiKeySecrets::Rotating { new, old, until }),
        (None, None, Some(at)) => Some(ApiKeySecrets::Revoked { at }),
        _ => None,
    }
}

/// The columns of what became of a change: its number, who did the last step, and when.
pub(crate) fn change_columns(state: &ChangeState) -> (i64, Option<&str>, Option<i64>) {
    match state {
        ChangeState::Proposed => (0, None, None),
        ChangeState::Approved { by, at } => (1, Some(by), Some(at.micros())),
        ChangeState::Rejected { by, at } => (2, Some(by), Some(at.micros())),
        ChangeState::Lapsed { at } => (3, None, Some(at.micros())),
        ChangeState::Executed { approved_by, at } => (4, Some(approved_by), Some(at.micros())),
    }
}

/// Nothing, if the state lacks a part.
pub(crate) fn change_state(number: i64, by: Option<String>, at: Option<Instant>) -> Option<ChangeState> {
    match (number, by, at) {
        (0, None, None) => Some(ChangeState::Proposed),
        (1, Some(by), Some(at)) => Some(ChangeState::Approved { by, at }),
        (2, Some(by), Some(at)) => Some(ChangeState::Rejected { by, at }),
        (3, None, Some(at)) => Some(ChangeState::Lapsed { at }),
        (4, Some(approved_by), Some(at)) => Some(ChangeState::Executed { approved_by, at }),
        _ => None,
    }
}

/// Nothing, if the state lacks a part.
pub(crate) fn once_state(
    since: Option<Instant>,
    status: Option<u16>,
    account: Option<i64>,
    answer: Option<Vec<u8>>,
) -> Option<OnceState> {
    match (since, status, account, answer) {
        (Some(since), None, None, None) => Some(OnceState::UnderWay { since }),
        (None, Some(status), Some(account), Some(answer)) => {
            Some(OnceState::Done { status, account: AccountKey(account), answer })
        }
        _ => None,
    }
}

/// Whether a request counts as never sent when another of its key begins.
pub(crate) fn is_over(earlier: &OnceRow, begun: &OnceBegun) -> bool {
    let is_gone = match earlier.state {
        OnceState::UnderWay { since } => since < begun.gone_before && earlier.request == begun.request,
        OnceState::Done { .. } => false,
    };
    is_gone || earlier.expires_at <= begun.now
}
