//! The API: what products, people and staff ask of Tenure over HTTP.
//!
//! | Module | What it is |
//! |---|---|
//! | `state` | [`Api`]: Tenure, a clock and limits |
//! | `router` | [`api_router`]: what happens before and after the one hop to a thread that may block |
//! | `endpoint` | an operation at a path, and what does it |
//! | `admission` | from a credential to a permit, and what is done once |
//! | `ask` | a request as it came, and as a handler sees it once it is permitted |
//! | `input`, `answer`, `json`, `stream`, `cursor` | what a handler takes and gives |
//! | `fault`, `errors` | problems, each with a code that never changes |
//! | `document`, `page` | the OpenAPI document and the page about it, both made from the endpoints |
//! | `handlers` | what is done, one module for each kind of thing |
//!
//! # Adding an endpoint
//! Write its handler in a module of `handlers`: a function of an `Ask`, which holds the permit, and of
//! what it takes. Add it to the module's list with `endpoint::operation`, say what it does, and name the problems
//! that are its own. A test fails for an operation without an endpoint, and for a problem that is not named. Then
//! write the document anew with `UPDATE=1 cargo nextest run -p tenure-server document`.

mod admission;
mod answer;
mod ask;
mod cursor;
mod describe;
mod document;
mod endpoint;
mod errors;
mod fault;
mod handlers;
mod input;
mod json;
mod page;
mod pool;
mod router;
mod state;
mod stream;

use handlers::endpoints;

pub use fault::Code;
pub use router::api_router;
pub use state::{Api, ApiLimits};

/// The OpenAPI document of the API.
pub fn openapi_document() -> String {
    document::Document::of(&endpoints()).to_json()
}

/// An operation, the method and path at which it is done, and its id in the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The operation.
    pub operation: tenure_access::Operation,
    /// The method.
    pub method: axum::http::Method,
    /// The path, with names in braces for its parts.
    pub path: &'static str,
    /// The id in the document.
    pub id: String,
}

/// Every endpoint there is.
pub fn routes() -> Vec<Route> {
    let route = |endpoint: endpoint::Endpoint| Route {
        operation: endpoint.meta.operation,
        method: endpoint.meta.method.clone(),
        path: endpoint.meta.path,
        id: endpoint.meta.id.clone(),
    };
    endpoints().into_iter().map(route).collect()
}
