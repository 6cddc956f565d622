//! The API over HTTP, with a real Tenure behind it.

mod accounts;
mod authorisation;
mod bulk;
mod conversations;
mod decisions;
mod document;
mod export;
mod house;
mod house_erasure;
mod house_holds;
mod house_keys;
mod house_policies;
mod house_runs;
mod records;
mod requests;
mod tokens;
mod world;
