//! The port: ids, rows, and the traits that a store implements.

mod access;
mod backups;
mod copies;
mod error;
mod ids;
mod ledger;
mod log;
mod readers;
mod reports;
mod rows;
mod store;
mod traits;

pub use access::*;
pub use backups::*;
pub use copies::*;
pub use error::*;
pub use ids::*;
pub use ledger::*;
pub use log::*;
pub use readers::*;
pub use reports::*;
pub use rows::*;
pub use store::*;
pub use traits::*;
