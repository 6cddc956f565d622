//! The policy language: what a version says, and how its TOML file is read.
//!
//! Reading checks words: every key, value and name is known, and every rule has what it needs.
//! Whether the rules are *sound* is the compiler's business, which looks at every case.

mod diagnostic;
mod fields;
mod parse;
mod tree;

pub use diagnostic::{Diagnostic, Diagnostics, Position};
pub use parse::parse;
pub use tree::{
    Anchor, Attribute, Condition, Flag, Forbidden, Ground, Keep, Never, Purpose, Reach, Region, Standing,
    Surface, Undecided, Use, Version,
};
