//! One line for each request, and its figures. Both know it by the template of its route.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use tracing::Instrument as _;

use super::metrics;
use crate::followed::{Follow, followed};

/// The header of an answer that bears the id of its request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How the log names a request that no route takes: its path could be anything.
const NO_ROUTE: &str = "none";

/// Which requests have a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// Every one.
    All,
    /// Those that were answered with an error, or not to the end.
    Failed,
}

/// What a request is called: in the log, in its answer, and in whatever it makes happen.
///
/// It is made here and says nothing. One that a client sends is not taken over, since it could be a person's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(Arc<str>);

impl RequestId {
    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Watches the requests of a listener.
#[derive(Clone, Debug)]
pub struct Watch {
    told: Told,
    /// Random, so that the ids of two processes differ.
    process: u32,
    counted: Arc<AtomicU64>,
}

impl Watch {
    /// Watches requests. `process` tells this process from others that log to the same place.
    pub fn new(told: Told, process: u32) -> Self {
        Self { told, process, counted: Arc::default() }
    }

    /// The same, with lines for other requests.
    #[must_use]
    pub fn telling(self, told: Told) -> Self {
        Self { told, ..self }
    }

    fn next_id(&self) -> RequestId {
        let number = self.counted.fetch_add(1, Ordering::Relaxed);
        RequestId(format!("{:08x}-{number:08x}", self.process).into())
    }

    /// Has every request of a router watched.
    pub(crate) fn over(self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self, watch))
    }
}

/// Has a router that others fall back to say which of its routes took a request, since they can't see that.
pub fn named(router: Router) -> Router {
    router.layer(middleware::from_fn(async |request: Request, next: Next| {
        let path = request.extensions().get::<MatchedPath>().cloned();
        let mut answer = next.run(request).await;
        if let Some(path) = path {
            answer.extensions_mut().insert(path);
        }
        answer
    }))
}

async fn watch(State(watch): State<Watch>, mut request: Request, next: Next) -> Response {
    let id = watch.next_id();
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>().map(|path| Arc::from(path.as_str()));
    let mut line = Line::begin(watch.told, id.clone(), method, route.unwrap_or_else(|| NO_ROUTE.into()));
    request.extensions_mut().insert(id.clone());
    let span = tracing::info_span!(
        target: "tenure::request",
        "request",
        "otel.kind" = "server",
        "http.request.method" = method,
        "http.route" = &*line.route,
        "http.response.status_code" = tracing::field::Empty,
    );
    let mut answer = next.run(request).instrument(span.clone()).await;
    if let Some(path) = answer.extensions().get::<MatchedPath>() {
        line.route = path.as_str().into();
        span.record("http.route", path.as_str());
    }
    span.record("http.response.status_code", answer.status().as_u16());
    line.answered(answer.status());
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    answer.map(|body| followed(body, line))
}

/// The method, unless a client made it up.
fn method(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// A line that is written when its request is over, however that comes about.
struct Line {
    told: Told,
    id: RequestId,
    method: &'static str,
    route: Arc<str>,
    began: Instant,
    /// What it was answered with, and how long that took. Nothing where the client went away before.
    answered: Option<(StatusCode, f64)>,
    bytes: usize,
    whole: bool,
}

impl Line {
    fn begin(told: Told, id: RequestId, method: &'static str, route: Arc<str>) -> Self {
        metrics::request_began();
        Self { told, id, method, route, began: Instant::now(), answered: None, bytes: 0, whole: false }
    }

    fn answered(&mut self, status: StatusCode) {
        self.answered = Some((status, self.began.elapsed().as_secs_f64()));
    }
}

impl Follow for Line {
    fn sent(&mut self, bytes: usize) {
        self.bytes += bytes;
    }

    fn ended(&mut self) {
        self.whole = true;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let whole_ms = milliseconds(self.began.elapsed().as_secs_f64());
        // As other servers say it where the client closed the connection before there was an answer.
        let (status, seconds) = self
            .answered
            .map_or((499, self.began.elapsed().as_secs_f64()), |(status, took)| (status.as_u16(), took));
        metrics::request_ended(self.method, &self.route, status, seconds);
        if self.told == Told::Failed && status < 400 && self.whole {
            return;
        }
        tracing::info!(
            target: "tenure::request",
            request = self.id.as_str(),
            method = self.method,
            route = &*self.route,
            status,
            ms = milliseconds(seconds),
            whole_ms,
            bytes = self.bytes,
            whole = self.whole,
            "request"
        );
    }
}

/// Milliseconds with two digits behind the point.
fn milliseconds(seconds: f64) -> f64 {
    (seconds * 100_000.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_a_client_made_up_is_not_repeated() {
        assert_eq!(method(&Method::GET), "GET");
        assert_eq!(method(&Method::from_bytes(b"JOHN-SMITH").unwrap()), "other");
    }

    #[test]
    fn ids_differ_between_requests_and_between_processes() {
        let (one, other) = (Watch::new(Told::All, 1), Watch::new(Told::All, 2));
        assert_eq!(one.next_id().as_str(), "00000001-00000000");
        assert_eq!(one.next_id().as_str(), "00000001-00000001");
        assert_eq!(other.next_id().as_str(), "00000002-00000000");
    }
}
