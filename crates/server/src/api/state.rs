//! What the API is made of: Tenure, a clock, and limits.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tenure_app::Tenure;
use tenure_model::Instant;

use super::pool::Pool;
use crate::tiles::Reporter;

/// What the API bears.
#[derive(Clone, Copy, Debug)]
pub struct ApiLimits {
    /// How many bytes the body of a request may have.
    pub body: usize,
    /// How many bytes a stream of conversations may have.
    pub stream: u64,
    /// How many requests are worked on at once. More that decide at once share one commit.
    pub jobs: usize,
    /// How many more wait for that; beyond them a request is refused as `busy`.
    pub queue: usize,
    /// How many streams, in or out, are worked on at once. As many again wait.
    pub streams: usize,
    /// How long a request may take, its body included.
    pub request: Duration,
    /// How long a stream may take.
    pub streaming: Duration,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self {
            body: 4 << 20,
            stream: 16 << 30,
            jobs: 64,
            queue: 1_024,
            streams: 4,
            request: Duration::from_secs(10),
            streaming: Duration::from_mins(30),
        }
    }
}

/// Says what time it is.
trait Tell: Fn() -> Instant + Send + Sync {}

impl<F: Fn() -> Instant + Send + Sync> Tell for F {}

/// The API over one Tenure, before it is a router.
#[derive(Clone)]
pub struct Api {
    pub(crate) tenure: Tenure,
    clock: Arc<dyn Tell>,
    pub(crate) audience: Arc<str>,
    pub(crate) limits: ApiLimits,
    pub(crate) reporter: Reporter,
    pub(crate) jobs: Arc<Pool>,
    pub(crate) streams: Arc<Pool>,
}

impl Api {
    /// The API of a service that people reach at this address: subject tokens are minted for it, and those for
    /// another are refused.
    pub fn new(
        tenure: Tenure,
        clock: impl Fn() -> Instant + Send + Sync + 'static,
        audience: &str,
        reporter: Reporter,
    ) -> Self {
        let limits = ApiLimits::default();
        Self {
            tenure,
            clock: Arc::new(clock),
            audience: audience.into(),
            limits,
            reporter,
            jobs: Arc::new(Pool::new(limits.jobs, limits.queue)),
            streams: Arc::new(Pool::new(limits.streams, limits.streams)),
        }
    }

    /// With other limits.
    #[must_use]
    pub fn with_limits(self, limits: ApiLimits) -> Self {
        let jobs = Arc::new(Pool::new(limits.jobs, limits.queue));
        let streams = Arc::new(Pool::new(limits.streams, limits.streams));
        Self { limits, jobs, streams, ..self }
    }

    pub(crate) fn now(&self) -> Instant {
        (self.clock)()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("limits", &self.limits).finish_non_exhaustive()
    }
}
