//! Accounts: opened, told about, closed, erased.

use std::collections::BTreeMap;

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::Operation;
use tenure_app::{AccountFacts, AccountRow, Condition};
use tenure_model::Instant;
use utoipa::ToSchema;

use super::views::{Country, not_ahead};
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::Code;
use crate::api::input::{Body, PassedOn};
use crate::files::hex;

/// What is told of an account. What is left out stays as it is known.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountFacts)]
struct FactsBody {
    /// The person's present country.
    country: Option<Country>,
    /// Whether the person is a minor.
    minor: Option<bool>,
    /// When the account was opened with the operator.
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_at: Option<Instant>,
    /// Whether it is closed. What was closed is not opened again.
    closed: Option<bool>,
}

impl PassedOn for FactsBody {}

/// An account.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
struct AccountView {
    /// The operator's pseudonymous id.
    account: String,
    /// The present country; null where nobody told.
    country: Option<String>,
    /// Whether the person is a minor; null where nobody told.
    minor: Option<bool>,
    /// When the account was opened; null where nobody told.
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_at: Option<Instant>,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Instant>,
    /// How many statements its chain has.
    statements: u64,
    /// The head of its chain, in hexadecimal: what an `on` must follow, and the tag of the account.
    head: String,
}

fn shown(row: AccountRow) -> Answer<Json<AccountView>> {
    let head = hex(&row.chain.head);
    let view = AccountView {
        account: row.id,
        country: row.facts.country,
        minor: row.facts.minor,
        opened_at: row.facts.opened_at,
        closed_at: row.facts.closed_at,
        statements: row.chain.version,
        head: head.clone(),
    };
    Answer::ok(Json(view)).tagged(&head)
}

/// What became of everything that an account had.
#[derive(Serialize, ToSchema)]
#[schema(as = Erased)]
struct ErasedView {
    /// How many records were deleted.
    records: u64,
    /// How many copies were destroyed at once, by class.
    destroyed: BTreeMap<String, u64>,
    /// How many copies are left for the sweep, or for as long as something keeps them.
    left: u64,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        operation(Operation::OpenAccount, Method::PUT, "/v1/accounts/{account}", open)
            .says(
                "Open an account",
                "Opens an account, or tells what is known of one that is open. `If-None-Match: *` only opens, and \
                 `If-Match` only changes what has that tag. To change an account takes `change-account` too.",
            )
            .or(StatusCode::CREATED)
            .fails(&[Code::PreconditionFailed, Code::Refused]),
        operation(Operation::ChangeAccount, Method::PATCH, "/v1/accounts/{account}", change)
            .says("Change an account", "Corrects what is known of an account, or closes it.")
            .fails(&[Code::PreconditionFailed, Code::ProofDestroyed]),
        operation(Operation::ReadAccount, Method::GET, "/v1/accounts/{account}", read)
            .says("Read an account", "What is known of an account. The tag changes with its chain."),
        operation(Operation::ReadAccount, Method::GET, "/v1/me", read)
            .says("Read my account", "What is known of the account of the token."),
        operation(Operation::EraseAccount, Method::DELETE, "/v1/accounts/{account}", erase)
            .says(ERASE, ERASE_MORE)
            .fails(&[Code::ProofDestroyed]),
        operation(Operation::EraseAccount, Method::DELETE, "/v1/me", erase)
            .says(ERASE, ERASE_MORE)
            .fails(&[Code::ProofDestroyed]),
    ]
}

const ERASE: &str = "Erase an account";
const ERASE_MORE: &str = "Deletes everything of an account and closes it. Where nothing keeps any copy of it, all of \
                          them are destroyed before the answer; what is left is destroyed by the next sweep, or when \
                          what keeps it ends.";

fn facts(body: FactsBody, now: Instant) -> AccountFacts {
    AccountFacts {
        country: body.country.map(String::from),
        minor: body.minor,
        opened_at: not_ahead(body.opened_at, now),
        closed_at: body.closed.filter(|closed| *closed).map(|_| now),
        ..AccountFacts::default()
    }
}

fn open(ask: &Ask<'_>, Body(body): Body<FactsBody>) -> Result<Answer<Json<AccountView>>, Trouble> {
    let (account, facts) = (ask.account()?, facts(body, ask.now));
    let condition = ask.condition(Condition::Any)?;
    if matches!(condition, Condition::Any | Condition::Absent) {
        match ask.tenure().set_account_if(account, facts.clone(), Condition::Absent, ask.now) {
            Ok(row) => return Ok(shown(row).with_status(StatusCode::CREATED)),
            Err(tenure_app::Error::AccountDiffers) if condition == Condition::Any => {}
            Err(error) => return Err(error.into()),
        }
    }
    ask.also(Operation::ChangeAccount)?;
    let condition = if condition == Condition::Any { Condition::There } else { condition };
    Ok(shown(ask.tenure().set_account_if(account, facts, condition, ask.now)?))
}

fn change(ask: &Ask<'_>, Body(body): Body<FactsBody>) -> Result<Answer<Json<AccountView>>, Trouble> {
    let (account, facts) = (ask.account()?, facts(body, ask.now));
    let condition = ask.condition(Condition::There)?;
    Ok(shown(ask.tenure().set_account_if(account, facts, condition, ask.now)?))
}

fn read(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<AccountView>>, Trouble> {
    Ok(shown(ask.tenure().account(ask.account()?)?))
}

fn erase(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<ErasedView>>, Trouble> {
    let erased = ask.tenure().erase_account(ask.account()?, ask.now)?;
    let view = ErasedView { records: erased.records, destroyed: erased.destroyed, left: erased.left };
    Ok(Answer::ok(Json(view)))
}
