//! The API and the ledger over HTTP, on loopback addresses, with real keys.

#![cfg(test)]

mod api;
mod fixture;
mod follow;
mod hidden;
mod publish;
mod serve;
mod submit;
mod tiles;
mod witness;
