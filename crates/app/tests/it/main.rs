//! The use cases over the embedded store and a vault on disk.

#![cfg(test)]

mod auditor;
mod choices;
mod edges;
mod faults;
mod forgotten;
mod holds;
mod ledger_crash;
mod run;
mod sweep;
mod tampered;
mod timelines;
mod world;
