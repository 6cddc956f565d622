//! Explaining: one record's verdict with its reasons, and what an account looks like.

mod account;
mod copy;
mod listing;
mod record;
mod told;

pub use tenure_policy::explain::{Change, Effect, Ending, Obstacle, WhatIf};

pub use account::{AccountHold, AccountSummary, AskedView, ChoiceView, TermsView};
pub use copy::{BasisView, CopyView, HoldOn, QuarantineView, StageView};
pub use record::{Explanation, RecordView, RunOf, StandingView, UseView};
pub use told::{Told, ToldCopy, ToldOrder, ToldRecord};
