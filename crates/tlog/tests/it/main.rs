//! The log against its specifications, a slow obvious reference, and other people's implementations.

#![cfg(test)]

mod go;
mod golden;
mod keys;
mod oracles;
mod parsers;
mod properties;
mod reference;
mod shared_data;
mod tiles;
mod witness;
mod wycheproof;
