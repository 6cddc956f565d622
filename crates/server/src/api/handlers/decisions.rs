//! What a person decides and acknowledges, by themselves or as somebody else passes it on.

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::{Evidence, Operation, Refusal, Said};
use tenure_app::{Answer as Decided, Reply};
use tenure_receipts::Receipt;
use utoipa::ToSchema;

use super::views::{Digits, ReceiptView, head_after};
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::Code;
use crate::api::input::{Body, PassedOn};
use crate::operate::metrics;

/// A decision for one purpose.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "choice", rename_all = "lowercase", deny_unknown_fields)]
#[schema(as = Decision)]
enum DecisionBody {
    /// Yes.
    On {
        /// The purpose.
        #[schema(min_length = 1, max_length = 200)]
        purpose: String,
        /// The version that the person saw, as `version` or `policy@version`; the newest announced one that asks,
        /// where it is left out.
        #[schema(min_length = 1, max_length = 400)]
        version: Option<String>,
        /// The head of the account's chain that the person's screen was made from, so that a yes which comes late or
        /// twice never undoes a no.
        follows: Digits,
    },
    /// No, which is always taken.
    Off {
        /// The purpose.
        #[schema(min_length = 1, max_length = 200)]
        purpose: String,
        /// The version that the person saw.
        #[schema(min_length = 1, max_length = 400)]
        version: Option<String>,
    },
}

impl PassedOn for DecisionBody {}

/// A decision that the person gave elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "choice", rename_all = "lowercase", deny_unknown_fields)]
#[schema(as = PassedOnDecision)]
enum PassedOnDecision {
    /// Yes.
    On {
        /// The purpose.
        #[schema(min_length = 1, max_length = 200)]
        purpose: String,
        /// The version that the person saw.
        #[schema(min_length = 1, max_length = 400)]
        version: Option<String>,
        /// The head of the account's chain that the person's screen was made from.
        follows: Digits,
        /// The SHA-256 of what shows how the person said it, which the operator keeps. Without it a yes is refused.
        evidence: Option<Digits>,
    },
    /// No, which is always taken.
    Off {
        /// The purpose.
        #[schema(min_length = 1, max_length = 200)]
        purpose: String,
        /// The version that the person saw.
        #[schema(min_length = 1, max_length = 400)]
        version: Option<String>,
        /// The SHA-256 of what shows how the person said it.
        evidence: Option<Digits>,
    },
}

impl PassedOn for PassedOnDecision {
    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        let (said, evidence) = match self {
            Self::On { evidence, .. } => (Said::On, evidence),
            Self::Off { evidence, .. } => (Said::Off, evidence),
        };
        Some((said, evidence.map(|Digits(digest)| Evidence(digest))))
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
    evidence: Digits,
}

impl PassedOn for PassedOnAcknowledgement {
    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        Some((Said::Acknowledged, Some(Evidence(self.evidence.0))))
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

fn stated(receipts: &[Receipt]) -> Result<Answer<Json<StatedView>>, Trouble> {
    let head = receipts.last().map(head_after).ok_or(Code::Internal)?;
    let receipts = receipts.iter().map(ReceiptView::of).collect::<Result<_, _>>()?;
    Ok(Answer::ok(Json(StatedView { receipts, head })).with_status(StatusCode::CREATED))
}

fn decide(ask: &Ask<'_>, Body(body): Body<DecisionBody>) -> Result<Answer<Json<StatedView>>, Trouble> {
    let answer = match body {
        DecisionBody::On { purpose, version, follows: Digits(follows) } => {
            Decided { purpose, version, reply: Reply::On { follows } }
        }
        DecisionBody::Off { purpose, version } => Decided { purpose, version, reply: Reply::Off },
    };
    let choice = word(&answer.reply);
    let receipts = ask.tenure().decide(ask.account()?, answer, ask.now)?;
    metrics::decided(choice);
    stated(&receipts)
}

fn decide_on_behalf(
    ask: &Ask<'_>,
    Body(body): Body<PassedOnDecision>,
) -> Result<Answer<Json<StatedView>>, Trouble> {
    let (answer, evidence) = match body {
        PassedOnDecision::On { purpose, version, follows: Digits(follows), evidence } => {
            (Decided { purpose, version, reply: Reply::On { follows } }, evidence)
        }
        PassedOnDecision::Off { purpose, version, evidence } => {
            (Decided { purpose, version, reply: Reply::Off }, evidence)
        }
    };
    let evidence = evidence.map(|Digits(digest)| digest);
    let choice = word(&answer.reply);
    let receipts = ask.tenure().decide_on_behalf(ask.account()?, answer, evidence, ask.now)?;
    metrics::decided(choice);
    stated(&receipts)
}

/// What is counted of a decision that is durable.
const fn word(reply: &Reply) -> &'static str {
    match reply {
        Reply::On { .. } => "on",
        Reply::Off => "off",
    }
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
    Body(PassedOnAcknowledgement { version, evidence: Digits(evidence) }): Body<PassedOnAcknowledgement>,
) -> Result<Answer<Json<StatedView>>, Trouble> {
    let receipt = ask.tenure().acknowledge_on_behalf(ask.account()?, &version, evidence, ask.now)?;
    metrics::decided("acknowledged");
    stated(&[receipt])
}
