//! The forms of the ledger, end to end.

#![cfg(test)]

mod documentation;
mod golden;
mod receipts;
