//! API keys: minted, rotated, revoked, listed. A secret is shown once.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::{Environment, KeyId, KeyTerms, Operation, Refusal, Role, Scope};
use tenure_app::{KeyStateView, KeyView, parse_key_id};
use tenure_model::Instant;
use utoipa::ToSchema;

use crate::api::answer::{Answer, Json, Nothing};
use crate::api::ask::{Ask, Trouble};
use crate::api::cursor::List;
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Paging, PassedOn};

/// For how long the secret before still opens unless it is said.
const OVERLAP_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// A key to mint.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MintKeyRequest)]
struct MintBody {
    /// `live`, which is the default, or `test`.
    #[schema(value_type = Option<String>)]
    environment: Option<Environment>,
    /// Who answers for it: a role or a pseudonym. Two keys of one owner are one person where two are needed.
    #[schema(pattern = "^[a-z0-9._-]{1,64}$")]
    owner: String,
    /// What its holder is.
    #[schema(value_type = String)]
    role: Role,
    /// The only operations of the role that it is for; all, where it is left out.
    #[schema(value_type = Option<Vec<String>>)]
    operations: Option<BTreeSet<Operation>>,
    /// The only organisation that it reaches.
    organisation: Option<String>,
    /// From when it opens nothing any more, within 366 days.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
}

/// A rotation.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateKeyRequest)]
struct RotateBody {
    /// Until when the secret before opens, 7 days from now at most; a day from now where it is left out, and at once
    /// where it has passed.
    #[schema(value_type = Option<String>, format = DateTime)]
    old_until: Option<Instant>,
}

impl PassedOn for MintBody {}
impl PassedOn for RotateBody {}

/// A key's secret.
#[derive(Serialize, ToSchema)]
#[schema(as = KeySecret)]
struct SecretView {
    /// The id of the key.
    id: String,
    /// The key, to be sent as `Authorization: Bearer`. It is shown once and kept nowhere; null where the same request
    /// is answered again.
    key: Option<String>,
    /// When the key expires, or, of a rotation, until when the secret before opens.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
}

/// A part of the list of keys.
#[derive(Serialize, ToSchema)]
#[schema(as = Keys)]
struct KeysView {
    /// The keys by their ids, those that are over too.
    items: Vec<KeyShown>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
struct KeyShown {
    /// Its id.
    id: String,
    /// `live` or `test`.
    environment: String,
    /// Who answers for it.
    owner: String,
    /// What its holder is.
    role: String,
    /// The only operations that it is for; null where it is for all of its role.
    operations: Option<Vec<String>>,
    /// The only organisation that it reaches.
    organisation: Option<String>,
    /// When it was minted.
    #[schema(value_type = String, format = DateTime)]
    minted_at: Instant,
    /// From when it opens nothing any more.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Instant,
    /// `live`, `rotating`, `expired` or `revoked`.
    state: &'static str,
    /// While it is rotating, until when the secret before opens.
    #[schema(value_type = Option<String>, format = DateTime)]
    old_until: Option<Instant>,
    /// Since when it is revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Instant>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        operation(Operation::MintKey, Method::POST, "/v1/keys", mint)
            .says("Mint a key", "Mints an API key. Its secret is in this answer and nowhere else.")
            .creates()
            .refuses(&[Refusal::KeyLifetime, Refusal::ScopeBeyondRole]),
        operation(Operation::ListKeys, Method::GET, "/v1/keys", list)
            .says("List keys", "Every key that there was, without its secret.")
            .fails(&[Code::CursorUnknown]),
        operation(Operation::RotateKey, Method::POST, "/v1/keys/{key}/rotate", rotate)
            .says("Rotate a key", "Gives a key another secret. The one before opens for a while, or ends at once.")
            .fails(&[Code::KeyUnknown])
            .refuses(&[Refusal::KeyOver, Refusal::KeyOverlap, Refusal::RotationRunning]),
        operation(Operation::RevokeKey, Method::DELETE, "/v1/keys/{key}", revoke)
            .says(
                "Revoke a key",
                "Ends a key at once and for good, with all its secrets. Other processes know within a second.",
            )
            .fails(&[Code::KeyUnknown]),
    ]
}

impl From<KeyView> for KeyShown {
    fn from(view: KeyView) -> Self {
        let (state, old_until, revoked_at) = match view.state {
            KeyStateView::Live => ("live", None, None),
            KeyStateView::Rotating { until } => ("rotating", Some(until), None),
            KeyStateView::Expired => ("expired", None, None),
            KeyStateView::Revoked { at } => ("revoked", None, Some(at)),
        };
        Self {
            id: view.id,
            environment: view.environment,
            owner: view.owner,
            role: view.role,
            operations: view.operations,
            organisation: view.organisation,
            minted_at: view.minted_at,
            expires_at: view.expires_at,
            state,
            old_until,
            revoked_at,
        }
    }
}

fn key(ask: &Ask<'_>) -> Result<KeyId, Fault> {
    parse_key_id(ask.raw.param("key")?).ok_or_else(|| Code::PathInvalid.into())
}

/// Shows a secret, this once: whoever asks again is told only which key it was.
fn secret(key: &tenure_access::ApiKey, until: Instant) -> Answer<Json<SecretView>> {
    let view = |text| Json(SecretView { id: key.id().to_string(), key: text, until });
    Answer::ok(view(Some(key.text().to_string()))).keeping(view(None))
}

fn mint(ask: &Ask<'_>, Body(body): Body<MintBody>) -> Result<Answer<Json<SecretView>>, Trouble> {
    let owner = body.owner.parse().map_err(|_| {
        Fault::body("`owner` is a role or a pseudonym of small letters, digits, `-`, `_` and `.`")
    })?;
    let organisation = body.organisation.as_deref().map(str::parse).transpose();
    let organisation = organisation
        .map_err(|_| Fault::body("`organisation` has 1 to 255 bytes and no control characters"))?;
    let terms = KeyTerms {
        environment: body.environment.unwrap_or(Environment::Live),
        owner,
        role: body.role,
        scope: Scope { operations: body.operations, organisation },
        expires: body.expires_at,
    };
    let key = ask.tenure().mint_key(&ask.permit, terms, ask.now)?;
    Ok(secret(&key, body.expires_at).with_status(StatusCode::CREATED))
}

fn rotate(ask: &Ask<'_>, Body(body): Body<RotateBody>) -> Result<Answer<Json<SecretView>>, Trouble> {
    let later = || Instant::saturating_from_micros(ask.now.micros().saturating_add(OVERLAP_MICROS));
    let until = body.old_until.unwrap_or_else(later);
    let key = ask.tenure().rotate_key(&ask.permit, key(ask)?, until, ask.now)?;
    Ok(secret(&key, until))
}

fn revoke(ask: &Ask<'_>, (): ()) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().revoke_key(&ask.permit, key(ask)?, ask.now)?;
    Ok(Answer::done())
}

fn list(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<KeysView>>, Trouble> {
    // A part of one organisation's keys goes on in no other's list.
    let of = ask.permit.organisation().map_or("", |organisation| organisation.as_str());
    let list = List { name: "keys", of };
    let after = paging.after::<String>(list)?;
    let after = after.map(|after| parse_key_id(&after).ok_or(Code::CursorUnknown)).transpose()?;
    let mut keys = ask.tenure().keys(&ask.permit, after, paging.limit + 1, ask.now)?;
    let more = keys.len() > paging.limit;
    keys.truncate(paging.limit);
    let next = keys.last().filter(|_| more).map(|last| list.after(&last.id));
    Ok(Answer::ok(Json(KeysView { items: keys.into_iter().map(KeyShown::from).collect(), next })))
}
