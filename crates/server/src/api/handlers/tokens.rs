//! Subject tokens: what a back end gives to the browser of one person. Each purpose is an operation of its own.

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use tenure_access::{Refusal, TokenPurpose};
use tenure_app::TokenTerms;
use tenure_model::Instant;
use utoipa::ToSchema;

use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::input::{Body, PassedOn};

/// How long a token is good for unless it is said.
const SECONDS: i64 = 600;
/// How long before now a token begins, for servers whose clocks are a little behind.
const EARLIER_MICROS: i64 = 5_000_000;

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TokenRequest)]
struct TokenBody {
    /// How many seconds it is to be good for, 3,595 at most; 600 where it is left out.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3595)]
    seconds: Option<Number>,
}

impl PassedOn for TokenBody {}

/// A token. It is shown once.
#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
struct TokenView {
    /// The token, for the browser of this one person.
    token: String,
    /// What it is for.
    purpose: &'static str,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    until: Instant,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let mint = |purpose: TokenPurpose, path, handler| {
        operation(purpose.minting(), Method::POST, path, handler)
            .says(
                "Mint a subject token",
                "Mints a token with which a browser can act for this account and no other.",
            )
            .creates()
            .refuses(&[Refusal::TokenLifetime])
    };
    vec![
        mint(TokenPurpose::Read, "/v1/accounts/{account}/tokens/read", read),
        mint(TokenPurpose::Decide, "/v1/accounts/{account}/tokens/decide", decide),
        mint(TokenPurpose::Delete, "/v1/accounts/{account}/tokens/delete", delete),
        mint(TokenPurpose::Export, "/v1/accounts/{account}/tokens/export", export),
    ]
}

type Minted = Result<Answer<Json<TokenView>>, Trouble>;

fn read(ask: &Ask<'_>, body: Body<TokenBody>) -> Minted {
    mint(ask, TokenPurpose::Read, &body.0)
}

fn decide(ask: &Ask<'_>, body: Body<TokenBody>) -> Minted {
    mint(ask, TokenPurpose::Decide, &body.0)
}

fn delete(ask: &Ask<'_>, body: Body<TokenBody>) -> Minted {
    mint(ask, TokenPurpose::Delete, &body.0)
}

fn export(ask: &Ask<'_>, body: Body<TokenBody>) -> Minted {
    mint(ask, TokenPurpose::Export, &body.0)
}

fn mint(ask: &Ask<'_>, purpose: TokenPurpose, body: &TokenBody) -> Minted {
    let later = |micros: i64| Instant::saturating_from_micros(ask.now.micros().saturating_add(micros));
    let seconds = body.seconds.as_ref().map_or(Some(SECONDS), whole);
    let micros = seconds.filter(|seconds| *seconds > 0).and_then(|seconds| seconds.checked_mul(1_000_000));
    let until = later(micros.ok_or(Refusal::TokenLifetime)?);
    let terms = TokenTerms { audience: &ask.api.audience, from: later(-EARLIER_MICROS), until };
    let token = ask.tenure().mint_token(&ask.permit, terms, ask.now)?;
    let view = TokenView { token: token.to_string(), purpose: purpose.word(), until };
    Ok(Answer::ok(Json(view)).with_status(StatusCode::CREATED))
}

/// A whole number, also where it is written with a point.
fn whole(number: &Number) -> Option<i64> {
    let text = number.to_string();
    text.strip_suffix(".0").unwrap_or(&text).parse().ok()
}
