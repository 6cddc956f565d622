//! The log over HTTP, as c2sp.org/tlog-tiles describes it, and a page that says which log it is.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sha2::{Digest as _, Sha256};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::tile::Resource;

use crate::files::hex;
use crate::page;
use crate::problem::Problem;
use crate::source::{KnownLog, LogSource};

/// What is under a path below `tile/` never changes.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// What changes is asked for anew each time, which costs little where it has not changed.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");

/// Is told of errors that a client is not told of.
trait Report: Fn(&dyn Error) + Send + Sync {}

impl<F: Fn(&dyn Error) + Send + Sync> Report for F {}

/// Where errors go that a client is not told of.
#[derive(Clone)]
pub struct Reporter(Arc<dyn Report>);

impl Reporter {
    /// Reports to this function.
    pub fn new(report: impl Fn(&dyn Error) + Send + Sync + 'static) -> Self {
        Self(Arc::new(report))
    }

    pub(crate) fn report(&self, error: &dyn Error) {
        (self.0)(error);
    }
}

impl fmt::Debug for Reporter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Reporter(..)")
    }
}

struct Served {
    source: Arc<dyn LogSource>,
    log: KnownLog,
    reporter: Reporter,
}

/// Serves a log: its checkpoint, tiles and entries, and a page about it at `/`.
pub fn tiles_router(source: Arc<dyn LogSource>, log: KnownLog, reporter: Reporter) -> Router {
    Router::new()
        .route("/", get(about))
        .route("/checkpoint", get(resource))
        .route("/tile/{*place}", get(resource))
        .fallback(async || Problem::not_found())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .with_state(Arc::new(Served { source, log, reporter }))
}

async fn resource(
    State(served): State<Arc<Served>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // The path as it was sent: each resource has one spelling, and no escapes.
    let path = uri.path().strip_prefix('/').unwrap_or_default();
    let resource: Resource = path.parse().map_err(|_| Problem::not_found())?;
    let bytes = served.read(resource).await?.ok_or_else(Problem::not_found)?;
    let shared = [
        (header::CONTENT_TYPE, HeaderValue::from_static(resource.content_type())),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        // Receipts are verified in browsers too, and there is nothing here that anyone may not read.
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    if resource != Resource::Checkpoint {
        return Ok((shared, [(header::CACHE_CONTROL, FOREVER)], bytes).into_response());
    }
    let tag = entity_tag(&bytes);
    let value = HeaderValue::from_str(&tag).map_err(|_| Problem::internal())?;
    let fresh = [(header::CACHE_CONTROL, ASK_AGAIN), (header::ETAG, value)];
    if is_known(&headers, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, fresh).into_response());
    }
    Ok((shared, fresh, bytes).into_response())
}

async fn about(State(served): State<Arc<Served>>) -> Result<Response, Problem> {
    let checkpoint = served.read(Resource::Checkpoint).await?;
    let checkpoint = checkpoint.and_then(|bytes| SignedCheckpoint::parse(&bytes).ok());
    page::log(&served.log, checkpoint.as_ref())
}

impl Served {
    /// Reads where that may block.
    async fn read(self: &Arc<Self>, resource: Resource) -> Result<Option<Vec<u8>>, Problem> {
        let served = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || served.source.resource(resource)).await;
        match read {
            Ok(Ok(bytes)) => Ok(bytes),
            Ok(Err(error)) => {
                self.reporter.report(&error);
                Err(Problem::new(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "log-unreadable",
                    "the log could not be read; try again in a moment",
                ))
            }
            Err(error) => {
                self.reporter.report(&error);
                Err(Problem::internal())
            }
        }
    }
}

/// A strong validator: the bytes are the same whenever it is.
fn entity_tag(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    format!("\"{}\"", hex(digest.get(..16).unwrap_or_default()))
}

/// Whether a client has the version of this tag (RFC 9110 section 13.1.2; a weak comparison).
fn is_known(headers: &HeaderMap, tag: &str) -> bool {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}
