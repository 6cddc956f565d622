//! What went wrong with a request: a problem (RFC 9457) with a code that never changes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tenure_access::{Kind, Refusal};
use utoipa::ToSchema;

macro_rules! codes {
    ($($variant:ident: $status:ident, $word:literal, $says:literal;)+) => {
        /// Why a request was not done, but for the refusals of `tenure-access`, which have codes of their own.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $says] $variant),+ }

        impl Code {
            /// Every code there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word by which a program knows it. It never changes.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The status of the answer.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// What it says, the same each time.
            pub const fn says(self) -> &'static str {
                match self { $(Self::$variant => $says),+ }
            }
        }
    };
}

codes! {
    JsonMalformed: BAD_REQUEST, "json-malformed",
        "the body is not valid JSON: mend it at the line and column that are named";
    JsonTooDeep: BAD_REQUEST, "json-too-deep", "the body is nested too deeply: send it flatter";
    BodyCutShort: BAD_REQUEST, "body-cut-short", "the body ended before it was whole: send it again";
    StreamMalformed: BAD_REQUEST, "stream-malformed",
        "the stream can't be read to its end: mend it, and send all of it again, since nothing is taken twice";
    PathInvalid: BAD_REQUEST, "path-invalid", "a part of the path is not an id of its kind: see the document";
    QueryInvalid: BAD_REQUEST, "query-invalid",
        "the query has a field that is unknown, given twice, or has a wrong value: see the document";
    HeaderInvalid: BAD_REQUEST, "header-invalid", "a header has not the form that it should have";
    NotFound: NOT_FOUND, "not-found", "nothing lies at this path (yet)";
    AccountUnknown: NOT_FOUND, "account-unknown", "there is no such account: open it first";
    RecordUnknown: NOT_FOUND, "record-unknown", "there is no such record";
    ConversationUnknown: NOT_FOUND, "conversation-unknown", "the account has no such conversation";
    CursorUnknown: NOT_FOUND, "cursor-unknown",
        "the cursor is not one that this list gave: begin again without one";
    SurfaceUnknown: NOT_FOUND, "surface-unknown", "no published policy knows the surface";
    VersionUnknown: NOT_FOUND, "version-unknown", "no published policy has the version";
    PurposeUnknown: NOT_FOUND, "purpose-unknown",
        "no published policy has the purpose, or nobody decides on it";
    HoldUnknown: NOT_FOUND, "hold-unknown", "there is no such hold, or it was released already";
    RunUnknown: NOT_FOUND, "run-unknown", "there is no such run";
    LeafUnknown: NOT_FOUND, "leaf-unknown", "the log has no such leaf yet";
    KeyUnknown: NOT_FOUND, "api-key-unknown", "there is no such API key";
    ChangeUnknown: NOT_FOUND, "change-unknown", "no such change was proposed";
    PolicyUnknown: NOT_FOUND, "policy-unknown", "no such version of a policy was published";
    MethodNotAllowed: METHOD_NOT_ALLOWED, "method-not-allowed", "this path does not take this method";
    ChainMoved: CONFLICT, "chain-moved",
        "the account's choices have moved on since: read its standing again, show it, and then decide";
    SaysOff: CONFLICT, "says-off", "the account has said off, and this `on` does not say that it came later";
    AccountClosed: CONFLICT, "account-closed", "the account is closed";
    ConversationMoved: CONFLICT, "conversation-moved",
        "the conversation has changed while it was taken in: send it again";
    VersionWithdrawn: CONFLICT, "version-withdrawn",
        "the version was withdrawn and counts as never published: use another";
    VersionPublished: CONFLICT, "version-published",
        "the version is published already with other text, and published text never changes";
    SurfaceTaken: CONFLICT, "surface-taken", "the surface belongs to another policy already";
    LosesTooMuch: CONFLICT, "loses-too-much", "the publication would take the basis of more copies than it may";
    Guarded: CONFLICT, "guarded", "the sweep would destroy more than it may";
    DestructionPaused: CONFLICT, "destruction-paused", "destruction is paused: resume it first";
    ObservesOnly: CONFLICT, "observes-only", "Tenure only observes here, and destroys nothing";
    SweptElsewhere: CONFLICT, "swept-elsewhere", "another process is destroying what is due: wait until it has";
    FolderMissing: CONFLICT, "folder-missing",
        "the service has no folder for what this writes: name one where it is configured";
    Refused: CONFLICT, "refused", "this can't be done as things are";
    IdempotencyUnderWay: CONFLICT, "idempotency-under-way",
        "the first request of this `Idempotency-Key` is still under way: ask again in a moment";
    VersionAmbiguous: CONFLICT, "version-ambiguous",
        "several policies have a version of that name: name the one that is meant as `policy@version`";
    PurposeAmbiguous: CONFLICT, "purpose-ambiguous",
        "several policies ask about the purpose: name the version that the person saw as `policy@version`";
    VersionNotAnnounced: CONFLICT, "version-not-announced", "the version is not announced yet";
    PolicyRefused: CONFLICT, "policy-refused", "the compiler refuses the policy";
    ConversationRefused: CONFLICT, "conversation-refused", "the conversation was not taken";
    IdempotencyKeyReused: CONFLICT, "idempotency-key-reused",
        "this `Idempotency-Key` came with another request before: give each request its own";
    ProofDestroyed: GONE, "proof-destroyed",
        "the evidence of this account's decisions was destroyed after its term, so nothing opens it";
    PreconditionFailed: PRECONDITION_FAILED, "precondition-failed",
        "it is not as the request says that it is: read it again";
    BodyTooLarge: PAYLOAD_TOO_LARGE, "body-too-large", "the body is larger than is taken here: send less at once";
    ContentTypeUnsupported: UNSUPPORTED_MEDIA_TYPE, "content-type-unsupported",
        "the body is of another type than is taken here: see the document";
    BodyInvalid: UNPROCESSABLE_ENTITY, "body-invalid",
        "the body is JSON, and not what is asked for: see the document";
    PreconditionMissing: PRECONDITION_REQUIRED, "precondition-missing",
        "this is done only to what you have seen: send its tag as `If-Match`";
    Internal: INTERNAL_SERVER_ERROR, "internal", "something went wrong here: try again in a moment";
    Busy: SERVICE_UNAVAILABLE, "busy", "too much waits here already: try again in a moment";
    Stopping: SERVICE_UNAVAILABLE, "stopping", "the sweep was told to end before its next step: the next one goes on where it was";
    TooSlow: SERVICE_UNAVAILABLE, "too-slow",
        "the request took too long, and may still be done: ask what became of it before you send it again";
    Unavailable: SERVICE_UNAVAILABLE, "unavailable",
        "what is stored can't be reached, and a write may have been done: ask before you send it again";
}

/// The code of a fault: one of ours, or a refusal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    Code(Code),
    Refusal(Refusal),
}

/// Why a request was not done. Nothing of the inside is told, and nothing that was sent is repeated.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    cause: Cause,
    detail: Option<String>,
    place: Option<(u64, u64)>,
}

impl Code {
    /// Whether it is certain that nothing was done where this is answered. What failed inside may stand.
    pub(crate) const fn did_nothing(self) -> bool {
        !matches!(self, Self::Internal | Self::Unavailable | Self::Stopping)
    }
}

/// A problem, as RFC 9457 describes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody<'a> {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// What happened and what to do, the same for each problem of this code.
    title: &'a str,
    /// The status of the answer.
    status: u16,
    /// The word by which a program knows the problem. It never changes.
    code: &'a str,
    /// What there is to say of this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    /// The line of the body at which it shows, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    /// The column of that line, from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
}

impl Fault {
    /// A fault that has more to say than its code.
    pub(crate) fn with(code: Code, detail: impl Into<String>) -> Self {
        Self { cause: Cause::Code(code), detail: Some(detail.into()), place: None }
    }

    /// A body that is JSON and not what is asked for.
    /// Whether it is certain that nothing was done.
    pub(crate) const fn did_nothing(&self) -> bool {
        match &self.cause {
            Cause::Code(code) => code.did_nothing(),
            Cause::Refusal(_) => true,
        }
    }

    pub(crate) fn body(detail: impl Into<String>) -> Self {
        Self::with(Code::BodyInvalid, detail)
    }

    pub(crate) fn at(self, line: u64, column: u64) -> Self {
        Self { place: Some((line, column)), ..self }
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        match self.cause {
            Cause::Code(code) => code.status(),
            Cause::Refusal(refusal) => status_of(refusal),
        }
    }

    /// The problem as bytes.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let (word, title) = match &self.cause {
            Cause::Code(code) => (code.word(), code.says().to_owned()),
            Cause::Refusal(refusal) => (refusal.code(), refusal.to_string()),
        };
        let body = ProblemBody {
            kind: format!("/docs#{word}"),
            title: &title,
            status: self.status().as_u16(),
            code: word,
            detail: self.detail.as_deref(),
            line: self.place.map(|(line, _)| line),
            column: self.place.map(|(_, column)| column),
        };
        // It holds texts and numbers only.
        serde_json::to_vec(&body).unwrap_or_default()
    }

    /// How long to wait before asking again, in seconds, where that may help.
    fn retry_after(&self) -> Option<u64> {
        match self.cause {
            Cause::Code(Code::Busy | Code::IdempotencyUnderWay) => Some(1),
            Cause::Code(Code::Unavailable | Code::Stopping | Code::SweptElsewhere | Code::TooSlow) => Some(5),
            _ => None,
        }
    }
}

impl From<Code> for Fault {
    fn from(code: Code) -> Self {
        Self { cause: Cause::Code(code), detail: None, place: None }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self { cause: Cause::Refusal(refusal), detail: None, place: None }
    }
}

/// The status of a refusal.
pub(crate) const fn status_of(refusal: Refusal) -> StatusCode {
    match refusal.kind() {
        Kind::Unidentified => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Unacceptable => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut answer = (self.status(), self.to_json()).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status() == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}
