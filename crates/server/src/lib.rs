//! Faces over HTTP: the API of Tenure, and the ledger: who serves it, who publishes it, who watches it, and who
//! cosigns it.
//!
//! | Module | What it is |
//! |---|---|
//! | [`mod@api`] | [`api_router`]: what products, people and staff ask of Tenure |
//! | [`source`] | [`LogSource`]: a log wherever it lies, and [`KnownLog`]: its origin and keys |
//! | [`tiles`] | [`tiles_router`]: a log over HTTP (c2sp.org/tlog-tiles) |
//! | [`mod@publish`] | a log copied into a folder that any web server serves |
//! | [`remote`] | [`RemoteLog`]: a log read from an address or a folder |
//! | [`audit`] | [`Auditor`]: whether a log only grows, from outside |
//! | [`witness`] | [`Witness`]: cosigns checkpoints (c2sp.org/tlog-witness) |
//! | [`submit`] | the log's side of witnesses |
//! | [`mod@serve`] | connections with limits, and a graceful end |
//! | [`operate`] | what a service needs so that somebody can operate it: log, figures, health, jobs |
//!
//! Time and randomness are arguments. Only routers and [`serve()`] are asynchronous; all else blocks.

pub mod api;
pub mod audit;
mod evidence;
mod files;
mod followed;
mod growth;
mod http;
mod lively;
pub mod operate;
mod page;
mod problem;
pub mod publish;
pub mod remote;
mod seats;
pub mod serve;
pub mod source;
pub mod submit;
pub mod tiles;
pub mod witness;

pub use api::{Api, ApiLimits, api_router};
pub use audit::{Alarm, AlarmKind, Auditor, Look, LookError};
pub use http::{HttpError, Patience};
pub use publish::{Destination, Folder, Published, publish, publish_witnessed};
pub use remote::RemoteLog;
pub use serve::{Limits, in_time, run, serve};
pub use source::{KnownLog, KnownWitnesses, LogSource, SourceError, parse_keys};
pub use submit::{Contradicted, Cosigned, WitnessClient, Witnesses};
pub use tiles::{Reporter, tiles_router};
pub use witness::{Clock, Witness, witness_router};
