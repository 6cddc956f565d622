//! The rules: the policy language, its compiler and its verdicts.
//!
//! A version of a policy is read ([`language::parse`]), versions are compiled into a [`Lineage`], and a
//! lineage judges records ([`Lineage::judge`]). Nothing here does I/O, reads a clock or draws a random
//! number: the instant of a verdict is one of its [`Facts`].

mod answer;
pub mod case;
mod cells;
mod check;
mod choice;
pub mod diff;
mod due;
mod exclusion;
pub mod explain;
mod facts;
pub mod language;
mod lineage;
pub mod matrix;
mod permit;
mod proof;
mod reading;
mod surfaces;
mod table;
mod verdict;
mod widening;

pub use answer::{Answered, Answerer, refuse};
pub use due::{Cutoff, FiledUnder, Situation};
pub use exclusion::Exclusion;
pub use facts::{CaseError, Decision, Facts, History, Message, Resolved};
pub use lineage::{Lineage, PurposeIx, VersionIx};
pub use permit::{Permitted, Ruling};
pub use proof::{ProofDue, proof_due};
pub use surfaces::SurfaceId;
pub use verdict::{ClassVerdict, Due, Verdict};
pub use widening::Widening;
