//! The reference: a slow and obvious evaluator of the policy language, to hold the fast one to.
//!
//! It follows the text of the design sentence by sentence, and where it quotes it, the quotation is
//! the reason for the line below. It shares nothing with the compiled table but the parser and the
//! calendar: no merging of cells, no ranges of bits, no order of evaluation. Where the two differ on
//! any case, one of them has misread the design.
//!
//! [`generate`] makes random lineages and cases, so that the two can be compared on a great many.

mod binding;
mod cell;
mod check;
mod choice;
mod ending;
pub mod generate;
mod holds;
mod keeping;
mod lineage;
mod refusals;
mod tally;
mod uses;
mod verdict;
mod widening;

pub use ending::{Before, Ended, Fate, Former};
pub use lineage::Lineage;
pub use refusals::Refusal;
pub use tally::{Clause, Tally};
pub use widening::Widening;
