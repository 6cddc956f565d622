//! The use cases over the embedded store and a vault on disk.

#![cfg(test)]

mod sweep;
mod world;
