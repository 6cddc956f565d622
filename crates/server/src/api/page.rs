//! The page about the API, made from what the document is made from: no scripts, nothing from elsewhere.

use std::collections::BTreeSet;

use askama::Template;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;

use super::answer;
use super::describe::{Shapes, Takes};
use super::document::{ABOUT, Document, Told, problems};
use super::endpoint::{Aim, Endpoint};

struct Group {
    name: &'static str,
    endpoints: Vec<Shown>,
}

struct Shown {
    id: String,
    summary: &'static str,
    /// In pieces: every other one stood between back ticks.
    description: Vec<&'static str>,
    method: String,
    path: &'static str,
    operation: &'static str,
    who: String,
    parameters: Vec<(String, String)>,
    codes: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "api.html")]
struct ApiPage {
    about: &'static str,
    groups: Vec<Group>,
    problems: BTreeSet<Told>,
}

/// The page about what a document describes.
pub(crate) fn of(document: &Document) -> String {
    let mut groups: Vec<Group> = Vec::new();
    let mut known = BTreeSet::new();
    for endpoint in &document.endpoints {
        known.extend(problems(&endpoint.meta));
        let name = group_of(endpoint.meta.path);
        match groups.iter_mut().find(|group| group.name == name) {
            Some(group) => group.endpoints.push(shown(endpoint)),
            None => groups.push(Group { name, endpoints: vec![shown(endpoint)] }),
        }
    }
    // It has no part that could fail to be written.
    ApiPage { about: ABOUT, groups, problems: known }.render().unwrap_or_default()
}

/// The group that a path belongs to.
pub(crate) fn group_of(path: &'static str) -> &'static str {
    path.strip_prefix("/v1/").map_or("log", |rest| rest.split('/').next().unwrap_or(rest))
}

fn shown(endpoint: &Endpoint) -> Shown {
    let meta = &endpoint.meta;
    let mut takes = Takes::default();
    (endpoint.takes)(&mut takes, &mut Shapes::default());
    let parameters = takes.parameters.into_iter();
    Shown {
        id: meta.id.clone(),
        summary: meta.summary,
        description: meta.description.split('`').collect(),
        method: meta.method.to_string(),
        path: meta.path,
        operation: meta.operation.word(),
        who: who(endpoint),
        parameters: parameters
            .map(|parameter| (parameter.name, parameter.description.unwrap_or_default()))
            .collect(),
        codes: problems(meta).into_iter().map(|told| told.code).collect(),
    }
}

fn who(endpoint: &Endpoint) -> String {
    let operation = endpoint.meta.operation;
    if operation.is_public() {
        return "everybody".to_owned();
    }
    let roles = operation.roles().iter().filter(|_| endpoint.meta.aim != Aim::Mine);
    let mut who: Vec<String> = roles.map(|role| format!("keys of {role}")).collect();
    who.extend(operation.purpose().map(|purpose| format!("tokens to {purpose}")));
    who.join(", ")
}

/// The page as an answer.
pub(crate) fn respond(page: Bytes) -> Response {
    let mut response = answer::respond(StatusCode::OK, "text/html; charset=utf-8", None, Body::from(page));
    let policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    response
}
