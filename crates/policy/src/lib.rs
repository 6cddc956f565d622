//! The rules: the policy language, its compiler and its verdicts.

pub mod case;
pub mod language;
