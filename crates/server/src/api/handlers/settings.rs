//! What is set for destruction as a whole: paused, only observed, and within which time.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use tenure_access::Operation;
use utoipa::ToSchema;

use super::erasure::span;
use crate::api::answer::{Answer, Json, Nothing};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::Code;
use crate::api::input::{Body, PassedOn};

/// A pause.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PauseRequest)]
struct PauseBody {
    /// Why, in 500 bytes at most and without naming a person: reports show it.
    #[schema(max_length = 500)]
    why: String,
}

/// What resuming came to.
#[derive(Serialize, ToSchema)]
#[schema(as = Resumed)]
struct ResumedView {
    /// Whether destruction was paused.
    was_paused: bool,
}

/// Whether Tenure only observes.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ObserveRequest)]
struct ObserveBody {
    /// `true` to judge and report and destroy nothing, `false` to destroy what is due.
    observe: bool,
}

/// Within which time copies must be gone.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = EraseWithinRequest)]
struct WithinBody {
    /// The time from when a copy is due until it must be verified absent, such as `30 days`.
    #[schema(pattern = "^[0-9]{1,3} (hour|day|week|month|year)s?$")]
    within: String,
}

impl PassedOn for PauseBody {}
impl PassedOn for ObserveBody {}
impl PassedOn for WithinBody {}

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        operation(Operation::PauseDestruction, Method::POST, "/v1/erasure/pause", pause)
            .says(
                "Pause destruction",
                "When this has answered, no step that destroys is under way where it was asked, and none begins anywhere.",
            )
            .fails(&[Code::Refused]),
        operation(Operation::ResumeDestruction, Method::POST, "/v1/erasure/resume", resume)
            .says("Resume destruction", "Lets destruction go on; the next sweep destroys what is due."),
        operation(Operation::SetObserve, Method::PUT, "/v1/erasure/observe", observe)
            .says("Set observing", "Has Tenure judge and report and destroy nothing, or destroy what is due."),
        operation(Operation::SetEraseWithin, Method::PUT, "/v1/erasure/within", within)
            .says("Set the time for erasure", "Within which time of when it is due a copy must be verified absent."),
    ]
}

fn pause(ask: &Ask<'_>, Body(body): Body<PauseBody>) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().pause(&body.why, ask.now)?;
    Ok(Answer::done())
}

fn resume(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<ResumedView>>, Trouble> {
    Ok(Answer::ok(Json(ResumedView { was_paused: ask.tenure().resume()? })))
}

fn observe(ask: &Ask<'_>, Body(body): Body<ObserveBody>) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().observe_only(body.observe)?;
    Ok(Answer::done())
}

fn within(ask: &Ask<'_>, Body(body): Body<WithinBody>) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().set_erase_within(span(&body.within, "within")?)?;
    Ok(Answer::done())
}
