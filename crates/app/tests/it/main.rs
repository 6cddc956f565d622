//! The use cases over the embedded store, some over PostgreSQL too, and a vault on disk.

#![cfg(test)]

mod access;
mod auditor;
mod choices;
mod doors;
mod edges;
mod faults;
mod forensics;
mod forgotten;
mod holds;
mod ledger_crash;
mod mistyped;
mod plan;
mod postgres;
#[path = "../../../store/tests/it/postgres_server.rs"]
#[expect(dead_code, reason = "the tests of the store need more of it")]
mod postgres_server;
mod races;
mod reports;
mod restore;
mod run;
mod sweep;
mod tampered;
mod timelines;
mod vitals;
mod withdrawn;
mod world;
