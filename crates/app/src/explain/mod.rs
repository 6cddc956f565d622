//! Explaining: one record's verdict with its reasons, and what an account looks like.

mod account;
mod copy;
mod listing;
mod record;

pub use tenure_policy::explain::{Change, Effect, Ending, Obstacle, WhatIf};

pub use account::{AccountSummary, AskedView, ChoiceView, TermsView};
pub use copy::{BasisView, CopyView, HoldOn, StageView};
pub use record::{Explanation, RecordView, RunOf, StandingView, UseView};
