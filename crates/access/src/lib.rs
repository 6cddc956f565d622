//! Who may do what, as rules alone.
//!
//! A face finds out who calls: [`StoredKey::check`] for an API key, [`TokenRing::open`] and
//! [`SubjectToken::present`] for a subject token, its own session for a user of the console. Then it asks [`decide`],
//! and hands the [`Permit`] to what does the work. No other way leads to a permit, so a use case that asks for one
//! can't be reached unasked.
//!
//! | Question | Type |
//! |---|---|
//! | what can be asked for | [`Operation`] |
//! | who may ask for it | [`Role`], [`allows`], [`TokenPurpose`] |
//! | who calls | [`ApiKey`], [`StoredKey`], [`KeyHolder`], [`TokenRing`], [`Bearer`], [`ConsoleUser`] |
//! | about what | [`Target`] |
//! | what needs two people | [`Change`], [`Approval`], [`TwoPeople`] |
//! | why not | [`Refusal`] |
//!
//! To add an operation, add it to [`Operation`] and give it a row in `matrix.rs`, without which nothing compiles;
//! then put the row in `docs/access.md`, where the reasons stand. A test compares the two.
//!
//! Nothing here does I/O, reads a clock or draws a random number.

mod approval;
mod decide;
mod encoding;
mod identity;
mod key;
mod matrix;
mod operation;
mod refusal;
mod target;
mod time;
mod token;

pub use approval::{Approval, Change, Digest, Proposal, State, TwoPeople};
pub use decide::{By, Caller, ConsoleUser, Permit, View, decide};
pub use identity::{AccountId, NameError, OrganisationId, Principal, Subject};
pub use key::{ApiKey, Environment, KeyHolder, KeyId, KeyState, KeyTerms, Scope, SecretHash, StoredKey};
pub use matrix::{About, Role, allows};
pub use operation::Operation;
pub use refusal::{Kind, Refusal};
pub use target::{Evidence, Said, Target};
pub use token::{Bearer, Claim, Grant, SubjectToken, TokenId, TokenKey, TokenPurpose, TokenRing, Used, used};
