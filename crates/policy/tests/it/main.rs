//! The rules, held to the corpora and to the reference evaluator.

#![cfg(test)]

mod cases;
mod reference;
mod faces;
mod refusals;
