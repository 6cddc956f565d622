//! What the API is made of: Tenure, a clock, and limits.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tenure_app::Tenure;
use tenure_model::Instant;

use super::fault::{Code, Fault};
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

/// The longest name of a run's folder.
const FOLDER_MAX: usize = 64;

/// Says what time it is.
trait Tell: Fn() -> Instant + Send + Sync {}

impl<F: Fn() -> Instant + Send + Sync> Tell for F {}

/// The API over one Tenure, before it is a router.
#[derive(Clone)]
pub struct Api {
    pub(crate) tenure: Tenure,
    clock: Arc<dyn Tell>,
    pub(crate) audience: Arc<str>,
    runs: Option<Arc<Path>>,
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
            runs: None,
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

    /// With a folder below which training runs are written, each into one of its own.
    #[must_use]
    pub fn with_runs(self, folder: &Path) -> Self {
        Self { runs: Some(folder.into()), ..self }
    }

    /// The folder of a run, by the name that it has among those of runs. No name leads out of there.
    pub(crate) fn run_folder(&self, name: &str) -> Result<PathBuf, Fault> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let inner = |byte: u8| plain(byte) || b"-_.".contains(&byte);
        let begins = name.bytes().next().is_some_and(plain);
        if !begins || name.len() > FOLDER_MAX || !name.bytes().all(inner) {
            return Err(Fault::body(format!(
                "`folder` is a name of 1 to {FOLDER_MAX} small letters, digits, `-`, `_` and `.`, which begins with \
                 a letter or a digit"
            )));
        }
        self.runs.as_ref().map(|runs| runs.join(name)).ok_or_else(|| Code::FolderMissing.into())
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
