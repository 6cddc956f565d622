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
mod copy;
pub mod diff;
mod due;
mod ending;
mod exclusion;
pub mod explain;
mod facts;
pub mod language;
mod lineage;
mod lives;
pub mod matrix;
mod past;
mod permit;
mod proof;
mod reading;
mod surfaces;
mod table;
mod verdict;
mod widening;

pub use answer::{Answered, Answerer, refuse};
pub use copy::Due;
pub use due::{Cutoff, FiledUnder, Situation};
pub use ending::{Cause, Ended, Quarantine};
pub use exclusion::Exclusion;
pub use facts::{CaseError, Decision, Facts, History, Message, Resolved};
pub use lineage::{Lineage, PurposeIx, VersionIx};
pub use lives::Life;
pub use past::{FormerFacts, Unflagged};
pub use permit::{Permitted, Ruling};
pub use proof::{ProofDue, proof_due};
pub use surfaces::SurfaceId;
pub use verdict::{ClassVerdict, Verdict};
pub use widening::Widening;
