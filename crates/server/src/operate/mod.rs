//! What a service needs round its pages so that somebody can operate it.
//!
//! | Module | What it is |
//! |---|---|
//! | [`host`] | [`Host`]: listeners, and an end that loses nothing |
//! | [`access`] | [`Watch`]: one line and some figures for each request, and an id that its answer bears |
//! | [`lines`] | [`start_log`]: events as lines of JSON or text on standard error |
//! | [`metrics`] | [`METRICS`]: every figure that is shown, and the page that shows them |
//! | [`health`] | [`Health`]: whether the process lives, and whether it should be sent requests |
//! | `traces` | spans for a collector, with the feature `otel` |
//! | [`jobs`] | [`Jobs`]: what is done again and again, whose failures end nothing |
//!
//! Nothing here knows what a request or a job is about. No path, id or word of a person is ever shown: a request
//! is known by the template of its route.

pub mod access;
pub mod health;
pub mod host;
pub mod jobs;
pub mod lines;
pub mod metrics;
mod router;
#[cfg(feature = "otel")]
pub mod traces;

pub use self::metrics::{METRICS, Metric, Metrics};
pub use access::{RequestId, Told, Watch};
pub use health::{Health, Phase};
pub use host::Host;
pub use jobs::{Failure, Job, Jobs, Stop};
pub use lines::{Form, LogEnd, start_log};
pub use router::operate_router;
