//! The OpenAPI document, built from the endpoints and from the types that they read and write.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::{Method, StatusCode};
use tenure_access::{Operation, Refusal};
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::info::InfoBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, ParameterIn, PathItem, PathsBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ComponentsBuilder, ObjectBuilder, Schema, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{OpenApi, OpenApiBuilder, RefOr, Required};

use super::describe::{Shapes, Takes, parameter, pattern, text};
use super::endpoint::{Aim, Endpoint, Meta};
use super::fault::{Code, ProblemBody, status_of};
use super::input::BodyKind;
use super::page::group_of;

/// One problem that an endpoint can have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) says: String,
}

/// The document, and what the page about it shows.
pub(crate) struct Document {
    api: OpenApi,
    pub(crate) endpoints: Vec<Endpoint>,
}

impl Document {
    pub(crate) fn of(endpoints: &[Endpoint]) -> Self {
        let mut shapes = Shapes::default();
        let problem = shapes.of::<ProblemBody<'static>>();
        let mut paths: BTreeMap<&'static str, PathItem> = BTreeMap::new();
        for endpoint in endpoints {
            let item =
                PathItem::new(method(&endpoint.meta.method), describe(endpoint, &mut shapes, &problem));
            paths.entry(endpoint.meta.path).or_default().merge_operations(item);
        }
        let paths = paths.into_iter().fold(PathsBuilder::new(), |paths, (path, item)| paths.path(path, item));
        let components = ComponentsBuilder::new()
            .schemas_from_iter(shapes.0)
            .security_scheme(KEY, scheme("An API key, of the role that an operation asks for."))
            .security_scheme(TOKEN, scheme("A subject token: one account, one purpose, an hour at most."));
        let info = InfoBuilder::new()
            .title("Tenure")
            .version("1")
            .description(Some(ABOUT))
            .license(Some(utoipa::openapi::License::new("Apache-2.0")));
        let api = OpenApiBuilder::new().info(info).paths(paths).components(Some(components.build())).build();
        Self { api, endpoints: endpoints.to_vec() }
    }

    pub(crate) fn to_json(&self) -> String {
        // It holds texts and numbers only.
        self.api.to_pretty_json().unwrap_or_default() + "\n"
    }

    /// The paths of which a browser may ask with a token.
    pub(crate) fn open_to_browsers(&self) -> BTreeSet<&'static str> {
        let open = self.endpoints.iter().filter(|endpoint| endpoint.meta.operation.purpose().is_some());
        open.map(|endpoint| endpoint.meta.path).collect()
    }
}

const KEY: &str = "key";
const TOKEN: &str = "token";
pub(crate) const ABOUT: &str = "Consent, retention and training-use control for the conversations that people have with AI \
                     products. Instants are RFC 3339. Every problem has a code that never changes, and says \
                     nothing about a person.";

fn scheme(says: &str) -> SecurityScheme {
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(says));
    SecurityScheme::Http(scheme.build())
}

fn method(method: &Method) -> HttpMethod {
    match *method {
        Method::PUT => HttpMethod::Put,
        Method::POST => HttpMethod::Post,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

fn describe(
    endpoint: &Endpoint,
    shapes: &mut Shapes,
    problem: &RefOr<Schema>,
) -> utoipa::openapi::path::Operation {
    let meta = &endpoint.meta;
    let mut takes = Takes::default();
    (endpoint.takes)(&mut takes, shapes);
    takes.parameters.splice(0..0, named_in(meta.path));
    takes.parameters.extend(headers(meta));
    let (kind, schema) = (endpoint.gives.0, (endpoint.gives.1)(shapes));
    let about = ExtensionsBuilder::new().add("x-tenure-operation", meta.operation.word()).build();
    let tag = group_of(meta.path);
    let mut operation = OperationBuilder::new()
        .tag(tag)
        .operation_id(Some(meta.id.as_str()))
        .summary(Some(meta.summary))
        .description(Some(meta.description))
        .parameters(Some(takes.parameters))
        .request_body(takes.body)
        .extensions(Some(about));
    for scheme in schemes(meta.operation, meta.aim) {
        operation = operation.security(scheme);
    }
    for status in &meta.succeeds {
        let mut response = ResponseBuilder::new().description(status.canonical_reason().unwrap_or_default());
        if let Some(schema) = schema.clone().filter(|_| *status != StatusCode::NO_CONTENT) {
            response = response.content(kind, ContentBuilder::new().schema(Some(schema)).build());
        }
        if endpoint.gives_page {
            let page = ObjectBuilder::new().schema_type(Type::String);
            response = response.content("text/html", ContentBuilder::new().schema(Some(page)).build());
        }
        operation = operation.response(status.as_str(), response.build());
    }
    let mut by_status: BTreeMap<u16, Vec<Told>> = BTreeMap::new();
    for told in problems(meta) {
        by_status.entry(told.status).or_default().push(told);
    }
    for (status, told) in by_status {
        operation = operation.response(status.to_string(), problem_response(&told, problem));
    }
    operation.build()
}

fn problem_response(told: &[Told], problem: &RefOr<Schema>) -> Response {
    let lines: Vec<String> = told.iter().map(|told| format!("`{}`: {}.", told.code, told.says)).collect();
    let content = ContentBuilder::new().schema(Some(problem.clone())).build();
    ResponseBuilder::new()
        .description(lines.join("\n\n"))
        .content("application/problem+json", content)
        .build()
}

/// Who may call, as far as a document can say it.
fn schemes(operation: Operation, aim: Aim) -> Vec<SecurityRequirement> {
    let none: [&str; 0] = [];
    let (key, token) = (!operation.roles().is_empty() && aim != Aim::Mine, operation.purpose().is_some());
    let named = [(key, KEY), (token, TOKEN)];
    named.iter().filter(|(may, _)| *may).map(|(_, name)| SecurityRequirement::new(*name, none)).collect()
}

/// Every problem that an endpoint can have: its own, and those of its form.
pub(crate) fn problems(meta: &Meta) -> Vec<Told> {
    let mut codes: Vec<Code> = meta.fails.clone();
    codes.extend([Code::QueryInvalid, Code::HeaderInvalid, Code::Internal, Code::Unavailable]);
    if !meta.elsewhere {
        codes.extend([Code::Busy, Code::TooSlow]);
    }
    if meta.path.contains('{') {
        codes.push(Code::PathInvalid);
    }
    match meta.aim {
        Aim::Account | Aim::Mine => codes.push(Code::AccountUnknown),
        Aim::Record => codes.push(Code::RecordUnknown),
        Aim::Change if meta.path.contains('{') => codes.push(Code::ChangeUnknown),
        Aim::House | Aim::Held | Aim::Reader | Aim::Change => {}
    }
    match meta.body {
        BodyKind::None if meta.elsewhere => {}
        BodyKind::None => codes.push(Code::BodyInvalid),
        BodyKind::Json => codes.extend([
            Code::JsonMalformed,
            Code::JsonTooDeep,
            Code::BodyCutShort,
            Code::BodyTooLarge,
            Code::BodyInvalid,
            Code::ContentTypeUnsupported,
        ]),
        BodyKind::Lines => codes.extend([Code::StreamMalformed, Code::ContentTypeUnsupported]),
    }
    if meta.writes && meta.body != BodyKind::Lines {
        codes.extend([Code::IdempotencyUnderWay, Code::IdempotencyKeyReused]);
    }
    let own = codes.iter().map(|code| Told {
        status: code.status().as_u16(),
        code: code.word(),
        says: code.says().to_owned(),
    });
    let refused = refusals(meta).into_iter().map(|refusal| Told {
        status: status_of(refusal).as_u16(),
        code: refusal.code(),
        says: refusal.to_string(),
    });
    let told: BTreeSet<Told> = own.chain(refused).collect();
    told.into_iter().collect()
}

/// The refusals that somebody who calls an endpoint can meet.
fn refusals(meta: &Meta) -> Vec<Refusal> {
    use Refusal as R;
    if meta.operation.is_public() {
        return Vec::new();
    }
    let mut refusals =
        vec![R::CredentialMissing, R::KeyMalformed, R::KeyUnknown, R::KeyExpired, R::KeyRevoked];
    refusals.extend([R::TokenMalformed, R::TokenKeyUnknown, R::TokenForged, R::TokenAudience]);
    refusals.extend([R::TokenNotYet, R::TokenExpired]);
    match meta.operation.purpose() {
        Some(purpose) => {
            refusals.extend([R::PurposeOther, R::AccountOther]);
            if purpose.is_once() {
                refusals.push(R::TokenSpent);
            }
        }
        None => refusals.push(R::StaffOnly),
    }
    if meta.aim == Aim::Mine {
        refusals.push(R::PersonOnly);
    } else {
        refusals.extend([R::RoleInsufficient, R::ScopeInsufficient, R::OrganisationOther]);
    }
    refusals.extend_from_slice(&meta.refuses);
    refusals
}

/// The parts of a path that stand for something.
fn named_in(path: &str) -> Vec<utoipa::openapi::path::Parameter> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let described = names.map(|name| {
        let (says, schema) = match name {
            "account" => ("The operator's pseudonymous id of the account.", visible(255)),
            "record" => ("The record.", pattern("^r-[0-9a-f]{32}$")),
            "conversation" => {
                ("The conversation, by its id here or by the one that its source gave it.", visible(2_000))
            }
            "leaf" => ("The place of the leaf in the log, from 0.", pattern("^(0|[1-9][0-9]{0,18})$")),
            "policy" => ("The policy.", visible(255)),
            "version" => ("The version of the policy.", visible(255)),
            "hold" => ("The hold.", visible(255)),
            "reader" => ("Who: a role or a pseudonym.", pattern("^[a-z0-9][a-z0-9._-]{0,63}$")),
            "run" => ("The run.", pattern("^run-[0-9a-f]{32}$")),
            "key" => ("The id of the API key.", pattern("^[0-9a-f]{16}$")),
            "change" => ("The change.", pattern("^change-[0-9a-f]{32}$")),
            _ => ("See the description.", text(2_000)),
        };
        parameter(ParameterIn::Path, name.trim_start_matches('*'), says, Required::True, schema)
    });
    described.collect()
}

/// A text without control characters.
fn visible(longest: usize) -> ObjectBuilder {
    text(longest).pattern(Some(r"^[^\u0000-\u001f\u007f-\u009f]+$"))
}

const TAG: &str = "The tag of what is to be changed.";

/// The headers that an endpoint looks at.
fn headers(meta: &Meta) -> Vec<utoipa::openapi::path::Parameter> {
    let header = |name: &str, says: &str, form: &str| {
        parameter(ParameterIn::Header, name, says, Required::False, pattern(form))
    };
    let mut found = Vec::new();
    if meta.writes && meta.body != BodyKind::Lines && !meta.operation.is_public() {
        let says = "The same request again with the same key is done once.";
        found.push(header("Idempotency-Key", says, "^[!-~]{1,255}$"));
    }
    if meta.fails.contains(&Code::PreconditionMissing) {
        // It is a version here, and has to be named.
        let tag = pattern(r#"^"[1-9][0-9]{0,8}"$"#);
        found.push(parameter(ParameterIn::Header, "If-Match", TAG, Required::True, tag));
    } else if meta.fails.contains(&Code::PreconditionFailed) && meta.aim != Aim::Change {
        found.push(header("If-Match", TAG, r#"^"[0-9a-f]{64}"$"#));
    }
    found
}
