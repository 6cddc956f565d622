//! The rules, held to the corpora and to the reference evaluator.

#![cfg(test)]

mod cases;
mod due;
mod due_by_hand;
mod ending;
mod ending_by_hand;
mod explain;
mod faces;
mod past;
mod permit;
mod reference;
mod refusals;
mod warnings;
