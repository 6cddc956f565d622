//! The API over HTTP, with a real Tenure behind it.

mod accounts;
mod authorisation;
mod bulk;
mod conversations;
mod decisions;
mod document;
mod export;
mod records;
mod requests;
mod tokens;
mod world;
