//! The use cases over the embedded store and a vault on disk.

#![cfg(test)]

mod choices;
mod edges;
mod run;
mod sweep;
mod timelines;
mod world;
