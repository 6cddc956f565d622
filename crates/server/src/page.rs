//! Pages for people: plain, without scripts, readable on a narrow screen.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use tenure_tlog::checkpoint::SignedCheckpoint;
use tenure_tlog::note::{SignatureType, VerifierKey};

use crate::problem::Problem;
use crate::source::KnownLog;

/// A key as a page shows it.
struct Key {
    kind: &'static str,
    text: String,
}

impl From<&VerifierKey> for Key {
    fn from(key: &VerifierKey) -> Self {
        let kind = match key.signature_type() {
            SignatureType::Ed25519 => "Ed25519",
            SignatureType::Ed25519Cosignature => "Ed25519 cosignatures",
            SignatureType::MlDsa44Cosignature => "ML-DSA-44",
            _ => "another kind",
        };
        Self { kind, text: key.to_string() }
    }
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage<'p> {
    origin: &'p str,
    /// Size, root, and the whole checkpoint.
    state: Option<(u64, String, String)>,
    keys: Vec<Key>,
}

/// The page about a log.
pub(crate) fn log(log: &KnownLog, checkpoint: Option<&SignedCheckpoint>) -> Result<Response, Problem> {
    let state = checkpoint.map(|signed| {
        let text = signed.checkpoint().to_string();
        let root = text.lines().nth(2).unwrap_or_default().to_owned();
        (signed.checkpoint().size(), root, signed.to_string())
    });
    let keys = log.keys().iter().map(Key::from).collect();
    page(&LogPage { origin: log.origin().as_str(), state, keys })
}

#[derive(Template)]
#[template(path = "witness.html")]
struct WitnessPage<'p> {
    name: &'p str,
    keys: Vec<Key>,
    /// Origin, the place of its latest checkpoint, and its size.
    logs: Vec<(String, String, u64)>,
}

/// The page about a witness.
pub(crate) fn witness(
    name: &str,
    keys: &[VerifierKey],
    logs: Vec<(String, String, u64)>,
) -> Result<Response, Problem> {
    page(&WitnessPage { name, keys: keys.iter().map(Key::from).collect(), logs })
}

fn page(template: &impl Template) -> Result<Response, Problem> {
    let body = template.render().map_err(|_| Problem::internal())?;
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ),
    ];
    let headers = headers.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok((headers, body).into_response())
}
