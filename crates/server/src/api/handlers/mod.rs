//! What is done, by kind of thing. Each handler calls one use case and shows what came of it.

#![expect(clippy::needless_pass_by_value, reason = "a handler is given what was read for it")]

mod accounts;
mod changes;
mod conversations;
mod decisions;
mod erasure;
mod export;
mod holds;
mod house;
mod keys;
mod lists;
mod log;
mod policies;
mod reading;
mod records;
mod runs;
mod settings;
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
        policies::endpoints(),
        holds::endpoints(),
        reading::endpoints(),
        runs::endpoints(),
        erasure::endpoints(),
        settings::endpoints(),
        keys::endpoints(),
        changes::endpoints(),
        log::endpoints(),
    ]
    .concat()
}
