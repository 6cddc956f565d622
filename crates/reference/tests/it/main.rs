//! The reference against the design's own example, the corpora, and what the generators make.

#![cfg(test)]

mod corpora;
mod example;
mod generated;
mod policies;
mod readings;
mod shapes;
