//! What a person decides and acknowledges, by themselves or as somebody else passes it on.

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::{Evidence, Operation, Refusal, Said};
use tenure_app::{Answer as Decided, Reply, parse_head};
use tenure_model::Choice;
use tenure_receipts::Receipt;
use utoipa::ToSchema;

use super::views::{ReceiptView, evidence, head_after};
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, PassedOn};
use crate::operate::metrics;

/// A decision for one purpose.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Decision)]
struct DecisionBody {
    /// The purpose.
    #[schema(min_length = 1, max_length = 200)]
    purpose: String,
    /// The answer. An `off` is always taken.
    #[schema(value_type = String, pattern = "^(on|off)$")]
    choice: Choice,
    /// The version that the person saw, as `version` or `policy@version`; the newest announced one that asks, where
    /// it is left out.
    #[schema(min_length = 1, max_length = 400)]
    version: Option<String>,
    /// The head of the account's chain that the person's screen was made from. An `on` needs it, so that one that
    /// comes late or twice never undoes an `off`.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    follows: Option<String>,
}

impl PassedOn for DecisionBody {}

/// A decision that the person gave elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PassedOnDecision)]
struct PassedOnDecision {
    /// The purpose.
    #[schema(min_length = 1, max_length = 200)]
    purpose: String,
    /// The answer. An `off` is always taken.
    #[schema(value_type = String, pattern = "^(on|off)$")]
    choice: Choice,
    /// The version that the person saw.
    #[schema(min_length = 1, max_length = 400)]
    version: Option<String>,
    /// The head of the account's chain that the person's screen was made from; an `on` needs it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    follows: Option<String>,
    /// The SHA-256 of what shows how the person said it, which the operator keeps; an `on` needs it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    evidence: Option<String>,
}

impl PassedOn for PassedOnDecision {
    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        let said = match self.choice {
            Choice::On => Said::On,
            Choice::Off => Said::Off,
        };
        Some((said, self.evidence.as_deref().and_then(evidence)))
    }
}

/// That a person has read a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Acknowledgement)]
struct AcknowledgementBody {
    /// The version, as `version` or `policy@version`.
    #[schema(min_length = 1, max_length = 400)]
    version: String,
}

impl PassedOn for AcknowledgementBody {}

/// That a person said elsewhere that they have read a version.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PassedOnAcknowledgement)]
struct PassedOnAcknowledgement {
    /// The version, as `version` or `policy@version`.
    #[schema(min_length = 1, max_length = 400)]
    version: String,
    /// The SHA-256 of what shows how the person said it, which the operator keeps.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    evidence: String,
}

impl PassedOn for PassedOnAcknowledgement {
    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        Some((Said::Acknowledged, evidence(&self.evidence)))
    }
}

/// What was stated, with a receipt for each policy that it was stated under.
#[derive(Serialize, ToSchema)]
#[schema(as = Stated)]
struct StatedView {
    /// The receipts, for the person to keep.
    receipts: Vec<ReceiptView>,
    /// The head of the account's chain from now on.
    head: String,
}

const FAILS: [Code; 7] = [
    Code::AccountClosed,
    Code::VersionUnknown,
    Code::VersionNotAnnounced,
    Code::VersionWithdrawn,
    Code::VersionAmbiguous,
    Code::ProofDestroyed,
    Code::Refused,
];
const DECIDES: [Code; 3] = [Code::ChainMoved, Code::PurposeUnknown, Code::PurposeAmbiguous];

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        operation(Operation::Decide, Method::POST, "/v1/me/decisions", decide)
            .named("decide")
            .says("Decide", "Records the decision of the person who calls, and gives the receipts for it.")
            .fails(&FAILS)
            .fails(&DECIDES)
            .creates(),
        operation(Operation::Acknowledge, Method::POST, "/v1/me/acknowledgements", acknowledge)
            .named("acknowledge")
            .says("Acknowledge a version", "Records that the person who calls has read a version.")
            .fails(&FAILS)
            .creates(),
        operation(
            Operation::DecideOnBehalf,
            Method::POST,
            "/v1/accounts/{account}/decisions",
            decide_on_behalf,
        )
        .says(
            "Pass a decision on",
            "Records a decision that a person gave elsewhere, and gives the receipts for it. An `on` needs evidence.",
        )
        .fails(&FAILS)
        .fails(&DECIDES)
        .refuses(&[Refusal::EvidenceMissing])
        .creates(),
        operation(
            Operation::DecideOnBehalf,
            Method::POST,
            "/v1/accounts/{account}/acknowledgements",
            acknowledge_on_behalf,
        )
        .named("acknowledge-on-behalf")
        .says("Pass an acknowledgement on", "Records that a person said elsewhere that they have read a version.")
        .fails(&FAILS)
        .refuses(&[Refusal::EvidenceMissing])
        .creates(),
    ]
}

fn decided(
    purpose: String,
    choice: Choice,
    version: Option<String>,
    follows: Option<&str>,
) -> Result<Decided, Fault> {
    let head = follows.map(|follows| {
        parse_head(follows)
            .ok_or_else(|| Fault::body("`follows` is not 64 hexadecimal digits in small letters"))
    });
    let reply = match (choice, head.transpose()?) {
        (Choice::Off, _) => Reply::Off,
        (Choice::On, Some(follows)) => Reply::On { follows },
        (Choice::On, None) => {
            let needs = "an `on` needs `follows`: the head of the account's chain as its standing shows it";
            return Err(Fault::body(needs));
        }
    };
    Ok(Decided { purpose, reply, version })
}

fn stated(receipts: &[Receipt]) -> Result<Answer<Json<StatedView>>, Trouble> {
    let head = receipts.last().map(head_after).ok_or(Code::Internal)?;
    let receipts = receipts.iter().map(ReceiptView::of).collect::<Result<_, _>>()?;
    Ok(Answer::ok(Json(StatedView { receipts, head })).with_status(StatusCode::CREATED))
}

fn decide(ask: &Ask<'_>, Body(body): Body<DecisionBody>) -> Result<Answer<Json<StatedView>>, Trouble> {
    let answer = decided(body.purpose, body.choice, body.version, body.follows.as_deref())?;
    let receipts = ask.tenure().decide(ask.account()?, answer, ask.now)?;
    metrics::decided(word(body.choice));
    stated(&receipts)
}

fn decide_on_behalf(
    ask: &Ask<'_>,
    Body(body): Body<PassedOnDecision>,
) -> Result<Answer<Json<StatedView>>, Trouble> {
    let evidence = given(body.evidence.as_deref())?;
    let answer = decided(body.purpose, body.choice, body.version, body.follows.as_deref())?;
    let receipts = ask.tenure().decide_on_behalf(ask.account()?, answer, evidence, ask.now)?;
    metrics::decided(word(body.choice));
    stated(&receipts)
}

/// What is counted of a decision that is durable.
const fn word(choice: Choice) -> &'static str {
    match choice {
        Choice::On => "on",
        Choice::Off => "off",
    }
}

/// The digest of the evidence, where there is some.
fn given(text: Option<&str>) -> Result<Option<[u8; 32]>, Fault> {
    let wrong = || Fault::body("`evidence` is not 64 hexadecimal digits in small letters");
    text.map(|text| evidence(text).map(|Evidence(digest)| digest).ok_or_else(wrong)).transpose()
}

fn acknowledge(
    ask: &Ask<'_>,
    Body(body): Body<AcknowledgementBody>,
) -> Result<Answer<Json<StatedView>>, Trouble> {
    let receipt = ask.tenure().acknowledge(ask.account()?, &body.version, ask.now)?;
    metrics::decided("acknowledged");
    stated(&[receipt])
}

fn acknowledge_on_behalf(
    ask: &Ask<'_>,
    Body(body): Body<PassedOnAcknowledgement>,
) -> Result<Answer<Json<StatedView>>, Trouble> {
    let evidence = given(Some(&body.evidence))?.ok_or(Code::Internal)?;
    let receipt = ask.tenure().acknowledge_on_behalf(ask.account()?, &body.version, evidence, ask.now)?;
    metrics::decided("acknowledged");
    stated(&[receipt])
}
