//! `/livez`, `/readyz` and `/metrics`, for the operator alone.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::health::Health;
use super::metrics::Metrics;
use crate::problem::Problem;

const NOT_KEPT: (header::HeaderName, HeaderValue) =
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
const JSON: (header::HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
const PROMETHEUS: (header::HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));

/// What an operator asks a process: does it live, should it be sent requests, and how does it do.
///
/// Nobody is asked who they are, so it belongs on an address that only the operator reaches.
pub fn operate_router(health: Health, metrics: Metrics) -> Router {
    let metrics = move || {
        let page = metrics.render();
        async move { ([NOT_KEPT, PROMETHEUS], page) }
    };
    Router::new()
        .route("/livez", get(async || ([NOT_KEPT, JSON], "{\"alive\":true}\n")))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(health)
}

async fn ready(State(health): State<Health>) -> Response {
    let told = health.told();
    let status = if told.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let Ok(body) = serde_json::to_string(&told) else { return Problem::internal().into_response() };
    (status, [NOT_KEPT, JSON], body + "\n").into_response()
}
