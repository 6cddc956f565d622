//! The use cases over the embedded store and a vault on disk.

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
