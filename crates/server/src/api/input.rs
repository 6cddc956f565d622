//! What a handler takes: read before anybody is asked whether it may be done, and never more than is known.

use axum::http::header;
use serde::de::DeserializeOwned;
use tenure_access::{Change, Evidence, Said};
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use super::ask::Raw;
use super::cursor::List;
use super::describe::{Shapes, Takes, one_of, text};
use super::fault::{Code, Fault};
use super::json;
use super::stream::Incoming;

/// How a request's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyKind {
    /// There is none.
    None,
    /// JSON, read whole.
    Json,
    /// Lines of JSON, read while they are worked on.
    Lines,
}

/// What a handler takes.
pub(crate) trait Input: Sized + 'static {
    /// How the body is read.
    const BODY: BodyKind = BodyKind::None;

    /// Reads it from a request.
    fn read(raw: &mut Raw) -> Result<Self, Fault>;

    /// Says what it is.
    fn describe(takes: &mut Takes, shapes: &mut Shapes);

    /// What a person is said to have said, where somebody else passes it on.
    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        None
    }

    /// The change that is proposed, where one is.
    fn proposes(&self) -> Option<Change> {
        None
    }
}

/// Nothing but the path. A query is refused.
impl Input for () {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        Fields::read(raw)?.end()
    }

    fn describe(_: &mut Takes, _: &mut Shapes) {}
}

/// What a body says that matters to whether it may be done.
pub(crate) trait PassedOn {
    /// What the person said that somebody else passes on, and what shows it.
    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        None
    }

    /// The change that is proposed.
    fn proposes(&self) -> Option<Change> {
        None
    }
}

/// A body of JSON.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned + ToSchema + PassedOn + 'static> Input for Body<T> {
    const BODY: BodyKind = BodyKind::Json;

    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        Fields::read(raw)?.end()?;
        json::read(&raw.body).map(Self)
    }

    fn describe(takes: &mut Takes, shapes: &mut Shapes) {
        let schema = shapes.of::<T>();
        takes.body("application/json", schema);
    }

    fn said(&self) -> Option<(Said, Option<Evidence>)> {
        self.0.said()
    }

    fn proposes(&self) -> Option<Change> {
        self.0.proposes()
    }
}

/// A stream of lines.
pub(crate) struct Lines(pub(crate) Incoming);

impl Input for Lines {
    const BODY: BodyKind = BodyKind::Lines;

    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        Fields::read(raw)?.end()?;
        raw.stream.take().map(Self).ok_or_else(|| Code::Internal.into())
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        let says =
            "One object a line, in Tenure's own form: an account, or a conversation with its messages.";
        let lines = ObjectBuilder::new().schema_type(Type::String).description(Some(says));
        takes.body("application/x-ndjson", lines.into());
    }
}

/// Which part of a list.
pub(crate) struct Paging {
    cursor: Option<String>,
    pub(crate) limit: usize,
}

/// How many items a part of a list has unless it is said, and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 500;

impl Paging {
    /// After what the part begins; nothing for the first.
    pub(crate) fn after<T: std::str::FromStr>(&self, list: List<'_>) -> Result<Option<T>, Fault> {
        self.cursor.as_deref().map(|cursor| list.place(cursor)).transpose()
    }
}

impl Input for Paging {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        let mut fields = Fields::read(raw)?;
        let cursor = fields.take("cursor");
        let limit = fields.take("limit").map_or(Some(LIMIT), |limit| limit.parse().ok());
        let limit = limit.filter(|limit| (1..=LIMIT_MAX).contains(limit));
        let limit = limit.ok_or_else(|| {
            Fault::with(Code::QueryInvalid, format!("`limit` is a number from 1 to {LIMIT_MAX}"))
        })?;
        fields.end()?;
        Ok(Self { cursor, limit })
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        takes.query("cursor", "Where the list goes on: `next` of the part before.", text(2_000));
        let limit = ObjectBuilder::new().schema_type(Type::Integer);
        let limit = limit.format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)));
        let limit = limit.minimum(Some(1)).maximum(Some(LIMIT_MAX)).default(Some(LIMIT.into()));
        takes.query("limit", "How many items the part has at most.", limit);
    }
}

/// Which surface is asked about.
pub(crate) struct OnSurface(pub(crate) Option<String>);

impl Input for OnSurface {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        let mut fields = Fields::read(raw)?;
        let surface = fields.take("surface");
        fields.end()?;
        Ok(Self(surface))
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        takes.query("surface", "The one surface that is asked about; all, where it is left out.", text(200));
    }
}

/// In which form something is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// For programs.
    Json,
    /// For people.
    Page,
}

impl Input for Form {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        let mut fields = Fields::read(raw)?;
        let form = match fields.take("as").as_deref() {
            None | Some("json") => Self::Json,
            Some("page") => Self::Page,
            Some(_) => return Err(Fault::with(Code::QueryInvalid, "`as` is `json` or `page`")),
        };
        fields.end()?;
        Ok(form)
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        takes.query(
            "as",
            "`json` for programs, which is the default, or `page` for people.",
            one_of(&["json", "page"]),
        );
    }
}

/// The fields of a query, each of which is to be asked for.
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn read(raw: &Raw) -> Result<Self, Fault> {
        let query = raw.uri.query().unwrap_or_default();
        let fields: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if names.array_windows().any(|[one, next]| one == next) {
            return Err(Code::QueryInvalid.into());
        }
        Ok(Self(fields))
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(place).1)
    }

    pub(crate) fn end(self) -> Result<(), Fault> {
        if self.0.is_empty() { Ok(()) } else { Err(Code::QueryInvalid.into()) }
    }
}

/// Whether the body is of the type that is read.
pub(crate) fn check_type(kind: BodyKind, headers: &axum::http::HeaderMap) -> Result<(), Fault> {
    let expected: &[&str] = match kind {
        BodyKind::None => return Ok(()),
        BodyKind::Json => &["application/json"],
        BodyKind::Lines => &["application/x-ndjson", "application/jsonl"],
    };
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = sent.split(';').next().unwrap_or_default().trim();
    if expected.iter().any(|expected| essence.eq_ignore_ascii_case(expected)) {
        return Ok(());
    }
    Err(Fault::with(Code::ContentTypeUnsupported, format!("send `{}`", expected.join("` or `"))))
}
