//! Records: flagged, given feedback, judged and explained, one by one and many at once.

use std::io::Write as _;

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenure_access::Operation;
use tenure_app::{RecordId, Scan, explain::Explanation};
use utoipa::ToSchema;

use super::views::RecordName;
use crate::api::answer::{Answer, Json, Nothing};
use crate::api::ask::{Ask, Trouble, gone};
use crate::api::endpoint::{Endpoint, Outlet, operation, streamed};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, PassedOn};

/// How many records are asked about at once.
const MANY: usize = 10_000;

/// A verdict.
#[derive(Serialize, ToSchema)]
#[schema(as = Verdict)]
struct VerdictView {
    /// The verdict, as `docs/verdict.md` describes it.
    #[schema(value_type = Object)]
    verdict: Value,
}

/// An explanation.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
struct ExplanationView {
    /// The record, its copies and why each is kept, what it may be used for and why not, and what would change that.
    #[schema(value_type = Object)]
    explanation: Explanation,
}

/// Records that are asked about.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RecordIds)]
struct RecordsBody {
    /// The records, 10,000 at most. A line of the answer is about each, in this order.
    #[schema(min_items = 1, max_items = 10_000)]
    records: Vec<RecordName>,
}

impl PassedOn for RecordsBody {}

pub(super) fn endpoints() -> Vec<Endpoint> {
    const FLAG: &str = "/v1/records/{record}/flag";
    const LINES: &str = "application/x-ndjson";
    const EACH: &str = "A line for each record: `record`, and what is known of it or the `problem`.";
    vec![
        operation(Operation::Flag, Method::PUT, FLAG, flag)
            .says("Flag a record", "Records that a classifier found the record to violate the usage policy.")
            .fails(&[Code::ProofDestroyed]),
        operation(Operation::ClearFlag, Method::DELETE, FLAG, clear_flag)
            .says(
                "Clear a flag",
                "Records that the record was looked at and does not violate the usage policy.",
            )
            .fails(&[Code::ProofDestroyed]),
        operation(Operation::GiveFeedback, Method::POST, "/v1/records/{record}/feedback", feedback)
            .says(
                "Give feedback",
                "Records a thumb or a report on the record, which keeps a copy of its own.",
            )
            .fails(&[Code::ProofDestroyed]),
        operation(Operation::ReadVerdict, Method::GET, "/v1/records/{record}/verdict", verdict)
            .says(
                "Read a verdict",
                "Whether the record may still be held, until when, and what it may be used for.",
            )
            .fails(&[Code::Refused]),
        operation(Operation::Explain, Method::GET, "/v1/records/{record}/explanation", explanation)
            .says("Explain a record", "Why each of its copies is still there, and what would change that.")
            .fails(&[Code::Refused]),
        streamed(Operation::ReadVerdicts, Method::POST, "/v1/verdicts", LINES, verdicts)
            .says("Read many verdicts", EACH),
        streamed(Operation::ExplainBulk, Method::POST, "/v1/explanations", LINES, explanations)
            .says("Explain many records", EACH),
    ]
}

fn record(ask: &Ask<'_>) -> Result<RecordId, Fault> {
    ask.raw.param("record")?.parse().map_err(|_| Code::PathInvalid.into())
}

fn flag(ask: &Ask<'_>, (): ()) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().scan(record(ask)?, Scan::Flagged, ask.now)?;
    Ok(Answer::done())
}

fn clear_flag(ask: &Ask<'_>, (): ()) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().scan(record(ask)?, Scan::Clear, ask.now)?;
    Ok(Answer::done())
}

fn feedback(ask: &Ask<'_>, (): ()) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().feedback(record(ask)?, ask.now)?;
    Ok(Answer::done())
}

fn verdict(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<VerdictView>>, Trouble> {
    let verdict = ask.tenure().verdict_to(record(ask)?, ask.sight(), ask.now)?;
    Ok(Answer::ok(Json(VerdictView { verdict })))
}

fn explanation(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<ExplanationView>>, Trouble> {
    let explanation = ask.tenure().explain_to(record(ask)?, ask.sight(), ask.now)?;
    Ok(Answer::ok(Json(ExplanationView { explanation })))
}

fn verdicts(ask: &Ask<'_>, body: Body<RecordsBody>, outlet: &mut Outlet) -> Result<(), Trouble> {
    each(ask, &body.0, outlet, "verdict", |record| ask.tenure().verdict_to(record, ask.sight(), ask.now))
}

fn explanations(ask: &Ask<'_>, body: Body<RecordsBody>, outlet: &mut Outlet) -> Result<(), Trouble> {
    each(ask, &body.0, outlet, "explanation", |record| ask.tenure().explain_to(record, ask.sight(), ask.now))
}

/// Writes a line for each record. What is wrong with one is said in its line.
fn each<T: Serialize>(
    ask: &Ask<'_>,
    body: &RecordsBody,
    outlet: &mut Outlet,
    name: &str,
    find: impl Fn(RecordId) -> Result<T, tenure_app::Error>,
) -> Result<(), Trouble> {
    if !(1..=MANY).contains(&body.records.len()) {
        return Err(Fault::body(format!("`records` has 1 to {MANY} ids")).into());
    }
    let out = outlet.begin()?;
    for RecordName(record) in body.records.iter().copied() {
        write!(out, "{{\"record\":\"{record}\",").map_err(gone)?;
        match find(record) {
            Ok(found) => {
                write!(out, "\"{name}\":").map_err(gone)?;
                serde_json::to_writer(&mut *out, &found).map_err(|_| Code::Internal)?;
            }
            Err(error) => {
                out.write_all(b"\"problem\":").map_err(gone)?;
                let fault = Trouble::from(error).into_fault(&ask.api.reporter);
                out.write_all(&fault.to_json()).map_err(gone)?;
            }
        }
        out.write_all(b"}\n").map_err(gone)?;
    }
    Ok(())
}
