//! What a handler gives, and what is kept of it for whoever asks again.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::describe::Shapes;
use super::fault::{Code, Fault};

/// The body of an answer.
pub(crate) trait Output: 'static {
    /// Its type; nothing where there is no body.
    const TYPE: &'static str;

    /// Writes it.
    fn write(self) -> Result<Vec<u8>, Fault>;

    /// Says what it is.
    fn describe(shapes: &mut Shapes) -> Option<RefOr<Schema>>;
}

/// JSON.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize + ToSchema + 'static> Output for Json<T> {
    const TYPE: &'static str = "application/json";

    fn write(self) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(&self.0).map_err(|_| Code::Internal.into())
    }

    fn describe(shapes: &mut Shapes) -> Option<RefOr<Schema>> {
        Some(shapes.of::<T>())
    }
}

/// Nothing.
pub(crate) struct Nothing;

impl Output for Nothing {
    const TYPE: &'static str = "";

    fn write(self) -> Result<Vec<u8>, Fault> {
        Ok(Vec::new())
    }

    fn describe(_: &mut Shapes) -> Option<RefOr<Schema>> {
        None
    }
}

/// A text.
pub(crate) struct Text(pub(crate) String);

impl Output for Text {
    const TYPE: &'static str = "text/plain; charset=utf-8";

    fn write(self) -> Result<Vec<u8>, Fault> {
        Ok(self.0.into_bytes())
    }

    fn describe(_: &mut Shapes) -> Option<RefOr<Schema>> {
        Some(ObjectBuilder::new().schema_type(Type::String).into())
    }
}

/// What a handler gives.
pub(crate) struct Answer<O> {
    status: StatusCode,
    tag: Option<String>,
    body: O,
    kept: Option<O>,
}

impl<O> Answer<O> {
    /// It is done, or it is this.
    pub(crate) const fn ok(body: O) -> Self {
        Self { status: StatusCode::OK, tag: None, body, kept: None }
    }

    /// With another status.
    pub(crate) fn with_status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// With something else for whoever asks again, since this is shown once.
    pub(crate) fn keeping(self, kept: O) -> Self {
        Self { kept: Some(kept), ..self }
    }

    /// With a strong tag, of which the state that it shows is a function and which is one of it.
    pub(crate) fn tagged(self, tag: &str) -> Self {
        Self { tag: Some(format!("\"{tag}\"")), ..self }
    }
}

impl Answer<Nothing> {
    /// It is done, and there is nothing to say.
    pub(crate) const fn done() -> Self {
        Self { status: StatusCode::NO_CONTENT, tag: None, body: Nothing, kept: None }
    }
}

/// The head of an answer as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    status: u16,
    kind: String,
    tag: Option<String>,
}

/// An answer as bytes.
#[derive(Debug)]
pub(crate) struct Encoded {
    head: Head,
    body: Vec<u8>,
    /// What is kept for whoever asks again, where that is less.
    kept: Option<Vec<u8>>,
}

impl Encoded {
    pub(crate) fn of<O: Output>(answer: Answer<O>) -> Result<Self, Fault> {
        let head = Head { status: answer.status.as_u16(), kind: O::TYPE.to_owned(), tag: answer.tag };
        let kept = answer.kept.map(O::write).transpose()?;
        Ok(Self { head, body: answer.body.write()?, kept })
    }

    pub(crate) const fn status(&self) -> u16 {
        self.head.status
    }

    /// The form that is kept: a line of JSON, and the body.
    pub(crate) fn to_bytes(&self) -> Result<Vec<u8>, Fault> {
        let mut bytes = serde_json::to_vec(&self.head).map_err(|_| Code::Internal)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(self.kept.as_ref().unwrap_or(&self.body));
        Ok(bytes)
    }

    /// Reads that form.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, Fault> {
        let end = bytes.iter().position(|byte| *byte == b'\n').ok_or(Code::Internal)?;
        let (head, body) = bytes.split_at_checked(end).ok_or(Code::Internal)?;
        let head = serde_json::from_slice(head).map_err(|_| Code::Internal)?;
        Ok(Self { head, body: body.get(1..).unwrap_or_default().to_vec(), kept: None })
    }

    /// The answer to somebody who has what has one of these tags.
    pub(crate) fn respond(self, known: Option<&str>) -> Response {
        let tag = self.head.tag.as_deref();
        let is_known = tag.zip(known).is_some_and(|(tag, known)| has(known, tag));
        let status = StatusCode::from_u16(self.head.status).unwrap_or(StatusCode::OK);
        let (status, body) = match status {
            StatusCode::OK if is_known => (StatusCode::NOT_MODIFIED, Body::empty()),
            status => (status, Body::from(self.body)),
        };
        let kind = if status == StatusCode::NOT_MODIFIED { "" } else { &self.head.kind };
        respond(status, kind, tag, body)
    }
}

/// Whether a list of tags has one, by the weak comparison (RFC 9110 section 13.1.2).
fn has(known: &str, tag: &str) -> bool {
    known
        .split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// An answer with the headers that all have.
pub(crate) fn respond(status: StatusCode, kind: &str, tag: Option<&str>, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    if let Some(kind) = HeaderValue::from_str(kind).ok().filter(|kind| !kind.is_empty()) {
        headers.insert(header::CONTENT_TYPE, kind);
    }
    if let Some(tag) = tag.and_then(|tag| HeaderValue::from_str(tag).ok()) {
        headers.insert(header::ETAG, tag);
    }
    // What is asked about a person is asked anew each time, and is no one else's.
    let kept = if tag.is_some() { "private, no-cache" } else { "no-store" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
