//! The witness over HTTP, as c2sp.org/tlog-witness describes it.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use tenure_tlog::cosignature::Timestamp;
use tenure_tlog::note::MAX_NOTE_BYTES;
use tenure_tlog::witness::{
    AddCheckpoint, MAX_PROOF, Refusal, SIZE_CONTENT_TYPE, write_cosignatures, write_size,
};

use super::{AddError, Witness, place};
use crate::page;
use crate::problem::Problem;
use crate::tiles::Reporter;

/// A checkpoint, and before it a proof of lines of 45 bytes.
const BODY_BYTES_MAX: usize = MAX_NOTE_BYTES + 45 * MAX_PROOF + 32;
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Tells the time of cosignatures: [`Timestamp::NONE`] if it is not known, and then nothing is cosigned.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The time is what this function says.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Clock(..)")
    }
}

struct Served {
    witness: Arc<Witness>,
    clock: Clock,
    reporter: Reporter,
}

/// Serves a witness: `POST /add-checkpoint`, what it cosigned last of each log at
/// `/<SHA-256 of the origin>/checkpoint`, and a page about it at `/`.
pub fn witness_router(witness: Arc<Witness>, clock: Clock, reporter: Reporter) -> Router {
    Router::new()
        .route("/", get(about))
        .route("/add-checkpoint", post(add_checkpoint))
        .route("/{place}/checkpoint", get(latest))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::new(Served { witness, clock, reporter }))
}

async fn add_checkpoint(State(served): State<Arc<Served>>, body: Body) -> Result<Response, Problem> {
    let body = read(body).await?;
    let request = AddCheckpoint::parse(&body)
        .map_err(|error| Problem::new(StatusCode::BAD_REQUEST, "malformed", &error.to_string()))?;
    let judging = Arc::clone(&served);
    let judged = move || judging.witness.add_checkpoint(&request, judging.clock.now());
    match tokio::task::spawn_blocking(judged).await {
        Ok(Ok(cosignatures)) => {
            Ok(([(header::CONTENT_TYPE, TEXT)], write_cosignatures(&cosignatures)).into_response())
        }
        Ok(Err(AddError::Refused(refusal))) => refused(refusal),
        Ok(Err(error @ AddError::NoTime)) => {
            served.reporter.report(&error);
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "no_time", &error.to_string()))
        }
        Ok(Err(error)) => {
            served.reporter.report(&error);
            Err(Problem::internal())
        }
        Err(error) => {
            served.reporter.report(&error);
            Err(Problem::internal())
        }
    }
}

async fn read(body: Body) -> Result<Bytes, Problem> {
    let too_long = || {
        let detail = "the request is longer than one of this kind can be";
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_long", detail)
    };
    // What says beforehand that it is too long is not waited for.
    if usize::try_from(body.size_hint().lower()).is_ok_and(|length| length > BODY_BYTES_MAX) {
        return Err(too_long());
    }
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| too_long())
}

fn refused(refusal: Refusal) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(refusal.status()).map_err(|_| Problem::internal())?;
    if let Refusal::Stale { latest } = refusal {
        let headers = [(header::CONTENT_TYPE, HeaderValue::from_static(SIZE_CONTENT_TYPE))];
        return Ok((status, headers, write_size(latest)).into_response());
    }
    let code = match refusal {
        Refusal::UnknownLog => "unknown_log",
        Refusal::Untrusted => "untrusted",
        Refusal::OldSizeTooLarge => "old_size_too_large",
        Refusal::Fork => "fork",
        Refusal::Inconsistent => "inconsistent",
        _ => "refused",
    };
    Err(Problem::new(status, code, &refusal.to_string()))
}

async fn latest(State(served): State<Arc<Served>>, Path(asked): Path<String>) -> Result<Response, Problem> {
    let log = served.witness.logs().find(|log| place(log.origin()) == asked);
    let latest = log.and_then(|log| served.witness.latest(log.origin())).ok_or_else(Problem::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, TEXT),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    Ok((headers, latest.to_string()).into_response())
}

async fn about(State(served): State<Arc<Served>>) -> Result<Response, Problem> {
    let witness = &served.witness;
    let logs = witness.logs().map(|log| {
        let size = witness.latest(log.origin()).map_or(0, |latest| latest.checkpoint().size());
        (log.origin().to_string(), format!("{}/checkpoint", place(log.origin())), size)
    });
    page::witness(witness.name().as_str(), witness.keys(), logs.collect())
}
