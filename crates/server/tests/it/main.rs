//! The ledger over HTTP, on loopback addresses, with real keys.

#![cfg(test)]

mod fixture;
mod follow;
mod hidden;
mod publish;
mod serve;
mod submit;
mod tiles;
mod witness;
