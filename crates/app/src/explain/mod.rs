//! Explaining: one record's verdict with its reasons, and what an account looks like.

mod account;
mod copy;
mod listing;
mod record;
mod told;

pub use tenure_policy::explain::{Change, Effect, Ending, Obstacle, WhatIf};

pub(crate) use account::terms_of;
pub use account::{AccountHold, AccountSummary, AskedView, ChoiceView, TermsView};
pub use copy::{BasisView, CopyView, HoldOn, QuarantineView, StageView};
pub(crate) use record::runs;
pub use record::{Explanation, RecordView, RunOf, Sight, StandingView, UseView};
pub use told::{Told, ToldCopy, ToldOrder, ToldRecord};
pub(crate) use told::{tell, tellable};
