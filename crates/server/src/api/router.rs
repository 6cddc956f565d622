//! The router: what is done before and after the one hop to a thread that may block.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, get, on};
use bytes::Bytes;
use tenure_access::Refusal;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::admission::bearer;
use super::answer::respond;
use super::ask::Raw;
use super::document::Document;
use super::endpoint::{Endpoint, Outcome};
use super::fault::{Code, Fault};
use super::input::{BodyKind, check_type};
use super::state::Api;
use super::stream::{collect, incoming};
use super::{endpoints, page};

/// The most bytes in which nothing can be said.
const NOTHING: usize = 2;

/// The API, with its document at `/openapi.json` and a page about it at `/docs`. What lies elsewhere is asked of
/// `rest`: the log's own router, whose endpoints the document describes too.
pub fn api_router(api: Api, rest: Option<Router>) -> Router {
    let api = Arc::new(api);
    let endpoints = endpoints();
    let document = Document::of(&endpoints);
    let mut router = Router::new();
    for endpoint in endpoints.into_iter().filter(|endpoint| !endpoint.meta.elsewhere) {
        let path = endpoint.meta.path;
        router = router.route(path, route(Arc::clone(&api), endpoint));
    }
    for path in document.open_to_browsers() {
        router = router.route(path, on(MethodFilter::OPTIONS, preflight));
    }
    let (json, html): (Bytes, Bytes) = (document.to_json().into(), page::of(&document).into());
    let router = router
        .route("/openapi.json", get(async move || whole("application/json", json.clone())))
        .route("/docs", get(async move || page::respond(html.clone())))
        .method_not_allowed_fallback(async || Fault::from(Code::MethodNotAllowed));
    match rest {
        Some(rest) => router.fallback_service(rest),
        None => router.fallback(async || Fault::from(Code::NotFound)),
    }
}

fn whole(kind: &'static str, body: Bytes) -> Response {
    respond(StatusCode::OK, kind, None, Body::from(body))
}

fn route(api: Arc<Api>, endpoint: Endpoint) -> MethodRouter {
    // Only methods that have a filter are registered.
    let filter = MethodFilter::try_from(endpoint.meta.method.clone()).unwrap_or(MethodFilter::TRACE);
    let endpoint = Arc::new(endpoint);
    on(filter, async move |request: Request| {
        let (api, endpoint) = (Arc::clone(&api), Arc::clone(&endpoint));
        match serve(api, endpoint, request).await {
            Ok(response) => response,
            Err(fault) => fault.into_response(),
        }
    })
}

async fn serve(api: Arc<Api>, endpoint: Arc<Endpoint>, request: Request) -> Result<Response, Fault> {
    let limit = if endpoint.meta.streams { api.limits.streaming } else { api.limits.request };
    timeout(limit, work(api, endpoint, request, limit)).await.unwrap_or_else(|_| Err(Code::TooSlow.into()))
}

async fn work(
    api: Arc<Api>,
    endpoint: Arc<Endpoint>,
    request: Request,
    limit: Duration,
) -> Result<Response, Fault> {
    let (mut parts, body) = request.into_parts();
    if !endpoint.meta.operation.is_public() && bearer(&parts.headers)?.is_none() {
        // Nobody is waited for who does not even say who they are.
        return Err(Refusal::CredentialMissing.into());
    }
    let params = RawPathParams::from_request_parts(&mut parts, &()).await.map_err(|_| Code::PathInvalid)?;
    let params = params.iter().map(|(name, value)| (name.into(), value.to_owned())).collect();
    let known = known_tags(&parts.method, &parts.headers);
    check_type(endpoint.meta.body, &parts.headers)?;
    let mut raw = Raw {
        method: parts.method,
        uri: parts.uri,
        params,
        headers: parts.headers,
        body: Bytes::new(),
        stream: None,
    };
    match endpoint.meta.body {
        // What nobody reads must not look as if it were obeyed.
        BodyKind::None => {
            if !collect(body, NOTHING).await.is_ok_and(|sent| matches!(&*sent, b"" | b"{}")) {
                return Err(Fault::body("it takes no body: leave it out"));
            }
        }
        BodyKind::Json => raw.body = collect(body, api.limits.body).await?,
        BodyKind::Lines => {
            let (stream, feed) = incoming(body, api.limits.stream);
            raw.stream = Some(stream);
            tokio::spawn(async move { drop(timeout(limit, feed).await) });
        }
    }
    let pool = Arc::clone(if endpoint.meta.streams { &api.streams } else { &api.jobs });
    let (reply, answered) = oneshot::channel();
    let job = pool.begin(move || (endpoint.job)(&api, &mut raw, reply)).await?;
    // The job goes on by itself, and answers before it ends.
    drop(job);
    match answered.await.map_err(|_| Code::Internal)?? {
        Outcome::Whole(encoded) => Ok(encoded.respond(known.as_deref())),
        Outcome::Streamed(kind, body) => Ok(respond(StatusCode::OK, kind, None, body)),
    }
}

/// The tags of what a reader has already.
fn known_tags(method: &Method, headers: &HeaderMap) -> Option<String> {
    if *method != Method::GET && *method != Method::HEAD {
        return None;
    }
    let values: Vec<&str> =
        headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    (!values.is_empty()).then(|| values.join(","))
}

/// Lets a browser ask with a token: it sends none by itself, so there is nothing that another page could abuse.
async fn preflight() -> Response {
    let mut response = respond(StatusCode::NO_CONTENT, "", None, Body::empty());
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, idempotency-key, if-none-match"),
        (header::ACCESS_CONTROL_MAX_AGE, "7200"),
    ];
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
