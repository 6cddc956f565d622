//! The port: ids, rows, and the traits that a store implements.

mod copies;
mod error;
mod ids;
mod ledger;
mod log;
mod rows;
mod store;
mod traits;

pub use copies::*;
pub use error::*;
pub use ids::*;
pub use ledger::*;
pub use log::*;
pub use rows::*;
pub use store::*;
pub use traits::*;
