//! What is done, by kind of thing. Each handler calls one use case and shows what came of it.

#![expect(clippy::needless_pass_by_value, reason = "a handler is given what was read for it")]

mod accounts;
mod conversations;
mod decisions;
mod export;
mod lists;
mod log;
mod records;
mod standing;
mod tokens;
mod views;

use super::endpoint::Endpoint;

/// Every endpoint, in the order in which the page shows them.
pub(crate) fn endpoints() -> Vec<Endpoint> {
    [
        accounts::endpoints(),
        decisions::endpoints(),
        standing::endpoints(),
        conversations::endpoints(),
        lists::endpoints(),
        records::endpoints(),
        export::endpoints(),
        tokens::endpoints(),
        log::endpoints(),
    ]
    .concat()
}
